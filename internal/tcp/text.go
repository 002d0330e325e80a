package tcp

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// takeText takes the segment's text and FIN in: RFC 9293, 3.10.7.4, "Seventh, process the segment text" and "Eighth, check
// the FIN bit". The segment is acceptable.
func (c *TCB) takeText(now clock.Instant, seg *Segment) {
	fin := seg.Flags&wire.FIN != 0
	if len(seg.Payload) == 0 && !fin {
		return
	}
	switch c.state {
	case Established, FinWait1, FinWait2:
	case TimeWait:
		// As a retransmission of the remote FIN: "Acknowledge it".
		c.challenge(now)
		return
	default:
		// "This should not occur since a FIN has been received from the remote side. Ignore the segment text."
		return
	}
	seq, text := seg.Seq, seg.Payload
	end := seq.Add(len(text))
	if c.rcv.shut && c.state != Established && len(text) > 0 && c.rcv.nxt.Less(end) {
		// RFC 1122, 4.2.2.13: "… if new data is received after CLOSE is called, its TCP SHOULD send a RST to show that
		// data was lost." It is the one that answers a segment where there is no connection: <SEQ=SEG.ACK><CTL=RST>.
		c.die(now, syscall.ECONNRESET)
		c.answerReset(seg)
		return
	}
	c.rcv.due, c.rcv.fresh = true, true
	// "If a segment's contents straddle the boundary between old and new, only the new parts are processed."
	if n := c.rcv.nxt.Sub(seq); n > 0 {
		n = min(n, len(text))
		c.noteDuplicate(seq, seq.Add(n))
		text = text[n:]
		seq = c.rcv.nxt
	}
	edge := c.rcv.adv
	if c.rcv.hasFIN {
		edge = c.rcv.fin // nothing comes after the FIN
	}
	if n := end.Sub(edge); n > 0 {
		text = text[:max(len(text)-n, 0)]
		fin = false
		c.rcv.ackNow = true
		if len(text) == 0 {
			c.enterQuick()
		}
	}
	if fin && !c.rcv.hasFIN {
		c.noteFIN(end)
	}
	if len(text) == 0 && c.holdsFIN() && end == c.rcv.fin {
		c.rcv.noteRecent(span{end, end + 1})
		c.rcv.ackNow = true
	}
	if len(text) > 0 {
		c.measureEchoRTT(now, seg)
		if seq == c.rcv.nxt {
			c.takeInOrder(now, seg, text)
		} else {
			c.takeOutOfOrder(seq, text)
		}
	}
	if c.rcv.hasFIN && c.rcv.nxt == c.rcv.fin {
		c.takeFIN(now)
	}
}

// takeInOrder takes text at RCV.NXT, and what follows it if it was there already.
func (c *TCB) takeInOrder(now clock.Instant, seg *Segment, text []byte) {
	n := len(text)
	size := c.holdText(n)
	c.keep(seg, text)
	if len(c.rcv.ranges) > 0 {
		n = c.joinRanges(span{c.rcv.nxt, c.rcv.nxt.Add(n)})
		c.rcv.buf.moveTo(&c.rcv.in, len(text), n)
	}
	c.rcv.nxt = c.rcv.nxt.Add(n)
	c.stats.bytesRcvd += uint64(n)
	c.noteData(now, seg, size)
}

// keep puts text of seg behind what has come before. A long text stays where it is.
func (c *TCB) keep(seg *Segment, text []byte) {
	if seg.Owner != nil && len(text) >= leastTaken {
		c.rcv.in.take(text, seg.Owner)
		seg.Owner = nil
		return
	}
	c.rcv.in.write(text)
}

// joinRanges takes from the ranges received out of order what continues s, which begins at RCV.NXT, and returns how many
// octets are in order then.
func (c *TCB) joinRanges(s span) int {
	c.rcv.space.release(c.noteOverlaps(s), false)
	next := c.rcv.ranges.take(s.to)
	if len(c.rcv.ranges) == 0 {
		c.rcv.ranges = nil
		// RFC 5681, 4.2: "a TCP receiver SHOULD send an immediate ACK when the incoming segment fills in all or part of a gap in
		// the sequence space". If it fills a part, the ranges left bring the ACK.
		c.rcv.ackNow = true
	}
	return next.Sub(s.from)
}

// takeOutOfOrder takes text that is beyond RCV.NXT.
func (c *TCB) takeOutOfOrder(seq Seq, text []byte) {
	s := span{seq, seq.Add(len(text))}
	c.stats.outOfOrder++
	known := c.noteOverlaps(s)
	s, ok := c.rcv.ranges.add(s)
	if !ok {
		c.rcv.ackNow = true
		return // too many holes; the peer will send it again
	}
	c.rcv.scattered = c.rcv.noteRecent(s) >= expectedBlocks && len(c.rcv.ranges) > expectedBlocks
	if known == len(text) {
		return
	}
	size := c.holdText(len(text) - known)
	c.rcv.buf.writeAt(seq.Sub(c.rcv.nxt), text)
	if c.sackOK {
		// Without SACK the peer counts duplicate ACKs, which have to tell the same window (RFC 5681, 2).
		c.growWindow(len(text), size)
	}
}

// holdText accounts for n octets received, and returns how much memory a segment of them takes.
func (c *TCB) holdText(n int) int {
	s := &c.rcv.space
	size := s.hold(n)
	if s.used > s.size {
		s.overrun(c.rcv.maxSeg, c.cfg.RMem[2])
	}
	return size
}

// noteFIN keeps the sequence number of the peer's FIN until all before it has come. A FIN that is beyond the window, or before
// data that has come already, is not believed.
func (c *TCB) noteFIN(at Seq) {
	r := c.rcv.ranges
	if at.Less(c.rcv.adv) && (len(r) == 0 || r[len(r)-1].to.LessEq(at)) {
		c.rcv.hasFIN, c.rcv.fin = true, at
	} else {
		c.rcv.ackNow = true
	}
}

// takeFIN: "advance RCV.NXT over the FIN, and send an acknowledgment for the FIN."
func (c *TCB) takeFIN(now clock.Instant) {
	c.rcv.nxt++
	c.stats.bytesRcvd++
	c.rcv.eof = true
	c.dropOutOfOrder()
	switch c.state {
	case Established:
		// "Enter the CLOSE-WAIT state." The user's last words may carry the ACK.
		c.enterInteractive()
		c.setState(now, CloseWait)
	case FinWait1:
		// "If our FIN has been ACKed (perhaps in this segment), then enter TIME-WAIT, start the time-wait timer, turn off
		// the other timers; otherwise, enter the CLOSING state."
		c.rcv.ackNow = true
		c.setState(now, Closing)
	case FinWait2:
		// "Enter the TIME-WAIT state."
		c.rcv.ackNow = true
		c.enterTimeWait(now)
	}
}
