package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// takeACK takes SEG.ACK, the SACK blocks and SEG.WND in: RFC 9293, 3.10.7.4, "Fifth, check the ACK field", as for
// ESTABLISHED. It returns false if the segment is to be dropped.
func (c *TCB) takeACK(now clock.Instant, seg *Segment) bool {
	ack := seg.Ack
	// "If the ACK acks something not yet sent (SEG.ACK > SND.NXT), then send an ACK, drop the segment, and return."
	// RFC 5961, 5.2: "the ACK value is acceptable only if it is in the range of ((SND.UNA - MAX.SND.WND) <= SEG.ACK <=
	// SND.NXT). All incoming segments whose ACK value doesn't satisfy the above condition MUST be discarded and an ACK
	// sent back."
	// What was never sent was never acknowledged either, so the range ends there.
	if c.snd.nxt.Less(ack) || ack.Less(c.snd.una.Add(-int(min(uint64(c.snd.maxWnd), c.stats.bytesAcked)))) {
		c.challenge(now)
		return false
	}
	if ack.Less(c.snd.una) {
		return true // "If the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be ignored." Its text is not.
	}
	dup := c.isDuplicate(seg)
	flight := c.board.out
	n := ack.Sub(c.snd.una)
	if n > 0 {
		c.advance(now, seg, n)
	}
	sacked := 0
	if seg.Options.SACKCount > 0 && c.sackOK && !c.board.empty() {
		sacked = c.takeSACK(seg)
	}
	if n > 0 || sacked > 0 || dup {
		c.recover(now, n, flight, dup)
	}
	c.updateWindow(now, seg)
	return true
}

// isDuplicate reports whether seg is a duplicate ACK: RFC 5681, 2: "(a) the receiver of the ACK has outstanding data, (b)
// the incoming acknowledgment carries no data, (c) the SYN and FIN bits are both off, (d) the acknowledgment number is
// equal to the greatest acknowledgment received on the given connection … and (e) the advertised window in the incoming
// acknowledgment equals the advertised window in the last incoming acknowledgment." With a closed window it is the
// answer to a probe.
func (c *TCB) isDuplicate(seg *Segment) bool {
	return seg.Ack == c.snd.una && len(seg.Payload) == 0 && seg.Flags&(wire.SYN|wire.FIN) == 0 &&
		c.snd.wnd > 0 && int(seg.Window)<<c.snd.shift == c.snd.wnd && !c.board.empty()
}

// advance moves SND.UNA up by n, to SEG.ACK. "Any segments on the retransmission queue that are thereby entirely
// acknowledged are removed."
func (c *TCB) advance(now clock.Instant, seg *Segment, n int) {
	c.stats.bytesAcked += uint64(n)
	c.snd.una = seg.Ack
	c.urg.sending = c.urg.sending && c.snd.una.Less(c.urg.sendTo)
	a := c.board.ackTo(seg.Ack)
	if data := min(seg.Ack.Sub(c.snd.base), c.snd.pipe.end); data > 0 {
		c.snd.pipe.discard(data)
		c.snd.base = c.snd.base.Add(data)
	}
	if a.timed {
		c.rtt.sample(now.Sub(a.at), c.cfg)
	} else {
		c.sampleEcho(now, seg)
	}
	c.progress = true
	c.softErr = 0
	c.endTimeouts(now)
	c.stuck = now
	if c.board.empty() {
		// RFC 6298, 5.2: "When all outstanding data has been acknowledged, turn off the retransmission timer."
		c.timers[rexmtTimer] = clock.Never
		c.snd.now = false
	} else {
		c.restartRexmt(now)
	}
}

// takeSACK marks what the SACK blocks cover and returns how many octets that is beyond what was known. RFC 2018, 3:
// blocks are of data received and queued, so they lie between SND.UNA and SND.NXT; others are of no use.
func (c *TCB) takeSACK(seg *Segment) (n int) {
	for _, b := range seg.Options.SACK[:min(seg.Options.SACKCount, wire.MaxSACKBlocks)] {
		left, right := Seq(b.Left), Seq(b.Right)
		if c.snd.una.Less(left) && left.Less(right) && right.LessEq(c.snd.nxt) {
			n += c.board.sack(left, right)
		}
	}
	return n
}

// finAcked reports whether the peer has acknowledged our FIN.
func (c *TCB) finAcked() bool { return c.snd.finSent && c.snd.una == c.snd.nxt }
