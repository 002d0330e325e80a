package tcp

import (
	"testing"
	"time"
)

// RFC 9293, 3.10.7.3: "Data or controls that were queued for transmission MAY be included": where a user waits to send, the
// ACK that ends the handshake waits for the data, and goes by itself once the time of a delayed one is over.
func TestAwaitData(t *testing.T) {
	r := newRig(t, Config{}).to(SynSent)
	r.c.AwaitData(true)
	r.want(r.arrive(5000, 1001, syn|ack, 0), "")
	r.wantState(Established)
	if n, err := r.c.Send(r.now, make([]byte, 10)); n != 10 || err != nil {
		t.Fatal(n, err)
	}
	r.want(r.drain(), "<SEQ=1001><ACK=5001><CTL=PSH,ACK><LEN=10>")

	r = newRig(t, Config{}).to(SynSent)
	r.c.AwaitData(true)
	r.want(r.arrive(5000, 1001, syn|ack, 0), "")
	r.want(r.pass(mostATO-time.Millisecond), "")
	r.want(r.pass(time.Millisecond), "1ms <SEQ=1001><ACK=5001><CTL=ACK>")

	r = newRig(t, Config{}).to(SynSent)
	r.c.AwaitData(true)
	r.c.AwaitData(false)
	r.want(r.arrive(5000, 1001, syn|ack, 0), "<SEQ=1001><ACK=5001><CTL=ACK>")
}

// A FIN takes a sequence number in SACK blocks too, alone and at the end of data (RFC 2018, 3).
func TestSACKOfFIN(t *testing.T) {
	r := newRig(t, Config{})
	r.syn.SACKPermitted = true
	r.to(Established)
	r.want(r.arrive(5101, 1001, fin|ack, 0), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5101-5102>")
	r.want(r.arrive(5021, 1001, ack, 10), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5021-5031><SACK 5101-5102>")
	r.want(r.arrive(5031, 1001, ack, 70), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5021-5102>")
	r.want(r.arrive(5001, 1001, ack, 20), "<SEQ=1001><ACK=5102><CTL=ACK>")
	r.wantState(CloseWait)
}
