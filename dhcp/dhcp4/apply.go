package dhcp4

import (
	"errors"
	"syscall"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
)

// binding is what a client has configured on its interface.
type binding struct {
	lease  *Lease // nil: nothing
	own    bool   // the address was added, rather than found there
	ready  bool   // the address has been found to be nobody else's; what follows is configured
	routes []onlink.Route
	mtu    int // of the interface before; 0: it was not changed
	names  bool
}

// inUse returns the lease that is in use, or nil.
func (b *binding) inUse() *Lease {
	if !b.ready {
		return nil
	}
	return b.lease
}

// origin is what the stack knows the client's name servers by.
const origin = "dhcp4"

// follow does what an event of the machine asks for, and tells of it.
func (c *Client) follow(now clock.Instant, e Event) {
	if e.Lease != nil && e.Kind != Lost {
		c.date(now, e.Lease)
	}
	switch e.Kind {
	case Acquired:
		c.acquire(now, e.Lease)
		return // it is told of when the address is in use
	case Renewed:
		c.renewed(now, e.Lease)
	case Lost:
		c.unconfigure()
	case Learned:
		c.bound = binding{lease: e.Lease, ready: true}
		c.configureNames()
		if err := c.openUDP(c.cfg.Inform); err != nil {
			c.trouble(err)
		}
	}
	c.tell(e)
}

func (c *Client) tell(e Event) {
	if c.cfg.OnEvent != nil {
		c.cfg.OnEvent(e)
	}
}

// trouble tells of something in a lease that cannot be used.
func (c *Client) trouble(err error) {
	c.tell(Event{Kind: Failed, Reason: err.Error()})
}

// date notes in a new lease when it began.
func (c *Client) date(now clock.Instant, l *Lease) {
	l.Acquired = c.rt.Wall()
	if _, _, _, end := c.machine.Lease(); end != clock.Never {
		l.Acquired = l.Acquired.Add(end.Sub(now) - l.Duration)
	}
}

// lifetime returns what remains of the lease, for the address; 0: for ever.
func (c *Client) lifetime(now clock.Instant) time.Duration {
	if _, _, _, end := c.machine.Lease(); end != clock.Never {
		return max(end.Sub(now), 1)
	}
	return 0
}

// acquire gives the interface the address of a new lease.
func (c *Client) acquire(now clock.Instant, l *Lease) {
	c.bound = binding{lease: l, own: true}
	err := c.ifi.AddAddressWith(l.Address, onlink.AddressOptions{Valid: c.lifetime(now), Detect: !c.cfg.NoProbe, Leased: true})
	switch {
	case errors.Is(err, syscall.EEXIST):
		c.bound.own = false // somebody has configured it, and will remove it
	case err != nil:
		c.machine.Conflict(now, err.Error())
		return
	}
	c.verify(now)
}

// verify looks whether the address of the lease can be used, which may also end after it began.
//
// RFC 2131, 4.4.1: "The client SHOULD perform a check on the suggested address to ensure that the address is not already in use."
// "If the network address appears to be in use, the client MUST send a DHCPDECLINE message to the server."
func (c *Client) verify(now clock.Instant) {
	if c.bound.lease == nil || !c.bound.lease.Address.IsValid() {
		return
	}
	switch c.addressState() {
	case "duplicate":
		c.machine.Conflict(now, "another station has the address")
	case "preferred", "deprecated":
		if !c.bound.ready {
			c.bound.ready = true
			c.configure()
			c.tell(Event{Kind: Acquired, Lease: c.bound.lease})
		}
	}
}

// addressState returns how the stack sees the address of the lease; "" if it does not have it.
func (c *Client) addressState() string {
	for _, a := range c.ifi.State().Addresses {
		if a.Prefix.Addr() == c.bound.lease.Address.Addr() {
			return a.State
		}
	}
	return ""
}

// renewed follows a renewal.
func (c *Client) renewed(now clock.Instant, l *Lease) {
	c.bound.lease = l
	if c.bound.own {
		err := c.ifi.ChangeAddress(l.Address.Addr(), onlink.AddressOptions{Valid: c.lifetime(now)})
		if err != nil {
			c.trouble(err)
		}
	}
	if c.bound.ready {
		c.configure()
	}
}
