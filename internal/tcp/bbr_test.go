package tcp

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// The tests here choose it by name.
func init() { algorithms = append(algorithms, BBR()) }

// bbrPath feeds a bbr with the ACKs of a path, one a round trip, as if all that is in flight were acknowledged by one.
type bbrPath struct {
	b   bbr
	s   Sender
	r   RateSample
	rtt time.Duration
}

const bbrTestMSS = 1000

func newBBRPath(rtt time.Duration) *bbrPath {
	p := &bbrPath{rtt: rtt}
	p.s = Sender{Window: 10, Threshold: unlimited, Clamp: 1 << 20, MSS: bbrTestMSS, Now: clock.Instant(time.Hour), RTT: rtt,
		LeastRTT: rtt, Delivered: 1, SACK: true, Seed: 1}
	p.b.Init(&p.s)
	return p
}

// round lets a round trip pass in which n segments arrive, with more of the sample as f says, and inFlight left in flight.
func (p *bbrPath) round(n, inFlight int, f func(*RateSample)) {
	prior := p.s.Delivered
	p.s.Now = p.s.Now.Add(p.rtt)
	p.s.Delivered += uint64(n)
	p.s.InFlight = inFlight
	p.r = RateSample{Prior: prior, Delivered: n, Interval: p.rtt, RTT: p.rtt, Acked: n, SentInFlight: n}
	if f != nil {
		f(&p.r)
	}
	p.b.Control(&p.s, &p.r)
}

// 2.10: "the current cycle and the previous full cycle".
func TestBBRMaxBWFilter(t *testing.T) {
	var f bbrBWFilter
	for i, row := range []struct {
		advance bool
		v, want uint64
	}{
		{false, 10, 10}, {false, 5, 10}, {false, 12, 12},
		{true, 4, 12}, {false, 6, 12}, // the previous cycle counts
		{true, 3, 6}, // the one before it does not
		{true, 2, 3},
		{false, 9, 9}, {true, 1, 9}, {true, 1, 1},
	} {
		if row.advance {
			f.advance()
		}
		if got := f.update(row.v); got != row.want {
			t.Errorf("row %d: %d, want %d", i, got, row.want)
		}
	}
	// A cycle without a sample forgets nothing.
	f = bbrBWFilter{}
	f.update(7)
	f.advance()
	f.advance()
	if got := f.update(1); got != 7 {
		t.Errorf("after an empty cycle: %d, want 7", got)
	}
}

// 2.11: "the window length of the BBR.extra_acked_filter max filter window in steady-state = 10 (in units of packet-timed round
// trips)". It may be less than the largest that is still within, and is never more, nor less than the latest.
func TestBBRRoundMax(t *testing.T) {
	var f bbrRoundMax
	var l lots = 3
	var all []int
	for round := range uint64(500) {
		v := int(l.draw(100))
		all = append(all, v)
		got := f.update(round, v, 10)
		most := v
		for _, o := range all[max(0, int(round)-10):] {
			most = max(most, o)
		}
		if got > most || got < v {
			t.Fatalf("round %d: %d, the sample is %d and the largest of ten rounds %d", round, got, v, most)
		}
	}
	if got := f.update(600, 1, 10); got != 1 {
		t.Errorf("after a gap: %d, want 1", got)
	}
}

// 5.3.3.5.2: "uniformly randomly distributed between 2 and 3 secs".
func TestBBRProbeWait(t *testing.T) {
	b := bbr{lots: 5}
	var sum time.Duration
	rounds := 0
	for range 1000 {
		b.pickProbeWait()
		if b.bwProbeWait < 2*time.Second || b.bwProbeWait >= 3*time.Second || b.roundsSinceBWProbe < 0 || b.roundsSinceBWProbe > 1 {
			t.Fatalf("wait of %v, %d rounds", b.bwProbeWait, b.roundsSinceBWProbe)
		}
		sum += b.bwProbeWait
		rounds += b.roundsSinceBWProbe
	}
	if mean := sum / 1000; mean < 2400*time.Millisecond || mean > 2600*time.Millisecond || rounds < 400 || rounds > 600 {
		t.Errorf("mean wait %v, %d of 1000 begin with a round", mean, rounds)
	}
	o := bbr{lots: 5}
	o.pickProbeWait()
	q := bbr{lots: 5}
	if q.pickProbeWait(); q.bwProbeWait != o.bwProbeWait {
		t.Error("the same seed draws other lots")
	}
}

// 5.3.1.2: "if BBR counts several (three) non-application-limited rounds where attempts to significantly increase the delivery
// rate actually result in little increase (less than 25 percent), then it estimates that it has fully utilized the per-flow
// available bandwidth"; 5.3.2; 5.3.3.1.
func TestBBRStartup(t *testing.T) {
	p := newBBRPath(100 * time.Millisecond)
	// 5.6.2: "C.pacing_rate = BBR.StartupPacingGain * nominal_bandwidth".
	if want := uint64(2.77 * 10 * bbrTestMSS * 10); p.s.PacingRate != want {
		t.Errorf("initial pacing rate %d, want %d", p.s.PacingRate, want)
	}
	limited := func(r *RateSample) { r.Limited = true }
	for i, row := range []struct {
		n, inFlight int
		f           func(*RateSample)
		want        bbrState
	}{
		{10, 20, nil, bbrStartup},
		{20, 40, nil, bbrStartup},
		{40, 80, nil, bbrStartup},
		{45, 90, nil, bbrStartup},       // first round without much growth
		{30, 90, limited, bbrStartup},   // does not count
		{48, 90, nil, bbrStartup},       // second
		{49, 90, nil, bbrDrain},         // third
		{49, 80, nil, bbrDrain},         // 5.3.2: more than the BDP of 49 is in flight
		{49, 49, nil, bbrProbeBWCruise}, // ProbeBW_DOWN is left in the same ACK: the queue is empty
	} {
		p.round(row.n, row.inFlight, row.f)
		if p.b.state != row.want {
			t.Fatalf("row %d: %v, want %v", i, p.b.state, row.want)
		}
	}
	if !p.b.fullBWReached || p.b.maxBW != 490_000 {
		t.Errorf("full_bw_reached %v, max_bw %d", p.b.fullBWReached, p.b.maxBW)
	}
	// 5.6.1: CRUISE: pacing gain 1.0, less the margin of 1 %.
	if want := uint64(490_000 * 99 / 100); p.s.PacingRate != want {
		t.Errorf("pacing rate in CRUISE %d, want %d", p.s.PacingRate, want)
	}
}

// cruising returns a path with a BDP of 100 segments and a bbr in CRUISE.
func cruising(t *testing.T) *bbrPath {
	t.Helper()
	p := newBBRPath(100 * time.Millisecond)
	for range 5 {
		p.round(100, 200, nil)
	}
	if p.round(100, 100, nil); p.b.state != bbrProbeBWCruise {
		t.Fatal(p.b.state)
	}
	return p
}

// 5.3.1.3: the loss rate exceeds 2 % in a round trip of fast recovery, in at least six places.
func TestBBRStartupHighLoss(t *testing.T) {
	for _, row := range []struct {
		name         string
		places, lost int
		state        RecoveryState
		noSACK       bool
		want         bbrState
	}{
		{"high loss", 6, 6, stateRecovery, false, bbrDrain},
		{"too few places", 5, 6, stateRecovery, false, bbrStartup},
		{"low rate", 6, 4, stateRecovery, false, bbrStartup},
		{"not in recovery", 6, 6, stateDisorder, false, bbrStartup},
		{"without SACK", 1, 1, stateRecovery, true, bbrDrain},
	} {
		p := newBBRPath(100 * time.Millisecond)
		for n := 25; n <= 200; n *= 2 {
			p.round(n, 2*n, nil)
		}
		p.s.SACK = !row.noSACK
		p.s.State = row.state
		for k := range row.places {
			p.b.Lost(&p.s, LostSegment{Seq: Seq(k * 5000), End: Seq(k*5000 + 1000), SentInFlight: 200, LostSince: 1})
		}
		lose := func(r *RateSample) { r.LostSince, r.SentInFlight = row.lost, 200 }
		p.round(300, 400, lose)
		if p.b.state != row.want {
			t.Errorf("%s: %v, want %v", row.name, p.b.state, row.want)
		}
	}
}

// 5.3.3.6: the cycle of ProbeBW, and its gains by 5.6.1.
func TestBBRProbeBWCycle(t *testing.T) {
	p := cruising(t)
	rounds := 0
	for ; p.b.state == bbrProbeBWCruise; rounds++ {
		p.round(100, 100, nil)
	}
	if took := time.Duration(rounds) * p.rtt; took < 1900*time.Millisecond || took > 3100*time.Millisecond {
		t.Errorf("CRUISE lasted %v", took)
	}
	for i, row := range []struct {
		n, inFlight int
		was         bbrState
		gain        int
	}{
		{100, 100, bbrProbeBWRefill, 100}, // 5.3.3.3: "exits ProbeBW_REFILL after one packet-timed round trip"
		{125, 125, bbrProbeBWUp, 125},     // 25 % more: the rate is still growing
		{126, 150, bbrProbeBWUp, 125},
		{126, 150, bbrProbeBWUp, 125},
		{126, 150, bbrProbeBWUp, 125}, // the third round without growth
		{126, 140, bbrProbeBWDown, 90},
		{126, 125, bbrProbeBWDown, 90}, // now what is in flight is the BDP
	} {
		if p.b.state != row.was || p.b.pacingGain != row.gain {
			t.Fatalf("row %d: %v with %d %%, want %v with %d %%", i, p.b.state, p.b.pacingGain, row.was, row.gain)
		}
		p.round(row.n, row.inFlight, nil)
	}
	if p.b.state != bbrProbeBWCruise || p.b.maxBW != 1_260_000 {
		t.Errorf("%v, max_bw %d", p.b.state, p.b.maxBW)
	}
}

// 5.5.6: "Each time through the Probe bw cycle, one round trip after exiting ProbeBW_UP …, BBR increments BBR.cycle_count": a path that
// has become slower after Startup is known to be when the next probe is over, and not before.
func TestBBRForgetsBandwidth(t *testing.T) {
	p := cruising(t)
	round := func() { p.round(60, min(60, p.s.Window), nil) }
	for rounds := 0; p.b.state != bbrProbeBWUp && rounds < 100; rounds++ {
		round()
	}
	if p.b.state != bbrProbeBWUp || p.b.maxBW != 1_000_000 {
		t.Fatalf("%v, max_bw %d", p.b.state, p.b.maxBW)
	}
	for range 6 {
		round()
	}
	if p.b.isProbingBW() || p.b.maxBW != 600_000 {
		t.Errorf("%v, max_bw %d after the probe", p.b.state, p.b.maxBW)
	}
}

// 5.3.3.5.2: "T_reno = min(reno_bdp, T_reno_bound) round trips": a small BDP is probed sooner.
func TestBBRRenoCoexistence(t *testing.T) {
	p := newBBRPath(10 * time.Millisecond)
	for range 5 {
		p.round(20, 40, nil)
	}
	p.round(20, 12, nil)
	rounds := 0
	for ; p.b.state == bbrProbeBWCruise; rounds++ {
		p.round(20, 12, nil)
	}
	if rounds < 17 || rounds > 20 {
		t.Errorf("CRUISE lasted %d round trips, with a BDP of 20", rounds)
	}
}

// 5.5.10.2: loss while probing bounds what is in flight: "max(RS.tx_in_flight, BBRTargetInflight() * BBR.Beta)", once a probe; and
// 5.6.4.7: CRUISE leaves headroom.
func TestBBRInflightTooHigh(t *testing.T) {
	p := cruising(t)
	for p.b.state != bbrProbeBWUp {
		p.round(100, 100, nil)
	}
	p.s.Window = 200
	p.b.Lost(&p.s, LostSegment{Seq: 1, End: 2, SentInFlight: 150, LostSince: 3, Limited: false})
	if p.b.state != bbrProbeBWUp {
		t.Fatal("2 % of loss are too much")
	}
	p.b.Lost(&p.s, LostSegment{Seq: 5, End: 6, SentInFlight: 150, LostSince: 4})
	if p.b.state != bbrProbeBWDown || p.b.inflightLongterm != 149 {
		t.Errorf("%v, inflight_longterm %d", p.b.state, p.b.inflightLongterm)
	}
	p.b.Lost(&p.s, LostSegment{Seq: 7, End: 8, SentInFlight: 120, LostSince: 9})
	if p.b.inflightLongterm != 149 {
		t.Errorf("inflight_longterm %d after a second reaction", p.b.inflightLongterm)
	}
	p.round(100, 100, nil)
	if p.b.state != bbrProbeBWCruise || p.s.Window > 149-149*15/100 {
		t.Errorf("%v, window %d", p.b.state, p.s.Window)
	}
}

// 5.5.10.3: "Upon the ACK at the end of each round that encountered a newly-marked loss, the flow updates its model".
func TestBBRLowerBounds(t *testing.T) {
	p := cruising(t)
	lose := func() { p.b.Lost(&p.s, LostSegment{Seq: 1, End: 2, SentInFlight: 100, LostSince: 1}) }
	p.round(90, 100, nil)
	if p.b.bwShortterm != bbrInfiniteBW {
		t.Fatal("a short-term bound without loss")
	}
	lose()
	p.round(90, 100, nil)
	p.round(90, 90, nil)
	if want := uint64(900_000 * 100 / 99); p.b.bw != want || p.b.inflightShortterm < 90 || p.b.inflightShortterm > 210 {
		t.Errorf("bw %d, want %d; inflight_shortterm %d", p.b.bw, want, p.b.inflightShortterm)
	}
	// The bound sinks by no more than BBR.Beta in a round trip.
	before := p.b.bwShortterm
	lose()
	p.round(10, 10, nil)
	lose()
	p.round(10, 10, nil)
	if p.b.bwShortterm < percent(before, 70*70/100-1) {
		t.Errorf("bw_shortterm %d after %d", p.b.bwShortterm, before)
	}
	// REFILL forgets it: 5.3.3.3.
	for p.b.state != bbrProbeBWRefill {
		p.round(50, 50, nil)
	}
	if p.b.bwShortterm != bbrInfiniteBW || p.b.inflightShortterm != bbrInfinite {
		t.Error("the short-term model is still there in REFILL")
	}
}

// 5.3.4.1: after five seconds without a lower round-trip time half of the BDP is in flight, for 200 ms and a round trip.
func TestBBRProbeRTT(t *testing.T) {
	p := cruising(t)
	p.rtt = 110 * time.Millisecond // a queue
	start := p.s.Now
	for p.b.state != bbrProbeRTT {
		p.round(110, 110, nil)
	}
	if d := p.s.Now.Sub(start); d < 4*time.Second || d > 5200*time.Millisecond {
		t.Errorf("ProbeRTT after %v", d)
	}
	if !p.s.markLimited || p.s.Window > 55 {
		t.Errorf("marked as limited %v, window %d", p.s.markLimited, p.s.Window)
	}
	start = p.s.Now
	for p.b.state == bbrProbeRTT {
		p.round(50, 50, func(r *RateSample) { r.Limited = true })
	}
	if d := p.s.Now.Sub(start); d < 200*time.Millisecond || d > 600*time.Millisecond {
		t.Errorf("ProbeRTT lasted %v", d)
	}
	if p.b.state != bbrProbeBWCruise || p.s.Window < 150 {
		t.Errorf("%v with a window of %d after ProbeRTT", p.b.state, p.s.Window)
	}
}

// 5.3.4.2: "when restarting from idle and finding that the BBR.probe_rtt_min_delay has expired, BBR does not enter ProbeRTT";
// 5.4.1: it "paces packets at exactly BBR.bw".
func TestBBRRestartFromIdle(t *testing.T) {
	p := cruising(t)
	p.s.Now = p.s.Now.Add(20 * time.Second)
	p.s.InFlight, p.s.AppLimited, p.s.PacingRate = 0, true, 5
	p.b.Event(&p.s, EventStart)
	if p.s.PacingRate != percent(p.b.bw, 99) {
		t.Errorf("pacing rate %d", p.s.PacingRate)
	}
	p.round(10, 10, func(r *RateSample) { r.Limited = true })
	if p.b.state == bbrProbeRTT || p.b.maxBW != 1_000_000 {
		t.Errorf("%v, max_bw %d", p.b.state, p.b.maxBW)
	}
}

// 5.5.11.2: "BBR restores aspects of its state to their previously saved values".
func TestBBRSpuriousLoss(t *testing.T) {
	p := cruising(t)
	for p.b.state != bbrProbeBWUp {
		p.round(100, 100, nil)
	}
	window := p.s.Window
	if th := p.b.Reduce(&p.s); th != unlimited {
		t.Errorf("a threshold of %d", th)
	}
	p.b.StateChanged(&p.s, stateRecovery)
	p.s.State = stateRecovery
	p.b.Lost(&p.s, LostSegment{Seq: 1, End: 2, SentInFlight: 120, LostSince: 30})
	if p.b.state != bbrProbeBWDown {
		t.Fatal(p.b.state)
	}
	p.s.Window = 20
	if w := p.b.Undo(&p.s); w < window || p.b.state != bbrProbeBWUp || p.b.inflightLongterm != bbrInfinite {
		t.Errorf("window %d, was %d; %v; inflight_longterm %d", w, window, p.b.state, p.b.inflightLongterm)
	}
}

// 5.6.4.4: "When BBR exits loss recovery it restores C.cwnd to the "last known good" value": after a timeout too, and the window of
// one segment in between does not become a bound.
func TestBBRTimeout(t *testing.T) {
	p := cruising(t)
	window := p.s.Window
	p.b.Reduce(&p.s)
	p.s.Window = 1
	p.b.StateChanged(&p.s, stateLoss)
	p.s.State = stateLoss
	p.b.Lost(&p.s, LostSegment{Seq: 1, End: 2, SentInFlight: 100, LostSince: 1})
	p.round(1, 4, nil)
	if p.s.Window < bbrMinPipeCwnd || p.s.Window > 10 {
		t.Errorf("window %d after a timeout", p.s.Window)
	}
	p.round(4, 8, nil)
	p.b.StateChanged(&p.s, stateOpen)
	p.s.State = stateOpen
	p.round(8, 8, nil)
	if p.s.Window < window*4/10 {
		t.Errorf("window %d after recovery, %d before", p.s.Window, window)
	}
}

// 3.7: "the congestion controller response MUST treat any CE marks as congestion."
func TestBBRMark(t *testing.T) {
	p := newBBRPath(100 * time.Millisecond)
	for n := 25; n <= 200; n *= 2 {
		p.round(n, 2*n, nil)
	}
	p.s.ECN = true
	p.b.Reduce(&p.s)
	p.round(200, 400, nil)
	if p.b.state != bbrDrain || p.b.inflightLongterm > 210 {
		t.Errorf("%v, inflight_longterm %d", p.b.state, p.b.inflightLongterm)
	}
	p = cruising(t)
	p.round(80, 80, nil)
	p.s.ECN = true
	p.b.Reduce(&p.s)
	p.round(80, 80, nil)
	if p.b.bw >= 1_000_000 {
		t.Errorf("bw %d after a mark", p.b.bw)
	}
}

// An ACK costs no memory.
func TestBBRAllocates(t *testing.T) {
	p := cruising(t)
	if n := testing.AllocsPerRun(1000, func() { p.round(100, 100, nil) }); n != 0 {
		t.Errorf("%v allocations an ACK", n)
	}
}
