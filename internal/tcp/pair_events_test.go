package tcp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// RFC 9293, 3.5, figure 6: the basic handshake; and 3.6, figure 12: the normal close.
func TestHandshakeAndClose(t *testing.T) {
	p := newPair(t, 1)
	p.log = new(bytes.Buffer)
	for i := range p.cfg {
		p.cfg[i].NoTimestamps = true
	}
	p.connect()
	p.transfer(0, []byte("ping"), time.Second)
	p.transfer(1, []byte("pong!"), time.Second)
	p.runFor(time.Second)
	want := `3600.000000 0 <SEQ=1000><ACK=0><CTL=SYN><WND=64240><LEN=0>
3600.010000 1 <SEQ=2000><ACK=1001><CTL=SYN,ACK><WND=64240><LEN=0>
3600.020000 0 <SEQ=1001><ACK=2001><CTL=ACK><WND=502><LEN=0>
3600.030000 0 <SEQ=1001><ACK=2001><CTL=PSH,ACK><WND=502><LEN=4>
3600.030000 0 <SEQ=1005><ACK=2001><CTL=FIN,ACK><WND=502><LEN=0>
3600.040000 1 <SEQ=2001><ACK=1005><CTL=ACK><WND=502><LEN=0>
3600.040000 1 <SEQ=2001><ACK=1006><CTL=PSH,ACK><WND=502><LEN=5>
3600.040000 1 <SEQ=2006><ACK=1006><CTL=FIN,ACK><WND=502><LEN=0>
3600.050000 0 <SEQ=1006><ACK=2006><CTL=ACK><WND=502><LEN=0>
3600.050000 0 <SEQ=1006><ACK=2007><CTL=ACK><WND=502><LEN=0>
`
	if got := p.log.String(); got != want {
		t.Errorf("sent\n%s\nwant\n%s", got, want)
	}
	if p.ends[0].State() != TimeWait || p.ends[1].State() != Closed || p.ends[1].Err() != nil {
		t.Errorf("%v, %v", p.ends[0].State(), p.ends[1].State())
	}
	p.runFor(time.Minute)
	if p.ends[0].State() != Closed || p.ends[0].Err() != nil {
		t.Errorf("%v after TIME-WAIT", p.ends[0].State())
	}
}

// RFC 9293, 3.5, figure 7: simultaneous connection synchronization, with each loss of one of its segments.
func TestSimultaneousOpen(t *testing.T) {
	for lose := range 8 {
		p := newPair(t, 1)
		sent := 0
		for i := range p.ends {
			p.chans[i].drop = func(*Segment) bool { sent++; return sent == lose }
			p.ends[i].Connect(p.now, p.cfg[i].open())
		}
		p.pump(0)
		p.pump(1)
		p.runUntil(func() bool { return p.ends[0].State() == Established && p.ends[1].State() == Established }, time.Minute)
		if i := p.ends[0].Info(p.now); !i.SACK || !i.Timestamps || !i.WindowScale || i.SendScale != 7 {
			t.Errorf("%+v", i)
		}
		p.transfer(0, pattern(10000), time.Minute)
		p.transfer(1, pattern(10000), time.Minute)
	}
}

// RFC 9293, 3.6, figure 13: simultaneous close.
func TestSimultaneousClose(t *testing.T) {
	p := newPair(t, 1).connect()
	var states [2][]State
	for i := range p.ends {
		p.ends[i].observer = observer{func(s State) { states[i] = append(states[i], s) }}
	}
	for i := range p.ends {
		p.ends[i].Close(p.now)
		p.pump(i)
	}
	p.runFor(2 * time.Minute)
	for i := range states {
		if s := states[i]; len(s) != 4 || s[0] != FinWait1 || s[1] != Closing || s[2] != TimeWait || s[3] != Closed {
			t.Errorf("states %v", s)
		}
	}
}

type observer struct{ state func(State) }

func (o observer) StateChanged(_ clock.Instant, _, to State)             { o.state(to) }
func (o observer) Retransmitted(_ clock.Instant, _ Seq, _ int, _ string) {}
func (o observer) Recovery(_ clock.Instant, _, _ string)                 {}
func (o observer) Path(_ clock.Instant, _ Path, _ int)                   {}
func (o observer) Episode(_ clock.Instant, _ *Episode)                   {}

// recorder notes what the observer hears.
type recorder struct{ b *strings.Builder }

func (r recorder) StateChanged(_ clock.Instant, from, to State) {
	r.b.WriteString(from.String() + ">" + to.String() + "\n")
}
func (r recorder) Retransmitted(_ clock.Instant, _ Seq, _ int, why string) {
	r.b.WriteString(why + "\n")
}
func (r recorder) Path(_ clock.Instant, p Path, n int) { fmt.Fprintf(r.b, "%v %d\n", p, n) }
func (r recorder) Episode(_ clock.Instant, e *Episode) {
	fmt.Fprintf(r.b, "%s by %v, lost %d, again %d, undone by %v\n", e.State, e.Detected, e.Lost, e.Retransmitted, e.Undone)
}
func (r recorder) Recovery(_ clock.Instant, from, to string) { r.b.WriteString(from + ">" + to + "\n") }

func TestObserver(t *testing.T) {
	p := newPair(t, 1)
	r := recorder{new(strings.Builder)}
	p.cfg[0].Observer = r
	p.connect()
	n := 0
	p.chans[0].drop = func(s *Segment) bool { n++; return n == 3 || s.Flags&fin != 0 && n < 20 } // the FIN, more than once
	p.transfer(0, pattern(20000), time.Minute)
	p.runFor(time.Second)
	want := "CLOSED>SYN-SENT\nSYN-SENT>ESTABLISHED\nESTABLISHED>FIN-WAIT-1\nopen>disorder\n" +
		"RACK with DupThresh 1\ndisorder>recovery\nPRR forces a fast retransmit 0\nfast retransmit\nPRR-CRB 0\nPRR-SSRB 0\n" +
		"retransmission timeout 1\nrecovery>loss\ntimeout\nretransmission timeout with back-off 1\ntimeout\n"
	const end = "undone by none\nloss>open\n"
	if got := r.b.String(); !strings.HasPrefix(got, want) || !strings.Contains(got, end) {
		t.Errorf("heard\n%s\nwant\n%s", got, want)
	}
}

// RFC 9293, 3.6: "The user who CLOSEs may continue to RECEIVE until the TCP receiver is told that the remote peer has CLOSED
// also": half-close.
func TestHalfClose(t *testing.T) {
	p := newPair(t, 1).connect()
	p.transfer(0, pattern(100000), time.Minute)
	p.runFor(10 * time.Minute)
	if p.ends[0].State() != FinWait2 || p.ends[1].State() != CloseWait {
		t.Fatalf("%v, %v", p.ends[0].State(), p.ends[1].State())
	}
	p.transfer(1, pattern(3000000), time.Minute)
	if p.ends[0].State() != TimeWait {
		t.Fatalf("%v", p.ends[0].State())
	}
}

// Sequence numbers and timestamps wrap, in both directions and with losses.
func TestWraparound(t *testing.T) {
	for _, before := range []uint32{1, 2, 1000, 50000, 500000} {
		p := newPair(t, uint64(before))
		for i := range p.cfg {
			p.cfg[i].ISS = -before
			p.cfg[i].TSOffset = -uint32(p.now.Duration()/tsTick) - 30
			p.chans[i].loss = 0.02
			p.chans[i].delay2 = 0.02
		}
		p.connect()
		p.transfer(0, pattern(1000000), time.Minute)
		p.transfer(1, pattern(1000000), time.Minute)
	}
}

// A reader that is slow closes the window; it opens again though the update is lost.
func TestSlowReader(t *testing.T) {
	for seed := range uint64(10) {
		p := newPair(t, seed)
		p.cfg[1].ReceiveBuffer = 20000
		p.connect()
		p.chans[1].loss = 0.3
		data, got := pattern(300000), 0
		rest := data
		for got < len(data) {
			if len(rest) > 0 {
				rest = rest[p.send(0, rest):]
			}
			p.runFor(3 * time.Second)
			b, _ := p.read(1)
			if !bytes.Equal(b, data[got:got+len(b)]) {
				t.Fatal("wrong octets")
			}
			got += len(b)
			if len(b) > 40000 {
				t.Fatalf("%d octets in memory for 40000", len(b))
			}
			if p.now > clock.Instant(time.Hour+20*time.Minute) {
				t.Fatalf("stuck at %d: %+v\n%+v", got, p.ends[0].Info(p.now), p.ends[1].Info(p.now))
			}
		}
	}
}

// Both ends have closed windows and data for each other.
func TestBothWindowsClosed(t *testing.T) {
	p := newPair(t, 3)
	for i := range p.cfg {
		p.cfg[i].ReceiveBuffer, p.cfg[i].SendBuffer = 5000, 20000
	}
	p.connect()
	for i := range p.ends {
		p.send(i, pattern(20000))
	}
	p.runFor(time.Hour)
	for i := range p.ends {
		got := 0
		for range 20 {
			b, _ := p.read(i)
			got += len(b)
			p.runFor(5 * time.Second)
		}
		if got != 20000 {
			t.Errorf("end %d received %d octets: %+v", i, got, p.ends[i].Info(p.now))
		}
	}
}

// The path goes away: both ends learn it, the one with nothing to send by its keep-alive.
func TestPartition(t *testing.T) {
	p := newPair(t, 1)
	p.cfg[1].KeepAlive, p.cfg[1].KeepAliveIdle = true, time.Minute
	p.connect()
	for i := range p.chans {
		p.chans[i].loss = 1
	}
	p.send(0, pattern(1000))
	p.runFor(time.Hour)
	for i, c := range p.ends {
		if c.State() != Closed || c.Err() != syscall.ETIMEDOUT {
			t.Errorf("end %d: %v, %v", i, c.State(), c.Err())
		}
	}
}

// RFC 9293, 3.5.1: half-open connections: one end has lost everything; what the other sends is answered with a RST.
func TestHalfOpen(t *testing.T) {
	p := newPair(t, 1).connect()
	p.ends[1] = new(TCB)
	p.send(0, pattern(100))
	p.runFor(time.Second)
	if p.ends[0].State() != Closed || p.ends[0].Err() != syscall.ECONNRESET {
		t.Errorf("%v, %v", p.ends[0].State(), p.ends[0].Err())
	}
	if _, err := p.ends[0].Receive(p.now, make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	// Figure 9: an active open in place of the old connection: the challenge ACK gets it reset (RFC 5961, 4.2). RFC 9293: "TCP Peer A
	// will continue to try to establish the connection", and does so at once; here nobody listens any more.
	p = newPair(t, 1).connect()
	p.ends[0] = new(TCB)
	p.known[0] = false
	cfg := p.cfg[0]
	cfg.ISS = 77777777
	p.ends[0].Connect(p.now, cfg.open())
	p.pump(0)
	p.runFor(500 * time.Millisecond)
	if p.ends[1].Err() != syscall.ECONNRESET || p.ends[0].Err() != syscall.ECONNREFUSED {
		t.Errorf("%v, %v", p.ends[0].Err(), p.ends[1].Err())
	}
}

// Loss of the ACK of the handshake, of FINs, of each single segment of a short connection.
func TestEachSegmentLost(t *testing.T) {
	total := 0
	for lose := 0; lose <= total; lose++ {
		p := newPair(t, 1)
		n := 0
		drop := func(*Segment) bool { n++; return n == lose }
		p.chans[0].drop, p.chans[1].drop = drop, drop
		p.connect()
		p.transfer(0, pattern(10000), time.Minute)
		p.transfer(1, pattern(20000), time.Minute)
		p.runFor(5 * time.Minute)
		if p.ends[0].State() != Closed || p.ends[1].State() != Closed || p.ends[0].Err() != nil || p.ends[1].Err() != nil {
			t.Fatalf("segment %d lost: %v %v, %v %v", lose, p.ends[0].State(), p.ends[0].Err(), p.ends[1].State(), p.ends[1].Err())
		}
		if lose == 0 {
			total = n
		}
	}
	if total < 20 {
		t.Errorf("%d segments", total)
	}
}

// 100 Mbit/s and 20 ms each way are filled: the buffers become as large as that takes.
func TestFillsThePath(t *testing.T) {
	p := newPair(t, 1)
	for i := range p.chans {
		p.chans[i].delay, p.chans[i].rate = 20*time.Millisecond, 100e6/8
	}
	p.connect()
	d := p.transfer(0, pattern(16<<20), time.Minute)
	if rate := 16 << 20 * 8 / d.Seconds(); rate < 80e6 {
		t.Errorf("%.1f Mbit/s: %+v", rate/1e6, p.ends[0].Info(p.now))
	}
}

// A SYN that no listener takes.
func TestRefused(t *testing.T) {
	var c TCB
	c.Connect(0, Open{})
	var s, r Segment
	c.Next(0, &s)
	if !ResetFor(&s, &r) {
		t.Fatal("no RST")
	}
	c.Arrive(0, &r)
	if c.Err() != syscall.ECONNREFUSED || c.State() != Closed {
		t.Errorf("%v, %v", c.Err(), c.State())
	}
	if n, err := c.Receive(0, make([]byte, 1)); n != 0 || err != syscall.ECONNREFUSED || errors.Is(err, io.EOF) {
		t.Errorf("Receive: %d, %v", n, err)
	}
	if r.Flags = wire.RST; ResetFor(&r, &s) {
		t.Error("a RST is answered")
	}
}
