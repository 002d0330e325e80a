package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// A run is segments of one size, the last perhaps smaller, that follow each other in the sequence space and say the same but for
// their text, and PSH on the last: a super-packet. What Arrive and Next would do for each of them is done here for all at once,
// in the states where most data flows. Elsewhere nothing is done, and the segments go one by one.

// ArriveRun takes in a run of segments of size octets. seg is the first one, but with the text of all, and the PSH of the last. It
// returns false if it has done nothing: then the segments are for Arrive.
//
// The estimates of the peer's segments and of their distance in time see three segments at most; Linux, whose devices join
// them likewise, sees one.
func (c *TCB) ArriveRun(now clock.Instant, seg *Segment, size int) bool {
	n := len(seg.Payload)
	if !c.inRun(seg) || n > c.known() {
		return false
	}
	before := (n - 1) / size // segments before the last
	one, last := *seg, *seg
	one.Flags, one.Payload = wire.ACK, seg.Payload[:min(size, n)]
	last.Payload = seg.Payload[before*size:]
	c.stats.segsIn += uint64(before + 1)
	c.stats.dataIn += uint64(before + 1)
	c.stats.bytesRcvd += uint64(n)
	c.rcv.heard = now
	if c.ts.on {
		c.noteTimestamp(now, seg)
		c.measureEchoRTT(now, &one)
	}
	c.noteLimited()
	c.ecnArrived(now, seg)
	c.snd.more, c.probes, c.softErr = false, 0, 0
	c.snd.wl1 = seg.Seq.Add(before * size)
	c.keep(seg, seg.Payload)
	c.rcv.nxt = c.rcv.nxt.Add(n)
	c.noteAlike(now, &one, before)
	c.noteData(now, &last, c.holdText(len(last.Payload)))
	return true
}

// noteAlike is holdText and noteData for k segments that are like seg.
func (c *TCB) noteAlike(now clock.Instant, seg *Segment, k int) {
	s, n := &c.rcv.space, len(seg.Payload)
	for i := range k {
		size := c.holdText(n)
		if i < 2 { // two of the same size tell how large the peer's segments are
			c.noteText(now, seg, size)
		}
		switch {
		case n < leastGrowth:
		case i > 1 && s.room() <= 0 && s.slack < n:
			s.holdAlike(n, size, k-1-i) // and the window does not grow: the more is held, the less room there is
			return
		default:
			c.growWindow(n, size)
		}
	}
}

// inRun reports whether seg, and those that are like it, have nothing to say but their text, which comes in sequence.
func (c *TCB) inRun(seg *Segment) bool {
	switch c.state {
	case Established, FinWait1, FinWait2:
	default:
		return false
	}
	return seg.Flags&^wire.PSH == wire.ACK && seg.Seq == c.rcv.nxt && seg.Ack == c.snd.una &&
		int(seg.Window)<<c.snd.shift == c.snd.wnd && seg.Options.SACKCount == 0 && c.marks == nil && seg.ECN != CE &&
		len(c.rcv.ranges) == 0 && !c.rcv.hasFIN && !c.rcv.shut && c.urg.state != urgentSoon && !c.recovery.tlp.on &&
		c.timers[persistTimer] == clock.Never && c.ts.on == seg.Options.HasTimestamps &&
		(!c.ts.on || int32(seg.Options.TSVal-c.ts.recent) >= 0)
}

// NextRun sends segments that are like seg, which Next has just returned, and follow it; no more than limit. It returns how
// many: they have the octets of data from seg's end on, as many each as seg has.
func (c *TCB) NextRun(now clock.Instant, seg *Segment, limit int) int {
	if !c.startsRun(seg) {
		return 0
	}
	mss := c.snd.mss
	// The last segment of a burst, and the last one of what was written, may have PSH or FIN and are left to Next.
	end := c.snd.burst.end
	if w := c.written(); w.Less(end) {
		end = w
	}
	room := min(end.Sub(c.snd.nxt)-1, c.snd.una.Add(c.snd.wnd).Sub(c.snd.nxt))
	k := c.snd.room.most(min(limit, room/mss, c.cw.Window-c.board.pipe()), mss)
	if k <= 0 {
		return 0
	}
	c.snd.room.take(k * mss)
	for range k {
		c.noteAnswer(now)
		c.record(now, mss, false).flags |= sentJoined
	}
	n := k * mss
	c.use.sent += k
	c.stats.segsOut += uint64(k)
	c.stats.dataOut += uint64(k)
	c.stats.bytesSent += uint64(n)
	c.pace.sent = min(c.pace.sent+k, pacerBurst)
	if c.pacingRate() > 0 {
		c.pace.octets += n
	}
	return k
}

// startsRun reports whether nothing but the windows keeps the segments behind seg from being like it.
func (c *TCB) startsRun(seg *Segment) bool {
	return seg.Flags == wire.ACK && seg.Len == c.snd.mss && seg.Seq.Add(seg.Len) == c.snd.nxt && !seg.Retransmit &&
		seg.Options.SACKCount == 0 && (c.state == Established || c.state == CloseWait) && c.ecn.mode != ecnAccurate &&
		c.recovery.state == stateOpen && c.recovery.rexmit == rexmitNone && c.snd.nxt.Less(c.snd.burst.end) &&
		len(c.snd.cuts) == 0 && len(c.rcv.ranges) == 0 && !c.mtu.on && !c.urg.sending && !c.cfg.FreeBSD
}
