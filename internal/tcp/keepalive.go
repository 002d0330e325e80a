package tcp

import (
	"github.com/onlink-go/onlink/clock"
)

// startKeepAlive begins to watch for silence, or ceases to.
func (c *TCB) startKeepAlive(now clock.Instant) {
	c.aliveProbes = 0
	c.timers[keepAliveTimer] = clock.Never
	if c.cfg.KeepAlive {
		c.timers[keepAliveTimer] = now.Add(c.cfg.KeepAliveIdle)
	}
}

// keepAliveTimeout sends a probe if the connection was idle. RFC 9293, 3.8.4: "Keep-alive packets MUST only be sent
// when no sent data is outstanding, and no data or acknowledgment packets have been received for the connection within
// an interval (MUST-26)."
func (c *TCB) keepAliveTimeout(now clock.Instant) {
	idle := c.rcv.heard.Add(c.cfg.KeepAliveIdle)
	if c.rcv.heard >= c.aliveAt {
		c.aliveProbes = 0 // the last one was answered
	}
	switch {
	case !c.cfg.KeepAlive:
		return
	case !c.board.empty() || c.unsent() > 0:
		// The retransmission or persist timer looks after the peer.
		c.timers[keepAliveTimer] = now.Add(c.cfg.KeepAliveIdle)
		return
	case now < idle:
		c.timers[keepAliveTimer] = idle
		return
	case int(c.aliveProbes) >= c.cfg.KeepAliveCount && c.cfg.UserTimeout == 0,
		c.aliveProbes > 0 && c.cfg.UserTimeout > 0 && now.Sub(c.rcv.heard) >= c.cfg.UserTimeout:
		// The user timeout bounds the silence too (RFC 5482, 4.2), as with Linux in place of the count.
		c.reset(now, c.silence())
		return
	}
	c.aliveProbes++
	c.aliveAt = now
	c.snd.alive = true
	c.timers[keepAliveTimer] = now.Add(c.cfg.KeepAliveInterval)
}
