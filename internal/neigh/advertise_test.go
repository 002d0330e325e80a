package neigh

import (
	"fmt"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// TestAdvertised holds the cache against RFC 4861, 7.2.5, for every state, all flags, and each link-layer address.
func TestAdvertised(t *testing.T) {
	bools := []bool{false, true}
	for _, from := range allStates {
		for _, mac := range []wire.MAC{{}, macA, macB, own, wire.BroadcastMAC} {
			for _, wasRouter := range bools {
				for flags := range 8 {
					router, solicited, override := flags&1 != 0, flags&2 != 0, flags&4 != 0
					name := fmt.Sprintf("%v %v was=%v R=%v S=%v O=%v", from, mac, wasRouter, router, solicited, override)
					r := newRig(t, Config{})
					r.reach(peer6, from)
					e := r.entries[peer6]
					if e != nil {
						e.setRouter(wasRouter)
					}
					lost := r.Advertised(r.now, peer6, mac, mac != wire.MAC{}, router, solicited, override)
					r.drain()

					to, at, isRouter := want725(from, mac, wasRouter, router, solicited, override)
					if e == nil {
						if r.Len() != 0 {
							t.Errorf("%s: made an entry", name)
						}
						continue
					}
					if e.State() != to || e.mac() != at || e.IsRouter() != isRouter {
						t.Errorf("%s: %v %v router=%v, want %v %v router=%v", name, e.State(), e.mac(), e.IsRouter(), to, at, isRouter)
					}
					if want := wasRouter && !isRouter; lost != want {
						t.Errorf("%s: lostRouter %v, want %v", name, lost, want)
					}
					r.check(t)
				}
			}
		}
	}
}

// want725 is RFC 4861, 7.2.5, for an entry at macA, as a function of its own.
func want725(from State, mac wire.MAC, wasRouter, router, solicited, override bool) (to State, at wire.MAC, isRouter bool) {
	to, isRouter = from, wasRouter
	if from.known() {
		at = macA
	}
	switch {
	case from == None || from == Failed || from == Permanent || mac == own || mac == wire.BroadcastMAC:
		return
	case from == Incomplete && mac == wire.MAC{}:
		return to, at, router // appendix C
	case from == Incomplete && solicited:
		return Reachable, mac, router
	case from == Incomplete:
		return Stale, mac, router
	}
	differs := mac != wire.MAC{} && mac != macA
	if differs && !override {
		if from == Reachable {
			to = Stale
		}
		return
	}
	if differs {
		at = mac
	}
	switch {
	case solicited:
		to = Reachable
	case differs:
		to = Stale
	}
	return to, at, router
}

// RFC 4861, 7.2.3: "If a Neighbor Cache entry is created, the IsRouter flag SHOULD be set to FALSE … If a Neighbor
// Cache entry already exists, its IsRouter flag MUST NOT be modified."
func TestIsRouter(t *testing.T) {
	r := newRig(t, Config{})
	r.Solicited(0, peer6, macA)
	e := r.Lookup(0, peer6)
	if e.IsRouter() {
		t.Error("created as a router")
	}
	r.Advertised(0, peer6, macA, true, true, false, false)
	r.Solicited(0, peer6, macB)
	if !e.IsRouter() {
		t.Error("a solicitation changed IsRouter")
	}
	if !r.Advertised(0, peer6, macB, true, false, false, false) {
		t.Error("the change from TRUE to FALSE was not told")
	}
	if r.Advertised(0, peer6, macB, true, false, false, false) {
		t.Error("the change was told twice")
	}
	// A change of the flag alone is no change of state.
	r.expect("NONE->STALE; STALE->STALE")
}
