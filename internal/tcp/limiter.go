package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// limiter bounds how often a connection answers segments which are not acceptable and carry no data: RFC 5961, 7: "An
// implementation SHOULD include an ACK throttling mechanism to be conservative." It keeps two ends that disagree from
// answering each other for ever. The bound is on time, as Linux's, so that what answers one segment is not used up by
// others long ago.
type limiter struct {
	used bool
	last clock.Instant
}

// allow reports whether gap has passed since it last said so.
func (l *limiter) allow(now clock.Instant, gap time.Duration) bool {
	if l.used && now.Sub(l.last) < gap {
		return false
	}
	l.used, l.last = true, now
	return true
}

// challenge sends an ACK in answer to a segment that may be forged, within bounds: RFC 5961, 3.2: "If the RST bit is
// set and the sequence number does not exactly match the next expected sequence value, yet is within the current
// receive window, … TCP MUST send an acknowledgment (challenge ACK)". The caller may bound those of all
// connections, by [Segment.Challenge].
func (c *TCB) challenge(now clock.Instant) {
	if c.challenges.allow(now, c.cfg.InvalidRateLimit) {
		c.rcv.challenge = !c.rcv.ackNow
		c.rcv.ackNow = true
	}
}
