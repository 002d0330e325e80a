package dhcp4

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/onlink-go/onlink"
)

// configure uses what the lease has beside the address, and no more what an earlier one had.
func (c *Client) configure() {
	if c.udp == nil {
		if err := c.openUDP(c.bound.lease.Address.Addr()); err != nil {
			c.trouble(err)
		}
	}
	c.configureMTU()
	c.configureRoutes(c.wantedRoutes())
	c.configureNames()
}

// unconfigure takes everything away.
func (c *Client) unconfigure() {
	b := &c.bound
	if b.lease == nil {
		return
	}
	c.configureRoutes(nil)
	if b.names {
		c.drop(c.ifi.SetNameServersOf(origin, nil, nil))
	}
	if b.mtu != 0 {
		c.drop(c.ifi.SetMTU(b.mtu))
	}
	c.closeUDP()
	if b.own {
		c.drop(c.ifi.RemoveAddress(b.lease.Address.Addr()))
	}
	c.bound = binding{}
}

// drop tells of an error in taking something away, unless it is gone already: the stack ends an address by itself when its time is
// over, and an interface that is gone has nothing.
func (c *Client) drop(err error) {
	if err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.ENODEV) && !errors.Is(err, syscall.ESRCH) {
		c.trouble(err)
	}
}

// wantedRoutes returns the routes of the lease as the stack is to have them: those on the link first, for gateways to be reached by.
func (c *Client) wantedRoutes() []onlink.Route {
	l := c.bound.lease
	reached := []netip.Prefix{l.Address.Masked()}
	var direct, others []onlink.Route
	add := func(list *[]onlink.Route, p netip.Prefix, gateway netip.Addr) {
		r := onlink.Route{Prefix: p, Gateway: gateway, Interface: c.ifi.Name(), Metric: c.cfg.Metric, MTU: c.routeMTU(), Origin: "dhcp"}
		if !slices.Contains(*list, r) {
			*list = append(*list, r)
		}
	}
	for _, r := range l.Routes {
		if !r.Gateway.IsValid() {
			reached = append(reached, r.Prefix)
			add(&direct, r.Prefix, r.Gateway)
		}
	}
	for _, r := range l.Routes {
		g := r.Gateway
		if !g.IsValid() {
			continue
		}
		// Servers that give out addresses with a mask of 32 bits mean that the router is on the link, without saying so.
		if !slices.ContainsFunc(reached, func(p netip.Prefix) bool { return p.Contains(g) }) {
			add(&direct, netip.PrefixFrom(g, 32), netip.Addr{})
		}
		add(&others, r.Prefix, g)
	}
	return append(direct, others...)
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
