package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// pacer spreads what is sent over time, by the time of departure: after each burst the next one has to wait as long as the
// burst takes at the pacing rate; bursts are of a millisecond, or a few segments (burstSize). RFC 9937, 6.4, and RFC 9002 recommend it, and congestion controls that work
// by rate need it. Here it is on for those, and where the user bounds the rate (SO_MAX_PACING_RATE).
type pacer struct {
	next   clock.Instant // when the next burst may leave
	octets int           // of data, in the burst under way
	sent   int           // segments, as far as pacerBurst: the first ones are not held
	waits  bool          // data has waited for next
}

// pacerBurst is the segment of a connection with which pacing begins.
const pacerBurst = 10

// maxLate is how much of a timer's lateness is made up for. In user space a timer is late by a millisecond as a rule, which is
// the time of a whole burst: were it lost, the rate would be the half of what is asked for.
const maxLate = 4 * time.Millisecond

// departed takes in that n octets, a header included, have left now, at rate octets a second. Time that was lost because
// the timer came late is made up for; where nothing had waited, it is by as much as half of what they take, as with Linux.
func (p *pacer) departed(now clock.Instant, n int, rate uint64) {
	if p.sent < pacerBurst {
		p.next = now
		return
	}
	d := time.Duration(float64(n) * float64(time.Second) / float64(rate))
	if late := now.Sub(p.next); late > 0 {
		if p.waits {
			d -= min(late, maxLate)
		} else {
			d -= min(late, d/2)
		}
		p.next = now
	}
	p.next = p.next.Add(d)
	p.waits = false
}

// pacingRate returns the rate at which segments leave, in octets a second; 0: they are not held.
func (c *TCB) pacingRate() uint64 {
	if c.cfg.MaxPacingRate == 0 && !c.controls {
		return 0
	}
	return c.boundedRate()
}

// boundedRate returns the rate of the congestion control, as far as the user admits it.
func (c *TCB) boundedRate() uint64 {
	limit, rate := c.cfg.MaxPacingRate, c.cw.PacingRate
	switch {
	case limit == 0:
		return rate
	case rate == 0:
		return limit
	}
	return min(limit, rate)
}

// held reports whether a segment with data has to wait for its time of departure, and then sets the timer.
func (c *TCB) held(now clock.Instant) bool {
	if c.pace.next <= now || c.pace.octets > 0 || c.pacingRate() == 0 {
		return false
	}
	c.timers[paceTimer] = c.pace.next
	c.pace.waits = true
	return true
}

// paced takes in that a segment with n octets of data is sent; ends: it is the last one of a burst.
func (c *TCB) paced(now clock.Instant, n int, ends bool) {
	p, rate := &c.pace, c.pacingRate()
	if p.sent < pacerBurst {
		p.sent++
	}
	if rate == 0 {
		p.octets = 0
		return
	}
	if p.octets += n; ends {
		p.departed(now, p.octets+c.pacedHeader(rate), rate)
		p.octets = 0
	}
}

// pacedHeader is how many octets of header a segment has with IPv4, as Linux counts them in what the user bounds. A
// congestion control that sets the rate has measured data alone, and its rate is one of data: else each of its rounds would
// find the path a little slower than the one before.
func (c *TCB) pacedHeader(rate uint64) int {
	if c.controls && rate == c.cw.PacingRate {
		return 0
	}
	n := 40
	if c.ts.on {
		n += timestampsLen
	}
	return n
}
