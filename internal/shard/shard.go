// Package shard is the stack's big lock, cut in pieces. A [Shard] owns flows, their timers and the packets
// they cause: protocol code runs with the shard locked, arms timers as instants, and stages its output; the
// output leaves after unlock, in order, by one goroutine at a time.
//
// Functions that need the lock say "sh locked". Nobody holds two shards; nobody sends, blocks or calls user
// code with one held.
package shard

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
)

// drainQuota is how many rounds one goroutine drains before it hands over, so that a caller which only wanted
// to write is not kept sending for others.
const drainQuota = 64

// Shard is a lock, its timers and its staging list.
type Shard struct {
	Index    int     // among the stack's shards
	Counters mib.Set // of what happens under this shard's lock
	rt       clock.Runtime
	drain    func(out *packet.Batch)

	mu       mutex
	out      packet.Batch // staged; sent after unlock
	staged   int          // octets in out
	draining bool         // a goroutine is sending what was staged, and owns sending
	after    func()       // see After; nil: nothing
	round    uint64       // of the batch that is being sent, or was last
	sent     uint64       // the last round that has ended
	closed   bool
	heap     []*Node // by instant, then by arming order
	seq      uint64
	timer    clock.Timer
	armed    clock.Instant // what timer is set to; Never if stopped

	sending packet.Batch // what the draining goroutine has taken from out; empty between rounds
}

// New returns a shard whose staged packets are given to drain, without the lock, one call at a time. drain
// leaves the batch empty.
func New(rt clock.Runtime, index int, drain func(out *packet.Batch)) *Shard {
	s := &Shard{Index: index, rt: rt, drain: drain, armed: clock.Never}
	s.timer = rt.NewTimer(s.fire)
	return s
}

// Runtime returns the Runtime the shard's timers run on.
func (s *Shard) Runtime() clock.Runtime { return s.rt }

// Lock locks the shard.
func (s *Shard) Lock() { s.mu.Lock() }

// LockToSend is Lock for a user's call that is likely to stage something: its stack grows now, if it has to (reserveStack).
func (s *Shard) LockToSend() {
	reserveStack(false)
	s.mu.Lock()
}

// Unlock unlocks the shard and sends what was staged, unless another goroutine is at it: then that one will.
func (s *Shard) Unlock() {
	switch {
	case s.draining:
		s.mu.Unlock()
	case s.out.Empty():
		s.spawn(s.takeAfter())
		s.mu.Unlock()
	default:
		s.draining = true
		s.drainLocked()
	}
}

// drainLocked sends what is staged until nothing is, then unlocks. After its quota it leaves the rest to a
// goroutine of its own.
func (s *Shard) drainLocked() {
	for range drainQuota {
		s.sending.Take(&s.out)
		s.staged = 0
		s.round++
		f := s.takeAfter()
		s.mu.Unlock()
		reserveStack(false)
		s.drain(&s.sending)
		s.mu.Lock()
		s.sent = s.round
		s.spawn(f)
		if s.out.Empty() {
			s.draining = false
			s.spawn(s.takeAfter())
			s.mu.Unlock()
			return
		}
	}
	s.mu.Unlock()
	s.rt.Go(func() {
		s.mu.Lock()
		s.drainLocked()
	})
}

// Stage appends p to what is sent after Unlock. sh locked.
func (s *Shard) Stage(p *packet.Buffer) {
	s.staged += p.Len()
	s.out.Push(p)
}

// Staged returns how many octets are staged. sh locked.
func (s *Shard) Staged() int { return s.staged }

// StageAll is Stage of all packets of b, which it leaves empty. sh locked.
func (s *Shard) StageAll(b *packet.Batch) {
	for p := b.Pop(); p != nil; p = b.Pop() {
		s.Stage(p)
	}
}

// NewCond returns a condition variable on the shard's lock, for Wait.
func (s *Shard) NewCond() clock.Cond { return s.rt.NewCond(&s.mu) }

// Wait waits on c once, or, if packets are staged, sends them and returns without waiting; callers loop, and
// look at their condition again either way. sh locked, before and after.
func (s *Shard) Wait(c clock.Cond) {
	if !s.sendsFirst() {
		c.Wait()
	}
}

// WaitAt is Wait of who at d for v to be woken, or on c. sh locked, before and after.
func (s *Shard) WaitAt(d *Door, c clock.Cond, v *Visitor, who any) {
	if !s.sendsFirst() {
		d.Wait(s.rt, &s.mu, c, v, who)
	}
}

// sendsFirst sends what is staged, unless somebody is at it, and reports whether that was so. sh locked, before and after.
func (s *Shard) sendsFirst() bool {
	if s.out.Empty() || s.draining {
		return false
	}
	s.Unlock()
	s.Lock()
	return true
}

// Close stops the timers for good. Nothing staged is lost.
func (s *Shard) Close() {
	s.mu.Lock()
	s.closed = true
	s.armed = clock.Never
	s.mu.Unlock()
	s.timer.Stop()
}
