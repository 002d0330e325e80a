package tcp

import "github.com/onlink-go/onlink/wire"

// sackReport is what ACKs report beside RCV.NXT.
type sackReport struct {
	recent [4]Seq // where the latest ranges received out of order lie, latest first (RFC 2018, 4)
	dup    span   // what has come twice, if hasDup (RFC 2883); told once
	hasDup bool
}

// expectedBlocks is how many ranges an ACK is expected to tell of: one less than fit beside timestamps, since ACKs may be lost.
const expectedBlocks = 2

// noteRecent puts the range s, which the last segment is in, first in the order of report. It returns how many were before it.
func (r *sackReport) noteRecent(s span) (before int) {
	at := &r.recent
	i := 0
	for i < len(at)-1 && (at[i].Less(s.from) || s.to.LessEq(at[i])) {
		i++
	}
	copy(at[1:i+1], at[:i])
	at[0] = s.from
	return i
}

// noteDuplicate has the next ACK report that [from, to) has come again.
//
// RFC 2883, 4: "(1) A D-SACK block is only used to report a duplicate contiguous sequence of data received by the receiver
// in the most recent packet", and 4.2: "If the data packet being acknowledged contains multiple partial duplicate
// sub-segments, then only the first such duplicate sub-segment is reported in the SACK option."
func (c *TCB) noteDuplicate(from, to Seq) {
	if !c.sackOK || c.cfg.NoDSACK || !from.Less(to) {
		return
	}
	r := &c.rcv.sackReport
	if !r.hasDup {
		r.dup, r.hasDup = span{from, to}, true
		return
	}
	if from.LessEq(r.dup.to) && r.dup.from.LessEq(to) {
		if from.Less(r.dup.from) {
			r.dup.from = from
		}
		r.dup.to = maxSeq(r.dup.to, to)
	}
}

// sackBlocks returns how many blocks are to be reported, at most four.
func (c *TCB) sackBlocks() (n int) {
	if !c.sackOK {
		return 0
	}
	if c.rcv.hasDup {
		n = 1
	}
	n += len(c.rcv.ranges)
	if c.holdsFIN() {
		n++ // at most: it may be the end of the last range
	}
	return min(n, c.sackRoom())
}

// sackLen returns how many octets of options n blocks take, padded.
func sackLen(n int) int {
	if n == 0 {
		return 0
	}
	return 4 + 8*n
}

// putSACK reports the duplicate and the ranges received out of order in at most n blocks.
//
// RFC 2018, 4: "The first SACK block … MUST specify the contiguous block of data containing the segment which triggered this
// ACK … The SACK option SHOULD be filled out by repeating the most recently reported SACK blocks". RFC 2883, 4:
// "the first block of the SACK option should be a D-SACK block".
func (c *TCB) putSACK(o *wire.TCPOptions, n int) {
	r := &c.rcv.sackReport
	o.SACKCount = 0
	if !c.sackOK || n <= 0 {
		return
	}
	first := 0
	if r.hasDup {
		r.hasDup = false
		o.SACK[0] = wire.SACKBlock{Left: uint32(r.dup.from), Right: uint32(r.dup.to)}
		o.SACKCount, first = 1, 1
	}
	if len(c.rcv.ranges) == 0 && !c.holdsFIN() {
		return
	}
	for _, at := range r.recent {
		s, ok := c.outOfOrder(at)
		if !ok || s.from.LessEq(c.rcv.nxt) {
			continue
		}
		b := wire.SACKBlock{Left: uint32(s.from), Right: uint32(s.to)}
		known := false
		for _, k := range o.SACK[first:o.SACKCount] {
			known = known || k == b
		}
		if !known && int(o.SACKCount) < n {
			o.SACK[o.SACKCount] = b
			o.SACKCount++
		}
	}
}

// holdsFIN reports whether the peer's FIN has come, and something before it has not.
func (c *TCB) holdsFIN() bool { return c.rcv.hasFIN && c.rcv.nxt.Less(c.rcv.fin) }

// outOfOrder returns what was received out of order around at, as SACK blocks count it: in sequence numbers, of which a FIN
// takes one.
func (c *TCB) outOfOrder(at Seq) (s span, ok bool) {
	if !c.holdsFIN() {
		return c.rcv.ranges.find(at)
	}
	fin := c.rcv.fin
	if at == fin {
		if s, ok = c.rcv.ranges.find(fin - 1); !ok {
			s, ok = span{fin, fin}, true
		}
	} else {
		s, ok = c.rcv.ranges.find(at)
	}
	if s.to == fin {
		s.to++
	}
	return s, ok
}

// noteOverlaps has the next ACK report what of s is known already among the ranges received out of order, and returns how
// many octets that is.
func (c *TCB) noteOverlaps(s span) (n int) {
	r := c.rcv.ranges
	for i := r.search(s.from + 1); i < len(r) && r[i].from.Less(s.to); i++ {
		from, to := maxSeq(r[i].from, s.from), r[i].to
		if s.to.Less(to) {
			to = s.to
		}
		c.noteDuplicate(from, to)
		n += to.Sub(from)
	}
	return n
}
