package clock

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
	s.Run(24) // past
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

func TestSimContext(t *testing.T) {
	s := NewSim(1)
	l := &log{s: s}
	rt := s.Runtime(0)
	type key struct{}
	watch := func(name string, ctx context.Context) (stop func()) {
		return rt.AfterDone(ctx, func() { l.add(fmt.Sprint(name, ": ", ctx.Err())) })
	}
	ctx, cancel := s.WithTimeout(context.Background(), time.Second)
	defer cancel()
	watch("timeout", ctx)
	watch("value", context.WithValue(ctx, key{}, 1))
	derived, cancel2 := context.WithCancel(ctx)
	defer cancel2()
	watch("derived", derived)
	child, cancel3 := s.WithTimeout(derived, time.Hour)
	defer cancel3()
	watch("child", child)
	grandchild, cancel4 := s.WithCancel(child)
	defer cancel4()
	watch("grandchild", grandchild)
	watch("background", context.Background())
	watch("withdrawn", ctx)()

	foreign, cancelForeign := context.WithCancel(context.Background())
	defer cancelForeign()
	watch("foreign", foreign)
	s.Start("app", func() {
		s.Sleep(500 * time.Millisecond)
		cancelForeign()
		watch("late", foreign)
	})
	if d, ok := grandchild.Deadline(); !ok || !d.Equal(s.Wall().Add(time.Second)) || Deadline(rt, d) != 1e9 {
		t.Errorf("Deadline = %v %v", d, ok)
	}
	s.RunUntilIdle()
	l.want(t, "0.500000 late: context canceled", "0.500000 foreign: context canceled",
		"1.000000 timeout: context deadline exceeded", "1.000000 value: context deadline exceeded",
		"1.000000 derived: context deadline exceeded", "1.000000 child: context deadline exceeded",
		"1.000000 grandchild: context deadline exceeded")
	if !errors.Is(context.Cause(derived), context.DeadlineExceeded) {
		t.Errorf("Cause = %v", context.Cause(derived))
	}
	if len(s.watches) != 0 {
		t.Errorf("%d watches left", len(s.watches))
	}
}

func mustPanic(t *testing.T, sentence string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		r := recover()
		if r == nil || !strings.Contains(fmt.Sprint(r), sentence) {
			t.Errorf("panicked with %v, want %q", r, sentence)
		}
	}()
	f()
}

func TestSimStopUnwinds(t *testing.T) {
	before := runtime.NumGoroutine()
	s := NewSim(1)
	var mu sync.Mutex
	cond := s.Runtime(0).NewCond(&mu)
	var ran []string
	wait := func() {
		mu.Lock()
		defer mu.Unlock()
		cond.Wait()
		ran = append(ran, "woke")
	}
	s.Start("waits", func() {
		defer func() { ran = append(ran, "deferred") }()
		defer wait() // blocks again: left at once
		defer func() { ran = append(ran, fmt.Sprint("recovered ", recover())) }()
		wait()
	})
	s.Start("sleeps", func() {
		defer func() { ran = append(ran, "slept") }()
		s.Sleep(time.Hour)
		ran = append(ran, "awake")
	})
	s.Run(1)
	s.Start("never begun", func() { ran = append(ran, "begun") })
	s.Stop()
	s.Stop() // again: nothing
	want := []string{"recovered <nil>", "deferred", "slept"}
	if !slices.Equal(ran, want) {
		t.Errorf("ran %q, want %q", ran, want)
	}
	for range 100 {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	mustPanic(t, "after Stop", func() { s.Run(1) })
}

func BenchmarkSimTimer(b *testing.B) {
	s := NewSim(1)
	rt := s.Runtime(0)
	n := b.N
	var timers [8]Timer
	for i := range timers {
		timers[i] = rt.NewTimer(func(now Instant) {
			if n--; n > 0 {
				timers[i].Reset(now.Add(time.Duration(i + 1)))
			}
		})
		timers[i].Reset(Instant(i))
	}
	b.ReportAllocs()
	s.RunUntilIdle()
}

func BenchmarkSimGo(b *testing.B) {
	s := NewSim(1)
	rt := s.Runtime(0)
	n := b.N
	var f func()
	f = func() {
		if n--; n > 0 {
			rt.Go(f)
		}
	}
	rt.Go(f)
	b.ReportAllocs()
	s.RunUntilIdle()
}

// One wait and one wake by another coroutine: a switch out and back in.
func BenchmarkSimSwitch(b *testing.B) {
	s := NewSim(1)
	var mu sync.Mutex
	rt := s.Runtime(0)
	c := [2]Cond{rt.NewCond(&mu), rt.NewCond(&mu)}
	turn, n := 0, b.N
	for i := range c {
		s.Start("", func() {
			mu.Lock()
			defer mu.Unlock()
			for n > 0 {
				n--
				turn = 1 - i
				c[turn].Broadcast()
				for n > 0 && turn != i {
					c[i].Wait()
				}
			}
			c[1-i].Broadcast()
		})
	}
	b.ReportAllocs()
	s.RunUntilIdle()
}

func BenchmarkSimSleep(b *testing.B) {
	s := NewSim(1)
	s.Start("", func() {
		for range b.N {
			s.Sleep(1)
		}
	})
	b.ReportAllocs()
	s.RunUntilIdle()
}
