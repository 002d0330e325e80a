// Package mem joins stacks in memory: a [Pair] is two ends of a cable, a [Switch] joins any number of ports.
//
// A frame sent on one port is delivered to the other's receiver on the sender's goroutine, without copying it.
// One goroutine at a time carries the frames of a queue towards a port; others append theirs and leave. So the frames
// of a queue stay in order, no two Deliver calls for it overlap, and a Deliver that sends in turn neither waits for
// itself nor nests: what comes back is delivered by the goroutine already at it. After a quota the rest is left
// to [clock.Runtime.Go], so that a sender is not kept carrying for others.
//
// The cable has no delay, rate or loss; package impair adds them.
package mem

import (
	"runtime"
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// DefaultLimit is how many frames may be on their way to one port by one queue unless Config says otherwise.
const DefaultLimit = 1024

// Config describes a Pair or a Switch. The zero Config is usable: real time, Ethernet, MTU 1500.
type Config struct {
	Runtime clock.Runtime // nil: a real one
	MTU     int           // octets; 0: link.DefaultMTU
	Medium  link.Medium   // of a Pair; a Switch is Ethernet
	Addr    []wire.MAC    // of the ports in order; a zero or missing one is random. Unused where Medium is IP
	Limit   int           // most frames on their way to one port by one queue; 0: DefaultLimit

	// Queues is how many queues there are towards each port. One goroutine at a time carries the frames of a queue, so many more
	// queues than processors let these go on without meeting; 0: one in a Runtime of your own or where there is one processor, else 32
	// for each, but no more than 256. The frames of a flow stay in order however many there are.
	Queues int

	// Offload is what the cable carries as it is: with link.TCP4, say, super-packets, which no wire would.
	Offload link.Offload
}

// setDefaults replaces what is left to this package.
func (c *Config) setDefaults() {
	if c.Queues <= 0 {
		c.Queues = 1
		if c.Runtime == nil {
			c.Queues = flow.Parts(runtime.GOMAXPROCS(0))
		}
	}
	if c.Runtime == nil {
		c.Runtime = clock.NewReal()
	}
}

// Port is one end of a Pair or one port of a Switch. It is a [link.Link].
type Port struct {
	rt    clock.Runtime
	limit int
	info  link.Info // but for Up
	slot  *link.Slot

	other *Port   // the other end; nil on a Switch
	sw    *Switch // nil in a Pair
	index int     // of the Switch's ports
	dead  atomic.Bool
	cut   atomic.Bool // SetCarrier(false)
	drops atomic.Uint64
	lanes []lane // towards this port, one for each queue
}

var _ link.Link = (*Port)(nil)

// Pair returns the two ends of a cable. What does not fit on the cable stays with the sender until Ready.
func Pair(cfg Config) (a, b *Port) {
	a, b = newPort(&cfg, 0), newPort(&cfg, 1)
	a.other, b.other = b, a
	return a, b
}

func newPort(cfg *Config, i int) *Port {
	cfg.setDefaults()
	p := &Port{rt: cfg.Runtime, limit: cfg.Limit, index: i, slot: link.NewSlot(cfg.Runtime)}
	p.info = link.Info{MTU: cfg.MTU, Medium: cfg.Medium, Queues: cfg.Queues, SendQueues: cfg.Queues, Offload: cfg.Offload}
	p.lanes = newLanes(p, cfg.Queues)
	if p.info.MTU == 0 {
		p.info.MTU = link.DefaultMTU
	}
	if p.limit == 0 {
		p.limit = DefaultLimit
	}
	if cfg.Medium == link.Ethernet {
		if i < len(cfg.Addr) {
			p.info.Addr = cfg.Addr[i]
		}
		if p.info.Addr == (wire.MAC{}) {
			p.info.Addr = link.RandomMAC(cfg.Runtime)
		}
	}
	return p
}

// Info returns the port's properties. It is up while neither end of the cable is closed or cut.
func (p *Port) Info() link.Info {
	info := p.info
	info.Up = p.up()
	return info
}

func (p *Port) up() bool {
	if p.dead.Load() || p.cut.Load() {
		return false
	}
	return p.other == nil || !p.other.dead.Load() && !p.other.cut.Load()
}

// Attach makes r the receiver; see [link.Link]. Frames that come while there is none are freed.
func (p *Port) Attach(r link.Receiver) error { return p.slot.Attach(r) }

// Send sends b to the other end, or through the switch, by queue q. It returns link.ErrClosed after Close.
// Frames sent while the carrier is gone, and those longer than the MTU allows, are dropped. A Pair leaves in b
// what the cable does not hold; a Switch drops it, as switches do.
func (p *Port) Send(q int, b *packet.Batch) error {
	if p.dead.Load() {
		return link.ErrClosed
	}
	switch {
	case !p.up():
		p.drop(b)
	case p.sw != nil:
		p.sw.forward(p, q, b)
	default:
		p.other.lane(q).take(b)
	}
	return nil
}

// Close cuts the cable for good: the other end of a Pair sees Changed with Up false.
func (p *Port) Close() error {
	if p.dead.Swap(true) {
		return nil
	}
	p.slot.Close()
	for i := range p.lanes {
		p.lanes[i].close()
	}
	if p.other != nil && !p.other.dead.Load() {
		p.other.slot.Changed(p.other.Info())
	}
	if p.sw != nil {
		p.sw.forget(p)
	}
	return nil
}

// SetCarrier cuts the cable at this port (false) or mends it (true); the receivers at its ends see Changed.
func (p *Port) SetCarrier(up bool) {
	if p.cut.Swap(!up) == !up || p.dead.Load() {
		return
	}
	p.slot.Changed(p.Info())
	if p.other != nil && !p.other.dead.Load() {
		p.other.slot.Changed(p.other.Info())
	}
}

// Dropped returns how many frames were dropped that were sent on this port or on their way to it: sent without
// carrier, too long, refused by a full port of a Switch, or arrived when nobody was attached.
func (p *Port) Dropped() uint64 { return p.drops.Load() }

func (p *Port) drop(b *packet.Batch) {
	p.drops.Add(uint64(b.Len()))
	b.Free()
}
