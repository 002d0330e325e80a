package tcp

import "github.com/onlink-go/onlink/clock"

// noteReordering takes in that what begins at low has come though something higher had come before, and had been sent once
// only: RFC 8985, 6.2, step 3: "If a never-retransmitted segment that's below RACK.fack is (selectively or cumulatively)
// acknowledged, it has been delivered out of order." How far apart the two are is the degree of reordering (RFC 4653's
// extent), which Config.MaxReordering bounds.
func (c *TCB) noteReordering(now clock.Instant, low Seq) {
	fack := c.fack()
	if !low.Less(fack) {
		return
	}
	r := &c.recovery
	if n := fack.Sub(low); n > r.reordering*c.snd.mss {
		r.reordering = min((n+c.snd.mss-1)/c.snd.mss, c.cfg.MaxReordering)
	}
	r.reordSeen++
	c.noteOnce(now, PathReordering)
}

// fack returns RACK.fack: the end of the highest segment known to have arrived.
func (c *TCB) fack() Seq {
	if c.board.sacked == 0 || !c.sackOK {
		return c.snd.una
	}
	return c.board.high
}
