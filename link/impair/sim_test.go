package impair

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link/linktest"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
)

// A simulated exchange over a bad link is the same, frame by frame, whenever it runs from the same seed.
func TestSimulationRepeats(t *testing.T) {
	run := func(seed uint64) (log []string) {
		sim := clock.NewSim(seed)
		rt := sim.Runtime(1)
		x, y := mem.Pair(mem.Config{Runtime: rt})
		bad := Path{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond, Rate: 1e6, Queue: 20,
			Loss: 0.05, Reorder: 0.05, Duplicate: 0.05, Corrupt: 0.05}
		l := New(rt, x, Config{Egress: bad, Ingress: bad, Observe: func(e *Event) {
			log = append(log, fmt.Sprint(e.At, e.Direction, e.Kind))
		}})
		l.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
			log = append(log, fmt.Sprint(rt.Now(), " in ", p.Bytes()[14:]))
			p.Free()
		}})
		y.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
			log = append(log, fmt.Sprint(rt.Now(), " out ", p.Bytes()[14:]))
			y.Send(0, batch(p)) // back
		}})
		seq := uint32(0)
		var tick clock.Timer
		tick = rt.NewTimer(func(now clock.Instant) {
			l.Send(0, batch(linktest.Frame(l.Info(), y.Info(), 0, seq, 64+int(seq)%100)))
			if seq++; seq < 2000 {
				tick.Reset(now.Add(time.Millisecond))
			}
		})
		tick.Reset(0)
		sim.RunUntilIdle()
		l.Attach(nil)
		l.Close()
		y.Close()
		return log
	}
	first := run(1)
	if len(first) < 3000 {
		t.Errorf("only %d lines happened", len(first))
	}
	if !slices.Equal(first, run(1)) {
		t.Error("the same seed gave another run")
	}
	if slices.Equal(first, run(2)) {
		t.Error("another seed gave the same run")
	}
}
