package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// rack is the state of RACK (RFC 8985): the time of transmission of the segment that was sent last among those known to
// have arrived, and how much reordering to put up with.
type rack struct {
	at       clock.Instant // RACK.xmit_ts
	end      Seq           // RACK.end_seq
	rtt      time.Duration // RACK.rtt
	valid    bool          // at and end are set
	advanced bool          // something arrived, or was undone, since losses were last looked for

	steps   uint8  // RACK.reo_wnd_mult; 0 stands for 1
	persist uint8  // RACK.reo_wnd_persist: recoveries until steps goes back
	dsack   bool   // a DSACK came since steps was last changed
	since   uint64 // delivered when it was: RACK.dsack_round
}

// rackPersist is RFC 8985, 6.2, step 4: "RACK persists using the inflated RACK.reo_wnd for up to 16 loss recoveries, after
// which it resets RACK.reo_wnd to its starting value, min_RTT / 4."
const rackPersist = 16

// recoveryFlags of Config.Recovery.
const (
	rackOn          = 1 << iota // RACK, else RFC 6675's duplicate threshold
	rackStatic                  // the reordering window does not adapt
	rackNoDupThresh             // duplicates do not close it
)

// sentAfter is RFC 8985, 6.2, step 2: RACK_sent_after(t1, seq1, t2, seq2).
func sentAfter(t1 clock.Instant, s1 Seq, t2 clock.Instant, s2 Seq) bool {
	return t1 > t2 || t1 == t2 && s2.Less(s1)
}

// arrived takes in that a segment that was sent at `at` and ends at end has arrived; twice: it was sent more than once.
//
// RFC 8985, 6.2, step 2: "To avoid spurious inferences, ignore a segment as invalid if any of its sequence range has been
// retransmitted before and if … 2. The segment was last retransmitted less than RACK.min_rtt ago." The other condition,
// about timestamps, is the caller's.
func (k *rack) arrived(now, at clock.Instant, end Seq, twice bool, least time.Duration) {
	rtt := now.Sub(at)
	if twice && rtt < least {
		return
	}
	k.advanced, k.rtt = true, rtt
	if !k.valid || sentAfter(at, end, k.at, k.end) {
		k.at, k.end, k.valid = at, end, true
	}
}

// overtaken takes in that an original transmission was acknowledged rtt after it was sent, as timestamps tell to a tick, though
// it had been deemed lost. RACK.rtt is then that of a segment that overtook it, and too short for those between the two: with it
// they would be deemed lost again at once, one at each ACK.
func (k *rack) overtaken(rtt time.Duration) { k.rtt = max(k.rtt, rtt+tsTick) }

// window is RFC 8985, 6.2, step 4: "min(RACK.reo_wnd_mult * RACK.min_RTT / 4, SRTT)", unless it is closed: "when
// no reordering has been observed, the RACK.reo_wnd is set to 0 both upon entering and during fast recovery or RTO recovery",
// and when DupThresh segments are sacked.
func (k *rack) window(least, srtt time.Duration, closed bool) time.Duration {
	if closed {
		return 0
	}
	return min(least/4*time.Duration(max(k.steps, 1)), srtt)
}

// adapt is RFC 8985, 6.2, step 4, for an ACK that delivered a segment which was sent when prior segments had been
// delivered; delivered is their number now. "The RACK.reo_wnd increases linearly for every round trip in which the sender
// receives some DSACK option". The round is told by what had been delivered, as Linux does it, and not by SND.UNA.
//
// It reports whether the window is wider now.
func (k *rack) adapt(prior, delivered uint64) bool {
	if prior == 0 {
		return false
	}
	if prior < k.since {
		k.dsack = false // of the round in which it was adapted already
	}
	switch {
	case k.dsack:
		k.steps = max(k.steps, 1)
		if k.steps < 255 {
			k.steps++
		}
		k.dsack, k.since, k.persist = false, delivered, rackPersist
		return true
	case k.persist == 0:
		k.steps = 1
	}
	return false
}

// detect is RFC 8985, 6.2, step 5, RACK_detect_loss: "the sender can declare a segment lost when: now >=
// Segment.xmit_ts + RACK.reo_wnd + RACK.rtt", if it was sent before the RACK point. It returns how many became lost, and how long to wait
// until all that were sent before that point are, or 0.
func (k *rack) detect(now clock.Instant, b *scoreboard, window time.Duration) (lost int, wait time.Duration) {
	if b.byTime.n == 0 || !k.valid {
		return 0, 0
	}
	id := b.byTime.oldest
	for n := b.byTime.n; n > 0; n-- {
		r := b.record(id)
		next := r.newer
		switch {
		case isPending(r.flags) != 0:
			b.unlist(id) // deemed lost already, by a timeout
		case !sentAfter(k.at, k.end, r.at, r.end) || k.overdue(now, r, window) > 0:
			n = 1 // those after it were sent later
		default:
			b.lose(id)
			b.unlist(id)
			lost++
		}
		id = next
	}
	if id, ok := b.advanceEdge(k.at, k.end); ok {
		wait = max(k.overdue(now, b.record(id), window), 0)
	}
	return lost, wait
}

// overdue returns how long it takes until r is overdue.
func (k *rack) overdue(now clock.Instant, r *sent, window time.Duration) time.Duration {
	return k.rtt + window - now.Sub(r.at)
}

// rackWindow returns the connection's reordering window.
func (c *TCB) rackWindow() time.Duration {
	r := &c.recovery
	closed := r.reordSeen == 0 && (r.state >= stateRecovery ||
		c.board.sacked >= r.reordering && c.cfg.Recovery&rackNoDupThresh == 0)
	return r.rack.window(c.rtt.least(), c.rtt.srtt, closed)
}

// rackLoss looks for losses after the RACK point has moved. It reports whether it has set the timer.
func (c *TCB) rackLoss(now clock.Instant) bool {
	k := &c.recovery.rack
	if !k.advanced {
		return false
	}
	k.advanced = false
	window := c.rackWindow()
	lost, wait := k.detect(now, &c.board, window)
	if c.recovery.lost += uint64(lost); lost > 0 {
		path := PathRACK
		if window == 0 && c.recovery.state < stateRecovery {
			path = PathRACKDupThresh
		}
		c.note(now, path, lost)
	}
	if wait > 0 {
		c.setXmit(now, xmitReorder, wait+minTimeout)
	}
	return wait > 0
}

// reorderTimeout is the reordering timer's expiry: RFC 8985, 6.2, step 5: "This timer expires at the earliest moment when
// RACK would conclude that all the unacknowledged segments within the reordering window were lost."
func (c *TCB) reorderTimeout(now clock.Instant) {
	r := &c.recovery
	c.sense(now)
	lost, _ := r.rack.detect(now, &c.board, c.rackWindow())
	r.lost += uint64(lost)
	if lost > 0 {
		c.note(now, PathRACKTimer, lost)
		if r.state != stateRecovery {
			c.enterRecovery(now, false)
			c.reduceWindow(now, 1, lost, false)
		}
		r.rexmit = rexmitLost
	}
	if c.xmit == xmitReorder {
		c.rearmRTO(now)
	}
}
