package clock

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

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

// A context that is done cancels, and is cancelled by, its relatives of package context in the same call.
func TestSimContextTree(t *testing.T) {
	s := NewSim(1)
	root, cancel := s.WithCancel(context.Background())
	std, cancelStd := context.WithCancel(root)
	defer cancelStd()
	leaf, cancelLeaf := s.WithDeadline(std, s.Wall().Add(time.Minute))
	defer cancelLeaf()
	cancel()
	cancel()
	if root.Err() != context.Canceled || std.Err() != context.Canceled {
		t.Errorf("after cancel: %v, %v", root.Err(), std.Err())
	}
	s.Start("", func() {}) // std is foreign to its child, which learns of its end before the next event
	s.Step()
	if leaf.Err() != context.Canceled {
		t.Errorf("leaf: %v", leaf.Err())
	}
	if s.Next() != Never {
		t.Errorf("a cancelled context left its timer, for %v", s.Next())
	}
	done, cancelDone := s.WithTimeout(leaf, time.Second)
	defer cancelDone()
	if done.Err() != context.Canceled {
		t.Errorf("child of a cancelled context: %v", done.Err())
	}
	past, cancelPast := s.WithTimeout(context.Background(), 0)
	defer cancelPast()
	if past.Err() != context.DeadlineExceeded {
		t.Errorf("no time left: %v", past.Err())
	}
	select {
	case <-past.Done():
	default:
		t.Error("Done is open though Err is set")
	}
}

func TestSimContextAfterFunc(t *testing.T) {
	s := NewSim(1)
	ctx, cancel := s.WithCancel(context.Background())
	after := ctx.(interface {
		AfterFunc(func()) func() bool
	}).AfterFunc
	var ran []int
	after(func() { ran = append(ran, 1) })
	stop := after(func() { ran = append(ran, 2) })
	if !stop() || stop() {
		t.Error("stop: want true, then false")
	}
	cancel()
	if after(func() { ran = append(ran, 3) })() {
		t.Error("stop after the end: want false")
	}
	if fmt.Sprint(ran) != "[1 3]" {
		t.Errorf("ran %v", ran)
	}
}

// Many watchers of one foreign context share one place, and a withdrawal leaves none.
func TestSimWatchesForeign(t *testing.T) {
	s := NewSim(1)
	rt := s.Runtime(0)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	a := rt.AfterDone(ctx, func() { n += 1 })
	b := rt.AfterDone(ctx, func() { n += 10 })
	c := rt.AfterDone(ctx, func() { n += 100 })
	if len(s.watches) != 1 {
		t.Errorf("%d watches", len(s.watches))
	}
	a()
	rt.Go(cancel)
	s.Step() // cancels
	s.Step() // b
	c()      // before its turn
	s.RunUntilIdle()
	b()
	if n != 10 {
		t.Errorf("called: %d", n)
	}
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	rt.AfterDone(ctx, func() {})()
	if len(s.watches) != 0 {
		t.Errorf("%d watches left", len(s.watches))
	}
}

// A context derived by package context may end before its parent of ours, or not with it at all.
func TestSimContextForeignChild(t *testing.T) {
	s := NewSim(1)
	l := &log{s: s}
	rt := s.Runtime(0)
	parent, cancel := s.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	child, cancelChild := context.WithCancel(parent)
	rt.AfterDone(child, func() { l.add("child") })
	rt.AfterDone(context.WithoutCancel(parent), func() { l.add("uncancelled") })
	s.Start("", func() {
		s.Sleep(time.Second)
		cancelChild()
	})
	s.RunUntilIdle()
	l.want(t, "1.000000 child")
}

// The deadline is the earliest of the context's own and its parents'.
func TestSimContextDeadline(t *testing.T) {
	s := NewSim(1)
	background := context.Background()
	none, cancel := s.WithCancel(background)
	defer cancel()
	if d, ok := none.Deadline(); ok {
		t.Errorf("none: %v", d)
	}
	if endless, cancel := s.WithTimeout(background, 1<<63-1); endless.Err() != nil {
		t.Error("the longest time-out is over")
	} else {
		cancel()
	}
	minute, cancel := s.WithTimeout(none, time.Minute)
	defer cancel()
	for _, row := range []struct{ own, want time.Duration }{
		{time.Second, time.Second}, {time.Hour, time.Minute},
	} {
		ctx, cancel := s.WithTimeout(minute, row.own)
		defer cancel()
		if d, ok := ctx.Deadline(); !ok || d.Sub(s.Wall()) != row.want {
			t.Errorf("a minute, then %v: %v", row.own, d)
		}
	}
}
