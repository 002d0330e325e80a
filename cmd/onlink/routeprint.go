package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/onlink-go/onlink"
)

// How routes are printed.

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
	j := routeJSON{To: r.Prefix.String(), Protocol: r.Protocol(), Metric: r.Metric, Flags: flagsOf(r), Expires: int(r.Expires.Seconds())}
	if r.Prefix.Addr().Is4() && r.Scope() == "link" {
		j.Scope = "link"
	}
	if r.Origin == "ra" && r.Gateway.IsValid() {
		j.Pref = map[int]string{-1: "low", 0: "medium", 1: "high"}[r.Preference]
	}
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
