package clock

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"
)

// Sim is a simulation: a clock that only moves from one event to the next, the events ordered by (instant,
// sequence), and the coroutines that applications are. Nothing in it is concurrent: events and coroutines
// run one at a time, and what one does at an instant is done before the next begins, so that a run is a
// function of its seed and its program.
//
// [Sim.Runtime] gives a node its [Runtime]. [Sim.Start] makes a coroutine, in which calls may block; events
// (timers, Go, AfterDone) must not. [Sim.Run], [Sim.RunUntilIdle] and [Sim.Step] let time pass, and [Sim.Stop]
// ends the simulation. All methods of a Sim, of its Runtimes and of what these make belong to one goroutine: the
// one that calls Run, or the coroutine Run has switched to. A lock is therefore never contended here.
//
// # Faults
//
// A panic in an event goes through Run as it is; one in a coroutine is raised again by Run as a [*Panic], with the
// coroutine's name and stack. Either may have left locks locked, and whoever locks one again waits for ever, so
// the simulation is broken from then on ([Sim.Broken]): Run and Start panic, Stop leaves the remaining coroutines
// as they are, and deferred clean-up should check Broken before it closes what takes locks.
// runtime.Goexit in a coroutine, which is what testing's FailNow does, unwinds it and then whoever called Run; it
// breaks nothing.
type Sim struct {
	now     Instant
	seq     uint64 // of the event made last
	seed    uint64
	heap    []*event // timers
	ready   queue    // what runs at this instant
	watches []*watch // foreign contexts, looked at after each event

	running bool       // within Run, RunUntilIdle or Step
	current *coroutine // the one that is running, if one is
	oldest  *coroutine // the live ones, in the order they were started
	newest  *coroutine
	exited  bool // a coroutine ended by runtime.Goexit, which is going through Run
	broken  bool
	stopped bool
}

// NewSim returns a simulation at instant 0. Whatever is random in it follows from seed.
func NewSim(seed uint64) *Sim { return &Sim{seed: seed} }

// Now returns the present instant.
func (s *Sim) Now() Instant { return s.now }

// epoch is where virtual time of day begins, as in a testing/synctest bubble.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Wall returns the virtual time of day.
func (s *Sim) Wall() time.Time { return epoch.Add(time.Duration(s.now)) }

// Broken reports whether a panic went through Run.
func (s *Sim) Broken() bool { return s.broken }

// Next returns the instant of the next event: the present one if something is ready to run, Never if nothing
// is left to do.
func (s *Sim) Next() Instant {
	switch {
	case s.ready.len() > 0:
		return s.now
	case len(s.heap) > 0:
		return s.heap[0].at
	}
	return Never
}

// Run runs what happens up to and including the instant until, which is the present one afterwards. An instant
// that is past runs nothing.
func (s *Sim) Run(until Instant) {
	s.enter("Run")
	ok := false
	defer s.leave(&ok)
	for until >= s.now && s.step(until) {
	}
	s.now = max(s.now, until)
	ok = true
}

// RunUntilIdle runs until nothing is left to do: no event ahead and no coroutine able to run. Coroutines that
// wait then wait for something that cannot happen any more; Waiting names them.
func (s *Sim) RunUntilIdle() {
	s.enter("RunUntilIdle")
	ok := false
	defer s.leave(&ok)
	for s.step(Never) {
	}
	ok = true
}

// Step runs the next event or coroutine, whenever it is, and reports whether there was one.
func (s *Sim) Step() bool {
	s.enter("Step")
	ok := false
	defer s.leave(&ok)
	did := s.step(Never)
	ok = true
	return did
}

func (s *Sim) enter(method string) {
	switch {
	case s.running:
		panic("clock: Sim." + method + " called from within the simulation, whose time it would move under its callers")
	case s.stopped:
		panic("clock: Sim." + method + " after Stop")
	case s.broken:
		panic("clock: Sim." + method + " after a panic in the simulation")
	}
	s.running = true
}

func (s *Sim) leave(ok *bool) {
	s.running, s.current = false, nil
	if !*ok && !s.exited {
		s.broken = true
	}
	s.exited = false
}

// step runs the next event that is not after until, and reports whether there was one.
func (s *Sim) step(until Instant) bool {
	if len(s.watches) > 0 {
		s.observe()
	}
	if s.ready.len() > 0 {
		// What became ready at this instant comes after the timers that were set for it before.
		if len(s.heap) == 0 || s.heap[0].at > s.now || s.heap[0].seq > s.ready.front().seq {
			j := s.ready.pop()
			if j.co != nil {
				s.resume(j.co)
			} else {
				j.f()
			}
			return true
		}
	} else if len(s.heap) == 0 || s.heap[0].at > until {
		return false
	}
	e := s.heap[0]
	s.cancel(e)
	s.now = e.at
	e.f(s.now)
	return true
}

// do appends f, or the coroutine co, to what runs at this instant.
func (s *Sim) do(f func(), co *coroutine) {
	s.seq++
	s.ready.push(job{seq: s.seq, f: f, co: co})
}

// Runtime returns a Runtime of s with a stream of entropy of its own, which depends on the simulation's seed
// and on seed: give each node another one.
func (s *Sim) Runtime(seed uint64) Runtime {
	var key [32]byte
	copy(key[:], "onlink simulation")
	binary.LittleEndian.PutUint64(key[len(key)-16:], s.seed)
	binary.LittleEndian.PutUint64(key[len(key)-8:], seed)
	return &simRuntime{s: s, random: rand.NewChaCha8(key)}
}

// simRuntime is the Runtime of one node.
type simRuntime struct {
	s      *Sim
	random *rand.ChaCha8
}

func (r *simRuntime) Now() Instant                       { return r.s.now }
func (r *simRuntime) Wall() time.Time                    { return r.s.Wall() }
func (r *simRuntime) NewTimer(f func(now Instant)) Timer { return r.s.newTimer(f) }
func (r *simRuntime) NewCond(l sync.Locker) Cond         { return r.s.newCond(l) }
func (r *simRuntime) Go(f func())                        { r.s.do(f, nil) }
func (r *simRuntime) Spawn(name string, f func())        { r.s.Start(name, f) }
func (r *simRuntime) Entropy(b []byte)                   { r.random.Read(b) } // never fails

func (r *simRuntime) AfterDone(ctx context.Context, f func()) (stop func()) {
	return r.s.afterDone(ctx, f)
}
