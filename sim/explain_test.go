package sim_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink/sim"
)

// explainedCases is how many packets TestExplainIsWhatIsSent explains and sends, in so many networks.
const (
	explainedCases    = 10_000
	explainedNetworks = 100
)

// What Explain says is what is sent then: the errno that a program gets, or, frame for frame, the interface, the link-layer addresses,
// the solicitation that goes first, and every field of the internet header and of the ports that does not change from packet
// to packet.
func TestExplainIsWhatIsSent(t *testing.T) {
	met := map[string]int{}
	for seed := range uint64(explainedNetworks) {
		n := sim.New(seed)
		x := newExplained(n, seed)
		n.RunFor(5 * time.Second)
		x.host.Go("listener", func() { x.listen(t) })
		done := false
		x.host.Go("app", func() {
			defer func() { done = true }()
			for range explainedCases / explainedNetworks {
				for range x.IntN(4) {
					x.shake()
				}
				c := x.aCase()
				c.try(t, met)
				if t.Failed() {
					return
				}
				x.host.Sleep(x.pause())
			}
		})
		n.RunUntil(24*time.Hour, func() bool { return done })
		n.Stop()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, what := range explainedWanted {
		if met[what] == 0 {
			t.Errorf("no case of %s", what)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(met)) {
		t.Logf("%6d %s", met[k], k)
	}
}

// pause returns how long to wait: neighbors answer, or are given up, grow stale, and addresses end.
func (x *explained) pause() time.Duration {
	if x.IntN(20) == 0 {
		return 40 * time.Second
	}
	return []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 20 * time.Millisecond, time.Second, 3 * time.Second}[x.IntN(6)]
}
