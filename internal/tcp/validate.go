package tcp

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// valid reports whether seg belongs to the connection as far as its timestamp and its sequence number tell, and answers
// it if not. RFC 7323, 5.3: "PAWS processing MUST take precedence over the regular TCP acceptability check".
func (c *TCB) valid(now clock.Instant, seg *Segment) bool {
	if c.ts.on {
		if !seg.Options.HasTimestamps {
			// RFC 7323, 3.2: "If a non-<RST> segment is received without a TSopt, a TCP SHOULD silently drop the segment. A
			// TCP MUST NOT abort a TCP connection because any segment lacks an expected TSopt."
			if seg.Flags&wire.RST == 0 {
				return false
			}
		} else if c.paws(now, seg) {
			c.unacceptable(now, seg)
			return false
		}
	}
	// RFC 9293, 3.10.7.4: "First, check sequence number".
	if c.acceptable(seg) {
		return true
	}
	if seg.Flags&wire.RST != 0 {
		if c.resetsFIN(seg) {
			c.refused(now)
		}
		return false
	}
	if seg.Flags&(wire.SYN|wire.ACK) == wire.SYN|wire.ACK && seg.Seq == c.rcv.irs {
		c.ecnAgain(seg)
	}
	c.unacceptable(now, seg)
	if !c.rcv.ackNow {
		c.ecn.set(ecnReply, false) // what no ACK answers is not told later
	}
	if c.oldButCurrent(seg) {
		c.rcv.heard = now
		c.takeACKInState(now, seg)
	}
	return false
}

// acceptable is RFC 9293, 3.10.7.4, table 6, with three allowances. A segment without length is taken at the window's right
// edge too: that is where a sender stands that has filled the window. At a closed window a segment is taken for its ACK: "If
// the RCV.WND is zero, no segments will be acceptable, but special allowance should be made to accept valid ACKs, URGs, and
// RSTs." And an ACK by itself is taken if it was in the window of the last acknowledgment sent, since its sender knows of no
// later one: such come when the network reorders.
func (c *TCB) acceptable(seg *Segment) bool {
	n := seg.length()
	off := seg.Seq.Sub(c.rcv.nxt)
	wnd := c.rcv.adv.Sub(c.rcv.nxt)
	switch {
	case n == 0 && off < 0:
		return seg.Flags&(wire.RST|wire.ACK) == wire.ACK && c.rcv.acked.LessEq(seg.Seq)
	case n == 0:
		return off <= wnd
	case wnd <= 0:
		return off == 0
	}
	return off < wnd && off+n > 0
}

// unacceptable: RFC 9293, 3.10.7.4: "an acknowledgment should be sent in reply (unless the RST bit is set, if so drop the
// segment and return): <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>".
func (c *TCB) unacceptable(now clock.Instant, seg *Segment) {
	if len(seg.Payload) == 0 && seg.Flags&wire.FIN == 0 || seg.Flags&wire.SYN != 0 || c.state == SynReceived {
		// Two ends that disagree would answer each other's ACKs for ever.
		c.challenge(now)
		return
	}
	// "TIME-WAIT STATE: The only thing that can arrive in this state is a retransmission of the remote FIN. Acknowledge it,
	// and restart the 2 MSL timeout."
	if c.state == TimeWait && seg.Flags&wire.FIN != 0 && seg.Seq.Add(seg.length()) == c.rcv.nxt {
		c.restartTimeWait(now)
	}
	if n := c.rcv.nxt.Sub(seg.Seq); n > 0 && len(seg.Payload) > 0 {
		// Most likely our ACK was lost, or the peer was too hasty: RFC 2883 lets it know.
		c.enterQuick()
		c.noteDuplicate(seg.Seq, seg.Seq.Add(min(n, len(seg.Payload))))
	}
	c.rcv.ackNow = true
}

// oldButCurrent reports whether the ACK field of a segment that is not acceptable is nevertheless to be processed.
//
// RFC 9293, appendix A.2: "There are cases where the TCP sequence number validation rules can prevent ACK fields from being
// processed. … simultaneous window probes." A segment that ends where the last acknowledgment sent stands may be a
// retransmission that tells something new; and when both ends have taken the other's probe and neither knows, the number
// before RCV.NXT is what they go on from.
func (c *TCB) oldButCurrent(seg *Segment) bool {
	if seg.Flags&(wire.SYN|wire.RST|wire.ACK) != wire.ACK || !c.state.synchronized() {
		return false
	}
	n := seg.length()
	end := seg.Seq.Add(n)
	return c.rcv.acked.LessEq(end) && end.LessEq(c.rcv.nxt) || seg.Seq+1 == c.rcv.nxt && n <= 1
}

// takeRST: RFC 9293, 3.10.7.4, "Second, check the RST bit", with RFC 5961's protection: "If the RST bit is set and the
// sequence number exactly matches the next expected sequence number (RCV.NXT), then TCP endpoints MUST reset the
// connection". The segment is in the window.
func (c *TCB) takeRST(now clock.Instant, seg *Segment) {
	if seg.Seq == c.rcv.nxt || c.atLastSACK(seg) {
		c.refused(now)
		return
	}
	// "If the RST bit is set and the sequence number does not exactly match the next expected sequence value, yet is within
	// the current receive window, TCP endpoints MUST send an acknowledgment (challenge ACK)".
	c.challenge(now)
}

// atLastSACK reports whether seg stands behind all that was received out of order. A peer that has sent that far, and is
// reset while something before is lost, has its RST there; only who sees the connection knows the number, as with RCV.NXT.
func (c *TCB) atLastSACK(seg *Segment) bool {
	n := len(c.rcv.ranges)
	return n > 0 && c.sackOK && seg.Seq == c.rcv.ranges[n-1].to
}

// resetsFIN reports whether the RST seg has the sequence number of the peer's FIN. Some send it so after their FIN, and
// it comes before RCV.NXT.
func (c *TCB) resetsFIN(seg *Segment) bool {
	switch c.state {
	case CloseWait, Closing, LastAck:
		return seg.Seq+1 == c.rcv.nxt
	}
	return false
}

// refused ends the connection as a valid RST does, by state.
func (c *TCB) refused(now clock.Instant) {
	switch c.state {
	case SynReceived:
		// "If this connection was initiated with a passive OPEN (i.e., came from the LISTEN state), then return this
		// connection to LISTEN state and return. The user need not be informed. If this connection was initiated with an
		// active OPEN …, then the connection was refused; signal the user "connection refused"."
		if c.passive {
			c.die(now, syscall.ECONNRESET)
		} else {
			c.die(now, syscall.ECONNREFUSED)
		}
	case Closing, LastAck, TimeWait:
		// "If the RST bit is set, then enter the CLOSED state, delete the TCB, and return."
		c.die(now, 0)
	case CloseWait:
		// As below; but there is nothing more to receive, and to send is what fails: EPIPE, as with Linux.
		c.die(now, syscall.EPIPE)
	default:
		// "… any outstanding RECEIVEs and SEND should receive "reset" responses. All segment queues should be flushed.
		// Users should also receive an unsolicited general "connection reset" signal."
		c.die(now, syscall.ECONNRESET)
	}
}

// takeLateSYN: "Fourth, check the SYN bit", of a SYN in the window.
func (c *TCB) takeLateSYN(now clock.Instant) {
	if c.state == SynReceived && c.passive && !c.Early() {
		// "If the connection was initiated with a passive OPEN, then return this connection to the LISTEN state and
		// return."
		c.die(now, syscall.ECONNRESET)
		return
	}
	// "RFC 5961 recommends that in these synchronized states, if the SYN bit is set, irrespective of the sequence number,
	// TCP endpoints MUST send a "challenge ACK" to the remote peer".
	c.challenge(now)
}
