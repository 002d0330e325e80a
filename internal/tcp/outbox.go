package tcp

// outbox is the octets written and not acknowledged: short texts gathered in pooled blocks, long ones in memory that packets can
// be made of where they lie. Offsets count from the first octet not acknowledged. The zero outbox is empty, and an empty one holds
// no memory.
type outbox struct {
	ring  []*part // its length is a power of two
	first int     // index in ring of the first part
	n     int     // parts
	gone  uint64  // octets acknowledged since it was last empty
	end   int     // octets
	held  int     // blocks, or as much memory as they are
}

// at returns the i-th part.
func (o *outbox) at(i int) *part { return o.ring[(o.first+i)&(len(o.ring)-1)] }

// begin has what is written next lie in mem, behind the last octets there are, which move to its beginning and have to lie in one
// part.
func (o *outbox) begin(mem []byte, owner Owner, last int) {
	p := taken.Get().(*part)
	p.data, p.owner, p.held = mem[:last], owner, (len(mem)+blockSize-1)/blockSize
	if last > 0 {
		from := o.last()
		rest := len(from.data) - last
		copy(p.data, from.data[rest:])
		if from.data = from.data[:rest]; rest == 0 {
			o.n--
			o.held -= from.held
			from.free()
		}
	}
	o.push(p, o.end-last)
}

// last returns the last part; nil: there is none.
func (o *outbox) last() *part {
	if o.n == 0 {
		return nil
	}
	return o.at(o.n - 1)
}

// full reports whether the last part was begun for much, and has no room left.
func (o *outbox) full() bool {
	p := o.last()
	return p != nil && p.owner != nil && p.room() == 0
}

// inLast returns how many octets the last part has.
func (o *outbox) inLast() int {
	if p := o.last(); p != nil {
		return len(p.data)
	}
	return 0
}

// write copies b behind what there is.
func (o *outbox) write(b []byte) {
	for len(b) > 0 {
		p := o.last()
		if p == nil || p.room() == 0 {
			p = copied.Get().(*part)
			p.data = p.block[:0]
			o.push(p, o.end)
		}
		n := min(len(b), p.room())
		p.data = append(p.data, b[:n]...)
		b = b[n:]
		o.end += n
	}
}

// push appends p, which begins at offset off.
func (o *outbox) push(p *part, off int) {
	if o.n == len(o.ring) {
		ring := make([]*part, max(2*o.n, minPipe))
		for i := range o.n {
			ring[i] = o.at(i)
		}
		o.ring, o.first = ring, 0
	}
	p.at = o.gone + uint64(off)
	o.ring[(o.first+o.n)&(len(o.ring)-1)] = p
	o.n++
	o.held += p.held
}

// find returns which part the octet at offset off is in, and where in it. There must be that octet.
func (o *outbox) find(off int) (i, in int) {
	at := o.gone + uint64(off)
	from, to := 0, o.n
	for to-from > 1 {
		if mid := int(uint(from+to) / 2); o.at(mid).at <= at {
			from = mid
		} else {
			to = mid
		}
	}
	return from, int(at - o.at(from).at)
}

// readAt copies the octets from offset off on into b. There must be as many.
func (o *outbox) readAt(off int, b []byte) {
	if len(b) == 0 {
		return
	}
	for i, in := o.find(off); len(b) > 0; i++ {
		b = b[copy(b, o.at(i).data[in:]):]
		in = 0
	}
}

// lies returns the owner of the memory that begins with the octet at offset off, and how many octets there are in it; nil: none
// does.
func (o *outbox) lies(off int) (Owner, int) {
	if off >= o.end {
		return nil, 0
	}
	i, in := o.find(off)
	if p := o.at(i); in == 0 && p.owner != nil {
		return p.owner, len(p.data)
	}
	return nil, 0
}

// discard removes n octets.
func (o *outbox) discard(n int) {
	if p := o.last(); n >= o.end && (p == nil || !p.reserved) {
		o.release()
		return
	}
	o.end -= n
	o.gone += uint64(n)
	for p := o.at(0); o.gone >= p.at+uint64(len(p.data)) && !p.reserved; p = o.at(0) {
		o.pop()
	}
}

// release removes all.
func (o *outbox) release() {
	for o.n > 0 {
		o.pop()
	}
	o.first, o.gone, o.end = 0, 0, 0
}

// pop frees the first part.
func (o *outbox) pop() {
	slot := &o.ring[o.first&(len(o.ring)-1)]
	p := *slot
	o.held -= p.held
	if p.reserved {
		p.gone = true // who writes into it frees it
	} else {
		p.free()
	}
	*slot = nil
	o.first++
	o.n--
}

// keep has o, which is new, begin with the ring of another that is empty, if it is a small one.
func (o *outbox) keep(ring []*part) {
	if len(ring) <= minPipe {
		o.ring = ring
	}
}
