package ip

import (
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// arp takes an ARP packet. Control locked.
func (q *queue) arp(p *packet.Buffer) {
	d := q.d
	m, err := wire.ParseARP(p.Bytes())
	if err != nil || d.cache == nil {
		q.drop(p, mib.ArpMalformed)
		return
	}
	switch m.Op {
	case wire.ARPRequest:
		q.counters.Inc(mib.ArpInRequests)
	case wire.ARPReply:
		q.counters.Inc(mib.ArpInReplies)
	default: // RARP and the like: other protocols in ARP's clothes (RFC 5494, 3)
		q.drop(p, mib.ArpMalformed)
		return
	}
	d.heardARP(q.now, &m)
	what := "ARP: it is looked at for neighbors that we know"
	if reply, answer := d.cache.ARP(q.now, &m, d.hostHas); answer {
		d.sendARP(&reply, reply.TargetMAC)
		what = "ARP answers it"
	} else if d.isProxied4(&m) {
		q.answerARP(p, &m)
		what = "ARP answers it for another"
	}
	q.taken(p, what)
}

// hostHas reports whether a is an IPv4 address of the host's, on whatever interface of the same routing. Control locked.
//
// RFC 1122, 3.3.4.2, the weak end system model, as in Linux (arp_ignore 0): an address is the host's, and any of its interfaces
// answers for it.
func (d *device) hostHas(a wire.Addr) bool {
	for _, o := range d.l.devices {
		// RFC 3927, 3.2: a link-local address means something else on another link.
		if o.lk != nil && o.cfg.VRF == d.cfg.VRF && (o == d || !a.IsLinkLocal()) && o.assigned(a) {
			return true
		}
	}
	return false
}

// assigned reports whether a is one of d's addresses and not tentative. Control locked.
func (d *device) assigned(a wire.Addr) bool {
	e := d.address(a)
	return e != nil && e.Assigned()
}

// neighborDiscovery takes a solicitation or advertisement of a neighbor or a router, or a Redirect, at its ICMPv6 header. Control locked.
func (q *queue) neighborDiscovery(p *packet.Buffer) {
	var valid bool
	if q.d.cache != nil {
		switch wire.ICMP(p.Bytes()).Type() {
		case wire.ICMPv6NeighborSolicitation:
			valid = q.neighborSolicitation(p)
		case wire.ICMPv6NeighborAdvertisement:
			valid = q.neighborAdvertisement(p)
		case wire.ICMPv6RouterSolicitation:
			valid = q.routerSolicitation(p)
		case wire.ICMPv6RouterAdvertisement:
			valid = q.routerAdvertisement(p)
		case wire.ICMPv6Redirect:
			valid = q.redirect6(p)
		}
	}
	if !valid {
		q.drop(p, mib.NdInvalid)
		return
	}
	q.taken(p, "Neighbor Discovery")
}

// neighborSolicitation reports whether p is a valid Neighbor Solicitation (RFC 4861, 7.1.1), after it did what it asks.
func (q *queue) neighborSolicitation(p *packet.Buffer) bool {
	d := q.d
	m, err := wire.ParseNeighborSolicitation(p.Bytes())
	if err != nil || m.Validate(p.Src, p.Dst, p.HopLimit) != nil {
		return false
	}
	a := d.address(m.Target)
	switch {
	case a == nil && d.isSubnetRouter(m.Target):
		q.answer(p, &m, forAnycast)
	case a == nil && d.isProxied6(m.Target):
		q.answer(p, &m, forProxied)
	case a == nil || a.State == netif.Duplicate:
		// RFC 4861, 7.2.3: a target that is not "assigned to the receiving interface", nor proxied, nor tentative:
		// "MUST be silently discarded".
	case a.State == netif.Tentative, a.Optimistic && p.Src.IsUnspecified():
		// RFC 4429, 3.3: "The node MUST NOT reply to a Neighbor Solicitation for an Optimistic Address from the
		// unspecified address. Receipt of such an NS indicates that the address is a duplicate".
		if dad := d.dad(m.Target); dad != nil {
			dad.Solicited(p.Src, p.LinkSrc, &m)
		}
	case a.Anycast:
		q.answer(p, &m, forAnycast)
	case a.Optimistic:
		q.answer(p, &m, forOptimistic)
	default:
		q.answer(p, &m, forOurs)
	}
	return true
}

// neighborAdvertisement reports whether p is a valid Neighbor Advertisement (RFC 4861, 7.1.2), after it did what it
// says.
func (q *queue) neighborAdvertisement(p *packet.Buffer) bool {
	d := q.d
	m, err := wire.ParseNeighborAdvertisement(p.Bytes())
	if err != nil || m.Validate(p.Src, p.Dst, p.HopLimit) != nil {
		return false
	}
	if d.address(m.Target) == nil {
		if q.l.Settings().Forward6 && d.cache.NeighborAdvertised(q.now, &m) {
			return true
		}
		if d.cache.NeighborAdvertisement(q.now, &m) {
			d.lostRouter(m.Target)
		}
		return true
	}
	// RFC 4862, 5.4.4: of an address that is assigned, "it would possibly indicate that the address is a duplicate …
	// How to handle such a case is beyond the scope of this document."
	if dad := d.dad(m.Target); dad != nil {
		dad.Advertised(p.LinkSrc, &m)
	}
	return true
}
