package clock

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// log collects what happened and when.
type log struct {
	s     *Sim
	lines []string
}

func (l *log) add(what string) { l.lines = append(l.lines, fmt.Sprintf("%v %s", l.s.Now(), what)) }

func (l *log) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(l.lines, want) {
		t.Errorf("happened:\n\t%s\nwant:\n\t%s", strings.Join(l.lines, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// Events happen in the order of (instant, sequence): those of one instant in the order they were made.
func TestSimOrder(t *testing.T) {
	s := NewSim(1)
	l := &log{s: s}
	rt := s.Runtime(0)
	timer := func(name string, at Instant) Timer {
		t := rt.NewTimer(func(now Instant) {
			if now != s.Now() {
				l.add(fmt.Sprintf("called with %v", now))
			}
			l.add(name)
		})
		t.Reset(at)
		return t
	}
	late := timer("moved back", 5e9)
	timer("b", 2e9)
	timer("a", 1e9)
	timer("c", 2e9)
	early := timer("moved forth", 1e9)
	timer("stopped", 2e9).Stop()
	timer("never", 2e9).Reset(Never)
	timer("past", -1)
	rt.Go(func() {
		l.add("go")
		timer("zero", 0)
		rt.Go(func() { l.add("go again") })
		timer("zero 2", 0)
	})
	late.Reset(2e9)
	early.Reset(3e9)
	s.RunUntilIdle()
	l.want(t, "0.000000 past", "0.000000 go", "0.000000 zero", "0.000000 go again", "0.000000 zero 2",
		"1.000000 a", "2.000000 b", "2.000000 c", "2.000000 moved back", "3.000000 moved forth")
	if s.Next() != Never {
		t.Errorf("Next = %v after RunUntilIdle", s.Next())
	}
}

func TestSimRunStopsAtInstant(t *testing.T) {
	s := NewSim(1)
	var fired []Instant
	var tm Timer
	tm = s.Runtime(0).NewTimer(func(now Instant) {
		fired = append(fired, now)
		tm.Reset(now + 10)
	})
	tm.Reset(10)
	s.Run(25)
	if s.Now() != 25 || !slices.Equal(fired, []Instant{10, 20}) {
		t.Errorf("at %d: fired %v", s.Now(), fired)
	}
	s.Runtime(0).Go(func() { fired = append(fired, s.Now()) })
	s.Run(24) // past
	if len(fired) != 2 {
		t.Error("Run to the past ran something")
	}
	s.Step()
	fired = fired[:2]
	s.Run(30) // included
	if s.Now() != 30 || len(fired) != 3 || s.Next() != 40 {
		t.Errorf("at %d: fired %v, next %d", s.Now(), fired, s.Next())
	}
	if !s.Step() || s.Now() != 40 {
		t.Errorf("Step went to %d", s.Now())
	}
	if w := s.Wall(); !w.Equal(time.Date(2000, 1, 1, 0, 0, 0, 40, time.UTC)) {
		t.Errorf("Wall = %v", w)
	}
}

// A timer set again and again holds one place.
func TestSimTimersLeaveNothing(t *testing.T) {
	s := NewSim(1)
	rt := s.Runtime(0)
	n := 0
	timers := make([]Timer, 10)
	for i := range timers {
		timers[i] = rt.NewTimer(func(Instant) { n++ })
	}
	if a := testing.AllocsPerRun(100, func() {
		for i, tm := range timers {
			tm.Reset(Instant(1000 * i))
			tm.Reset(Instant(500 * i))
			if i%2 == 1 {
				tm.Stop()
			}
		}
		if len(s.heap) > len(timers) {
			t.Fatalf("%d events for %d timers", len(s.heap), len(timers))
		}
	}); a > 1 && !raceEnabled {
		t.Errorf("%v allocations a round", a)
	}
	s.RunUntilIdle()
	if n != 5 || len(s.heap) != 0 {
		t.Errorf("%d fired, %d events left", n, len(s.heap))
	}
}

func TestSimCond(t *testing.T) {
	s := NewSim(1)
	l := &log{s: s}
	rt := s.Runtime(0)
	var mu sync.Mutex
	cond := rt.NewCond(&mu)
	open := 0
	for _, name := range []string{"a", "b", "c"} {
		s.Start(name, func() {
			mu.Lock()
			defer mu.Unlock()
			l.add(name + " waits")
			for open == 0 {
				cond.Wait()
			}
			open--
			l.add(name + " goes")
		})
	}
	s.Start("door", func() {
		for range 2 {
			s.Sleep(time.Second)
			mu.Lock()
			open++
			cond.Broadcast()
			mu.Unlock()
			l.add("open")
		}
	})
	s.RunUntilIdle()
	l.want(t, "0.000000 a waits", "0.000000 b waits", "0.000000 c waits",
		"1.000000 open", "1.000000 a goes", "2.000000 open", "2.000000 b goes")
	if w := s.Waiting(); !slices.Equal(w, []string{"c"}) {
		t.Errorf("Waiting = %q", w)
	}
	s.Stop()
	if !mu.TryLock() {
		t.Error("the lock is held after Stop")
	}
}

// A Signal wakes one, who has waited longest; one who waits again is the last.
func TestSimSignal(t *testing.T) {
	s := NewSim(1)
	defer s.Stop()
	var mu sync.Mutex
	cond := s.Runtime(0).NewCond(&mu)
	cond.Signal() // nobody is there
	var woke []string
	for _, name := range []string{"a", "b", "c"} {
		s.Start(name, func() {
			mu.Lock()
			defer mu.Unlock()
			for range 2 {
				cond.Wait()
				woke = append(woke, name)
			}
		})
	}
	s.RunUntilIdle()
	for i, want := range []string{"a", "b", "c", "a"} {
		cond.Signal()
		s.RunUntilIdle()
		if len(woke) != i+1 || woke[i] != want {
			t.Fatalf("woke %q, then want %q", woke, want)
		}
	}
	cond.Broadcast()
	s.RunUntilIdle()
	if w := s.Waiting(); w != nil || len(woke) != 6 {
		t.Errorf("%q wait, woke %q", w, woke)
	}
}

// A Broadcast wakes those that wait on its own Cond, whomever they waited with before, and Waiting names those
// left in the order they were started.
func TestSimCondsApart(t *testing.T) {
	s := NewSim(1)
	rt := s.Runtime(0)
	var mu sync.Mutex
	first, second, third := rt.NewCond(&mu), rt.NewCond(&mu), rt.NewCond(&mu)
	var woke []string
	run := func(name string, conds ...Cond) {
		s.Start(name, func() {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range conds {
				c.Wait()
				woke = append(woke, name)
			}
		})
	}
	run("a", first, second)
	run("b", first, third)
	run("c", first)
	run("d", first, third)
	s.RunUntilIdle()
	first.Broadcast()
	s.RunUntilIdle()
	if w := s.Waiting(); !slices.Equal(w, []string{"a", "b", "d"}) {
		t.Errorf("waiting: %q", w)
	}
	second.Broadcast()
	first.Broadcast() // nobody is left there
	s.RunUntilIdle()
	if want := []string{"a", "b", "c", "d", "a"}; !slices.Equal(woke, want) {
		t.Errorf("woke %q, want %q", woke, want)
	}
	if w := s.Waiting(); !slices.Equal(w, []string{"b", "d"}) {
		t.Errorf("waiting: %q", w)
	}
	s.Stop()
}
