package neigh

import (
	"sync/atomic"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Entry is one neighbor. It stays the neighbor's until it is evicted, and is then dead for ever: whoever keeps a
// pointer to it finds it unusable, and looks the address up again.
type Entry struct {
	// Anybody's: read and written atomically.
	word      atomic.Uint64 // state, flags and link-layer address, below; written with the Cache locked
	confirmed atomic.Int64  // Instant of the last reachability confirmation; never: none that still counts

	addr wire.Addr

	// The Cache's.
	queue      packet.Batch  // packets waiting, while INCOMPLETE only
	source     wire.Addr     // of the packet that prompts the solicitations
	solicits   int           // solicitations sent in INCOMPLETE or PROBE
	retry      clock.Instant // FAILED: packets before this instant fail at once
	solicited  clock.Instant // of the last solicitation
	prev, next *Entry        // in the list of its group, least recently used first
	timer      timer
}

// The word: 48 bits of link-layer address, and above them the state and flags.
const (
	macBits    = 1<<48 - 1
	stateShift = 48
	stateBits  = 0xff << stateShift
	routerBit  = 1 << 56 // the IsRouter flag
	evictedBit = 1 << 57

	never = -1 << 62 // an instant so long ago that nothing that lasts has begun after it
)

// confirmGrain is how much later than the last one a confirmation must be to be worth writing down.
const confirmGrain = clock.Instant(10 * time.Millisecond)

// Addr returns the neighbor's address. Callable by anyone.
func (e *Entry) Addr() wire.Addr { return e.addr }

// Load returns the neighbor's link-layer address, and whether a packet may be sent there just like that: in
// REACHABLE, DELAY, PROBE and PERMANENT. If not usable, the packet goes to Cache.Output. One atomic load; callable
// by anyone.
func (e *Entry) Load() (mac wire.MAC, usable bool) {
	w := e.word.Load()
	return wire.MACFromUint64(w & macBits), stateOf(w).usable()
}

// State returns the neighbor's state; NONE once it is evicted. Callable by anyone.
func (e *Entry) State() State { return stateOf(e.word.Load()) }

// IsRouter returns the IsRouter flag (RFC 4861, 5.1). Callable by anyone.
func (e *Entry) IsRouter() bool { return e.word.Load()&routerBit != 0 }

// Evicted reports whether the entry is dead: the address must be looked up again. Callable by anyone.
func (e *Entry) Evicted() bool { return e.word.Load()&evictedBit != 0 }

// Confirm notes that packets sent to the neighbor are known to arrive (RFC 4861, 7.3.1: "hints from upper-layer
// protocols that indicate a connection is making 'forward progress'"). At most one atomic store; the Cache looks at
// it when the state would change. Callable by anyone. Confirmations less than 10 ms after another are not written.
func (e *Entry) Confirm(now clock.Instant) {
	if now-clock.Instant(e.confirmed.Load()) >= confirmGrain {
		e.confirmed.Store(int64(now))
	}
}

func stateOf(w uint64) State { return State(w & stateBits >> stateShift) }

func (e *Entry) mac() wire.MAC { return wire.MACFromUint64(e.word.Load() & macBits) }

// setRouter sets the IsRouter flag and reports whether it changed from TRUE to FALSE.
func (e *Entry) setRouter(router bool) (lost bool) {
	w := e.word.Load()
	if router {
		e.word.Store(w | routerBit)
		return false
	}
	e.word.Store(w &^ routerBit)
	return w&routerBit != 0
}

// setRouter is e.setRouter, and tells of a change.
func (c *Cache) setRouter(now clock.Instant, e *Entry, router bool) (lost bool) {
	was := e.IsRouter()
	lost = e.setRouter(router)
	if s := e.State(); was != router && s != None && c.cfg.Observe != nil {
		c.cfg.Observe(now, s, Info{Addr: e.addr, MAC: e.mac(), State: s, Router: router, Queued: e.queue.Len()})
	}
	return lost
}

// list is a list of entries through their own pointers, least recently used first.
type list struct {
	head, tail *Entry
	n          int
}

func (l *list) pushBack(e *Entry) {
	e.prev, e.next = l.tail, nil
	if l.tail == nil {
		l.head = e
	} else {
		l.tail.next = e
	}
	l.tail = e
	l.n++
}

func (l *list) remove(e *Entry) {
	if e.prev == nil {
		l.head = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		l.tail = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.prev, e.next = nil, nil
	l.n--
}
