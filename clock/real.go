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

	mu      sync.Mutex
	running int        // functions of Go and of timers that have not returned
	idle    *sync.Cond // on mu; running became 0
}

// NewReal returns a Runtime whose Instant 0 is now.
func NewReal() *Real {
	r := &Real{began: time.Now()}
	r.idle = sync.NewCond(&r.mu)
	return r
}

func (r *Real) Now() Instant    { return Instant(time.Since(r.began)) }
func (r *Real) Wall() time.Time { return time.Now() }

func (r *Real) Entropy(b []byte) { rand.Read(b) } // never fails: crypto/rand aborts the program instead

func (r *Real) Go(f func()) {
	r.begin()
	newErrand(r, f).start()
}

// errand is a function to run on a goroutine of its own. It is used again, so that nothing is allocated for one.
type errand struct {
	r   *Real
	f   func()
	run func() // errand.do, made once
}

var errands sync.Pool

func newErrand(r *Real, f func()) *errand {
	e, _ := errands.Get().(*errand)
	if e == nil {
		e = new(errand)
		e.run = e.do
	}
	e.r, e.f = r, f
	return e
}

func (e *errand) start() { go e.run() }

func (e *errand) do() {
	r, f := e.r, e.f
	e.r, e.f = nil, nil
	errands.Put(e)
	defer r.end()
	f()
}

func (r *Real) Spawn(_ string, f func()) { r.Go(f) }

func (r *Real) AfterDone(ctx context.Context, f func()) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	s := context.AfterFunc(ctx, func() {
		r.begin()
		defer r.end()
		f()
	})
	return func() { s() }
}

func (r *Real) NewCond(l sync.Locker) Cond { return sync.NewCond(l) }

func (r *Real) NewTimer(f func(now Instant)) Timer { return &realTimer{r: r, f: f} }

// Drain waits until no function given to Go, NewTimer or AfterDone is running. It must not be called from one.
// Who wants that to last stops the timers and withdraws from the contexts first.
func (r *Real) Drain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.running > 0 {
		r.idle.Wait()
	}
}

func (r *Real) begin() {
	r.mu.Lock()
	r.running++
	r.mu.Unlock()
}

func (r *Real) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
	if r.running == 0 {
		r.idle.Broadcast()
	}
}

// realTimer makes its time.Timer at the first Reset, so that an unused one costs nothing.
type realTimer struct {
	r  *Real
	f  func(now Instant)
	mu sync.Mutex
	t  *time.Timer
}

// Reset to Never stops the timer.
func (t *realTimer) Reset(at Instant) {
	if at == Never {
		t.Stop()
		return
	}
	d := at.Sub(t.r.Now())
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.t == nil {
		t.t = time.AfterFunc(d, t.expire)
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

func (t *realTimer) expire() {
	t.r.begin()
	defer t.r.end()
	t.f(t.r.Now())
}
