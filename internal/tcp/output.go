package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Next fills in seg with the next segment to send now and returns true, or returns false: there is none. Call it until
// it returns false after each event. The data of a segment is fetched with Payload, before any other call.
func (c *TCB) Next(now clock.Instant, seg *Segment) bool {
	if c.rst.flags != 0 {
		*seg = Segment{Seq: c.rst.seq, Ack: c.rst.ack, Flags: c.rst.flags}
		if c.ts.on && c.rst.flags&wire.ACK != 0 {
			c.putTimestamps(now, &seg.Options)
		}
		c.rst = reply{}
		c.stats.segsOut++
		return true
	}
	switch c.state {
	case Closed:
		return false
	case SynSent, SynReceived:
		return c.nextSYN(now, seg) || c.nextACK(now, seg)
	}
	// An ACK that reports a hole goes by itself and first: RFC 5681, 2, has a duplicate ACK carry no data.
	if c.rcv.ackNow && len(c.rcv.ranges) > 0 && c.nextACK(now, seg) {
		return true
	}
	if c.nextLost(now, seg) || c.nextData(now, seg) || c.nextAfterNew(now, seg) || c.nextACK(now, seg) {
		return true
	}
	c.noteSent(now)
	c.clockWait(now)
	return false
}

// Payload copies the data of the segment that Next has just filled in to b: seg.Len octets.
func (c *TCB) Payload(seg *Segment, b []byte) {
	if seg.Len > 0 {
		c.snd.pipe.readAt(seg.Seq.Sub(c.snd.base), b[:seg.Len])
	}
}

// header fills in a segment that carries an ACK, which all do from now on, and notes that the ACK is sent.
func (c *TCB) header(now clock.Instant, seg *Segment, seq Seq, flags wire.TCPFlags) {
	*seg = Segment{Seq: seq, Ack: c.rcv.nxt, Flags: flags | wire.ACK, Window: c.window()}
	if c.ts.on {
		c.putTimestamps(now, &seg.Options)
	}
	if c.urg.sending {
		c.markUrgent(seg, seq)
	}
	if c.ecn.echo {
		seg.Flags |= wire.ECE
	}
	c.noteACK()
	c.stats.segsOut++
}

// noteACK notes that RCV.NXT is acknowledged.
func (c *TCB) noteACK() {
	c.rcv.acked = c.rcv.nxt
	c.rcv.ackNow, c.rcv.challenge, c.rcv.read, c.rcv.unacked = false, false, false, 0
	c.timers[delackTimer] = clock.Never
}

// nextSYN sends the SYN or SYN,ACK.
func (c *TCB) nextSYN(now clock.Instant, seg *Segment) bool {
	if !c.snd.syn {
		return false
	}
	c.snd.syn = false
	*seg = Segment{Seq: c.snd.iss, Flags: wire.SYN, Window: uint16(min(c.cfg.ReceiveBuffer, 65535))}
	o := &seg.Options
	o.MSS = uint16(c.rcv.maxSeg)
	answer := c.state == SynReceived
	if answer {
		seg.Flags |= wire.ACK
		seg.Ack = c.rcv.nxt
		c.noteACK()
	}
	// RFC 7323, 2.2 and 3.2, RFC 2018, 2: a SYN,ACK carries an option only if the SYN did.
	if answer {
		seg.Flags |= c.ecnSYNACK()
	} else {
		seg.Flags |= c.ecnSYN()
	}
	o.HasWindowScale, o.WindowScale = c.scaleOK || !answer && !c.cfg.NoWindowScale, c.rcv.shift
	o.SACKPermitted = c.sackOK || !answer && !c.cfg.NoSACK
	if c.ts.on || !answer && c.offersTimestamps() {
		c.putTimestamps(now, o)
	}
	c.stats.segsOut++
	c.snd.synAt = now
	if c.retries > 0 {
		c.noteAgain(now, seg, c.snd.iss, 1, "timeout")
	}
	if c.xmit == xmitNone {
		c.setRTO(now)
	}
	return true
}

// noteAgain counts a retransmission of n octets of sequence space.
func (c *TCB) noteAgain(now clock.Instant, seg *Segment, seq Seq, n int, why string) {
	seg.Retransmit = true
	c.stats.segsAgain++
	c.stats.bytesAgain += uint64(seg.Len)
	c.countData(seg.Len)
	if c.observer != nil {
		c.observer.Retransmitted(now, seq, n, why)
	}
}

// nextData sends new data, and the FIN behind it.
func (c *TCB) nextData(now clock.Instant, seg *Segment) bool {
	unsent := c.unsent()
	if unsent == 0 && (!c.snd.fin || c.snd.finSent) {
		c.snd.limited = false
		return false
	}
	switch c.state {
	case Established, CloseWait, FinWait1, Closing:
	default:
		return false
	}
	usable := c.snd.una.Add(c.snd.wnd).Sub(c.snd.nxt)
	n, flags := c.sizeData(now, unsent, usable)
	if n == 0 && flags&wire.FIN == 0 {
		if c.board.empty() {
			c.startPersist(now) // it can only be the window that holds it back
		}
		return false
	}
	length := n
	if flags&wire.FIN != 0 {
		length++
	}
	if !c.admits(now, length) {
		return false
	}
	c.emit(now, seg, n, length, flags)
	return true
}

// sizeData decides how many octets of data the next segment carries, and whether a FIN; neither: it is better to wait.
//
// RFC 9293, 3.8.6.2.1: "Send data: (1) if a maximum-sized segment can be sent, i.e., if: min(D,U) >= Eff.snd.MSS; (2) or
// if the data is pushed and all queued data can be sent now, i.e., if: [SND.NXT = SND.UNA and] PUSHed and D <= U (the
// bracketed condition is imposed by the Nagle algorithm); (3) or if at least a fraction Fs of the maximum window can be
// sent, i.e., if: [SND.NXT = SND.UNA and] min(D,U) >= Fs * Max(SND.WND); (4) or if the override timeout occurs." Fs is
// 1/2, and all data counts as pushed.
func (c *TCB) sizeData(now clock.Instant, unsent, usable int) (n int, flags wire.TCPFlags) {
	n = min(unsent, c.snd.mss, max(usable, 0))
	all := n == unsent
	fin := all && c.snd.fin
	switch {
	case c.snd.force:
		if n == 0 && unsent > 0 {
			n, all, fin = 1, unsent == 1, false
		}
	case fin && n >= usable:
		fin = false // no room for the FIN
		if n == 0 {
			return 0, 0
		}
	case n == c.snd.mss, fin:
	case n == 0, c.holdsBack() && !c.pushing():
		return 0, 0
	case !all && 2*n < c.snd.maxWnd:
		return 0, 0
	}
	if fin {
		flags |= wire.FIN
	}
	if all && n > 0 {
		// RFC 9293, 3.9.1.2: "when there is no more data buffered in the sending TCP endpoint … MUST set the PSH bit in
		// the last buffered segment (MUST-61)".
		flags |= wire.PSH
	}
	return n, flags
}

// admits reports whether the congestion window and the scoreboard admit a new segment of n octets.
func (c *TCB) admits(now clock.Instant, n int) bool {
	switch {
	case c.board.empty():
		c.restart(now)
		return true
	case c.recovery.rexmit == rexmitProbe:
		return true // RFC 8985, 7.3: "the FlightSize could be one packet greater than the congestion window"
	case c.board.pipe() >= c.cw.Window:
		c.snd.limited = true
		return false
	}
	// Tiny segments cost as much memory to remember as large ones.
	return n >= c.snd.mss || c.board.out < 256+2*c.cfg.SendBuffer/c.snd.mss
}

// emit sends n octets of data at SND.NXT, length octets of sequence space.
func (c *TCB) emit(now clock.Instant, seg *Segment, n, length int, flags wire.TCPFlags) {
	interactive := c.timers[delackTimer] != clock.Never || c.rcv.quick > 0 && now.Sub(c.rcv.dataAt) < c.cfg.DelayedACK
	if interactive && c.stats.bytesRcvd > 0 && c.board.empty() {
		c.rcv.quick = 0 // answers carry the acknowledgments
	}
	r := sent{seq: c.snd.nxt, end: c.snd.nxt.Add(length), at: now}
	if c.snd.wnd == 0 {
		r.flags |= sentProbe
	}
	first := c.board.empty()
	if first && c.persist == 0 {
		c.stuck = now
	}
	if c.board.pipe() == 0 {
		c.sense(now)
		c.cc.Event(&c.cw, EventStart)
	}
	c.header(now, seg, c.snd.nxt, flags)
	seg.Len = n
	if length > n {
		r.flags |= sentFIN
		c.snd.finSent = true
		if c.state == CloseWait {
			c.setState(now, LastAck)
		}
	}
	c.snd.force = false
	c.snd.nxt = r.end
	c.snd.last = now
	c.rate.sent(&r, c.stats.delivered, first)
	c.board.push(r)
	c.use.sent++
	if c.reducing() {
		c.recovery.prr.sent(1)
	}
	if n > 0 {
		c.ecnMark(seg)
	}
	c.stats.bytesSent += uint64(n)
	c.countData(n)
	c.timers[persistTimer] = clock.Never
	// RFC 6298, 5.1: "Every time a packet containing data is sent (including a retransmission), if the timer is not
	// running, start it running so that it will expire after RTO seconds".
	if first || c.xmit == xmitProbe || c.xmit == xmitNone {
		c.rearmRTO(now)
	}
}

// acceptableSeq returns the sequence number of a segment without data: SND.NXT, unless a probe has put that beyond the peer's
// window, where the segment would not be acceptable.
func (c *TCB) acceptableSeq() Seq {
	if c.snd.edge.Less(c.snd.nxt) && c.state.synchronized() {
		return c.snd.edge
	}
	return c.snd.nxt
}

// nextACK sends an ACK by itself, if one is due, or a keep-alive probe.
func (c *TCB) nextACK(now clock.Instant, seg *Segment) bool {
	if c.snd.alive {
		// RFC 9293, 3.8.4: "the segment … generally has SEG.SEQ = SND.NXT-1".
		c.snd.alive = false
		c.header(now, seg, c.snd.nxt-1, 0)
		return true
	}
	if c.rcv.read && !c.rcv.ackNow {
		c.rcv.read = false
		c.rcv.ackNow = c.updateDue()
	}
	if !c.rcv.ackNow {
		return false
	}
	challenge := c.rcv.challenge
	c.header(now, seg, c.acceptableSeq(), 0)
	seg.Challenge = challenge
	if len(c.rcv.ranges) > 0 && c.sackOK {
		c.putSACK(&seg.Options, c.sackRoom())
	}
	return true
}
