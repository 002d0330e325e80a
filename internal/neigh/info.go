package neigh

import (
	"cmp"
	"slices"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Info is an entry as `ip neigh` shows it.
type Info struct {
	Addr   wire.Addr
	MAC    wire.MAC // zero: not known
	State  State
	Router bool
	Queued int // packets waiting

	HeldDown bool // of Forecast: packets fail at once, because it did not answer a moment ago
}

// List returns the neighbors in the order of their addresses, IPv4 before IPv6. Entries in state NONE are not among
// them.
func (c *Cache) List() []Info {
	var all []Info
	for g := range c.lists {
		for e := c.lists[g].head; e != nil; e = e.next {
			if s := e.State(); s != None {
				all = append(all, Info{Addr: e.addr, MAC: e.mac(), State: s, Router: e.IsRouter(), Queued: e.queue.Len()})
			}
		}
	}
	slices.SortFunc(all, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Addr.Hi, b.Addr.Hi), cmp.Compare(a.Addr.Lo, b.Addr.Lo))
	})
	return all
}

// Len returns how many entries the cache has, those in states NONE and PERMANENT included.
func (c *Cache) Len() int { return len(c.entries) }

// Forecast returns what Output would find of addr now; ok is false if that is nothing. It changes nothing.
func (c *Cache) Forecast(now clock.Instant, addr wire.Addr) (i Info, ok bool) {
	e := c.entries[addr]
	if e == nil || e.State() == None {
		return Info{Addr: addr}, false
	}
	i = Info{Addr: addr, MAC: e.mac(), State: e.State(), Router: e.IsRouter(), Queued: e.queue.Len()}
	switch i.State {
	case Stale, Delay, Probe: // as settle does
		if now < clock.Instant(e.confirmed.Load()).Add(c.drawn()) {
			i.State = Reachable
		}
	case Failed:
		i.HeldDown = now < e.retry
	}
	return i, true
}

// Usable reports whether packets go to MAC without further ado, Known whether they go there at all.
func (i Info) Usable() bool { return i.State.usable() }

// Known reports whether MAC is known.
func (i Info) Known() bool { return i.State.known() }
