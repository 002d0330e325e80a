package clock

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// Real is the Runtime of the operating system's clock, Go's scheduler and crypto/rand. All its waits are
// ones that testing/synctest counts as durable, so that in a bubble it runs in the bubble's virtual time.
type Real struct {
	began time.Time
	work  sync.WaitGroup // functions started by Go that have not returned
}

// NewReal returns a Runtime whose Instant 0 is now.
func NewReal() *Real { return &Real{began: time.Now()} }

func (r *Real) Now() Instant    { return Instant(time.Since(r.began)) }
func (r *Real) Wall() time.Time { return time.Now() }

func (r *Real) Entropy(b []byte) { rand.Read(b) } // never fails: crypto/rand aborts the program instead

func (r *Real) Go(f func()) { r.work.Go(f) }

func (r *Real) AfterDone(ctx context.Context, f func()) (stop func()) {
	s := context.AfterFunc(ctx, f)
	return func() { s() }
}

func (r *Real) NewCond(l sync.Locker) Cond { return sync.NewCond(l) }

func (r *Real) NewTimer(f func(now Instant)) Timer { return &realTimer{r: r, f: f} }

// Drain waits until no function started by Go is running.
func (r *Real) Drain() { r.work.Wait() }

// realTimer makes its time.Timer at the first Reset, so that an unused one costs nothing.
type realTimer struct {
	r  *Real
	f  func(now Instant)
	mu sync.Mutex
	t  *time.Timer
}

func (t *realTimer) Reset(at Instant) {
	d := at.Sub(t.r.Now())
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.t == nil {
		t.t = time.AfterFunc(d, func() { t.f(t.r.Now()) })
		return
	}
	t.t.Reset(d)
}

func (t *realTimer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.t != nil {
		t.t.Stop()
	}
}
