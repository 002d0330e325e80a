package main

import (
	"bytes"
	"math"
	"net/netip"

	"github.com/onlink-go/onlink"
)

var routeObject = object{"route", `onlink route [show] [[root | match | exact] PREFIX] [table TABLE | all] [via ADDRESS] [dev DEVICE] [proto PROTOCOL] [type TYPE]
             [metric NUMBER] [src ADDRESS] [scope SCOPE]
onlink route get ADDRESS [from ADDRESS] [oif DEVICE]
onlink route {add | append | replace | change} [TYPE] PREFIX [via ADDRESS] [dev DEVICE] [onlink] [table TABLE] [metric NUMBER]
             [src ADDRESS] [mtu OCTETS] [hoplimit NUMBER] [advmss OCTETS] [initcwnd NUMBER] [rto_min TIME] [pref PREFERENCE]
             {nexthop via ADDRESS [dev DEVICE] [weight NUMBER]}
onlink route del [TYPE] PREFIX [via ADDRESS] [dev DEVICE] [table TABLE] [metric NUMBER]
onlink route flush SELECTION (as with show)
onlink route monitor
PREFIX may be default. TYPE: unicast, blackhole, unreachable, prohibit, throw. TABLE: a number, main or default. PREFERENCE:
low, medium or high, of routers. Several nexthops share the flows by their weights.`,
	[]objectVerb{
		{"show list lst ls", false, showRoutes},
		{"add", true, addRoute},
		{"append", true, appendRoute},
		{"replace", true, replaceRoute},
		{"change chg", true, changeRoute},
		{"delete", true, deleteRoute},
		{"get", false, getRoute},
		{"flush", true, flushRoutes},
		{"monitor", false, monitorOf("route")},
	}}

// routeTypes are the types that a route can be given.
var routeTypes = []onlink.RouteType{onlink.UnicastRoute, onlink.BlackholeRoute, onlink.UnreachableRoute, onlink.ProhibitRoute,
	onlink.ThrowRoute}

// routeType takes a type, if there is one.
func (c *call) routeType() (t onlink.RouteType, ok bool) {
	for _, t := range routeTypes {
		if c.is(t.String()) {
			return t, true
		}
	}
	if c.is("local", "broadcast", "multicast", "anycast", "nat") {
		c.fail("%s routes follow from addresses: they cannot be changed", c.last)
	}
	return onlink.UnicastRoute, false
}

// table takes the name or number of a table.
func (c *call) table(what string) int {
	switch {
	case c.is("main"):
		return onlink.MainTable
	case c.is("default"):
		return onlink.DefaultTable
	case c.is("local"):
		c.fail("%s local: it follows from addresses", what)
		return 0
	}
	return c.number(what, 1, math.MaxUint32)
}

// routeSpec reads a route with what is said of it: several, if there are several nexthops.
func (c *call) routeSpec() (rs []onlink.Route) {
	var r onlink.Route
	r.Type, _ = c.routeType()
	c.is("to")
	anything := c.peek() == "default" || c.peek() == "any" || c.peek() == "all"
	r.Prefix = c.network("", c.family)
	f := familyOf(r.Prefix.Addr())
	if anything {
		f = c.family // the gateway tells
	}
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("nexthop"):
			rs = append(rs, c.nexthop(r, f))
		case c.hop(&r, f), c.routeWord(&r), c.routeMetrics(&r):
		default:
			c.unknown()
		}
	}
	switch {
	case c.fault != nil:
		return nil
	case len(rs) == 0:
		rs = []onlink.Route{r}
	case r.Gateway.IsValid() || r.Interface != "":
		c.fail("nexthop: where the route leads to is said twice: with nexthop, and with via or dev")
	}
	return c.sameFamily(rs, r, anything)
}

// sameFamily gives routes to everywhere the family of their gateways, and what was said after their nexthops.
func (c *call) sameFamily(rs []onlink.Route, all onlink.Route, anything bool) []onlink.Route {
	for i := range rs {
		hop := rs[i]
		rs[i] = all
		rs[i].Gateway, rs[i].Interface, rs[i].Weight, rs[i].OnLink = hop.Gateway, hop.Interface, hop.Weight, hop.OnLink
		if g := familyOf(rs[0].Gateway); anything && g == only6 {
			rs[i].Prefix = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		} else if s := familyOf(all.Source); anything && g == both && s == only6 {
			rs[i].Prefix = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		for _, a := range [...]netip.Addr{rs[i].Gateway, rs[i].Source} {
			if a.IsValid() && familyOf(a) != familyOf(rs[i].Prefix.Addr()) {
				c.fail("route to %v: %v is not an %v address", rs[i].Prefix, a, familyOf(rs[i].Prefix.Addr()))
			}
		}
	}
	return rs
}

// hop takes a word about the next hop.
func (c *call) hop(r *onlink.Route, f family) bool {
	switch {
	case c.is("via"):
		c.is("inet", "inet6")
		r.Gateway = c.address("via", f)
		if zone := r.Gateway.Zone(); zone != "" {
			r.Gateway, r.Interface = r.Gateway.WithZone(""), zone
		}
	case c.is("dev"):
		r.Interface = c.device("dev", c.stack)
	case c.is("onlink"):
		r.OnLink = true
	default:
		return false
	}
	return true
}

// nexthop takes one of several next hops of r.
func (c *call) nexthop(r onlink.Route, f family) onlink.Route {
	r.Weight = 1
	for len(c.rest) > 0 && c.fault == nil {
		if c.is("weight") {
			r.Weight = c.number("weight", 1, 256)
		} else if !c.hop(&r, f) {
			break
		}
	}
	if c.fault == nil && !r.Gateway.IsValid() && r.Interface == "" {
		c.fail("nexthop: say where it is, with via ADDRESS or dev DEVICE")
	}
	return r
}

// routeWord takes a word about the route itself.
func (c *call) routeWord(r *onlink.Route) bool {
	switch {
	case c.is("table"):
		r.Table = c.table("table")
	case c.is("metric", "preference", "priority"):
		r.Metric = c.number(c.last, 0, math.MaxInt32)
	case c.is("src"):
		r.Source = c.address("src", both)
	case c.is("pref"):
		r.Preference = c.preference()
	case c.is("proto", "protocol"):
		if p := c.value("proto"); c.fault == nil && p != "static" && p != "boot" {
			c.fail("proto %s: routes that are added are static", p)
		}
	case c.is("scope"):
		c.scope(r)
	default:
		return false
	}
	return true
}

// scope takes a scope, which follows from whether there is a gateway.
func (c *call) scope(r *onlink.Route) {
	s := c.value("scope")
	if c.fault == nil && s != "link" && s != "global" && s != "universe" {
		c.fail("scope %s: not link or global", s)
	}
	if c.fault == nil && s == "link" && r.Gateway.IsValid() {
		c.fail("scope link: a route through a gateway is global")
	}
}

// preference takes that of a router (RFC 4191, 2.1).
func (c *call) preference() int {
	switch {
	case c.is("low"):
		return -1
	case c.is("medium"):
		return 0
	case c.is("high"):
		return 1
	}
	c.fail("pref %s: not low, medium or high", c.value("pref"))
	return 0
}

// routeMetrics takes a word about what packets by the route have.
func (c *call) routeMetrics(r *onlink.Route) bool {
	for _, m := range [...]struct {
		name string
		to   *int
		most int64
	}{{"mtu", &r.MTU, 65535}, {"hoplimit", &r.HopLimit, 255}, {"advmss", &r.AdvertisedMSS, 65535}, {"initcwnd", &r.InitialWindow, 65535}} {
		if c.is(m.name) {
			c.is("lock")
			*m.to = c.number(m.name, 1, m.most)
			return true
		}
	}
	if c.is("rto_min") {
		r.MinRTO = c.duration("rto_min")
		return true
	}
	return false
}

func showRoutes(c *call) error {
	if local, err := c.localTable(); local || err != nil {
		return err
	}
	f := c.routeFilter()
	if err := c.end(); err != nil {
		return err
	}
	groups := c.routesTaken(&f)
	list := make([]routeJSON, 0, len(groups))
	for _, g := range groups {
		list = append(list, newRouteJSON(g))
	}
	return c.print(list, func(b *bytes.Buffer) {
		for _, g := range groups {
			c.line(b, routeLines(g)...)
		}
	})
}
