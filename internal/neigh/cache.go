package neigh

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// Cache is the Neighbor Cache of one interface (RFC 4861, 5.1). All methods need the caller's lock.
type Cache struct {
	cfg     Config
	entries map[wire.Addr]*Entry
	lists   [numGroups]list
	queued  int // packets waiting, in all
	timers  timers
	actions actions
	watched map[wire.Addr]struct{} // whose changes are told

	reachable time.Duration // ReachableTime
	redraw    clock.Instant // when to draw it anew
}

// NewCache returns an empty cache.
func NewCache(cfg Config) *Cache {
	cfg.setDefaults()
	return &Cache{cfg: cfg, entries: make(map[wire.Addr]*Entry), redraw: never}
}

// Lookup returns the entry for addr, a unicast address on the link, and makes one in state NONE if there is none.
// The entry is addr's until it is evicted.
func (c *Cache) Lookup(now clock.Instant, addr wire.Addr) *Entry {
	if e := c.entries[addr]; e != nil {
		return e
	}
	e := &Entry{addr: addr, solicited: never}
	e.confirmed.Store(never)
	c.insert(now, e)
	c.arm(e, now.Add(c.cfg.FailedLifetime))
	return e
}

// insert makes room for e, which is in state NONE, and adds it.
func (c *Cache) insert(now clock.Instant, e *Entry) {
	if len(c.entries)-c.lists[fixed].n >= c.cfg.MaxEntries {
		c.remove(now, c.victim(), mib.NeighborCacheFull)
	}
	c.entries[e.addr] = e
	c.lists[idle].pushBack(e)
}

// victim returns the entry that goes when room is needed. There is one: the cache is full of entries that are not
// PERMANENT.
//
// Who scans a prefix makes unresolved entries, who sends solicitations from invented addresses makes STALE ones.
// Either competes with his own kind first.
func (c *Cache) victim() *Entry {
	order := [...]group{stale, active, idle, waiting}
	if c.lists[idle].n+c.lists[waiting].n > c.cfg.MaxEntries/4 {
		order = [...]group{idle, waiting, stale, active}
	}
	for _, g := range order {
		if e := c.lists[g].head; e != nil {
			return e
		}
	}
	panic("neigh: full and empty")
}

// touch makes e the most recently used of its group.
func (c *Cache) touch(e *Entry) {
	l := &c.lists[groups[e.State()]]
	if l.tail != e {
		l.remove(e)
		l.pushBack(e)
	}
}

// set is every change of state and of link-layer address, but for the end of the entry.
func (c *Cache) set(now clock.Instant, e *Entry, to State, mac wire.MAC) {
	old := e.word.Load()
	from := stateOf(old)
	w := old&routerBit | uint64(to)<<stateShift | mac.Uint64()
	if w == old {
		return
	}
	if to == Stale {
		// Whatever was confirmed, it was not that the neighbor is reachable from now on at this address.
		e.confirmed.Store(never)
	}
	e.word.Store(w)
	c.lists[groups[from]].remove(e)
	c.lists[groups[to]].pushBack(e)
	c.trace(now, e, from, to, mac)
	if from != to {
		c.changed(e.addr, to)
	}
}

// remove ends e. Packets waiting for it are given up for reason.
func (c *Cache) remove(now clock.Instant, e *Entry, reason mib.Reason) {
	from, mac := e.State(), e.mac()
	c.giveUp(e, Drop, reason)
	c.timers.stop(&e.timer)
	c.lists[groups[from]].remove(e)
	delete(c.entries, e.addr)
	e.word.Store(evictedBit)
	if from != None {
		c.trace(now, e, from, None, mac)
		c.changed(e.addr, None)
	}
}

func (c *Cache) trace(now clock.Instant, e *Entry, from, to State, mac wire.MAC) {
	if c.cfg.Observe != nil {
		c.cfg.Observe(now, from, Info{Addr: e.addr, MAC: mac, State: to, Router: e.IsRouter(), Queued: e.queue.Len()})
	}
	if c.cfg.Tracer.Enabled() {
		c.cfg.Tracer.Emit(&trace.Event{At: now, Kind: trace.NeighborChanged, In: c.cfg.Interface, Out: c.cfg.Interface,
			Dst: e.addr, LinkAddr: mac, From: from.String(), To: to.String()})
	}
}

// SetPermanent configures mac as the link-layer address of addr: nothing that is heard changes it.
func (c *Cache) SetPermanent(now clock.Instant, addr wire.Addr, mac wire.MAC) {
	e := c.Lookup(now, addr)
	c.set(now, e, Permanent, mac)
	c.timers.stop(&e.timer)
	c.release(e, mac)
}

// Remove forgets addr and reports whether it was known. Packets waiting for it are dropped.
func (c *Cache) Remove(now clock.Instant, addr wire.Addr) bool {
	e := c.entries[addr]
	if e == nil {
		return false
	}
	c.remove(now, e, unreachable(addr))
	return true
}

// Flush forgets every neighbor that is not PERMANENT, for when the link went down or the interface away. Packets
// waiting are dropped.
func (c *Cache) Flush(now clock.Instant) {
	for g := range fixed {
		for e := c.lists[g].head; e != nil; e = c.lists[g].head {
			c.remove(now, e, mib.LinkDown)
		}
	}
}

// Clear forgets every neighbor, PERMANENT ones too, for when the interface is taken down. Packets waiting are dropped.
func (c *Cache) Clear(now clock.Instant) {
	c.Flush(now)
	for e := c.lists[fixed].head; e != nil; e = c.lists[fixed].head {
		c.remove(now, e, mib.LinkDown)
	}
}
