package tcp

import "github.com/onlink-go/onlink/clock"

// startPersist starts the persist timer, if data or a FIN waits with nothing in flight that would bring an ACK: for a
// window, or for more data in a cork.
//
// RFC 9293, 3.8.6.1: "The transmitting host SHOULD send the first zero-window probe when a zero window has existed for the
// retransmission timeout period (SHLD-29) …, and SHOULD increase exponentially the interval between successive probes
// (SHLD-30)." The same timer is the override timeout of 3.8.6.2.1: "It may be convenient to combine this timer with the
// timer used to probe zero windows".
func (c *TCB) startPersist(now clock.Instant) {
	if c.timers[persistTimer] == clock.Never {
		if c.persist == 0 && c.probes == 0 {
			c.stuck = now
		}
		c.timers[persistTimer] = c.within(now, backedOff(c.rtt.rto, c.persist, c.cfg.MaxRTO))
	}
}

// persistTimeout sends what the window has room for, or a probe.
//
// RFC 9293, 3.8.6.1: "As long as the receiving TCP peer continues to send acknowledgments in response to the probe
// segments, the sending TCP peer MUST allow the connection to stay open (MUST-37)." So only probes in a row that nobody
// answers end the connection; or the user timeout, if the user has set one.
func (c *TCB) persistTimeout(now clock.Instant) {
	if c.probedEnough(now) {
		c.giveUp(now)
		return
	}
	c.snd.force = true
}

// nextWindowProbe sends a probe of a window without room, for which the timer has asked.
//
// RFC 9293, 3.8.6.1: "The sending TCP peer must regularly transmit at least one octet of new data (if available), or
// retransmit to the receiving TCP peer even if the send window is zero, in order to "probe" the window." What asks for an
// answer is that the segment is not acceptable: "When the receiving TCP peer has a zero window and a segment arrives, it
// must still send an acknowledgment showing its next expected sequence number and current window (zero)." The probe is
// Linux's: no data, from before SND.UNA, which retransmits what the peer has. A peer cannot take it for new data, so
// that SND.NXT and the window never disagree, and it is answered whether the window is closed or not.
func (c *TCB) nextWindowProbe(now clock.Instant, seg *Segment) bool {
	if !c.board.empty() || c.unsent() == 0 && (!c.snd.fin || c.snd.finSent) {
		c.snd.force = false
		return false
	}
	// RFC 9293, 3.10.7.4: "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be made to
	// accept valid ACKs, URGs, and RSTs." A probe is not acceptable, so that its urgent pointer may go unheard: a segment at
	// SND.UNA goes ahead, which is.
	if up := c.urg.sendTo.Sub(c.snd.una); c.urg.sending && !c.snd.told && up > 0 && up < 0xffff {
		c.snd.told = true
		c.header(now, seg, c.snd.una, 0)
		return true
	}
	c.snd.force, c.snd.told = false, false
	c.note(now, PathWindowProbe, 0)
	c.header(now, seg, c.snd.una-1, 0)
	if c.probes < 255 {
		c.probes++
	}
	if int(c.persist) < min(c.cfg.Retries, 254) {
		c.persist++
	}
	c.startPersist(now)
	return true
}

// probeAnswered takes in that the peer has told its window. If that is closed, the peer is alive, and the timer begins anew:
// whoever cannot send starts it. If it has room, though less than SWS avoidance asks for, the timer is the override timeout of
// 3.8.6.2.1, which no ACK puts off: a peer that has something to say more often would stop it for ever. It goes without
// back-off if there is room for what waits.
func (c *TCB) probeAnswered(now clock.Instant) {
	at := c.timers[persistTimer]
	if at == clock.Never {
		return
	}
	c.timers[persistTimer] = clock.Never
	usable := c.snd.una.Add(c.snd.wnd).Sub(c.snd.nxt)
	if usable <= 0 {
		return
	}
	if usable >= min(c.unsent(), c.snd.mss) {
		c.persist = 0
	}
	c.startPersist(now)
	c.timers[persistTimer] = min(c.timers[persistTimer], at)
}
