package clock

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// In a bubble, the real Runtime runs in the bubble's time.
func TestRealTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := NewReal()
		var fired []Instant
		tm := rt.NewTimer(func(now Instant) { fired = append(fired, now) })
		tm.Stop() // before the first Reset
		tm.Reset(Never)
		tm.Reset(5e9)
		tm.Reset(1e9)
		time.Sleep(2 * time.Second)
		tm.Reset(0) // past: at once
		synctest.Wait()
		tm.Reset(3e9)
		tm.Stop()
		tm.Reset(4e9)
		tm.Reset(Never)
		time.Sleep(time.Hour)
		if len(fired) != 2 || fired[0] != 1e9 || fired[1] != 2e9 {
			t.Errorf("fired %v, want 1 and 2 s", fired)
		}
		if rt.Now() != 3602e9 || !rt.Wall().Equal(epoch.Add(3602*time.Second)) {
			t.Errorf("at %v, %v", rt.Now(), rt.Wall())
		}
		if d := Deadline(rt, time.Now().Add(time.Minute)); d != rt.Now()+60e9 {
			t.Errorf("Deadline = %v", d)
		}
	})
}

func TestRealCond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := NewReal()
		var mu sync.Mutex
		cond := rt.NewCond(&mu)
		open, through := false, 0
		for range 3 {
			rt.Go(func() {
				mu.Lock()
				defer mu.Unlock()
				for !open {
					cond.Wait()
				}
				through++
			})
		}
		synctest.Wait()
		mu.Lock()
		open = true
		cond.Broadcast()
		mu.Unlock()
		rt.Drain()
		if through != 3 {
			t.Errorf("%d went through", through)
		}
	})
}

// Drain waits for whatever the Runtime called.
func TestRealDrain(t *testing.T) {
	for name, begin := range map[string]func(ctx context.Context, rt Runtime, f func()){
		"Go":        func(_ context.Context, rt Runtime, f func()) { rt.Go(f) },
		"Spawn":     func(_ context.Context, rt Runtime, f func()) { rt.Spawn("f", f) },
		"NewTimer":  func(_ context.Context, rt Runtime, f func()) { rt.NewTimer(func(Instant) { f() }).Reset(0) },
		"AfterDone": func(ctx context.Context, rt Runtime, f func()) { rt.AfterDone(ctx, f) },
		"withdrawn": func(ctx context.Context, rt Runtime, f func()) {
			rt.AfterDone(ctx, func() { t.Error("called after stop") })()
			rt.Go(f)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := NewReal()
				rt.Drain() // nothing to wait for
				ctx, cancel := context.WithCancel(t.Context())
				var ended atomic.Bool
				begin(ctx, rt, func() {
					time.Sleep(time.Second)
					ended.Store(true)
				})
				cancel()
				synctest.Wait()
				rt.Drain()
				if !ended.Load() || rt.Now() != 1e9 {
					t.Errorf("drained at %v, ended: %v", rt.Now(), ended.Load())
				}
			})
		})
	}
}

func TestRealEntropy(t *testing.T) {
	var a, b [16]byte
	NewReal().Entropy(a[:])
	NewReal().Entropy(b[:])
	if a == b || a == [16]byte{} {
		t.Errorf("% x and % x", a, b)
	}
}

func TestGoAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector sync.Pool drops at random")
	}
	r := NewReal()
	done := make(chan struct{})
	f := func() { done <- struct{}{} }
	if n := testing.AllocsPerRun(1000, func() { r.Go(f); <-done }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
