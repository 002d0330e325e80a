package tcp

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// at returns the instant d after the first.
func at(d time.Duration) clock.Instant { return clock.Instant(time.Hour).Add(d) }

// RFC 9937, 6.2: rows of segments delivered, in flight then, whether SafeACK, and the window that comes of it; all that the
// window admits is sent.
func TestPRR(t *testing.T) {
	type ack struct {
		delivered, inflight int
		safe                bool
		cwnd                int
	}
	for name, row := range map[string]struct {
		flight, threshold int
		acks              []ack
	}{
		// "out = DIV_ROUND_UP(prr_delivered * ssthresh, RecoverFS)": of 20 in flight 14 are left, so 7 sent for 10 delivered.
		"proportional": {20, 14, []ack{{1, 18, false, 19}, {1, 18, false, 19}, {1, 18, false, 19}, {1, 18, false, 18}, {1, 17, false, 18},
			{1, 17, false, 18}, {1, 17, false, 17}, {1, 16, false, 17}, {1, 16, false, 17}, {1, 16, false, 16}}},
		// "SndCnt = MAX(prr_delivered - prr_out, DeliveredData)": conservation, and one more when it is safe.
		"conservative": {20, 10, []ack{{2, 3, false, 5}, {1, 4, false, 5}, {1, 4, true, 6}, {3, 4, true, 8}, {2, 9, true, 10}}},
		// "Force a fast retransmit upon entering recovery".
		"forced": {20, 10, []ack{{1, 10, false, 11}}},
		// What could not be sent is made up for: "prr_delivered - prr_out" is banked.
		"caught up": {10, 5, []ack{{1, 7, false, 8}, {3, 5, false, 5}, {4, 1, false, 5}}},
	} {
		var p prr
		p.begin(row.flight)
		for i, a := range row.acks {
			got := p.acked(a.delivered, a.inflight, row.threshold, a.safe)
			if got != a.cwnd {
				t.Errorf("%s, ACK %d: cwnd %d, want %d", name, i, got, a.cwnd)
			}
			p.sent(got - a.inflight)
		}
	}
}

// RFC 6298, 2, with Linux's care for the variance: the floor of 200 ms is put below four times it.
func TestRTT(t *testing.T) {
	cfg := Config{}.Complete()
	var r rttEstimator
	r.init(cfg)
	if r.timeout(cfg) != time.Second {
		t.Errorf("RTO %v before the first sample", r.timeout(cfg))
	}
	una, nxt := Seq(0), Seq(1000)
	for i, row := range []struct{ sample, srtt, rto time.Duration }{
		{100 * ms, 100 * ms, 300 * ms}, // RTTVAR is 50 ms: K times that is the floor
		{100 * ms, 100 * ms, 300 * ms},
		{500 * ms, 150 * ms, 662500 * time.Microsecond}, // 4 RTTVAR = 3/4 * 3/4 * 200 + 400
		{150 * ms, 150 * ms, 662500 * time.Microsecond}, // it rises at once, and does not sink within the round trip
	} {
		r.sample(row.sample, una, nxt, cfg)
		if r.srtt != row.srtt || r.timeout(cfg) != row.rto {
			t.Errorf("sample %d: SRTT %v, RTO %v, want %v, %v", i, r.srtt, r.timeout(cfg), row.srtt, row.rto)
		}
	}
	// With each round trip it sinks by a quarter of the difference, to the floor.
	for range 40 {
		una, nxt = nxt+1, nxt+1000
		r.sample(150*ms, una, nxt, cfg)
	}
	if rto := r.timeout(cfg); rto < 350*ms || rto > 351*ms {
		t.Errorf("RTO %v after steady round trips", rto)
	}
	// RFC 6298, 5.5: "RTO <- RTO * 2", up to the maximum; a new measurement collapses it.
	for i := range 20 {
		before := r.timeout(cfg)
		if r.backOff(cfg); r.timeout(cfg) != min(2*before, 120*time.Second) {
			t.Errorf("back-off %d: %v after %v", i, r.timeout(cfg), before)
		}
	}
	r.collapse(cfg)
	if rto := r.timeout(cfg); rto > 351*ms || r.backoff != 0 {
		t.Errorf("RTO %v", rto)
	}
}

// RFC 8985, 6.2, step 1: "a windowed min-filtered estimate".
func TestMinFilter(t *testing.T) {
	var f minFilter
	for i, row := range []struct {
		at        time.Duration
		d, expect time.Duration
	}{
		{0, 50 * ms, 50 * ms},
		{time.Second, 40 * ms, 40 * ms},
		{30 * time.Second, 60 * ms, 40 * ms},
		{60 * time.Second, 45 * ms, 40 * ms},
		{90 * time.Second, 55 * ms, 40 * ms},
		{102 * time.Second, 70 * ms, 45 * ms}, // 40 ms has left the window of 100 s
		{170 * time.Second, 65 * ms, 55 * ms},
		{500 * time.Second, 80 * ms, 80 * ms}, // nothing is left
	} {
		if f.add(at(row.at), row.d, 100*time.Second); f.get() != row.expect {
			t.Errorf("row %d: %v, want %v", i, f.get(), row.expect)
		}
	}
}

// RFC 8985, 6.2, step 4.
func TestRACKWindow(t *testing.T) {
	k := rack{}
	if w := k.window(40*ms, 100*ms, false); w != 10*ms {
		t.Errorf("%v, want min_RTT/4", w)
	}
	if w := k.window(40*ms, 100*ms, true); w != 0 {
		t.Errorf("%v, want 0", w)
	}
	// "after N round trips in which a DSACK is received, the RACK.reo_wnd becomes (N+1) * min_RTT / 4, with an upper-bound of
	// SRTT."
	delivered := uint64(10)
	for n := 1; n <= 20; n++ {
		k.dsack = true
		k.adapt(delivered, delivered+5)
		if w := k.window(40*ms, 100*ms, false); w != min(time.Duration(n+1)*10*ms, 100*ms) {
			t.Errorf("%v after %d DSACKs", w, n)
		}
		k.dsack = true // another one in the same round
		k.adapt(delivered, delivered+6)
		delivered += 10
	}
	// "RACK persists using the inflated RACK.reo_wnd for up to 16 loss recoveries".
	if k.persist != 16 {
		t.Errorf("persists for %d", k.persist)
	}
	k.persist = 0
	if k.adapt(delivered, delivered+5); k.window(40*ms, 100*ms, false) != 10*ms {
		t.Error("it does not go back")
	}
}

// RFC 8985, 6.2, step 5, by itself: segments sent a millisecond apart, of which the fifth arrives.
func TestRACKDetect(t *testing.T) {
	var b scoreboard
	for i := range 8 {
		s := Seq(i * 1000)
		b.push(sent{seq: s, end: s + 1000, at: at(time.Duration(i) * ms)})
	}
	var k rack
	k.arrived(at(104*ms), at(4*ms), 5000, false, 100*ms)
	b.markSacked(4)
	if lost, wait := k.detect(at(104*ms), &b, 25*ms); lost != 0 || wait != 24*ms {
		// The last one sent before the fifth is overdue 24 ms from now.
		t.Errorf("%d lost, %v to wait", lost, wait)
	}
	if lost, wait := k.detect(at(126*ms), &b, 25*ms); lost != 2 || wait != 2*ms || b.lost != 2 {
		t.Errorf("%d lost, %v to wait", lost, wait)
	}
	if lost, wait := k.detect(at(200*ms), &b, 25*ms); lost != 2 || wait != 0 || b.lost != 4 || b.byTime.n != 3 {
		t.Errorf("%d lost, %v to wait", lost, wait)
	}
	// A retransmission goes to the end of the list, and is lost again when what was sent after it arrives.
	b.sentOnceMore(0, at(200*ms), true)
	k.arrived(at(210*ms), at(200*ms), 1000, true, 100*ms) // 10 ms is no round-trip time: it was the original
	if k.at != at(4*ms) {
		t.Error("a spurious inference")
	}
	b.push(sent{seq: 8000, end: 9000, at: at(201 * ms)})
	k.arrived(at(301*ms), at(201*ms), 9000, false, 100*ms)
	b.markSacked(8)
	if lost, _ := k.detect(at(301*ms), &b, 0); lost != 4 || b.pending != 7 || b.again != 0 {
		t.Errorf("%d lost, %d pending", lost, b.pending)
	}
}

// The scoreboard by itself.
func TestScoreboard(t *testing.T) {
	var b scoreboard
	for i := range Seq(300) {
		b.push(sent{seq: i * 10, end: i*10 + 10, at: clock.Instant(i)})
	}
	for id := uint32(100); id < 200; id++ {
		b.markSacked(id)
	}
	if b.pipe() != 200 || b.high != 2000 {
		t.Fatalf("pipe %d, high %d", b.pipe(), b.high)
	}
	if id := b.unsacked(150); id != 200 {
		t.Fatalf("unsacked(150) = %d", id)
	}
	// RFC 6675, 4, IsLost: three sacked above.
	if n := b.markBelow(b.sacked - 3); n != 100 || b.pending != 100 {
		t.Fatalf("lost %d", n)
	}
	if id, r := b.nextPending(); id != 0 || r.seq != 0 {
		t.Fatal("nextPending")
	}
	b.sentOnceMore(0, 500, true)
	if id, _ := b.nextPending(); id != 1 || b.pipe() != 101 {
		t.Fatalf("nextPending, pipe %d", b.pipe())
	}
	for range 150 {
		b.drop()
	}
	if b.out != 150 || b.sacked != 50 || b.lost != 0 || b.before != 47 {
		t.Fatalf("%+v", b)
	}
	b.lose(250)
	b.lose(240)
	if id, _ := b.nextPending(); id != 240 {
		t.Fatalf("pending %d", id)
	}
	b.unlist(240)
	b.unlist(250)
	b.forgive()
	if b.lost != 0 || b.pending != 0 || b.byTime.n != 100 || checkByTime(&b) != "" {
		t.Fatalf("%+v %s", b, checkByTime(&b))
	}
	for id, last := b.byTime.oldest, clock.Instant(-1); ; {
		if b.record(id).at < last {
			t.Fatal("the list is not in the order of time")
		}
		last = b.record(id).at
		next, ok := b.after(id)
		if !ok {
			break
		}
		id = next
	}
	b.reset()
	if !b.empty() || b.ring != nil || b.out != 0 {
		t.Fatal("not empty")
	}
}

// Segments of any sizes are found.
func TestScoreboardSearch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var b scoreboard
		start := Seq(rng.Uint32())
		s := start
		for range 1 + rng.IntN(100) {
			n := 1 + rng.IntN(1+rng.IntN(2000))
			b.push(sent{seq: s, end: s.Add(n)})
			s = s.Add(n)
		}
		for range rng.IntN(b.out) {
			b.drop()
		}
		for range 50 {
			at := b.first().seq.Add(rng.IntN(s.Sub(b.first().seq)+10) - 3)
			want := b.head
			for want != b.tail && b.record(want).seq.Less(at) {
				want++
			}
			if id := b.search(at); id != want {
				t.Fatalf("found %d, want %d of %d to %d", id, want, b.head, b.tail)
			}
		}
		b.reset()
	}
}

// RFC 5681, 3.1: slow start, then "increasing cwnd by 1 full-sized segment per RTT".
func TestReno(t *testing.T) {
	s := Sender{Window: 10, Threshold: 16, Clamp: 1000, Limited: true}
	for i, want := range []int{12, 14, 16, 16, 16, 16, 16, 16, 16, 16, 17} {
		if new(reno).Grow(&s, 2); s.Window != want {
			t.Errorf("ACK %d: %d, want %d", i, s.Window, want)
		}
	}
	s.Limited = false
	if new(reno).Grow(&s, 100); s.Window != 17 {
		t.Errorf("%d, and it was not used", s.Window)
	}
	if n := new(reno).Reduce(&s); n != 8 {
		t.Errorf("ssthresh %d", n)
	}
	if s.Window = 3; new(reno).Reduce(&s) != 2 {
		t.Error("less than 2*SMSS")
	}
	// RFC 8511: 0.8 for a congestion mark.
	if s = (Sender{Window: 20, ECN: true, ABE: true}); new(reno).Reduce(&s) != 16 {
		t.Errorf("ABE: %d", new(reno).Reduce(&s))
	}
	if s.ABE = false; new(reno).Reduce(&s) != 10 {
		t.Error("RFC 3168: as for a loss")
	}
}

// cubicFor lets q run in round trips of rtt for d from now, everything acknowledged two by two, and returns the window.
func cubicFor(q *cubic, s *Sender, d, rtt time.Duration) int {
	for end := s.Now.Add(d); s.Now < end; {
		n := s.Window / 2
		for range n {
			s.Now = s.Now.Add(rtt / time.Duration(n))
			q.Sampled(s, 2, rtt)
			q.Grow(s, 2)
		}
	}
	return s.Window
}

// RFC 9438, 4.2: W_cubic(t) = C * (t - K)^3 + W_max, with C = 0.4 and beta_cubic = 0.7.
func TestCubic(t *testing.T) {
	const rtt = 100 * ms
	var q cubic
	s := Sender{Window: 1000, Threshold: 1000, Clamp: 1 << 20, Limited: true, Now: at(0)}
	q.Init(&s)
	s.Threshold = q.Reduce(&s)
	s.Window = s.Threshold
	if s.Window != 700 {
		t.Fatalf("ssthresh %d of 1000", s.Window)
	}
	// K = cubic_root(300 / 0.4) = 9.09 s: half-way (t - K)^3 is an eighth.
	if w := cubicFor(&q, &s, 4545*ms, rtt); w < 955 || w > 970 {
		t.Errorf("window %d half-way, want about 962", w)
	}
	if w := cubicFor(&q, &s, 4545*ms, rtt); w < 995 || w > 1003 {
		t.Errorf("window %d at K, want 1000", w)
	}
	if w := cubicFor(&q, &s, 4545*ms, rtt); w < 1030 || w > 1050 {
		t.Errorf("window %d beyond, want about 1038", w)
	}
	// 4.7, fast convergence: "W_max = cwnd * ((1.0 + beta_cubic) / 2)" if the window had not got as far as before.
	s.Window = 900
	q.max = 1000
	if q.Reduce(&s); q.max != 765 {
		t.Errorf("W_max %d", q.max)
	}
	// 4.3, the Reno-friendly region: with a short round-trip time and a small window it is as fast as Reno.
	q.Init(&s)
	s.Window, s.Threshold = 20, 20
	q.max = 20
	if w := cubicFor(&q, &s, 400*ms, 10*ms); w < 36 || w > 46 {
		t.Errorf("window %d after 40 short round trips, of which Reno with alpha 0.53 would make 41", w)
	}
	// 4.8: after a timeout nothing is known.
	q.StateChanged(&s, stateLoss)
	if q.max != 0 || q.inEpoch {
		t.Errorf("%+v", q)
	}
	if s = (Sender{Window: 100, ECN: true, ABE: true}); q.Reduce(&s) != 84 {
		t.Errorf("ABE: %d", q.Reduce(&s))
	}
	for v, want := range map[uint64]uint64{0: 0, 1: 1, 7: 1, 8: 2, 26: 2, 27: 3, 1e15: 1e5, 1e15 - 1: 99999} {
		if r := cubeRoot(v); r != want {
			t.Errorf("cubeRoot(%d) = %d", v, r)
		}
	}
}

// draft-cheng-iccrg-delivery-rate-estimation: ten segments sent at once, acknowledged one each millisecond after 10 ms.
func TestDeliveryRate(t *testing.T) {
	var s rateSampler
	records := make([]sent, 10)
	for i := range records {
		records[i] = sent{seq: Seq(i), end: Seq(i + 1), at: at(0)}
		s.sent(&records[i], 1, i == 0)
	}
	delivered := uint64(1)
	for i := range records {
		var a RateSample
		now := at(10*ms + time.Duration(i)*ms)
		s.arrived(&a, &records[i])
		delivered++
		s.finish(now, &a, 1, delivered, 10*ms, false)
		if a.Delivered != i+1 || a.Interval != 10*ms+time.Duration(i)*ms || a.Prior != 1 {
			t.Errorf("ACK %d: %+v", i, a)
		}
	}
	if got := s.octets(1000); got != 10*1000*1000/19 {
		t.Errorf("rate %d", got)
	}
	// An ACK that delivers nothing, and one whose sample is shorter than the least round-trip time, tell nothing.
	var a RateSample
	if s.finish(at(30*ms), &a, 0, delivered, 10*ms, false); a.Interval != -1 || a.Delivered != -1 {
		t.Errorf("%+v", a)
	}
	r := sent{seq: 10, end: 11, at: at(40 * ms)}
	s.sent(&r, delivered, true)
	a = RateSample{}
	s.arrived(&a, &r)
	if s.finish(at(45*ms), &a, 1, delivered+1, 10*ms, false); a.Interval != -1 {
		t.Errorf("%+v", a)
	}
}

// From the tenth segment on what follows waits at the pacing rate. What a late timer has cost is made up for, up to a bound;
// where nothing waited, half of what the burst takes.
func TestPacer(t *testing.T) {
	var p pacer
	for p.sent = range pacerBurst {
		if p.departed(at(0), 1000, 1e6); p.next != at(0) {
			t.Fatal("the first ones are held")
		}
	}
	p.sent = pacerBurst
	for i, row := range []struct {
		at, next time.Duration
		waits    bool
	}{{0, ms, false}, {ms, 2 * ms, true}, {2200 * time.Microsecond, 3 * ms, false}, {5 * ms, 5500 * time.Microsecond, false},
		{6500 * time.Microsecond, 6500 * time.Microsecond, true}, {8 * ms, 7500 * time.Microsecond, true},
		{8 * ms, 8500 * time.Microsecond, true}, {20 * ms, 17 * ms, true}, {20 * ms, 20500 * time.Microsecond, false}} {
		p.waits = row.waits
		if p.departed(at(row.at), 1000, 1e6); p.next != at(row.next) {
			t.Errorf("segment %d: the next leaves at %v, want %v", i, p.next.Sub(at(0)), row.next)
		}
	}
}
