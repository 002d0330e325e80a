package clock

import (
	"context"
	"slices"
	"time"
)

// simContext is a context that ends in virtual time. It implements the AfterFunc method that package context
// looks for in a parent it does not know, so that contexts derived from it by context.WithCancel end in the same
// call, without a goroutine.
type simContext struct {
	s        *Sim
	parent   context.Context
	deadline Instant // Never: none
	timer    event
	done     chan struct{}
	err      error
	leave    func() // stop listening to parent
	after    []*afterFunc
}

type afterFunc struct{ f func() }

// simContextKey is the key under which a simContext finds itself, through contexts that only add values.
var simContextKey int

// WithCancel is context.WithCancel: a copy of parent that is done when cancel is called or parent is done.
func (s *Sim) WithCancel(parent context.Context) (context.Context, context.CancelFunc) {
	return s.with(parent, Never)
}

// WithTimeout is context.WithTimeout with d in virtual time.
func (s *Sim) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return s.with(parent, s.now.Add(d))
}

// WithDeadline is context.WithDeadline with t in virtual time of day, as Wall gives it.
func (s *Sim) WithDeadline(parent context.Context, t time.Time) (context.Context, context.CancelFunc) {
	return s.with(parent, s.now.Add(t.Sub(s.Wall())))
}

func (s *Sim) with(parent context.Context, deadline Instant) (context.Context, context.CancelFunc) {
	c := &simContext{s: s, parent: parent, deadline: deadline, done: make(chan struct{})}
	cancel := func() { c.cancel(context.Canceled) }
	if err := parent.Err(); err != nil {
		c.cancel(err)
		return c, cancel
	}
	if p := s.ownContext(parent); p != nil {
		stop := p.AfterFunc(func() { c.cancel(p.err) })
		c.leave = func() { stop() }
	} else {
		c.leave = s.watch(parent, func() { c.cancel(parent.Err()) })
	}
	switch {
	case deadline <= s.now:
		c.cancel(context.DeadlineExceeded)
	case deadline != Never:
		c.timer.f = func(Instant) { c.cancel(context.DeadlineExceeded) }
		s.schedule(&c.timer, deadline)
	}
	return c, cancel
}

func (c *simContext) cancel(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	close(c.done)
	c.s.cancel(&c.timer)
	if c.leave != nil {
		c.leave()
	}
	after := c.after
	c.after = nil
	for _, a := range after {
		a.f()
	}
}

func (c *simContext) Deadline() (time.Time, bool) {
	t, ok := c.parent.Deadline()
	if c.deadline == Never {
		return t, ok
	}
	if d := epoch.Add(time.Duration(c.deadline)); !ok || d.Before(t) {
		return d, true
	}
	return t, ok
}

func (c *simContext) Done() <-chan struct{} { return c.done }
func (c *simContext) Err() error            { return c.err }

func (c *simContext) Value(key any) any {
	if key == &simContextKey {
		return c
	}
	return c.parent.Value(key)
}

// AfterFunc calls f when c is done, within the call or the event that ends it.
func (c *simContext) AfterFunc(f func()) (stop func() bool) {
	if c.err != nil {
		f()
		return func() bool { return false }
	}
	a := &afterFunc{f}
	c.after = append(c.after, a)
	return func() bool {
		i := slices.Index(c.after, a)
		if i < 0 {
			return false
		}
		c.after = slices.Delete(c.after, i, i+1)
		return true
	}
}

// ownContext returns the context of s that ends when ctx does, if there is one.
func (s *Sim) ownContext(ctx context.Context) *simContext {
	if c, ok := ctx.Value(&simContextKey).(*simContext); ok && c.s == s && c.done == ctx.Done() {
		return c
	}
	return nil
}

func (s *Sim) afterDone(ctx context.Context, f func()) (stop func()) {
	withdrawn := false
	run := func() {
		s.do(func() {
			if !withdrawn {
				f()
			}
		}, nil)
	}
	leave := func() {}
	if ctx.Err() != nil {
		run()
	} else if c := s.ownContext(ctx); c != nil {
		stop := c.AfterFunc(run)
		leave = func() { stop() }
	} else {
		leave = s.watch(ctx, run)
	}
	return func() {
		withdrawn = true
		leave()
	}
}

// watch is a foreign context, and what to do when it is done. The contexts of package context tell nobody but
// goroutines, so they are asked after each event.
type watch struct {
	ctx context.Context
	f   []*afterFunc
}

// watch calls f when ctx is done: before the next event after that.
func (s *Sim) watch(ctx context.Context, f func()) (stop func()) {
	done := ctx.Done()
	if done == nil {
		return func() {}
	}
	a := &afterFunc{f}
	i := slices.IndexFunc(s.watches, func(w *watch) bool { return w.ctx.Done() == done })
	if i < 0 {
		i = len(s.watches)
		s.watches = append(s.watches, &watch{ctx: ctx})
	}
	w := s.watches[i]
	w.f = append(w.f, a)
	return func() {
		if i := slices.Index(w.f, a); i >= 0 {
			w.f = slices.Delete(w.f, i, i+1)
		}
		if len(w.f) == 0 {
			s.unwatch(w)
		}
	}
}

func (s *Sim) unwatch(w *watch) {
	if i := slices.Index(s.watches, w); i >= 0 {
		s.watches = slices.Delete(s.watches, i, i+1)
	}
}

// observe asks the foreign contexts, in the order they came, whether they are done.
func (s *Sim) observe() {
	for i := 0; i < len(s.watches); {
		w := s.watches[i]
		if w.ctx.Err() == nil {
			i++
			continue
		}
		s.watches = slices.Delete(s.watches, i, i+1)
		fs := w.f
		w.f = nil
		for _, a := range fs {
			a.f()
		}
		i = 0 // what they did may have changed the list
	}
}
