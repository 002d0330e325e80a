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
	default:
		// "This should not occur since a FIN has been received from the remote side. Ignore the segment text." It goes
		// beyond the peer's FIN; an ACK says where that was.
		c.challenge(now)
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
	// "If a segment's contents straddle the boundary between old and new, only the new parts are processed."
	if n := c.rcv.nxt.Sub(seq); n > 0 {
		text = text[min(n, len(text)):]
		seq = c.rcv.nxt
		c.rcv.ackNow = true
	}
	edge := c.rcv.adv
	if c.rcv.hasFIN {
		edge = c.rcv.fin // nothing comes after the FIN
	}
	if n := end.Sub(edge); n > 0 {
		text = text[:max(len(text)-n, 0)]
		fin = false
		c.rcv.ackNow = true
	}
	if fin && !c.rcv.hasFIN {
		c.noteFIN(end)
	}
	if len(text) > 0 {
		c.rcv.mss = min(max(c.rcv.mss, len(text)), c.rcv.maxSeg)
		c.rcv.dataAt = now
		if seq == c.rcv.nxt && len(c.rcv.ranges) == 0 {
			c.takeInOrder(now, text)
		} else {
			c.takeOutOfOrder(seq, text)
		}
	}
	if c.rcv.hasFIN {
		if c.rcv.nxt == c.rcv.fin {
			c.takeFIN(now)
		} else {
			c.rcv.ackNow = true
		}
	}
}

// takeInOrder takes text at RCV.NXT, with nothing behind it.
func (c *TCB) takeInOrder(now clock.Instant, text []byte) {
	n := len(text)
	c.rcv.buf.writeAt(c.rcv.queued, text)
	c.rcv.queued += n
	c.rcv.nxt = c.rcv.nxt.Add(n)
	c.stats.bytesRcvd += uint64(n)
	c.scheduleACK(now, n)
}

// takeOutOfOrder takes text that is beyond RCV.NXT, or that fills a hole.
func (c *TCB) takeOutOfOrder(seq Seq, text []byte) {
	// RFC 5681, 4.2: "A TCP receiver SHOULD send an immediate ACK when the incoming segment fills in all or part of a
	// gap in the sequence space", and 3.2: "an immediate duplicate ACK when an out-of-order segment arrives".
	c.rcv.ackNow = true
	s := span{seq, seq.Add(len(text))}
	if seq != c.rcv.nxt {
		c.stats.outOfOrder++
		var ok bool
		if s, ok = c.rcv.ranges.add(s); !ok {
			return // too many holes; the peer will send it again
		}
		c.noteRecent(s)
	}
	c.rcv.buf.writeAt(c.rcv.queued+seq.Sub(c.rcv.nxt), text)
	if seq == c.rcv.nxt {
		next := c.rcv.ranges.take(s.to)
		n := next.Sub(c.rcv.nxt)
		c.rcv.nxt = next
		c.stats.bytesRcvd += uint64(n)
		c.rcv.queued += n
		if len(c.rcv.ranges) == 0 {
			c.rcv.ranges = nil
		}
	}
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
	c.rcv.ackNow = true
	c.rcv.ranges = nil
	switch c.state {
	case Established:
		// "Enter the CLOSE-WAIT state."
		c.setState(now, CloseWait)
	case FinWait1:
		// "If our FIN has been ACKed (perhaps in this segment), then enter TIME-WAIT, start the time-wait timer, turn off
		// the other timers; otherwise, enter the CLOSING state."
		c.setState(now, Closing)
	case FinWait2:
		// "Enter the TIME-WAIT state."
		c.enterTimeWait(now)
	}
}

// scheduleACK acknowledges n octets that came in order, at once or soon: RFC 9293, 3.8.6.3: "an ACK SHOULD be generated
// for at least every second full-sized segment or 2*RMSS bytes of new data … (SHLD-19)" and "the delay MUST be less
// than 0.5 seconds (MUST-40)".
func (c *TCB) scheduleACK(now clock.Instant, n int) {
	c.rcv.unacked += n
	switch {
	case c.rcv.quick > 0:
		c.rcv.quick--
		c.rcv.ackNow = true
	case c.rcv.unacked >= 2*c.rcv.mss:
		c.rcv.ackNow = true
	case c.timers[delackTimer] == clock.Never:
		c.timers[delackTimer] = now.Add(c.cfg.DelayedACK)
	}
}

// noteRecent puts the range s, which the last segment is in, first in the order of report.
func (c *TCB) noteRecent(s span) {
	r := &c.rcv.recent
	i := 0
	for i < len(r)-1 && (r[i].Less(s.from) || s.to.LessEq(r[i])) {
		i++
	}
	copy(r[1:i+1], r[:i])
	r[0] = s.from
}

// putSACK reports the ranges received out of order in the room of at most n blocks: RFC 2018, 4: "The first SACK block
// … MUST specify the contiguous block of data containing the segment which triggered this ACK … The SACK option SHOULD
// be filled out by repeating the most recently reported SACK blocks".
func (c *TCB) putSACK(o *wire.TCPOptions, n int) {
	for _, at := range c.rcv.recent {
		s, ok := c.rcv.ranges.find(at)
		if !ok || s.from.LessEq(c.rcv.nxt) {
			continue
		}
		b := wire.SACKBlock{Left: uint32(s.from), Right: uint32(s.to)}
		known := false
		for _, k := range o.SACK[:o.SACKCount] {
			known = known || k == b
		}
		if !known && int(o.SACKCount) < n {
			o.SACK[o.SACKCount] = b
			o.SACKCount++
		}
	}
}
