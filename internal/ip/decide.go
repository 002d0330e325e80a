package ip

import (
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// verdict is what to do with a packet that came in.
type verdict uint8

const (
	discard     verdict = iota // for decision.reason
	ours                       // deliver it here
	forward                    // send it on
	unreachable                // for decision.reason, and tell the source
)

// decision says what to do with packets from src to dst. It depends on nothing else but the configuration and the
// interface they came in by.
type decision struct {
	generation uint64 // of the snapshot
	src, dst   wire.Addr
	in         int32
	selectors
	verdict  verdict
	kind     netif.Kind // with ours
	fromSelf bool       // with ours: src is ours too
	verified bool       // with discard: dst is an address of ours that is being verified
	filtered bool       // with kind Group: nobody wants to hear src, nor may it speak to the group
	reason   mib.Reason
	code     uint8 // with unreachable: of the ICMP message
	redirect bool  // with forward: src is told of the next hop, which is on its link
	hop      onward
}

// onward is where forwarded packets go.
type onward struct {
	out     int32
	mtu     int
	nextHop wire.Addr
	neighborRef
}

// decide returns what to do with p, whose Src, Dst and In are set. What it returns is good until the next call.
func (q *queue) decide(p *packet.Buffer) *decision {
	sel := q.selectorsOf(p)
	d := q.decisions.of(p.Src, p.Dst)
	if d.generation == q.s.generation && d.src == p.Src && d.dst == p.Dst && d.in == p.In && d.selectors == sel {
		q.decisions.found++
		return d
	}
	if d.generation == q.s.generation && d.verdict == forward && q.decisions.crowded() {
		d = q.decisions.of(p.Src, p.Dst)
	}
	*d = decision{generation: q.s.generation, src: p.Src, dst: p.Dst, in: p.In, selectors: sel}
	settings := q.l.Settings()
	d.make(q.s, settings.forwards(p.Dst.Is4()), q.d.lk == nil)
	if p.Dst.Is4() && q.d.lk != nil && d.verdict != discard && !d.hasWayBack(q.s, settings.ReversePath) {
		d.verdict, d.reason = discard, mib.Ip4NoWayBack
	}
	return d
}

func (d *decision) make(s *snapshot, forwarding, loopback bool) {
	reasons := &ipCounters[family(d.dst)]
	if !loopback {
		if reason, is := martian(s, d.src, d.dst, d.in); is {
			d.reason = reason
			return
		}
	}
	if l := s.Lookup(d.dst, d.in); l.Kind != netif.NotOurs {
		d.verdict, d.kind = ours, l.Kind
		d.fromSelf = s.Lookup(d.src, d.in).Kind == netif.Unicast
		d.filtered = l.Kind == netif.Group && (!l.If.Hears(d.dst, d.src) ||
			d.src == wire.Unspecified4 && !d.dst.IsLinkLocalMulticast())
		return
	}
	d.reason = reasons.notForUs
	if i := s.Interface(d.in); i != nil {
		if a := i.Address(d.dst); a != nil && a.State == netif.Tentative {
			d.verified = true
			return
		}
	}
	switch {
	case d.dst.IsMulticast():
		d.reason = reasons.notMember // and there is no multicast routing
	case !forwarding:
		if i := s.Interface(d.in); d.dst.Is4() && i != nil && !i.Has4() {
			d.reason = mib.Ip4NotConfigured
		}
	case d.dst.IsLinkLocal(), loopback:
		// RFC 4291, 2.5.6: "Routers must not forward any packets with Link-Local source or destination addresses
		// to other links." RFC 3927, 7: nor those of 169.254/16.
	case d.src.IsUnspecified():
		// RFC 4291, 2.5.2: "An IPv6 packet with a source address of unspecified must never be forwarded by an
		// IPv6 router." RFC 1812, 5.3.7: nor one from 0.0.0.0.
		d.reason = reasons.fromNobody
	case s.Lookup(d.src, d.in).Kind == netif.Unicast: // what we sent ourselves does not come in
		d.reason = reasons.fromOurs
	case d.src.IsLinkLocal():
		if d.src.Is4() {
			return
		}
		// RFC 4443, 3.1: "If the reason for the failure to deliver is that the destination is beyond the scope of
		// the source address, the Code field is set to 2." On its own link it may be sent on.
		if d.findHop(s, reasons.noRoute); d.verdict != forward || d.hop.out != d.in {
			d.verdict, d.reason, d.code = unreachable, reasons.notForUs, wire.ICMPv6BeyondScope
		}
	default:
		d.findHop(s, reasons.noRoute)
	}
}
