// Package simtest helps tests of simulated networks: it runs each twice and holds it to its word that it replays.
package simtest

import (
	"testing"

	"github.com/onlink-go/onlink/sim"
)

// Replay calls run twice, each time with a new network of the same seed, and fails the test if the trace hashes
// differ: then something in it does not follow from the seed. run builds the network, lets time pass and checks
// what came of it; Replay stops it.
func Replay(t testing.TB, seed uint64, run func(t testing.TB, n *sim.Network)) {
	t.Helper()
	first := once(t, seed, run)
	if again := once(t, seed, run); again != first {
		t.Errorf("seed %d does not replay: trace hash %s, then %s", seed, first, again)
	}
}

func once(t testing.TB, seed uint64, run func(t testing.TB, n *sim.Network)) string {
	t.Helper()
	n := sim.New(seed)
	defer n.Stop()
	run(t, n)
	return n.Hash()
}
