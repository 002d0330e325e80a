package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// timerID names a timer; timers are instants in TCB.timers, clock.Never when off.
type timerID uint8

const (
	rexmtTimer     timerID = iota // retransmission (RFC 6298)
	persistTimer                  // data waits for a window, and nothing is in flight (RFC 9293, 3.8.6.1)
	delackTimer                   // delayed ACK
	keepAliveTimer                // RFC 9293, 3.8.4
	paceTimer                     // a segment waits for its time of departure
	timeWaitTimer                 // 2MSL in TIME-WAIT; the bound of FIN-WAIT-2 without a user
	numTimers
)

// Deadline returns the earliest instant at which Timeout has something to do, or clock.Never.
func (c *TCB) Deadline() clock.Instant {
	exact, lax := c.Deadlines()
	return min(exact, lax)
}

// Deadlines is Deadline in two parts: exact has what must not wait any longer, segments that are paced and acknowledgments that are
// delayed already; lax may come a little late, as it does by the ticks of a kernel.
func (c *TCB) Deadlines() (exact, lax clock.Instant) {
	if c.state == Closed {
		return clock.Never, clock.Never
	}
	t := &c.timers
	return min(t[delackTimer], t[paceTimer]), min(t[rexmtTimer], t[persistTimer], t[keepAliveTimer], t[timeWaitTimer])
}

// Timeout does what is due. It may be called early, and then does nothing.
func (c *TCB) Timeout(now clock.Instant) {
	for id := range numTimers {
		if c.state == Closed {
			return
		}
		if now < c.timers[id] || c.timers[id] == clock.Never {
			continue
		}
		c.timers[id] = clock.Never
		switch id {
		case rexmtTimer:
			c.xmitTimeout(now)
		case persistTimer:
			c.persistTimeout(now)
		case delackTimer:
			c.delackTimeout()
		case keepAliveTimer:
			c.keepAliveTimeout(now)
		case paceTimer:
			// Next goes on.
		case timeWaitTimer:
			// RFC 9293, 3.10.8: "TIME-WAIT TIMEOUT: If the time-wait timeout expires on a connection, delete the
			// TCB, enter the CLOSED state, and return."
			c.die(now, 0)
		}
	}
}

func (c *TCB) stopTimers() {
	for i := range c.timers {
		c.timers[i] = clock.Never
	}
}

// within returns the instant d from now, or that of the user timeout if it is earlier.
func (c *TCB) within(now clock.Instant, d time.Duration) clock.Instant {
	at := now.Add(d)
	if c.cfg.UserTimeout > 0 {
		at = max(min(at, c.stuck.Add(c.cfg.UserTimeout)), now)
	}
	return at
}

// synTimeout is the retransmission timer's expiry while the handshake is under way.
func (c *TCB) synTimeout(now clock.Instant) {
	if c.exhausted(now) {
		c.giveUp(now)
		return
	}
	if c.retries == 0 {
		c.firstRexmt = now
	}
	c.noteR1(now)
	c.noteTimeout(now)
	if !c.linear() {
		c.rtt.backOff(c.cfg)
	}
	c.setRTO(now)
	c.snd.syn, c.snd.synTwice = true, true
}
