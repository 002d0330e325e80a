package tcp

import "github.com/onlink-go/onlink/clock"

// What a connection does in FreeBSD's way (Config.FreeBSD), where RFC 9293 leaves freedom and Linux does otherwise:
//
//   - An acknowledgment waits for a second segment of whatever size, or for the delay, from the first segment on: there
//     are no quick ACKs, and the delay does not adapt.
//   - PSH is in the segment behind which nothing is left to send, and in no other.
//   - A receive buffer counts octets of data. The first window is the whole buffer; once the handshake is over, the
//     buffer is a multiple of the peer's segment size. The window is what is left of it, rounded down to what the scale
//     can tell.
//   - The retransmission timeout is RFC 6298's sum, at least MinRTO, plus a slop (net.inet.tcp.rexmit_slop).

// decidePlain is decideACK in FreeBSD's way. RFC 1122, 4.2.3.2: "in a stream of full-sized segments there SHOULD be an ACK
// for at least every second segment".
func (c *TCB) decidePlain(now clock.Instant) {
	switch {
	case len(c.rcv.ranges) > 0, c.timers[delackTimer] != clock.Never, c.rcv.nxt.Sub(c.rcv.acked) > c.rcv.maxSeg,
		c.cfg.DelayedACK <= 0:
		c.rcv.ackNow = true
	default:
		c.timers[delackTimer] = now.Add(min(c.cfg.DelayedACK, mostDelay))
	}
}

// plainUpdateDue is updateDue in FreeBSD's way: the window has moved by two segments, and by a quarter of the buffer or
// from a small one, or by half of the buffer.
func (c *TCB) plainUpdateDue() bool {
	wnd, full := c.selectWindow(), c.rcv.space.full()
	moved := min(wnd, 65535<<c.rcv.shift) - c.known()
	switch {
	case 2*moved >= full:
		return true
	case moved < 2*c.rcv.maxSeg:
		return false
	}
	return moved >= full/4 || wnd <= full/8 || full <= 8*c.rcv.maxSeg || moved >= 65535<<c.rcv.shift
}

// selectPlain is selectWindow in FreeBSD's way. RFC 9293, 3.8.6.2.2, with Fr a quarter.
func (c *TCB) selectPlain() int {
	s := &c.rcv.space
	free := min(s.free(), s.clamp)
	if free < s.full()/4 && free < c.rcv.maxSeg || c.starved() {
		return 0
	}
	return free &^ (1<<c.rcv.shift - 1)
}

// plainSegment is how much memory a segment of n octets takes in an account where half of it is data.
func plainSegment(n int) int { return n << 8 / startShare }

// roundUp makes the buffer hold whole segments, once their size is known, unless the user has chosen its size.
func (s *recvSpace) roundUp(mss int) {
	if full := s.full(); !s.fixed && full > mss && mss > 0 {
		s.size = s.memory((full + mss - 1) / mss * mss)
	}
	s.clamp = max(s.clamp, s.full())
	s.ssthresh = s.full()
}
