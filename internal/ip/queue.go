package ip

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// queue is a receive queue of a device. Everything in it belongs to the goroutine in the device's Deliver, of
// which there is one at a time.
type queue struct {
	l        *Layer
	d        *device
	index    int
	counters mib.Set
	received frameCount

	// The batch under way.
	now       clock.Instant
	s         *snapshot
	iface     *netif.Interface
	hooks     *hook.Active   // nil: there are none
	steps     *trace.Steps   // who follows packets; nil: nobody
	groups    []packet.Batch // for transports, by shard
	grouped   []int          // those of groups that are not empty
	arps      packet.Batch   // for the control shard, as the next five
	nds       packet.Batch   // Neighbor Discovery, from the ICMPv6 header on
	redirects packet.Batch   // of IPv4, from their ICMP header on
	hints     packet.Batch   // copies of IPv6 packets whose sources are to be redirected to their next hop
	groupq    packet.Batch   // IGMP and MLD, from the end of the IPv4 header, or from the ICMPv6 header on
	parts     packet.Batch   // fragments, from the end of their IPv4 header, or from the Fragment header on
	whole     packet.Batch   // reassembled
	out       packet.Batch   // to transmit: forwarded, and answers
	n         [2]tally       // IPv4, IPv6
	multicast uint64         // frames to groups or to all

	merger    offload.Merger
	decisions decisions         // from the first packet on
	told      *redirected       // made at the first redirect
	path      Path              // of the answer being made
	err       Error             // being told
	options   [maxOptions4]byte // of the answer being made
}

// tally counts a batch before it goes to the counters.
type tally struct{ received, delivered, forwarded uint64 }

func (q *queue) init(d *device, index int) {
	q.l, q.d, q.index = d.l, d, index
	q.counters.Tracer = d.l.cfg.Tracer
	q.merger.Joined = func(whole, part *packet.Buffer) { q.l.narrator.toldJoined(q, whole, part) }
}

// deliver takes a batch of frames through input. The order is: every frame as far as it goes without a lock, then
// what needs the control shard, then the transports shard by shard, then all that is to be sent.
func (q *queue) deliver(b *packet.Batch) {
	q.now = q.l.rt.Now()
	q.hooks, q.steps = q.l.cfg.Hooks.Active(), q.l.cfg.Tracer.Steps()
	up := q.look()
	if q.steps != nil {
		q.l.narrator.beginAll(q, b.Front())
	}
	if !up {
		q.dropAll(b)
		return
	}
	q.d.show(b.Front(), false)
	q.received.add(uint64(b.Len()), octetsOf(b))
	if q.decisions.slots == nil {
		q.decisions = newDecisions(len(q.d.queues))
		q.groups = make([]packet.Batch, len(q.l.shards))
	}
	if b.Len() > 1 && q.d.lk != nil && !q.iface.Whole && q.hooks == nil { // hooks see the frames as they came
		q.merger.UDP = q.l.coalesced.ports.Load()
		q.merger.Merge(b, q.d.linkLen)
	}
	for p := b.Pop(); p != nil; p = b.Pop() {
		p.Arrived = q.now
		q.frame(p)
		if !b.Empty() && (!q.nds.Empty() || !q.redirects.Empty()) {
			// What neighbors and routers say holds for the packets behind it.
			q.atControl()
			if !q.look() {
				q.dropAll(b)
			}
		}
	}
	if !q.arps.Empty() || !q.nds.Empty() || !q.redirects.Empty() || !q.hints.Empty() || !q.groupq.Empty() || !q.parts.Empty() {
		q.atControl()
	}
	for p := q.whole.Pop(); p != nil; p = q.whole.Pop() {
		q.reassembled(p)
	}
	q.toTransports()
	q.count()
	q.l.transmit(q.index, &q.out)
}

// look takes the present configuration. It reports whether the interface is still there and up: if it was removed or taken
// down, these are the last frames.
func (q *queue) look() bool {
	q.s = q.l.snap.Load()
	i := q.s.Interface(q.d.index)
	if i == nil {
		return false
	}
	q.iface = i
	return !i.Down
}

func (q *queue) dropAll(b *packet.Batch) {
	for p := b.Pop(); p != nil; p = b.Pop() {
		q.drop(p, mib.LinkDown)
	}
}

func (q *queue) drop(p *packet.Buffer, r mib.Reason) { q.counters.Drop(q.now, p, r) }

// frame takes the link header off.
func (q *queue) frame(p *packet.Buffer) {
	if p.Flags&packet.Loopback != 0 {
		p.Flags &^= packet.CopyToSelf // that was for the taps
	} else {
		p.In = q.d.index
	}
	if q.hooks != nil && p.Flags&packet.Loopback == 0 && !q.pass(hook.Ingress, p) {
		return
	}
	if q.d.medium == link.Ethernet {
		h, err := wire.CheckEthernet(p.Bytes())
		if err != nil {
			q.drop(p, mib.FrameShort)
			return
		}
		if p.Trace != 0 {
			q.l.narrator.toldLink(q, p, h)
		}
		if dst := h.Dst(); dst.IsMulticast() {
			p.Flags |= packet.LinkMulticast
			q.multicast++
		} else if dst != q.iface.LinkAddr {
			q.drop(p, mib.FrameNotForUs)
			return
		}
		p.EtherType, p.LinkSrc = h.EtherType(), h.Src()
		p.TrimFront(wire.EthernetLen)
	}
	p.SetNetwork()
	switch p.EtherType {
	case wire.EtherTypeIPv4:
		q.input4(p)
	case wire.EtherTypeIPv6:
		q.input6(p)
	case wire.EtherTypeARP:
		if q.d.medium == link.Ethernet {
			if p.Trace != 0 {
				q.l.narrator.toldHeader(q, p)
			}
			q.arps.Push(p)
			return
		}
		fallthrough
	default:
		q.drop(p, mib.FrameUnknownType)
	}
}

// atControl does what needs the control shard's lock.
func (q *queue) atControl() {
	l := q.l
	l.control.Lock()
	for p := q.arps.Pop(); p != nil; p = q.arps.Pop() {
		q.arp(p)
	}
	for p := q.nds.Pop(); p != nil; p = q.nds.Pop() {
		q.neighborDiscovery(p)
	}
	for p := q.redirects.Pop(); p != nil; p = q.redirects.Pop() {
		q.redirect4(p)
	}
	for p := q.hints.Pop(); p != nil; p = q.hints.Pop() {
		q.d.redirect6(q.now, p)
	}
	for p := q.groupq.Pop(); p != nil; p = q.groupq.Pop() {
		q.groupMessage(p)
	}
	for p := q.parts.Pop(); p != nil; p = q.parts.Pop() {
		q.reassemble(p)
	}
	l.armReassembly()
	q.d.poll(q.now)
	l.control.Unlock()
}

// count moves the batch's tally to the counters.
func (q *queue) count() {
	for i, n := range q.n {
		c := &ipCounters[i]
		if n.received > 0 {
			q.counters.Add(c.received, n.received)
		}
		if n.delivered > 0 {
			q.counters.Add(c.delivered, n.delivered)
		}
		if n.forwarded > 0 {
			q.counters.Add(c.forwarded, n.forwarded)
		}
	}
	q.n = [2]tally{}
	if q.multicast > 0 {
		q.received.multicast.Add(q.multicast)
		q.multicast = 0
	}
}

// ipCounters are the counters of the families, by the index family returns.
var ipCounters = [2]struct {
	received, delivered, forwarded, requests, fragOKs, fragCreates mib.Counter
	reasmReqds, reasmOKs                                           mib.Counter
	noRoute, exceeded, tooBig, notForUs, notMember                 mib.Reason
	unknown, fromNobody, fromOurs, frameNotUnicast                 mib.Reason
}{
	{received: mib.IpInReceives, delivered: mib.IpInDelivers, forwarded: mib.IpForwDatagrams, requests: mib.IpOutRequests,
		fragOKs: mib.IpFragOKs, fragCreates: mib.IpFragCreates, reasmReqds: mib.IpReasmReqds, reasmOKs: mib.IpReasmOKs,
		noRoute: mib.Ip4NoRoute, exceeded: mib.Ip4TTLExceeded, tooBig: mib.Ip4FragmentNeeded,
		notForUs: mib.Ip4NotForUs, notMember: mib.Ip4NotMember, unknown: mib.Ip4UnknownProtocol,
		fromNobody: mib.Ip4FromThisNetwork, fromOurs: mib.Ip4FromOurs, frameNotUnicast: mib.Ip4FrameNotUnicast},
	{received: mib.Ip6InReceives, delivered: mib.Ip6InDelivers, forwarded: mib.Ip6OutForwDatagrams, requests: mib.Ip6OutRequests,
		fragOKs: mib.Ip6FragOKs, fragCreates: mib.Ip6FragCreates, reasmReqds: mib.Ip6ReasmReqds, reasmOKs: mib.Ip6ReasmOKs,
		noRoute: mib.Ip6NoRoute, exceeded: mib.Ip6HopLimitExceeded, tooBig: mib.Ip6TooBig,
		notForUs: mib.Ip6NotForUs, notMember: mib.Ip6NotMember, unknown: mib.Ip6UnknownHeader,
		fromNobody: mib.Ip6FromUnspecified, fromOurs: mib.Ip6FromOurs, frameNotUnicast: mib.Ip6FrameNotUnicast},
}

// family returns the index of a's family in ipCounters.
func family(a wire.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}
