package tcpsock

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/tcp"
)

// A connection over which nothing goes rests: it gives its TCB back, and keeps what it takes to make it again. It rests when
// some others have woken up since it did, and either has not been used yet or has been quiet for a while; and in any case when
// the sweep comes by that the shard's other connections keep going.

const (
	// mostAwake is how many of the connections that woke up last stay awake though they are not used, all shards together;
	// leastAwake how many of each shard at least.
	mostAwake, leastAwake = 64, 4
	// restAfter is how long a connection has to be quiet.
	restAfter = 4 * time.Second
	// sweepEvery is after how many events of a shard's connections some of them are looked at, and sweepSome how many.
	sweepEvery, sweepSome = 64, 4
)

// awakened keeps watch over those connections of a shard that do not rest. Guarded by the shard's lock.
type awakened struct {
	latest []*Conn
	turn   int   // of latest, which is overwritten next
	next   *Conn // to be looked at by the sweep; nil: the first one
	events int
}

func (a *awakened) init(shards int) { a.latest = make([]*Conn, max(mostAwake/shards, leastAwake)) }

// note takes in that c is awake from now on.
func (a *awakened) note(now clock.Instant, c *Conn) {
	slot := &a.latest[a.turn]
	a.turn = (a.turn + 1) % len(a.latest)
	if old := *slot; old != nil && old != c {
		old.mayRest(now)
	}
	*slot = c
}

// sweep looks at some connections of t from time to time, but not at c, which is at work.
func (t *table) sweep(now clock.Instant, c *Conn) {
	a := &t.awakened
	if a.events++; a.events%sweepEvery != 0 {
		return
	}
	for range sweepSome {
		if a.next == nil {
			a.next = t.first
		}
		o := a.next
		if o == nil {
			return
		}
		a.next = o.next
		if o != c && o.tcb != nil && now.Sub(o.tcb.Quiet()) >= restAfter {
			o.mayRest(now)
		}
	}
}

// forget takes in that c leaves the table.
func (a *awakened) forget(c *Conn) {
	if a.next == c {
		a.next = c.next
	}
}

// mayRest has c rest, if it can. sh locked.
func (c *Conn) mayRest(now clock.Instant) {
	if c.gone || c.tcb == nil || !c.tcb.Unused() && now.Sub(c.tcb.Quiet()) < restAfter || !c.tcb.Rest(&c.resting) {
		return
	}
	if c.readable == clock.Never && c.writeable == clock.Never {
		// What it was armed for has most often happened, as the answer to a SYN: it is not to be woken up for that.
		c.sh.Disarm(&c.node)
		c.sh.Arm(&c.node, c.deadline(now))
	}
	c.tcb.Free()
	c.tcb = nil
}

// awake returns the connection's TCB, which is made again if the connection rests. sh locked.
func (c *Conn) awake() *tcp.TCB {
	if c.tcb == nil {
		c.wakeUp()
	}
	return c.tcb
}

func (c *Conn) wakeUp() {
	c.tcb = tcp.New()
	c.resting.Wake(c.tcb, c, &c.layer.memory)
	if !c.gone {
		c.table().awakened.note(c.layer.rt.Now(), c)
	}
}

// lock locks the shard, and wakes the connection up.
func (c *Conn) lock() {
	c.sh.Lock()
	c.awake()
}

// state returns the TCB's state. sh locked.
func (c *Conn) state() tcp.State {
	if c.tcb == nil {
		return c.resting.State()
	}
	return c.tcb.State()
}

// bury gives the TCB back for good, once the connection is at its end and its user has let go of it. sh locked.
func (c *Conn) bury() {
	if c.gone && c.closed && c.tcb != nil {
		c.tcb.Bury(&c.resting)
		c.tcb = nil
	}
}
