package tcpsock

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/shard"
)

// waiters is a condition variable that knows whether anybody waits. It is made when somebody does, of those that others have no
// use for any more.
type waiters struct{ *waiting }

type waiting struct {
	cond clock.Cond
	n    int // who wait
	next *waiting
}

// wait waits for wake; callers loop. t is the table of sh. sh locked.
func (w *waiters) wait(sh *shard.Shard, t *table) {
	if w.waiting == nil {
		if w.waiting = t.spare; w.waiting == nil {
			w.waiting = &waiting{cond: sh.NewCond()}
		}
		t.spare = w.next
		w.next = nil
	}
	q := w.waiting
	q.n++
	sh.Wait(q.cond)
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
	}
}

func (w *waiters) wakeIf(b bool) {
	if b {
		w.wake()
	}
}
