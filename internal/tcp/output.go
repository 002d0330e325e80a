package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Next fills in seg with the next segment to send now and returns true, or returns false: there is none. Call it until
// it returns false after each event. The data of a segment is fetched with Payload, before any other call.
func (c *TCB) Next(now clock.Instant, seg *Segment) bool {
	if c.rst.flags != 0 {
		*seg = Segment{Seq: c.rst.seq, Ack: c.rst.ack, Flags: c.rst.flags, Window: c.rst.window}
		if c.ts.on && c.rst.flags&wire.ACK != 0 {
			c.putTimestamps(now, &seg.Options)
		}
		c.rst = reply{}
		c.stats.segsOut++
		return true
	}
	c.planOption(now)
	switch c.state {
	case Closed:
		c.settleMemory()
		return false
	case SynSent, SynReceived:
		if c.nextSYN(now, seg) || c.Early() && c.nextData(now, seg) || c.nextACK(now, seg) {
			return true
		}
		c.settleMemory()
		return false
	}
	// The ACK of the SYN,ACK tells with what mark that came, and goes first: RFC 9768, 3.2.2.1.
	if c.ecn.has(ecnReply) && c.rcv.ackNow && c.nextACK(now, seg) {
		return true
	}
	// Without SACK an ACK that reports a hole goes by itself and first: RFC 5681, 2, has a duplicate ACK carry no data.
	if len(c.rcv.ranges) > 0 && !c.sackOK && c.nextACK(now, seg) {
		return true
	}
	again := &c.recovery.rexmit
	if *again != rexmitNone && c.nextLost(now, seg) || c.nextData(now, seg) || c.snd.force && c.nextWindowProbe(now, seg) ||
		*again == rexmitNew && c.nextAfterNew(now, seg) || c.nextACK(now, seg) {
		return true
	}
	c.noteSent(now)
	c.clockWait(now)
	c.tuneSendBuffer()
	c.settleMemory()
	return false
}

// Payload copies the data of the segment that Next has just filled in to b: seg.Len octets.
func (c *TCB) Payload(seg *Segment, b []byte) {
	if seg.Len > 0 {
		at := max(seg.Seq.Sub(c.snd.base), 0) // the data of a SYN begins behind it
		c.snd.out.readAt(at, b[:seg.Len])
	}
}

// Text returns who owns the memory that begins with the data of the segment that Next has just filled in, and how many octets lie
// there; nil: no memory of which packets can be made (Memory.Text) begins there.
func (c *TCB) Text(seg *Segment) (Owner, int) {
	if seg.Len == 0 {
		return nil, 0
	}
	return c.snd.out.lies(max(seg.Seq.Sub(c.snd.base), 0))
}

// header fills in a segment that carries an ACK, which all do from now on, and notes that the ACK is sent.
func (c *TCB) header(now clock.Instant, seg *Segment, seq Seq, flags wire.TCPFlags) {
	*seg = Segment{}
	seg.Seq, seg.Ack, seg.Flags, seg.Window = seq, c.rcv.nxt, flags|wire.ACK, c.window()
	if c.ts.on {
		c.putTimestamps(now, &seg.Options)
	}
	if c.urg.sending {
		c.markUrgent(seg, seq)
	}
	if c.ecn.has(ecnEcho) {
		seg.Flags |= wire.ECE
	}
	c.putACE(seg)
	c.noteACK()
	c.stats.segsOut++
}

// nextSYN sends the SYN or SYN,ACK.
func (c *TCB) nextSYN(now clock.Instant, seg *Segment) bool {
	if !c.snd.syn {
		return false
	}
	c.snd.syn = false
	*seg = Segment{Seq: c.snd.iss, Flags: wire.SYN, Window: c.rcv.space.field(c.cfg)}
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
	c.fastSYN(seg)
	if answer && c.ecn.mode == ecnAccurate && c.retries == 0 && !c.snd.synTwice && c.cfg.ECNOption != ecnOptionNever {
		// RFC 9768, 3.2.3.2.2: "the TCP Server SHOULD retransmit the SYN/ACK, but with no AccECN Option".
		ecnSYNACKOption(o, int(c.reserved))
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
		if !c.Early() {
			return false
		}
	}
	if c.withholds(unsent) {
		return false
	}
	una := c.snd.una
	if una == c.snd.iss {
		una++ // the window of a SYN without ACK, which we have early data for, begins behind our SYN
	}
	usable := una.Add(c.snd.wnd).Sub(c.snd.nxt)
	if sent, wait := c.nextMTUProbe(now, seg, unsent, usable); sent || wait {
		return sent
	}
	mss, blocks := c.sendMSS()
	n, flags := c.sizeData(mss, unsent, usable)
	if n == 0 && flags&wire.FIN == 0 {
		if c.board.empty() && !c.snd.force {
			c.startPersist(now)
		}
		return false
	}
	length := n
	if flags&wire.FIN != 0 {
		length++
	}
	if !c.admits(now, length) || c.held(now) || c.stalls(n) {
		return false
	}
	joined := c.snd.nxt.Less(c.snd.burst.end)
	end := c.endsBurst(n, usable)
	marked := n > 0 && c.takeMarks(c.snd.nxt.Add(n))
	if c.cfg.FreeBSD {
		marked = n > 0 && c.snd.nxt.Add(n) == c.written()
	}
	if marked || n > 0 && end {
		flags |= wire.PSH
	}
	if n > 0 && n < mss {
		c.snd.small = c.snd.nxt.Add(n)
	}
	c.emit(now, seg, n, length, flags, marked)
	if joined {
		c.board.record(c.board.tail - 1).flags |= sentJoined
	}
	if blocks > 0 {
		c.putSACK(&seg.Options, blocks)
	}
	c.putOption(now, seg)
	return true
}

// admits reports whether the congestion window and the scoreboard admit a new segment of n octets.
func (c *TCB) admits(now clock.Instant, n int) bool {
	switch {
	case c.board.empty():
		if c.unsent() > 0 { // RFC 5681, 4.1, is about data; a FIN alone is no burst
			c.restart(now)
		}
		return true
	case c.recovery.rexmit == rexmitProbe:
		return true // RFC 8985, 7.3: "the FlightSize could be one packet greater than the congestion window"
	case c.board.pipe() >= c.cw.Window:
		c.snd.limited = true
		return false
	}
	// Tiny segments cost as much memory to remember as large ones.
	return n >= c.snd.mss || c.board.out < 256+2*c.snd.space.size/c.snd.mss
}

// emit sends n octets of data at SND.NXT, length octets of sequence space. marked: PSH is a write's, and so goes with the
// data when it is sent again; that of a burst does not.
func (c *TCB) emit(now clock.Instant, seg *Segment, n, length int, flags wire.TCPFlags, marked bool) {
	c.noteAnswer(now)
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
	r := c.record(now, length, first)
	if marked {
		r.flags |= sentPush
	}
	if length > n {
		r.flags |= sentFIN
		c.snd.finSent = true
		if c.state == CloseWait {
			c.setState(now, LastAck)
		}
	}
	c.snd.force = false
	c.persist, c.probes = 0, 0
	c.snd.last = now
	c.use.sent++
	if c.recovery.state == stateDisorder && c.board.sacked > 0 && n > 0 {
		c.noteOnce(now, PathLimitedTransmit)
	}
	if c.reducing() {
		c.recovery.prr.sent(1)
	}
	if n > 0 {
		c.ecnMark(seg)
	}
	c.stats.bytesSent += uint64(n)
	c.countData(n)
	c.paced(now, n, !c.snd.nxt.Less(c.snd.burst.end))
	c.timers[persistTimer] = clock.Never
	// RFC 6298, 5.1: "Every time a packet containing data is sent (including a retransmission), if the timer is not
	// running, start it running so that it will expire after RTO seconds".
	if first || c.xmit == xmitProbe || c.xmit == xmitNone {
		c.rearmRTO(now)
	}
}

// record enters the segment sent at SND.NXT, length octets of sequence space, into the scoreboard, and moves SND.NXT behind it.
// first: nothing is in flight before it.
func (c *TCB) record(now clock.Instant, length int, first bool) *sent {
	r := c.board.begin(c.snd.nxt, c.snd.nxt.Add(length), now)
	c.snd.nxt = r.end
	c.rate.sent(r, c.stats.delivered, first)
	r.inFlight, r.losses = uint32(c.board.pipe()), c.board.losses
	return r
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
		// RFC 9293, 3.8.4: "Such a segment generally contains SEG.SEQ = SND.NXT-1".
		c.snd.alive = false
		c.header(now, seg, c.snd.nxt-1, 0)
		c.putOption(now, seg)
		return true
	}
	if c.rcv.read {
		c.rcv.read = false
		c.decideRead()
	}
	c.decideACK(now)
	if !c.rcv.ackNow {
		return false
	}
	challenge := c.rcv.challenge
	c.header(now, seg, c.acceptableSeq(), 0)
	seg.Challenge = challenge
	blocks, _, _ := c.optionRoom(c.sackBlocks())
	c.putSACK(&seg.Options, blocks)
	c.putHandshakeACE(seg)
	c.putOption(now, seg)
	return true
}
