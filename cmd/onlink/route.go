package main

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

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

// routeJSON is a route as ip -j route has it.
type routeJSON struct {
	Type     string        `json:"type,omitempty"`
	To       string        `json:"dst"`
	From     string        `json:"from,omitempty"` // with get
	Gateway  string        `json:"gateway,omitempty"`
	Device   string        `json:"dev,omitempty"`
	Table    string        `json:"table,omitempty"`
	Protocol string        `json:"protocol,omitempty"`
	Scope    string        `json:"scope,omitempty"`
	Source   string        `json:"prefsrc,omitempty"`
	Metric   int           `json:"metric,omitempty"`
	Flags    []string      `json:"flags"`
	Metrics  []metricsJSON `json:"metrics,omitempty"`
	Expires  int           `json:"expires,omitempty"`
	Pref     string        `json:"pref,omitempty"`
	Hops     []hopJSON     `json:"nexthops,omitempty"`
}

type metricsJSON struct {
	MTU      int   `json:"mtu,omitempty"`
	MSS      int   `json:"advmss,omitempty"`
	HopLimit int   `json:"hoplimit,omitempty"`
	Window   int   `json:"initcwnd,omitempty"`
	MinRTO   int64 `json:"rto_min,omitempty"` // milliseconds
}

type hopJSON struct {
	Gateway string   `json:"gateway,omitempty"`
	Device  string   `json:"dev,omitempty"`
	Weight  int      `json:"weight"`
	Flags   []string `json:"flags"`
}

// newRouteJSON converts a route, of which there may be several that share the flows.
func newRouteJSON(rs []onlink.Route) routeJSON {
	r := &rs[0]
	text := r.String()
	j := routeJSON{To: r.Prefix.String(), Protocol: textAfter(text, " proto "), Scope: textAfter(text, " scope "), Metric: r.Metric, Flags: flagsOf(r),
		Expires: int(r.Expires.Seconds()), Pref: textAfter(text, " pref ")}
	if r.Prefix.Bits() == 0 {
		j.To = "default"
	} else if r.Prefix.IsSingleIP() {
		j.To = r.Prefix.Addr().String()
	}
	if r.Type != onlink.UnicastRoute {
		j.Type = r.Type.String()
	}
	if r.Table != onlink.MainTable {
		j.Table = tableName(r.Table)
	}
	if r.Source.IsValid() {
		j.Source = r.Source.String()
	}
	if m := (metricsJSON{r.MTU, r.AdvertisedMSS, r.HopLimit, r.InitialWindow, r.MinRTO.Milliseconds()}); m != (metricsJSON{}) {
		j.Metrics = []metricsJSON{m}
	}
	if len(rs) == 1 {
		j.Gateway, j.Device = gatewayName(r), r.Interface
		return j
	}
	j.Flags = []string{}
	for k := range rs {
		j.Hops = append(j.Hops, hopJSON{gatewayName(&rs[k]), rs[k].Interface, rs[k].Weight, flagsOf(&rs[k])})
	}
	return j
}

func flagsOf(r *onlink.Route) []string {
	if r.OnLink {
		return []string{"onlink"}
	}
	return []string{}
}

func gatewayName(r *onlink.Route) string {
	if !r.Gateway.IsValid() {
		return ""
	}
	return r.Gateway.String()
}

// textAfter returns the word behind what in a line.
func textAfter(line, what string) string {
	_, after, _ := strings.Cut(line+" ", what)
	word, _, _ := strings.Cut(after, " ")
	return word
}

func tableName(n int) string {
	switch n {
	case onlink.MainTable:
		return "main"
	case onlink.DefaultTable:
		return "default"
	}
	return strconv.Itoa(n)
}

// routeLines writes a route, or several that share the flows, the next hops a line each.
func routeLines(rs []onlink.Route) []string {
	if len(rs) == 1 {
		return []string{singleIP(&rs[0])}
	}
	all := rs[0]
	all.Gateway, all.Interface, all.Weight, all.OnLink = netip.Addr{}, "", 0, false
	lines := []string{strings.Replace(singleIP(&all), " scope link", "", 1)}
	for _, r := range rs {
		hop := "\tnexthop"
		if r.Gateway.IsValid() {
			hop += " via " + r.Gateway.String()
		}
		if r.OnLink {
			r.Interface += " onlink"
		}
		lines = append(lines, fmt.Sprintf("%s dev %s weight %d", hop, r.Interface, r.Weight))
	}
	return lines
}

// singleIP writes r as ip does: the length of a single address's prefix is left out.
func singleIP(r *onlink.Route) string {
	if r.Prefix.IsSingleIP() {
		return strings.Replace(r.String(), r.Prefix.String(), r.Prefix.Addr().String(), 1)
	}
	return r.String()
}

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
		same(f.metric, r.Metric == f.Metric) && same(f.proto != "", textAfter(r.String(), " proto ") == f.proto) &&
		same(f.scope != "", scopeOf(r) == f.scope)
}

// scopeOf returns the scope of a route; what has none written is global.
func scopeOf(r *onlink.Route) string {
	if s := textAfter(r.String(), " scope "); s != "" {
		return s
	}
	return "global"
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
