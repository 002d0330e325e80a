package neigh

import "github.com/onlink-go/onlink/clock"

// timer is an entry's place in the heap.
type timer struct {
	entry *Entry
	at    clock.Instant
	seq   uint64 // timers of the same instant expire in the order they were set
	index int    // in the heap, plus one; 0: not set
}

// timers is a heap of the entries' timers, the earliest first.
type timers struct {
	heap []*timer
	seq  uint64
}

func (h *timers) first() clock.Instant {
	if len(h.heap) == 0 {
		return clock.Never
	}
	return h.heap[0].at
}

func (h *timers) set(t *timer, at clock.Instant) {
	h.seq++
	t.at, t.seq = at, h.seq
	if t.index == 0 {
		h.heap = append(h.heap, t)
		t.index = len(h.heap)
	}
	h.fix(t.index - 1)
}

func (h *timers) stop(t *timer) {
	i := t.index - 1
	if i < 0 {
		return
	}
	last := len(h.heap) - 1
	h.swap(i, last)
	h.heap[last] = nil
	h.heap = h.heap[:last]
	t.index = 0
	if i < last {
		h.fix(i)
	}
}

func (h *timers) less(i, j int) bool {
	a, b := h.heap[i], h.heap[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (h *timers) swap(i, j int) {
	h.heap[i], h.heap[j] = h.heap[j], h.heap[i]
	h.heap[i].index, h.heap[j].index = i+1, j+1
}

// fix moves the timer at i to where it belongs.
func (h *timers) fix(i int) {
	for i > 0 && h.less(i, (i-1)/2) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		child := 2*i + 1
		if child >= len(h.heap) {
			return
		}
		if child+1 < len(h.heap) && h.less(child+1, child) {
			child++
		}
		if !h.less(child, i) {
			return
		}
		h.swap(i, child)
		i = child
	}
}
