package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// limiter bounds the ACKs that answer segments which are not acceptable and carry no data: RFC 5961, 7: "in any 5
// second window, no more than 10 challenge ACKs should be sent". It keeps two ends that disagree from answering each
// other for ever.
type limiter struct {
	since clock.Instant
	count uint8
}

const (
	challengeWindow = 5 * time.Second
	challengeLimit  = 10
)

func (l *limiter) allow(now clock.Instant) bool {
	if l.count == 0 || now.Sub(l.since) >= challengeWindow {
		l.since, l.count = now, 0
	}
	if l.count >= challengeLimit {
		return false
	}
	l.count++
	return true
}

// challenge sends an ACK in answer to a segment that may be forged, within bounds: RFC 5961, 3.2: "If the RST bit is
// set and the sequence number does not exactly match the next expected sequence value, yet is within the current
// receive window, TCP endpoints MUST send an acknowledgment (challenge ACK)".
func (c *TCB) challenge(now clock.Instant) {
	if c.challenges.allow(now) {
		c.rcv.ackNow = true
	}
}
