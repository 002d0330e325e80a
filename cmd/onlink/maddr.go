package main

import (
	"bytes"
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

var maddrObject = object{"maddr", `onlink maddr [show] [dev DEVICE]
onlink maddr {add | del} GROUP dev DEVICE
onlink maddr monitor
With -d, in which protocol the link is told of a group, and which sources are heard.`,
	[]objectVerb{
		{"show list lst ls", false, showGroups},
		{"add", true, func(c *call) error { return c.changeGroup((*onlink.Interface).AddGroup) }},
		{"delete", true, func(c *call) error { return c.changeGroup((*onlink.Interface).RemoveGroup) }},
		{"monitor", false, monitorOf("maddr")},
	}}

// maddrJSON is an interface with its groups as ip -j maddr has them.
type maddrJSON struct {
	Index  int         `json:"ifindex"`
	Name   string      `json:"ifname"`
	Groups []groupJSON `json:"maddr"`
}

type groupJSON struct {
	Link     string   `json:"link,omitempty"` // a link-layer address that is received; then there is nothing else
	Family   string   `json:"family,omitempty"`
	Addr     string   `json:"address,omitempty"`
	Users    int      `json:"users,omitempty"`
	Protocol string   `json:"protocol,omitempty"`
	Filter   string   `json:"filter,omitempty"` // include or exclude the sources
	Sources  []string `json:"sources,omitempty"`
}

func newGroupJSON(g *onlink.GroupState) groupJSON {
	j := groupJSON{Family: "inet6", Addr: g.Group.String(), Users: g.Users, Protocol: g.Protocol}
	if g.Group.Is4() {
		j.Family = "inet"
	}
	for _, s := range g.Sources {
		j.Filter = map[bool]string{true: "exclude", false: "include"}[g.Exclude]
		j.Sources = append(j.Sources, s.String())
	}
	return j
}

func showGroups(c *call) error {
	all := c.interfaces(nil)
	if c.fault != nil {
		return c.fault
	}
	groups := c.stack.Snapshot().Groups
	list := []maddrJSON{}
	for k := range all {
		list = append(list, maddrJSON{all[k].Index, all[k].Name, c.groupsOn(&all[k], groups)})
	}
	return c.print(list, func(b *bytes.Buffer) {
		for _, m := range list {
			lines := []string{fmt.Sprintf("%d:\t%s", m.Index, m.Name)}
			for _, g := range m.Groups {
				lines = append(lines, g.line(c.Details))
			}
			c.line(b, lines...)
		}
	})
}

// groupsOn lists those of groups that are on i: the link-layer addresses, then the groups.
func (c *call) groupsOn(i *onlink.InterfaceState, groups []onlink.GroupState) []groupJSON {
	links, addrs := []groupJSON{}, []groupJSON{}
	seen := make(map[string]bool)
	for _, g := range groups {
		if g.Interface != i.Name {
			continue
		}
		if mac := wire.AddrFrom(g.Group).MulticastMAC().String(); i.LinkAddr != (wire.MAC{}) && !seen[mac] && c.family == both {
			seen[mac] = true
			links = append(links, groupJSON{Link: mac})
		}
		if c.family.has(g.Group) {
			addrs = append(addrs, newGroupJSON(&g))
		}
	}
	return append(links, addrs...)
}

// line writes a group.
func (g *groupJSON) line(details bool) string {
	if g.Link != "" {
		return "\tlink  " + g.Link
	}
	s := fmt.Sprintf("\t%-5s %s", g.Family, g.Addr)
	if g.Users > 1 {
		s += fmt.Sprintf(" users %d", g.Users)
	}
	if details {
		s += " " + g.Protocol
	}
	if details && g.Filter != "" {
		s += fmt.Sprintf(" %s %v", g.Filter, g.Sources)
	}
	return s
}

// changeGroup adds or removes a group.
func (c *call) changeGroup(change func(*onlink.Interface, netip.Addr) error) error {
	var group netip.Addr
	device := ""
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("dev"):
			device = c.device("dev", c.stack)
		case c.is("address") || !group.IsValid() && didYouMean(c.peek(), c.known) == "":
			group = c.address("", c.family)
			if c.fault == nil && !group.IsMulticast() {
				c.fail("%v: not a multicast group, like 233.252.0.1 or ff05::db8:1", group)
			}
		default:
			c.unknown()
		}
	}
	switch {
	case c.fault != nil:
	case !group.IsValid():
		c.fail("maddr: say which group, as in maddr add ff05::db8:1 dev DEVICE")
	case device == "":
		c.fail("group %v: say on which device, with dev DEVICE", group)
	}
	if c.fault != nil {
		return c.fault
	}
	return change(c.stack.Interface(device), group)
}
