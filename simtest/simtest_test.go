package simtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/simtest"
)

// judge is a testing.TB that notes what it is told.
type judge struct {
	testing.TB
	errors []string
}

func (j *judge) Errorf(format string, args ...any) {
	j.errors = append(j.errors, fmt.Sprintf(format, args...))
}

func TestReplayFindsWhatDoesNotFollowFromTheSeed(t *testing.T) {
	runs := 0
	run := func(delay func() time.Duration) []string {
		j := &judge{TB: t}
		simtest.Replay(j, 7, func(_ testing.TB, n *sim.Network) {
			if n.Seed() != 7 {
				t.Errorf("seed %d", n.Seed())
			}
			runs++
			a, b := n.Host("a"), n.Host("b")
			n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: delay()})
			n.RunFor(10 * time.Second)
		})
		return j.errors
	}
	if errs := run(func() time.Duration { return time.Millisecond }); len(errs) > 0 || runs != 2 {
		t.Errorf("%d runs, %q", runs, errs)
	}
	d := time.Millisecond
	errs := run(func() time.Duration { d++; return d })
	if len(errs) != 1 || !strings.Contains(errs[0], "seed 7 does not replay") {
		t.Errorf("a delay that changes from run to run: %q", errs)
	}
}
