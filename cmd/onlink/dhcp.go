package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dhcp/dhcp4"
	"github.com/onlink-go/onlink/dhcp/dhcp6"
)

// dhcpFlags say which devices are configured by DHCP.
type dhcpFlags struct {
	DHCP     dhcpDevices `help:"Lease an IPv4 address from a DHCP server, with routes, MTU and name servers: on every TAP device without an IPv4 --addr; --dhcp=NAME: on that one. May be repeated." name:"dhcp"`
	Hostname string      `help:"Host name to tell DHCP servers." placeholder:"NAME"`
}

// dhcpDevices is the value of --dhcp: given, and the names of devices; none: all that it goes with.
type dhcpDevices struct {
	given bool
	names []string
}

// IsBool says that --dhcp needs no value.
func (*dhcpDevices) IsBool() bool { return true }

// Decode reads one --dhcp or --dhcp=NAME.
func (d *dhcpDevices) Decode(ctx *kong.DecodeContext) error {
	d.given = true
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		d.names = append(d.names, ctx.Scan.Pop().String())
	}
	return nil
}

// ports returns the devices that are configured by DHCP.
func (f *dhcpFlags) ports(all []*port) (on []*port, err error) {
	if !f.DHCP.given {
		if f.Hostname != "" {
			return nil, usagef("--hostname needs --dhcp: it is DHCP servers that are told")
		}
		return nil, nil
	}
	if f.Hostname != "" && !dhcp4.IsName(f.Hostname) {
		return nil, usagef("--hostname %q is not a name of letters, digits and hyphens", f.Hostname)
	}
	for _, name := range f.DHCP.names {
		p, err := onDevice{name}.find(all, "--dhcp", "")
		switch {
		case err != nil:
			return nil, usagef("--dhcp=%s: no --tap or --dev is called %s", name, name)
		case p.tun:
			return nil, usagef("--dhcp=%s: DHCP needs Ethernet, and %s is a TUN device", name, name)
		case slices.Contains(on, p):
			return nil, usagef("--dhcp=%s is there twice", name)
		}
		on = append(on, p)
	}
	if len(f.DHCP.names) > 0 {
		return on, nil
	}
	for _, p := range all {
		if !p.tun && !slices.ContainsFunc(p.cfg.Addresses, func(a netip.Prefix) bool { return a.Addr().Is4() }) {
			on = append(on, p)
		}
	}
	if len(on) == 0 {
		return nil, usagef("--dhcp: no Ethernet device is without an IPv4 --addr; --dhcp=NAME says which one is meant nevertheless")
	}
	return on, nil
}

// dhcpClients are the DHCP clients of a host.
type dhcpClients struct {
	all     []*dhcp4.Client
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	errs []error
}

// start starts a client on each of the devices. They run until end, longer than h.ctx: they give their leases back.
func (f *dhcpFlags) start(h *host, on []*port, duid func(*host) dhcp6.DUID) error {
	if len(on) == 0 {
		return nil
	}
	d := &h.dhcp
	var ctx context.Context
	ctx, d.cancel = context.WithCancel(context.Background())
	for _, p := range on {
		before := ""
		if len(h.ports) > 1 {
			before = p.name + ": "
		}
		c, err := dhcp4.New(h.Stack, p.iface, dhcp4.Config{
			MachineConfig: dhcp4.MachineConfig{HostName: f.Hostname, DUID: duid(h)},
			OnEvent:       func(e dhcp4.Event) { h.news.tell(before + "DHCP: " + describeEvent(e)) },
		})
		if err != nil {
			return err
		}
		d.all = append(d.all, c)
		d.running.Go(func() {
			if err := c.Run(ctx); err != nil && h.ctx.Err() == nil {
				h.news.tell(before + "DHCP has ended: " + err.Error())
				d.fail(err)
			}
		})
	}
	return nil
}

func (d *dhcpClients) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.errs = append(d.errs, err)
}

// leave lets connections close for a while, which they need their addresses for, and gives the leases back. It returns why clients
// have ended before.
func (d *dhcpClients) leave(ctx context.Context, stack *onlink.Stack) error {
	for len(d.all) > 0 && connected(stack) && sleep(ctx, 20*time.Millisecond) == nil {
	}
	return d.end()
}

// connected reports whether stack has TCP connections that are not closed yet.
func connected(stack *onlink.Stack) bool {
	return slices.ContainsFunc(stack.Snapshot().Sockets, func(s onlink.SocketState) bool {
		return s.Network == "tcp" && s.State != "LISTEN" && s.State != "TIME-WAIT"
	})
}

// end gives the leases back. It returns why clients have ended before.
func (d *dhcpClients) end() error {
	if d.cancel != nil {
		d.cancel()
	}
	d.running.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return errors.Join(d.errs...)
}

// dhcpPatience is how long a host waits for leases before it says that it is up without: a message is sent again after four
// seconds, a server may look for three whether anybody has the address, and so does the host for seven at most.
const dhcpPatience = 20 * time.Second

// wait waits until all clients have their leases, for a while.
func (d *dhcpClients) wait(ctx context.Context) error {
	late, cancel := context.WithTimeout(ctx, dhcpPatience)
	defer cancel()
	for _, c := range d.all {
		if _, err := c.Wait(late); err != nil {
			return ctx.Err()
		}
	}
	return nil
}

// describe says what the clients have got, as "; DHCP: 192.0.2.7/24 of 192.0.2.1 for 1h0m0s, router 192.0.2.1".
func (d *dhcpClients) describe() (s string) {
	for _, c := range d.all {
		if l := c.Status().Lease; l != nil {
			s += "; DHCP: " + describeLease(l)
		} else {
			s += "; DHCP: no lease yet"
		}
	}
	return s
}

func describeEvent(e dhcp4.Event) string {
	switch e.Kind {
	case dhcp4.Acquired:
		return "leased " + describeLease(e.Lease)
	case dhcp4.Renewed:
		return "renewed " + describeLease(e.Lease)
	}
	return e.String()
}

// describeLease says what a lease gives.
func describeLease(l *dhcp4.Lease) string {
	s := fmt.Sprintf("%v of %v", l.Address, l.Server)
	if l.Duration == dhcp4.Forever {
		s += " for ever"
	} else {
		s += fmt.Sprintf(" for %v", l.Duration)
	}
	for _, r := range l.Routes {
		switch {
		case r.Prefix.Bits() == 0:
			s += fmt.Sprintf(", router %v", r.Gateway)
		case !r.Gateway.IsValid():
			s += fmt.Sprintf(", route %v on the link", r.Prefix)
		default:
			s += fmt.Sprintf(", route %v via %v", r.Prefix, r.Gateway)
		}
	}
	s += listed(", name server", l.NameServers)
	for _, d := range l.Search {
		s += ", search " + d
	}
	if l.MTU != 0 {
		s += fmt.Sprintf(", MTU %d", l.MTU)
	}
	return s
}

// waitReady waits until the addresses of all ports are verified. That another station has one that was leased is for the DHCP
// client to sort out.
func (h *host) waitReady() error {
	for _, p := range h.ports {
		err := p.iface.WaitReady(h.ctx)
		if err != nil && !(errors.Is(err, syscall.EADDRINUSE) && p.duplicatesAreLeased()) {
			return err
		}
	}
	return nil
}

// duplicatesAreLeased reports whether no other address than leased ones is another station's too.
func (p *port) duplicatesAreLeased() bool {
	return !slices.ContainsFunc(p.iface.State().Addresses, func(a onlink.AddressState) bool {
		return a.State == "duplicate" && a.Origin != "dhcp"
	})
}
