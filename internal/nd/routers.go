package nd

import (
	"net/netip"
	"slices"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// How much of each kind an interface remembers. Who comes first stays: a flood of advertisements finds no room, and
// drives out nothing that was there before. RFC 4861, 6.3.4: "a host MUST retain at least two router addresses and
// SHOULD retain more."
const (
	MaxRouters  = 16
	MaxRoutes   = 64 // from Route Information options
	MaxPrefixes = 64 // on-link

	maxAdvertisers = 8 // of one prefix
)

// metrics of learned routes, as in Linux; the first is netif.IPv6's RouterMetric.
const (
	routeMetric  = 1024
	prefixMetric = 256
)

// learned is an entry of what RFC 4191, 3.1, calls the Routing Table: "Entries in the Routing Table have a prefix, prefix
// length, preference value, lifetime, and next-hop router." Those for ::/0 are the Default Router List of RFC 4861, 5.1.
type learned struct {
	prefix     wire.Addr
	bits       uint8
	router     wire.Addr
	preference wire.Preference
	until      clock.Instant
}

// Prefix is an entry of the Prefix List (RFC 4861, 5.1): addresses of it are on the link.
type Prefix struct {
	Prefix wire.Addr
	Bits   uint8
	Until  clock.Instant // Never: for ever
}

// DefaultRouter is an entry of the Default Router List.
type DefaultRouter struct {
	Addr       wire.Addr
	Preference wire.Preference
	Until      clock.Instant // Never: for ever
}

// learnRoute enters r, or takes it out if it is over.
//
// RFC 4191, 3.1: "A route is located in the Routing Table based on the prefix, prefix length, and next-hop router. If
// the received route's lifetime is zero, the route is removed from the Routing Table if present. If a route's lifetime
// is non-zero, the route is added to the Routing Table if not present and the route's lifetime and preference is updated
// if the route is already present."
func (h *Host) learnRoute(r learned, over bool) {
	i := slices.IndexFunc(h.routes, func(o learned) bool {
		return o.prefix == r.prefix && o.bits == r.bits && o.router == r.router
	})
	switch {
	case i < 0 && over:
	case i < 0:
		if !h.roomForRoute(r.bits) {
			h.refused++
			return
		}
		h.routes = append(h.routes, r)
		h.want(ChangeRoutes)
	case over:
		h.routes = slices.Delete(h.routes, i, i+1)
		h.want(ChangeRoutes)
	default:
		if h.routes[i].preference != r.preference {
			h.want(ChangeRoutes)
		}
		h.routes[i] = r
	}
}

func (h *Host) roomForRoute(bits uint8) bool {
	n, limit := 0, MaxRoutes
	if bits == 0 {
		limit = MaxRouters
	}
	for i := range h.routes {
		if (h.routes[i].bits == 0) == (bits == 0) {
			n++
		}
	}
	return n < limit
}

// routeInformation takes a Route Information option (RFC 4191, 2.3). One for ::/0 overrides what the header says: "The
// Router Preference and Lifetime values in a ::/0 Route Information Option override the preference and lifetime values
// in the Router Advertisement header."
func (h *Host) routeInformation(now clock.Instant, router wire.Addr, m *wire.RouteInformation) {
	s := h.cfg.Settings
	bits := int(m.PrefixLen)
	switch {
	case bits < s.RoutePrefixMin || bits > s.RoutePrefixMax || bits == 0 && !s.DefaultRouters:
		return
	case bits != 0 && (m.Prefix.IsLinkLocal() || m.Prefix.IsMulticast()):
		return // these are never behind a router
	case h.tooShort(m.Lifetime):
		return
	}
	preference := m.Preference
	if bits == 0 && !s.RouterPreference {
		preference = wire.PreferenceMedium
	}
	h.learnRoute(learned{m.Prefix, m.PrefixLen, router, preference, after(now, m.Lifetime)}, m.Lifetime == 0)
}

// prefixInformation takes a Prefix Information option: its two flags are two matters (RFC 4861, 6.3.4: "Implementations
// can choose to process the on-link aspects of the prefixes separately from the stateless address autoconfiguration
// aspects").
func (h *Host) prefixInformation(now clock.Instant, router wire.Addr, m *wire.PrefixInformation) {
	// "If the prefix is the link-local prefix, silently ignore the Prefix Information option." Groups are no prefix of
	// any link.
	if m.Prefix.IsLinkLocal() || m.Prefix.IsMulticast() || h.tooShort(m.Valid) {
		return
	}
	// "a Prefix Information option with the on-link flag set to zero conveys no information concerning on-link
	// determination and MUST NOT be interpreted to mean that addresses covered by the prefix are off-link."
	if m.OnLink {
		h.onLink(Prefix{m.Prefix, m.PrefixLen, after(now, m.Valid)}, m.Valid == 0)
	}
	if m.Autonomous {
		h.autonomous(now, router, m)
	}
}

// onLink enters p into the Prefix List, or takes it out. RFC 4861, 6.3.4: "If the prefix is already present in the host's
// Prefix List …, reset its invalidation timer to the Valid Lifetime value in the Prefix Information option. If the new
// Lifetime value is zero, time-out the prefix immediately". "If the Prefix Information option's Valid Lifetime field is
// zero, and the prefix is not present in the host's Prefix List, silently ignore the option."
func (h *Host) onLink(p Prefix, over bool) {
	i := slices.IndexFunc(h.prefixes, func(o Prefix) bool { return o.Prefix == p.Prefix && o.Bits == p.Bits })
	switch {
	case i < 0 && over:
	case i < 0 && len(h.prefixes) >= MaxPrefixes:
		h.refused++
	case i < 0:
		h.prefixes = append(h.prefixes, p)
		h.want(ChangeRoutes)
	case over:
		h.prefixes = slices.Delete(h.prefixes, i, i+1)
		h.want(ChangeRoutes)
	default:
		h.prefixes[i] = p
	}
}

// LostRouter tells that a neighbor says it is a router no more.
//
// RFC 4861, 7.2.5: "In those cases where the IsRouter flag changes from TRUE to FALSE as a result of this update, the
// node MUST remove that router from the Default Router List".
func (h *Host) LostRouter(a wire.Addr) {
	h.forgetRouters(func(r *learned) bool { return r.router == a })
	for _, p := range h.autos {
		p.routers = slices.DeleteFunc(p.routers, func(r wire.Addr) bool { return r == a })
	}
	h.want(ChangeParams)
}

// forgetRouters takes out the routes that gone names.
func (h *Host) forgetRouters(gone func(*learned) bool) {
	n := len(h.routes)
	h.routes = slices.DeleteFunc(h.routes, func(r learned) bool { return gone(&r) })
	if len(h.routes) != n {
		h.want(ChangeRoutes)
	}
}

// expireRoutes is RFC 4861, 6.3.5: "Whenever the invalidation timer expires for a Prefix List entry, that entry is
// discarded." "Whenever the Lifetime of an entry in the Default Router List expires, that entry is discarded."
func (h *Host) expireRoutes(now clock.Instant) {
	h.forgetRouters(func(r *learned) bool { return r.until <= now })
	n := len(h.prefixes)
	h.prefixes = slices.DeleteFunc(h.prefixes, func(p Prefix) bool { return p.Until <= now })
	if len(h.prefixes) != n {
		h.want(ChangeRoutes)
	}
}

// Routers returns the Default Router List, first come first.
func (h *Host) Routers() []DefaultRouter {
	var all []DefaultRouter
	for i := range h.routes {
		if r := &h.routes[i]; r.bits == 0 {
			all = append(all, DefaultRouter{r.router, r.preference, r.until})
		}
	}
	return all
}

// Prefixes returns the Prefix List, first come first. The link-local prefix, which "is considered to be on the prefix list
// with an infinite invalidation timer" (RFC 4861, 5.1), is not in it.
func (h *Host) Prefixes() []Prefix { return slices.Clone(h.prefixes) }

// Routes returns all of it as routes: on-link prefixes, default routers, and those that came as route information.
func (h *Host) Routes() []route.Route {
	var rs []route.Route
	for i := range h.prefixes {
		p := &h.prefixes[i]
		rs = append(rs, h.route(p.Prefix, p.Bits, prefixMetric))
	}
	for i := range h.routes {
		r := &h.routes[i]
		metric := routeMetric
		if r.bits == 0 {
			metric = h.cfg.Settings.RouterMetric
		}
		found := h.route(r.prefix, r.bits, metric)
		found.Gateway = r.router.Netip()
		found.Preference = int8(r.preference)
		rs = append(rs, found)
	}
	return rs
}

// Advertisers returns which routers advertise which prefixes for addresses.
func (h *Host) Advertisers() []netif.Advertised {
	var all []netif.Advertised
	for _, p := range h.autos {
		prefix := netip.PrefixFrom(p.prefix.Netip(), 128-iidBits)
		for _, r := range p.routers {
			all = append(all, netif.Advertised{Prefix: prefix, Router: r})
		}
	}
	return all
}

func (h *Host) route(prefix wire.Addr, bits uint8, metric int) route.Route {
	return route.Route{Prefix: netip.PrefixFrom(prefix.Netip(), int(bits)), Out: h.cfg.Interface, Metric: metric,
		Origin: route.RouterAdvertisement}
}
