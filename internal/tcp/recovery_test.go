package tcp

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// sender is an established rig whose segments have 1000 octets, with a round-trip time of 100 ms and n octets just written
// and sent as far as the window lets it.
func sender(t *testing.T, sack bool, n int) *rig {
	r := newRig(t, Config{NoTimestamps: true})
	r.syn.MSS, r.syn.SACKPermitted = 1000, sack
	r.syn.HasWindowScale, r.syn.WindowScale = true, 4
	r.to(SynReceived)
	r.now = r.now.Add(100 * ms)
	r.arrive(5001, 1001, ack, 0)
	r.c.Send(r.now, make([]byte, n))
	return r
}

// acks gives an ACK with SACK blocks, as pairs of edges, and returns what is sent: one letter or number for each segment.
func (r *rig) acks(ackno Seq, edges ...uint32) string {
	r.t.Helper()
	s := segment(5001, ackno, ack, 0)
	for i := 0; i < len(edges); i += 2 {
		s.Options.SACK[i/2] = wire.SACKBlock{Left: edges[i], Right: edges[i+1]}
		s.Options.SACKCount++
	}
	return short(r.arriveSegment(s))
}

// short leaves the sequence numbers only, in thousands above 1001: the segments' numbers.
func short(out string) string {
	var s []string
	for f := range strings.FieldsSeq(out) {
		if n, rest, ok := strings.Cut(strings.TrimPrefix(f, "<SEQ="), "001>"); ok && strings.Contains(rest, "LEN=1000") {
			s = append(s, n)
		} else if strings.HasPrefix(f, "<") {
			s = append(s, f)
		}
	}
	return strings.Join(s, " ")
}

// RFC 6928, 2: "min (10*MSS, max (2*MSS, 14600))"; RFC 5681, 3.1: slow start; and a second SYN retransmission cautions it.
func TestInitialWindow(t *testing.T) {
	for mss, want := range map[int]int{1000: 10000, 1460: 14600, 4000: 14600, 9000: 18000} {
		if got := initialWindow(mss); got != want {
			t.Errorf("initial window of MSS %d is %d, want %d", mss, got, want)
		}
	}
	r := sender(t, true, 100000)
	r.want(short(r.drain()), "1 2 3 4 5 6 7 8 9 10")
	r.want(r.acks(3001), "11 12 13 14")
	if i := r.c.Info(r.now); i.CongestionWindow != 12000 || i.SlowStartThreshold != math.MaxInt32 || i.InFlight != 12000 {
		t.Errorf("%+v", i)
	}
	r = newRig(t, Config{NoTimestamps: true})
	r.syn.MSS = 1000
	r.to(SynReceived)
	r.pass(4 * time.Second) // retransmitted after 1 s and 3 s
	r.arrive(5001, 1001, ack, 0)
	r.c.Send(r.now, make([]byte, 5000))
	r.want(short(r.drain()), "1")
	// RFC 6298, 5.7: "the RTO MUST be re-initialized to 3 seconds when data transmission begins".
	if rto := r.c.Info(r.now).RTO; rto != 3*time.Second {
		t.Errorf("RTO %v", rto)
	}
}

// The window grows only while it is what holds the sender back.
func TestWindowUnused(t *testing.T) {
	r := sender(t, true, 1000)
	for i := range Seq(10) {
		r.drain()
		r.acks(2001 + 1000*i)
		r.c.Send(r.now, make([]byte, 1000))
	}
	if w := r.c.Info(r.now).CongestionWindow; w != 10000 {
		t.Errorf("cwnd %d", w)
	}
}

// RFC 5681, 4.1: after an idle time the window is no more than the initial one.
func TestSlowStartAfterIdle(t *testing.T) {
	r := sender(t, true, 20000)
	r.drain()
	r.acks(11001)
	r.acks(21001)
	if w := r.c.Info(r.now).CongestionWindow; w <= 10000 {
		t.Fatalf("cwnd %d", w)
	}
	r.pass(2 * time.Second)
	r.c.Send(r.now, make([]byte, 100000))
	r.want(short(r.drain()), "21 22 23 24 25 26 27 28 29 30")
}

// RFC 3042: "send a new data segment upon the receipt of each of the first two duplicate acknowledgments"; RFC 6675, 5: fast
// recovery with SACK.
func TestSACKRecovery(t *testing.T) {
	r := sender(t, true, 100000)
	r.want(short(r.drain()), "1 2 3 4 5 6 7 8 9 10")
	// Segments 1 and 4 are lost.
	r.want(r.acks(1001, 2001, 3001), "11")
	r.want(r.acks(1001, 2001, 4001), "12")
	// The third duplicate: IsLost(1). "ssthresh = cwnd = (FlightSize / 2)", and "retransmit the first data segment presumed
	// dropped".
	r.want(r.acks(1001, 5001, 6001, 2001, 4001), "1")
	i := r.c.Info(r.now)
	if i.Recovery != "recovery" || i.CongestionWindow != 5000 || i.SlowStartThreshold != 5000 {
		t.Fatalf("%+v", i)
	}
	// pipe is 9 (4, 6 to 12, and 1 again): the window of 5 must drain first.
	r.want(r.acks(1001, 5001, 7001, 2001, 4001), "")
	r.want(r.acks(1001, 5001, 8001, 2001, 4001), "") // three above 4: lost
	r.want(r.acks(1001, 5001, 9001, 2001, 4001), "")
	r.want(r.acks(1001, 5001, 10001, 2001, 4001), "4")
	r.want(r.acks(1001, 5001, 11001, 2001, 4001), "13") // rule 2
	// A partial acknowledgment.
	r.want(r.acks(4001, 5001, 11001), "14")
	r.want(r.acks(11001), "15")
	// All of what was in flight at the beginning is acknowledged: the recovery is over.
	r.want(r.acks(13001), "16 17")
	i = r.c.Info(r.now)
	if i.Recovery != "open" || i.CongestionWindow != 5000 || i.FastRecoveries != 1 || i.Timeouts != 0 || i.Retransmits != 2 {
		t.Errorf("%+v", i)
	}
}

// RFC 6675, 4, NextSeg, rules 3 and 4: with nothing new to send, what may be lost is sent again, at last the tail.
func TestSACKRecoveryWithoutNewData(t *testing.T) {
	r := sender(t, true, 10000)
	r.drain()
	// Segments 1 and 9 are lost.
	r.want(r.acks(1001, 2001, 4001), "")
	r.want(r.acks(1001, 2001, 5001), "1")
	r.want(r.acks(1001, 2001, 7001), "")
	r.want(r.acks(1001, 2001, 9001), "10")              // rule 4, once
	r.want(r.acks(1001, 10001, 11001, 2001, 9001), "9") // rule 3
	r.want(r.acks(11001), "")
}

// RFC 6582: NewReno, for a peer without SACK.
func TestNewReno(t *testing.T) {
	r := sender(t, false, 100000)
	r.drain()
	r.want(r.acks(1001), "11")
	r.want(r.acks(1001), "12")
	r.want(r.acks(1001), "1")
	i := r.c.Info(r.now)
	if i.Recovery != "recovery" || i.CongestionWindow != 5000 {
		t.Fatalf("%+v", i)
	}
	for range 4 {
		r.want(r.acks(1001), "")
	}
	r.want(r.acks(1001), "13")
	// "Partial acknowledgments: … retransmit the first unacknowledged segment."
	r.want(r.acks(4001), "4 14")
	r.want(r.acks(13001), "15 16 17")
	if i = r.c.Info(r.now); i.Recovery != "open" || i.CongestionWindow != 5000 {
		t.Fatalf("%+v", i)
	}
	// What was retransmitted needlessly causes duplicates that are not news: "check … if the Cumulative Acknowledgment field
	// covers more than recover."
	for range 3 {
		if out := r.acks(13001); strings.HasPrefix(out, "13") {
			t.Fatal("fast retransmit of a segment after RecoveryPoint by old duplicates")
		}
	}
	// An acknowledgment with a changed window, or with data, is no duplicate.
	r = sender(t, false, 10000)
	r.drain()
	for k := range 5 {
		s := segment(5001+10*Seq(k), 1001, ack, 10)
		r.arriveSegment(s)
	}
	for k := range 5 {
		s := segment(5051, 1001, ack, 0)
		s.Window = uint16(50000 + k)
		r.arriveSegment(s)
	}
	if i := r.c.Info(r.now); i.FastRecoveries != 0 {
		t.Errorf("%+v", i)
	}
}

// RFC 5681, 3.1: "upon a timeout … cwnd MUST be set to no more than the loss window, LW, which equals 1 full-sized segment";
// slow start follows, and what is known to have arrived is not sent again (RFC 6675, 5.1).
func TestTimeoutRecovery(t *testing.T) {
	r := sender(t, true, 10000)
	r.drain()
	r.want(r.acks(1001, 3001, 5001), "")
	r.want(short(r.pass(300*ms)), "1")
	i := r.c.Info(r.now)
	if i.Recovery != "loss" || i.CongestionWindow != 1000 || i.SlowStartThreshold != 5000 || i.Timeouts != 1 {
		t.Fatalf("%+v", i)
	}
	r.want(r.acks(2001, 3001, 5001), "2 5")
	r.want(r.acks(6001), "6 7 8")
	r.want(r.acks(8001), "9 10")
	r.want(r.acks(11001), "")
	if i = r.c.Info(r.now); i.Recovery != "open" {
		t.Errorf("%+v", i)
	}
}

// RFC 2018, 8: "the data receiver is permitted to discard data that it has reported in SACK": after a timeout with the first
// segment sacked nothing counts as sacked.
func TestReneging(t *testing.T) {
	r := sender(t, true, 4000)
	r.drain()
	r.acks(1001, 2001, 4001)
	r.acks(2001) // and not 4001
	r.want(short(r.pass(500*ms)), "2")
	r.want(r.acks(3001), "3 4")
	// The same, and the peer closes its window.
	r = sender(t, true, 4000)
	r.drain()
	r.acks(1001, 2001, 4001)
	s := segment(5001, 2001, ack, 0)
	s.Window = 0
	r.arriveSegment(s)
	if out := short(r.pass(500 * ms)); out != "2" {
		t.Errorf("sent %q", out)
	}
	for range 1000 {
		r.pass(time.Minute)
	}
	r.wantState(Closed)
}

// SACK blocks that lie outside of what is in flight, or are upside down, mean nothing.
func TestBadSACK(t *testing.T) {
	for _, e := range [][2]uint32{{500, 900}, {1001, 1001}, {3001, 2001}, {9001, 20001}, {900, 3001}, {0, math.MaxUint32}} {
		r := sender(t, true, 10000)
		r.drain()
		r.want(r.acks(1001, e[0], e[1]), "")
		if i := r.c.Info(r.now); i.InFlight != 10000 {
			t.Errorf("block %v: %d in flight", e, i.InFlight)
		}
	}
	// Not agreed on.
	r := sender(t, false, 10000)
	r.drain()
	r.acks(1001, 3001, 9001)
	if r.c.board.sacked != 0 {
		t.Error("SACK taken without SACK-Permitted")
	}
}

// RFC 9293, 3.8.6: "A TCP sender … MUST be robust against window shrinking, which may cause the "usable window" … to become
// negative (MUST-34)", and "if the window shrinks to zero, the TCP implementation MUST probe it in the standard way".
func TestShrunkWindow(t *testing.T) {
	r := sender(t, true, 20000)
	r.drain()
	s := segment(5001, 3001, ack, 0)
	s.Window = 0
	r.want(short(r.arriveSegment(s)), "")
	// The first is the probe; the window is not the network's fault.
	w := r.c.Info(r.now).CongestionWindow
	r.want(short(r.pass(350*ms)), "3")
	if i := r.c.Info(r.now); i.CongestionWindow != w || i.Recovery != "open" {
		t.Errorf("%+v", i)
	}
	s.Window = 4000 / 16
	r.want(short(r.arriveSegment(s)), "")
	r.acks(11001)
}

// A sender of tiny segments keeps a bounded scoreboard.
func TestTinySegments(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, NoDelay: true, SendBuffer: 64 << 10})
	r.syn.MSS = 1000
	r.to(Established)
	for range 5000 {
		r.c.Send(r.now, make([]byte, 1))
		var seg Segment
		for r.c.Next(r.now, &seg) {
		}
	}
	if n := r.c.board.count(); n > 256+2*64<<10/1000+10 || n < 256 {
		t.Errorf("%d records", n)
	}
}

// The scoreboard by itself.
func TestScoreboard(t *testing.T) {
	var b scoreboard
	for i := range Seq(300) {
		b.push(sent{seq: i * 10, end: i*10 + 10, at: clock.Instant(i)})
	}
	if n := b.sack(1000, 2000); n != 1000 || b.pipe() != 2000 {
		t.Fatalf("sacked %d, pipe %d", n, b.pipe())
	}
	if n := b.sack(995, 2005); n != 0 { // parts of segments do not count, and what is known is passed over at once
		t.Fatalf("sacked %d again", n)
	}
	if id := b.unsacked(150); id != 200 {
		t.Fatalf("unsacked(150) = %d", id)
	}
	b.markLost() // 0 to 99: three above are sacked
	if b.lost != 1000 || b.pending != 1000 {
		t.Fatalf("lost %d", b.lost)
	}
	if id, r := b.nextPending(); id != 0 || r.seq != 0 {
		t.Fatal("nextPending")
	}
	b.sentOnceMore(b.record(0), 500)
	if id, _ := b.nextPending(); id != 1 || b.pipe() != 1010 {
		t.Fatalf("nextPending, pipe %d", b.pipe())
	}
	a := b.ackTo(25)
	if a.timed || b.head != 2 || b.record(2).seq != 25 {
		t.Fatalf("%+v", a)
	}
	if a = b.ackTo(1995); !a.timed || a.at != 2 {
		t.Fatalf("%+v", a)
	}
	if a = b.ackTo(2010); !a.timed || a.at != 200 { // 199 was sacked
		t.Fatalf("%+v", a)
	}
	if a = b.ackTo(3000); !b.empty() || b.ring != nil || b.out != 0 {
		t.Fatal("not empty")
	}
	for i := range Seq(3) {
		b.push(sent{seq: i * 10, end: i*10 + 10})
	}
	if b.last().seq != 20 || b.nextUncertain() != nil {
		t.Error("last, nextUncertain")
	}
	b.sack(20, 30)
	if b.last() != nil || b.nextUncertain().seq != 0 {
		t.Error("last, nextUncertain of sacked")
	}
	b.reset()
	if b.last() != nil {
		t.Error("last of nothing")
	}
	b.loseAll()
}

// Congestion avoidance: RFC 5681, 3.1: "increase cwnd by roughly 1 full-sized segment per round-trip time (RTT)".
func TestCongestionAvoidance(t *testing.T) {
	var r newReno
	r.init(1000, false)
	r.ssthresh = 10000
	for range 5 {
		r.acked(2000, false)
	}
	if r.window() != 11000 {
		t.Errorf("cwnd %d after a round trip", r.window())
	}
	r.timedOut(11000, false)
	if r.window() != 1000 || r.threshold() != 5500 {
		t.Errorf("cwnd %d, ssthresh %d", r.window(), r.threshold())
	}
	r.acked(4000, true) // RFC 3465, 2.3: a segment at a time after a timeout
	if r.window() != 2000 {
		t.Errorf("cwnd %d", r.window())
	}
	r.timedOut(2000, true)
	if r.threshold() != 5500 {
		t.Errorf("ssthresh %d", r.threshold())
	}
	r.acked(5000, false) // slow start up to ssthresh, and the rest counts for avoidance
	if r.window() != 5500 || r.credit != 500 {
		t.Errorf("cwnd %d, credit %d", r.window(), r.credit)
	}
	r.lost(1000)
	if r.window() != 2000 {
		t.Errorf("cwnd %d, want the least", r.window())
	}
	r.resize(3000)
	if r.window() != 3000 {
		t.Errorf("cwnd %d", r.window())
	}
}
