package neigh

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Deadline returns when Timeout next has something to do, or clock.Never.
func (c *Cache) Deadline() clock.Instant { return c.timers.first() }

// Timeout does what is due.
func (c *Cache) Timeout(now clock.Instant) {
	for c.timers.first() <= now {
		c.expire(now, c.timers.heap[0].entry)
	}
}

// arm sets e's one timer.
func (c *Cache) arm(e *Entry, at clock.Instant) {
	e.timer.entry = e
	c.timers.set(&e.timer, at)
}

// expire is e's timer. It sets the timer for later than now, or removes e.
func (c *Cache) expire(now clock.Instant, e *Entry) {
	switch c.settle(now, e) {
	case Reachable:
		// RFC 4861, 7.3.3: "When ReachableTime milliseconds have passed since receipt of the last reachability
		// confirmation for a neighbor, the Neighbor Cache entry's state changes from REACHABLE to STALE."
		if until := c.reachableUntil(now, e); now < until {
			c.arm(e, until)
			return
		}
		c.becomeStale(now, e, e.mac())

	case Delay:
		// 7.3.3: "If the entry is still in the DELAY state when the timer expires, the entry's state changes to
		// PROBE." And "A node MUST NOT send Neighbor Solicitations to the same neighbor more frequently than once
		// every RetransTimer milliseconds."
		if at := e.solicited.Add(c.cfg.RetransTimer); now < at {
			c.arm(e, at)
			return
		}
		c.set(now, e, Probe, e.mac())
		e.solicits = 0
		c.solicit(now, e)

	case Probe:
		// 7.3.3: "If no response is received after waiting RetransTimer milliseconds after sending the
		// MAX_UNICAST_SOLICIT solicitations, retransmissions cease and the entry SHOULD be deleted. Subsequent
		// traffic to that neighbor will recreate the entry and perform address resolution again."
		if e.solicits < c.cfg.MaxUnicastSolicit {
			c.solicit(now, e)
			return
		}
		c.fail(now, e, now)

	case Incomplete:
		// 7.2.2: "If no Neighbor Advertisement is received after MAX_MULTICAST_SOLICIT solicitations, address
		// resolution has failed."
		if e.solicits < c.cfg.MaxMulticastSolicit {
			c.solicit(now, e)
			return
		}
		c.fail(now, e, now.Add(c.cfg.HoldDown))

	case None, Stale, Failed:
		c.remove(now, e, unreachable(e.addr))
	}
}

// fail makes e FAILED; the packets that wait for it fail, and so do later ones before the instant retry.
func (c *Cache) fail(now clock.Instant, e *Entry, retry clock.Instant) {
	e.retry = retry
	c.set(now, e, Failed, wire.MAC{})
	c.arm(e, now.Add(c.cfg.FailedLifetime))
	c.giveUp(e, Fail, unreachable(e.addr))
}

// drawn returns the ReachableTime that was drawn last.
func (c *Cache) drawn() time.Duration {
	if c.cfg.Rand == nil {
		return c.cfg.BaseReachableTime
	}
	return c.reachable
}

// redrawInterval is how long a ReachableTime is used.
//
// RFC 4861, 6.3.4: "an implementation SHOULD ensure that a new random value gets re-computed at least once every
// few hours."
const redrawInterval = 2 * time.Hour

// reachableTime returns ReachableTime.
//
// RFC 4861, 6.3.2: "This value should be a uniformly distributed random value between MIN_RANDOM_FACTOR and
// MAX_RANDOM_FACTOR times BaseReachableTime milliseconds." They are .5 and 1.5.
func (c *Cache) reachableTime(now clock.Instant) time.Duration {
	if c.cfg.Rand == nil {
		return c.cfg.BaseReachableTime
	}
	if now >= c.redraw {
		base := c.cfg.BaseReachableTime
		c.reachable = base/2 + time.Duration(c.cfg.Rand()%uint64(base+1))
		c.redraw = now.Add(redrawInterval)
	}
	return c.reachable
}
