package qdisc

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// DefaultLimit is how many packets a FIFO holds unless told otherwise.
const DefaultLimit = 1000

// FIFO sends packets in the order they came, and refuses those that come when it is full (tail drop). The zero
// FIFO is ready.
type FIFO struct {
	Limit int // most packets held; 0: DefaultLimit

	list packet.Batch
}

var _ Queue = (*FIFO)(nil)

// Enqueue appends p, or returns it if the queue is full.
func (f *FIFO) Enqueue(_ clock.Instant, p *packet.Buffer) (dropped *packet.Buffer) {
	limit := f.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	if f.list.Len() >= limit {
		return p
	}
	f.list.Push(p)
	return nil
}

// Dequeue removes and returns the oldest packet, or nil.
func (f *FIFO) Dequeue(clock.Instant) *packet.Buffer { return f.list.Pop() }

// Next returns now if there is a packet, else Never.
func (f *FIFO) Next(now clock.Instant) clock.Instant {
	if f.list.Empty() {
		return clock.Never
	}
	return now
}

// Len returns how many packets the queue holds.
func (f *FIFO) Len() int { return f.list.Len() }
