package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// minFilter is the least of the samples of a sliding window of time: Kathleen Nichols' algorithm, which keeps the best
// sample and the best of what came after it, twice. RFC 8985, 6.2, step 1: "The sender SHOULD track a windowed
// min-filtered estimate of recent RTT measurements that can adapt when migrating to significantly longer paths".
type minFilter struct{ best [3]timed }

// timed is a sample and when it was taken.
type timed struct {
	at clock.Instant
	d  time.Duration
}

// get returns the least sample of the window, or 0 before the first.
func (f *minFilter) get() time.Duration { return f.best[0].d }

// add takes a sample of more than 0 in.
func (f *minFilter) add(now clock.Instant, d, window time.Duration) {
	s := timed{now, d}
	b := &f.best
	if b[0].d == 0 || d <= b[0].d || now.Sub(b[2].at) > window {
		b[0], b[1], b[2] = s, s, s // a new minimum, or nothing is left in the window
		return
	}
	if d <= b[1].d {
		b[1], b[2] = s, s
	} else if d <= b[2].d {
		b[2] = s
	}
	switch age := now.Sub(b[0].at); {
	case age > window:
		// The best has left the window: those after it move up.
		b[0], b[1], b[2] = b[1], b[2], s
		if now.Sub(b[0].at) > window {
			b[0], b[1], b[2] = b[1], b[2], s
		}
	case b[1].at == b[0].at && age > window/4:
		b[1], b[2] = s, s // a second choice from the second quarter of the window
	case b[2].at == b[1].at && age > window/2:
		b[2] = s // and a third one from its second half
	}
}
