package dhcp4

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/onlink-go/onlink"
)

// wantedRoutes returns the routes of the lease as the stack is to have them.
func (c *Client) wantedRoutes() (all []onlink.Route) {
	l := c.bound.lease
	onLink := []netip.Prefix{l.Address.Masked()}
	for _, r := range l.Routes {
		if !r.Gateway.IsValid() {
			onLink = append(onLink, r.Prefix)
		}
	}
	add := func(r onlink.Route) {
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	for _, r := range l.Routes {
		o := onlink.Route{Prefix: r.Prefix, Gateway: r.Gateway, Interface: c.ifi.Name(), Metric: c.cfg.Metric, MTU: c.routeMTU(), Origin: "dhcp"}
		// Servers that give out addresses with a mask of 32 bits mean that the router is on the link, without saying so.
		if g := r.Gateway; g.IsValid() && !slices.ContainsFunc(onLink, func(p netip.Prefix) bool { return p.Contains(g) }) {
			direct := o
			direct.Prefix, direct.Gateway = netip.PrefixFrom(g, 32), netip.Addr{}
			add(direct)
		}
		add(o)
	}
	slices.SortStableFunc(all, func(a, b onlink.Route) int { // those on the link first, for gateways to be reached by
		return boolToInt(a.Gateway.IsValid()) - boolToInt(b.Gateway.IsValid())
	})
	return all
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// configureRoutes makes the routes those wanted.
func (c *Client) configureRoutes(wanted []onlink.Route) {
	b := &c.bound
	for _, r := range slices.Backward(slices.Clone(b.routes)) {
		if !slices.Contains(wanted, r) {
			c.drop(c.stack.RemoveRoute(r))
			b.routes = slices.DeleteFunc(b.routes, func(o onlink.Route) bool { return o == r })
		}
	}
	for _, r := range wanted {
		if slices.Contains(b.routes, r) {
			continue
		}
		if err := c.stack.AddRoute(r); err != nil {
			c.trouble(err)
			continue
		}
		b.routes = append(b.routes, r)
	}
}

// least6 is the least MTU that IPv6 goes with (RFC 8200, 5).
const least6 = 1280

// routeMTU returns the MTU that routes are to have because the interface cannot: with less than IPv6 needs it would have none.
func (c *Client) routeMTU() int {
	if m := c.bound.lease.MTU; m < least6 && !c.ifi.State().NoIPv6 {
		return m
	}
	return 0
}

// configureMTU makes the MTU of the interface what the server says, if it is less than that was.
func (c *Client) configureMTU() {
	b, now := &c.bound, c.ifi.State().MTU
	before := now
	if b.mtu != 0 {
		before = b.mtu
	}
	wanted := b.lease.MTU
	switch {
	case wanted > before:
		c.trouble(fmt.Errorf("MTU %d of the server is more than %d, that of %s: left as it is", wanted, before, c.ifi.Name()))
		wanted = before
	case wanted == 0 || c.routeMTU() != 0:
		wanted = before
	}
	if wanted == now {
		return
	}
	if err := c.ifi.SetMTU(wanted); err != nil {
		c.trouble(err)
		return
	}
	if b.mtu = before; wanted == before {
		b.mtu = 0
	}
}

// configureNames makes the name servers those of the lease.
func (c *Client) configureNames() {
	l := c.bound.lease
	var servers []netip.AddrPort
	for _, a := range l.NameServers {
		servers = append(servers, netip.AddrPortFrom(a, 0))
	}
	if len(servers) == 0 && len(l.Search) == 0 && !c.bound.names {
		return
	}
	if err := c.ifi.SetNameServersOf(origin, servers, l.Search); err != nil {
		c.trouble(err)
		return
	}
	c.bound.names = true
}
