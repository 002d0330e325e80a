package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// xmitKind says what the retransmission timer is for at present: RFC 8985, 8: "An implementation is expected to have one
// timer with an additional state variable indicating the type of the timer."
type xmitKind uint8

const (
	xmitNone    xmitKind = iota
	xmitRTO              // retransmission timeout (RFC 6298)
	xmitProbe            // tail loss probe
	xmitReorder          // reordering timer
)

// setXmit sets the timer.
func (c *TCB) setXmit(now clock.Instant, k xmitKind, d time.Duration) {
	c.xmit = k
	c.timers[rexmtTimer] = now.Add(max(min(d, c.cfg.MaxRTO), 0))
}

// clearXmit turns it off: RFC 6298, 5.2: "When all outstanding data has been acknowledged, turn off the retransmission
// timer."
func (c *TCB) clearXmit() {
	c.xmit = xmitNone
	c.timers[rexmtTimer] = clock.Never
}

// setRTO sets the timer to the retransmission timeout, from now.
func (c *TCB) setRTO(now clock.Instant) {
	c.xmit = xmitRTO
	c.timers[rexmtTimer] = c.within(now, c.rtt.timeout(c.cfg))
}

// rearmRTO sets the timer to the retransmission timeout: RFC 6298, 5.3: "When an ACK is received that acknowledges new
// data, restart the retransmission timer so that it will expire after RTO seconds"; but if it served another purpose since,
// the time since the first segment was sent counts.
func (c *TCB) rearmRTO(now clock.Instant) {
	switch {
	case c.board.empty():
		c.clearXmit()
	case c.xmit == xmitReorder || c.xmit == xmitProbe:
		at := c.board.first().at.Add(c.rtt.timeout(c.cfg))
		c.setXmit(now, xmitRTO, max(at.Sub(now), time.Millisecond))
	default:
		c.setRTO(now)
	}
}

// xmitTimeout is the timer's expiry.
func (c *TCB) xmitTimeout(now clock.Instant) {
	kind := c.xmit
	c.noteLimited()
	switch {
	case !c.state.synchronized():
		c.xmit = xmitNone
		c.synTimeout(now)
	case kind == xmitProbe:
		c.probeTimeout(now)
	case kind == xmitReorder:
		c.reorderTimeout(now)
	default:
		c.xmit = xmitNone
		c.rexmitTimeout(now)
	}
}
