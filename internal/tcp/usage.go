package tcp

import "github.com/onlink-go/onlink/clock"

// usage tells whether the congestion window is used. RFC 7661, 4: a window that is not validated by use must not grow, and
// decays; the measures are Linux's.
type usage struct {
	end     Seq           // where the round trip under way ends
	limited bool          // the window was used up in it,
	most    int           // or else the most that was in flight
	used    int           // the most in flight since stamp, when the window is not used up
	stamp   clock.Instant // when the window was last used up, or changed
	sent    int           // new segments since the last look
}

// validate looks at the window after segments were sent, or could not be: limited, because it is used up.
func (c *TCB) validate(now clock.Instant, limited bool) {
	u := &c.use
	if !c.snd.una.Less(u.end) || limited || !u.limited && c.board.out > u.most {
		u.limited, u.most, u.end = limited, c.board.out, c.snd.nxt
	}
	if c.windowLimited() {
		u.used, u.stamp = 0, now
		return
	}
	u.used = max(u.used, c.board.out)
	if !c.cfg.NoSlowStartAfterIdle && now.Sub(u.stamp) >= c.rtt.timeout(c.cfg) && !c.controls {
		c.decay(now)
	}
}

// windowLimited reports whether the window is what holds the sender back: in slow start also if half of it does, so that
// it grows to twice of what is acknowledged. RFC 7661, 4.3: "Validated phase: pipeACK >=(1/2)*cwnd".
func (c *TCB) windowLimited() bool {
	if c.use.limited {
		return true
	}
	return c.cw.SlowStart() && c.cw.Window < 2*c.use.most
}

// decay is RFC 2861, 3.1: a window that was not used for a retransmission timeout is put half-way to what was used; the
// threshold keeps what was known to be good.
func (c *TCB) decay(now clock.Instant) {
	u := &c.use
	if c.recovery.state == stateOpen && !c.snd.space.wanted {
		if used := max(u.used, c.initialWindow()); used < c.cw.Window {
			c.cw.Threshold = c.currentThreshold()
			c.cw.Window = (c.cw.Window + used) / 2
			c.note(now, PathDecay, 0)
		}
		u.used = 0
	}
	u.stamp = now
}

// restart is called before data is sent with nothing in flight. RFC 5681, 4.1: "if the TCP has not sent data in an interval
// exceeding the retransmission timeout, … set cwnd to no more than RW": RFC 2861, 3.1, halves it for each timeout that
// has passed.
func (c *TCB) restart(now clock.Instant) {
	idle, rto := now.Sub(c.snd.last), c.rtt.timeout(c.cfg)
	if c.cfg.NoSlowStartAfterIdle || idle <= rto || c.controls {
		return
	}
	c.sense(now)
	c.cc.Event(&c.cw, EventRestart)
	c.cw.Threshold = c.currentThreshold()
	least := min(c.initialWindow(), c.cw.Window)
	for idle -= rto; idle > 0 && c.cw.Window > least; idle -= rto {
		c.cw.Window /= 2
	}
	c.cw.Window = max(c.cw.Window, least)
	c.note(now, PathRestart, 0)
	c.use.stamp, c.use.used = now, 0
}

// noteSent looks at what sending has come to, when there is nothing more to send now.
func (c *TCB) noteSent(now clock.Instant) {
	limited := c.board.pipe() >= c.cw.Window
	sent := c.use.sent
	c.use.sent = 0
	if !c.state.synchronized() || sent == 0 && (!limited || !c.waiting()) {
		return
	}
	c.validate(now, limited)
	if sent > 0 {
		c.scheduleProbe(now, false)
	}
}

// waiting reports whether data or a FIN is still to be sent.
func (c *TCB) waiting() bool { return c.unsent() > 0 || c.snd.fin && !c.snd.finSent }
