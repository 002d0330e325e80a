package mem

import (
	"sync"

	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/packet"
)

// quota is how many Deliver calls a sender makes before it leaves the rest to a goroutine of its own.
const quota = 64

// lane is what is on its way to a port by one queue.
type lane struct {
	port  *Port
	queue int
	carry func() // goes on carrying on a goroutine of its own

	mu       sync.Mutex
	in       packet.Batch // on their way to the port's receiver
	carrying bool         // a goroutine delivers from in
	starved  bool         // in was full when the other end had more: it awaits Ready

	moving packet.Batch // what Deliver is given; belongs to whoever set carrying
}

func newLanes(p *Port, n int) []lane {
	all := make([]lane, n)
	for i := range all {
		l := &all[i]
		l.port, l.queue = p, i
		l.carry = func() {
			l.mu.Lock()
			l.deliver()
		}
	}
	return all
}

// lane returns the one that frames of the sender's queue q take.
func (p *Port) lane(q int) *lane { return &p.lanes[max(q, 0)%len(p.lanes)] }

// take appends to the frames on their way those of b for which there is room, and delivers them unless another goroutine is
// at it.
func (l *lane) take(b *packet.Batch) {
	p := l.port
	l.mu.Lock()
	if p.dead.Load() {
		p.drop(b)
	}
	for l.in.Len() < p.limit {
		f := b.Pop()
		if f == nil {
			break
		}
		if f.Len() > p.info.MaxFrame() && offload.SegmentLen(f, p.info.Medium.HeaderLen()) > p.info.MaxFrame() ||
			!p.info.Medium.Land(f) {
			p.drops.Add(1)
			f.Free()
			continue
		}
		l.in.Push(f)
	}
	if !b.Empty() {
		l.starved = true
	}
	if l.carrying || l.in.Empty() {
		l.mu.Unlock()
		return
	}
	l.carrying = true
	l.deliver()
}

// deliver delivers what is on its way until nothing is. l.mu is held before, not after; l.carrying is set.
func (l *lane) deliver() {
	p := l.port
	for range quota {
		n := l.in.Len()
		l.moving.Take(&l.in)
		starved := l.starved
		l.starved = false
		l.mu.Unlock()
		if !p.slot.Deliver(l.queue, &l.moving) {
			p.drops.Add(uint64(n))
		}
		if starved && p.other != nil {
			p.other.slot.Ready(l.queue)
		}
		l.mu.Lock()
		if l.in.Empty() {
			l.carrying = false
			l.mu.Unlock()
			return
		}
	}
	l.mu.Unlock()
	p.rt.Go(l.carry)
}

// close drops what is on its way.
func (l *lane) close() {
	l.mu.Lock()
	l.port.drop(&l.in)
	l.mu.Unlock()
}
