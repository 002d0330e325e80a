package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// takeACK takes SEG.ACK, the SACK blocks and SEG.WND in: RFC 9293, 3.10.7.4, "Fifth, check the ACK field", as for
// ESTABLISHED. It returns false if the segment is to be dropped.
func (c *TCB) takeACK(now clock.Instant, seg *Segment) bool {
	ack := seg.Ack
	// "If the ACK acks something not yet sent (SEG.ACK > SND.NXT), then send an ACK, drop the segment, and return."
	// RFC 5961, 5.2: "The ACK value is considered acceptable only if it is in the range of ((SND.UNA - MAX.SND.WND) <= SEG.ACK <=
	// SND.NXT). All incoming segments whose ACK value doesn't satisfy the above condition MUST be discarded and an ACK
	// sent back."
	// What was never sent was never acknowledged either, so the range ends there.
	if c.snd.nxt.Less(ack) || ack.Less(c.snd.una.Add(-int(min(uint64(c.snd.maxWnd), c.stats.bytesAcked)))) {
		c.challenge(now)
		return false
	}
	c.noteLimited()
	a := ackEvent{now: now, una: c.snd.una, fack: c.fack(), lost: c.recovery.lost, delivered: c.stats.delivered}
	a.echo, a.echoed = seg.Options.TSEcr, c.ts.on && seg.Options.HasTimestamps && seg.Options.TSEcr != 0
	a.rate.InFlight, a.rate.RTT = c.board.pipe(), -1
	c.cw.Marked, c.cw.MarkedOctets = 0, 0
	if c.ecn.mode == ecnClassic {
		a.cep = c.marks.delivered.cep
	}
	if seg.length() > 0 {
		a.flags |= ackData
	}
	if ack.Less(c.snd.una) {
		// "If the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be ignored." Its text is not, nor its SACK blocks.
		c.takeOldACK(now, seg, &a)
		return true
	}
	c.takeNewACK(now, seg, &a)
	c.snd.more = false
	c.probes = 0
	return true
}

// takeOldACK takes the SACK blocks of an ACK that others have overtaken.
func (c *TCB) takeOldACK(now clock.Instant, seg *Segment, a *ackEvent) {
	if seg.Options.SACKCount == 0 || !c.sackOK {
		return
	}
	c.takeSACK(a, seg)
	c.countDelivered(a.sackDelivered, false)
	c.alert(now, a, 0)
}

// takeNewACK takes in an ACK that is none of the past.
func (c *TCB) takeNewACK(now clock.Instant, seg *Segment, a *ackEvent) {
	n := seg.Ack.Sub(c.snd.una)
	if n > 0 {
		a.flags |= ackAdvanced
		c.snd.una = seg.Ack
		c.stats.bytesAcked += uint64(n)
		c.progress = true
		c.stuck = now
		c.endTimeouts(now)
		c.urg.sending = c.urg.sending && c.snd.una.Less(c.urg.sendTo)
	}
	c.softErr = 0
	if n > 0 || c.mayUpdateWindow(seg) {
		a.flags |= ackWindow
	}
	idle := c.board.empty()
	if seg.Options.SACKCount > 0 && c.sackOK {
		c.takeSACK(a, seg)
	}
	if c.ecnEchoed(seg) {
		a.flags |= ackECE
	}
	c.ecnTakeCWR(seg)
	c.countDelivered(a.sackDelivered, a.flags&ackECE != 0)
	if idle {
		c.takeFeedback(a, seg)
		c.updateWindow(now, seg, n > 0)
		if a.flags&ackDSACK != 0 || a.flags&ackECE != 0 && c.ecn.mode == ecnAccurate {
			c.alert(now, a, 0)
		}
		if c.recovery.tlp.on {
			c.ackProbe(now, a)
		}
		return
	}
	c.clean(now, a, seg)
	c.takeFeedback(a, seg)
	c.updateWindow(now, seg, n > 0)
	c.afterClean(now, a)
}

// afterClean decides what an ACK means for loss recovery and congestion control, once the scoreboard knows of it.
func (c *TCB) afterClean(now clock.Instant, a *ackEvent) {
	r := &c.recovery
	if c.cfg.Recovery&rackStatic == 0 {
		if r.rack.adapt(a.rate.Prior, c.stats.delivered) {
			c.note(now, PathRACKWiderWindow, 0)
		}
	}
	if r.tlp.on {
		c.ackProbe(now, a)
	}
	if a.flags&ackNotDup == 0 || a.flags&ackAlert != 0 || r.state != stateOpen {
		dups := 0
		if a.flags&(ackAdvanced|ackNotDup|ackDSACK) == 0 {
			dups = 1
		}
		c.alert(now, a, dups)
	}
	if a.flags&ackSetTimer != 0 && !c.scheduleProbe(now, true) {
		c.rearmRTO(now)
	}
	c.control(now, a)
}

// control has the congestion control change the window.
func (c *TCB) control(now clock.Instant, a *ackEvent) {
	n := int(c.stats.delivered - a.delivered)
	lost := int(c.recovery.lost - a.lost)
	a.rate.Lost, a.rate.Delayed = lost, a.flags&ackDelayed != 0
	if a.rate.Prior > 0 {
		a.rate.LostSince = int(c.board.losses - a.rate.losses)
	}
	c.rate.finish(now, &a.rate, n, c.stats.delivered, c.rtt.least(), c.recovery.reneged)
	c.sense(now)
	c.cw.Limited = c.windowLimited()
	switch {
	case c.controls:
		*c.rate.told = a.rate
		c.cw.Limited = c.use.limited
		c.cc.Control(&c.cw, c.rate.told)
		c.cw.Window = max(c.cw.Window, 1)
		if c.cw.markLimited {
			c.cw.markLimited = false
			c.markLimited()
		}
		return
	case c.reducing():
		c.reduceWindow(now, n, lost, a.flags&ackAdvanced != 0)
	case a.flags&ackDataAcked != 0 || a.flags&ackForward != 0 && c.recovery.reordering > c.cfg.Reordering:
		// With much reordering what is delivered counts, whatever its order.
		c.cc.Grow(&c.cw, n)
		c.use.stamp = now
	}
	c.updatePacingRate()
}

// mayUpdateWindow reports whether the segment may change the window, so that it is no duplicate ACK.
func (c *TCB) mayUpdateWindow(seg *Segment) bool {
	wnd := int(seg.Window) << c.snd.shift
	return c.snd.wl1.Less(seg.Seq) || seg.Seq == c.snd.wl1 && (wnd > c.snd.wnd || wnd == 0)
}

// clean removes what is acknowledged from the scoreboard: RFC 9293, 3.10.7.4: "Any segments on the retransmission queue
// that are thereby entirely acknowledged are removed." It takes the round-trip time from the first of them that was
// sent once, unless one of them was sent twice: its acknowledgment is what the others may have waited for.
func (c *TCB) clean(now clock.Instant, a *ackEvent, seg *Segment) {
	var first, last clock.Instant
	var reord Seq
	timed, late, acked := false, false, 0
	b, una := &c.board, c.snd.una
	sackedBefore := b.sacked
	for ; b.head != b.tail && b.first().end.LessEq(una); b.drop() {
		r := b.first()
		switch {
		case r.flags&sentTwice != 0:
			a.flags |= ackAgainAcked
		case r.flags&sentSacked == 0:
			if last = r.at; !timed {
				first, timed = r.at, true
			}
			if !late {
				reord, late = r.seq, true
			}
			if r.end.LessEq(c.recovery.high) {
				a.flags |= ackOrigin
			}
		}
		if r.flags&sentSacked == 0 && c.sackOK {
			c.countDelivered(1, a.flags&ackECE != 0)
			if r.flags&sentTwice == 0 || !a.echoed || int32(a.echo-c.tsNow(r.at)) >= 0 {
				c.recovery.rack.arrived(now, r.at, r.end, r.flags&sentTwice != 0, c.rtt.least())
			}
		}
		c.rate.arrived(&a.rate, r)
		acked++
		a.flags |= ackDataAcked
	}
	c.trim(una)
	c.mtuProbeAcked(now)
	if b.empty() {
		b.high = una
	} else if c.sackOK && b.reneged() {
		a.flags |= ackReneged
	}
	if acked > 0 {
		a.flags |= ackSetTimer
	}
	c.measure(now, a, seg, first, last, timed, acked == 1 && sackedBefore == 0)
	if acked > 0 && !c.sackOK {
		c.eatDuplicates(acked, a.flags&ackECE != 0)
		if a.flags&ackAgainAcked != 0 {
			a.flags &^= ackOrigin // nothing tells which one it was
		}
	} else if late && reord.Less(a.fack) {
		c.noteReordering(now, reord)
	}
	c.sense(now)
	c.cc.Sampled(&c.cw, acked, a.rate.RTT)
	c.noteControl(now)
	if b.empty() {
		b.reset()
	}
}

// trim frees the acknowledged data, and shortens the record that is acknowledged in part.
func (c *TCB) trim(una Seq) {
	if b := &c.board; !b.empty() && b.first().seq.Less(una) {
		b.first().seq = una
	}
	if data := min(una.Sub(c.snd.base), c.snd.out.end); data > 0 {
		c.releaseSent(data, c.snd.out.end)
		c.snd.out.discard(data)
		c.snd.base = c.snd.base.Add(data)
	}
}

// measure takes the round-trip time: of what was acknowledged, else of what was sacked, else by the timestamp echoed. first
// and last are when the segments acknowledged were sent that were sent once, if timed; lone: it was one segment, in order.
func (c *TCB) measure(now clock.Instant, a *ackEvent, seg *Segment, first, last clock.Instant, timed, lone bool) {
	var rtt, least time.Duration // of the first, and of the last
	ok := false
	if timed && a.flags&ackAgainAcked == 0 {
		rtt, least, ok = now.Sub(first), now.Sub(last), true
		if lone && c.snd.una.Sub(a.una) < c.snd.mss && a.flags&ackAlert == 0 && a.rate.Prior+1 == c.stats.delivered {
			a.flags |= ackDelayed // of one small segment: the peer waits for another
		}
	}
	if a.timedSack {
		least = now.Sub(a.lastSacked)
		if sacked := now.Sub(a.firstSacked); !ok {
			rtt, ok = sacked, true
		}
	}
	if !ok && a.flags&ackDataAcked != 0 {
		rtt, ok = c.echoed(now, seg)
		least = rtt
	}
	if !ok {
		return
	}
	a.rate.RTT = least
	if a.flags&ackDelayed == 0 || least <= c.rtt.least() {
		c.rtt.sampleLeast(now, least, c.cfg)
	}
	c.rtt.sample(rtt, c.snd.una, c.snd.nxt, c.cfg)
	// The timer is not put off by what was sent after the first segment was: else it might never expire.
	if b := &c.board; a.flags&ackDataAcked == 0 && a.timedSack && !b.empty() && now.Sub(a.firstSacked) > now.Sub(b.first().at) {
		a.flags |= ackSetTimer
	}
}

// finAcked reports whether the peer has acknowledged our FIN.
func (c *TCB) finAcked() bool { return c.snd.finSent && c.snd.una == c.snd.nxt }
