package onlink

import (
	"fmt"
	"strings"
	"time"
)

// How the things of a Snapshot are written: as the commands of iproute2 print them, for those who know these.

// Line writes the interface as ip -o link does: "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP link/ether
// 02:00:00:00:00:01".
func (i InterfaceState) Line() string {
	kind := "link/none"
	switch {
	case i.Loopback:
		kind = "link/loopback"
	case i.LinkAddr != [6]byte{}:
		kind = "link/ether " + i.LinkAddr.String()
	}
	vrf := ""
	if i.VRF != 0 {
		vrf = fmt.Sprintf(" vrf %d", i.VRF)
	}
	return fmt.Sprintf("%d: %s: <%s> mtu %d%s state %s %s", i.Index, i.Name, strings.Join(i.Flags(), ","), i.MTU, vrf, i.OperState(), kind)
}

// Flags returns what the interface is, in the words of ip-link(8): BROADCAST, MULTICAST, UP, LOWER_UP.
func (i InterfaceState) Flags() (flags []string) {
	add := func(on bool, f ...string) {
		if on {
			flags = append(flags, f...)
		}
	}
	add(!i.Down && !i.Up, "NO-CARRIER")
	add(i.Loopback, "LOOPBACK")
	add(!i.Loopback && i.LinkAddr != [6]byte{}, "BROADCAST", "MULTICAST")
	add(!i.Loopback && i.LinkAddr == [6]byte{}, "POINTOPOINT", "NOARP")
	add(!i.Down, "UP")
	add(i.Up, "LOWER_UP")
	return flags
}

// OperState returns the interface's operational state (RFC 2863): UP, DOWN, or UNKNOWN for "lo".
func (i InterfaceState) OperState() string {
	switch {
	case i.Loopback:
		return "UNKNOWN"
	case i.Up:
		return "UP"
	}
	return "DOWN"
}

// String writes the interface's Line, and below it a line for each of its addresses.
func (i InterfaceState) String() string {
	var b strings.Builder
	b.WriteString(i.Line())
	for _, a := range i.Addresses {
		b.WriteString("\n    " + a.String())
	}
	return b.String()
}

// String writes the address as ip-address(8) does: "inet6 2001:db8::1/64 scope global dynamic valid_lft 86400sec
// preferred_lft 14400sec".
func (a AddressState) String() string {
	var b strings.Builder
	family := "inet6"
	if a.Prefix.Addr().Is4() {
		family = "inet"
	}
	fmt.Fprintf(&b, "%s %v scope %s", family, a.Prefix, a.Scope())
	for _, f := range [...]struct {
		on   bool
		name string
	}{{a.State == "tentative", "tentative"}, {a.State == "duplicate", "dadfailed tentative"}, {a.State == "deprecated", "deprecated"},
		{a.Optimistic, "optimistic"}, {a.Anycast, "anycast"}, {a.Temporary, "temporary"}, {a.Dynamic(), "dynamic"},
		{a.NoDAD, "nodad"}, {a.NoPrefixRoute, "noprefixroute"}} {
		if f.on {
			b.WriteString(" " + f.name)
		}
	}
	fmt.Fprintf(&b, " valid_lft %s preferred_lft %s", lifetime(a.Valid), lifetime(a.Preferred))
	return b.String()
}

// Dynamic reports whether the address does not just stay: it has a lifetime, or comes from a router or a DHCP server.
func (a AddressState) Dynamic() bool {
	return a.Valid != Forever || a.Origin == "slaac" || a.Origin == "dhcp"
}

// Scope returns the name that iproute2 has for the address's scope: "global", "link" or "host".
func (a AddressState) Scope() string {
	switch ip := a.Prefix.Addr(); {
	case ip.IsLoopback():
		return "host"
	case ip.IsLinkLocalUnicast():
		return "link"
	}
	return "global"
}

func lifetime(d time.Duration) string {
	if d == Forever {
		return "forever"
	}
	return fmt.Sprintf("%dsec", d/time.Second)
}

// preferenceName returns the name of a router's preference (RFC 4191, 2.1).
func preferenceName(p int) string {
	return map[int]string{-1: "low", 0: "medium", 1: "high"}[p]
}

// String writes the route as ip-route(8) does: "default via fe80::1 dev eth0 proto ra metric 1024 expires 1800sec pref
// medium".
func (r Route) String() string {
	var b strings.Builder
	if r.Type != UnicastRoute {
		b.WriteString(r.Type.String() + " ")
	}
	if r.Prefix.Bits() == 0 {
		b.WriteString("default")
	} else {
		b.WriteString(r.Prefix.String())
	}
	word := func(on bool, format string, v any) {
		if on {
			fmt.Fprintf(&b, " "+format, v)
		}
	}
	word(r.Gateway.IsValid(), "via %v", r.Gateway)
	word(r.Interface != "", "dev %s", r.Interface)
	word(r.OnLink, "%s", "onlink")
	word(r.Table != 0 && r.Table != MainTable, "table %d", r.Table)
	word(r.Origin != "", "proto %s", r.Protocol())
	word(r.Prefix.Addr().Is4() && r.Scope() == "link", "scope %s", "link")
	word(r.Source.IsValid(), "src %v", r.Source)
	word(r.Metric != 0, "metric %d", r.Metric)
	word(r.Weight != 0, "weight %d", r.Weight)
	word(r.MTU != 0, "mtu %d", r.MTU)
	word(r.HopLimit != 0, "hoplimit %d", r.HopLimit)
	word(r.AdvertisedMSS != 0, "advmss %d", r.AdvertisedMSS)
	word(r.InitialWindow != 0, "initcwnd %d", r.InitialWindow)
	word(r.MinRTO != 0, "rto_min %v", r.MinRTO)
	word(r.Expires != 0, "expires %s", lifetime(r.Expires))
	word(r.Origin == "ra" && r.Gateway.IsValid(), "pref %s", preferenceName(r.Preference))
	return b.String()
}

// Protocol returns the name that iproute2 has for the route's origin: "kernel" for one that follows from an address.
func (r Route) Protocol() string {
	if r.Origin == "connected" {
		return "kernel"
	}
	return r.Origin
}

// Scope returns the name that iproute2 has for the route's scope: "link" if its destinations are on the link, else "global".
func (r Route) Scope() string {
	if r.Type == UnicastRoute && !r.Gateway.IsValid() {
		return "link"
	}
	return "global"
}

// String writes the rule as ip-rule(8) does: "100: from 10.0.0.0/8 fwmark 0x1 lookup 7".
func (r Rule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:", r.Priority)
	word := func(on bool, format string, v ...any) {
		if on {
			fmt.Fprintf(&b, " "+format, v...)
		}
	}
	word(r.Not, "not")
	word(r.From.IsValid(), "from %v", r.From)
	word(!r.From.IsValid(), "from all")
	word(r.To.IsValid(), "to %v", r.To)
	word(r.TrafficClass != 0, "tos %#x", r.TrafficClass)
	word(r.Mark != 0 && (r.Mask == 0 || r.Mask == ^uint32(0)), "fwmark %#x", r.Mark)
	word(r.Mask != 0 && r.Mask != ^uint32(0), "fwmark %#x/%#x", r.Mark, r.Mask)
	word(r.In != "", "iif %s", r.In)
	word(r.Out != "", "oif %s", r.Out)
	if r.Action != LookupTable {
		return b.String() + " " + r.Action.String()
	}
	return b.String() + " lookup " + tableName(r.Table)
}

func tableName(n int) string {
	switch n {
	case MainTable:
		return "main"
	case DefaultTable:
		return "default"
	}
	return fmt.Sprint(n)
}

// String writes the line as ip-addrlabel(8) does, with the precedence: "prefix ::/0 precedence 40 label 1".
func (e PolicyEntry) String() string {
	return fmt.Sprintf("prefix %v precedence %d label %d", e.Prefix, e.Precedence, e.Label)
}

// String writes the router, its preference and lifetime: "fe80::1%eth0 pref medium lifetime 1800sec".
func (r RouterState) String() string {
	return fmt.Sprintf("%v pref %s lifetime %s", r.Addr, preferenceName(r.Preference), lifetime(r.Lifetime))
}

// String writes the gateway: "192.0.2.1 dev eth0 reachable".
func (g GatewayState) String() string {
	return fmt.Sprintf("%v dev %s %s", g.Addr, g.Interface, g.State)
}
