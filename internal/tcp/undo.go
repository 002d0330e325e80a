package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// undo is what is kept of the time before a reduction of the window, to take it back if what was retransmitted turns out
// to have arrived in the first place: because DSACKs tell of each retransmission that it was one too many (RFC 3708), or
// because a timestamp echoed is older than the first retransmission (the Eifel detection algorithm, RFC 3522; the
// response is that of RFC 4015).
type undo struct {
	on        bool
	from      Seq    // SND.UNA at the reduction: DSACKs of what is behind tell of this episode
	again     int    // retransmissions that no DSACK has called superfluous yet; -1: none was made yet
	threshold int    // to go back to; 0: the reduction stands
	stamp     uint32 // timestamp clock at the first retransmission, if stamped
	stamped   bool
	at        clock.Instant // when that was
}

// begin keeps what an undo of the reduction that is to follow needs, with so many retransmissions in flight.
func (u *undo) begin(una Seq, again int) {
	u.on, u.from = true, una
	if u.again = again; again == 0 {
		u.again = -1
	}
}

// retransmitted notes that a segment was sent again at a time the timestamp clock calls stamp.
func (u *undo) retransmitted(now clock.Instant, stamp uint32) {
	if !u.stamped {
		u.stamp, u.stamped, u.at = stamp, true, now
	}
	u.again = max(u.again, 0) + 1
}

// duplicated notes that a DSACK told of n segments, up to end.
func (u *undo) duplicated(n int, end Seq) {
	if u.on && u.again > 0 && u.from.Less(end) {
		u.again = max(u.again-n, 0)
	}
}

// delayed is RFC 3522, 3.2, step 4: "If the value of the Timestamp Echo Reply field of the acceptable ACK's Timestamps
// option is smaller than the value of RetransmitTS, then proceed": what was acknowledged is the original transmission.
func (u *undo) delayed(a *ackEvent) bool {
	return u.stamped && a.echoed && int32(a.echo-u.stamp) < 0
}

// may reports whether the reduction was a mistake.
func (u *undo) may(a *ackEvent) bool { return u.on && (u.again == 0 || u.delayed(a)) }

// by returns which of two paths a reduction is undone by, when it may be: timestamps or DSACKs.
func (u *undo) by(timestamps, dsacks Path) Path {
	if u.again == 0 {
		return dsacks
	}
	return timestamps
}

// undoReduction goes back to the window and threshold of before: RFC 4015, 3.2. forgive: nothing counts as lost any more; by: what has shown it
// to be a mistake.
func (c *TCB) undoReduction(now clock.Instant, forgive bool, by Path) {
	c.undone(now, by)
	u := &c.recovery.undo
	if forgive {
		c.board.forgive()
	}
	if u.threshold > 0 {
		c.sense(now)
		c.cw.Window = max(c.cc.Undo(&c.cw), 1)
		if u.threshold > c.cw.Threshold {
			c.cw.Threshold = u.threshold
			c.ecn.set(ecnQueueCWR, false)
		}
	}
	u.on = false
	c.use.stamp = now
	c.recovery.rack.advanced = true // what counted as lost is to be looked at again
	c.history().undos++
}

// heldOpen reports whether a peer without SACK keeps recovery from ending: RFC 6582, 3.2: duplicates of what was sent
// before "recover" must not start another fast retransmit, so that something above has to be acknowledged first.
func (c *TCB) heldOpen() bool {
	if c.sackOK || c.snd.una != c.recovery.high {
		return false
	}
	if !c.retransmitting() {
		c.recovery.undo.stamped = false
	}
	return true
}

// retransmitting reports whether a retransmission of something not acknowledged may be under way.
func (c *TCB) retransmitting() bool {
	return c.board.again > 0 || !c.board.empty() && c.board.first().flags&sentTwice != 0
}

// tryUndoRecovery ends recovery when all of what was sent before it is acknowledged. It returns true if the state has to
// be held.
func (c *TCB) tryUndoRecovery(now clock.Instant, a *ackEvent) bool {
	if c.recovery.undo.may(a) {
		c.undoReduction(now, false, c.recovery.undo.by(PathEifel, PathDSACK))
	} else if c.recovery.rack.persist > 0 {
		c.recovery.rack.persist--
	}
	if c.heldOpen() {
		return true
	}
	c.setRecovery(now, stateOpen)
	c.recovery.reneged = false
	return false
}

// tryUndoDSACK takes the reduction back when DSACKs have told of each retransmission that it was superfluous.
func (c *TCB) tryUndoDSACK(now clock.Instant) bool {
	u := &c.recovery.undo
	if !u.on || u.again != 0 {
		return false
	}
	c.recovery.rack.persist = min(rackPersist, c.recovery.rack.persist+1)
	c.undoReduction(now, false, PathDSACK)
	return true
}

// tryUndoLoss takes a timeout back: spurious, as F-RTO has found out, or by timestamps or DSACKs.
func (c *TCB) tryUndoLoss(now clock.Instant, a *ackEvent, spurious bool) bool {
	if !spurious && !c.recovery.undo.may(a) {
		return false
	}
	by := PathFRTOSpurious
	switch {
	case !spurious:
		by = c.recovery.undo.by(PathEifelTimeout, PathDSACKTimeout)
	case c.sackOK:
		by = PathFRTOSpuriousSACK
	}
	c.undoReduction(now, true, by)
	c.history().spuriousTimeouts++
	c.endTimeouts(now)
	if c.heldOpen() {
		return true
	}
	if spurious || c.sackOK {
		c.setRecovery(now, stateOpen)
		c.recovery.reneged = false
	}
	return true
}

// tryUndoPartial looks at an ACK of a part of what was sent before recovery: if it is one of an original transmission,
// then there is reordering. It returns true if nothing more is to be deemed lost now.
func (c *TCB) tryUndoPartial(now clock.Instant, a *ackEvent) bool {
	u := &c.recovery.undo
	if !u.on || !u.delayed(a) {
		return false
	}
	c.noteReordering(now, a.una)
	if c.board.again > 0 {
		return true // retransmissions are under way: no more of them, but new data
	}
	if !c.retransmitting() {
		u.stamped = false
	}
	c.undoReduction(now, true, PathEifelPartial)
	c.recovery.rack.overtaken(time.Duration(c.tsNow(now)-a.echo) * tsTick)
	c.keepOpen(now)
	return false
}
