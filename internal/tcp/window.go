package tcp

import (
	"math/bits"

	"github.com/onlink-go/onlink/clock"
)

// maxWindowShift is RFC 7323, 2.3: "the shift count MUST be limited to 14".
const maxWindowShift = 14

// windowShift returns the scale for windows of up to n octets. RFC 7323, 2.3: "the shift count MUST be limited to 14".
func windowShift(n int) uint8 { return uint8(min(max(bits.Len(uint(n))-16, 0), maxWindowShift)) }

// fullSegment returns what counts as a segment in deciding about the window: the peer's usual one, unless the buffer is
// smaller.
func (c *TCB) fullSegment() int {
	s := &c.rcv.space
	return min(c.rcv.mss, s.clamp, s.ssthresh, s.full())
}

// selectWindow returns the window that could be offered now, without regard to what was offered before
// (__tcp_select_window).
//
// RFC 9293, 3.8.6.2.2: "keep RCV.NXT+RCV.WND fixed until the reduction satisfies: RCV.BUFF - RCV.USER - RCV.WND >= min( Fr *
// RCV.BUFF, Eff.snd.MSS )". Where the window field is not scaled, the window is a multiple of the peer's segment size and
// moves by so much. Where it is, a step of the scale is of that order. In either case less than a segment is not offered.
func (c *TCB) selectWindow() int {
	s := &c.rcv.space
	mss := c.fullSegment()
	if c.cfg.FreeBSD {
		return c.selectPlain()
	}
	full := min(s.clamp, s.full())
	if mss <= 0 || c.starved() && s.used >= c.cfg.RMem[0] {
		return 0
	}
	free := s.free()
	if c.cfg.ShrinkWindow && c.rcv.shift > 0 {
		return c.selectShrinking(free, full, mss)
	}
	if free < full/2 {
		c.rcv.quick = 0
		c.pressWindow()
		free &^= 1<<c.rcv.shift - 1
		if free < s.full()>>4 || free < mss {
			return 0
		}
	}
	free = min(free, s.ssthresh)
	if c.rcv.shift > 0 {
		// A window of less than a step would be told as zero.
		return c.stepUp(free)
	}
	wnd := c.rcv.adv.Sub(c.rcv.acked)
	switch {
	case wnd <= free-mss || wnd > free:
		return free - free%mss
	case mss == full && free > wnd+full/2:
		return free
	}
	return wnd
}

// selectShrinking is selectWindow for a window that may shrink (tcp_shrink_window): it follows the memory left.
func (c *TCB) selectShrinking(free, full, mss int) int {
	s := &c.rcv.space
	free &^= 1<<c.rcv.shift - 1
	if free < full/2 {
		c.rcv.quick = 0
		c.pressWindow()
		if free < s.full()>>4 || free < mss || free == 0 {
			return 0
		}
	}
	if free > s.ssthresh {
		free = c.stepUp(s.ssthresh)
	}
	return free
}

// pressWindow keeps the window small when the stack's memory runs short.
func (c *TCB) pressWindow() {
	if c.pressed() {
		c.rcv.space.ssthresh = min(c.rcv.space.ssthresh, 4*c.rcv.maxSeg)
	}
}

// stepUp returns n rounded up to what the scale can tell.
func (c *TCB) stepUp(n int) int {
	step := 1 << c.rcv.shift
	return (n + step - 1) &^ (step - 1)
}

// known returns how much of the window that was offered is left.
func (c *TCB) known() int { return max(c.rcv.adv.Sub(c.rcv.nxt), 0) }

// window returns the window field to send and notes what it offers (tcp_select_window).
//
// RFC 9293, 3.8.6: "A TCP receiver SHOULD NOT shrink the window, i.e., move the right window edge to the left (SHLD-14)."
// RFC 7323, 2.4: "The receiver MUST honor, as in window, any segment that would have been in window for any <ACK> sent by
// the receiver." So what was offered and cannot be told in steps of the scale is rounded up.
func (c *TCB) window() uint16 {
	wnd := c.selectWindow()
	if known := c.known(); wnd < known && !(c.cfg.ShrinkWindow && c.rcv.shift > 0) {
		wnd = c.stepUp(known)
	}
	limit := 65535
	if c.rcv.shift == 0 && c.cfg.SignedWindows {
		limit = 32767
	}
	wnd = min(wnd, limit<<c.rcv.shift)
	if edge := c.rcv.nxt.Add(wnd); c.cfg.ShrinkWindow || c.rcv.adv.Less(edge) {
		c.rcv.adv = edge
	}
	return uint16(wnd >> c.rcv.shift)
}

// updateDue reports whether the window has opened so far that the peer should hear of it without an occasion: to twice of
// what it knows, if that is no more than half of the largest window.
func (c *TCB) updateDue() bool {
	switch c.state {
	case Established, FinWait1, FinWait2:
	default:
		return false // nothing more comes
	}
	if c.cfg.FreeBSD {
		return c.plainUpdateDue()
	}
	known := c.known()
	if 2*known > c.rcv.space.clamp {
		return false
	}
	wnd := c.selectWindow()
	return wnd > 0 && wnd >= 2*known
}

// updateWindow takes SEG.WND in.
//
// RFC 9293, 3.10.7.4: "If SND.UNA =< SEG.ACK =< SND.NXT, the send window should be updated. If (SND.WL1 < SEG.SEQ or
// (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK)), set SND.WND <- SEG.WND, set SND.WL1 <- SEG.SEQ, and set SND.WL2 <-
// SEG.ACK." "The check here prevents using old segments to update the window." One that has advanced SND.UNA is not old
// whatever its number, as where the peer sends something again; and to go on with the window of before would move its right
// edge beyond what the peer has ever offered.
func (c *TCB) updateWindow(now clock.Instant, seg *Segment, advanced bool) {
	if !advanced && !c.snd.wl1.Less(seg.Seq) && (c.snd.wl1 != seg.Seq || !c.snd.wl2.LessEq(seg.Ack)) {
		return
	}
	before := c.snd.wnd
	c.snd.wnd = int(seg.Window) << c.snd.shift
	c.snd.wl1, c.snd.wl2 = seg.Seq, seg.Ack
	c.noteMaxWindow()
	c.snd.edge = maxSeq(c.snd.edge, c.snd.una.Add(c.snd.wnd))
	c.probeAnswered(now)
	if before > 0 || c.snd.wnd == 0 {
		return
	}
	if !c.board.empty() {
		// What is in flight was sent before the window shrank, and again into the closed one.
		c.rtt.collapse(c.cfg)
		c.setRTO(now)
	}
}

// noteMaxWindow keeps Max(SND.WND), which bounds the size of segments.
func (c *TCB) noteMaxWindow() {
	if c.snd.wnd <= c.snd.maxWnd {
		return
	}
	c.snd.maxWnd = c.snd.wnd
	c.setMSS()
}
