package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// hystart ends slow start before the queue overflows, as Linux does it in CUBIC: HyStart of Ha and Rhee (2011), which RFC
// 9406 derives from. In each round trip it looks at two things: whether the delay has grown over the least one, and
// whether the ACKs come back in a train longer than half of it. Where RFC 9406 goes on more slowly, in its phase of
// Conservative Slow Start, this ends slow start at once.
type hystart struct {
	least   time.Duration // least delay seen
	found   bool          // slow start was ended
	start   clock.Instant // of the round,
	end     Seq           // and SND.NXT then
	last    clock.Instant // when the train's last ACK came
	current time.Duration // the round's least delay, if samples is not 0
	samples int
}

const (
	hystartWindow  = 16 // segments below which it does nothing; RFC 9406, 4.2, has no such bound
	hystartSamples = 8  // RFC 9406, 4.2: "N_RTT_SAMPLE = 8"
	hystartSpacing = 2 * time.Millisecond
)

// reset begins a round.
func (h *hystart) reset(s *Sender) {
	h.start, h.last, h.end = s.Now, s.Now, s.Next
	h.current, h.samples = 0, 0
}

// sample takes the delay of an ACK in.
func (h *hystart) sample(s *Sender, rtt time.Duration) {
	if h.least == 0 || rtt < h.least {
		h.least = rtt
	}
	if h.found || !s.SlowStart() || s.Window < hystartWindow {
		return
	}
	if h.end.Less(s.Una) {
		h.reset(s)
	}
	if s.Now.Sub(h.last) <= hystartSpacing {
		h.last = s.Now
		long := h.least + h.burst(s)
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
	} else if h.current > h.least+min(max(h.least/8, 4*time.Millisecond), 16*time.Millisecond) {
		// RFC 9406, 4.2: "RttThresh = max(MIN_RTT_THRESH, min(lastRoundMinRTT / MIN_RTT_DIVISOR, MAX_RTT_THRESH))", with 4
		// and 16 ms, and a divisor of 8.
		h.leave(s)
	}
}

// burst is how long the largest burst takes at the pacing rate: that much longer trains may be without a queue.
func (h *hystart) burst(s *Sender) time.Duration {
	const octets = 64 << 10 * 4
	if s.PacingRate == 0 {
		return 0
	}
	return min(time.Duration(octets*uint64(time.Second)/s.PacingRate), time.Millisecond)
}

func (h *hystart) leave(s *Sender) {
	h.found = true
	s.Threshold = s.Window
}
