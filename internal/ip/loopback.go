package ip

import (
	"sync"

	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
)

// toOurselves is step 5: packets to an address of ours go into our own receive queue, that of the loopback
// interface, and are taken there as if they had come in by the interface that has the address.
func (w *way) toOurselves() bool {
	if !w.local {
		w.why.text(StepLocal, "the destination is not one of our addresses", "", "no")
		return false
	}
	w.nextHop = w.dst
	w.iface = w.s.Lookup(w.dst, w.out).If
	w.why.text(StepLocal, "the destination is one of our addresses", "", "yes")
	w.why.iface(StepInterface, "it has the destination's address", "", w.iface)
	w.why.addr(StepNextHop, "packets to ourselves need no route", "", w.dst)
	return true
}

// loopbackLimit is how many packets may wait in our own receive queue.
const loopbackLimit = 4096

// loopbackQuota is how many batches one goroutine delivers before it leaves the rest to another, so that a writer is
// not kept delivering.
const loopbackQuota = 16

// loopback is the receive queue of packets to ourselves. One goroutine at a time delivers from it; others append and
// leave, so that output that is caused by input does not nest.
type loopback struct {
	mu         sync.Mutex
	waiting    packet.Batch
	delivering bool
}

// toSelf delivers the packets of b, which begin at their internet headers, to ourselves. No lock may be held.
func (d *device) toSelf(b *packet.Batch) {
	d.show(b.Front(), true)
	var over packet.Batch
	o := &d.loop
	o.mu.Lock()
	for p := b.Pop(); p != nil; p = b.Pop() {
		if o.waiting.Len() >= loopbackLimit {
			over.Push(p)
			continue
		}
		o.waiting.Push(p)
	}
	run := !o.delivering
	o.delivering = true
	o.mu.Unlock()
	if run {
		d.deliverLoop()
	}
	if !over.Empty() {
		now := d.l.rt.Now()
		for p := over.Pop(); p != nil; p = over.Pop() {
			d.counters.Drop(now, p, mib.LinkQueueFull)
		}
	}
}

// deliverLoop delivers until nothing waits, or its quota is used up.
func (d *device) deliverLoop() {
	o := &d.loop
	for range loopbackQuota {
		o.mu.Lock()
		if o.waiting.Empty() {
			o.delivering = false
			o.mu.Unlock()
			return
		}
		batch := o.waiting
		o.waiting = packet.Batch{}
		o.mu.Unlock()
		d.queues[0].deliver(&batch)
	}
	d.l.rt.Go(d.deliverLoop)
}

// loopIn makes p, on its way out at its internet header, a packet that comes in. What it was checked for on its way
// out need not be checked again.
func loopIn(p *packet.Buffer) {
	in, flags := p.Out, packet.Loopback|packet.ChecksumGood
	if p.Flags&packet.Foreign != 0 {
		flags = packet.Loopback
	}
	p.Meta = packet.Meta{In: in, EtherType: p.EtherType, Flags: flags | p.Flags&packet.KeepCWR, GSOSize: p.GSOSize, Mark: p.Mark,
		Trace: p.Trace, TraceID: p.TraceID}
	p.SetNetwork()
}
