package clock

import "time"

// Coarse returns an instant at at or soon after, for a timer that may be late by that much: by half of its time, and about a
// millisecond at most. It is one that others get too, so that many timers in real time expire together. Each that expires by
// itself takes a goroutine, which Go's scheduler runs before the one that was about to go on with data that is still in the
// processor's cache. Timers of less than a millisecond are left alone, and those of a simulation, where it does not matter.
func Coarse(rt Runtime, now, at Instant) Instant {
	left := at.Sub(now)
	if _, is := rt.(*Real); !is || at == Never || left < time.Millisecond {
		return at
	}
	grid := Instant(1 << 20)
	for grid > Instant(left/2) {
		grid /= 2
	}
	return (at + grid - 1) &^ (grid - 1)
}
