package ip

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// A router that sends a packet back to the link it came from tells its source of the better way.

// better reports whether the source of the packets that d is about is to be told of the next hop, which is on the link that
// they came in by, that of in.
func (d *decision) better(s *snapshot, in *netif.Interface) bool {
	if d.dst.Is4() {
		return in.Redirects4 && sameSubnet4(in, d.src, d.hop.nextHop)
	}
	// RFC 4861, 8.2: "If the target is a router, that router's link-local address MUST be used." One that we know by another
	// address only cannot be told of.
	if d.hop.nextHop != d.dst && !d.hop.nextHop.IsLinkLocal() || in.LinkAddr == (wire.MAC{}) {
		return false
	}
	// "the Source Address field of the packet identifies a neighbor".
	if d.src.IsLinkLocal() {
		return true
	}
	var r route.Result
	return s.routes.Lookup(&route.Query{Dst: d.src, VRF: in.VRF}, &r) && r.Hop.Out == in.Index && r.Gateway == (wire.Addr{})
}

// sameSubnet4 reports whether a subnet of ours on the interface has both addresses.
//
// RFC 1812, 5.2.7.2: "Routers MUST NOT generate a Redirect Message unless …: The packet is being forwarded out the same physical
// interface that it was received from, The IP source address in the packet is on the same Logical IP (sub)network as the next-hop
// IP address, and The packet does not contain an IP source route option": one that does is not forwarded at all.
func sameSubnet4(i *netif.Interface, a, b wire.Addr) bool {
	for k := range i.Addrs {
		e := &i.Addrs[k]
		if e.Addr.Is4() && e.Assigned() && e.Prefix().Contains(a.Netip()) && e.Prefix().Contains(b.Netip()) {
			return true
		}
	}
	return false
}

// redirect tells the source of p, which is about to be forwarded, of the next hop, unless it was told often enough.
func (q *queue) redirect(p *packet.Buffer, d *decision) {
	if q.told == nil {
		q.told = new(redirected)
	}
	four := p.Dst.Is4()
	if p.Flags&packet.Loopback != 0 || !q.told.allow(q.now, p.Src, four) {
		return
	}
	if four {
		// RFC 1812, 5.2.7.2: "routers must send only host (or host and type of service) Redirects."
		q.l.complain(q.now, q.s, p, complaint{wire.ICMPv4Redirect, wire.ICMPv4RedirectHost, d.hop.nextHop.V4()}, &q.path, &q.counters, &q.out)
		return
	}
	if !q.l.limits.allow(q.now, q.l.Settings(), four, wire.ICMPv6Redirect) {
		return
	}
	hint := p.Clone()
	hint.NextHop = d.hop.nextHop
	q.hints.Push(hint)
}

// redirect6 sends a Redirect to the source of p, whose next hop is the better one for p's destination, and frees p. Control
// locked.
//
// RFC 4861, 4.5: the source is "the link-local address assigned to the interface from which this message is sent". 8.2:
// "Target Link-Layer Address option: link-layer address of the target, if known." "Redirected Header: as much of the forwarded
// packet as can fit without the redirect packet exceeding the minimum MTU required to support IPv6".
func (d *device) redirect6(now clock.Instant, p *packet.Buffer) {
	defer p.Free()
	src := d.linkLocalSource()
	if src.IsUnspecified() || d.cache == nil {
		return
	}
	m := wire.Redirect{Target: p.NextHop, Destination: p.Dst, TargetLink: d.cache.LinkAddress(p.NextHop), Packet: p.FromNetwork()}
	d.sendND(now, &m, src, p.Src, wire.MAC{})
}

// redirected remembers who was told, each in the one place that its address hashes to.
//
// RFC 4861, 8.2: "A router MUST limit the rate at which Redirect messages are sent, in order to limit the bandwidth and processing
// costs incurred by the Redirect messages when the source does not correctly respond to the Redirects". The numbers are Linux's.
type redirected struct{ slots [64]toldHost }

type toldHost struct {
	src  wire.Addr
	n    int           // IPv4: redirects since it was silent
	last clock.Instant // IPv4: of the last one, or of the last packet that would have got one
	full clock.Instant // IPv6: when it may be told redirectBurst6 times in a row again
}

const (
	redirectBurst6    = 6
	redirectInterval6 = time.Second
	redirectNumber4   = 9                     // redirects to one who does not listen, each time after twice as long
	redirectLoad4     = 20 * time.Millisecond // net.ipv4.route.redirect_load
	redirectSilence4  = redirectLoad4 << (redirectNumber4 + 1)
)

// allow reports whether src may be told now, and counts on it that it is.
func (t *redirected) allow(now clock.Instant, src wire.Addr, four bool) bool {
	h := &t.slots[slot(src, src)%uint64(len(t.slots))]
	if h.src != src {
		*h = toldHost{src: src}
	}
	if four {
		return h.allow4(now)
	}
	next := max(h.full, now).Add(redirectInterval6)
	if next.Sub(now) > redirectBurst6*redirectInterval6 {
		return false
	}
	h.full = next
	return true
}

func (h *toldHost) allow4(now clock.Instant) bool {
	if now.Sub(h.last) > redirectSilence4 {
		h.n = 0
	}
	if h.n >= redirectNumber4 {
		h.last = now
		return false
	}
	if h.n > 0 && now.Sub(h.last) <= redirectLoad4<<h.n {
		return false
	}
	h.n++
	h.last = now
	return true
}
