package tcp

import "github.com/onlink-go/onlink/clock"

// MostParts is how many slices Append gives at most.
const MostParts = len(Parts{}.list)

// Append appends the octets to v as they lie in memory, good until Free.
func (s *Parts) Append(v [][]byte) [][]byte {
	for _, p := range s.list[:s.n] {
		v = append(v, p.data)
	}
	return v
}

// Free gives the memory back.
func (s *Parts) Free() {
	for i, p := range s.list[:s.n] {
		s.list[i] = nil
		p.free()
	}
	s.n = 0
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
