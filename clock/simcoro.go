package clock

import (
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// coroutine is a function that may block: it runs until it waits, and goes on when something made it ready.
type coroutine struct {
	s            *Sim
	name         string
	older, newer *coroutine // among the live ones
	next         func() (struct{}, bool)
	stop         func()
	yield        func(struct{}) bool

	waiting  bool       // in Cond.Wait
	follower *coroutine // the one that waits on the same Cond since later
	sleep    event      // ends its Sleep
	fault    *Panic
	returned bool
}

// Panic is a panic of an application, as Run raises it again.
type Panic struct {
	Name  string // of the coroutine, as given to Start
	Value any    // what it panicked with
	Stack []byte // where
}

// Error says who panicked with what, and shows the stack.
func (p *Panic) Error() string {
	return fmt.Sprintf("clock: panic in %q of the simulation: %v\n\n%s", p.Name, p.Value, p.Stack)
}

// Unwrap returns the panic's value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Start makes a coroutine that runs f, beginning at this instant, after what is ready already. In it calls may
// block: in a Cond's Wait, in Sleep. The name is for reports. After Stop, Start does nothing.
func (s *Sim) Start(name string, f func()) {
	if s.broken {
		panic("clock: Sim.Start after a panic in the simulation")
	}
	if s.stopped {
		return
	}
	c := &coroutine{s: s, name: name, older: s.newest}
	c.next, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		c.yield = yield
		defer c.end()
		f()
		c.returned = true
	})
	if c.older != nil {
		c.older.newer = c
	} else {
		s.oldest = c
	}
	s.newest = c
	s.do(nil, c)
}

// resume lets c run until it waits or ends.
func (s *Sim) resume(c *coroutine) {
	s.current = c
	c.next()
	s.current = nil
	if c.fault != nil {
		panic(c.fault)
	}
}

// end is the last thing a coroutine does, whether its function returned, panicked, or left by Goexit.
func (c *coroutine) end() {
	if r := recover(); r != nil {
		c.fault = &Panic{Name: c.name, Value: r, Stack: debug.Stack()}
	} else if !c.returned {
		c.s.exited = true
	}
	c.s.forget(c)
}

// forget takes c out of the list of the live ones.
func (s *Sim) forget(c *coroutine) {
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		s.oldest = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		s.newest = c.older
	}
	c.older, c.newer = nil, nil
}

// pause gives the thread back until something makes c ready.
func (c *coroutine) pause() { c.yield(struct{}{}) }

// blocking returns the running coroutine, for a call that blocks.
func (s *Sim) blocking(call string) *coroutine {
	c := s.current
	if c == nil {
		panic("clock: " + call + " outside a coroutine of the simulation: calls that may block belong in a function given to Sim.Start")
	}
	return c
}

// Sleep lets the calling coroutine wait for d of virtual time, or, if d is not positive, lets others that are
// ready run first.
func (s *Sim) Sleep(d time.Duration) {
	c := s.blocking("Sleep")
	if s.stopped {
		runtime.Goexit()
	}
	if d <= 0 {
		s.do(nil, c)
	} else {
		if c.sleep.f == nil {
			c.sleep.f = func(Instant) { s.resume(c) }
		}
		s.schedule(&c.sleep, s.now.Add(d))
	}
	c.pause()
	if s.stopped {
		runtime.Goexit()
	}
}

// simCond is the simulation's Cond: a list of coroutines, first come, first served.
type simCond struct {
	s           *Sim
	l           sync.Locker
	first, last *coroutine
}

func (s *Sim) newCond(l sync.Locker) *simCond { return &simCond{s: s, l: l} }

// Wait may be left by runtime.Goexit, with the Locker locked, when the simulation is stopped: what must be
// done then is done by defer.
func (c *simCond) Wait() {
	s := c.s
	co := s.blocking("Wait")
	if s.stopped {
		runtime.Goexit()
	}
	if c.last == nil {
		c.first = co
	} else {
		c.last.follower = co
	}
	c.last = co
	co.waiting = true
	c.l.Unlock()
	co.pause()
	// Locks are free whenever a coroutine runs, unless somebody waits while holding another one than its
	// Cond's. Say so, rather than hang the only thread there is.
	if l, ok := c.l.(interface{ TryLock() bool }); !ok {
		c.l.Lock()
	} else if !l.TryLock() {
		panic("clock: Wait cannot lock again: a coroutine waits with this lock held")
	}
	if s.stopped {
		runtime.Goexit()
	}
}

// Broadcast makes all that wait ready, in the order they came.
func (c *simCond) Broadcast() {
	if c.s.stopped {
		return
	}
	for c.first != nil {
		c.Signal()
	}
}

// Signal makes the first that came ready.
func (c *simCond) Signal() {
	co := c.first
	if c.s.stopped || co == nil {
		return
	}
	if c.first = co.follower; c.first == nil {
		c.last = nil
	}
	co.follower, co.waiting = nil, false
	c.s.do(nil, co)
}

// Waiting returns the names of the coroutines that wait on a Cond, in the order they were started. When
// nothing else is left to do (Next returns Never), these are in a deadlock.
func (s *Sim) Waiting() []string {
	var names []string
	for c := s.oldest; c != nil; c = c.newer {
		if c.waiting {
			names = append(names, c.name)
		}
	}
	return names
}

// Stop ends the simulation: every coroutine left is unwound where it waits, oldest first, its deferred functions
// run, and no goroutine remains. A deferred function that would block is left there, the same way. One that was
// never resumed does not begin. Because Wait is left with its lock locked, as it always is, functions that wait
// unlock by defer. Events ahead are dropped.
//
// If a coroutine panics while it is unwound, Stop raises the first such panic again when all are. If the
// simulation is broken, Stop unwinds nothing.
func (s *Sim) Stop() {
	if s.running {
		panic("clock: Sim.Stop called from within the simulation")
	}
	if s.stopped {
		return
	}
	s.stopped = true
	var fault *Panic
	for c := s.oldest; c != nil && !s.broken; c = s.oldest {
		c.unwind()
		if c.fault != nil && fault == nil {
			fault = c.fault
		}
	}
	s.heap, s.ready, s.watches = nil, queue{}, nil
	if fault != nil {
		s.broken = true
		panic(fault)
	}
}

// unwind ends c by runtime.Goexit, which, unlike a panic, no deferred function of an application can stop.
// iter.Pull hands a Goexit on to the goroutine that called stop, so that is one made for it.
func (c *coroutine) unwind() {
	s := c.s
	s.current = c
	done := make(chan struct{})
	go func() { //lint:deterministic because the only other goroutine waits for this one to end
		defer close(done)
		c.stop()
	}()
	<-done
	s.current = nil
	if s.oldest == c {
		s.forget(c) // it had not begun
	}
}
