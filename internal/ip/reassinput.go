package ip

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// reassemble takes a fragment for us: from the end of its IPv4 header, or from its Fragment header on. Control locked.
func (q *queue) reassemble(p *packet.Buffer) {
	c := &ipCounters[family(p.Dst)]
	q.counters.Inc(c.reasmReqds)
	k := fragKey{src: p.Src, dst: p.Dst, scope: flow.ScopeOf(p.Src, p.In)}
	var at int
	var more bool
	if p.Dst.Is4() {
		h := wire.IPv4(p.FromNetwork())
		k.id, k.proto = uint32(h.ID()), p.Proto
		at, more = h.FragmentOffset(), h.MoreFragments()
		// RFC 791, 3.1: "fragments … of 8 octets"; the Total Length of the whole has 16 bits.
		if more && p.Len()%8 != 0 || h.HeaderLen()+at+p.Len() > 65535 {
			q.drop(p, mib.Ip4Reassembly)
			return
		}
	} else {
		f, _ := wire.ParseFragment(p.TrimFront(wire.FragmentLen))
		k.id = f.ID
		at, more = f.Offset, f.More
	}
	r := &q.l.fragments
	if d := r.add(q.now, k, p, at, more); d != nil {
		q.counters.Inc(c.reasmOKs)
		q.whole.Push(q.assembled(d))
		r.release(d)
	} else if p.Trace != 0 && r.m[k].holds(p) {
		q.l.narrator.toldFragments(q, p, r.m[k])
	}
	for why := range r.lost {
		for p := r.lost[why].Pop(); p != nil; p = r.lost[why].Pop() {
			q.drop(p, lossReasons[why][family(p.Dst)])
		}
	}
}

// lossReasons are the reasons for fragments that are of no use, by family.
var lossReasons = [numLosses][2]mib.Reason{
	duplicate: {mib.Ip4FragmentDuplicate, mib.Ip6FragmentDuplicate},
	overlap:   {mib.Ip4FragmentOverlap, mib.Ip6FragmentOverlap},
	mixedECN:  {mib.Ip4FragmentECN, mib.Ip6FragmentECN},
	noRoom:    {mib.Ip4ReassemblyFull, mib.Ip6ReassemblyFull},
}

// reassembled takes a datagram put together, at its internet header. No lock is held.
func (q *queue) reassembled(p *packet.Buffer) {
	if p.Dst.Is4() {
		h, err := wire.CheckIPv4(p.Bytes())
		if err != nil {
			q.drop(p, mib.Ip4Header)
			return
		}
		q.toUpper4(p, h)
		return
	}
	h, err := wire.CheckIPv6(p.Bytes())
	if err != nil {
		q.drop(p, mib.Ip6Header)
		return
	}
	q.local6(p, h, q.decide(p).fromSelf, true)
}

// armReassembly sets the timer of the fragments. Control locked.
func (l *Layer) armReassembly() { l.control.Arm(&l.expiry, l.fragments.deadline()) }

// reassemblyTimer is the Layer as owner of the timer of its fragments.
type reassemblyTimer Layer

// Expire implements shard.Timed.
func (t *reassemblyTimer) Expire(now clock.Instant) clock.Instant {
	l := (*Layer)(t)
	for d := l.fragments.expired(now); d != nil; d = l.fragments.expired(now) {
		l.timeExceeded(now, d)
		l.fragments.release(d)
	}
	return l.fragments.deadline()
}

// timeExceeded drops the fragments of d, and tells the source if the first of them arrived.
//
// RFC 8200, 4.5: "If the first fragment (i.e., the one with a Fragment Offset of zero) has been received, an ICMP Time
// Exceeded -- Fragment Reassembly Time Exceeded message should be sent to the source of that fragment." RFC 1122, 3.3.2:
// "the partially-reassembled datagram MUST be discarded and an ICMP Time Exceeded message sent to the source host (if
// fragment zero has been received)."
func (l *Layer) timeExceeded(now clock.Instant, d *datagram) {
	c, reason := complaint{wire.ICMPv6TimeExceeded, wire.ICMPv6ReassemblyExceeded, 0}, mib.Ip6ReassemblyTimeout
	if d.key.dst.Is4() {
		c, reason = complaint{wire.ICMPv4TimeExceeded, wire.ICMPv4ReassemblyExceeded, 0}, mib.Ip4ReassemblyTimeout
	}
	if len(d.parts) > 0 && d.parts[0].at == 0 {
		var out packet.Batch
		l.complain(now, l.snap.Load(), d.parts[0].p, c, new(Path), &l.control.Counters, &out)
		for p := out.Pop(); p != nil; p = out.Pop() {
			l.control.Stage(p)
		}
	}
	for i := range d.parts {
		l.control.Counters.Drop(now, d.parts[i].p, reason)
	}
}
