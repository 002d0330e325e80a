package tcp

import "github.com/onlink-go/onlink/clock"

// Parts are received octets that were moved out of the receive buffer as they lie in memory.
type Parts struct {
	list [8]*part
	n    int
}

// MostParts is how many slices Append gives at most.
const MostParts = len(Parts{}.list)

// Append appends the octets to v as they lie in memory, good until Free.
func (s *Parts) Append(v [][]byte) [][]byte {
	for _, p := range s.list[:s.n] {
		v = append(v, p.data)
	}
	return v
}

// CopyTo copies the octets into b, which has room for all, and gives their memory back. It returns how many there were.
func (s *Parts) CopyTo(b []byte) (n int) {
	for _, p := range s.list[:s.n] {
		n += copy(b[n:], p.data)
	}
	s.Free()
	return n
}

// Free gives the memory back.
func (s *Parts) Free() {
	for i, p := range s.list[:s.n] {
		s.list[i] = nil
		p.free()
	}
	s.n = 0
}

// ReceiveParts is Receive that leaves the copying for later, when the TCB is not locked any more: it moves received octets into s,
// which is empty, up to n of them. It returns how many; 0 if the first ones do not lie so that they can be moved. The caller frees
// them.
func (c *TCB) ReceiveParts(now clock.Instant, s *Parts, n int) (moved int) {
	if c.urg.state != urgentNone {
		return 0
	}
	in := &c.rcv.in
	for s.n < len(s.list) && in.first != nil && len(in.first.data) <= n-moved {
		p := in.pop()
		s.list[s.n] = p
		s.n++
		moved += len(p.data)
	}
	if moved > 0 {
		c.consumed(moved)
		c.tuneReceiveBuffer(now)
	}
	return moved
}

// ReceiveAny is ReceiveParts, and copies octets that cannot be moved; 0: see Receive, whose errors it returns.
func (c *TCB) ReceiveAny(now clock.Instant, s *Parts, n int) (int, error) {
	if moved := c.ReceiveParts(now, s, n); moved > 0 {
		return moved, nil
	}
	p := copied.Get().(*part)
	n, err := c.Receive(now, p.block[:])
	if n == 0 {
		p.free()
		return 0, err
	}
	p.data = p.block[:n]
	s.list[0], s.n = p, 1
	return n, nil
}
