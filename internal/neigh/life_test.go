package neigh

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// A neighbor's life in virtual time: resolved, used, silent, probed, gone, back elsewhere.
func TestLife(t *testing.T) {
	r := newRig(t, Config{})
	r.output(peer6)
	r.expect("NONE->INCOMPLETE; multicast")
	r.advance(999 * time.Millisecond)
	r.expect("")
	r.advance(time.Millisecond)
	r.expect("multicast")
	r.output(peer6)
	r.advance(500 * time.Millisecond)
	r.Advertised(r.now, peer6, macA, true, false, true, true)
	r.expect("INCOMPLETE->REACHABLE; send 1 00:0a; send 2 00:0a")
	r.advance(30*time.Second - 1)
	r.output(peer6)
	r.expect("out 3 00:0a")
	r.advance(1)
	r.expect("REACHABLE->STALE")
	r.advance(time.Minute)
	r.output(peer6)
	r.expect("STALE->DELAY; out 4 00:0a")
	r.advance(5*time.Second - 1)
	r.expect("")
	r.advance(1)
	r.expect("DELAY->PROBE; unicast 00:0a")
	r.output(peer6)
	r.expect("out 5 00:0a")
	r.advance(2 * time.Second)
	r.expect("unicast 00:0a; unicast 00:0a")
	r.advance(time.Second)
	r.expect("PROBE->FAILED")
	// RFC 4861, 7.3.3: "Subsequent traffic to that neighbor will recreate the entry and perform address resolution
	// again." At once: it worked before.
	r.output(peer6)
	r.expect("FAILED->INCOMPLETE; multicast")
	r.Advertised(r.now, peer6, macB, true, false, true, true)
	r.expect("INCOMPLETE->REACHABLE; send 6 00:0b")
}

// RFC 4861, 7.2.2: "If no Neighbor Advertisement is received after MAX_MULTICAST_SOLICIT solicitations, address
// resolution has failed. The sender MUST return ICMP destination unreachable indications … for each packet queued".
func TestFailureAndHoldDown(t *testing.T) {
	r := newRig(t, Config{HoldDown: 2 * time.Second, FailedLifetime: 20 * time.Second})
	r.output(peer6)
	r.output(peer6)
	r.advance(3 * time.Second)
	r.expect("NONE->INCOMPLETE; multicast; multicast; multicast; INCOMPLETE->FAILED; fail 1; fail 2")
	r.advance(2*time.Second - 1)
	r.output(peer6)
	r.expect("fail 3")
	r.advance(1)
	r.output(peer6)
	r.expect("FAILED->INCOMPLETE; multicast")
	r.advance(3 * time.Second)
	r.expect("multicast; multicast; INCOMPLETE->FAILED; fail 4")
	e := r.Lookup(r.now, peer6)
	r.advance(20*time.Second - 1)
	r.expect("")
	r.advance(1)
	r.expect("FAILED->NONE")
	if !e.Evicted() || r.Len() != 0 || r.Deadline() != clock.Never {
		t.Errorf("evicted %v, %d entries, deadline %v", e.Evicted(), r.Len(), r.Deadline())
	}
}

// The reason for a Fail says which family's neighbor it was.
func TestFailReason(t *testing.T) {
	for _, addr := range []wire.Addr{peer4, peer6} {
		r := newRig(t, Config{})
		r.Output(0, addr, r.packet())
		for r.state(addr) != Failed {
			r.now = r.Deadline()
			r.Timeout(r.now)
		}
		var a Action
		for r.Next(&a) {
			if a.Kind == Fail && (a.Reason != unreachable(addr) || a.Target != addr) {
				t.Errorf("%v: %+v", addr, a)
			}
		}
	}
	if unreachable(peer4).String() != "IPv4 neighbor unreachable" || unreachable(peer6).String() != "IPv6 neighbor unreachable" {
		t.Errorf("%v, %v", unreachable(peer4), unreachable(peer6))
	}
}

// A Solicit carries the source of the packet that prompted it, in PROBE too.
func TestSolicitSource(t *testing.T) {
	r := newRig(t, Config{})
	want := func(src wire.Addr, unicast bool) {
		t.Helper()
		var a Action
		if !r.Next(&a) || a.Kind != Solicit || a.Target != peer6 || a.Source != src || a.Unicast != unicast {
			t.Errorf("%+v", a)
		}
	}
	p := r.packet()
	p.Src = self6
	r.Output(0, peer6, p)
	want(self6, false)
	r.Solicited(0, peer6, macA)
	r.drain()
	p = r.packet()
	p.Src = self4
	r.Output(0, peer6, p)
	r.now = r.Deadline()
	r.Timeout(r.now)
	want(self4, true)
}

// RFC 4861, 7.3.3: "A node MUST NOT send Neighbor Solicitations to the same neighbor more frequently than once every
// RetransTimer milliseconds", even when DELAY is shorter.
func TestSolicitRate(t *testing.T) {
	r := newRig(t, Config{RetransTimer: 10 * time.Second})
	r.reach(peer6, Incomplete) // one solicitation now
	r.Solicited(r.now, peer6, macA)
	r.expect("INCOMPLETE->STALE; send 1 00:0a")
	r.output(peer6)
	r.expect("STALE->DELAY; out 2 00:0a")
	r.advance(10*time.Second - 1)
	r.expect("")
	r.advance(1)
	r.expect("DELAY->PROBE; unicast 00:0a")
}

// Timeout may come late: what was due then happens once, and the next thing a full interval later.
func TestLateTimeout(t *testing.T) {
	r := newRig(t, Config{})
	r.reach(peer6, Incomplete)
	r.now = r.now.Add(time.Hour)
	r.Timeout(r.now)
	r.expect("multicast")
	if want := r.now.Add(time.Second); r.Deadline() != want {
		t.Errorf("deadline %v, want %v", r.Deadline(), want)
	}
	// And it may come early.
	r.Timeout(r.now + 1)
	r.expect("")
}

// Entries that nobody uses are collected: STALE ones after StaleLifetime, those never sent to after FailedLifetime.
func TestAgeing(t *testing.T) {
	r := newRig(t, Config{StaleLifetime: time.Minute, FailedLifetime: 10 * time.Second})
	r.Solicited(r.now, peer6, macA)
	r.Lookup(r.now, peer4)
	r.SetPermanent(r.now, self6, macB)
	r.advance(10*time.Second - 1)
	if r.Len() != 3 {
		t.Fatalf("%d entries", r.Len())
	}
	r.advance(1)
	if r.Len() != 2 {
		t.Fatalf("%d entries: the one never sent to is to go", r.Len())
	}
	r.got = nil
	r.advance(50*time.Second - 1)
	r.expect("")
	r.advance(1)
	r.expect("STALE->NONE")
	r.advance(time.Hour)
	if r.Len() != 1 || r.state(self6) != Permanent {
		t.Errorf("%d entries", r.Len())
	}
}

// Using a STALE entry starts over: it ages from when it becomes STALE again.
func TestAgeingRestarts(t *testing.T) {
	r := newRig(t, Config{StaleLifetime: time.Minute})
	r.reach(peer6, Stale)
	r.advance(time.Minute - 1)
	r.output(peer6)
	r.Advertised(r.now, peer6, macA, true, false, true, true)
	r.got = nil
	r.advance(30*time.Second + time.Minute - 1)
	r.expect("REACHABLE->STALE")
	r.advance(1)
	r.expect("STALE->NONE")
}

func TestRemoveAndFlush(t *testing.T) {
	r := newRig(t, Config{})
	if r.Remove(0, peer6) {
		t.Error("removed what was not there")
	}
	r.reach(peer6, Incomplete)
	e := r.Lookup(0, peer6)
	if !r.Remove(0, peer6) {
		t.Error("not removed")
	}
	r.expect("INCOMPLETE->NONE; drop 1 (IPv6 neighbor unreachable)")
	if _, usable := e.Load(); usable || !e.Evicted() || e.State() != None || e.Addr() != peer6 {
		t.Errorf("%v %v", e.State(), e.Evicted())
	}
	if r.Lookup(0, peer6) == e {
		t.Error("the dead entry came back")
	}

	r = newRig(t, Config{})
	r.SetPermanent(0, self4, macB)
	r.reach(peer6, Incomplete)
	r.Solicited(0, peer4, macA)
	r.got = nil
	r.Flush(0)
	r.expect("INCOMPLETE->NONE; STALE->NONE; drop 1 (link is down)")
	if l := r.List(); len(l) != 1 || l[0].State != Permanent {
		t.Errorf("%+v", l)
	}
	if r.Deadline() != clock.Never {
		t.Errorf("deadline %v", r.Deadline())
	}
	r.check(t)
}

// SetPermanent answers what a resolution under way asked for.
func TestSetPermanent(t *testing.T) {
	for _, from := range allStates {
		r := newRig(t, Config{})
		r.reach(peer6, from)
		r.SetPermanent(r.now, peer6, macB)
		r.wantState(peer6, Permanent, macB)
		want := from.String() + "->PERMANENT"
		if from == Incomplete {
			want += "; send 1 00:0b"
		}
		r.expect(want)
		if mac, usable := r.Lookup(r.now, peer6).Load(); mac != macB || !usable {
			t.Errorf("%v: %v %v", from, mac, usable)
		}
		if r.Deadline() != clock.Never {
			t.Errorf("%v: deadline %v", from, r.Deadline())
		}
		r.check(t)
	}
}

func TestList(t *testing.T) {
	r := newRig(t, Config{})
	r.SetPermanent(0, self6, macB)
	r.Lookup(0, self4) // NONE: not shown
	r.Output(0, peer4, r.packet())
	r.Output(0, peer4, r.packet())
	r.Solicited(0, peer6, macA)
	r.Advertised(0, peer6, wire.MAC{}, false, true, false, false)
	r.drain()
	want := []Info{
		{Addr: peer4, State: Incomplete, Queued: 2},
		{Addr: peer6, MAC: macA, State: Stale, Router: true},
		{Addr: self6, MAC: macB, State: Permanent},
	}
	got := r.List()
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}

// Load is usable in the states in which a packet needs nothing from the cache.
func TestLoad(t *testing.T) {
	for _, s := range allStates {
		r := newRig(t, Config{})
		r.reach(peer6, s)
		mac, usable := r.Lookup(r.now, peer6).Load()
		if want := s == Reachable || s == Delay || s == Probe || s == Permanent; usable != want {
			t.Errorf("%v: usable %v", s, usable)
		}
		if usable && mac != macA {
			t.Errorf("%v: %v", s, mac)
		}
	}
}
