package ip

import (
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

func settable(t *testing.T) *Layer {
	sim := clock.NewSim(1)
	t.Cleanup(sim.Stop)
	l := New(Config{Runtime: sim.Runtime(1)})
	t.Cleanup(func() { l.Close() })
	return l
}

// Forwarding is a setting of each family that changes while the layer works, and routers join groups of their own.
func TestForwardingChanges(t *testing.T) {
	l := settable(t)
	member := func(a wire.Addr) bool {
		return l.Snapshot().Interfaces[0].Member(a)
	}
	for _, c := range []struct{ four, six bool }{{true, false}, {false, true}, {true, true}, {false, false}} {
		l.Configure(func(s *Settings) { s.Forward4, s.Forward6 = c.four, c.six })
		if member(wire.AllRouters4) != c.four || member(wire.AllRouters6) != c.six {
			t.Errorf("%+v: groups %v", c, l.Snapshot().Interfaces[0].Groups)
		}
	}
}

// RFC 1122, 3.2.1.7: "When a fixed TTL value is used, it MUST be configurable." RFC 4861, 6.3.2: "CurHopLimit".
func TestHopLimitChanges(t *testing.T) {
	l := settable(t)
	l.Configure(func(s *Settings) { s.TTL, s.HopLimit = 33, 44 })
	if s := l.Settings(); s.hopLimit(true) != 33 || s.hopLimit(false) != 44 {
		t.Error(s)
	}
}
