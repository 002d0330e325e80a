package tcp

import "github.com/onlink-go/onlink/clock"

// maxWindowShift is RFC 7323, 2.3: "the shift count MUST be limited to 14".
const maxWindowShift = 14

// windowShift returns the least scale with which the window field can tell of n octets.
func windowShift(n int) (s uint8) {
	for s < maxWindowShift && 65535<<s < n {
		s++
	}
	return s
}

// offer returns the right edge of the window that could be offered now: the room in the buffer, as far as the field
// can tell it.
func (c *TCB) offer() Seq {
	free := max(c.cfg.ReceiveBuffer-c.rcv.queued, 0)
	return c.rcv.nxt.Add(min(free>>c.rcv.shift, 65535) << c.rcv.shift)
}

// window returns the window field to send and notes what it offers.
//
// RFC 9293, 3.8.6.2.2: "keep RCV.NXT+RCV.WND fixed until: RCV.BUFF - RCV.USER - RCV.WND >= min( Fr * RCV.BUFF,
// Eff.snd.MSS ), where Fr is a fraction whose recommended value is 1/2".
//
// The edge never moves to the left, but by what the scale cannot tell: RFC 7323, 2.4: "The receiver MUST honor, as
// in-window, any segment that would have been in window for any <ACK> sent by the receiver." RCV.WND is counted from the
// right-most edge ever offered.
func (c *TCB) window() uint16 {
	if edge := c.offer(); edge.Sub(c.rcv.adv) >= min(c.cfg.ReceiveBuffer/2, c.rcv.maxSeg) {
		c.rcv.adv = edge
	}
	return uint16(min(max(c.rcv.adv.Sub(c.rcv.nxt), 0)>>c.rcv.shift, 65535))
}

// updateDue reports whether the window has opened so far that the peer should hear of it without an occasion: by a
// segment or half the buffer, and to twice of what it knows.
func (c *TCB) updateDue() bool {
	switch c.state {
	case Established, FinWait1, FinWait2:
	default:
		return false
	}
	known := c.rcv.adv.Sub(c.rcv.nxt)
	opened := c.offer().Sub(c.rcv.adv)
	return opened >= min(c.cfg.ReceiveBuffer/2, c.rcv.maxSeg) && opened >= known
}

// updateWindow takes SEG.WND in.
//
// RFC 9293, 3.10.7.4: "If SND.UNA =< SEG.ACK =< SND.NXT, the send window should be updated. If (SND.WL1 < SEG.SEQ or
// (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK)), set SND.WND <- SEG.WND, set SND.WL1 <- SEG.SEQ, and set SND.WL2 <-
// SEG.ACK."
func (c *TCB) updateWindow(now clock.Instant, seg *Segment) {
	if !c.snd.wl1.Less(seg.Seq) && (c.snd.wl1 != seg.Seq || !c.snd.wl2.LessEq(seg.Ack)) {
		return
	}
	before := c.snd.wnd
	c.snd.wnd = int(seg.Window) << c.snd.shift
	c.snd.wl1, c.snd.wl2 = seg.Seq, seg.Ack
	c.snd.maxWnd = max(c.snd.maxWnd, c.snd.wnd)
	c.snd.edge = maxSeq(c.snd.edge, c.snd.una.Add(c.snd.wnd))
	if before > 0 || c.snd.wnd == 0 {
		return
	}
	// The window has opened. What probed it was most likely thrown away.
	c.persist = 0
	c.timers[persistTimer] = clock.Never
	if !c.board.empty() {
		if r := c.board.first(); r.flags&sentProbe != 0 {
			c.recovery.rexmit = rexmitFirst
		}
		c.rtt.collapse(c.cfg)
		c.setRTO(now)
	}
}
