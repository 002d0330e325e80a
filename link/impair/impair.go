// Package impair makes any link worse: it delays frames, limits their rate, and loses, reorders, duplicates
// and damages them, in each direction on its own. It is a [link.Link] around a link, so the driver inside
// knows nothing of it.
//
//	l := impair.New(rt, inner, impair.Config{
//		Egress:  impair.Path{Delay: 20 * time.Millisecond, Rate: 100e6, Loss: 0.01},
//		Ingress: impair.Path{Delay: 20 * time.Millisecond},
//	})
//
// A frame passes, in this order: a bounded queue, a line that sends so many bits a second, the chances of
// being lost, doubled and damaged, and a delay. Frames stay in order unless Reorder is asked for; Jitter alone
// does not reorder.
//
// All choices follow from the seed. Time comes from the Runtime: the same impairment runs in real time, inside
// testing/synctest, and in simulation. In real time frames leave when the operating system's timers let them,
// up to about a millisecond late, but the instants are reckoned from when the frames came, so rate and delay
// hold in the long run.
package impair

import (
	"encoding/binary"
	"sync"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// quota is how many batches one goroutine passes on before it leaves the rest to one of its own.
const quota = 64

// Link is an impaired link. Its Info is the inner link's, with one queue.
type Link struct {
	rt      clock.Runtime
	inner   link.Link
	slot    *link.Slot
	egress  direction
	ingress direction
}

var _ link.Link = (*Link)(nil)

// New returns inner, impaired as cfg says. The inner link belongs to it from then on. It panics if cfg.Check
// finds fault.
func New(rt clock.Runtime, inner link.Link, cfg Config) *Link {
	if err := cfg.Check(); err != nil {
		panic(err)
	}
	seed := cfg.Seed
	if seed == 0 {
		var b [8]byte
		rt.Entropy(b[:])
		seed = binary.LittleEndian.Uint64(b[:])
	}
	l := &Link{rt: rt, inner: inner, slot: link.NewSlot(rt)}
	header := inner.Info().Medium.HeaderLen()
	l.egress.line.init(cfg.Egress, Egress, header, seed, cfg.Observe)
	l.egress.init(rt, func(b *packet.Batch) error { return inner.Send(0, b) }, func() { l.slot.Ready(0) })
	l.ingress.line.init(cfg.Ingress, Ingress, header, seed, cfg.Observe)
	l.ingress.init(rt, func(b *packet.Batch) error {
		l.slot.Deliver(0, b)
		return nil
	}, nil)
	return l
}

// Info returns the inner link's properties, but that it has one queue in each direction, and takes frames only as they are on the wire.
func (l *Link) Info() link.Info { return single(l.inner.Info()) }

func single(info link.Info) link.Info {
	info.Queues, info.SendQueues, info.Offload = 1, 1, 0
	return info
}

// Attach attaches r behind the impairments; see [link.Link].
func (l *Link) Attach(r link.Receiver) error {
	if r == nil {
		if err := l.inner.Attach(nil); err != nil {
			return err
		}
		return l.slot.Attach(nil)
	}
	if err := l.slot.Attach(r); err != nil {
		return err
	}
	if err := l.inner.Attach((*device)(l)); err != nil {
		l.slot.Attach(nil)
		return err
	}
	return nil
}

// Send sends b on its way to the inner link. Frames that are lost on the way count as accepted; those beyond
// Path.InFlight stay in b. An error that the inner link answered to earlier frames comes with a later Send.
func (l *Link) Send(q int, b *packet.Batch) error {
	d := &l.egress
	d.mu.Lock()
	if d.err != nil {
		defer d.mu.Unlock()
		return d.err
	}
	now := l.rt.Now()
	for !b.Empty() && !d.full() {
		d.line.Arrive(now, b.Pop())
	}
	d.starved = d.starved || !b.Empty()
	d.pass(now)
	return nil
}

// Close closes the inner link. Frames under way are lost.
func (l *Link) Close() error {
	if !l.slot.Close() {
		return nil
	}
	l.egress.stop(link.ErrClosed)
	l.ingress.stop(link.ErrClosed)
	return l.inner.Close()
}

// Stats returns the counters of both directions.
func (l *Link) Stats() (egress, ingress Stats) { return l.egress.counts(), l.ingress.counts() }

// device is the Link as the inner link's receiver.
type device Link

func (l *device) Deliver(q int, b *packet.Batch) {
	d := &l.ingress
	d.mu.Lock()
	now := l.rt.Now()
	var frames packet.Batch
	for p := b.Pop(); p != nil; p = b.Pop() {
		offload.Split(p, d.line.header, &frames) // each frame fares by itself
	}
	for p := frames.Pop(); p != nil; p = frames.Pop() {
		p.Flags = 0 // it may be corrupted yet
		switch {
		case d.err != nil:
			p.Free()
		case d.full():
			d.line.Overflow(now, p)
		default:
			d.line.Arrive(now, p)
		}
	}
	d.pass(now)
}

func (l *device) Ready(int) {
	d := &l.egress
	d.mu.Lock()
	d.again = true
	d.pass(l.rt.Now())
}

func (l *device) Changed(info link.Info) { l.slot.Changed(single(info)) }

// direction is a line with its timer, and the passing on of what has crossed it: by one goroutine at a time,
// outside the lock, while others leave theirs to it.
type direction struct {
	rt    clock.Runtime
	to    func(b *packet.Batch) error // passes on; leaves in b what is not accepted yet
	ready func()                      // tells the sender that there is room again; nil: it cannot be told
	carry func()                      // goes on passing on a goroutine of its own

	mu      sync.Mutex
	line    line
	due     packet.Batch // across the line, not passed on yet
	passing bool         // a goroutine is passing on
	again   bool         // the next link became ready while one was
	starved bool         // Send left frames because of InFlight
	err     error        // nothing passes any more
	timer   clock.Timer
	armed   clock.Instant // what the timer is set to; Never if stopped

	moving packet.Batch // what to is given; belongs to whoever set passing
}

func (d *direction) init(rt clock.Runtime, to func(*packet.Batch) error, ready func()) {
	d.rt, d.to, d.ready, d.armed = rt, to, ready, clock.Never
	d.carry = func() {
		d.mu.Lock()
		d.run(rt.Now())
	}
	d.timer = rt.NewTimer(func(now clock.Instant) {
		d.mu.Lock()
		d.armed = clock.Never
		d.pass(now)
	})
}

// full reports whether no more frames may be under way. d.mu held.
func (d *direction) full() bool { return d.line.Len()+d.due.Len() >= d.line.path.InFlight }

// pass passes on what is due unless another goroutine is at it. d.mu held before, not after.
func (d *direction) pass(now clock.Instant) {
	if d.passing {
		d.mu.Unlock()
		return
	}
	d.passing = true
	d.run(now)
}

// run passes on until nothing is due or the next link is full, and sets the timer for what comes then. d.mu is
// held before, not after; d.passing is set.
func (d *direction) run(now clock.Instant) {
	for range quota {
		d.line.Depart(now, &d.due)
		if d.due.Empty() {
			d.rest()
			return
		}
		d.moving.Take(&d.due)
		d.again = false
		d.mu.Unlock()
		err := d.to(&d.moving)
		d.mu.Lock()
		if err != nil {
			d.fail(err)
		}
		if d.err != nil {
			d.moving.Free()
		}
		if !d.moving.Empty() {
			d.due.Take(&d.moving) // which this goroutine left empty
			if !d.again {
				d.rest()
				return
			}
		}
		if d.starved && d.ready != nil && !d.full() {
			d.starved = false
			d.mu.Unlock()
			d.ready()
			d.mu.Lock()
		}
		now = d.rt.Now()
	}
	d.mu.Unlock()
	d.rt.Go(d.carry)
}

// rest ends the passing on and sets the timer. d.mu held before, not after.
func (d *direction) rest() {
	d.passing = false
	if next := d.line.Next(); next != d.armed {
		d.armed = next
		if next == clock.Never {
			d.timer.Stop()
		} else {
			d.timer.Reset(next)
		}
	}
	d.mu.Unlock()
}

// fail makes err the end of all passing on and frees what is under way. d.mu held.
func (d *direction) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.line.ordered.Free()
	d.line.strays.Free()
	d.due.Free()
}

// stop fails with err and stops the timer.
func (d *direction) stop(err error) {
	d.mu.Lock()
	d.fail(err)
	d.armed = clock.Never
	d.timer.Stop()
	d.mu.Unlock()
}

func (d *direction) counts() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.line.stats
	s.InFlight = d.line.Len() + d.due.Len()
	return s
}
