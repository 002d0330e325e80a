package dhcp6

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
)

// origin is who tells the stack of name servers.
const origin = "dhcp6"

// handle does what an event says.
func (c *Client) handle(now clock.Instant, e *Event) {
	switch e.Kind {
	case LeaseAdded, LeaseChanged:
		if e.Lease.Kind == Prefixes {
			c.downstream.have(now, e.Lease)
		} else {
			c.setAddress(now, e.Lease)
		}
	case LeaseRemoved:
		if e.Lease.Kind == Prefixes {
			c.downstream.lost(now, e.Lease)
		} else {
			c.removeAddress(e.Lease)
		}
	case Informed:
		c.setNameServers(e.Information)
		c.downstream.dirty = len(c.downstream.live) > 0
	}
}

// setAddress gives the interface a leased address, or an address that it has other lifetimes.
//
// RFC 8415, 18.2.10.1: "Addresses obtained from an IA_NA or IA_TA MUST NOT be used to form an implicit prefix with a length other than
// 128." The stack does duplicate address detection.
func (c *Client) setAddress(now clock.Instant, l Lease) {
	opt := options(now, l)
	opt.Temporary = l.Kind == TemporaryAddresses
	addr := l.Prefix.Addr()
	var err error
	if c.addresses[addr] {
		err = c.iface.ChangeAddress(addr, opt)
	}
	if !c.addresses[addr] || errors.Is(err, syscall.EADDRNOTAVAIL) { // somebody removed it
		err = c.iface.AddAddressWith(netip.PrefixFrom(addr, 128), opt)
	}
	if err != nil {
		c.failed("address "+addr.String(), err)
		return
	}
	c.addresses[addr] = true
}

// options are those of an address of a lease.
func options(now clock.Instant, l Lease) onlink.AddressOptions {
	opt := onlink.AddressOptions{Leased: true}
	if l.Valid != clock.Never {
		opt.Valid = max(l.Valid.Sub(now), time.Second)
	}
	switch {
	case l.Preferred <= now:
		opt.Preferred = -1
	case l.Preferred != clock.Never:
		opt.Preferred = l.Preferred.Sub(now)
	}
	return opt
}

// removeAddress takes a leased address from the interface. That its time was over there too, or somebody removed it, is no matter.
func (c *Client) removeAddress(l Lease) {
	addr := l.Prefix.Addr()
	if !c.addresses[addr] {
		return
	}
	delete(c.addresses, addr)
	if err := c.iface.RemoveAddress(addr); err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.ENODEV) {
		c.failed("address "+addr.String(), err)
	}
}

// setNameServers tells the stack whom to ask for names. Domains that make no sense are left out, rather than the servers with them.
func (c *Client) setNameServers(info *Information) {
	var servers []netip.AddrPort
	for _, a := range info.DNS {
		servers = append(servers, netip.AddrPortFrom(a, 53))
	}
	err := c.iface.SetNameServersOf(origin, servers, info.Search)
	if errors.Is(err, syscall.EINVAL) && len(info.Search) > 0 {
		c.failed("search domains", err)
		err = c.iface.SetNameServersOf(origin, servers, nil)
	}
	if err != nil && !errors.Is(err, syscall.ENODEV) {
		c.failed("name servers", err)
	}
}

// failed tells that the stack did not take something.
func (c *Client) failed(what string, err error) {
	c.tell(Event{Kind: Failed, Reason: what + ": " + err.Error()})
}
