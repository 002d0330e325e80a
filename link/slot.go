package link

import (
	"sync"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// Slot is the place of a driver where its receiver sits. It keeps the promises of [Link.Attach]: one receiver
// at a time, and no call to it under way once it is detached. That no two Deliver calls are under way at once
// remains the driver's business.
type Slot struct {
	rt clock.Runtime

	mu     sync.Mutex
	r      Receiver   // nil: none
	gone   bool       // r is being detached: call it no more
	calls  int        // calls to r under way
	idle   clock.Cond // calls became 0 with gone set; made at the first wait
	closed bool
}

// NewSlot returns an empty Slot that waits by means of rt.
func NewSlot(rt clock.Runtime) *Slot { return &Slot{rt: rt} }

// Attach is [Link.Attach].
func (s *Slot) Attach(r Receiver) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		if r == nil {
			return nil // nothing is attached to a closed link
		}
		return ErrClosed
	case r == nil:
		s.detach()
		return nil
	case s.r != nil:
		return ErrAttached
	}
	s.r = r
	return nil
}

// Close detaches the receiver and refuses others from now on. It reports whether this is the first Close.
func (s *Slot) Close() (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first = !s.closed
	s.closed = true
	s.detach()
	return first
}

// detach removes the receiver and waits for the calls to it. s.mu held.
func (s *Slot) detach() {
	if s.r == nil {
		return
	}
	s.gone = true
	if s.idle == nil && s.calls > 0 {
		s.idle = s.rt.NewCond(&s.mu)
	}
	// Another goroutine may detach at the same time, and a new receiver be attached before this one wakes.
	for s.gone && s.calls > 0 {
		s.idle.Wait()
	}
	if s.gone {
		s.r, s.gone = nil, false
	}
}

// Deliver gives b to the receiver as queue q. Without a receiver it frees b's packets and reports false.
func (s *Slot) Deliver(q int, b *packet.Batch) bool {
	r := s.begin()
	if r == nil {
		b.Free()
		return false
	}
	r.Deliver(q, b)
	s.end()
	return true
}

// Ready calls the receiver's Ready, if there is a receiver.
func (s *Slot) Ready(q int) {
	if r := s.begin(); r != nil {
		r.Ready(q)
		s.end()
	}
}

// Changed calls the receiver's Changed, if there is a receiver.
func (s *Slot) Changed(info Info) {
	if r := s.begin(); r != nil {
		r.Changed(info)
		s.end()
	}
}

func (s *Slot) begin() Receiver {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.r == nil || s.gone {
		return nil
	}
	s.calls++
	return s.r
}

func (s *Slot) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls--
	if s.calls == 0 && s.gone && s.idle != nil {
		s.idle.Broadcast()
	}
}
