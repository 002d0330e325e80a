package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// hystartClassic ends slow start before the queue overflows, as Linux does it in CUBIC: HyStart of Ha and Rhee (2011), which
// RFC 9406 derives from. In each round trip it looks at two things: whether the delay has grown over the least one, and
// whether the ACKs come back in a train longer than half of it. Where RFC 9406 goes on more slowly, in its phase of
// Conservative Slow Start, this ends slow start at once. Config.HyStart chooses it.
type hystartClassic struct {
	found   bool          // slow start was ended
	start   clock.Instant // of the round,
	end     Seq           // and SND.NXT then
	last    clock.Instant // when the train's last ACK came
	current time.Duration // the round's least delay, if samples is not 0
	samples int
}

const (
	classicWindow  = 16 // segments below which it does nothing
	classicSpacing = 2 * time.Millisecond
)

// reset begins a round.
func (h *hystartClassic) reset(s *Sender) {
	h.start, h.last, h.end = s.Now, s.Now, s.Next
	h.current, h.samples = 0, 0
}

// sample takes the delay of an ACK in. The least one seen is least.
func (h *hystartClassic) sample(s *Sender, rtt, least time.Duration) {
	if h.found || !s.SlowStart() {
		return
	}
	if h.end.Less(s.Una) {
		h.reset(s) // rounds are counted below classicWindow too
	}
	if s.Window < classicWindow {
		return
	}
	if s.Now.Sub(h.last) <= classicSpacing {
		h.last = s.Now
		long := least + h.burst(s)
		if !s.Paced {
			long /= 2 // pacing itself makes trains of half the delay
		}
		if s.Now.Sub(h.start) > long {
			h.leave(s)
		}
	}
	if h.samples == 0 || rtt < h.current {
		h.current = rtt
	}
	if h.samples < hystartSamples {
		h.samples++
	} else if h.current > least+hystartThreshold(least) {
		h.leave(s)
	}
}

// burst is how long the largest burst takes at the pacing rate: that much longer trains may be without a queue.
func (h *hystartClassic) burst(s *Sender) time.Duration {
	const octets = 64 << 10 * 4
	if s.PacingRate == 0 {
		return 0
	}
	return min(time.Duration(octets*uint64(time.Second)/s.PacingRate), time.Millisecond)
}

func (h *hystartClassic) leave(s *Sender) {
	h.found = true
	s.note(PathHyStartLinux)
	s.Threshold = s.Window
}
