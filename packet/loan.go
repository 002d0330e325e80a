package packet

import (
	"sync"
	"sync/atomic"
)

// loan is how two packets have one block: the lender keeps octets there, which nobody changes, and the packet on loan is made of
// some of them and of the headers that it alone writes in front. A block is on loan to one packet at a time; whichever of the two
// is freed last gives it back.
type loan struct {
	lender *Buffer      // whose block this packet's is; nil: its own
	lent   atomic.Int32 // of a lender: a loanState
}

// The states of a lender.
const (
	kept    int32 = iota // nobody else has the block
	lent                 // a packet on loan has it too
	waiting              // it was freed: the packet on loan has it alone
)

// borrowers are packets without a block.
var borrowers = sync.Pool{New: func() any { return new(Buffer) }}

// Lend returns a packet of n of the octets of p, those from the one at index from on, which lie where they lie in p: from then on
// nobody may change them, until p is freed, which it may be while it is on loan. What is in front of them becomes the packet's
// headroom, and must be of no use any more. Lend returns nil if another packet is on loan. It panics if p has not as many octets.
func (p *Buffer) Lend(from, n int) *Buffer {
	if from+n > p.Len() {
		panic("packet: Lend past the end")
	}
	if p.lender != nil || !p.lent.CompareAndSwap(kept, lent) {
		return nil
	}
	q := borrowers.Get().(*Buffer)
	q.lender, q.block = p, p.block
	q.start, q.end = p.start+from, p.start+from+n
	return q
}

// Lent reports whether p is on loan: its payload must not be changed before Own.
func (p *Buffer) Lent() bool { return p.lender != nil }

// Reveal adds the n octets to p, a packet on loan, that follow in the lender's block.
func (p *Buffer) Reveal(n int) {
	if p.lender == nil || p.end+n > p.lender.end {
		panic("packet: Reveal past the end")
	}
	p.end += n
}

// Own makes the octets of p its own, if it is on loan, by copying them: it may change them then. Slices that Bytes returned before
// are not the packet's any more.
func (p *Buffer) Own() {
	if p.lender != nil {
		p.move(p.end)
	}
}

// giveBack frees p, which is on loan.
func (p *Buffer) giveBack() {
	l := p.lender
	p.Meta = Meta{}
	p.lender, p.block = nil, nil
	p.start, p.end = freed, 0
	borrowers.Put(p)
	if !l.lent.CompareAndSwap(lent, kept) {
		l.lent.Store(kept)
		l.recycle()
	}
}

// waits reports whether the block of p, which is being freed, is on loan: then it is given back with the packet that has it.
func (p *Buffer) waits() bool { return p.lent.Load() == lent && p.lent.CompareAndSwap(lent, waiting) }
