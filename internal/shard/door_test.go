package shard

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// bell is a link.Doorbell that counts.
type bell struct {
	rung        chan bool
	waits       int
	rings       int
	closed      bool
	whileClosed int // calls of Wait
}

func (b *bell) Arm() {
	select {
	case <-b.rung:
	default:
	}
}

func (b *bell) Wait() bool {
	if b.closed {
		b.whileClosed++
		return false
	}
	b.waits++
	return <-b.rung
}

func (b *bell) Ring() {
	b.rings++
	select {
	case b.rung <- true:
	default:
	}
}

// guest waits on a shard, at a door.
type guest struct {
	s    *Shard
	d    *Door
	v    Visitor
	cond clock.Cond
	n    int // what it was woken for
}

func newGuest(s *Shard, d *Door) *guest { return &guest{s: s, d: d, cond: s.NewCond()} }

// wait waits once, until wake is called after so long.
func (g *guest) wait(after time.Duration) {
	go func() {
		time.Sleep(after)
		g.wake()
	}()
	g.s.Lock()
	defer g.s.Unlock()
	for was := g.n; g.n == was; {
		g.s.WaitAt(g.d, g.cond, &g.v, g)
	}
}

func (g *guest) wake() {
	g.s.Lock()
	defer g.s.Unlock()
	g.n++
	g.cond.Broadcast()
	g.v.Wake()
}

// Who has waited briefly as often as makes it expected waits at the bell, until it waits for long, or another waits.
func TestDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(clock.NewReal(), 0, func(out *packet.Batch) { out.Free() })
		b := &bell{rung: make(chan bool, 1)}
		d := NewDoor(b)
		one, other := newGuest(s, d), newGuest(s, d)
		check := func(what string, waits int) {
			t.Helper()
			if b.waits != waits {
				t.Fatalf("%s: %d waits at the bell, want %d", what, b.waits, waits)
			}
		}
		regular := func(g *guest) {
			for range expected {
				g.wait(brief)
			}
		}
		regular(one)
		check("not expected yet", 0)
		one.wait(2 * brief)
		check("expected", 1)
		one.wait(brief)
		check("after a long wait", 1)
		regular(one)
		one.wait(brief)
		waits := b.waits
		if waits < 2 {
			t.Fatal("not expected again")
		}
		other.wait(brief)
		one.wait(brief)
		check("after another has waited", waits)
		regular(one)
		s.Lock()
		d.Pass(other)
		s.Unlock()
		waits = b.waits
		one.wait(brief)
		check("after another has passed", waits)
	})
}

// Who has stayed at the bell makes room for another that is expected, and goes on waiting.
func TestDoorIsVacated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(clock.NewReal(), 0, func(out *packet.Batch) { out.Free() })
		b := &bell{rung: make(chan bool, 1)}
		d := NewDoor(b)
		one, other := newGuest(s, d), newGuest(s, d)
		for range expected {
			one.wait(brief)
		}
		over := make(chan time.Duration)
		go func() {
			began := time.Now()
			one.wait(time.Hour)
			over <- time.Since(began)
		}()
		synctest.Wait()
		if b.waits != 1 || !d.inside {
			t.Fatalf("%d waits at the bell", b.waits)
		}
		for range expected + 1 {
			other.wait(brief)
		}
		if b.waits != 1 || d.inside {
			t.Fatalf("%d waits at the bell; vacated: %v", b.waits, !d.inside)
		}
		if other.wait(brief); b.waits != 1 {
			// The one that left has been the last to end a wait meanwhile.
			t.Fatalf("%d waits at the bell", b.waits)
		}
		for range expected {
			other.wait(brief)
		}
		if b.waits < 2 {
			t.Fatal("the other does not wait at the bell")
		}
		if took := <-over; took != time.Hour {
			t.Errorf("the first one has waited for %v", took)
		}
	})
}

// A bell that does not ring any more is not waited for, not even once more.
func TestDoorClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(clock.NewReal(), 0, func(out *packet.Batch) { out.Free() })
		b := &bell{rung: make(chan bool, 1), closed: true}
		g := newGuest(s, NewDoor(b))
		for range expected + 5 {
			g.wait(brief)
		}
		if b.whileClosed != 1 {
			t.Errorf("%d calls of Wait", b.whileClosed)
		}
	})
}
