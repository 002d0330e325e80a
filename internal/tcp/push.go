package tcp

// pushMarks are where in what was written PSH is to be set: behind the last octet of a write, unless more follows in the
// same chunk, and in long writes behind half of the peer's largest window. If there are many, the earliest are forgotten.
//
// RFC 9293, 3.9.1.2: "(2) MUST set the PSH bit in the last buffered segment (i.e., when there is no more queued data to be
// sent) (MUST-61)", and "The transmitter SHOULD collapse successive bits when it packetizes data, to send the largest
// possible segment (SHLD-27)."
type pushMarks struct {
	at     [4]Seq
	n      uint8
	pushed Seq // the last one
}

// pushMark sets a mark at s.
func (c *TCB) pushMark(s Seq) {
	m := &c.snd.marks
	m.pushed = s
	if m.n > 0 && m.at[m.n-1] == s {
		return
	}
	if int(m.n) == len(m.at) {
		copy(m.at[:], m.at[1:])
		m.n--
	}
	m.at[m.n] = s
	m.n++
}

// unmark takes back a mark at s, the last one, since more data follows in the same chunk.
func (c *TCB) unmark(s Seq) {
	if m := &c.snd.marks; m.n > 0 && m.at[m.n-1] == s {
		m.n--
	}
}

// farFromPush reports whether so much was written since the last mark that there should be another (forced_push).
func (c *TCB) farFromPush() bool {
	return !c.cfg.FreeBSD && c.snd.marks.pushed.Add(c.snd.maxWnd/2).Less(c.written())
}

// nextMark returns the first mark behind s, or the end of what was written.
func (c *TCB) nextMark(s Seq) Seq {
	m := &c.snd.marks
	for _, at := range m.at[:m.n] {
		if s.Less(at) {
			return at
		}
	}
	return c.written()
}

// takeMarks reports whether there is a mark up to s, and forgets it.
func (c *TCB) takeMarks(s Seq) bool {
	m := &c.snd.marks
	k := 0
	for k < int(m.n) && m.at[k].LessEq(s) {
		k++
	}
	copy(m.at[:], m.at[k:])
	m.n -= uint8(k)
	return k > 0
}

// burst tells where the segments end that are sent at once. The last one of several has PSH, so that a receiver that
// joins segments gives them on (as Linux marks the end of what it hands to its device at once).
type burst struct {
	end  Seq
	many bool
}

// endsBurst reports whether a segment of n octets at SND.NXT is the last one of a burst of several. A burst is what the
// windows admit, of one chunk, and no more than is sent in a millisecond at the pace of the connection; but no more than
// half of the congestion window. usable is what is left of the peer's window.
func (c *TCB) endsBurst(n, usable int) bool {
	b, mss := &c.snd.burst, c.snd.mss
	if c.cfg.FreeBSD || c.urg.sending {
		return false // each urgent segment goes by itself, since its pointer is its own
	}
	if !c.snd.nxt.Less(b.end) {
		size := min(usable, c.nextMark(c.snd.nxt).Sub(c.snd.nxt))
		part := size
		if size >= mss {
			segs := min(max(c.cw.Window/2, 1), max(c.cw.Window-c.board.pipe(), 1), c.burstSize())
			size = min(segs*mss, size)
			part = size % mss
		}
		if c.holds(part, c.snd.nxt.Add(size) == c.written()) {
			size -= part
		}
		b.end, b.many = c.snd.nxt.Add(size), size > mss
	}
	return b.many && c.snd.nxt.Add(n) == b.end
}

// burstSize returns how many segments are handed to the device at once: what the pace makes of a 1024th of a second, more
// on short paths, at least MinTSOSegs (tcp_tso_autosize).
func (c *TCB) burstSize() int {
	size := largestBurst
	if rate := c.cw.PacingRate; rate > 0 && c.rtt.sampled {
		size = int(min(rate>>10, largestBurst))
		if r := c.rtt.least().Microseconds() >> c.cfg.TSORTTLog; r < 32 {
			size = min(size+largestBurst>>r, largestBurst)
		}
	}
	return min(max(size/c.snd.mss, c.cfg.MinTSOSegs), max(largestBurst/c.snd.mss, 1))
}
