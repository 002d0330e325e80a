package tcp

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

const ms = time.Millisecond

// times returns when the lines of what pass returned were sent, and checks that they are all alike.
func times(t *testing.T, out, like string) string {
	t.Helper()
	var s []string
	for line := range strings.Lines(out) {
		at, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		if what != like {
			t.Fatalf("sent %q, want %q", what, like)
		}
		s = append(s, at)
	}
	return strings.Join(s, " ")
}

// RFC 6298, 2.1: "the sender SHOULD set RTO <- 1 second"; 5.5: "The host MUST set RTO <- RTO * 2". RFC 9293, 3.8.3: "R2 for
// a SYN segment MUST be set large enough to provide retransmission of the segment for at least 3 minutes (MUST-23)."
func TestSYNRetransmission(t *testing.T) {
	r := newRig(t, Config{}).to(SynSent)
	got := times(t, r.pass(10*time.Minute), "<SEQ=1000><CTL=SYN>")
	if want := "1s 3s 7s 15s 31s 1m3s 2m7s"; got != want {
		t.Errorf("sent at %s, want %s", got, want)
	}
	r.wantState(Closed)
	r.wantErr(syscall.ETIMEDOUT)

	r = newRig(t, Config{SYNRetries: 2, SYNLinear: 4}).to(SynSent)
	start := r.now
	for r.c.State() != Closed {
		r.now = r.c.Deadline()
		r.c.Timeout(r.now)
		r.drain()
	}
	// Two retransmissions with back-off would take as long; Linux ends then too.
	if d := r.now.Sub(start); d != 7*time.Second {
		t.Errorf("gave up after %v, want 7s", d)
	}

	r = newRig(t, Config{}).to(SynReceived)
	got = times(t, r.pass(10*time.Minute), "<SEQ=1000><ACK=5001><CTL=SYN,ACK>")
	if want := "1s 3s 7s 15s 31s"; got != want {
		t.Errorf("SYN,ACK sent at %s, want %s", got, want)
	}
	r.wantErr(syscall.ETIMEDOUT)
}

// RFC 6298, 5: the data's timer backs off from the measured RTO, up to its maximum.
func TestRetransmissionTimer(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, MaxRTO: 3 * time.Second, Retries: 6})
	r.to(SynReceived)
	r.now = r.now.Add(100 * ms) // the handshake's round-trip time: SRTT 100 ms, RTTVAR 50 ms, RTO 300 ms
	r.arrive(5001, 1001, ack, 0)
	if i := r.c.Info(r.now); i.RTT != 100*ms || i.RTTVar != 50*ms || i.RTO != 300*ms || i.MinRTT != 100*ms {
		t.Fatalf("RTT %v, RTTVAR %v, RTO %v", i.RTT, i.RTTVar, i.RTO)
	}
	r.c.Send(r.now, make([]byte, 100))
	const data = "<SEQ=1001><ACK=5001><CTL=PSH,ACK><LEN=100>"
	r.want(r.drain(), data)
	got := times(t, r.pass(time.Minute), data)
	// 300 ms, then doubled each time, to 3 s.
	if want := "300ms 900ms 2.1s 4.5s 7.5s 10.5s"; got != want {
		t.Errorf("sent at %s, want %s", got, want)
	}
	r.wantState(Closed)
	r.wantErr(syscall.ETIMEDOUT)
	if _, err := r.c.Send(r.now, nil); err != syscall.ETIMEDOUT {
		t.Errorf("Send: %v", err)
	}
	if _, err := r.c.Receive(r.now, make([]byte, 1)); err != syscall.ETIMEDOUT {
		t.Errorf("Receive: %v", err)
	}
}

// RFC 6298, 3: "RTT samples MUST NOT be made using segments that were retransmitted (and thus for which it is ambiguous
// whether the reply was for the first instance of the packet or a later instance)", and 5: the back-off stays until a
// sample is made. With timestamps the echo tells.
func TestKarn(t *testing.T) {
	for _, stamps := range []bool{false, true} {
		r := newRig(t, Config{NoTimestamps: !stamps})
		s := segment(5000, 0, syn, 0)
		s.Options.HasTimestamps, s.Options.TSVal = true, 1
		r.c.Accept(r.now, r.cfg.open(), s)
		r.drain()
		reply := func(ackno Seq, echo clock.Instant) {
			s := segment(5001, ackno, ack, 0)
			s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = stamps, 1, uint32(echo.Duration()/ms)
			r.arriveSegment(s)
		}
		first := r.now
		r.now = r.now.Add(100 * ms)
		reply(1001, first)
		r.c.Send(r.now, make([]byte, 10))
		r.drain()
		r.pass(500 * ms) // retransmitted after 300 ms
		i := r.c.Info(r.now)
		if i.RTO != 600*ms || i.Retransmits != 1 {
			t.Fatalf("RTO %v, %d retransmits", i.RTO, i.Retransmits)
		}
		reply(1011, r.now.Add(-200*ms)) // the answer to the second one
		i = r.c.Info(r.now)
		if stamps && (i.RTT != 112500*time.Microsecond || i.RTO >= 600*ms) || !stamps && (i.RTT != 100*ms || i.RTO != 600*ms) {
			t.Errorf("timestamps %v: RTT %v, RTO %v", stamps, i.RTT, i.RTO)
		}
	}
}

// RFC 5482: data may stay unacknowledged for the user timeout. RFC 5461: the connection dies of what an ICMP error said.
func TestUserTimeout(t *testing.T) {
	for _, soft := range []syscall.Errno{0, syscall.EHOSTUNREACH} {
		r := newRig(t, Config{UserTimeout: 5 * time.Second}).to(Established)
		r.pass(time.Hour)
		start := r.now
		r.c.Send(r.now, make([]byte, 10))
		r.drain()
		want := syscall.ETIMEDOUT
		if soft != 0 {
			r.c.Failed(r.now, soft, 1001)
			want = soft
		}
		for r.c.State() != Closed {
			r.now = r.c.Deadline()
			r.c.Timeout(r.now)
			r.drain()
		}
		r.wantErr(want)
		if d := r.now.Sub(start); d != 5*time.Second {
			t.Errorf("gave up after %v", d)
		}
	}
	// A closed window that is never answered for counts as well.
	r := newRig(t, Config{UserTimeout: 5 * time.Second}).to(Established)
	s := segment(5001, 1001, ack, 0)
	s.Window = 0
	r.arriveSegment(s)
	r.pass(time.Hour)
	start := r.now
	r.c.Send(r.now, make([]byte, 10))
	r.drain()
	for r.c.State() != Closed {
		r.now = r.c.Deadline()
		r.c.Timeout(r.now)
		r.drain()
	}
	r.wantErr(syscall.ETIMEDOUT)
	if d := r.now.Sub(start); d != 5*time.Second {
		t.Errorf("closed window: gave up after %v", d)
	}
}

// RFC 9293, 3.8.6.3: "an ACK SHOULD be generated for at least every second full-sized segment … (SHLD-19)"; the delay is 40 ms.
func TestDelayedACK(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	r.c.rcv.mss = 1460
	r.want(r.arrive(5001, 1001, ack, 1460), "")
	r.want(r.pass(100*ms), "40ms <SEQ=1001><ACK=6461><CTL=ACK>")
	r.contents(5001, 1460)
	r.want(r.arrive(6461, 1001, ack, 1460), "")
	r.want(r.arrive(7921, 1001, ack, 1460), "<SEQ=1001><ACK=9381><CTL=ACK>")
	r.want(r.pass(100*ms), "")
	// It rides on data that is sent meanwhile.
	r.want(r.arrive(9381, 1001, ack, 100), "")
	r.c.Send(r.now, make([]byte, 10))
	r.want(r.drain(), "<SEQ=1001><ACK=9481><CTL=PSH,ACK><LEN=10>")
	r.want(r.pass(100*ms), "")
}

// The first segments of a connection are acknowledged at once, unless answers carry the acknowledgments.
func TestQuickACK(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(SynReceived)
	r.arrive(5001, 1001, ack, 0)
	seq := Seq(5001)
	for range maxQuickACKs {
		if out := r.arrive(seq, 1001, ack, 10); out == "" {
			t.Fatal("not acknowledged at once")
		}
		seq += 10
	}
	r.want(r.arrive(seq, 1001, ack, 5), "")

	r = newRig(t, Config{NoTimestamps: true}).to(SynReceived)
	r.arrive(5001, 1001, ack, 0)
	r.want(r.arrive(5001, 1001, ack, 1000), "<SEQ=1001><ACK=6001><CTL=ACK>")
	r.c.Send(r.now, make([]byte, 10))
	r.want(r.drain(), "<SEQ=1001><ACK=6001><CTL=PSH,ACK><LEN=10>")
	r.want(r.arrive(6001, 1011, ack, 100), "")
}

// A FIN before any data is acknowledged by the user's FIN, or after a moment; a Config without delay has no moment either.
func TestACKOfFIN(t *testing.T) {
	open := func(cfg Config) *rig {
		cfg.NoTimestamps = true
		r := newRig(t, cfg).to(SynReceived)
		r.arrive(5001, 1001, ack, 0)
		return r
	}
	r := open(Config{})
	r.want(r.arrive(5001, 1001, fin|ack, 0), "")
	r.c.Close(r.now)
	r.want(r.drain(), "<SEQ=1001><ACK=5002><CTL=FIN,ACK>")

	r = open(Config{})
	r.want(r.arrive(5001, 1001, fin|ack, 0), "")
	r.want(r.pass(100*ms), "1ms <SEQ=1001><ACK=5002><CTL=ACK>")

	r = open(Config{DelayedACK: -1})
	r.want(r.arrive(5001, 1001, fin|ack, 0), "<SEQ=1001><ACK=5002><CTL=ACK>")
}

// RFC 9293, 3.8.6.1: "The transmitting host SHOULD send the first zero-window probe when a zero window has existed for the
// retransmission timeout period (SHLD-29) …, and SHOULD increase exponentially the interval between successive probes
// (SHLD-30)"; "As long as the receiving TCP peer continues to send acknowledgments in response to the probe segments, the
// sending TCP peer MUST allow the connection to stay open (MUST-37)."
func TestZeroWindowProbes(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, MaxRTO: 60 * time.Second})
	r.syn.MSS = 1460
	r.to(Established)
	closed := segment(5001, 1001, ack, 0)
	closed.Window = 0
	r.arriveSegment(closed)
	r.c.Send(r.now, make([]byte, 3000))
	r.want(r.drain(), "")
	rto := r.c.Info(r.now).RTO
	start, probes := r.now, 0
	var intervals []time.Duration
	for r.now.Sub(start) < 30*time.Minute {
		last := r.now
		r.now = r.c.Deadline()
		r.c.Timeout(r.now)
		r.want(r.drain(), "<SEQ=1000><ACK=5001><CTL=ACK>")
		intervals = append(intervals, r.now.Sub(last))
		probes++
		r.now = r.now.Add(10 * ms)
		r.want(r.arriveSegment(closed), "")
		r.now = r.now.Add(-10 * ms)
	}
	if intervals[0] != rto || intervals[1] != 2*rto+10*ms || intervals[2] != 4*rto+10*ms ||
		intervals[len(intervals)-1] != time.Minute+10*ms {
		t.Errorf("probes after %v, RTO %v", intervals, rto)
	}
	// The window opens.
	if cwnd := r.c.Info(r.now).CongestionWindow; cwnd != 14600 {
		t.Errorf("cwnd %d", cwnd)
	}
	r.want(r.arrive(5001, 1001, ack, 0), "<SEQ=1001><ACK=5001><CTL=ACK><LEN=1460> <SEQ=2461><ACK=5001><CTL=ACK><LEN=1460> "+
		"<SEQ=3921><ACK=5001><CTL=PSH,ACK><LEN=80>")

	// Without an answer the connection ends.
	r = newRig(t, Config{NoTimestamps: true, Retries: 3}).to(Established)
	r.now++
	r.arriveSegment(closed)
	r.now++
	r.c.Send(r.now, make([]byte, 3000))
	r.drain()
	r.pass(time.Hour)
	r.wantState(Closed)
	r.wantErr(syscall.ETIMEDOUT)
}

// A FIN waits for the window too, and a window of one octet lets one through when the timer says so.
func TestProbeOfFIN(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	closed := segment(5001, 1001, ack, 0)
	closed.Window = 0
	r.arriveSegment(closed)
	r.c.Send(r.now, make([]byte, 1))
	r.c.Close(r.now)
	r.want(r.drain(), "")
	r.want(r.pass(300*ms), "200ms <SEQ=1000><ACK=5001><CTL=ACK>")
	closed.Window = 1
	r.want(r.arriveSegment(closed), "<SEQ=1001><ACK=5001><CTL=PSH,ACK><LEN=1>")
	closed.Ack, closed.Window = 1002, 0
	r.want(r.arriveSegment(closed), "")
	r.want(r.pass(300*ms), "200ms <SEQ=1001><ACK=5001><CTL=ACK>")
	closed.Window = 1
	r.want(r.arriveSegment(closed), "<SEQ=1002><ACK=5001><CTL=FIN,ACK>")
	r.arrive(5001, 1003, ack, 0)
	r.wantState(FinWait2)
}

// RFC 9293, 3.8.6.2.1, (4): "or if the override timeout occurs": a window smaller than a segment and than half of the
// largest is not used at once.
func TestSenderSillyWindow(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	small := segment(5001, 1001, ack, 0)
	small.Window = 100
	r.arriveSegment(small)
	r.c.Send(r.now, make([]byte, 1000))
	r.want(r.drain(), "")
	r.want(r.pass(250*ms), "200ms <SEQ=1001><ACK=5001><CTL=PSH,ACK><LEN=100>")
}

// A peer that says something more often than the override timeout does not put it off.
func TestOverrideTimeoutHolds(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	small := segment(5001, 1001, ack, 0)
	small.Window = 100
	r.arriveSegment(small)
	r.c.Send(r.now, make([]byte, 1000))
	r.want(r.drain(), "")
	for range 3 {
		r.want(r.pass(60*ms), "")
		r.want(r.arriveSegment(small), "")
	}
	r.want(r.pass(60*ms), "20ms <SEQ=1001><ACK=5001><CTL=PSH,ACK><LEN=100>")
}

// RFC 9293, 3.10.7.4, of SND.WL1 and SND.WL2: "The check here prevents using old segments to update the window." What the peer
// sends again has an old number, and the window of now if it acknowledges more: the right edge is where it says.
func TestWindowOfRetransmission(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	r.arrive(5001, 1001, ack, 100)
	r.arrive(5101, 1001, ack, 100)
	r.c.Send(r.now, make([]byte, 300))
	r.drain()
	again := segment(5101, 1301, ack, 100)
	again.Window = 50
	r.arriveSegment(again)
	if edge := r.c.snd.una.Add(r.c.snd.wnd); r.c.snd.una != 1301 || edge != 1351 {
		t.Errorf("SND.UNA %d, the right edge at %d", r.c.snd.una, edge)
	}
	again.Window, again.Ack = 9000, 1301 // no news: it may be older than the last
	again.Seq = 5100
	r.arriveSegment(again)
	if edge := r.c.snd.una.Add(r.c.snd.wnd); edge != 1351 {
		t.Errorf("the right edge at %d", edge)
	}
}

// RFC 9293, 3.7.4: Nagle: "If there is unacknowledged data (i.e., SND.NXT > SND.UNA), then the sending TCP endpoint buffers
// all user data (regardless of the PSH bit) until the outstanding data has been acknowledged or until the TCP endpoint can
// send a full-sized segment".
func TestNagle(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	send := func(n int) string {
		r.c.Send(r.now, make([]byte, n))
		return r.drain()
	}
	r.want(send(10), "<SEQ=1001><ACK=5001><CTL=PSH,ACK><LEN=10>")
	r.want(send(10), "")
	r.want(send(1460), "<SEQ=1011><ACK=5001><CTL=ACK><LEN=536>"+
		" <SEQ=1547><ACK=5001><CTL=PSH,ACK><LEN=536>") // the peer announced no MSS: 536
	r.want(r.arrive(5001, 2083, ack, 0), "<SEQ=2083><ACK=5001><CTL=PSH,ACK><LEN=398>")
	// "… an application MUST be able to disable the Nagle algorithm on an individual connection (MUST-17)."
	r.want(send(10), "")
	r.c.setNoDelay(r.now, true)
	r.want(r.drain(), "<SEQ=2481><ACK=5001><CTL=PSH,ACK><LEN=10>")
	r.want(send(10), "<SEQ=2491><ACK=5001><CTL=PSH,ACK><LEN=10>")
}

// RFC 9293, 3.8.4: keep-alive.
func TestKeepAlive(t *testing.T) {
	cfg := Config{NoTimestamps: true, KeepAlive: true, KeepAliveIdle: 10 * time.Second, KeepAliveInterval: time.Second, KeepAliveCount: 3}
	const probe = "<SEQ=1000><ACK=5001><CTL=ACK>"
	r := newRig(t, cfg).to(Established)
	r.want(r.pass(10500*ms), "10s "+probe)
	r.want(r.arrive(5001, 1001, ack, 0), "") // answered
	r.want(r.pass(9*time.Second), "")
	r.want(r.pass(1500*ms), "1s "+probe)
	// Data that comes postpones it.
	r.want(r.arrive(5001, 1001, ack, 10), "<SEQ=1001><ACK=5011><CTL=ACK>")
	const probe2 = "<SEQ=1000><ACK=5011><CTL=ACK>"
	out := r.pass(15 * time.Second)
	if want := "10s " + probe2 + "\n11s " + probe2 + "\n12s " + probe2 +
		"\n13s <SEQ=1001><ACK=5011><CTL=RST,ACK>"; out != want {
		t.Errorf("sent %s\nwant %s", out, want)
	}
	r.wantErr(syscall.ETIMEDOUT)

	// Answered ones do not count, though the interval is longer than the idle time.
	r = newRig(t, Config{NoTimestamps: true, KeepAlive: true, KeepAliveIdle: time.Second, KeepAliveInterval: time.Minute, KeepAliveCount: 2})
	r.to(Established)
	for range 10 {
		for !r.c.snd.alive {
			r.now = r.c.Deadline()
			r.c.Timeout(r.now)
		}
		r.drain()
		r.wantState(Established)
		r.now = r.now.Add(ms)
		r.arrive(5001, 1001, ack, 0)
	}
	// "Keep-alive packets MUST only be sent when no sent data is outstanding (MUST-26)".
	r = newRig(t, cfg).to(Established)
	r.c.Send(r.now, make([]byte, 5))
	r.drain()
	if out := r.pass(30 * time.Second); strings.Contains(out, probe) {
		t.Errorf("a probe with data outstanding: %s", out)
	}
	// "Keep-alives … MUST default to off (MUST-25)", and can be turned on, and off again.
	r = newRig(t, Config{NoTimestamps: true}).to(Established)
	r.want(r.pass(100*time.Hour), "")
	r.c.setKeepAlive(r.now, time.Minute, 75*time.Second, 9)
	r.want(r.pass(time.Minute), "1m0s "+probe)
	r.c.setKeepAlive(r.now, 0, 0, 0)
	r.want(r.pass(100*time.Hour), "")
}

// RFC 9293, 3.6.1: "it MUST linger in the TIME-WAIT state for a time 2xMSL (MUST-13)".
func TestTimeWait(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, MSL: 10 * time.Second}).to(TimeWait)
	r.pass(15 * time.Second)
	r.want(r.arrive(5001, 1002, fin|ack, 0), "<SEQ=1002><ACK=5002><CTL=ACK>") // restarts it
	r.pass(19 * time.Second)
	r.wantState(TimeWait)
	r.pass(time.Second)
	r.wantState(Closed)
	r.wantErr(nil)
}

// RFC 6191, 2: a new SYN in TIME-WAIT.
func TestReusable(t *testing.T) {
	for _, tc := range []struct {
		name    string
		stamped bool // the old connection
		seq     Seq
		flags   byte
		val     uint32 // the SYN's timestamp; 0: none
		want    bool
	}{
		{"later timestamp", true, 1, 0, 501, true},
		{"same timestamp, higher sequence number", true, 5002, 0, 500, true},
		{"same timestamp, lower sequence number", true, 5001, 0, 500, false},
		{"earlier timestamp", true, 9000, 0, 499, false},
		{"no timestamp any more, higher", true, 9000, 0, 0, true},
		{"no timestamp any more, lower", true, 4000, 0, 0, false},
		{"a timestamp now", false, 1, 0, 5, true},
		{"none, higher", false, 9000, 0, 0, true},
		{"none, lower", false, 4000, 0, 0, false},
		{"not a SYN alone", false, 9000, 1, 0, false},
	} {
		r := newRig(t, Config{}).to(TimeWait)
		r.c.ts.on, r.c.ts.recent, r.c.ts.age = tc.stamped, 500, r.now
		s := segment(tc.seq, 0, syn, 0)
		if tc.flags != 0 {
			s.Flags |= ack
		}
		s.Options.HasTimestamps, s.Options.TSVal = tc.val != 0, tc.val
		if got := r.c.Reusable(r.now, s); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	r := newRig(t, Config{}).to(FinWait2)
	if r.c.Reusable(r.now, segment(9000, 0, syn, 0)) {
		t.Error("reusable in FIN-WAIT-2")
	}
}

// FIN-WAIT-2 without a user does not last for ever.
func TestFinWait2Timeout(t *testing.T) {
	for _, early := range []bool{false, true} {
		r := newRig(t, Config{NoTimestamps: true, FinWait2: 7 * time.Second})
		if early {
			r.to(Established)
			r.c.Release(r.now)
			r.drain()
			r.arrive(5001, 1002, ack, 0)
		} else {
			r.to(FinWait2)
			r.pass(time.Hour)
			r.wantState(FinWait2)
			r.c.Release(r.now)
		}
		r.pass(6999 * ms)
		r.wantState(FinWait2)
		r.pass(ms)
		r.wantState(Closed)
	}
}

// Timeout and Next have nothing to do before their time.
func TestEarlyTimeout(t *testing.T) {
	r := newRig(t, Config{}).to(Established)
	if r.c.Deadline() != clock.Never {
		t.Errorf("an idle connection has a deadline: %v", r.c.Deadline())
	}
	r.c.Timeout(r.now)
	r.want(r.drain(), "")
	var zero TCB
	if zero.Deadline() != clock.Never || zero.Next(0, new(Segment)) {
		t.Error("the zero TCB wants something")
	}
	zero.Timeout(0)
	zero.Failed(0, syscall.ECONNREFUSED, 0)
	zero.SetPathMTU(0, 100)
	zero.Release(0)
	if i := zero.Info(0); i.State != Closed {
		t.Error("zero Info")
	}
}
