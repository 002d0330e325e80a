package tcp

// Seq is a sequence number. RFC 9293, 3.4: "Since the space is finite, all arithmetic dealing with sequence numbers
// must be performed modulo 2^32." Comparisons hold for numbers less than 2^31 apart.
type Seq uint32

// Less reports whether s comes before t.
func (s Seq) Less(t Seq) bool { return int32(s-t) < 0 }

// LessEq reports whether s comes before t or is t ("=<" in RFC 9293).
func (s Seq) LessEq(t Seq) bool { return int32(s-t) <= 0 }

// Add returns the number n after s; n may be negative.
func (s Seq) Add(n int) Seq { return s + Seq(n) }

// Sub returns how far s is after t; negative if it comes before.
func (s Seq) Sub(t Seq) int { return int(int32(s - t)) }

// maxSeq returns the later of s and t.
func maxSeq(s, t Seq) Seq {
	if s.Less(t) {
		return t
	}
	return s
}
