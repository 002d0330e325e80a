package neigh

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Output asks where to send p, whose next hop is addr. If send, the caller sends p to mac. Otherwise p is the
// cache's, and comes back from Next with what became of it. p.Src is taken for the source of solicitations.
func (c *Cache) Output(now clock.Instant, addr wire.Addr, p *packet.Buffer) (mac wire.MAC, send bool) {
	e := c.Lookup(now, addr)
	switch c.settle(now, e) {
	case Reachable, Delay, Probe, Permanent:
		c.touch(e)
		return e.mac(), true

	case Stale:
		// RFC 4861, 7.3.3: "The first time a node sends a packet to a neighbor whose entry is STALE, the sender
		// changes the state to DELAY and sets a timer to expire in DELAY_FIRST_PROBE_TIME seconds."
		mac = e.mac()
		e.source = p.Src
		c.set(now, e, Delay, mac)
		c.arm(e, now.Add(c.cfg.DelayFirstProbeTime))
		return mac, true

	case Incomplete:
		c.enqueue(now, e, p)

	case Failed:
		if now < e.retry {
			c.touch(e)
			c.actions.push(Action{Kind: Fail, Target: addr, Packet: p, Reason: unreachable(addr)})
			break
		}
		c.resolve(now, e, p)

	case None:
		c.resolve(now, e, p)
	}
	return wire.MAC{}, false
}

// resolve begins address resolution, prompted by p.
//
// RFC 4861, 7.2.2: "this entails creating a Neighbor Cache entry in the INCOMPLETE state and transmitting a Neighbor
// Solicitation message targeted at the neighbor."
func (c *Cache) resolve(now clock.Instant, e *Entry, p *packet.Buffer) {
	c.set(now, e, Incomplete, wire.MAC{})
	e.source, e.solicits = p.Src, 0
	c.solicit(now, e)
	c.enqueue(now, e, p)
}

// solicit sends a solicitation and sets the timer for the next: by unicast in PROBE, by multicast in INCOMPLETE.
func (c *Cache) solicit(now clock.Instant, e *Entry) {
	a := Action{Kind: Solicit, Target: e.addr, Source: e.source}
	if e.State() == Probe {
		a.Unicast, a.MAC = true, e.mac()
	}
	c.actions.push(a)
	e.solicits++
	e.solicited = now
	c.arm(e, now.Add(c.cfg.RetransTimer))
}

// enqueue lets p wait for e, which is INCOMPLETE, and makes room for it first.
func (c *Cache) enqueue(now clock.Instant, e *Entry, p *packet.Buffer) {
	c.touch(e)
	switch {
	case e.queue.Len() >= c.cfg.QueueLimit:
		// RFC 4861, 7.2.2: "When a queue overflows, the new arrival SHOULD replace the oldest entry."
		c.dropOldest(e)
	case c.queued >= c.cfg.MaxQueued:
		// Too many wait for too many neighbors: the one asked for longest ago makes room.
		if v := c.lists[waiting].head; v != e {
			c.remove(now, v, mib.NeighborCacheFull)
		} else {
			c.dropOldest(e)
		}
	}
	e.queue.Push(p)
	c.queued++
}

func (c *Cache) dropOldest(e *Entry) {
	c.queued--
	c.actions.push(Action{Kind: Drop, Target: e.addr, Packet: e.queue.Pop(), Reason: mib.NeighborQueueFull})
}

// release sends the packets waiting for e to mac.
//
// RFC 4861, 7.2.2: "Once address resolution completes, the node transmits any queued packets."
func (c *Cache) release(e *Entry, mac wire.MAC) {
	c.queued -= e.queue.Len()
	for p := e.queue.Pop(); p != nil; p = e.queue.Pop() {
		c.actions.push(Action{Kind: Send, Target: e.addr, MAC: mac, Packet: p})
	}
}

// giveUp fails or drops the packets waiting for e.
func (c *Cache) giveUp(e *Entry, kind Kind, reason mib.Reason) {
	c.queued -= e.queue.Len()
	for p := e.queue.Pop(); p != nil; p = e.queue.Pop() {
		c.actions.push(Action{Kind: kind, Target: e.addr, Packet: p, Reason: reason})
	}
}
