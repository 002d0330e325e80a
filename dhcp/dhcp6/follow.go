package dhcp6

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink"
)

// ended is a context that is done: with it Next takes what there is.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// follow heeds what has changed on the stack since the last time.
func (c *Client) follow() {
	now := c.rt.Now()
	prefixes := false
	for {
		change, err := c.sub.Next(ended)
		if err == onlink.ErrOverrun {
			continue // the state is looked at as a whole below
		}
		if errors.Is(err, net.ErrClosed) {
			c.gone = err
		}
		if err != nil {
			break
		}
		prefixes = prefixes || c.isPrefix(&change)
	}
	state := c.iface.State()
	if state.Index == 0 && c.gone == nil {
		c.gone = syscall.ENODEV
		c.m.Release(now) // what is on other interfaces, and routes; nobody can be told
	}
	duplicates := c.duplicates(&state)
	was, linkLocal := c.up, c.linkLocal
	c.findLinkLocal(&state)
	switch {
	case !c.up:
	case !was && c.begun:
		c.m.LinkChanged(now)
	case was && linkLocal != c.linkLocal:
		c.m.AddressChanged(now)
	}
	if len(duplicates) > 0 {
		c.m.Decline(now, duplicates...)
	}
	c.start(&state)
	if prefixes {
		c.m.PrefixesChanged(now)
	}
	c.act(now)
}

// isPrefix reports whether a change is one of the prefixes that routers tell of on the interface.
func (c *Client) isPrefix(change *onlink.Change) bool {
	r := change.Route
	return r != nil && change.On == c.iface.Name() && change.Op != onlink.Changed && r.Origin == "ra" && !r.Gateway.IsValid()
}

// duplicates returns those of the leased addresses that another node has.
func (c *Client) duplicates(state *onlink.InterfaceState) (all []netip.Addr) {
	for _, a := range state.Addresses {
		if addr := a.Prefix.Addr(); a.State == "duplicate" && c.addresses[addr] {
			all = append(all, addr)
		}
	}
	return all
}

// findLinkLocal finds out whether messages can be sent, and from where: clients send from a link-local address (RFC 8415, 5).
func (c *Client) findLinkLocal(state *onlink.InterfaceState) {
	c.up = false
	for _, a := range state.Addresses {
		addr := a.Prefix.Addr()
		if !state.Up || !addr.IsLinkLocalUnicast() || !addr.Is6() || a.State != "preferred" && a.State != "deprecated" {
			continue
		}
		c.up, c.linkLocal = true, addr
		return
	}
}

// start starts the machine as the mode and the routers say.
func (c *Client) start(state *onlink.InterfaceState) {
	c.managed = c.managed || state.Learned.Managed
	c.other = c.other || state.Learned.Other
	managed, other := c.managed, c.managed || c.other
	switch c.cfg.Mode {
	case Stateful:
		managed, other = true, true
	case Stateless:
		managed, other = false, true
	}
	if !c.up || !other || c.ending || c.gone != nil {
		return
	}
	var wants []Want
	if managed {
		wants = c.wantAddresses()
	}
	if c.cfg.Mode != Stateless {
		wants = append(wants, c.wantPrefixes()...)
	}
	if c.gone = c.open(); c.gone == nil {
		c.begun = true
		c.m.Start(c.rt.Now(), wants)
	}
}

// wantAddresses are the associations of addresses.
func (c *Client) wantAddresses() (wants []Want) {
	n := c.cfg.Addresses
	if n == 0 {
		n = 1
	}
	for k := range max(n, 0) {
		wants = append(wants, Want{Kind: Addresses, ID: c.cfg.IAID + uint32(k)})
	}
	if c.cfg.Temporary {
		wants = append(wants, Want{Kind: TemporaryAddresses, ID: c.cfg.IAID})
	}
	return wants
}

// wantPrefixes are the associations of prefixes.
func (c *Client) wantPrefixes() (wants []Want) {
	n := c.cfg.Prefixes
	if n == 0 && (c.cfg.PrefixLength > 0 || len(c.cfg.Downstream) > 0) {
		n = 1
	}
	for k := range max(n, 0) {
		w := Want{Kind: Prefixes, ID: c.cfg.IAID + uint32(k)}
		if c.cfg.PrefixLength > 0 {
			w.Hints = []netip.Prefix{netip.PrefixFrom(netip.IPv6Unspecified(), c.cfg.PrefixLength)}
		}
		wants = append(wants, w)
	}
	return wants
}
