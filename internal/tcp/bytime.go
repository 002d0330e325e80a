package tcp

import "github.com/onlink-go/onlink/clock"

// timeList is the records of a scoreboard in the order of their last transmission. Sacked records are not in it, nor
// those that RACK has found lost, until they are sent again: what it has to look at is always in front.
type timeList struct {
	oldest, newest uint32
	n              int
	edge           uint32 // the last record known to have been sent before the RACK point
	hasEdge        bool
}

// after returns the record sent next after id.
func (b *scoreboard) after(id uint32) (uint32, bool) {
	next := b.record(id).newer
	return next, next != id
}

// listLast appends a record.
func (b *scoreboard) listLast(id uint32) {
	l, r := &b.byTime, b.record(id)
	r.flags |= sentListed
	r.older, r.newer = id, id
	if l.n > 0 {
		r.older = l.newest
		b.record(l.newest).newer = id
	} else {
		l.oldest = id
	}
	l.newest = id
	l.n++
}

// listBefore inserts a record before at, or appends it if there is none.
func (b *scoreboard) listBefore(id, at uint32, ok bool) {
	if !ok {
		b.listLast(id)
		return
	}
	l, r, next := &b.byTime, b.record(id), b.record(at)
	r.flags |= sentListed
	r.older, r.newer = id, at
	if next.older != at {
		r.older = next.older
		b.record(next.older).newer = id
	} else {
		l.oldest = id
	}
	next.older = id
	l.n++
}

// unlist removes a record, if it is in the list.
func (b *scoreboard) unlist(id uint32) {
	l, r := &b.byTime, b.record(id)
	if r.flags&sentListed == 0 {
		return
	}
	r.flags &^= sentListed
	first, last := r.older == id, r.newer == id
	if l.hasEdge && l.edge == id {
		l.edge, l.hasEdge = r.older, !first
	}
	switch {
	case first && last:
	case first:
		l.oldest = r.newer
		b.record(r.newer).older = r.newer
	case last:
		l.newest = r.older
		b.record(r.older).newer = r.older
	default:
		b.record(r.older).newer = r.newer
		b.record(r.newer).older = r.older
	}
	l.n--
}

// advanceEdge moves the edge to the last record sent before the RACK point (at, end), and returns it; false: there is
// none.
func (b *scoreboard) advanceEdge(at clock.Instant, end Seq) (uint32, bool) {
	l := &b.byTime
	if l.n == 0 {
		return 0, false
	}
	next, ok := l.oldest, true
	if l.hasEdge {
		next, ok = b.after(l.edge)
	}
	for ok {
		r := b.record(next)
		if !sentAfter(at, end, r.at, r.end) {
			break
		}
		l.edge, l.hasEdge = next, true
		next, ok = b.after(next)
	}
	return l.edge, l.hasEdge
}
