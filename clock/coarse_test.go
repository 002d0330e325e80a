package clock

import (
	"testing"
	"time"
)

func TestCoarse(t *testing.T) {
	rt := NewReal()
	const ms = Instant(time.Millisecond)
	seen := make(map[Instant]bool)
	for at := 100 * ms; at < 110*ms; at += 1001 {
		for _, left := range []Instant{-ms, 0, ms - 1, ms, 2 * ms, 3*ms + 1, 10 * ms, 90 * ms} {
			c := Coarse(rt, at-left, at)
			switch late := c - at; {
			case late < 0 || late > max(0, left)/2 || late >= 1<<20 || left < ms && late != 0:
				t.Fatalf("%d ns left: %d ns late", left, late)
			case left == 90*ms:
				seen[c] = true
			}
		}
	}
	if len(seen) > 11 {
		t.Errorf("timers over 10 ms expire at %d instants", len(seen))
	}
	if c := Coarse(rt, 0, Never); c != Never {
		t.Errorf("never is %d", c)
	}
	if c := Coarse(NewSim(1).Runtime(1), 0, 90*ms+1); c != 90*ms+1 {
		t.Errorf("in a simulation it is %d", c)
	}
}
