package socket

import (
	"sync"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/ready"
)

// queue is where those wait who want something of a file: blocking calls, Poll, and epoll instances. It is a leaf in
// the order of locks: the layers notify it with a shard locked.
//
// A blocking call asks for the turn, tries, and waits for the turn to be over: what is notified in between is not
// missed.
type queue struct {
	rt clock.Runtime

	mu      sync.Mutex // guards all below
	turn    uint64     // how often it was notified
	cond    clock.Cond // made at the first wait
	waiting int
	entries []entry // in the order they came
}

// entry is somebody who is told of each notification. woken is called with the queue locked.
type entry interface {
	woken(ev ready.Events)
}

// Notify implements ready.Notifier.
func (q *queue) Notify(ev ready.Events) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn++
	if q.waiting > 0 {
		q.cond.Broadcast()
	}
	for _, e := range q.entries {
		e.woken(ev)
	}
}

// now returns the turn.
func (q *queue) now() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.turn
}

// wait waits until the turn is another one, or until the instant end. It returns false if that has come.
func (q *queue) wait(turn uint64, end clock.Instant) bool {
	if end != clock.Never {
		if q.rt.Now() >= end {
			return false
		}
		t := q.rt.NewTimer(func(clock.Instant) {
			q.mu.Lock()
			defer q.mu.Unlock()
			if q.cond != nil {
				q.cond.Broadcast()
			}
		})
		t.Reset(end)
		defer t.Stop()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.cond == nil {
		q.cond = q.rt.NewCond(&q.mu)
	}
	q.waiting++
	defer func() { q.waiting-- }()
	for q.turn == turn {
		if end != clock.Never && q.rt.Now() >= end {
			return false
		}
		q.cond.Wait()
	}
	return true
}

// add and remove let e be told, and no longer.
func (q *queue) add(e entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.entries = append(q.entries, e)
}

func (q *queue) remove(e entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.entries {
		if q.entries[i] == e {
			q.entries = append(q.entries[:i:i], q.entries[i+1:]...)
			return
		}
	}
}

// patience returns until when a call may wait: not at all if it must not block, else as long as t says.
func patience(rt clock.Runtime, block bool, t timeout) clock.Instant {
	switch {
	case !block:
		return 0
	case !t.set:
		return clock.Never
	}
	return rt.Now().Add(t.d)
}
