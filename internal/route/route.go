// Package route finds the next hop: forwarding tables, the rules that choose among them, default routers and what is
// known of their reachability, redirects (RFC 4861, 5; RFC 4191; RFC 4311; RFC 1122, 3.3.1).
//
// A [FIB] is all of it at one moment, and immutable: a change makes another one that shares what did not change, at the
// cost of the path to one prefix. The prefixes are in a trie; of more than a few, an excerpt that fits into the
// processor's cache answers lookups. [FIB.Lookup] takes no lock and allocates nothing. Four ideas that Neighbor Discovery keeps apart are in one structure here: on-link prefixes are routes
// without a gateway, default routers are routes to ::/0, route information options are routes to other prefixes. The
// Destination Cache is left: redirects are in a table of their own, by destination ([FIB.Redirect]), path MTUs
// elsewhere, and what a sender decided it keeps itself.
//
// A gateway has one [Router], which all routes through it share, and all FIBs: whether it answers, as Neighbor
// Unreachability Detection finds out. It is the one thing that changes under a Lookup.
//
// Left out: routes by IPv4 type of service, gateways of the other family (RFC 8950), nexthop objects.
package route

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Origin says where a route came from.
type Origin uint8

// The origins.
const (
	Static              Origin = iota // configured
	Connected                         // the on-link prefix of an address
	RouterAdvertisement               // a default router, on-link prefix or Route Information option (RFC 4861, 6.3.4; RFC 4191)
	Redirect                          // a redirect message, for one destination
	DHCP                              // a DHCP server told of it
)

// Configured reports whether somebody put such routes there, by AddRoute, rather than the stack itself.
func (o Origin) Configured() bool { return o == Static || o == DHCP }

// String returns the origin's name.
func (o Origin) String() string {
	return [...]string{"static", "connected", "ra", "redirect", "dhcp"}[o]
}

// Type says what becomes of packets that a route is for.
type Type uint8

// The types, as Linux has them.
const (
	Unicast     Type = iota // they go to the gateway, or directly to the destination
	Local                   // they are ours; routes of this type follow from addresses and cannot be added
	Blackhole               // they are dropped without a word; senders here get EINVAL
	Unreachable             // they are dropped, with ICMP host or address unreachable; EHOSTUNREACH
	Prohibit                // they are dropped, with ICMP communication prohibited; EACCES
	Throw                   // this table has no answer: the next rule is asked
)

// String returns the type's name.
func (t Type) String() string {
	return [...]string{"unicast", "local", "blackhole", "unreachable", "prohibit", "throw"}[t]
}

// Errno returns what a sender gets whose packets meet a route of the type; 0 if they go on.
func (t Type) Errno() syscall.Errno {
	return [...]syscall.Errno{0, 0, syscall.EINVAL, syscall.EHOSTUNREACH, syscall.EACCES, syscall.ENETUNREACH}[t]
}

// The numbers of tables that have a meaning, as in Linux. Local has no routes: what is ours follows from addresses.
const (
	LocalTable   = 255
	MainTable    = 254 // of routes that name no table
	DefaultTable = 253
)

// Route is where packets to a prefix go. Table, Prefix, Gateway, Out, Metric and Type together identify it.
type Route struct {
	Prefix     netip.Prefix  // masked when in a FIB
	Gateway    netip.Addr    // the zero Addr: the prefix is on-link
	Out        int32         // interface index; 0 for types that lead nowhere
	Metric     int           // among routes of one prefix the lowest wins
	Origin     Origin        //
	Type       Type          //
	Table      uint32        // its number; 0: that of the interface's VRF, or the main one
	Weight     int           // above 0: shares the packets of its prefix and metric with the others that have a weight
	Preference int8          // RFC 4191, 2.1: 1 high, 0 medium, -1 low
	Expires    clock.Instant // 0: never
	Source     netip.Addr    // the source address to prefer; the zero Addr: as RFC 6724 has it
	OnLink     bool          // the gateway is a neighbor, whatever the prefixes of the link
	Attributes
}

// Attributes are what a route says of the packets and connections that take it. Zero fields say nothing.
type Attributes struct {
	MTU           int // octets of the largest packet
	AdvertisedMSS int // octets; the most that TCP announces
	InitialWindow int // segments; of TCP's first flight
	MinRTO        time.Duration
	HopLimit      uint8
}

// String writes the route as "2001:db8::/32 via fe80::1 dev 2 metric 10".
func (r Route) String() string {
	s := r.Prefix.String()
	if r.Type != Unicast {
		s = r.Type.String() + " " + s
	}
	if r.Gateway.IsValid() {
		s += " via " + r.Gateway.String()
	}
	if r.Out != 0 || r.Type == Unicast {
		s += fmt.Sprintf(" dev %d", r.Out)
	}
	if r.Table != 0 && r.Table != MainTable {
		s += fmt.Sprintf(" table %d", r.Table)
	}
	if r.Metric != 0 {
		s += fmt.Sprintf(" metric %d", r.Metric)
	}
	if r.Weight != 0 {
		s += fmt.Sprintf(" weight %d", r.Weight)
	}
	return s
}

// Errors of routes that make no sense.
var (
	ErrPrefix = errors.New("route: prefix invalid")
	ErrFamily = errors.New("route: gateway or source and prefix are of different families")
	ErrType   = errors.New("route: packets of this type go nowhere, and need no gateway or weight")
	ErrValue  = errors.New("route: a number is out of range")
)

// MaxWeight is the most that a Weight can be.
const MaxWeight = 256

// Check returns r with its prefix masked, its addresses without zone and its table named, or an error.
func (r Route) Check() (Route, error) {
	if !r.Prefix.IsValid() || r.Prefix.Addr().Is4In6() {
		return r, ErrPrefix
	}
	r.Prefix = r.Prefix.Masked()
	four := r.Prefix.Addr().Is4()
	for _, a := range [...]*netip.Addr{&r.Gateway, &r.Source} {
		if a.IsValid() {
			*a = a.Unmap().WithZone("")
			if a.Is4() != four {
				return r, ErrFamily
			}
		}
	}
	if r.Type != Unicast {
		if r.Type == Local || r.Type > Throw || r.Gateway.IsValid() || r.Weight != 0 {
			return r, ErrType
		}
		r.Out = 0
	}
	a := &r.Attributes
	if r.Metric < 0 || r.Weight < 0 || r.Weight > MaxWeight || a.MTU < 0 || a.AdvertisedMSS < 0 || a.InitialWindow < 0 || a.MinRTO < 0 ||
		r.Preference < -1 || r.Preference > 1 {
		return r, ErrValue
	}
	if r.Table == 0 {
		r.Table = MainTable
	}
	return r, nil
}

// Name returns what identifies r, and nothing else of it.
func (r Route) Name() Route {
	return Route{Table: r.Table, Prefix: r.Prefix, Gateway: r.Gateway, Out: r.Out, Metric: r.Metric, Type: r.Type}
}

// Hop is a Route as a lookup answers it, without its prefix and table. Two routes with equal Hops share one.
type Hop struct {
	Gateway    wire.Addr // the zero Addr: the destination is on-link
	Source     wire.Addr // the zero Addr: none preferred
	Out        int32
	Weight     int16
	Type       Type
	Origin     Origin
	Preference int8
	OnLink     bool
	Metric     int
	Expires    clock.Instant
	Attributes
	router *Router // of Gateway; nil without one
}

// Router returns what is known of the gateway, nil if there is none.
func (h *Hop) Router() *Router { return h.router }

func hopOf(r *Route) Hop {
	return Hop{Gateway: wire.AddrFrom(r.Gateway), Source: wire.AddrFrom(r.Source), Out: r.Out, Weight: int16(r.Weight), Type: r.Type,
		Origin: r.Origin, Preference: r.Preference, Metric: r.Metric, Expires: r.Expires, OnLink: r.OnLink,
		Attributes: r.Attributes}
}

// same reports whether h and o are one route, with whatever attributes.
func (h *Hop) same(o *Hop) bool {
	return h.Gateway == o.Gateway && h.Out == o.Out && h.Metric == o.Metric && h.Type == o.Type
}

func (h *Hop) route(p netip.Prefix, table uint32) Route {
	r := Route{Prefix: p, Out: h.Out, Metric: h.Metric, Origin: h.Origin, Type: h.Type, Table: table, Weight: int(h.Weight),
		Preference: h.Preference, Expires: h.Expires, OnLink: h.OnLink, Attributes: h.Attributes}
	if h.Gateway != (wire.Addr{}) {
		r.Gateway = h.Gateway.Netip()
	}
	if h.Source != (wire.Addr{}) {
		r.Source = h.Source.Netip()
	}
	return r
}
