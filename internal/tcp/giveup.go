package tcp

import (
	"math"
	"math/bits"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// RFC 9293, 3.8.3: "There are two thresholds R1 and R2 measuring the amount of retransmission that has occurred for the
// same segment. R1 and R2 might be measured in time units or as a count of retransmissions (with the current RTO and
// corresponding backoffs as a conversion factor, if needed)." Of a handshake they are counts. Of data they are times: as
// long as so many retransmissions take that begin with the least timeout, so that a long path gets no longer than a short
// one.

// exhausted reports whether R2 is reached with what is retransmitted, or the user timeout is over.
func (c *TCB) exhausted(now clock.Instant) bool {
	late := c.cfg.UserTimeout > 0 && now.Sub(c.stuck) >= c.cfg.UserTimeout
	switch c.state {
	case SynSent:
		// It ends after the time of SYNRetries with back-off too, which comes first if the first ones were without.
		late = late || c.cfg.UserTimeout == 0 && now.Sub(c.stuck) >= backoffTime(c.cfg.InitialRTO, c.cfg.MaxRTO, c.cfg.SYNRetries)
		return late || c.retries >= c.cfg.SYNRetries+c.cfg.SYNLinear || c.lateToConnect(now)
	case SynReceived:
		return late || c.retries >= c.cfg.SYNACKRetries || c.lateToConnect(now)
	}
	if c.cfg.UserTimeout > 0 {
		return late // it replaces R2
	}
	limit := c.cfg.Retries
	if c.released {
		limit = c.orphanLimit()
	}
	return c.retriedFor(now, limit)
}

// lateToConnect reports whether the handshake has taken longer than it may.
func (c *TCB) lateToConnect(now clock.Instant) bool {
	return c.cfg.ConnectTimeout > 0 && now.Sub(c.stuck) >= c.cfg.ConnectTimeout
}

// orphanLimit is R2 of a connection that its user has let go of.
func (c *TCB) orphanLimit() int {
	alive := c.rtt.timeout(c.cfg) < c.cfg.MaxRTO
	switch {
	case c.softErr != 0 && !alive:
		return 0 // an ICMP error has told that something is wrong
	case c.cfg.OrphanRetries == 0 && alive:
		return 8 // "The value of R2 SHOULD correspond to at least 100 seconds" (SHLD-11): with 200 ms it does
	}
	return c.cfg.OrphanRetries
}

// retriedFor reports whether retransmission has gone on for as long as n of them take.
func (c *TCB) retriedFor(now clock.Instant, n int) bool {
	return c.retries > 0 && now.Sub(c.firstRexmt) >= backoffTime(c.cfg.MinRTO, c.cfg.MaxRTO, n)
}

// backoffTime returns how long n retransmissions take, until the timer expires that follows the last of them: the
// first timeout is least, and each is twice the one before, up to most.
func backoffTime(least, most time.Duration, n int) time.Duration {
	doublings := bits.Len64(uint64(most/max(least, 1))) - 1 // as long as the result is no more than most
	if n <= doublings {
		return (2<<n - 1) * least
	}
	if n-doublings > int((math.MaxInt64-4*most)/most) {
		return math.MaxInt64
	}
	return (2<<doublings-1)*least + time.Duration(n-doublings)*most
}

// probedEnough reports whether enough probes of a closed window have had no answer.
func (c *TCB) probedEnough(now clock.Instant) bool {
	if c.cfg.UserTimeout > 0 {
		return now.Sub(c.stuck) >= c.cfg.UserTimeout
	}
	limit := c.cfg.Retries
	if c.released {
		limit = c.orphanLimit()
	}
	return int(c.probes) >= limit
}

// noteR1 asks, if R1 is reached, that the way to the peer be looked at.
//
// RFC 9293, 3.8.3: "(b) When the number of transmissions of the same segment reaches or exceeds threshold R1, pass
// negative advice (see Section 3.3.1.4 of [19]) to the IP layer, to trigger dead-gateway diagnosis." And: "The value of R1
// SHOULD correspond to at least 3 retransmissions, at the current RTO (SHLD-10)." With a SYN each retransmission does so.
func (c *TCB) noteR1(now clock.Instant) {
	if c.retries > 0 && c.state.synchronized() && c.retriedFor(now, c.cfg.Retries1) {
		c.suspectBlackHole(now)
	}
	c.doubtful = c.retries > 0 && !c.state.synchronized() ||
		c.retries >= c.cfg.Retries1 && c.retriedFor(now, c.cfg.Retries1)
}

// Doubtful reports, once, whether the way to the peer is to be looked up anew: retransmission has reached R1.
func (c *TCB) Doubtful() bool {
	d := c.doubtful
	c.doubtful = false
	return d
}

// linear reports whether the timeout now due is not to back off: few segments are in flight, so that there are no duplicate
// ACKs to tell of a loss, and the user has asked for it. It is no breach of RFC 6298, 5.5, for long: six times.
func (c *TCB) linear() bool {
	if c.state == SynSent {
		return c.retries <= c.cfg.SYNLinear // tcp_syn_linear_timeouts
	}
	return c.cfg.ThinLinear && c.state == Established && c.board.out < 4 &&
		c.cw.Threshold < unlimited && c.retries <= 6
}

// giveUp ends the connection for lack of an answer: with what an ICMP error had to say about it (RFC 5461, 2), or
// ETIMEDOUT. RFC 9293, 3.10.8: "USER TIMEOUT: For any state if the user timeout expires, flush all queues, signal the
// user … delete the TCB, enter the CLOSED state, and return."
func (c *TCB) giveUp(now clock.Instant) {
	c.die(now, c.silence())
}

// silence returns why the peer is not heard of, as far as is known.
func (c *TCB) silence() syscall.Errno {
	if c.softErr != 0 {
		return c.softErr
	}
	return syscall.ETIMEDOUT
}
