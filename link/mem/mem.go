// Package mem joins stacks in memory: a [Pair] is two ends of a cable, a [Switch] joins any number of ports.
//
// A frame sent on one port is delivered to the other's receiver on the sender's goroutine, without copying it.
// One goroutine at a time carries the frames towards a port; others append theirs and leave. So the frames
// towards a port stay in order, no two Deliver calls overlap, and a Deliver that sends in turn neither waits for
// itself nor nests: what comes back is delivered by the goroutine already at it. After a quota the rest is left
// to [clock.Runtime.Go], so that a sender is not kept carrying for others.
//
// The cable has no delay, rate or loss; package impair adds them.
package mem

import (
	"sync"
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// DefaultLimit is how many frames may be on their way to one port unless Config says otherwise.
const DefaultLimit = 1024

// quota is how many Deliver calls a sender makes before it leaves the rest to a goroutine of its own.
const quota = 64

// Config describes a Pair or a Switch. The zero Config is usable: real time, Ethernet, MTU 1500.
type Config struct {
	Runtime clock.Runtime // nil: a real one
	MTU     int           // octets; 0: link.DefaultMTU
	Medium  link.Medium   // of a Pair; a Switch is Ethernet
	Addr    []wire.MAC    // of the ports in order; a zero or missing one is random. Unused where Medium is IP
	Limit   int           // most frames on their way to one port; 0: DefaultLimit

	// Offload is what the cable carries as it is: with link.TCP4, say, super-packets, which no wire would.
	Offload link.Offload
}

// Port is one end of a Pair or one port of a Switch. It is a [link.Link].
type Port struct {
	rt    clock.Runtime
	limit int
	info  link.Info // but for Up
	slot  *link.Slot
	carry func() // goes on carrying on a goroutine of its own

	other *Port   // the other end; nil on a Switch
	sw    *Switch // nil in a Pair
	index int     // of the Switch's ports
	dead  atomic.Bool
	cut   atomic.Bool // SetCarrier(false)
	drops atomic.Uint64

	mu       sync.Mutex
	in       packet.Batch // on their way to this port's receiver
	carrying bool         // a goroutine delivers from in
	starved  bool         // in was full when the other end had more: it awaits Ready

	moving packet.Batch // what Deliver is given; belongs to whoever set carrying
}

var _ link.Link = (*Port)(nil)

// Pair returns the two ends of a cable. What does not fit on the cable stays with the sender until Ready.
func Pair(cfg Config) (a, b *Port) {
	a, b = newPort(&cfg, 0), newPort(&cfg, 1)
	a.other, b.other = b, a
	return a, b
}

func newPort(cfg *Config, i int) *Port {
	if cfg.Runtime == nil {
		cfg.Runtime = clock.NewReal()
	}
	p := &Port{rt: cfg.Runtime, limit: cfg.Limit, index: i, slot: link.NewSlot(cfg.Runtime)}
	p.info = link.Info{MTU: cfg.MTU, Medium: cfg.Medium, Queues: 1, Offload: cfg.Offload}
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
	p.carry = func() {
		p.mu.Lock()
		p.deliver()
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

// Send sends b to the other end, or through the switch; q is ignored. It returns link.ErrClosed after Close.
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
		p.sw.forward(p, b)
	default:
		p.other.take(b)
	}
	return nil
}

// Close cuts the cable for good: the other end of a Pair sees Changed with Up false.
func (p *Port) Close() error {
	if p.dead.Swap(true) {
		return nil
	}
	p.slot.Close()
	p.mu.Lock()
	p.drop(&p.in)
	p.mu.Unlock()
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

// take appends to the frames on their way to p those of b for which there is room, and delivers them unless
// another goroutine is at it.
func (p *Port) take(b *packet.Batch) {
	p.mu.Lock()
	if p.dead.Load() {
		p.drop(b)
	}
	for p.in.Len() < p.limit {
		f := b.Pop()
		if f == nil {
			break
		}
		if f.Len() > p.info.MaxFrame() && offload.SegmentLen(f, p.info.Medium.HeaderLen()) > p.info.MaxFrame() ||
			!p.info.Medium.Land(f) {
			p.drops.Add(1)
			f.Free()
			continue
		}
		p.in.Push(f)
	}
	if !b.Empty() {
		p.starved = true
	}
	if p.carrying || p.in.Empty() {
		p.mu.Unlock()
		return
	}
	p.carrying = true
	p.deliver()
}

// deliver delivers what is on its way to p until nothing is. p.mu is held before, not after; p.carrying is set.
func (p *Port) deliver() {
	for range quota {
		n := p.in.Len()
		p.moving.Take(&p.in)
		starved := p.starved
		p.starved = false
		p.mu.Unlock()
		if !p.slot.Deliver(0, &p.moving) {
			p.drops.Add(uint64(n))
		}
		if starved && p.other != nil {
			p.other.slot.Ready(0)
		}
		p.mu.Lock()
		if p.in.Empty() {
			p.carrying = false
			p.mu.Unlock()
			return
		}
	}
	p.mu.Unlock()
	p.rt.Go(p.carry)
}
