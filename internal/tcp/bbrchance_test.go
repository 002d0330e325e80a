package tcp

import (
	"testing"
	"time"
)

// Three standard deviations: of a hundred segments of a path that loses 1 % five may be lost by chance, of a thousand twenty, which is
// BBRLossThresh; where nothing is lost otherwise, nothing is chance.
func TestBBRBeyondChance(t *testing.T) {
	for _, row := range []struct {
		lost, n int
		p       float64
		want    bool
	}{
		{4, 100, 0.01, false}, {5, 100, 0.01, true}, {6, 172, 0.01, true}, {5, 172, 0.01, false}, {19, 1000, 0.01, false},
		{20, 1000, 0.01, true}, {1, 100, 0, true}, {0, 100, 0, false}, {0, 0, 0.01, false},
	} {
		if got := beyondChance(row.lost, row.n, row.p); got != row.want {
			t.Errorf("%d lost of %d, %g: %v", row.lost, row.n, row.p, got)
		}
	}
}

// lossy lets n round trips of CRUISE pass in which lost of a hundred segments are lost, sent at the pacing rate.
func (p *bbrPath) lossy(n, lost int) {
	for range n {
		for k := range lost {
			p.b.Lost(&p.s, LostSegment{Seq: Seq(k * 5000), End: Seq(k*5000 + 1000), SentInFlight: 100, LostSince: k + 1})
		}
		sent := int(p.s.PacingRate+5*bbrTestMSS) / 10 / bbrTestMSS
		p.round(sent-lost, sent, nil)
	}
}

// seesQueue is cruising where the last probe has made a queue.
func seesQueue(t *testing.T) *bbrPath {
	t.Helper()
	p := cruising(t)
	p.b.longestRTT = p.rtt + 20*time.Millisecond
	return p
}

// 3.1: "Achieved with average packet loss rates of up to 1%": loss that goes on when less is sent, without a queue, no longer slows
// the flow. Where there is a queue, or none that could be seen, more loss, or a congestion mark, it does.
func TestBBRBackgroundLoss(t *testing.T) {
	for _, row := range []struct {
		name       string
		lost       int
		queue      time.Duration
		mark       bool
		unseen     bool
		least, top int // percent of max_bw
	}{
		{"at random", 1, 0, false, false, 96, 99},
		{"with a queue", 1, 10 * time.Millisecond, false, false, 0, 90},
		{"more than is tolerated", 4, 0, false, false, 0, 75},
		{"with a mark", 1, 0, true, false, 0, 94},
		{"where no queue is seen", 1, 0, false, true, 0, 93},
	} {
		p := seesQueue(t)
		if row.unseen {
			p.b.longestRTT = p.rtt
		}
		p.rtt += row.queue
		if row.mark {
			p.s.ECN = true
			p.b.Reduce(&p.s)
		}
		p.lossy(15, row.lost)
		if p.b.state != bbrProbeBWCruise {
			t.Fatal(p.b.state)
		}
		if got := int(100 * p.b.bw / p.b.maxBW); got < row.least || got > row.top {
			t.Errorf("%s: bw is %d %% of max_bw, want %d to %d", row.name, got, row.least, row.top)
		}
	}
}

// A probe that loses no more than CRUISE did, as far as chance goes, is not taken to have overfilled the path; with four segments
// lost of 150 more than BBRLossThresh are.
func TestBBRProbeChance(t *testing.T) {
	for _, row := range []struct {
		name         string
		cruise, lost int
		want         bbrState
	}{
		{"no loss before", 0, 4, bbrProbeBWDown},
		{"loss before", 1, 5, bbrProbeBWUp},
		{"loss before, and more now", 1, 6, bbrProbeBWDown},
	} {
		p := seesQueue(t)
		for p.b.state == bbrProbeBWCruise {
			p.lossy(1, row.cruise)
		}
		for p.b.state != bbrProbeBWUp {
			p.round(100, 100, nil)
		}
		p.b.Lost(&p.s, LostSegment{Seq: 1, End: 2, SentInFlight: 150, LostSince: row.lost})
		if p.b.state != row.want {
			t.Errorf("%s: %v, want %v", row.name, p.b.state, row.want)
		}
	}
}

// 5.3.3.5.3: "to reduce the sending rate by X%": a loss in DOWN, which sends at nine tenths, does not leave it at nine tenths, if the
// path is known to lose by itself, and no queue of others is still there when DOWN ends.
func TestBBRLossInDown(t *testing.T) {
	for _, row := range []struct {
		name       string
		background float64
		queue      time.Duration
		least, top int // percent of max_bw
	}{
		{"without a queue", 0.01, 0, 98, 100},
		{"with a queue", 0.01, 30 * time.Millisecond, 80, 91},
		{"without loss before", 0, 0, 80, 91},
	} {
		p := cruising(t)
		p.round(100, 100, nil) // so that this cycle's max_bw is kept
		p.b.background = row.background
		p.b.startProbeBWDown(&p.s)
		p.rtt += row.queue
		for range 3 {
			p.b.Lost(&p.s, LostSegment{Seq: 1, End: 2, SentInFlight: 100, LostSince: 1})
			p.round(int(89*p.rtt/(100*time.Millisecond)), 110, nil)
		}
		if p.b.state != bbrProbeBWDown {
			t.Fatal(p.b.state)
		}
		p.round(89, 80, nil)
		if got := int(100 * p.b.bw / p.b.maxBW); p.b.state != bbrProbeBWCruise || got < row.least || got > row.top {
			t.Errorf("%s: %v, bw is %d %% of max_bw, want %d to %d", row.name, p.b.state, got, row.least, row.top)
		}
	}
}

// The same of ProbeRTT, which halves what is in flight: the rates of the round trip after it are not the path's.
func TestBBRLossAfterProbeRTT(t *testing.T) {
	p := seesQueue(t)
	for rounds := 0; p.b.state != bbrProbeRTT; rounds++ {
		if rounds > 1000 {
			t.Fatal(p.b.state)
		}
		if p.b.state == bbrProbeBWUp {
			p.b.longestRTT = p.rtt + 20*time.Millisecond
		}
		if p.b.state == bbrProbeBWCruise {
			p.lossy(1, 1)
		} else {
			p.round(100, 100, nil)
		}
	}
	for p.b.state == bbrProbeRTT {
		p.round(50, 50, func(r *RateSample) { r.Limited = true })
	}
	p.b.Lost(&p.s, LostSegment{Seq: 1, End: 2, SentInFlight: 50, LostSince: 1})
	p.round(50, 100, func(r *RateSample) { r.Limited = true })
	if p.round(50, 100, nil); p.b.bw < percent(p.b.maxBW, 97) {
		t.Errorf("bw is %d of %d", p.b.bw, p.b.maxBW)
	}
}
