package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// nextLost sends again what the last event asks for.
func (c *TCB) nextLost(now clock.Instant, seg *Segment) bool {
	r := &c.recovery
	switch r.rexmit {
	case rexmitFirst:
		r.rexmit = rexmitNone
		if c.board.empty() {
			return false
		}
		c.resend(now, seg, c.board.head, true)
		return true
	case rexmitProbe:
		return c.nextProbe(now, seg)
	case rexmitLost:
		if c.board.pending > 0 && c.held(now) {
			return false
		}
		if c.resendLost(now, seg) {
			return true
		}
		r.rexmit = rexmitNone
	}
	return false
}

// resendLost sends the next lost segment again, if the windows admit it: RFC 6675, 4, NextSeg rule 1.
func (c *TCB) resendLost(now clock.Instant, seg *Segment) bool {
	if c.board.pending == 0 || c.board.pipe() >= c.cw.Window {
		return false
	}
	id, r := c.board.nextPending()
	if r == nil || id != c.board.head && c.snd.una.Add(c.snd.wnd).LessEq(r.seq) {
		return false // the peer has shrunk its window (RFC 9293, 3.8.6)
	}
	c.resend(now, seg, id, true)
	return true
}

// nextAfterNew sends what is lost where F-RTO has asked for new data, and there was none to send.
func (c *TCB) nextAfterNew(now clock.Instant, seg *Segment) bool {
	r := &c.recovery
	r.rexmit = rexmitNone
	if r.high.Less(c.snd.nxt) {
		return false
	}
	r.frto, r.rexmit = false, rexmitLost
	return c.nextLost(now, seg)
}

// pushing reports whether new data is to be sent though Nagle's algorithm would wait: RFC 5682, 2.1, step 2b: "the TCP
// sender MAY override the Nagle algorithm", and so may a loss probe.
func (c *TCB) pushing() bool { return c.recovery.rexmit >= rexmitNew }

// nextProbe sends the tail loss probe: RFC 8985, 7.3: "a previously unsent data segment, if one exists and the receive
// window allows", else "the highest-sequence segment sent so far".
func (c *TCB) nextProbe(now clock.Instant, seg *Segment) bool {
	if c.board.empty() {
		c.recovery.rexmit = rexmitNone
		return false
	}
	if min(c.unsent(), c.snd.mss) <= c.snd.una.Add(c.snd.wnd).Sub(c.snd.nxt) && c.waiting() && c.nextData(now, seg) {
		c.use.sent-- // it does not start another
		c.probed(now, false)
		return true
	}
	id := c.board.tail - 1
	if c.held(now) || id != c.board.head && c.snd.una.Add(c.snd.wnd).LessEq(c.board.record(id).seq) {
		c.recovery.rexmit = rexmitNone
		c.rearmRTO(now) // the pace does not admit it, or the peer has shrunk its window
		return false
	}
	c.resend(now, seg, id, false)
	c.probed(now, true)
	return true
}

// resend fills in seg with a record; counted: to fill a hole, and not as a probe.
func (c *TCB) resend(now clock.Instant, seg *Segment, id uint32, counted bool) {
	if counted {
		id = c.cutMTUProbe(now, id)
	}
	r, k := c.board.record(id), &c.recovery
	why := "smaller path MTU"
	switch {
	case c.snd.wnd == 0:
		why = "probe"
	case !counted:
		why = "loss probe"
	case k.state == stateLoss:
		why = "timeout"
	case k.state == stateRecovery:
		why = "fast retransmit"
	}
	c.header(now, seg, r.seq, 0)
	seg.Len = r.len()
	if r.flags&sentFIN != 0 {
		seg.Len--
		seg.Flags |= wire.FIN
	}
	if r.flags&sentPush != 0 || c.endsAgain(now, id, counted) {
		seg.Flags |= wire.PSH
	}
	if n := min(c.sackBlocks(), (c.fullSize()-seg.Len-4)/8); n > 0 {
		c.putSACK(&seg.Options, n)
	}
	if left := c.fullSize() - seg.Len - sackLen(int(seg.Options.SACKCount)); left >= c.optionLen(int(seg.Options.SACKCount)) &&
		seg.Seq != c.snd.iss+1 {
		c.putOption(now, seg) // the first data may have been lost for its sake
	}
	c.noteAgain(now, seg, r.seq, r.len(), why)
	c.board.sentOnceMore(id, now, counted)
	c.rate.sent(r, c.stats.delivered, false)
	r.inFlight, r.losses = uint32(c.board.pipe()), c.board.losses
	c.snd.last = now
	c.paced(now, seg.Len, true)
	if counted {
		k.undo.retransmitted(now, c.tsNow(now))
		if c.reducing() {
			k.prr.sent(1)
		}
	}
	if r.seq == c.snd.una && c.xmit != xmitReorder {
		c.setRTO(now) // what the timer is for has just been sent
	}
}

// endsAgain reports whether record id, which is to be sent again now, is the last of several of a burst that are sent again
// at once. A burst of which a part is sent again is cut there for good, as Linux cuts what it hands to its device.
func (c *TCB) endsAgain(now clock.Instant, id uint32, counted bool) bool {
	b := &c.board
	r := b.record(id)
	several := false
	if r.flags&sentJoined != 0 && id != b.head {
		before := b.record(id - 1)
		several = counted && before.at == now && before.flags&sentAgain != 0
	}
	if !several {
		r.flags &^= sentJoined
	}
	if id+1 == b.tail {
		return several
	}
	next := b.record(id + 1)
	if next.flags&sentJoined == 0 {
		return several
	}
	if c.recovery.rexmit == rexmitLost && isPending(next.flags) != 0 && b.pipe()+1 < c.cw.Window &&
		next.seq.Less(c.snd.una.Add(c.snd.wnd)) {
		return false // it follows
	}
	next.flags &^= sentJoined
	return several
}
