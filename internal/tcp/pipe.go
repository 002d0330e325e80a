package tcp

import "sync"

// blockSize is how many octets a block of a pipe holds; a power of two.
const blockSize = 16 << 10

type block [blockSize]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

// minPipe is how many blocks the ring of a pipe has room for at least.
const minPipe = 2

// pipe is a run of octets in pooled blocks that is written at any offset and consumed from the front. Offsets count
// from the first octet not consumed. The zero pipe is empty; an empty pipe holds no block.
type pipe struct {
	ring  []*block // its length is a power of two; a block nothing was written to is nil
	first int      // index in ring of the block that octet 0 is in
	head  int      // where in that block octet 0 is
	end   int      // octets up to the last one written
	held  int      // blocks
}

// at returns the ring's slot of the i-th block.
func (p *pipe) at(i int) **block { return &p.ring[(p.first+i)&(len(p.ring)-1)] }

// writeAt writes b from offset off on.
func (p *pipe) writeAt(off int, b []byte) {
	p.end = max(p.end, off+len(b))
	for pos := uint(p.head + off); len(b) > 0; {
		i := int(pos / blockSize)
		if i >= len(p.ring) {
			p.grow(i + 1)
		}
		slot := p.at(i)
		if *slot == nil {
			*slot = blocks.Get().(*block)
			p.held++
		}
		n := copy((*slot)[pos%blockSize:], b)
		b = b[n:]
		pos += uint(n)
	}
}

// readAt copies the octets from offset off on into b. They must have been written.
func (p *pipe) readAt(off int, b []byte) {
	for pos := uint(p.head + off); len(b) > 0; {
		n := copy(b, (*p.at(int(pos / blockSize)))[pos%blockSize:])
		b = b[n:]
		pos += uint(n)
	}
}

// moveTo consumes n octets, and writes those from offset from on into in.
func (p *pipe) moveTo(in *inbox, from, n int) {
	for pos := uint(p.head + from); from < n; {
		b := (*p.at(int(pos / blockSize)))[pos%blockSize:]
		b = b[:min(len(b), n-from)]
		in.write(b)
		from += len(b)
		pos += uint(len(b))
	}
	p.discard(n)
}

// discard consumes n octets.
func (p *pipe) discard(n int) {
	if n >= p.end {
		p.release()
		return
	}
	p.end -= n
	for p.head += n; p.head >= blockSize; p.head -= blockSize {
		p.free(p.at(0))
		p.first++
	}
}

// release empties the pipe.
func (p *pipe) release() {
	if p.end > 0 {
		for i := range (p.head+p.end-1)/blockSize + 1 {
			p.free(p.at(i))
		}
	}
	p.first, p.head, p.end = 0, 0, 0
}

// keep has p, which is new, begin with the ring of another that is empty, if it is a small one.
func (p *pipe) keep(ring []*block) {
	if len(ring) <= minPipe {
		p.ring = ring
	}
}

func (p *pipe) free(slot **block) {
	if *slot != nil {
		blocks.Put(*slot)
		*slot = nil
		p.held--
	}
}

// grow makes room in the ring for n blocks.
func (p *pipe) grow(n int) {
	size := max(len(p.ring), minPipe)
	for size < n {
		size *= 2
	}
	ring := make([]*block, size)
	for i := range p.ring {
		ring[i] = *p.at(i)
	}
	p.ring, p.first = ring, 0
}
