package ip

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/internal/route"
)

// A subscription is a bounded queue that changes of the configuration and of neighbors are put into, in the order they
// happen, under the control lock. Who has none pays for a comparison with zero at each change.

// ErrOverrun is the error of Next when changes were lost because nobody took them: who keeps a copy of the state must read it
// anew. Linux's netlink says ENOBUFS then.
var ErrOverrun = errors.New("changes were lost: the subscription's queue was full")

// subscriptionLimit is how many changes wait for Next at most.
const subscriptionLimit = 8192

// watcher hears of changes, with control locked. It is a *watchers, which is made by the first Subscribe, so that a program
// without subscriptions is not linked with what finds out what changed.
type watcher interface {
	compare()                                                     // something else was published
	neighborChanged(on string, from neigh.State, info neigh.Info) // an entry of the cache of the interface with the name on
	end()                                                         // the layer is closed
}

// watchers is who wants to hear of changes, and the state they have heard of last. Control locked.
type watchers struct {
	l       *Layer
	subs    []*Subscription
	told    state
	journal route.Journal // of the changes of the FIB since
}

// Subscription delivers changes: Subscribe makes one.
type Subscription struct {
	l       *Layer
	limit   int
	arrived clock.Cond // a change came, or nothing comes any more

	// Control locked.
	queue   []Change
	overrun bool
	closed  bool
	notify  func() // nil: nobody wants to be called
}

// Subscribe has all changes from now on queued for Next, at most limit of them; 0: 8192. Close ends it.
func (l *Layer) Subscribe(limit int) *Subscription {
	if limit <= 0 {
		limit = subscriptionLimit
	}
	s := &Subscription{l: l, limit: limit}
	l.control.Lock()
	defer l.control.Unlock()
	s.arrived = l.control.NewCond()
	if s.closed = l.closed; s.closed {
		return s
	}
	w, some := l.watchers.(*watchers)
	if !some {
		w = &watchers{l: l, told: l.present()}
		l.fib.Record(&w.journal)
		l.watchers = w
	}
	w.subs = append(w.subs, s)
	return s
}

// Next returns the oldest change that was not returned yet, and waits for one if there is none. Errors: ErrOverrun, once, after
// which it goes on with what came later; net.ErrClosed after Close or when the layer was closed; ctx's.
func (s *Subscription) Next(ctx context.Context) (Change, error) {
	l := s.l
	l.control.Lock()
	defer l.control.Unlock()
	if c, ok, err := s.take(); ok || err != nil {
		return c, err
	}
	stop := l.rt.AfterDone(ctx, func() {
		l.control.Lock()
		s.arrived.Broadcast()
		l.control.Unlock()
	})
	defer stop()
	for {
		if c, ok, err := s.take(); ok || err != nil {
			return c, err
		}
		if err := ctx.Err(); err != nil {
			return Change{}, err
		}
		l.control.Wait(s.arrived)
	}
}

// take returns what Next has to return, if there is anything. Control locked.
func (s *Subscription) take() (c Change, ok bool, err error) {
	switch {
	case s.overrun:
		s.overrun = false
		return c, false, ErrOverrun
	case len(s.queue) > 0:
		c = s.queue[0]
		if s.queue = s.queue[1:]; len(s.queue) == 0 {
			s.queue = nil
		}
		return c, true, nil
	case s.closed:
		return c, false, net.ErrClosed
	}
	return c, false, nil
}

// put queues c. What waits when the queue is full is thrown away, rather than c: who reads the state anew wants to hear of
// what is later than that. Control locked.
func (s *Subscription) put(c *Change) {
	if len(s.queue) >= s.limit {
		s.queue, s.overrun = nil, true
	}
	if len(s.queue) == 0 {
		s.call()
	}
	s.queue = append(s.queue, *c)
	s.arrived.Broadcast()
}

// Notify has f called, as clock.Runtime's Go does, when a change comes and none waited, and when the subscription ends. If
// anything waits already, f is called at once. It is for those who wait for other things too.
func (s *Subscription) Notify(f func()) {
	l := s.l
	l.control.Lock()
	defer l.control.Unlock()
	s.notify = f
	if len(s.queue) > 0 || s.overrun || s.closed {
		s.call()
	}
}

// call calls who wants to be notified. Control locked.
func (s *Subscription) call() {
	if s.notify != nil {
		s.l.rt.Go(s.notify)
	}
}

// Close ends the subscription: what waits is thrown away, and who waits in Next gets net.ErrClosed.
func (s *Subscription) Close() {
	l := s.l
	l.control.Lock()
	defer l.control.Unlock()
	if w, some := l.watchers.(*watchers); some {
		w.subs = slices.DeleteFunc(w.subs, func(o *Subscription) bool { return o == s })
		if len(w.subs) == 0 {
			l.fib.Record(nil)
			l.watchers = nil
		}
	}
	s.queue, s.overrun = nil, false
	s.end()
}

// end has Next return net.ErrClosed after what is queued. Control locked.
func (s *Subscription) end() {
	s.closed = true
	s.call()
	s.arrived.Broadcast()
}

func (w *watchers) end() {
	for _, s := range w.subs {
		s.end()
	}
}

// report queues c for all subscriptions. Control locked.
func (w *watchers) report(c Change) {
	c.At = w.l.rt.Now()
	for _, s := range w.subs {
		s.put(&c)
	}
}
