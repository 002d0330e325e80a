package ip

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// Transmitter returns the drain function of the shard with the given index. It sends packets that Output, or this package, has
// finished: what is left of steps 5, 8 and 9. No lock may be held. It leaves the batch empty.
func (l *Layer) Transmitter(shard int) func(out *packet.Batch) {
	return func(out *packet.Batch) { l.transmit(shard, out) }
}

// transmit is what Transmitter returns, for packets of an origin as egressOf has it.
func (l *Layer) transmit(origin int, out *packet.Batch) {
	if out.Empty() {
		return
	}
	t := transmission{l: l, origin: origin, s: l.snap.Load(), now: l.rt.Now(), hooks: l.cfg.Hooks.Active(), steps: l.cfg.Tracer.Steps()}
	t.watched = t.hooks != nil || t.steps != nil
	for p := out.Pop(); p != nil; p = out.Pop() {
		t.packet(p)
	}
	if !t.unresolved.Empty() {
		t.solicit()
	}
	t.flush()
}

// transmission is one call of transmit under way.
type transmission struct {
	l      *Layer
	s      *snapshot
	now    clock.Instant
	origin int

	hooks      *hook.Active // nil: there are none
	steps      *trace.Steps // who follows packets; nil: nobody
	watched    bool         // there are some of these or those
	d          *device      // that the packets of ready leave by
	iface      *netif.Interface
	ready      packet.Batch // frames
	self       packet.Batch // to ourselves
	unresolved packet.Batch // their next hop is to be resolved; for any device
	requests   [2]uint64    // packets of ours, by family
}

// packet sends p, which begins at its internet header.
func (t *transmission) packet(p *packet.Buffer) {
	if p.Flags&packet.Departed == 0 {
		p.Flags |= packet.Departed
		if p.In == 0 && p.EtherType != wire.EtherTypeARP {
			t.requests[family(p.Dst)]++
		}
		if t.watched && !t.depart(p) {
			return
		}
	}
	if p.Flags&(packet.Unreachable|packet.Loopback) != 0 {
		t.special(p)
		return
	}
	if !t.toward(p.Out) {
		t.l.counters.Drop(t.now, p, mib.LinkDown)
		return
	}
	if p.Flags&packet.CopyToSelf != 0 {
		p.Flags &^= packet.CopyToSelf
		c := p.Clone()
		if p.Trace != 0 {
			t.l.narrator.toldCopy(*t, p, c)
		}
		loopIn(c)
		c.Flags |= packet.CopyToSelf
		t.self.Push(c)
	}
	mtu := int(p.PathMTU)
	if mtu == 0 {
		mtu = t.iface.MTUOf(p.EtherType != wire.EtherTypeIPv6)
	}
	switch {
	case p.Len() <= mtu:
		t.frame(p)
	case p.GSOSize != 0:
		t.super(p, mtu)
	default:
		t.tooLong(p, mtu)
	}
}

// super takes a super-packet. If its segments are longer than mtu, for it was made for another way, those of TCP are made
// shorter; others are sent each by itself.
func (t *transmission) super(p *packet.Buffer, mtu int) {
	if offload.SegmentLen(p, 0) <= mtu || offload.Fit(p, mtu) {
		t.frame(p)
		return
	}
	var parts packet.Batch
	offload.Split(p, 0, &parts)
	for s := parts.Pop(); s != nil; s = parts.Pop() {
		t.packet(s)
	}
}

// depart takes p, which is here for the first time, through the hooks, and asks who wants to follow it. It returns false if p is gone.
func (t *transmission) depart(p *packet.Buffer) bool {
	if t.steps != nil && p.In == 0 {
		t.l.narrator.beginOut(*t, p)
	}
	return t.hooks == nil || p.EtherType == wire.EtherTypeARP || t.passOut(p)
}

// special takes packets that do not go to a link.
func (t *transmission) special(p *packet.Buffer) {
	if p.Flags&packet.Unreachable != 0 {
		t.unreachable(p)
		return
	}
	if p.Trace != 0 {
		t.toldSelf(p)
	}
	loopIn(p)
	t.self.Push(p)
}

// toward makes the device with the given index the one that frames leave by. It returns false if it is not there or its
// carrier is not.
func (t *transmission) toward(index int32) bool {
	if t.d != nil && t.d.index == index {
		return t.iface.Up
	}
	t.flush()
	t.d, t.iface = t.s.device(index), t.s.Interface(index)
	if t.d == nil || t.d.lk == nil {
		t.d = nil
		return false
	}
	return t.iface.Up
}

// frame puts the link header in front of p, if its next hop is resolved, and p with those to be sent by t.d.
func (t *transmission) frame(p *packet.Buffer) {
	if t.d.known != nil {
		if p.Flags&packet.Resolved == 0 {
			t.unresolved.Push(p)
			return
		}
		if p.Trace != 0 {
			t.l.narrator.toldResolved(*t, p)
		}
		wire.PutEthernet(p.Prepend(wire.EthernetLen), p.LinkDst, t.iface.LinkAddr, p.EtherType)
	}
	t.ready.Push(p)
}

// flush gives what is ready to its device, and what is for ourselves to the loopback interface.
func (t *transmission) flush() {
	for f := range t.requests {
		if t.requests[f] > 0 {
			t.l.counters.Add(ipCounters[f].requests, t.requests[f])
			t.requests[f] = 0
		}
	}
	if !t.ready.Empty() {
		t.d.send(t.now, t.origin, &t.ready)
	}
	if !t.self.Empty() {
		t.s.device(netif.LoopbackIndex).toSelf(&t.self)
	}
}

// tooLong takes a packet longer than mtu: it is fragmented, or dropped with a word to its sender.
func (t *transmission) tooLong(p *packet.Buffer, mtu int) {
	offload.Finish(p, 0)
	four := p.Dst.Is4()
	c := &ipCounters[family(p.Dst)]
	if four && p.Len() > maxPathMTU || p.Flags&packet.DontFragment != 0 {
		t.l.failed(t.now, p, syscall.EMSGSIZE, mtu, &t.d.counters, c.tooBig)
		return
	}
	var parts packet.Batch
	var ok bool
	whole := trace.Of(p)
	if four {
		id := wire.IPv4(p.Bytes()).ID()
		if ok = fragment4(p, mtu, &parts); ok && p.In == 0 {
			t.l.noteFragments(p.Src, p.Dst, uint32(id))
		}
	} else {
		id := t.l.ids.next(p.Src, p.Dst, wire.ProtoFragment)
		if ok = fragment6(p, mtu, id, &parts); ok {
			t.l.noteFragments(p.Src, p.Dst, id)
		}
	}
	if !ok {
		t.l.failed(t.now, p, syscall.EMSGSIZE, mtu, &t.d.counters, c.tooBig)
		return
	}
	if whole.By != 0 {
		t.l.narrator.toldFragmented(*t, whole, parts, mtu)
	}
	t.d.counters.Inc(c.fragOKs)
	t.d.counters.Add(c.fragCreates, uint64(parts.Len()))
	for f := parts.Pop(); f != nil; f = parts.Pop() {
		t.frame(f)
	}
}

// solicit takes the packets whose next hop is not resolved through the neighbor caches: what comes back at once is
// sent, the rest waits there.
func (t *transmission) solicit() {
	var resolved packet.Batch
	var d *device
	l := t.l
	l.control.Lock()
	for p := t.unresolved.Pop(); p != nil; p = t.unresolved.Pop() {
		if d == nil || d.index != p.Out {
			if d != nil {
				d.poll(t.now)
			}
			d, _ = l.find(p.Out)
		}
		if d == nil {
			l.counters.Drop(t.now, p, mib.LinkDown)
			continue
		}
		hop, id := p.NextHop, trace.Of(p)
		if mac, send := d.cache.Output(t.now, hop, p); send {
			p.LinkDst = mac
			p.Flags |= packet.Resolved
			resolved.Push(p)
		} else if id.By != 0 {
			t.l.narrator.toldWaiting(*t, id, d.cache, hop)
		}
		d.known.put(d.cache.Lookup(t.now, hop))
	}
	if d != nil {
		d.poll(t.now)
	}
	l.control.Unlock()
	for p := resolved.Pop(); p != nil; p = resolved.Pop() {
		if !t.toward(p.Out) {
			l.counters.Drop(t.now, p, mib.LinkDown)
			continue
		}
		t.frame(p)
	}
}

// unreachable takes a packet whose next hop did not answer. A forwarded one gets its source an ICMP error, one of ours
// gets its socket an error.
func (t *transmission) unreachable(p *packet.Buffer) {
	if t.reroute(p) {
		return
	}
	c, reason := unreachableHop(p.Dst.Is4())
	if p.In == 0 {
		t.l.failed(t.now, p, syscall.EHOSTUNREACH, 0, &t.l.counters, reason)
		return
	}
	if !p.Dst.Is4() {
		// RFC 4443, 2.4 (c): an error quotes the invoking packet, which is the one that came in, not what forwarding made of it.
		p.HopLimit++
		wire.IPv6(p.Bytes()).SetHopLimit(p.HopLimit)
	}
	var errors packet.Batch
	t.l.complain(t.now, t.s, p, c, new(Path), &t.l.counters, &errors)
	t.l.counters.Drop(t.now, p, reason)
	for e := errors.Pop(); e != nil; e = errors.Pop() {
		t.packet(e)
	}
}
