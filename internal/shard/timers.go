package shard

import "github.com/onlink-go/onlink/clock"

// Timed is something with timers: a connection, a neighbor cache.
type Timed interface {
	// Expire is called, with the shard locked, when the instant given to Arm has come, and possibly
	// earlier. It does what is due and returns the next instant it wants to be called, or clock.Never.
	Expire(now clock.Instant) clock.Instant
}

// Node is a place in a shard's timer heap. It is embedded in its owner, one for all the owner's timers.
type Node struct {
	Owner Timed
	at    clock.Instant
	seq   uint64
	index int // in the heap, plus one; 0: not in it
}

// Arm sees to it that n's owner is called at the instant at or earlier. A later instant than the one already
// armed moves nothing: the owner, called early, answers with what it wants then. sh locked.
func (s *Shard) Arm(n *Node, at clock.Instant) {
	if at == clock.Never || n.index > 0 && n.at <= at {
		return
	}
	s.seq++
	n.at, n.seq = at, s.seq
	if n.index == 0 {
		s.heap = append(s.heap, n)
		n.index = len(s.heap)
	}
	s.up(n.index - 1)
	s.setTimer()
}

// Disarm takes n out of the heap; its owner is not called again. sh locked.
func (s *Shard) Disarm(n *Node) {
	i := n.index - 1
	if i < 0 {
		return
	}
	last := len(s.heap) - 1
	s.swap(i, last)
	s.heap[last] = nil
	s.heap = s.heap[:last]
	n.index = 0
	if i < last {
		s.down(i)
		s.up(i)
	}
}

// setTimer sets the runtime's timer for the earliest node if it is not set for that or earlier.
func (s *Shard) setTimer() {
	if s.closed || len(s.heap) == 0 || s.heap[0].at >= s.armed {
		return
	}
	s.armed = s.heap[0].at
	s.timer.Reset(s.armed)
}

// fire is the runtime's timer.
func (s *Shard) fire(now clock.Instant) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.armed = clock.Never
	for len(s.heap) > 0 && s.heap[0].at <= now {
		n := s.heap[0]
		s.Disarm(n)
		if next := n.Owner.Expire(now); next != clock.Never {
			// An owner that wants to be called at once is called again in the next round, so that one
			// that never has enough cannot keep the others waiting.
			s.Arm(n, max(next, now+1))
		}
	}
	s.setTimer()
	s.Unlock()
}

func (s *Shard) less(i, j int) bool {
	a, b := s.heap[i], s.heap[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (s *Shard) swap(i, j int) {
	h := s.heap
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

func (s *Shard) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !s.less(i, parent) {
			return
		}
		s.swap(i, parent)
		i = parent
	}
}

func (s *Shard) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(s.heap) {
			return
		}
		if c+1 < len(s.heap) && s.less(c+1, c) {
			c++
		}
		if !s.less(c, i) {
			return
		}
		s.swap(i, c)
		i = c
	}
}
