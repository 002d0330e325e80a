package tcp

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// RFC 9293, 3.10.7.4: "The check here prevents using old segments to update the window."
func TestOldSegmentsDoNotUpdateTheWindow(t *testing.T) {
	r := receiver(t, Config{})
	arrive := func(seq, ackno Seq, window uint16, payload, want int) {
		t.Helper()
		s := segment(seq, ackno, ack, payload)
		s.Window = window
		r.arriveSegment(s)
		if got := r.c.Info(r.now).SendWindow; got != want {
			t.Errorf("SEG.SEQ %d, SEG.ACK %d: window %d, want %d", seq, ackno, got, want)
		}
	}
	r.c.Send(r.now, make([]byte, 300))
	r.drain()
	arrive(5101, 1101, 40000, 100, 40000) // ahead of a hole
	arrive(5001, 1101, 30000, 100, 40000) // SND.WL1 > SEG.SEQ: older
	arrive(5201, 1101, 20000, 0, 20000)   // SND.WL1 < SEG.SEQ
	arrive(5201, 1201, 10000, 0, 10000)   // the same SEG.SEQ, SND.WL2 < SEG.ACK
	arrive(5201, 1201, 11000, 0, 11000)   // the same of both
	arrive(5201, 1101, 50000, 0, 11000)   // SEG.ACK < SND.UNA
	r.wantState(Established)
}

// The user timeout does not replace retransmissions.
func TestUserTimeoutRetransmits(t *testing.T) {
	r := newRig(t, Config{UserTimeout: 5 * time.Second}).to(Established)
	r.c.Send(r.now, make([]byte, 10))
	r.drain()
	if n := len(strings.Split(r.pass(4900*ms), "\n")); n != 4 { // 200 ms, 600 ms, 1.4 s, 3 s
		t.Errorf("%d retransmissions", n)
	}
	// What the peer acknowledges begins it anew, and a closed window that is answered for does not end the connection.
	r.arrive(5001, 1006, ack, 0)
	r.pass(4900 * ms)
	r.wantState(Established)
}

// When the window opens, the retransmission timer does not keep the back-off of the probes.
func TestBackOffEndsWithTheWindowOpen(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	closed := segment(5001, 1001, ack, 0)
	closed.Window = 0
	r.arriveSegment(closed)
	r.c.Send(r.now, make([]byte, 100))
	r.drain()
	for range 10 {
		r.now = r.c.Deadline()
		r.c.Timeout(r.now)
		r.drain()
		r.now = r.now.Add(ms)
		r.arriveSegment(closed)
	}
	r.arrive(5001, 1001, ack, 0)
	if d := r.c.Deadline().Sub(r.now); d != 200*ms {
		t.Errorf("the timer expires in %v", d)
	}
}

// Keep-alive set before the handshake is over takes effect after it, and in TIME-WAIT none.
func TestKeepAliveInStates(t *testing.T) {
	for _, tc := range []struct {
		s    State
		want bool
	}{{SynSent, false}, {Established, true}, {CloseWait, true}, {FinWait2, true}, {TimeWait, false}} {
		r := newRig(t, Config{NoTimestamps: true}).to(tc.s)
		r.c.setKeepAlive(r.now, time.Second, time.Second, 3)
		if got := r.c.timers[keepAliveTimer] <= r.now.Add(time.Second); got != tc.want {
			t.Errorf("%v: %v", tc.s, got)
		}
	}
	r := newRig(t, Config{NoTimestamps: true}).to(SynReceived)
	r.c.setKeepAlive(r.now, time.Second, time.Second, 3)
	r.arrive(5001, 1001, ack, 0)
	r.want(r.pass(time.Second), "1s <SEQ=1000><ACK=5001><CTL=ACK>")
	// Data that waits for a window leaves it to the persist timer.
	r = newRig(t, Config{NoTimestamps: true, KeepAlive: true, KeepAliveIdle: 100 * ms}).to(Established)
	closed := segment(5001, 1001, ack, 0)
	closed.Window = 0
	r.arriveSegment(closed)
	r.c.Send(r.now, make([]byte, 10))
	r.drain()
	r.want(r.pass(150*ms), "")
}

// A connection that is over holds no memory, and is not opened again.
func TestMemoryIsFreed(t *testing.T) {
	for name, end := range map[string]func(r *rig){
		"Abort":   func(r *rig) { r.c.Abort(r.now) },
		"Release": func(r *rig) { r.c.Release(r.now) },
		"RST and Release": func(r *rig) {
			r.arrive(r.c.rcv.nxt, 0, rst, 0)
			r.c.Release(r.now)
		},
		"Release and time": func(r *rig) {
			r.c.CloseRead()
			r.c.Release(r.now)
			for range 1000 {
				r.pass(time.Minute)
			}
		},
	} {
		r := receiver(t, Config{})
		r.c.Send(r.now, make([]byte, 100000))
		r.drain()
		r.arrive(5001, 1001, ack, 1000)
		r.arrive(7001, 1001, ack, 1000)
		end(r)
		r.drain()
		if r.c.State() != Closed || r.c.rcv.in.held != 0 || r.c.rcv.buf.held != 0 || r.c.snd.out.end != 0 || r.c.board.ring != nil || r.c.rcv.ranges != nil {
			t.Errorf("%s: %v, %d octets received, %d to send", name, r.c.State(), r.c.rcv.in.size, r.c.snd.out.end)
		}
		r.c.Connect(r.now, r.cfg.open())
		r.c.Accept(r.now, r.cfg.open(), segment(1, 0, syn, 0))
		r.wantState(Closed)
	}
	// An idle one has none either, whatever was moved before.
	p := newPair(t, 1).connect()
	data := pattern(500000)
	for rest, got := data, 0; got < len(data); {
		rest = rest[p.send(0, rest):]
		b, _ := p.read(1)
		got += len(b)
		p.step()
	}
	p.runFor(time.Second)
	for i, c := range p.ends {
		if c.rcv.in.held != 0 || c.rcv.buf.end != 0 || c.snd.out.end != 0 || c.board.ring != nil {
			t.Errorf("idle end %d holds memory", i)
		}
		for _, b := range c.rcv.buf.ring {
			if b != nil {
				t.Fatalf("idle end %d holds a block", i)
			}
		}
		for _, p := range c.snd.out.ring {
			if p != nil {
				t.Fatalf("idle end %d holds what was sent", i)
			}
		}
	}
}

// Info counts.
func TestInfo(t *testing.T) {
	p := newPair(t, 1).connect()
	p.transfer(0, pattern(100000), time.Minute)
	p.transfer(1, pattern(50000), time.Minute)
	p.runFor(time.Second)
	a, b := p.ends[0].Info(p.now), p.ends[1].Info(p.now)
	if int(a.SegmentsOut) != p.outs[0] || int(b.SegmentsOut) != p.outs[1] || b.SegmentsIn != a.SegmentsOut ||
		a.BytesSent != 100000 || a.BytesAcked != 100002 || b.BytesReceived != 100001 || a.BytesReceived != 50001 ||
		a.RTT < 20*ms || a.RTT > 60*ms || a.MSS != 1448 || a.Control != "cubic" || a.Retransmits != 0 {
		t.Errorf("%+v\n%+v of %v", a, b, p.outs)
	}
}

// RFC 6191 with a timestamp that is too old to compare; RFC 7323, 5.5.
func TestReusableAfterALongTime(t *testing.T) {
	r := newRig(t, Config{MSL: 30 * 24 * time.Hour}).to(TimeWait)
	r.c.ts.on, r.c.ts.recent, r.c.ts.age = true, 500, r.now
	s := segment(1, 0, syn, 0)
	s.Options.HasTimestamps, s.Options.TSVal = true, 400
	if r.c.Reusable(r.now.Add(tsOutdated-1), s) || !r.c.Reusable(r.now.Add(tsOutdated), s) {
		t.Error("24 days")
	}
}

// After Release a FIN alone is no new data.
func TestFINAfterRelease(t *testing.T) {
	r := receiver(t, Config{})
	r.c.Release(r.now)
	r.drain()
	r.arrive(5001, 1002, ack|fin, 0)
	r.wantState(TimeWait)
	r.wantErr(nil)
	if _, err := r.c.Send(r.now, []byte{1}); err != syscall.EPIPE {
		t.Errorf("Send: %v", err)
	}
}

// A path of larger segments: the congestion window holds at least one.
func TestLargerPathMTU(t *testing.T) {
	r := sender(t, true, 100000)
	r.drain()
	r.pass(time.Second) // a timeout: one segment
	before := r.c.Info(r.now).CongestionWindow
	r.c.SetPathMTU(r.now, 500)
	r.c.SetPathMTU(r.now, 1000)
	if i := r.c.Info(r.now); i.CongestionWindow != 1000 || before != 1000 {
		t.Errorf("window %d, and was %d", i.CongestionWindow, before)
	}
}
