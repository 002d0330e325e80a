package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// enterLoss is what follows from a retransmission timeout: RFC 5681, 3.1; RFC 6675, 5.1; RFC 8985, 6.3. again: the timer
// had expired before, and nothing was acknowledged since.
func (c *TCB) enterLoss(now clock.Instant, again bool) {
	r := &c.recovery
	anew := r.state < stateRecovery
	path := PathTimeout
	if again {
		path = PathTimeoutAgain
	}
	before := r.lost
	c.markTimeout(now)
	c.note(now, path, int(r.lost-before))
	// RFC 5681, 3.1: "the value of ssthresh is held constant" when the segment was already retransmitted by the timer; 4.3:
	// "Loss in two successive windows of data, or the loss of a retransmission, should be taken as two indications of
	// congestion": ssthresh sinks once for a window.
	if r.state <= stateDisorder || !c.snd.una.Less(r.high) || r.state == stateLoss && !again {
		r.undo.threshold = c.currentThreshold()
		c.cw.Prior = c.cw.Window
		c.sense(now)
		c.cw.ECN = false
		c.cw.Threshold = max(c.cc.Reduce(&c.cw), 1)
		c.cc.Event(&c.cw, EventTimeout)
		c.beginUndo()
	}
	// "upon a timeout … cwnd MUST be set to no more than the loss window, LW, which equals 1 full-sized segment": what is
	// not deemed lost may still be in flight beside it.
	c.cw.Window, c.cw.Credit = c.board.pipe()+1, 0
	c.use.stamp = now
	// So many duplicates and still a timeout: the degree of reordering is overestimated.
	if r.state <= stateDisorder && c.board.sacked >= c.cfg.Reordering {
		r.reordering = min(r.reordering, c.cfg.Reordering)
	}
	c.setRecovery(now, stateLoss)
	r.high, r.tlp.on = c.snd.nxt, false
	c.ecnReduced()
	// RFC 5682, 2.1, step 1: "If the TCP sender is already in RTO recovery AND "recover" is larger than or equal to SND.UNA …,
	// do not enter step 2 of this algorithm", except "in case the retransmission timer expires multiple times for the same
	// segment".
	r.frto = c.cfg.FRTO != 0 && (anew || again)
}

// markTimeout deems lost what a timeout shows to be: RFC 8985, 6.3: "RACK marks the first outstanding segment as lost …; for
// all the other segments, RACK only marks the segment as lost if the time elapsed since the segment was transmitted is at
// least the sum of the recent RTT and the reordering window", which is closed here. Without RACK, all of them.
//
// RFC 2018, 8: "the data receiver is permitted to discard data in its queue that has not been acknowledged to the data
// sender, even if the data has already been reported in a SACK option": that shows in the first
// segment being sacked but not acknowledged. Then nothing counts as sacked.
func (c *TCB) markTimeout(now clock.Instant) {
	b, r := &c.board, &c.recovery
	if b.empty() {
		return
	}
	c.sense(now)
	reneged := c.sackOK && b.reneged()
	if reneged {
		c.note(now, PathReneged, b.sacked)
		r.reneged = true
		c.history().reneges++
	} else if !c.sackOK {
		b.sacked = 0
	}
	for id := b.head; id != b.tail; id++ {
		s := b.record(id)
		if reneged {
			if s.flags&sentSacked != 0 {
				b.clear(id, sentSacked)
			}
		} else if c.rackOn() && id != b.head && r.rack.overdue(now, s, 0) > 0 {
			continue
		}
		if b.lose(id) {
			r.lost++
		}
	}
	b.lostNext, b.before, b.rxtNext = b.head, 0, b.head
}

// inLoss takes an ACK after a timeout in: F-RTO (RFC 5682, 3.1, with SACK, and 2.1), which sends new data to find out whether
// the timeout was spurious.
func (c *TCB) inLoss(now clock.Instant, a *ackEvent, dups int) {
	r := &c.recovery
	recovered := !c.snd.una.Less(r.high)
	if a.flags&ackAdvanced != 0 && c.tryUndoLoss(now, a, false) {
		return
	}
	if r.frto {
		// Step 3.b: "if it acknowledges data that was not retransmitted after the timeout …, declare the timeout spurious".
		if a.flags&ackOrigin != 0 && c.tryUndoLoss(now, a, true) {
			return
		}
		switch {
		case r.high.Less(c.snd.nxt):
			if a.flags&ackSacked != 0 || dups > 0 {
				c.note(now, PathFRTOReal, 0)
				r.frto = false // step 3.a: "If the acknowledgment is a duplicate ACK": the loss was real
			}
		case a.flags&ackAdvanced != 0 && !recovered:
			// Step 2.b: "if the acknowledgment advances the window AND the Acknowledgment field does not cover "recover",
			// transmit up to two new (previously unsent) segments and enter step 3". "If the TCP sender does not have any
			// new data to send, or the advertised window prohibits new transmissions, … skip step 3".
			r.high = c.snd.nxt
			if c.mayEmit() {
				c.note(now, PathFRTONewData, 0)
				r.rexmit = rexmitNew
				return
			}
			c.note(now, PathFRTOImpossible, 0)
			r.frto = false
		}
	}
	if recovered {
		c.tryUndoRecovery(now, a)
		return
	}
	if !c.sackOK {
		// A duplicate means that new data of step 2.b has arrived.
		if r.high.Less(c.snd.nxt) && dups > 0 {
			c.addDuplicates(dups, a.flags&ackECE != 0)
		} else if a.flags&ackAdvanced != 0 {
			c.board.sacked = 0
		}
	}
	r.rexmit = rexmitLost
}

// mayEmit reports whether there is new data that the peer's window admits.
func (c *TCB) mayEmit() bool {
	return (c.unsent() > 0 || c.snd.fin && !c.snd.finSent) && c.snd.nxt.Less(c.snd.una.Add(c.snd.wnd))
}

// waitForReneging looks for a peer that has discarded what it had reported to hold: the first segment is sacked and not
// acknowledged though others were. It is given half a round-trip time to say something more sensible, then all counts
// as lost.
func (c *TCB) waitForReneging(now clock.Instant, a *ackEvent) bool {
	if a.flags&(ackReneged|ackAdvanced) != ackReneged|ackAdvanced {
		return false
	}
	c.note(now, PathRenegingAwaited, 0)
	c.setXmit(now, xmitRTO, max(c.rtt.srtt/2, 10*time.Millisecond))
	a.flags &^= ackSetTimer
	return true
}

// rexmitTimeout is RFC 9293, 3.10.8: "RETRANSMISSION TIMEOUT: For any state if the retransmission timeout expires on a
// segment in the retransmission queue, send the segment at the front of the retransmission queue again, reinitialize
// the retransmission timer, and return."
func (c *TCB) rexmitTimeout(now clock.Instant) {
	// A peer that keeps its window closed and answers is alive. RFC 9293, 3.8.6.1: "As long as the receiving TCP
	// peer continues to send acknowledgments in response to the probe segments, the sending TCP peer MUST allow the
	// connection to stay open (MUST-37)."
	closed := c.snd.wnd == 0
	if closed && c.rcv.heard >= c.snd.last {
		c.endTimeouts(now)
		c.stuck = now
	}
	if c.exhausted(now) {
		c.giveUp(now)
		return
	}
	again := c.retries > 0
	if !again {
		c.firstRexmt = now
	}
	c.noteR1(now)
	c.noteTimeout(now)
	c.lostOption()
	if !closed || c.board.reneged() {
		c.enterLoss(now, again) // a closed window is not the network's fault
	} else {
		c.note(now, PathWindowTimeout, 0)
	}
	c.recovery.rexmit = rexmitFirst
	if c.linear() {
		c.note(now, PathThinLinear, 0)
		c.rtt.backoff = 0
		c.rtt.rto = max(c.rtt.fresh(c.cfg), c.cfg.MinRTO)
	} else {
		c.rtt.backOff(c.cfg)
	}
	c.setRTO(now)
}
