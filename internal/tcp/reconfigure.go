package tcp

import "github.com/onlink-go/onlink/clock"

// Config returns the connection's settings, complete, or nil before it was opened. They must not be changed.
func (c *TCB) Config() *Config { return c.cfg }

// Reconfigure gives an open connection other settings and does what follows from the change. cfg is kept, if it is
// complete. What only the handshake uses has no effect after it. As after any event, Next may have something to send.
func (c *TCB) Reconfigure(now clock.Instant, cfg *Config) {
	if c.cfg == nil {
		return
	}
	was := c.cfg
	c.cfg = cfg.complete()
	if c.cfg == was || c.state == Closed {
		return
	}
	c.resizeBuffers(was)
	if c.cfg.NoDelay && !was.NoDelay {
		// What is queued is sent, even through a cork.
		c.pushQueued()
	}
	if c.cfg.Control() != was.Control() {
		c.switchControl(now)
	}
	c.reconfigureKeepAlive(now, was)
	c.reconfigureTimeouts(now, was)
}

// reconfigureTimeouts has running timers obey changed limits.
func (c *TCB) reconfigureTimeouts(now clock.Instant, was *Config) {
	if c.cfg.UserTimeout != was.UserTimeout && c.cfg.UserTimeout > 0 {
		end := max(c.stuck.Add(c.cfg.UserTimeout), now)
		for _, t := range [...]timerID{rexmtTimer, persistTimer} {
			if c.timers[t] != clock.Never {
				c.timers[t] = min(c.timers[t], end)
			}
		}
	}
	if c.cfg.FinWait2 != was.FinWait2 && c.state == FinWait2 && c.timers[timeWaitTimer] != clock.Never {
		c.timers[timeWaitTimer] = clock.Never
		c.boundFinWait2(now)
	}
}

// reconfigureKeepAlive starts or stops the keep-alive: from now on if it was off, and from the last segment if only
// its time has changed.
func (c *TCB) reconfigureKeepAlive(now clock.Instant, was *Config) {
	if !c.state.synchronized() || c.state == TimeWait {
		return
	}
	switch {
	case !c.cfg.KeepAlive:
		c.timers[keepAliveTimer] = clock.Never
	case !was.KeepAlive:
		c.startKeepAlive(now)
	case c.cfg.KeepAliveIdle != was.KeepAliveIdle:
		c.timers[keepAliveTimer] = max(c.rcv.heard.Add(c.cfg.KeepAliveIdle), now)
	}
}

// resizeBuffers takes in what was changed about buffers and windows.
func (c *TCB) resizeBuffers(was *Config) {
	if c.cfg.SendBuffer != was.SendBuffer {
		c.snd.space.fix(c.cfg.SendBuffer)
	}
	if c.cfg.ReceiveBuffer != was.ReceiveBuffer {
		c.rcv.space.fix(c.cfg.ReceiveBuffer)
	}
	if n := c.cfg.WindowClamp; n != was.WindowClamp && n > 0 {
		c.rcv.space.setClamp(n, c.rcv.adv.Sub(c.rcv.acked))
	}
}
