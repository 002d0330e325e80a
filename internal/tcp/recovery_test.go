package tcp

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// sender is an established rig whose segments have 1000 octets, with a round-trip time of 100 ms and n octets just written
// and sent as far as the window lets it.
func sender(t *testing.T, sack bool, n int) *rig {
	return senderOf(t, Config{NoTimestamps: true, CongestionControl: "reno"}, sack, n)
}

// senderOf is sender with other settings.
func senderOf(t *testing.T, cfg Config, sack bool, n int) *rig {
	r := newRig(t, cfg)
	r.syn.MSS, r.syn.SACKPermitted = 1000, sack
	r.syn.HasWindowScale, r.syn.WindowScale = true, 4
	r.to(SynReceived)
	r.now = r.now.Add(100 * ms)
	r.arrive(5001, 1001, ack, 0)
	r.c.Send(r.now, make([]byte, n))
	return r
}

// acks gives an ACK with SACK blocks, as pairs of edges, 10 us later, and returns what is sent: one letter or number for each segment.
func (r *rig) acks(ackno Seq, edges ...uint32) string {
	r.t.Helper()
	r.now = r.now.Add(10 * time.Microsecond) // no two at once
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
	for mss, want := range map[int]int{500: 10, 1000: 10, 1460: 10, 4000: 3, 9000: 2} {
		c := TCB{cfg: Config{}.Complete()}
		c.snd.mss = mss
		if got := c.initialWindow(); got != want {
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

// RFC 3042: "sending a new data segment in response to each of the first two duplicate acknowledgments"; RFC 8985 finds
// what is lost at the third one; RFC 9937 brings the window down from ten to five over the round trip.
func TestSACKRecovery(t *testing.T) {
	r := sender(t, true, 100000)
	r.want(short(r.drain()), "1 2 3 4 5 6 7 8 9 10")
	r.now = r.now.Add(100 * ms)
	// Segments 1 and 4 are lost.
	r.want(r.acks(1001, 2001, 3001), "11")
	r.want(r.acks(1001, 2001, 4001), "12")
	// "If RACK.reordering_seen is FALSE: … RACK.segs_sacked >= DupThresh: Return 0": 1 and 4 were sent before 5.
	r.want(r.acks(1001, 5001, 6001, 2001, 4001), "1")
	i := r.c.Info(r.now)
	if i.Recovery != "recovery" || i.CongestionWindowSegments != 8 || i.SlowStartThresholdSegments != 5 || i.LostSegments != 2 {
		t.Fatalf("%+v", i)
	}
	// One segment for two delivered, as ssthresh / RecoverFS is 5/10, until five are in flight.
	r.want(r.acks(1001, 5001, 7001, 2001, 4001), "")
	r.want(r.acks(1001, 5001, 8001, 2001, 4001), "4")
	r.want(r.acks(1001, 5001, 9001, 2001, 4001), "")
	r.want(r.acks(1001, 5001, 10001, 2001, 4001), "")
	r.want(r.acks(1001, 5001, 11001, 2001, 4001), "13") // conservation: one in, one out
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(1001, 5001, 13001, 2001, 4001), "14 15")
	r.want(r.acks(4001, 5001, 13001), "16")
	// All of what was in flight at the beginning is acknowledged: "cwnd = ssthresh".
	r.want(r.acks(13001), "17")
	i = r.c.Info(r.now)
	if i.Recovery != "open" || i.CongestionWindowSegments != 5 || i.FastRecoveries != 1 || i.Timeouts != 0 || i.Retransmits != 2 {
		t.Errorf("%+v", i)
	}
}

// RFC 9937, 6.2: with many losses what is in flight falls below ssthresh at once: one segment for one delivered, and one
// more for each ACK that advances.
func TestBurstLoss(t *testing.T) {
	r := sender(t, true, 100000)
	r.drain()
	r.now = r.now.Add(100 * ms)
	// Segments 1 to 7 are lost.
	r.want(r.acks(1001, 8001, 9001), "11")
	r.want(r.acks(1001, 8001, 10001), "12")
	r.want(r.acks(1001, 8001, 11001), "1") // 2 in flight, and so one for the one delivered
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(1001, 8001, 12001), "2")
	r.want(r.acks(1001, 8001, 13001), "3")
	r.want(r.acks(2001, 8001, 13001), "4 5")
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(3001, 8001, 13001), "6 7")
	if i := r.c.Info(r.now); i.CongestionWindowSegments != 5 || i.InFlight != 5000 || i.Timeouts != 0 {
		t.Errorf("%+v", i)
	}
}

// RFC 8985, 6.2, step 5: a retransmission is lost too when what was sent after it has arrived.
func TestLostRetransmission(t *testing.T) {
	r := sender(t, true, 100000)
	r.drain()
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(1001, 2001, 5001), "1 11")
	r.want(r.acks(1001, 2001, 6001), "")
	r.want(r.acks(1001, 2001, 8001), "")
	r.want(r.acks(1001, 2001, 9001), "12")
	r.want(r.acks(1001, 2001, 10001), "13")
	r.want(r.acks(1001, 2001, 11001), "14")
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(1001, 2001, 12001), "1 15") // 11 was sent after 1
	if i := r.c.Info(r.now); i.Retransmits != 2 || i.FastRecoveries != 1 || i.Timeouts != 0 {
		t.Errorf("%+v", i)
	}
}

// RFC 8985, 6.2: fewer than three segments sacked: the reordering timer finds the loss, a quarter of the least round-trip
// time later.
func TestReorderingTimer(t *testing.T) {
	r := sender(t, true, 3000)
	r.drain()
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(1001, 2001, 4001), "")
	began := r.now
	r.want(short(r.pass(26*ms)), "")
	r.want(short(r.pass(2*ms)), "1")
	if i := r.c.Info(r.now); i.Recovery != "recovery" {
		t.Errorf("%+v after %v", i, r.now.Sub(began))
	}
	// If what was missing comes in time, nothing is sent again, and the connection remembers.
	r = sender(t, true, 3000)
	r.drain()
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(1001, 2001, 4001), "")
	r.now = r.now.Add(20 * ms)
	r.want(r.acks(4001), "")
	if i := r.c.Info(r.now); i.Retransmits != 0 || i.Reorderings != 1 || i.Recovery != "open" {
		t.Errorf("%+v", i)
	}
}

// With tcp_recovery=0 it is RFC 6675: three segments sacked above one.
func TestClassicRecovery(t *testing.T) {
	r := senderOf(t, Config{NoTimestamps: true, CongestionControl: "reno", Recovery: -1}, true, 100000)
	r.drain()
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(1001, 2001, 3001), "11")
	r.want(r.acks(1001, 2001, 3001, 5001, 6001), "12") // 4 too may be missing
	r.want(r.acks(1001, 2001, 3001, 5001, 7001), "1")  // three above 1
	r.want(r.acks(1001, 2001, 3001, 5001, 8001), "")   // and above 3 and 4
	if i := r.c.Info(r.now); i.LostSegments != 3 {
		t.Errorf("%+v", i)
	}
}

// RFC 6582: NewReno, for a peer without SACK.
func TestNewReno(t *testing.T) {
	r := sender(t, false, 100000)
	r.drain()
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(1001), "11")
	r.want(r.acks(1001), "12")
	r.want(r.acks(1001), "1")
	i := r.c.Info(r.now)
	if i.Recovery != "recovery" || i.CongestionWindowSegments != 9 || i.SlowStartThresholdSegments != 5 {
		t.Fatalf("%+v", i)
	}
	r.want(r.acks(1001), "")
	r.want(r.acks(1001), "13")
	r.want(r.acks(1001), "")
	r.want(r.acks(1001), "14")
	r.want(r.acks(1001), "")
	r.now = r.now.Add(100 * ms)
	// "Partial acknowledgments: … retransmit the first unacknowledged segment."
	r.want(r.acks(4001), "4")
	r.acks(13001)
	if i = r.c.Info(r.now); i.Recovery != "recovery" || i.CongestionWindowSegments != 5 {
		t.Fatalf("held: %+v", i)
	}
	// What was retransmitted needlessly causes duplicates that are not news.
	for range 3 {
		if out := r.acks(13001); strings.HasPrefix(out, "13") {
			t.Fatal("fast retransmit of a segment after RecoveryPoint by old duplicates")
		}
	}
	r.acks(14001)
	if i = r.c.Info(r.now); i.Recovery != "open" || i.FastRecoveries != 1 {
		t.Fatalf("%+v", i)
	}
	// An acknowledgment with a larger window, or with data, is no duplicate.
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
	r := senderOf(t, Config{NoTimestamps: true, CongestionControl: "reno", EarlyRetrans: -1, FRTO: -1}, true, 10000)
	r.drain()
	r.want(short(r.pass(299*ms)), "")
	r.want(short(r.pass(1*ms)), "1")
	i := r.c.Info(r.now)
	if i.Recovery != "loss" || i.CongestionWindowSegments != 1 || i.SlowStartThresholdSegments != 5 || i.Timeouts != 1 ||
		i.LostSegments != 10 || i.Backoff != 1 || i.RTO != 600*ms {
		t.Fatalf("%+v", i)
	}
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(2001), "2 3")
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(4001, 6001, 7001), "4 5 7 8 9") // three delivered: the window is five
	r.want(r.acks(7001), "10")
	r.want(r.acks(11001), "")
	if i = r.c.Info(r.now); i.Recovery != "open" || i.Retransmits != 9 {
		t.Errorf("%+v", i)
	}
}

// RFC 5682, 3.1: after a timeout the first ACK that advances has new data sent; if then something arrives that was not sent
// again, the timeout was spurious, and all is as it was.
func TestFRTO(t *testing.T) {
	cfg := Config{NoTimestamps: true, CongestionControl: "reno", EarlyRetrans: -1}
	r := senderOf(t, cfg, true, 100000)
	r.drain()
	r.want(short(r.pass(300*ms)), "1")
	r.want(r.acks(2001), "11 12") // step 2.b
	if i := r.c.Info(r.now); i.Recovery != "loss" {
		t.Fatalf("%+v", i)
	}
	r.want(r.acks(3001), "13") // step 3.b: "declare the timeout spurious"
	if i := r.c.Info(r.now); i.Recovery != "open" || i.LostSegments != 0 || i.SlowStartThreshold != unlimited || i.Retransmits != 1 {
		t.Fatalf("%+v", i)
	}
	// Step 3.a: a duplicate: "continue with the slow-start algorithm retransmitting unacknowledged segments".
	r = senderOf(t, cfg, true, 100000)
	r.drain()
	r.want(short(r.pass(300*ms)), "1")
	r.want(r.acks(2001), "11 12")
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(2001, 11001, 12001), "2")
	if i := r.c.Info(r.now); i.Recovery != "loss" {
		t.Fatalf("%+v", i)
	}
	// Without new data, conventional recovery: "skip step 3".
	r = senderOf(t, cfg, true, 10000)
	r.drain()
	r.want(short(r.pass(300*ms)), "1")
	r.want(r.acks(2001), "2 3")
	// tcp_frto=0
	cfg.FRTO = -1
	r = senderOf(t, cfg, true, 100000)
	r.drain()
	r.want(short(r.pass(300*ms)), "1")
	r.want(r.acks(2001), "2 3")
}

// RFC 2883 and RFC 3708: when DSACKs tell of each retransmission that it was one too many, the reduction is taken back.
func TestUndoByDSACK(t *testing.T) {
	r := sender(t, true, 100000)
	r.drain()
	r.now = r.now.Add(100 * ms)
	r.acks(1001, 2001, 3001)
	r.acks(1001, 2001, 4001)
	r.want(r.acks(1001, 2001, 5001), "1")
	r.now = r.now.Add(10 * ms)
	r.acks(11001) // it was only late
	r.now = r.now.Add(90 * ms)
	if i := r.c.Info(r.now); i.Recovery != "recovery" || i.SlowStartThresholdSegments != 5 {
		t.Fatalf("%+v", i)
	}
	r.acks(11001, 1001, 2001) // below the cumulative ACK: a DSACK
	if i := r.c.Info(r.now); i.Recovery != "open" || i.CongestionWindowSegments < 10 || i.SlowStartThreshold != unlimited ||
		i.DSACKDups != 1 {
		t.Fatalf("%+v", i)
	}
}

// RFC 3522: an ACK that echoes a timestamp from before the retransmission is one of the original.
func TestUndoByTimestamps(t *testing.T) {
	r := newRig(t, Config{CongestionControl: "reno", EarlyRetrans: -1})
	r.syn.MSS, r.syn.SACKPermitted, r.syn.HasTimestamps, r.syn.TSVal = 1000, true, true, 7
	r.to(SynReceived)
	r.now = r.now.Add(100 * ms)
	first := segment(5001, 1001, ack, 0)
	first.Options.HasTimestamps, first.Options.TSVal, first.Options.TSEcr = true, 8, r.c.tsNow(r.now)
	r.arriveSegment(first)
	r.c.Send(r.now, make([]byte, 9880))
	r.drain()
	at := r.c.tsNow(r.now)
	r.pass(300 * ms) // a timeout
	if i := r.c.Info(r.now); i.Recovery != "loss" || i.CongestionWindowSegments != 1 {
		t.Fatalf("%+v", i)
	}
	s := segment(5001, 1001+988, ack, 0)
	s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = true, r.c.ts.recent+1, at
	r.arriveSegment(s)
	if i := r.c.Info(r.now); i.Recovery != "open" || i.CongestionWindowSegments < 10 || i.LostSegments != 0 {
		t.Fatalf("%+v", i)
	}
}

// RFC 8985, 7.3: the last segments of a flight are lost: a probe after two round-trip times.
func TestTailLossProbe(t *testing.T) {
	r := sender(t, true, 3000)
	r.drain()
	r.want(short(r.pass(201*ms)), "")
	r.want(short(r.pass(1*ms)), "3") // "retransmit the highest-sequence segment sent so far"
	r.now = r.now.Add(100 * ms)
	r.want(r.acks(1001, 3001, 4001), "1") // 7.4.1: RACK: 1 and 2 were sent long before the probe
	// New data first, whatever the congestion window.
	r = sender(t, true, 11000)
	r.want(short(r.drain()), "1 2 3 4 5 6 7 8 9 10")
	r.want(short(r.pass(202*ms)), "11")
	// One segment: "the sender MAY inflate the PTO by TLP.max_ack_delay", which is 200 ms; the RTO is sooner.
	r = sender(t, true, 1000)
	r.drain()
	r.want(short(r.pass(299*ms)), "")
	r.want(short(r.pass(1*ms)), "1")
	// 7.4.2: repaired by the probe: "the sender should presume that at least one of its data segments was lost".
	r = sender(t, true, 2000)
	r.drain()
	r.want(short(r.pass(202*ms)), "2")
	r.acks(3001)
	if i := r.c.Info(r.now); i.CongestionWindowSegments != 10 {
		t.Fatalf("%+v", i)
	}
	r.c.Send(r.now, make([]byte, 1000))
	r.drain()
	r.acks(4001)
	if i := r.c.Info(r.now); i.CongestionWindowSegments != 5 || i.Recovery != "open" {
		t.Fatalf("%+v", i)
	}
	// Case 1: a DSACK: "the sender considers the TLP episode to be done".
	r = sender(t, true, 2000)
	r.drain()
	r.want(short(r.pass(202*ms)), "2")
	r.acks(3001)
	r.acks(3001, 2001, 3001)
	r.c.Send(r.now, make([]byte, 1000))
	r.drain()
	r.acks(4001)
	if i := r.c.Info(r.now); i.CongestionWindowSegments != 10 {
		t.Fatalf("%+v", i)
	}
}

// RFC 2018, 8: "the data receiver is permitted to discard data in its queue that has not been acknowledged to the data
// sender, even if the data has already been reported in a SACK option": soon after an ACK with the
// first segment sacked nothing counts as sacked.
func TestReneging(t *testing.T) {
	r := sender(t, true, 4000)
	r.drain()
	r.now = r.now.Add(100 * ms)
	r.acks(1001, 2001, 4001)
	r.acks(2001)                      // and not 4001
	r.want(short(r.pass(60*ms)), "2") // half a round-trip time
	r.want(r.acks(3001), "3 4")
	// The same, and the peer closes its window.
	r = sender(t, true, 4000)
	r.drain()
	r.now = r.now.Add(100 * ms)
	r.acks(1001, 2001, 4001)
	s := segment(5001, 2001, ack, 0)
	s.Window = 0
	r.arriveSegment(s)
	if out := short(r.pass(60 * ms)); out != "2" {
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
	if r.c.board.high != 0 {
		t.Error("SACK taken without SACK-Permitted")
	}
}

// RFC 9293, 3.8.6: "a sending TCP peer MUST be robust against window shrinking, which may cause the 'usable window' … to become
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
	r := newRig(t, Config{NoTimestamps: true, NoDelay: true, SendBuffer: 64 << 10, InitialWindow: 10000})
	r.syn.MSS = 1000
	r.to(Established)
	for range 5000 {
		r.c.Send(r.now, make([]byte, 1))
		var seg Segment
		for r.c.Next(r.now, &seg) {
		}
	}
	if n := r.c.board.out; n > 256+2*64<<10/1000+10 || n < 100 {
		t.Errorf("%d records", n)
	}
}
