package neigh

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Confirmations keep a neighbor REACHABLE; the timer looks at them when it expires.
func TestConfirmKeepsReachable(t *testing.T) {
	r := newRig(t, Config{})
	r.reach(peer6, Reachable)
	e := r.Lookup(r.now, peer6)
	for range 100 {
		r.advance(10 * time.Second)
		e.Confirm(r.now)
	}
	r.expect("")
	r.advance(30*time.Second - 1)
	r.expect("")
	r.advance(1)
	r.expect("REACHABLE->STALE")
}

// RFC 4861, 7.3.2: "If no reachability confirmation is received within DELAY_FIRST_PROBE_TIME seconds of entering the
// DELAY state, send a Neighbor Solicitation and change the state to PROBE." If one is, there is no probe.
func TestConfirmInDelay(t *testing.T) {
	r := newRig(t, Config{})
	r.reach(peer6, Delay)
	r.advance(4 * time.Second)
	confirmed := r.now
	r.Lookup(r.now, peer6).Confirm(r.now)
	r.advance(time.Second)
	r.expect("DELAY->REACHABLE")
	if want := confirmed.Add(30 * time.Second); r.Deadline() != want {
		t.Errorf("reachable until %v, want %v", r.Deadline(), want)
	}
}

// It holds also when DELAY began and the confirmation came at the same instant, as on a link without delay.
func TestConfirmAtOnce(t *testing.T) {
	r := newRig(t, Config{})
	r.reach(peer6, Delay)
	r.Lookup(r.now, peer6).Confirm(r.now)
	r.output(peer6)
	r.expect("DELAY->REACHABLE; out 2 00:0a")
	if want := r.now.Add(30 * time.Second); r.Deadline() != want {
		t.Errorf("reachable until %v, want %v", r.Deadline(), want)
	}
}

func TestConfirmInProbe(t *testing.T) {
	r := newRig(t, Config{})
	r.reach(peer6, Probe)
	r.Lookup(r.now, peer6).Confirm(r.now)
	r.advance(time.Second)
	r.expect("PROBE->REACHABLE")
}

// A confirmation for STALE saves the DELAY.
func TestConfirmInStale(t *testing.T) {
	r := newRig(t, Config{})
	r.reach(peer6, Stale)
	r.Lookup(r.now, peer6).Confirm(r.now)
	r.output(peer6)
	r.expect("STALE->REACHABLE; out 1 00:0a")
}

// What was confirmed of one link-layer address, or before resolution, says nothing of what came after.
func TestConfirmOfThePast(t *testing.T) {
	r := newRig(t, Config{})
	r.reach(peer6, Reachable)
	r.advance(time.Second)
	r.Lookup(r.now, peer6).Confirm(r.now)
	r.Advertised(r.now, peer6, macB, true, false, false, true)
	r.expect("REACHABLE->STALE")
	r.output(peer6)
	r.expect("STALE->DELAY; out 2 00:0b")
	r.advance(5 * time.Second)
	r.expect("DELAY->PROBE; unicast 00:0b")

	r = newRig(t, Config{})
	r.reach(peer6, Incomplete)
	r.Lookup(r.now, peer6).Confirm(r.now)
	r.Advertised(r.now, peer6, macA, true, false, false, true)
	r.expect("INCOMPLETE->STALE; send 1 00:0a")
	r.output(peer6)
	r.expect("STALE->DELAY; out 2 00:0a")
	r.wantState(peer6, Delay, macA)

	// Nor does one that is over: ReachableTime ends STALE, and the next packet asks again.
	r = newRig(t, Config{})
	r.reach(peer6, Reachable)
	r.advance(30 * time.Second)
	r.output(peer6)
	r.expect("REACHABLE->STALE; STALE->DELAY; out 2 00:0a")
}

// FAILED after PROBE, then resolved by something unsolicited: the confirmations of the first life do not count.
func TestConfirmOfAFormerLife(t *testing.T) {
	r := newRig(t, Config{BaseReachableTime: time.Hour})
	r.reach(peer6, Probe)
	e := r.Lookup(r.now, peer6)
	r.advance(3 * time.Second)
	r.wantState(peer6, Failed, wire.MAC{})
	e.Confirm(r.now) // late, from a connection that has not heard
	r.Solicited(r.now, peer6, macB)
	r.output(peer6)
	r.wantState(peer6, Delay, macB)
}

// A confirmation right after another is not written, and one a grain later is.
func TestConfirmGrain(t *testing.T) {
	e := new(Entry)
	e.confirmed.Store(never)
	for _, step := range []struct{ at, want clock.Instant }{
		{0, 0}, {confirmGrain - 1, 0}, {confirmGrain, confirmGrain}, {confirmGrain + 5, confirmGrain},
		{3 * confirmGrain, 3 * confirmGrain},
	} {
		e.Confirm(step.at)
		if got := clock.Instant(e.confirmed.Load()); got != step.want {
			t.Errorf("Confirm(%v): %v, want %v", step.at, got, step.want)
		}
	}
}

// RFC 4861, 6.3.2: ReachableTime is "a uniformly distributed random value between MIN_RANDOM_FACTOR and
// MAX_RANDOM_FACTOR times BaseReachableTime", 6.3.4: "re-computed at least once every few hours".
func TestReachableTimeRandom(t *testing.T) {
	pcg := rand.NewPCG(1, 2)
	c := NewCache(Config{Rand: pcg.Uint64})
	var low, high, changes int
	last := time.Duration(0)
	for h := range 4000 {
		d := c.reachableTime(clock.Instant(time.Hour) * clock.Instant(h))
		switch {
		case d < 15*time.Second || d > 45*time.Second:
			t.Fatalf("ReachableTime %v", d)
		case d < 25*time.Second:
			low++
		case d > 35*time.Second:
			high++
		}
		if d != last {
			changes++
		}
		last = d
	}
	if changes < 1990 || changes > 2000 {
		t.Errorf("%d changes in 4000 hours", changes)
	}
	if low < 1000 || high < 1000 { // each a third
		t.Errorf("%d low and %d high of 4000", low, high)
	}
	if d := NewCache(Config{}).reachableTime(0); d != 30*time.Second {
		t.Errorf("without Rand: %v", d)
	}
}

// Load and Confirm are anybody's, while the cache changes the entry.
func TestConcurrentEntry(t *testing.T) {
	c := NewCache(Config{Address: own})
	e := c.Lookup(0, peer6)
	done := make(chan bool)
	go func() {
		defer close(done)
		for i := range 10_000 {
			e.Confirm(clock.Instant(i) * confirmGrain)
			mac, usable := e.Load()
			if usable && mac != macA && mac != macB {
				t.Errorf("%v %v", mac, usable)
				return
			}
		}
	}()
	for i := range 10_000 {
		mac := macA
		if i%2 == 1 {
			mac = macB
		}
		c.Solicited(clock.Instant(i), peer6, mac)
		c.Advertised(clock.Instant(i), peer6, mac, true, i%3 == 0, true, true)
	}
	<-done
}
