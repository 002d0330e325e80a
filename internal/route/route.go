// Package route finds the next hop: the forwarding table of a host or router, by longest prefix match.
//
// A [Table] is immutable; a change makes another one that shares what did not change. The prefixes are held by
// github.com/gaissmai/bart.
//
// Not here yet: redirects, and
// several tables with rules.
package route

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

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
)

// String returns the origin's name.
func (o Origin) String() string {
	return [...]string{"static", "connected", "ra", "redirect"}[o]
}

// Type says what becomes of packets that a route is for.
type Type uint8

// The types, as Linux has them.
const (
	Unicast     Type = iota // they go to the gateway, or directly to the destination
	Local                   // they are ours
	Blackhole               // they are dropped without a word; senders here get EINVAL
	Unreachable             // they are dropped, with ICMP host or address unreachable; EHOSTUNREACH
	Prohibit                // they are dropped, with ICMP communication prohibited; EACCES
	Throw                   // this table has no answer: the next rule is asked
)

// String returns the type's name.
func (t Type) String() string {
	return [...]string{"unicast", "local", "blackhole", "unreachable", "prohibit", "throw"}[t]
}

// Route is where packets to a prefix go. Table, Prefix, Gateway, Out and Metric together identify it.
type Route struct {
	Prefix     netip.Prefix  // masked when in a Table
	Gateway    netip.Addr    // the zero Addr: the prefix is on-link
	Out        int32         // interface index
	Metric     int           // among routes of one prefix the lowest wins
	Origin     Origin        //
	Type       Type          //
	Table      uint32        // its number; 0: that of the interface's VRF, or the main one
	Weight     int           // above 0: shares the packets of its prefix and metric with the others that have a weight
	Preference int8          // RFC 4191, 2.1: 1 high, 0 medium, -1 low
	Expires    clock.Instant // 0: never
}

// String writes the route as "2001:db8::/32 via fe80::1 dev 2 metric 10".
func (r Route) String() string {
	s := r.Prefix.String()
	if r.Gateway.IsValid() {
		s += " via " + r.Gateway.String()
	}
	s += fmt.Sprintf(" dev %d", r.Out)
	if r.Metric != 0 {
		s += fmt.Sprintf(" metric %d", r.Metric)
	}
	return s
}

// Errors of routes that make no sense.
var (
	ErrPrefix = errors.New("route: prefix invalid")
	ErrFamily = errors.New("route: gateway and prefix are of different families")
)

// Check returns r with its prefix masked and its gateway without zone, or an error.
func (r Route) Check() (Route, error) {
	if !r.Prefix.IsValid() || r.Prefix.Addr().Is4In6() {
		return r, ErrPrefix
	}
	r.Prefix = r.Prefix.Masked()
	if r.Gateway.IsValid() {
		r.Gateway = r.Gateway.Unmap().WithZone("")
		if r.Gateway.Is4() != r.Prefix.Addr().Is4() {
			return r, ErrFamily
		}
	}
	return r, nil
}

// Hop is what a lookup answers.
type Hop struct {
	Gateway wire.Addr // the zero Addr: the destination is on-link
	Out     int32
	Metric  int
	origin  Origin
}

// Table is a forwarding table, made by Build.
type Table struct{ fib *bart.Table[[]Hop] }

func hop(r *Route) Hop { return Hop{wire.AddrFrom(r.Gateway), r.Out, r.Metric, r.Origin} }

// Build returns a table of rs, which Check has passed.
func Build(rs []Route) *Table {
	t := &Table{new(bart.Table[[]Hop])}
	for i := range rs {
		t.fib.Modify(rs[i].Prefix, func(hops []Hop, _ bool) ([]Hop, bool) { return with(hops, hop(&rs[i])), false })
	}
	return t
}

// With returns t and r, which Check has passed. A route that is there already changes nothing.
func (t *Table) With(r Route) *Table {
	return &Table{t.fib.ModifyPersist(r.Prefix, func(hops []Hop, _ bool) ([]Hop, bool) { return with(hops, hop(&r)), false })}
}

// Without returns t without r.
func (t *Table) Without(r Route) *Table {
	h := hop(&r)
	return &Table{t.fib.ModifyPersist(r.Prefix, func(hops []Hop, _ bool) ([]Hop, bool) {
		kept := slices.DeleteFunc(slices.Clone(hops), func(o Hop) bool { return o == h })
		return kept, len(kept) == 0
	})}
}

// with returns a copy of hops with h in its place: by metric, then as added.
func with(hops []Hop, h Hop) []Hop {
	if slices.Contains(hops, h) {
		return hops
	}
	i, _ := slices.BinarySearchFunc(hops, h.Metric+1, func(o Hop, m int) int { return o.Metric - m })
	return slices.Insert(slices.Clone(hops), i, h)
}

// Lookup returns the next hop for dst: that of the longest prefix, among its routes one through the interface
// prefer if there is one (RFC 1122, 3.3.4.3: the source address chooses among gateways), else that of the lowest
// metric. With out not 0, only routes through that interface count. prefer 0 prefers none.
func (t *Table) Lookup(dst wire.Addr, out, prefer int32) (h Hop, ok bool) {
	a := dst.Netip()
	hops, ok := t.fib.Lookup(a)
	if !ok {
		return h, false
	}
	if h, ok = choose(hops, out, prefer); ok {
		return h, true
	}
	// The longest prefix leads elsewhere only: try the shorter ones, longest first.
	for _, hops := range t.fib.Supernets(netip.PrefixFrom(a, a.BitLen())) {
		if h, ok = choose(hops, out, prefer); ok {
			return h, true
		}
	}
	return h, false
}

func choose(hops []Hop, out, prefer int32) (Hop, bool) {
	if out != 0 {
		prefer = out
	}
	for _, h := range hops {
		if h.Out == prefer {
			return h, true
		}
	}
	if out != 0 {
		return Hop{}, false
	}
	return hops[0], true
}

// Routes returns all routes, by prefix and then in the order they are preferred.
func (t *Table) Routes() []Route {
	var rs []Route
	for p, hops := range t.fib.AllSorted() {
		for _, h := range hops {
			r := Route{Prefix: p, Out: h.Out, Metric: h.Metric, Origin: h.origin}
			if h.Gateway != (wire.Addr{}) {
				r.Gateway = h.Gateway.Netip()
			}
			rs = append(rs, r)
		}
	}
	return rs
}
