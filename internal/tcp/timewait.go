package tcp

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// enterTimeWait enters TIME-WAIT: RFC 9293, 3.10.7.4: "Start the time-wait timer, turn off the other timers."
func (c *TCB) enterTimeWait(now clock.Instant) {
	c.stopTimers()
	c.dropSend()
	c.dropOutOfOrder()
	c.restartTimeWait(now)
	c.setState(now, TimeWait)
}

// restartTimeWait starts the timer: RFC 9293, 3.6.1: "it MUST linger in the TIME-WAIT state for a time 2xMSL (Maximum
// Segment Lifetime) (MUST-13)".
func (c *TCB) restartTimeWait(now clock.Instant) {
	c.timers[timeWaitTimer] = now.Add(2 * c.cfg.MSL)
}

// boundFinWait2 bounds FIN-WAIT-2 once no user waits for the peer's FIN: to Config.FinWait2, but not to less than what
// the peer's FIN may need to get through, which is three and a half retransmission timeouts. If Config.FinWait2 is
// negative the connection ends at once, with a RST.
func (c *TCB) boundFinWait2(now clock.Instant) {
	switch {
	case c.state != FinWait2 || !c.released || c.timers[timeWaitTimer] != clock.Never:
	case c.cfg.FinWait2 < 0:
		c.reset(now, syscall.ECONNABORTED)
	default:
		c.timers[timeWaitTimer] = now.Add(max(c.cfg.FinWait2, c.rtt.timeout(c.cfg)*7/2))
	}
}

// Reusable reports whether a connection in TIME-WAIT may give way to the new one that the SYN seg asks for: RFC 6191, 2.
func (c *TCB) Reusable(now clock.Instant, seg *Segment) bool {
	if c.state != TimeWait || seg.Flags&(wire.SYN|wire.ACK|wire.RST|wire.FIN) != wire.SYN {
		return false
	}
	// RFC 9293, 3.6.1: a new SYN may reopen the connection if its sequence number is "larger than the largest
	// sequence number it used on the previous connection incarnation".
	higher := c.rcv.nxt.LessEq(seg.Seq)
	stamped := seg.Options.HasTimestamps
	switch {
	case !stamped:
		return higher
	case !c.ts.on:
		// "The previous incarnation of the connection did not use Timestamps … If TCP Timestamps would be enabled for
		// the new incarnation of the connection, honor the incoming connection request."
		return true
	case seg.Options.TSVal == c.ts.recent:
		// "… If the TCP Timestamp of the incoming SYN is equal to the last TCP timestamp … and the sequence number of
		// the incoming SYN segment is larger than the last sequence number used".
		return higher
	}
	// "… larger than the last timestamp seen on the previous incarnation of the connection".
	return int32(seg.Options.TSVal-c.ts.recent) > 0 || now.Sub(c.ts.age) >= tsOutdated
}
