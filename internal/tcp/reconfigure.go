package tcp

import "github.com/onlink-go/onlink/clock"

// Config returns the connection's settings, complete, or nil before it was opened. They must not be changed.
func (c *TCB) Config() *Config { return c.cfg }

// Reconfigure gives an open connection other settings and does what follows from the change. cfg is kept, if it is
// complete. What only the handshake uses has no effect after it.
func (c *TCB) Reconfigure(now clock.Instant, cfg *Config) {
	if c.cfg == nil {
		return
	}
	was := c.cfg
	c.cfg = cfg.complete()
	if c.cfg.KeepAlive != was.KeepAlive || c.cfg.KeepAliveIdle != was.KeepAliveIdle || c.cfg.KeepAliveInterval != was.KeepAliveInterval ||
		c.cfg.KeepAliveCount != was.KeepAliveCount {
		if c.state.synchronized() && c.state != TimeWait {
			c.startKeepAlive(now)
		}
	}
}
