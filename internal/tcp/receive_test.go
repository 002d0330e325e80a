package tcp

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// receiver is an established rig that agreed on SACK, after its quick ACKs.
func receiver(t *testing.T, cfg Config) *rig {
	cfg.NoTimestamps = true
	r := newRig(t, cfg)
	r.syn.MSS, r.syn.SACKPermitted = 1460, true
	r.syn.HasWindowScale = true
	return r.to(Established)
}

// contents reads all and checks that it is what segment makes of n octets from seq.
func (r *rig) contents(seq Seq, n int) {
	r.t.Helper()
	b := make([]byte, 1<<20)
	got, err := r.c.Receive(r.now, b)
	if got != n || err != nil {
		r.t.Fatalf("Receive: %d, %v, want %d octets", got, err, n)
	}
	if want := segment(seq, 0, 0, n).Payload; !bytes.Equal(b[:n], want) {
		r.t.Fatal("wrong octets")
	}
}

// RFC 2018, 4: "The first SACK block … MUST specify the contiguous block of data containing the segment which triggered this
// ACK", and "The SACK option SHOULD be filled out by repeating the most recently reported SACK blocks … that are not subsets
// of a SACK block already included".
func TestSACKBlocks(t *testing.T) {
	r := receiver(t, Config{})
	r.want(r.arrive(5101, 1001, ack, 100), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5101-5201>")
	r.want(r.arrive(5301, 1001, ack, 100), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5301-5401><SACK 5101-5201>")
	r.want(r.arrive(5201, 1001, ack, 50), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5101-5251><SACK 5301-5401>")
	r.want(r.arrive(5251, 1001, ack, 50), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5101-5401>")
	for i := range Seq(5) {
		r.arrive(5501+100*i, 1001, ack, 50)
	}
	// RFC 2883, 4: the duplicate first, and then the block it is in.
	r.want(r.arrive(5501, 1001, ack, 50), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5501-5551><SACK 5501-5551><SACK 5901-5951>"+
		"<SACK 5801-5851>")
	// The hole is filled: at once acknowledged, RFC 5681, 4.2.
	r.want(r.arrive(5001, 1001, ack, 100), "<SEQ=1001><ACK=5401><CTL=ACK><SACK 5501-5551><SACK 5901-5951><SACK 5801-5851>"+
		"<SACK 5701-5751>")
	r.contents(5001, 400)
	r.want(r.arrive(5401, 1001, ack, 1000), "<SEQ=1001><ACK=6401><CTL=ACK><SACK 5501-5551>")
	r.contents(5401, 1000)
}

// With timestamps three blocks fit, and the octets of a block may come in any order and overlap.
func TestReassembly(t *testing.T) {
	r := newRig(t, Config{})
	r.syn.HasTimestamps, r.syn.TSVal, r.syn.SACKPermitted = true, 7, true
	r.to(SynReceived)
	arrive := func(seq Seq, flags wire.TCPFlags, n int) string {
		s := segment(seq, 1001, ack|flags, n)
		s.Options.HasTimestamps, s.Options.TSVal = true, 7
		return r.arriveSegment(s)
	}
	arrive(5001, 0, 0)
	for _, seq := range []Seq{5801, 5601, 5401} {
		arrive(seq, 0, 100)
	}
	r.want(arrive(5201, 0, 100), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5201-5301><SACK 5401-5501><SACK 5601-5701>")
	r.want(arrive(5151, fin, 800), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5201-5301><SACK 5151-5952>")
	r.wantState(Established)
	// Nothing comes after the FIN, whatever a segment says.
	r.want(arrive(5901, 0, 500), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 5901-5951><SACK 5151-5952>")
	r.want(arrive(5001, 0, 160), "<SEQ=1001><ACK=5952><CTL=ACK><SACK 5151-5161>")
	r.wantState(CloseWait)
	r.contents(5001, 950)
	if n, err := r.c.Receive(r.now, make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Receive: %d, %v", n, err)
	}
}

// A peer that sends every second octet gets its spans up to a bound, and the connection goes on.
func TestSpansAreBounded(t *testing.T) {
	r := receiver(t, Config{})
	for i := range Seq(maxSpans + 1000) {
		r.arrive(5002+2*i, 1001, ack, 1)
	}
	if n := len(r.c.rcv.ranges); n != maxSpans {
		t.Errorf("%d spans", n)
	}
	for seq := Seq(5001); seq.Less(25001); seq += 1000 {
		r.arrive(seq, 1001, ack, 1000)
	}
	r.contents(5001, 20000)
	if len(r.c.rcv.ranges) != 0 || r.c.rcv.buf.end != 0 || r.c.rcv.in.held != 0 {
		t.Error("something is left")
	}
}

// RFC 7323, 2: window scale.
func TestWindowScale(t *testing.T) {
	for n, want := range map[int]uint8{1: 0, 65535: 0, 65536: 1, 1 << 20: 5, maxBuffer: 14} {
		if got := windowShift(n); got != want {
			t.Errorf("windowShift(%d) = %d, want %d", n, got, want)
		}
	}
	r := newRig(t, Config{NoTimestamps: true})
	r.syn.HasWindowScale, r.syn.WindowScale = true, 30 // "MUST use 14"
	r.to(SynReceived)
	if w := r.c.Info(r.now).SendWindow; w != 60000 {
		t.Errorf("the SYN's window is scaled: %d", w)
	}
	r.arrive(5001, 1001, ack, 0)
	if w := r.c.Info(r.now).SendWindow; w != 60000<<14 {
		t.Errorf("window %d", w)
	}
	// "Both sides MUST send Window Scale options".
	r = newRig(t, Config{NoTimestamps: true}).to(SynReceived)
	var out Segment
	r.c.Arrive(r.now, segment(5000, 0, syn, 0))
	r.c.Next(r.now, &out)
	if out.Options.HasWindowScale || out.Options.SACKPermitted || out.Options.HasTimestamps || out.Options.MSS != 1460 {
		t.Errorf("options in a SYN,ACK that the SYN did not have: %+v", out.Options)
	}
	r.arrive(5001, 1001, ack, 0)
	if i := r.c.Info(r.now); i.ReceiveWindow != 64240 || i.WindowScale || i.SendWindow != 60000 {
		t.Errorf("%+v", i)
	}
}

// RFC 7323, 5.3: PAWS, and 3.2.
func TestPAWS(t *testing.T) {
	r := newRig(t, Config{})
	r.syn.HasTimestamps, r.syn.TSVal = true, 1000
	r.to(SynReceived)
	arrive := func(val uint32, seq Seq, flags wire.TCPFlags, n int) string {
		s := segment(seq, 1001, flags, n)
		s.Options.HasTimestamps, s.Options.TSVal = true, val
		return r.arriveSegment(s)
	}
	arrive(1000, 5001, ack, 0)
	r.want(arrive(1010, 5001, ack, 10), "<SEQ=1001><ACK=5011><CTL=ACK>")
	if r.c.ts.recent != 1010 {
		t.Fatalf("TS.Recent %d", r.c.ts.recent)
	}
	// "R1) If … SEG.TSval < TS.Recent … then treat the arriving segment as not acceptable: Send an acknowledgment in reply …
	// and drop the segment."
	r.want(arrive(1009, 5011, ack, 10), "<SEQ=1001><ACK=5011><CTL=ACK>")
	if r.c.rcv.nxt != 5011 {
		t.Fatal("an old duplicate was taken")
	}
	// "… and if the RST bit is not set": a RST is judged by its sequence number.
	r.want(arrive(1, 5012, rst, 0), "<SEQ=1001><ACK=5011><CTL=ACK>")
	// "If a non-<RST> segment is received without a TSopt, a TCP SHOULD silently drop the segment."
	r.want(r.arrive(5011, 1001, ack, 10), "")
	if r.c.rcv.nxt != 5011 {
		t.Fatal("a segment without timestamps was taken")
	}
	// 4.3: "If: SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent": one out of order does not count.
	arrive(1020, 5021, ack, 10)
	if r.c.ts.recent != 1010 {
		t.Fatalf("TS.Recent %d", r.c.ts.recent)
	}
	// 5.5: "invalidate TS.Recent when the connection is idle for more than 24 days".
	r.now = r.now.Add(25 * 24 * time.Hour)
	arrive(5, 5011, ack, 10)
	if r.c.ts.recent != 5 || r.c.rcv.nxt != 5031 {
		t.Fatalf("TS.Recent %d, RCV.NXT %d", r.c.ts.recent, r.c.rcv.nxt)
	}
	// "RST … SHOULD" carry timestamps too.
	r.c.Abort(r.now)
	var out Segment
	if !r.c.Next(r.now, &out) || out.Flags != rst|ack || !out.Options.HasTimestamps || out.Options.TSEcr != 5 {
		t.Errorf("%+v", out)
	}
}

// RFC 5961, 7: "An implementation SHOULD include an ACK throttling mechanism to be conservative."
func TestChallengeLimit(t *testing.T) {
	r := receiver(t, Config{InvalidRateLimit: 300 * ms})
	for range 3 {
		for i := range 100 {
			out := r.arrive(5002, 0, rst, 0)
			if want := i == 0; want != (out != "") {
				t.Fatalf("%d: %q", i, out)
			}
			r.now = r.now.Add(ms)
		}
		r.pass(200 * ms)
	}
	// What carries data is no loop of ACKs.
	for range 10 {
		r.want(r.arrive(4000, 1001, ack, 10), "<SEQ=1001><ACK=5001><CTL=ACK><SACK 4000-4010>")
	}
}

// CloseRead: what has come can still be read; then it is the end, whatever comes.
func TestCloseRead(t *testing.T) {
	r := receiver(t, Config{ReceiveBuffer: 10000})
	r.arrive(5001, 1001, ack, 1000)
	r.c.CloseRead()
	if !r.c.Readable() {
		t.Error("not readable")
	}
	r.contents(5001, 1000)
	for range 3 {
		if n, err := r.c.Receive(r.now, make([]byte, 10)); n != 0 || err != io.EOF || !r.c.Readable() {
			t.Fatalf("Receive: %d, %v", n, err)
		}
	}
	r.arrive(6001, 1001, ack, 1000)
	r.contents(6001, 1000)
	// With both directions closed it is as after Release.
	r.c.Close(r.now)
	r.want(r.drain(), "<SEQ=1001><ACK=7001><CTL=FIN,ACK>")
	r.want(r.arrive(7001, 1002, ack, 10), "<SEQ=1002><CTL=RST>")
	r.wantErr(syscall.ECONNRESET)
}

// RFC 1122, 4.2.2.13: "If such a host issues a CLOSE call while received data is still pending in TCP, or if new data is
// received after CLOSE is called, its TCP SHOULD send a RST to show that data was lost."
func TestRelease(t *testing.T) {
	r := receiver(t, Config{})
	r.arrive(5001, 1001, ack, 10)
	r.c.Release(r.now)
	r.want(r.drain(), "<SEQ=1001><ACK=5011><CTL=RST,ACK>")
	r.wantErr(syscall.ECONNABORTED)

	// Also where ABORT would send none (RFC 9293, 3.10.5).
	r = receiver(t, Config{})
	r.arrive(5001, 1001, ack|fin, 10)
	r.c.Close(r.now)
	r.drain()
	r.wantState(LastAck)
	r.c.Release(r.now)
	r.want(r.drain(), "<SEQ=1002><ACK=5012><CTL=RST,ACK>")

	r = receiver(t, Config{})
	r.arrive(5001, 1001, ack, 10)
	r.contents(5001, 10)
	r.c.Release(r.now)
	r.c.Release(r.now)
	r.want(r.drain(), "<SEQ=1001><ACK=5011><CTL=FIN,ACK>")
	r.want(r.arrive(5001, 1002, ack, 10), "<SEQ=1002><ACK=5011><CTL=ACK><SACK 5001-5011>") // a duplicate is not new, but its ACK is
	r.wantState(FinWait2)
	r.want(r.arrive(5011, 1002, ack, 10), "<SEQ=1002><CTL=RST>")
	r.wantErr(syscall.ECONNRESET)

	// What is queued is still sent; with the linger of zero it is not.
	r = receiver(t, Config{})
	r.c.Send(r.now, make([]byte, 10))
	r.c.Release(r.now)
	r.want(r.drain(), "<SEQ=1001><ACK=5001><CTL=FIN,PSH,ACK><LEN=10>")
	r = receiver(t, Config{})
	r.c.Send(r.now, make([]byte, 10))
	change(r.c, r.now, func(cfg *Config) { cfg.Lingers = true })
	r.c.Release(r.now)
	r.want(r.drain(), "<SEQ=1001><ACK=5001><CTL=RST,ACK>")
	r = newRig(t, Config{}).to(SynSent)
	r.c.Release(r.now)
	r.wantState(Closed)
}

// After a reset what had come before can be read, then the error.
func TestReadAfterReset(t *testing.T) {
	r := receiver(t, Config{})
	r.arrive(5001, 1001, ack, 10)
	r.arrive(5011, 1001, rst, 0)
	r.wantState(Closed)
	r.contents(5001, 10)
	for range 2 {
		if n, err := r.c.Receive(r.now, make([]byte, 1)); n != 0 || err != syscall.ECONNRESET {
			t.Fatalf("Receive: %d, %v", n, err)
		}
	}
	// And after an orderly end, the end.
	r = receiver(t, Config{})
	r.arrive(5001, 1001, ack|fin, 10)
	r.c.Close(r.now)
	r.drain()
	r.arrive(5012, 1002, ack, 0)
	r.wantState(Closed)
	r.contents(5001, 10)
	if n, err := r.c.Receive(r.now, make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("Receive: %d, %v", n, err)
	}
	if _, err := r.c.Send(r.now, []byte{1}); err != syscall.EPIPE {
		t.Fatalf("Send: %v", err)
	}
}

// The pipe, with writes at any offset.
func TestPipe(t *testing.T) {
	var p pipe
	data := pattern(200 << 10)
	out := make([]byte, len(data))
	for round := range 3 {
		p.writeAt(100<<10, data[100<<10:])
		p.writeAt(0, data[:100<<10])
		read := 0
		for _, n := range []int{1, blockSize - 1, blockSize, blockSize + 1, 3*blockSize + 77, 200<<10 - 6*blockSize - 78} {
			p.readAt(0, out[read:read+n])
			p.discard(n)
			read += n
		}
		if read != len(data) || !bytes.Equal(data, out) || p.end != 0 {
			t.Fatalf("round %d: wrong octets, %d left", round, p.end)
		}
		for _, b := range p.ring {
			if b != nil {
				t.Fatal("an empty pipe holds a block")
			}
		}
	}
	// What is far beyond the end takes a block, not all up to there.
	p.writeAt(1<<20, []byte{1})
	held := 0
	for _, b := range p.ring {
		if b != nil {
			held++
		}
	}
	if held != 1 {
		t.Errorf("%d blocks for one octet", held)
	}
	p.release()
	if p.end != 0 {
		t.Error("not empty")
	}
}

func TestRangeset(t *testing.T) {
	var r rangeset
	add := func(from, to Seq, want string) {
		t.Helper()
		s, ok := r.add(span{from, to})
		if !ok || s.from.Sub(from) > 0 || to.Sub(s.to) > 0 {
			t.Fatalf("add returned %v, %v", s, ok)
		}
		if got := fmt.Sprint(r); got != want {
			t.Fatalf("set %s, want %s", got, want)
		}
	}
	add(10, 20, "[{10 20}]")
	add(30, 40, "[{10 20} {30 40}]")
	add(20, 25, "[{10 25} {30 40}]")
	add(28, 30, "[{10 25} {28 40}]")
	add(50, 60, "[{10 25} {28 40} {50 60}]")
	add(12, 13, "[{10 25} {28 40} {50 60}]")
	add(24, 55, "[{10 60}]")
	add(4294967290, 5, "[{4294967290 5} {10 60}]")
	if s, ok := r.find(1); !ok || s.to != 5 {
		t.Error("find")
	}
	if _, ok := r.find(5); ok {
		t.Error("found the end of a span")
	}
	if got := r.take(4294967295); got != 5 || fmt.Sprint(r) != "[{10 60}]" {
		t.Errorf("take: %d, %v", got, r)
	}
	if got := r.take(10); got != 60 || len(r) != 0 {
		t.Errorf("take: %d, %v", got, r)
	}
}

// Sequence numbers wrap.
func TestSeq(t *testing.T) {
	const top = Seq(0xffffffff)
	if !top.Less(0) || Seq(0).Less(top) || !top.LessEq(top) || top.Add(2) != 1 || Seq(1).Sub(top) != 2 ||
		top.Sub(1) != -2 || Seq(0).Add(-1) != top || maxSeq(top, 3) != 3 || maxSeq(3, top) != 3 {
		t.Error("arithmetic")
	}
}

// RFC 9293, 3.10.7.4, "Second, check the RST bit": what counts as RCV.NXT, and RFC 5961, 3.2.
func TestResetNumbers(t *testing.T) {
	const challenge = "<SEQ=1001><ACK=5001><CTL=ACK>"
	// Out of order data of two holes: only behind the last of it is a RST taken.
	holes := func() *rig {
		r := newRig(t, Config{NoTimestamps: true})
		r.syn.SACKPermitted = true
		r.to(Established)
		r.arrive(5101, 1001, ack, 100)
		r.arrive(5301, 1001, ack, 100)
		return r
	}
	for _, seq := range []Seq{5002, 5201, 5301, 5400, 5402} {
		r := holes()
		if out := r.arrive(seq, 0, rst, 0); !strings.HasPrefix(out, challenge) {
			t.Errorf("RST at %d: %q", seq, out)
		}
		r.wantState(Established)
	}
	for _, seq := range []Seq{5000, 5001 + 1<<21} {
		r := holes()
		r.want(r.arrive(seq, 0, rst, 0), "")
		r.wantState(Established)
	}
	for _, seq := range []Seq{5001, 5401} {
		r := holes()
		r.want(r.arrive(seq, 0, rst, 0), "")
		r.wantErr(syscall.ECONNRESET)
	}
	// The number of the peer's FIN, from those who do not count it.
	for _, s := range []State{CloseWait, Closing, LastAck} {
		r := newRig(t, Config{NoTimestamps: true}).to(s)
		r.want(r.arrive(5000, 0, rst, 0), "")
		r.wantState(s)
		r.want(r.arrive(5001, 0, rst, 0), "")
		r.wantState(Closed)
	}
	r := newRig(t, Config{NoTimestamps: true}).to(TimeWait)
	r.want(r.arrive(5001, 0, rst, 0), "")
	r.wantState(TimeWait)
}

// An ACK by itself that others have overtaken is as good as any: its number is in the window of the last ACK sent.
func TestOvertakenACK(t *testing.T) {
	r := receiver(t, Config{})
	r.c.Send(r.now, make([]byte, 3000))
	r.drain()
	r.want(r.arrive(5001, 1001, ack, 100), "") // not acknowledged yet
	r.want(r.arrive(5001, 2461, ack, 0), "")
	if i := r.c.Info(r.now); i.BytesAcked != 1460 {
		t.Errorf("%+v", i)
	}
	// Once it is acknowledged, the number is old.
	r.pass(50 * ms)
	r.want(r.arrive(5001, 3921, ack, 0), "<SEQ=4001><ACK=5101><CTL=ACK>")
	if i := r.c.Info(r.now); i.BytesAcked != 1460 {
		t.Errorf("%+v", i)
	}
}

// RFC 7323, 5.2, of a RST: "it MUST NOT be subjected to the PAWS check …, and information from the Timestamps option MUST NOT
// be used to update connection state information."
func TestTimestampsOfReset(t *testing.T) {
	r := newRig(t, Config{})
	r.syn.HasTimestamps, r.syn.TSVal = true, 10000
	r.to(SynReceived)
	with := func(s *Segment, val uint32) *Segment {
		s.Options.HasTimestamps, s.Options.TSVal = true, val
		return s
	}
	r.arriveSegment(with(segment(5001, 1001, ack, 0), 10001))
	r.wantState(Established)
	r.arriveSegment(with(segment(5002, 0, rst, 0), 20000)) // a challenge
	if r.c.ts.recent != 10001 {
		t.Errorf("TS.Recent %d", r.c.ts.recent)
	}
	// An ACK of late that says nothing new is let pass; not if it is older than a retransmission can be.
	r.now = r.now.Add(time.Second)
	r.want(r.arriveSegment(with(segment(5001, 1001, ack, 0), 10000)), "")
	r.want(r.arriveSegment(with(segment(5001, 1001, ack, 0), 10001-4000)), "<SEQ=1001><ACK=5001><CTL=ACK>")
	r.want(r.arriveSegment(with(segment(5001, 1001, ack, 10), 10000)), "<SEQ=1001><ACK=5001><CTL=ACK>")
	r.arriveSegment(with(segment(5001, 0, rst, 0), 1))
	r.wantState(Closed)
}
