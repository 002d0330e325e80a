package tcpsock

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/tcp"
)

// Log is told what a connection does, in the order it does it. It is called with the connection's shard locked: it must be quick,
// and must not call back.
type Log interface {
	State(now clock.Instant, from, to tcp.State)
	Recovery(now clock.Instant, from, to string)
	Retransmitted(now clock.Instant, seq tcp.Seq, n int, why string)
	Path(now clock.Instant, p tcp.Path, n int)
	Episode(now clock.Instant, e *tcp.Episode)
	Metrics(now clock.Instant, m *tcp.Metrics) // those that have changed
}

// logging is a connection's Log, and what it was told last. Guarded by the shard.
type logging struct {
	to   Log
	last tcp.Metrics
}

// SetLog has to told of what c does from now on, beginning with how it stands; nil: nobody any more.
func (c *Conn) SetLog(to Log) {
	c.lock()
	defer c.sh.Unlock()
	if to == nil {
		c.log = nil
		return
	}
	now := c.layer.rt.Now()
	c.log = &logging{to: to, last: c.tcb.Metrics()}
	to.State(now, tcp.Closed, c.tcb.State())
	to.Metrics(now, &c.log.last)
}

// logMetrics tells the log of figures that have changed. sh locked.
func (c *Conn) logMetrics(now clock.Instant) {
	if m := c.tcb.Metrics(); m != c.log.last {
		c.log.last = m
		c.log.to.Metrics(now, &m)
	}
}
