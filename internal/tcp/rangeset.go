package tcp

// span is a run of sequence space: [from, to).
type span struct{ from, to Seq }

// maxSpans bounds a rangeset, so that a peer cannot make it large or slow by sending every second octet. A queue that overflows
// in slow start loses every second segment of half a window, which on a long fat pipe is some thousands.
const maxSpans = 8192

// rangeset is a set of sequence numbers: disjoint spans that do not touch, in order. They all lie within 2^31.
type rangeset []span

// search returns the index of the first span that ends at or after s.
func (r rangeset) search(s Seq) int {
	lo, hi := 0, len(r)
	for lo < hi {
		if m := int(uint(lo+hi) / 2); r[m].to.Less(s) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// add puts s into the set and returns the span it is now part of; false if the set is full.
func (r *rangeset) add(s span) (span, bool) {
	i := r.search(s.from)
	j := i
	for ; j < len(*r) && (*r)[j].from.LessEq(s.to); j++ {
		if (*r)[j].from.Less(s.from) {
			s.from = (*r)[j].from
		}
		s.to = maxSeq(s.to, (*r)[j].to)
	}
	if i < j {
		(*r)[i] = s
		*r = append((*r)[:i+1], (*r)[j:]...)
		return s, true
	}
	if len(*r) >= maxSpans {
		return s, false
	}
	*r = append(*r, span{})
	copy((*r)[i+1:], (*r)[i:])
	(*r)[i] = s
	return s, true
}

// take removes what lies before s and what continues it, and returns the first number at or after s that is not in
// the set.
func (r *rangeset) take(s Seq) Seq {
	i := 0
	for ; i < len(*r) && (*r)[i].from.LessEq(s); i++ {
		s = maxSeq(s, (*r)[i].to)
	}
	*r = append((*r)[:0], (*r)[i:]...)
	return s
}

// find returns the span that s is in.
func (r rangeset) find(s Seq) (span, bool) {
	i := r.search(s + 1)
	if i < len(r) && r[i].from.LessEq(s) {
		return r[i], true
	}
	return span{}, false
}
