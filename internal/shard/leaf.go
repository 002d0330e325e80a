package shard

import (
	"net"
	"os"

	"github.com/onlink-go/onlink/clock"
)

// Leaf is a lock below the shards' for a queue that several shards fill, with what blocking calls on it need: a
// condition, a deadline, an end. A Leaf may be locked while a shard is, never the other way round. Call Init before
// use.
type Leaf struct {
	home *Shard // its timers
	node Node   // home locked

	mu       mutex
	cond     clock.Cond    // made at the first wait
	deadline clock.Instant // of Wait
	closed   bool
}

// Init makes l ready, with the shard that keeps its deadline.
func (l *Leaf) Init(home *Shard) {
	l.home, l.node.Owner, l.deadline = home, l, clock.Never
}

// Lock and Unlock lock and unlock l.
func (l *Leaf) Lock()   { l.mu.Lock() }
func (l *Leaf) Unlock() { l.mu.Unlock() }

// Closed reports whether Close was called. l locked.
func (l *Leaf) Closed() bool { return l.closed }

// Refused returns why a blocking call must fail now, whatever there is to return: net.ErrClosed,
// os.ErrDeadlineExceeded, or nil. l locked.
func (l *Leaf) Refused() error {
	switch {
	case l.closed:
		return net.ErrClosed
	case l.deadline != clock.Never && l.home.rt.Now() >= l.deadline:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// Wait waits for Wake, its turn at WakeOne, the deadline or Close, whichever is first; callers loop, and ask Refused again. l locked, before
// and after.
func (l *Leaf) Wait() {
	if l.cond == nil {
		l.cond = l.home.rt.NewCond(&l.mu)
	}
	l.cond.Wait()
}

// Wake wakes all that wait. l locked.
func (l *Leaf) Wake() {
	if l.cond != nil {
		l.cond.Broadcast()
	}
}

// WakeOne wakes the one that has waited longest: for what one takes, whoever it is. l locked.
func (l *Leaf) WakeOne() {
	if l.cond != nil {
		l.cond.Signal()
	}
}

// SetDeadline sets the instant after which blocking calls fail; clock.Never for none. Errors: net.ErrClosed. Neither l
// nor a shard may be locked.
func (l *Leaf) SetDeadline(at clock.Instant) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return net.ErrClosed
	}
	l.deadline = at
	l.Wake() // it may have passed already
	l.mu.Unlock()
	l.home.Lock()
	l.home.Arm(&l.node, at)
	l.home.Unlock()
	return nil
}

// Expire implements Timed.
func (l *Leaf) Expire(now clock.Instant) clock.Instant {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now < l.deadline {
		return l.deadline
	}
	l.Wake()
	return clock.Never
}

// Close ends l: calls under way and later ones fail with net.ErrClosed. last is called once, with l locked. A second
// Close returns net.ErrClosed. Neither l nor a shard may be locked.
func (l *Leaf) Close(last func()) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return net.ErrClosed
	}
	l.closed = true
	last()
	l.Wake()
	l.mu.Unlock()
	l.home.Lock()
	l.home.Disarm(&l.node)
	l.home.Unlock()
	return nil
}
