package tcp

import "github.com/onlink-go/onlink/clock"

// recovery is the state of loss recovery. Its machine is Linux's: RFC 6675's and RFC 6582's fast recovery, RFC 5681's
// answer to a timeout and RFC 3168's to a congestion mark, each of which can be taken back (undo.go).
type recovery struct {
	state   RecoveryState
	rexmit  rexmit // what the last event asks to send again
	frto    bool   // F-RTO is under way
	reneged bool   // the peer has discarded what it had reported to hold
	high    Seq    // SND.NXT when the state was entered; when it is acknowledged, the state ends

	rack rack
	tlp  tlp

	trigger Path  // what a loss or congestion was last detected by
	noted   uint8 // the paths that noteOnce has told of

	prr  prr
	undo undo

	reordering int    // segments that may arrive out of order without being deemed lost
	reordSeen  uint64 // how often reordering was seen
	lost       uint64 // segments ever deemed lost
	dsacks     uint64 // segments that DSACKs told of
}

// rexmit says what is to be retransmitted.
type rexmit uint8

const (
	rexmitNone  rexmit = iota
	rexmitLost         // what is lost, as far as the window allows
	rexmitFirst        // the first segment, whatever the window
	rexmitNew          // new data first (F-RTO); if there is none, what is lost
	rexmitProbe        // a tail loss probe
)

// ackFlags say what an ACK brought.
type ackFlags uint16

const (
	ackData       ackFlags = 1 << iota // the segment has text or FIN
	ackWindow                          // it may update the window
	ackDataAcked                       // data was acknowledged
	ackAgainAcked                      // some of which had been sent more than once
	ackSacked                          // something was sacked
	ackECE                             // the peer tells of congestion
	ackLostAgain                       // a retransmission turned out to be lost
	ackOrigin                          // something that was sent once, before high, has arrived
	ackAdvanced                        // SND.UNA has moved
	ackDSACK                           // a DSACK told of a superfluous retransmission,
	ackDSACKProbe                      // of the loss probe's
	ackSetTimer                        // the retransmission timer is to be set anew
	ackReneged                         // the first segment is sacked and not acknowledged
	ackDelayed                         // it was perhaps delayed by the peer
	ackNotDup     = ackData | ackWindow | ackDataAcked
	ackAlert      = ackSacked | ackECE | ackDSACK
	ackForward    = ackDataAcked | ackSacked
)

// ackEvent is what one ACK tells, gathered while it is taken in.
type ackEvent struct {
	now       clock.Instant
	flags     ackFlags
	una       Seq    // SND.UNA before
	fack      Seq    // the end of the highest segment known to have arrived, before
	lost      uint64 // recovery.lost before
	delivered uint64 // stats.delivered before
	cep       uint64 // marks.delivered.cep before, in RFC 3168's mode
	echo      uint32 // TSecr, if echoed
	echoed    bool

	firstSacked, lastSacked clock.Instant // when the first and last newly sacked segment was sent that was sent once
	timedSack               bool
	reord                   Seq // lowest sequence number found to have come late, if hasReord
	hasReord                bool
	sackDelivered           int
	rate                    RateSample
}

// late notes that what begins at s has come late.
func (a *ackEvent) late(s Seq) {
	if !a.hasReord || s.Less(a.reord) {
		a.reord, a.hasReord = s, true
	}
}

// setRecovery enters another state.
func (c *TCB) setRecovery(now clock.Instant, to RecoveryState) {
	from := c.recovery.state
	c.sense(now)
	c.cc.StateChanged(&c.cw, to)
	c.recovery.state = to
	if from != to {
		c.watch(now, from, to)
	}
	if c.observer != nil && from != to {
		c.observer.Recovery(now, from.String(), to.String())
	}
}

// reducing reports whether the window is being brought down to the threshold.
func (c *TCB) reducing() bool {
	return c.recovery.state == stateCWR || c.recovery.state == stateRecovery
}

// alert decides what a dubious ACK means for loss recovery, which was a duplicate or not. The scoreboard has been updated.
func (c *TCB) alert(now clock.Instant, a *ackEvent, dups int) {
	r := &c.recovery
	ece := a.flags&ackECE != 0
	force := dups > 0 || a.flags&ackSacked != 0 && c.farAhead()
	if c.board.empty() {
		c.board.sacked = 0
	}
	if c.board.taker != nil {
		c.sense(now)
	}
	if ece {
		r.undo.threshold = 0 // the network has said so: no way back
	}
	if c.waitForReneging(now, a) {
		return
	}
	if r.state == stateOpen {
		r.undo.stamped = false
	} else if !c.snd.una.Less(r.high) && c.leave(now, a) {
		return
	}
	switch r.state {
	case stateRecovery:
		if c.inRecovery(now, a, dups, ece, &force) {
			return
		}
	case stateLoss:
		c.inLoss(now, a, dups)
		c.findLosses(now, a)
		if r.state != stateOpen && a.flags&ackLostAgain == 0 {
			return
		}
		fallthrough // the timeout was taken back, or a retransmission is lost
	default:
		if !c.sackOK {
			if a.flags&ackAdvanced != 0 {
				c.board.sacked = 0
			}
			c.addDuplicates(dups, ece)
		}
		if r.state <= stateDisorder {
			c.tryUndoDSACK(now)
		}
		c.findLosses(now, a)
		if !c.timeToRecover() {
			c.tryToOpen(now, ece)
			return
		}
		if c.mtuProbeLost(now) {
			return
		}
		c.enterRecovery(now, ece)
	}
	if c.sackOK && !c.rackOn() && force {
		c.classicLosses(now)
	}
	r.rexmit = rexmitLost
}

// leave ends a state at whose beginning nothing was sent that is not acknowledged now. It returns true if the ACK is done
// with.
func (c *TCB) leave(now clock.Instant, a *ackEvent) bool {
	r := &c.recovery
	switch r.state {
	case stateCWR:
		// Something above must be acknowledged, so that the CWR flag has arrived (RFC 3168, 6.1.2).
		if c.snd.una != r.high {
			c.endReduction(now)
			c.setRecovery(now, stateOpen)
		}
	case stateRecovery:
		// RFC 6675, 5: "An incoming cumulative ACK for a sequence number greater than RecoveryPoint signals the end of
		// loss recovery, and the loss recovery phase MUST be terminated." RFC 6582, 3.2, 3: likewise "full
		// acknowledgments".
		if !c.sackOK {
			c.board.sacked = 0
		}
		if c.tryUndoRecovery(now, a) {
			return true
		}
		c.endReduction(now)
	}
	return false
}

// inRecovery takes an ACK of fast recovery in. It returns true if it is done with.
func (c *TCB) inRecovery(now clock.Instant, a *ackEvent, dups int, ece bool, force *bool) bool {
	if a.flags&ackAdvanced == 0 {
		if !c.sackOK {
			c.addDuplicates(dups, ece)
		}
	} else if c.tryUndoPartial(now, a) {
		return true
	} else {
		*force = c.farAhead()
	}
	if c.tryUndoDSACK(now) {
		c.keepOpen(now)
	}
	c.findLosses(now, a)
	if c.recovery.state != stateRecovery {
		if !c.timeToRecover() {
			return true
		}
		c.enterRecovery(now, ece) // reordering, and then loss
	}
	return false
}

// farAhead reports whether something has arrived so far ahead that what is missing cannot be a matter of reordering.
func (c *TCB) farAhead() bool {
	return c.board.sacked > 0 && c.sackOK && c.snd.una.Add(c.recovery.reordering*c.snd.mss).Less(c.board.high)
}

// findLosses deems lost what the ACK shows to be.
func (c *TCB) findLosses(now clock.Instant, a *ackEvent) {
	switch {
	case c.board.empty():
	case !c.sackOK:
		c.newRenoLoss(now, a)
	case c.rackOn():
		again := c.board.again
		if c.rackLoss(now) {
			a.flags &^= ackSetTimer
		}
		if c.board.again < again {
			c.note(now, PathLostAgain, again-c.board.again)
			a.flags |= ackLostAgain
		}
	}
}

// rackOn reports whether losses are found by RACK, and not by counting duplicates.
func (c *TCB) rackOn() bool { return c.cfg.Recovery&rackOn != 0 && c.sackOK }

// timeToRecover reports whether fast recovery is to begin.
func (c *TCB) timeToRecover() bool {
	if c.board.lost > 0 {
		return true
	}
	// RFC 6675, 5: "(1) If DupAcks >= DupThresh, go to step (4)."
	return !c.rackOn() && c.board.sacked+1 > c.recovery.reordering
}

// classicLosses deems lost what RFC 6675, 4, IsLost, says is: "either DupThresh discontiguous SACKed sequences have arrived
// above 'SeqNum' or more than (DupThresh - 1) * SMSS bytes …". For segments of full size they are both; smaller ones count
// alike.
func (c *TCB) classicLosses(now clock.Instant) {
	b, r := &c.board, &c.recovery
	before := r.lost
	if n := b.sacked - r.reordering; n >= 0 {
		r.lost += uint64(b.markBelow(n))
	} else if !b.empty() && b.lost == 0 && b.lose(b.head) {
		r.lost++ // RFC 6675, 5, step 4.1: the first one in any case
	}
	if r.lost > before {
		c.note(now, PathDupThresh, int(r.lost-before))
	}
}

// newRenoLoss deems the first segment lost, for a peer without SACK: at the third duplicate (RFC 5681, 3.2), and in
// recovery when a part is acknowledged: RFC 6582, 3.2, 3: "Partial acknowledgments: … retransmit the first
// unacknowledged segment."
func (c *TCB) newRenoLoss(now clock.Instant, a *ackEvent) {
	r, b := &c.recovery, &c.board
	path := PathNone
	switch {
	case r.state < stateRecovery && b.sacked >= r.reordering:
		path = PathDupACKs
	case r.state == stateRecovery && a.flags&ackAdvanced != 0:
		path = PathPartialACK
	}
	if path != PathNone && b.first().flags&sentLost == 0 && b.lose(b.head) {
		r.lost++
		c.note(now, path, 1)
	}
}

// addDuplicates counts duplicate ACKs of a peer without SACK as segments that have left the network (RFC 6582, 3.2, 4).
func (c *TCB) addDuplicates(n int, ece bool) {
	if n == 0 {
		return
	}
	before := c.board.sacked
	c.board.sacked += n
	c.limitDuplicates(0)
	c.countDelivered(c.board.sacked-before, ece)
}

// eatDuplicates takes n segments acknowledged: one filled the hole, the others had been counted as duplicates.
func (c *TCB) eatDuplicates(n int, ece bool) {
	b := &c.board
	if n > 0 {
		c.countDelivered(max(n-b.sacked, 1), ece)
		b.sacked = max(b.sacked-(n-1), 0)
	}
	c.limitDuplicates(n)
}

// limitDuplicates bounds the count of duplicates by what is in flight and not lost. More of them show reordering, or
// duplication.
func (c *TCB) limitDuplicates(acked int) {
	b, r := &c.board, &c.recovery
	holes := min(max(b.lost, 1), b.out)
	if b.sacked+holes <= b.out {
		return
	}
	b.sacked = b.out - holes
	r.reordering = min(b.out+acked, c.cfg.MaxReordering)
	r.reordSeen++
}

// enterRecovery begins fast recovery: RFC 6675, 5, step 4. ece: the ACK that shows the loss tells of congestion too.
func (c *TCB) enterRecovery(now clock.Instant, ece bool) {
	r := &c.recovery
	r.undo.threshold = 0
	c.beginUndo()
	if !c.reducing() {
		if !ece {
			r.undo.threshold = c.currentThreshold()
		}
		c.beginReduction(now, ece)
	}
	c.stats.recoveries++
	c.setRecovery(now, stateRecovery)
}

// beginUndo keeps what may be undone.
func (c *TCB) beginUndo() {
	r := &c.recovery
	again := c.board.again
	if r.tlp.on && r.tlp.again {
		again++ // the loss probe may cause a DSACK too
	}
	r.undo.begin(c.snd.una, again)
}

// beginReduction asks the congestion control for the threshold.
func (c *TCB) beginReduction(now clock.Instant, ece bool) {
	r := &c.recovery
	r.high, r.tlp.on = c.snd.nxt, false
	c.cw.Credit, c.cw.Prior = 0, c.cw.Window
	r.prr.begin(c.cw.Window)
	c.sense(now)
	c.cw.ECN = ece
	if ece && c.cfg.ABE && !c.controls {
		c.note(now, PathABE, 0)
	}
	c.cw.Threshold = max(c.cc.Reduce(&c.cw), 1)
	c.ecnReduced()
}

// reduceWindow is proportional rate reduction for n segments delivered and lost ones newly deemed lost.
func (c *TCB) reduceWindow(now clock.Instant, n, lost int, advanced bool) {
	if n > 0 {
		p := &c.recovery.prr
		c.cw.Window = max(p.acked(n, c.board.pipe(), c.cw.Threshold, advanced && lost == 0), 1)
		c.noteOnce(now, p.path)
	}
}

// endReduction is RFC 9937, 6.4: "On the completion of a PRR episode, PRR executes the following: cwnd = ssthresh".
func (c *TCB) endReduction(now clock.Instant) {
	if c.controls {
		return
	}
	if c.cw.Threshold < unlimited && (c.recovery.state == stateCWR || c.recovery.undo.on) {
		c.cw.Window = c.cw.Threshold
		c.use.stamp = now
	}
	c.sense(now)
	c.cc.Event(&c.cw, EventReduced)
}

// enterCWR begins to reduce the window for a congestion mark.
func (c *TCB) enterCWR(now clock.Instant) {
	r := &c.recovery
	r.undo.threshold = 0
	if r.state < stateCWR {
		r.undo.on = false
		c.note(now, PathECNEcho, 0)
		c.beginReduction(now, true)
		c.setRecovery(now, stateCWR)
	}
}

// keepOpen enters Open or Disorder.
func (c *TCB) keepOpen(now clock.Instant) {
	to := stateOpen
	if c.board.sacked+c.board.lost > 0 || c.retransmitting() {
		to = stateDisorder
	}
	if c.recovery.state != to {
		c.setRecovery(now, to)
		c.recovery.high = c.snd.nxt
	}
}

// tryToOpen is keepOpen but for a congestion mark, which enters CWR.
func (c *TCB) tryToOpen(now clock.Instant, ece bool) {
	if !c.retransmitting() {
		c.recovery.undo.stamped = false
	}
	if ece {
		c.enterCWR(now)
	}
	if c.recovery.state != stateCWR {
		c.keepOpen(now)
	}
}

// countDelivered counts segments that have arrived.
func (c *TCB) countDelivered(n int, ece bool) {
	if n <= 0 {
		return
	}
	c.stats.delivered += uint64(n)
	if ece && c.ecn.mode == ecnClassic {
		c.marks.delivered.cep += uint64(n)
	}
}
