package tcpsock

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/shard"
)

// waiters is a condition variable that knows whether anybody waits. It is made when somebody does, of those that others have no
// use for any more.
type waiters struct{ *waiting }

type waiting struct {
	cond    clock.Cond
	n       int // who wait
	visitor shard.Visitor
	next    *waiting
}

// wait waits for wake; callers loop. t is the table of sh. sh locked.
func (w *waiters) wait(sh *shard.Shard, t *table) {
	q := w.begin(sh, t)
	sh.Wait(q.cond)
	w.end(q, t)
}

// begin counts who begins to wait. sh locked.
func (w *waiters) begin(sh *shard.Shard, t *table) *waiting {
	if w.waiting == nil {
		if w.waiting = t.spare; w.waiting == nil {
			w.waiting = &waiting{cond: sh.NewCond()}
		}
		t.spare = w.next
		w.next = nil
	}
	w.n++
	return w.waiting
}

// end counts who has waited. The shard is locked.
func (w *waiters) end(q *waiting, t *table) {
	if q.n--; q.n == 0 {
		w.waiting = nil
		q.next, t.spare = t.spare, q
	}
}

// any reports whether somebody waits.
func (w *waiters) any() bool { return w.waiting != nil }

func (w *waiters) wake() {
	if w.any() {
		w.cond.Broadcast()
		w.visitor.Wake()
	}
}

func (w *waiters) wakeIf(b bool) {
	if b {
		w.wake()
	}
}
