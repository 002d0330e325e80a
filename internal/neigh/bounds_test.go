package neigh

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

func addr6(i int) wire.Addr { return wire.Addr{Hi: 0x2001_0db8 << 32, Lo: 0x1000 + uint64(i)} }

// RFC 4861, 7.2.2: "When a queue overflows, the new arrival SHOULD replace the oldest entry."
func TestQueueOverflow(t *testing.T) {
	const full = "queue for an unresolved neighbor is full"
	r := newRig(t, Config{QueueLimit: 3})
	for range 5 {
		r.output(peer6)
	}
	r.expect("NONE->INCOMPLETE; multicast; drop 1 (" + full + "); drop 2 (" + full + ")")
	r.check(t)
	r.Advertised(0, peer6, macA, true, false, true, true)
	r.expect("INCOMPLETE->REACHABLE; send 3 00:0a; send 4 00:0a; send 5 00:0a")
}

// When too many packets wait in all, the neighbor asked for longest ago makes room; alone, its oldest packet does.
func TestQueueTotal(t *testing.T) {
	r := newRig(t, Config{MaxQueued: 4})
	r.output(addr6(1))
	r.output(addr6(2))
	r.output(addr6(2))
	r.output(addr6(1)) // asked for again: 2 is the older now
	r.got = nil
	r.output(addr6(3))
	const room = " (unresolved neighbor made room for others)"
	r.expect("NONE->INCOMPLETE; INCOMPLETE->NONE; multicast; drop 2" + room + "; drop 3" + room)
	r.check(t)

	r = newRig(t, Config{MaxQueued: 2})
	for range 3 {
		r.output(peer6)
	}
	r.expect("NONE->INCOMPLETE; multicast; drop 1 (queue for an unresolved neighbor is full)")
	r.check(t)
}

// A scan of a prefix, in both the forms it takes, costs bounded memory, and takes nothing from the neighbors in use.
func TestScan(t *testing.T) {
	r := newRig(t, Config{MaxEntries: 64, MaxQueued: 32})
	r.SetPermanent(0, self6, macB)
	r.reach(peer6, Reachable)
	r.reach(peer4, Stale)
	for i := range 1000 {
		r.output(addr6(i))
		r.Lookup(r.now, addr6(100_000+i))
		r.check(t)
	}
	r.wantState(peer6, Reachable, macA)
	r.wantState(peer4, Stale, macA)
	r.wantState(self6, Permanent, macB)
	if r.Len() != 65 {
		t.Errorf("%d entries", r.Len())
	}
	// The latest are still being asked for.
	r.wantState(addr6(999), Incomplete, wire.MAC{})
	r.got = nil
	r.Advertised(r.now, addr6(999), macB, true, false, true, true)
	r.expect("INCOMPLETE->REACHABLE; send 1001 00:0b")
}

// Solicitations from invented addresses take nothing from the neighbors in use, nor from the share of the unresolved.
func TestSolicitationFlood(t *testing.T) {
	r := newRig(t, Config{MaxEntries: 64})
	r.reach(peer6, Reachable)
	for i := range 16 {
		r.output(addr6(i))
	}
	for i := range 1000 {
		r.Solicited(r.now, addr6(1000+i), macB)
	}
	r.check(t)
	r.wantState(peer6, Reachable, macA)
	for i := range 16 {
		r.wantState(addr6(i), Incomplete, wire.MAC{})
	}
}

// In a group, the least recently used goes first.
func TestLeastRecentlyUsed(t *testing.T) {
	r := newRig(t, Config{MaxEntries: 4})
	for i := range 4 {
		r.output(addr6(i))
		r.Advertised(0, addr6(i), macA, true, false, true, true)
	}
	r.output(addr6(0))
	r.output(addr6(2))
	r.got = nil
	r.Solicited(0, peer6, macB) // 1 goes: all are in use
	r.wantState(addr6(1), None, wire.MAC{})
	r.Solicited(0, peer4, macB) // STALE goes before those in use
	r.wantState(peer6, None, wire.MAC{})
	for _, i := range []int{0, 2, 3} {
		r.wantState(addr6(i), Reachable, macA)
	}
	r.check(t)
}

// PERMANENT entries neither go nor count.
func TestPermanentDoNotCount(t *testing.T) {
	r := newRig(t, Config{MaxEntries: 2})
	for i := range 10 {
		r.SetPermanent(0, addr6(i), macA)
	}
	r.output(peer6)
	r.output(peer4)
	r.check(t)
	if r.Len() != 12 {
		t.Errorf("%d entries", r.Len())
	}
}

// With no room at all there is still a neighbor at a time.
func TestOneOfEach(t *testing.T) {
	r := newRig(t, Config{MaxEntries: 1, QueueLimit: 1, MaxQueued: 1})
	for i := range 10 {
		r.output(addr6(i % 3))
		r.output(addr6(i % 3))
		r.check(t)
	}
	r.SetPermanent(0, peer4, macA)
	r.output(peer4)
	r.check(t)
	r.advance(time.Hour)
	if r.Len() != 1 || r.Deadline() != clock.Never {
		t.Errorf("%d entries, deadline %v", r.Len(), r.Deadline())
	}
}

// The room that a great failure took for its actions is given back.
func TestActionsShrink(t *testing.T) {
	r := newRig(t, Config{QueueLimit: 500})
	for range 500 {
		r.output(peer6)
	}
	r.advance(time.Minute)
	if n := cap(r.actions.pending); n > keepActions {
		t.Errorf("room for %d actions is kept", n)
	}
}

// The hit path, the path of an entry in STALE, and Deadline allocate nothing.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c := NewCache(Config{Address: own})
	c.Solicited(0, peer6, macA)
	c.Advertised(0, peer6, macA, true, false, true, true)
	r := &rig{t: t}
	p := r.packet()
	e := c.Lookup(0, peer6)
	for name, f := range map[string]func(){
		"Load":    func() { _, _ = e.Load() },
		"Confirm": func() { e.Confirm(1) },
		"Output":  func() { c.Output(1, peer6, p) },
		"STALE": func() {
			c.Advertised(1, peer6, macB, true, false, false, true)
			c.Advertised(1, peer6, macA, true, false, false, true)
			c.Output(1, peer6, p)
			c.Advertised(1, peer6, macA, true, false, true, true)
		},
		"Deadline": func() { c.Deadline() },
		"Next":     func() { var a Action; c.Next(&a) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	c := NewCache(Config{Address: own})
	c.SetPermanent(0, peer6, macA)
	e := c.Lookup(0, peer6)
	for b.Loop() {
		e.Load()
	}
}

func BenchmarkOutput(b *testing.B) {
	c := NewCache(Config{Address: own})
	c.SetPermanent(0, peer6, macA)
	r := &rig{}
	p := r.packet()
	for b.Loop() {
		c.Output(0, peer6, p)
	}
}
