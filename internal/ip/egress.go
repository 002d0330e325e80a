package ip

import (
	"sync"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/qdisc"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// egress is what waits for one of the send queues of a device's link. One goroutine at a time sends; others append and leave.
type egress struct {
	d     *device
	queue int // of the link's

	mu    sync.Mutex
	state egressState
	ready bool         // Ready was called while somebody was sending
	rest  packet.Batch // what the link did not accept: it goes first
	fifo  qdisc.FIFO
	sent  frameCount

	backlog backlog // of rest and fifo

	// What the goroutine that is sending has in hand, and that goroutine's alone: flight, and frames, which is flight's
	// beginning as the link takes it. They are here because what is passed to a Link would be allocated for each call.
	flight, frames packet.Batch
	shown          int // of the first of frames, or of rest: the taps have seen them
}

// newEgresses returns those of a link with some send queues, for packets of some shards; limit as in backlog.init.
func newEgresses(d *device, queues, shards, limit int) []egress {
	all := make([]egress, max(1, queues))
	for i := range all {
		e := &all[i]
		e.d, e.queue, e.fifo.Limit = d, i, limit
		e.backlog.init(shards, limit)
	}
	return all
}

// egressOf returns where packets of an origin leave: those of a flow all have one, so that they stay in order. An origin is a shard's
// index, or a receive queue's.
func (d *device) egressOf(origin int) *egress {
	if n := len(d.egresses); n > 1 && origin > 0 {
		return &d.egresses[origin%n]
	}
	return &d.egresses[0]
}

// egressState is who sends.
type egressState uint8

const (
	idle    egressState = iota // nobody: nothing waits
	sending                    // a goroutine is at it
	blocked                    // nobody until the link is ready
	closed                     // nobody any more
)

// egressQuota is how many batches one goroutine sends before it leaves the rest to another, and sendBatch how many
// packets it takes from the queue at once.
const (
	egressQuota = 64
	sendBatch   = 64
)

// send sends the frames of b, of an origin as egressOf has it, or lets them wait, and leaves b empty. No lock may be held.
func (d *device) send(now clock.Instant, origin int, b *packet.Batch) {
	if hooks := d.l.cfg.Hooks.Active(); hooks != nil {
		if d.passEgress(now, hooks, b); b.Empty() {
			return
		}
	}
	d.egressOf(origin).send(now, b)
}

// send is device.send behind the hooks.
func (e *egress) send(now clock.Instant, b *packet.Batch) {
	d := e.d
	e.mu.Lock()
	if e.state == idle {
		e.state = sending
		e.mu.Unlock()
		e.flight.Take(b)
		e.drain()
		return
	}
	var over packet.Batch
	packets, octets := 0, 0
	down := e.state == closed
	for p := b.Pop(); p != nil; p = b.Pop() {
		if down {
			over.Push(p)
			continue
		}
		packets, octets = packets+1, octets+p.Len()
		dropped := e.fifo.Enqueue(now, p)
		if dropped != nil {
			packets, octets = packets-1, octets-dropped.Len()
			over.Push(dropped)
		}
		if p.Trace != 0 && dropped != p {
			d.toldQueued(now, p, e.rest.Len()+e.fifo.Len())
		}
	}
	e.backlog.add(packets, octets)
	e.mu.Unlock()
	d.giveUp(now, &over, down)
}

// giveUp drops what found no room, or no link.
func (d *device) giveUp(now clock.Instant, over *packet.Batch, down bool) {
	reason := mib.LinkQueueFull
	if down {
		reason = mib.LinkDown
	}
	for p := over.Pop(); p != nil; p = over.Pop() {
		d.counters.Drop(now, p, reason)
	}
}

// drain sends what is in flight, and then what waits, until nothing does, the link accepts no more, or its quota is used
// up. The caller has made the state sending.
func (e *egress) drain() {
	d := e.d
	for range egressQuota {
		e.cut()
		if d.taps.Load() != nil {
			e.showFrames()
		}
		ids := e.inFlight(d.l.cfg.Tracer.Steps())
		frames, octets := e.frames.Len(), octetsOf(&e.frames)
		err := d.lk.Send(e.queue, &e.frames)
		e.sent.add(uint64(frames-e.frames.Len()), octets-octetsOf(&e.frames))
		if ids != nil {
			d.toldSent(d.l.rt.Now(), ids[:len(ids)-e.frames.Len()])
		}
		e.mu.Lock()
		e.shown = e.frames.Len()
		switch {
		case e.state == closed:
			e.mu.Unlock()
			e.frames.Take(&e.flight)
			d.giveUp(d.l.rt.Now(), &e.frames, true)
			return
		case err != nil:
			// The link is dead or broken: nothing that waits will leave either.
			var lost packet.Batch
			lost.Take(&e.frames)
			lost.Take(&e.flight)
			e.shown = 0
			e.take(&lost, -1)
			e.state = idle
			e.mu.Unlock()
			now := d.l.rt.Now()
			for p := lost.Pop(); p != nil; p = lost.Pop() {
				d.counters.Drop(now, p, mib.LinkError)
			}
			e.tellRoom()
			return
		case !e.frames.Empty() && !e.ready:
			e.frames.Take(&e.flight)
			e.hold(&e.frames)
			e.state = blocked
			e.mu.Unlock()
			return
		}
		e.ready = false
		more := !e.frames.Empty() || !e.flight.Empty() || e.take(&e.flight, sendBatch) > 0
		if !more && !e.backlog.awaited.Load() {
			e.state = idle
			e.mu.Unlock()
			return
		}
		e.mu.Unlock()
		e.tellRoom()
		if !more && !e.more() {
			return
		}
	}
	d.l.rt.Go(e.drain)
}

// more takes what waits to flight; if nothing does, nobody sends any more.
func (e *egress) more() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.take(&e.flight, sendBatch) > 0 {
		return true
	}
	if e.state == sending {
		e.state = idle
	}
	return false
}

// cut moves packets from flight to frames, until these are a batch: as they are, or cut into what the link takes.
func (e *egress) cut() {
	d := e.d
	can := link.Offload(d.offload.Load())
	for e.frames.Len() < sendBatch {
		p := e.flight.Pop()
		if p == nil {
			return
		}
		switch {
		case p.GSOSize != 0 && !takes(can, p):
			whole, n := trace.Of(p), e.frames.Len()
			offload.Split(p, d.linkLen, &e.frames)
			if whole.By != 0 {
				d.l.narrator.toldCut(d, d.l.rt.Now(), whole, &e.frames, e.frames.Len()-n)
			}
			continue
		case p.Lent() && !takes(can, p):
			p.Own() // the link may do with it what it likes
		}
		if p.Flags&packet.ChecksumLater != 0 && can&link.Checksums == 0 {
			offload.Finish(p, d.linkLen)
		}
		e.frames.Push(p)
	}
}

// takes reports whether a link that can do can takes the super-packet p. None that there is has CWR in every segment.
func takes(can link.Offload, p *packet.Buffer) bool {
	need := link.UDP
	if p.Proto == wire.ProtoTCP {
		need = link.TCP6
		if p.EtherType == wire.EtherTypeIPv4 {
			need = link.TCP4
		}
	}
	return can&need != 0 && p.Flags&packet.KeepCWR == 0
}

// setOffload notes what the link can do, unless none of it is wanted.
func (d *device) setOffload(can link.Offload) {
	if d.cfg.NoOffload {
		can = 0
	}
	d.offload.Store(uint32(can))
}

// hold keeps what is left of b to go first. e.mu held.
func (e *egress) hold(b *packet.Batch) {
	d := e.d
	limit := e.fifo.Limit
	if limit == 0 {
		limit = qdisc.DefaultLimit
	}
	for !b.Empty() && e.rest.Len() < limit {
		p := b.Pop()
		e.rest.Push(p)
		e.backlog.add(1, p.Len())
		if p.Trace != 0 {
			d.toldQueued(d.l.rt.Now(), p, e.rest.Len()+e.fifo.Len())
		}
	}
	if !b.Empty() {
		d.giveUp(d.l.rt.Now(), b, false)
	}
}

// take moves what waits to b, at most n packets (negative: all), and returns how many. e.mu held.
func (e *egress) take(b *packet.Batch, n int) int {
	octets := int(octetsOf(&e.rest))
	packets := e.rest.Len()
	b.Take(&e.rest)
	for n < 0 || b.Len() < n {
		p := e.fifo.Dequeue(0)
		if p == nil {
			break
		}
		packets, octets = packets+1, octets+p.Len()
		b.Push(p)
	}
	e.backlog.add(-packets, -octets)
	return b.Len()
}

// resume sends what waits, because the link accepts packets again.
func (e *egress) resume() {
	e.mu.Lock()
	if e.state != blocked {
		e.ready = e.state == sending
		e.mu.Unlock()
		return
	}
	e.state = sending
	e.ready = false
	e.take(&e.flight, sendBatch)
	e.mu.Unlock()
	e.drain()
}

// purge drops what waits, because the interface was taken down.
func (e *egress) purge() {
	var lost packet.Batch
	e.mu.Lock()
	e.take(&lost, -1)
	if e.state != sending {
		e.shown = 0
	}
	e.mu.Unlock()
	e.d.giveUp(e.d.l.rt.Now(), &lost, true)
	e.d.l.rt.Go(e.tellRoom)
}

// close frees what waits. Nothing is sent afterwards.
func (e *egress) close() {
	var lost packet.Batch
	e.mu.Lock()
	e.take(&lost, -1)
	e.state = closed
	e.mu.Unlock()
	e.d.giveUp(e.d.l.rt.Now(), &lost, true)
	e.d.l.rt.Go(e.tellRoom)
}
