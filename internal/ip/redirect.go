package ip

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// redirects are the entries of the Destination Cache that redirects made, the oldest first. Control locked.
type redirects struct{ list []redirectEntry }

type redirectEntry struct {
	route.Redirection
	until clock.Instant
}

const (
	// maxRedirects bounds the entries: the oldest makes room.
	maxRedirects = 1024
	// redirectLifetime is how long an entry lasts: what Linux has as net.ipv4.route.gc_timeout. The router sends another
	// redirect if it still holds.
	redirectLifetime = 300 * time.Second
)

// add has packets follow to. Control locked.
func (c *redirects) add(l *Layer, d *device, now clock.Instant, to route.Redirection) {
	c.list = slices.DeleteFunc(c.list, func(e redirectEntry) bool { return e.Dst == to.Dst })
	if len(c.list) >= maxRedirects {
		oldest := c.list[0].Redirection
		c.forget(l, func(r *route.Redirection) bool { return *r == oldest })
	}
	c.list = append(c.list, redirectEntry{to, now.Add(redirectLifetime)})
	l.fib = l.fib.Redirected(to)
	if d.cache != nil {
		d.cache.Watch(to.To)
	}
	l.control.Arm(&l.watching, now.Add(redirectLifetime))
	l.publishRoutes()
}

// forget takes the entries back that match accepts, and reports whether there were any. Control locked.
func (c *redirects) forget(l *Layer, match func(*route.Redirection) bool) (some bool) {
	var gone []route.Redirection
	c.list = slices.DeleteFunc(c.list, func(e redirectEntry) bool {
		if !match(&e.Redirection) {
			return false
		}
		gone = append(gone, e.Redirection)
		return true
	})
	if len(gone) > 0 {
		l.fib = l.fib.NotRedirected(gone)
	}
	for _, r := range gone {
		if d, err := l.find(r.Out); err == nil && d.cache != nil && !c.to(r.To, r.Out) && l.routers.Find(r.To, r.Out) == nil {
			d.cache.Unwatch(r.To)
		}
	}
	return len(gone) > 0
}

// to reports whether an entry leads to a neighbor. Control locked.
func (c *redirects) to(a wire.Addr, out int32) bool {
	return slices.ContainsFunc(c.list, func(e redirectEntry) bool { return e.To == a && e.Out == out })
}

// expire forgets what is too old and returns when there will be more. Control locked.
func (c *redirects) expire(l *Layer, now clock.Instant) clock.Instant {
	n := 0
	for n < len(c.list) && c.list[n].until <= now {
		n++
	}
	if n > 0 {
		old := slices.Clone(c.list[:n])
		c.forget(l, func(r *route.Redirection) bool {
			return slices.ContainsFunc(old, func(e redirectEntry) bool { return e.Redirection == *r })
		})
		l.publishRoutes()
	}
	if len(c.list) == 0 {
		return clock.Never
	}
	return c.list[0].until
}

// firstHop looks up where packets of ours to dst go, if they leave by the interface that p came in by. Control locked.
func (q *queue) firstHop(dst wire.Addr, from wire.Addr, r *route.Result) bool {
	query := route.Query{Dst: dst, Habit: from, VRF: q.iface.VRF}
	return q.l.fib.Lookup(&query, r) && r.Hop.Out == q.d.index
}

// redirect6 takes a Redirect message, at its ICMPv6 header. It reports whether that is a valid redirect (RFC 4861, 8.1),
// after it did what it says (8.3). Control locked.
func (q *queue) redirect6(p *packet.Buffer) bool {
	d, l := q.d, q.l
	m, err := wire.ParseRedirect(p.Bytes())
	if err != nil || m.Validate(p.Src, p.Dst, p.HopLimit) != nil {
		return false
	}
	// RFC 4861, 8.2: "A router MUST NOT update its routing tables upon receipt of a Redirect."
	if s := l.Settings(); !s.AcceptRedirects6 || s.Forward6 {
		return true
	}
	// 8.1: "The IP source address of the Redirect is the same as the current first-hop router for the specified ICMP
	// Destination Address."
	var r route.Result
	if !q.firstHop(m.Destination, p.Src, &r) || r.Gateway != p.Src {
		return false
	}
	if d.address(m.Target) != nil {
		return false // it is not us whom we could send to
	}
	// 8.3: "If the redirect contains a Target Link-Layer Address option, the host either creates or updates the Neighbor
	// Cache entry for the target."
	if m.TargetLink != (wire.MAC{}) {
		d.cache.Solicited(q.now, m.Target, m.TargetLink)
	}
	// "If the Target Address is not the same as the Destination Address, the host MUST set IsRouter to TRUE for the
	// target."
	if m.Target != m.Destination {
		d.cache.SetRouter(q.now, m.Target)
	}
	// "A host receiving a valid redirect SHOULD update its Destination Cache accordingly so that subsequent traffic goes
	// to the specified target."
	l.redirects.add(l, d, q.now, route.Redirection{Dst: m.Destination, From: r.Hop.Gateway, Out: d.index, To: m.Target})
	return true
}

// redirect4 takes an ICMP Redirect, at its header. Control locked.
//
// RFC 1122, 3.2.2.2: "Every host MUST be prepared to accept both Host and Network Redirects and to process them as
// described in Section 3.3.1.2": "Since the subnet mask appropriate to the destination address is generally not known, a
// Network Redirect message SHOULD be treated identically to a Host Redirect message".
func (q *queue) redirect4(p *packet.Buffer) {
	l := q.l
	m := wire.ICMP(p.Bytes())
	gateway := wire.AddrFrom4(m[4:])
	e := &q.err
	*e = Error{}
	if _, ok := e.readQuote(true, m.Body()); !ok || m.Code() > maxRedirectCode4 {
		q.drop(p, mib.IcmpMalformed)
		return
	}
	s := l.Settings()
	if s.Forward4 || !s.AcceptRedirects4 || !q.credible4(gateway, p.Src, s) ||
		q.s.Lookup(e.Src, p.In).Kind != netif.Unicast || q.s.Lookup(e.Dst, p.In).Kind != netif.NotOurs || e.Dst.IsMulticast() {
		q.drop(p, mib.IcmpIgnored)
		return
	}
	// RFC 1122, 3.2.2.2: it "SHOULD be silently discarded if …, or if the source of the Redirect is not the current
	// first-hop gateway for the specified destination".
	var r route.Result
	if !q.firstHop(e.Dst, p.Src, &r) || r.Gateway != p.Src {
		q.drop(p, mib.IcmpIgnored)
		return
	}
	l.redirects.add(l, q.d, q.now, route.Redirection{Dst: e.Dst, From: r.Hop.Gateway, Out: q.d.index, To: gateway})
	q.taken(p, "ICMP: the redirect is heeded")
}

// credible4 reports whether a redirect from the router from can lead to gateway. Control locked.
//
// RFC 1122, 3.2.2.2: "A Redirect message SHOULD be silently discarded if the new gateway address it specifies is not on
// the same connected (sub-) net through which the Redirect arrived".
func (q *queue) credible4(gateway, from wire.Addr, s *Settings) bool {
	if gateway == from || gateway.IsMulticast() || gateway.V4()>>24 == 0 || gateway.V4()>>28 == 0xf || gateway.IsLoopback() ||
		q.s.Lookup(gateway, q.d.index).Kind != netif.NotOurs {
		return false
	}
	if q.d.onLink(gateway.Netip()) < 0 {
		return false
	}
	// Linux's secure_redirects, which shared_media overrules: only to gateways there is a route through.
	return s.SharedMedia || !s.SecureRedirects || q.l.routers.Find(gateway, q.d.index) != nil
}

// maxRedirectCode4 is the last of the codes of RFC 792: network, host, and both for a type of service.
const maxRedirectCode4 = 3
