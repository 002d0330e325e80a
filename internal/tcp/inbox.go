package tcp

import "sync"

// Owner owns the memory that text lies in: that of an arriving segment, or what was written.
type Owner interface {
	// Free gives the memory back.
	Free()
}

// leastTaken is the least text that is kept in the memory it came in: shorter ones are copied, since many small pieces cost more
// than the copy.
const leastTaken = 4 << 10

// inbox is the octets received in order and not read: short texts gathered in pooled blocks, long ones in the memory they came in.
// The zero inbox is empty, and an empty one holds no memory.
type inbox struct {
	first, last *part
	size        int // octets
	held        int // blocks, or as much memory as they are
}

// part is octets that lie together, received or to be sent.
type part struct {
	data  []byte // not read yet, or written
	next  *part
	owner Owner  // of the memory; nil: that is block
	block *block // stays with its part in the pool
	held  int    // blocks that the memory is
	at    uint64 // where it begins in an outbox

	reserved bool // somebody writes into it who has not locked the TCB
	gone     bool // meanwhile the outbox has given it up
}

var (
	copied = sync.Pool{New: func() any { return &part{block: new(block), held: 1} }}
	taken  = sync.Pool{New: func() any { return new(part) }}
)

// room returns how many octets may be appended.
func (p *part) room() int { return cap(p.data) - len(p.data) }

// free gives the part and its memory back.
func (p *part) free() {
	p.data, p.next = nil, nil
	if p.owner == nil {
		copied.Put(p)
		return
	}
	p.owner.Free()
	p.owner = nil
	taken.Put(p)
}

// write copies b behind what there is.
func (in *inbox) write(b []byte) {
	in.size += len(b)
	for len(b) > 0 {
		p := in.last
		if p == nil || p.owner != nil || p.room() == 0 {
			p = copied.Get().(*part)
			p.data = p.block[:0]
			in.push(p)
		}
		n := min(len(b), p.room())
		p.data = append(p.data, b[:n]...)
		b = b[n:]
	}
}

// take puts b behind what there is, and keeps it and its owner until it is read.
func (in *inbox) take(b []byte, owner Owner) {
	p := taken.Get().(*part)
	p.data, p.owner, p.held = b, owner, (len(b)+blockSize-1)/blockSize
	in.size += len(b)
	in.push(p)
}

func (in *inbox) push(p *part) {
	if in.last != nil {
		in.last.next = p
	} else {
		in.first = p
	}
	in.last = p
	in.held += p.held
}

// pop removes the first part, which there must be.
func (in *inbox) pop() *part {
	p := in.first
	if in.first = p.next; in.first == nil {
		in.last = nil
	}
	p.next = nil
	in.size -= len(p.data)
	in.held -= p.held
	return p
}

// readAt copies the octets from offset off on into b. There must be as many.
func (in *inbox) readAt(off int, b []byte) {
	for p := in.first; len(b) > 0; p = p.next {
		if off >= len(p.data) {
			off -= len(p.data)
			continue
		}
		b = b[copy(b, p.data[off:]):]
		off = 0
	}
}

// discard removes n octets.
func (in *inbox) discard(n int) {
	for n > 0 {
		p := in.first
		if n >= len(p.data) {
			n -= len(p.data)
			in.pop().free()
			continue
		}
		p.data = p.data[n:]
		in.size -= n
		return
	}
}

// release removes all.
func (in *inbox) release() {
	for in.first != nil {
		in.pop().free()
	}
}
