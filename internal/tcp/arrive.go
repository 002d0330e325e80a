package tcp

import (
	"syscall"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Arrive takes a segment in: RFC 9293, 3.10.7, SEGMENT ARRIVES. Its addresses and ports are the connection's, and its
// checksum is right.
func (c *TCB) Arrive(now clock.Instant, seg *Segment) {
	c.countArrival(seg)
	switch c.state {
	case Closed:
		// 3.10.7.1: "all data in the incoming segment is discarded … An incoming segment not containing a RST causes a
		// RST to be sent in response."
		c.answerReset(seg)
	case SynSent:
		c.arriveSynSent(now, seg)
	default:
		c.arriveOther(now, seg)
	}
}

// afterReset is after what time the SYN is sent again where a segment of an old connection has answered it: RFC 9293,
// 3.5.1: "TCP Peer A will continue to try to establish the connection". The RST has put an end to the old one, and there is
// nothing to wait for. It is Linux's least timeout. Only the first such segment is believed.
const afterReset = 2 * time.Millisecond

// arriveSynSent is 3.10.7.3.
func (c *TCB) arriveSynSent(now clock.Instant, seg *Segment) {
	hasACK := seg.Flags&wire.ACK != 0
	// "First, check the ACK bit: … If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset (unless the RST bit is set, if so
	// drop the segment and return) <SEQ=SEG.ACK><CTL=RST> and discard the segment. Return."
	if hasACK && (seg.Ack.LessEq(c.snd.iss) || c.snd.nxt.Less(seg.Ack)) {
		c.answerReset(seg)
		if c.retries == 0 {
			c.setXmit(now, xmitRTO, afterReset)
		}
		return
	}
	// "Second, check the RST bit: … If the ACK was acceptable, then signal to the user "error: connection reset", drop
	// the segment, enter CLOSED state, delete TCB, and return. Otherwise (no ACK), drop the segment and return."
	if seg.Flags&wire.RST != 0 {
		if hasACK {
			c.die(now, syscall.ECONNREFUSED)
		}
		return
	}
	// "Fifth, if neither of the SYN or RST bits is set, then drop the segment and return."
	if seg.Flags&wire.SYN == 0 {
		return
	}
	// "Fourth, check the SYN bit: … RCV.NXT is set to SEG.SEQ+1, IRS is set to SEG.SEQ. SND.UNA should be advanced to
	// equal SEG.ACK (if there is an ACK)".
	c.takeSYN(now, seg)
	c.rcv.heard = now
	if !hasACK {
		// "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> and send it." Other
		// controls and text are left for the peer to send again.
		c.snd.syn = true
		c.setState(now, SynReceived)
		return
	}
	// "If SND.UNA > ISS (our SYN has been ACKed), change the connection state to ESTABLISHED, form an ACK segment
	// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> and send it."
	c.ackSYN(seg)
	c.synTime(now, seg)
	c.establish(now)
	if c.ecn.mode == ecnAccurate && ecnTold(seg.Flags.ACE(), NotECT) == CE {
		// RFC 9768, 3.2.2.2: "Nonetheless, the TCP Client still triggers the congestion control actions necessary to respond to the
		// CE feedback."
		c.respondToHandshake(now)
	}
	// RFC 9768, 3.2.2.1: "If an AccECN TCP Client intends to acknowledge the SYN/ACK with a packet that does not satisfy these
	// conditions (e.g., it has data to include on the ACK), it SHOULD first send a pure ACK that does".
	if c.snd.awaited && !c.ecn.has(ecnReply) {
		// "Data or controls that were queued for transmission MAY be included": the user is about to hand some over.
		c.moreQuickACKs(maxQuickACKs)
		c.rcv.due = true
		c.timers[delackTimer] = now.Add(mostATO)
	} else {
		c.rcv.ackNow = true
	}
	// "If there are other controls or text in the segment, then continue processing at the sixth step".
	if seg.length() > 1 {
		rest := *seg
		rest.Owner = nil // the caller would not learn that the payload was kept
		rest.Seq++
		rest.Flags &^= wire.SYN | wire.ACE
		c.takeText(now, &rest)
	}
}

// arriveOther is 3.10.7.4.
func (c *TCB) arriveOther(now clock.Instant, seg *Segment) {
	if c.state == SynReceived && c.handshakeAgain(now, seg) {
		return
	}
	if !c.valid(now, seg) {
		return
	}
	c.rcv.heard = now
	switch {
	case seg.Flags&wire.RST != 0:
		c.takeRST(now, seg)
		return
	case seg.Flags&wire.SYN != 0:
		c.takeLateSYN(now)
		return
	case seg.Flags&wire.ACK == 0:
		// "Fifth, check the ACK field: if the ACK bit is off, drop the segment and return".
		return
	}
	if c.ts.on && seg.Options.HasTimestamps {
		c.noteTimestamp(now, seg)
	}
	if !c.takeACKInState(now, seg) {
		return
	}
	c.countMark(seg)
	c.takeURG(seg)
	if len(seg.Payload) > 0 {
		c.ecnArrived(now, seg)
	}
	c.takeText(now, seg)
}

// handshakeAgain deals with segments of the handshake that come again in SYN-RECEIVED.
func (c *TCB) handshakeAgain(now clock.Instant, seg *Segment) bool {
	if seg.Seq != c.rcv.irs || seg.Flags&(wire.SYN|wire.RST) != wire.SYN {
		return false
	}
	if !c.ecnAgain(seg) {
		c.reset(now, syscall.ECONNRESET)
		return true
	}
	if seg.Flags&wire.ACK == 0 {
		if !c.passive {
			return false // it is not acceptable: an acknowledgment answers it, and the timer sends our SYN,ACK again
		}
		// The SYN again: it is before the window, and the acknowledgment that answers it is our SYN,ACK.
		if c.challenges.allow(now, c.cfg.InvalidRateLimit) {
			c.snd.syn, c.snd.synTwice = true, true
		}
		return true
	}
	// RFC 9293, 3.5, figure 7, line 6: after a simultaneous open the peer's SYN,ACK acknowledges our SYN. Its SYN is
	// known; what follows it is in sequence.
	rest := *seg
	rest.Owner = nil
	rest.Seq++
	rest.Flags &^= wire.SYN | wire.ACE // the field is not ACE in a SYN,ACK: RFC 9768, 3.2.2
	if c.ecn.mode == ecnAccurate {
		c.marks.skip = true
	}
	rest.Window >>= c.snd.shift // it is not scaled
	if c.takeACKInState(now, &rest) {
		c.rcv.heard = now
		c.rcv.ackNow = true
		c.takeText(now, &rest)
	}
	return true
}

// takeACKInState: "Fifth, check the ACK field", by state. It returns false if the segment is done with.
func (c *TCB) takeACKInState(now clock.Instant, seg *Segment) bool {
	if c.state == SynReceived {
		// "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state … If the segment acknowledgment is not
		// acceptable, form a reset segment <SEQ=SEG.ACK><CTL=RST> and send it."
		if seg.Ack.LessEq(c.snd.una) || c.snd.nxt.Less(seg.Ack) {
			c.answerReset(seg)
			return false
		}
		c.ackSYN(seg)
		c.synTime(now, seg)
		c.establish(now)
		if c.takeThirdACK(seg) {
			c.respondToHandshake(now)
		}
		if c.passive && c.fast == nil {
			c.snd.maxWnd = 0 // it is this segment's: as in Linux a SYN's, which is never scaled, does not count
		}
		// "… SND.WND <- SEG.WND, SND.WL1 <- SEG.SEQ, SND.WL2 <- SEG.ACK."
		c.snd.wl1, c.snd.wl2 = seg.Seq, seg.Ack
	}
	if !c.takeACK(now, seg) {
		return false
	}
	switch c.state {
	case FinWait1:
		// "if the FIN segment is now acknowledged, then enter FIN-WAIT-2 and continue processing in that state."
		if c.finAcked() {
			c.setState(now, FinWait2)
			if c.boundFinWait2(now); c.state == Closed {
				c.answerReset(seg)
				return false
			}
		}
	case Closing:
		// "if the ACK acknowledges our FIN, then enter the TIME-WAIT state; otherwise, ignore the segment."
		if c.finAcked() {
			c.enterTimeWait(now)
		}
		return false
	case LastAck:
		// "If our FIN is now acknowledged, delete the TCB, enter the CLOSED state, and return."
		if c.finAcked() {
			c.die(now, 0)
		}
		return false
	}
	return true
}
