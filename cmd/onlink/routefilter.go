package main

import (
	"math"
	"net/netip"

	"github.com/onlink-go/onlink"
)

// Which routes are shown, deleted and flushed.

// routeFilter is which routes are meant.
type routeFilter struct {
	onlink.Route
	how             string // root, match or exact; empty: exact, as for default
	allTables, some bool
	typed           bool
	scope, proto    string
	metric          bool
}

// routeFilter reads which routes are meant.
func (c *call) routeFilter() (f routeFilter) {
	f.Table = onlink.MainTable
	f.some = len(c.rest) > 0
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("table"):
			if c.is("all") {
				f.allTables = true
			} else {
				f.Table = c.table("table")
			}
		case c.is("root", "match", "exact"):
			f.how = c.last
			f.Prefix = c.prefix(f.how, c.family)
		case c.is("type"):
			if f.Type, f.typed = c.routeType(); !f.typed {
				c.fail("type %s: not unicast, blackhole, unreachable, prohibit or throw", c.value("type"))
			}
		case c.is("proto", "protocol"):
			f.proto = c.value("proto")
		case c.is("scope"):
			f.scope = c.value("scope")
		case c.is("metric", "preference"):
			f.Metric, f.metric = c.number("metric", 0, math.MaxInt32), true
		case c.is("src"):
			f.Source = c.address("src", c.family)
		case c.hop(&f.Route, c.family):
		default:
			f.bare(c)
		}
	}
	return f
}

// bare takes a type or a prefix without a keyword.
func (f *routeFilter) bare(c *call) {
	if t, ok := c.routeType(); ok {
		f.Type, f.typed = t, true
		return
	}
	c.is("to")
	if f.Prefix.IsValid() || didYouMean(c.peek(), c.known) != "" && c.peek() != "default" {
		c.unknown()
		return
	}
	f.how = "exact"
	if c.peek() == "default" && c.family == both {
		f.how = "default"
	}
	f.Prefix = c.prefix("", c.family)
}

func (f *routeFilter) takes(c *call, r *onlink.Route) bool {
	same := func(set, equal bool) bool { return !set || equal }
	return c.family.has(r.Prefix.Addr()) && same(!f.allTables, r.Table == f.Table) && f.takesPrefix(r.Prefix) &&
		same(f.typed, r.Type == f.Type) && same(f.Gateway.IsValid(), r.Gateway == f.Gateway) &&
		same(f.Interface != "", r.Interface == f.Interface) && same(f.Source.IsValid(), r.Source == f.Source) &&
		same(f.metric, r.Metric == f.Metric) && same(f.proto != "", r.Protocol() == f.proto) &&
		same(f.scope != "", r.Scope() == f.scope)
}

func (f *routeFilter) takesPrefix(p netip.Prefix) bool {
	switch f.how {
	case "root":
		return f.Prefix.Bits() <= p.Bits() && f.Prefix.Contains(p.Addr())
	case "match":
		return p.Bits() <= f.Prefix.Bits() && p.Contains(f.Prefix.Addr())
	case "exact":
		return p == f.Prefix.Masked()
	case "default":
		return p.Bits() == 0
	}
	return true
}

// routesTaken lists the routes that the filter takes, those together that share flows.
func (c *call) routesTaken(f *routeFilter) (groups [][]onlink.Route) {
	for _, r := range c.stack.Routes() {
		c.nameSource(&r)
		if !f.takes(c, &r) {
			continue
		}
		if n := len(groups) - 1; n >= 0 && shares(&groups[n][0], &r) {
			groups[n] = append(groups[n], r)
			continue
		}
		groups = append(groups, []onlink.Route{r})
	}
	return groups
}

// nameSource gives the IPv4 route of an address that address as its source, as the kernel does.
func (c *call) nameSource(r *onlink.Route) {
	i := c.stack.Interface(r.Interface)
	if r.Origin != "connected" || !r.Prefix.Addr().Is4() || i == nil {
		return
	}
	for _, p := range i.Addresses() {
		if p.Masked() == r.Prefix {
			r.Source = p.Addr()
			return
		}
	}
}

// shares reports whether a and b are next hops of one route.
func shares(a, b *onlink.Route) bool {
	return a.Weight > 0 && b.Weight > 0 && a.Prefix == b.Prefix && a.Table == b.Table && a.Metric == b.Metric && a.Type == b.Type
}
