package clock

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

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

func TestSimPanicInCoroutine(t *testing.T) {
	s := NewSim(1)
	wrong := errors.New("something is wrong")
	s.Start("client", func() { explode(wrong) })
	s.Start("server", func() { s.Sleep(time.Hour) })
	func() {
		defer func() {
			p, ok := recover().(*Panic)
			if !ok || p.Name != "client" || !errors.Is(p, wrong) {
				t.Fatalf("raised %v", p)
			}
			if text := p.Error(); !strings.Contains(text, `panic in "client"`) || !strings.Contains(text, "explode") {
				t.Errorf("says %s", text)
			}
		}()
		s.RunUntilIdle()
	}()
	if !s.Broken() {
		t.Error("not broken")
	}
	mustPanic(t, "after a panic", func() { s.Run(1) })
	mustPanic(t, "after a panic", func() { s.Start("", func() {}) })
	s.Stop()
}

//go:noinline
func explode(v any) { panic(v) }

func TestSimPanicInEvent(t *testing.T) {
	s := NewSim(1)
	s.Runtime(0).Go(func() { panic("plain") })
	mustPanic(t, "plain", s.RunUntilIdle)
	if !s.Broken() {
		t.Error("not broken")
	}
}

// FailNow in an application is a Goexit: the test ends, and its deferred functions can still close what is open.
func TestSimGoexit(t *testing.T) {
	s := NewSim(1)
	returned := false
	cleaned := make(chan bool)
	s.Start("other", func() { s.Sleep(time.Hour) })
	s.Start("fails", func() { runtime.Goexit() })
	go func() {
		defer close(cleaned)
		defer s.Stop()
		s.RunUntilIdle()
		returned = true
	}()
	<-cleaned
	if returned || s.Broken() || s.oldest != nil {
		t.Errorf("Run returned: %v, broken: %v, coroutine left: %v", returned, s.Broken(), s.oldest != nil)
	}
}

func TestSimMisuse(t *testing.T) {
	s := NewSim(1)
	var mu, other sync.Mutex
	rt := s.Runtime(0)
	cond := rt.NewCond(&mu)
	mu.Lock()
	mustPanic(t, "Wait outside a coroutine", cond.Wait)
	mustPanic(t, "Sleep outside a coroutine", func() { s.Sleep(1) })
	mu.Unlock()
	s.Start("app", func() {
		mustPanic(t, "within the simulation", func() { s.Run(1) })
		mustPanic(t, "within the simulation", s.Stop)
	})
	s.RunUntilIdle()

	// A lock held across a wait would hang the thread.
	s.Start("waits", func() {
		mu.Lock()
		cond.Wait()
	})
	s.Start("holds it while it waits on another", func() {
		mu.Lock()
		cond.Broadcast()
		other.Lock()
		rt.NewCond(&other).Wait()
	})
	mustPanic(t, "waits with this lock held", s.RunUntilIdle)
}

func TestSimSleepZeroLetsOthersRun(t *testing.T) {
	s := NewSim(1)
	l := &log{s: s}
	for _, name := range []string{"a", "b"} {
		s.Start(name, func() {
			for i := range 2 {
				l.add(fmt.Sprint(name, i))
				s.Sleep(0)
			}
		})
	}
	s.RunUntilIdle()
	l.want(t, "0.000000 a0", "0.000000 b0", "0.000000 a1", "0.000000 b1")
}

// Stop raises again what a coroutine panicked with while it was unwound, after all others are.
func TestSimStopPanic(t *testing.T) {
	s := NewSim(1)
	unwound := false
	s.Start("bad", func() {
		defer panic("in a deferred function")
		s.Sleep(time.Hour)
	})
	s.Start("good", func() {
		defer func() { unwound = true }()
		s.Sleep(time.Hour)
	})
	s.Run(1)
	mustPanic(t, `panic in "bad"`, s.Stop)
	if !unwound || s.oldest != nil {
		t.Error("the others were not unwound")
	}
}

// The same seeds give the same entropy, other seeds or nodes another.
func TestSimEntropy(t *testing.T) {
	read := func(seed, node uint64) string {
		b := make([]byte, 13)
		rt := NewSim(seed).Runtime(node)
		rt.Entropy(b[:5])
		rt.Entropy(b[5:])
		return string(b)
	}
	one, again := read(1, 2), read(1, 2)
	if one != again {
		t.Error("not repeatable")
	}
	for _, other := range [][2]uint64{{1, 3}, {2, 2}, {2, 1}} {
		if one == read(other[0], other[1]) {
			t.Errorf("seeds 1, 2 and %v agree", other)
		}
	}
}

// What is spawned may block, begins after what is ready already, and is named by Waiting.
func TestSimSpawn(t *testing.T) {
	s := NewSim(1)
	l := &log{s: s}
	rt := s.Runtime(0)
	var mu sync.Mutex
	cond := rt.NewCond(&mu)
	s.Start("parent", func() {
		rt.Spawn("child", func() {
			l.add("child")
			s.Sleep(time.Second)
			l.add("child slept")
			mu.Lock()
			defer mu.Unlock()
			cond.Wait()
		})
		l.add("parent")
	})
	s.RunUntilIdle()
	l.want(t, "0.000000 parent", "0.000000 child", "1.000000 child slept")
	if w := s.Waiting(); !slices.Equal(w, []string{"child"}) {
		t.Errorf("Waiting = %q", w)
	}
	s.Stop()
}
