package main

import (
	"sync"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/trace"
)

// traceQueue stands between the stack, which must not wait, and who prints.
type traceQueue struct {
	mu    sync.Mutex
	more  clock.Cond
	ways  []*trace.Way
	lost  int
	ended bool
}

// maxTraced is how many ways wait for the printer at most.
const maxTraced = 16384

func newTraceQueue(rt clock.Runtime) *traceQueue {
	q := new(traceQueue)
	q.more = rt.NewCond(&q.mu)
	return q
}

// add takes a way, or counts it as lost if too many wait.
func (q *traceQueue) add(w *trace.Way) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.ways) >= maxTraced {
		q.lost++
		return
	}
	q.ways = append(q.ways, w)
	q.more.Broadcast()
}

// end lets wait return.
func (q *traceQueue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.more.Broadcast()
}

// wait waits for ways, or for the end, and takes what is there.
func (q *traceQueue) wait() (ways []*trace.Way, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ways) == 0 && !q.ended {
		q.more.Wait()
	}
	ways, q.ways = q.ways, nil
	return ways, q.ended
}
