package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/dhcp/dhcp6"
)

// dhcp6Flags say what a host asks DHCPv6 servers for.
type dhcp6Flags struct {
	DHCP6            bool           `help:"Ask DHCPv6 servers for addresses on every TAP at once; otherwise that is done where a router says so, by the M and O flags of its advertisements." name:"dhcp6"`
	NoDHCP6          bool           `help:"Ask no DHCPv6 server, whatever routers say." name:"no-dhcp6"`
	PrefixDelegation delegationFlag `help:"Ask DHCPv6 servers for a prefix, of LEN bits if they leave that to us; with several devices, and the one they are on. With --forward --advertise DEVICE=pd hosts get a part of it." placeholder:"[DEVICE=][LEN]" name:"prefix-delegation"`
	DUID             dhcp6.DUID     `help:"Who we are to DHCP servers, in hexadecimal digits; otherwise a UUID that is the same each time on the same TAP." name:"duid" placeholder:"HEX"`
}

// delegationFlag is --prefix-delegation, which has a value or none: "56", "tap0=56", "tap0" or nothing.
type delegationFlag struct {
	onDevice
	asked  bool
	length int // 0: not said
}

// IsBool says that the flag may stand without a value.
func (*delegationFlag) IsBool() bool { return true }

// Decode reads the value, if there is one.
func (d *delegationFlag) Decode(ctx *kong.DecodeContext) error {
	d.asked = true
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	text, ok := ctx.Scan.Pop().Value.(string)
	if !ok || text == "" {
		return errors.New("is a prefix length like 56, or a device and a length like tap0=56")
	}
	number := text
	if device, rest, found := strings.Cut(text, "="); found {
		d.device, number = device, rest
	} else if _, err := strconv.Atoi(text); err != nil {
		d.device = text
		return nil
	}
	var err error
	if d.length, err = strconv.Atoi(number); err != nil || d.length < 1 || d.length > 64 {
		return fmt.Errorf("%q is not a prefix length from 1 to 64, like 56 or tap0=56", text)
	}
	return nil
}

// check looks for what does not go together, and has the device that a prefix is asked for on listen to routers though it is one.
func (f *dhcp6Flags) check(all []*port, router *routerFlags) error {
	asks := f.DHCP6 || f.PrefixDelegation.asked
	if f.NoDHCP6 && asks {
		return usagef("--no-dhcp6 contradicts --dhcp6 and --prefix-delegation")
	}
	for _, a := range router.Advertise {
		if a.delegated && !f.PrefixDelegation.asked {
			return usagef("--advertise %v needs --prefix-delegation: there is nothing to tell hosts of otherwise", a)
		}
	}
	if !f.PrefixDelegation.asked {
		return nil
	}
	up, err := f.upstream(all, router)
	if err != nil {
		return err
	}
	if up.tun {
		return usagef("--prefix-delegation %s: DHCPv6 needs a TAP device", up.name)
	}
	if up.cfg.IPv6.RouterAdvertisements != onlink.RANever {
		up.cfg.IPv6.RouterAdvertisements = onlink.RAAlways
	}
	return nil
}

// upstream returns the device that a prefix is asked for on: the one that was named, or the only one that advertises nothing.
func (f *dhcp6Flags) upstream(all []*port, router *routerFlags) (*port, error) {
	d := f.PrefixDelegation.onDevice
	if d.device != "" {
		return d.find(all, "--prefix-delegation", f.PrefixDelegation.length)
	}
	var up *port
	for _, p := range all {
		if router.advertises(all, p) || p.tun {
			continue
		}
		if up != nil {
			return nil, usagef("--prefix-delegation: there are several devices; say which, as in --prefix-delegation=%s", up.name)
		}
		up = p
	}
	if up == nil {
		return nil, usagef("--prefix-delegation: every device advertises: say which has the server, as in --prefix-delegation=%s", all[0].name)
	}
	return up, nil
}

// dhcp6Clients are those of a host.
type dhcp6Clients struct {
	all    []*dhcp6.Client
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// start starts a client on every TAP whose host is not a router there.
func (f *dhcp6Flags) start(h *host, router *routerFlags) (*dhcp6Clients, error) {
	if f.NoDHCP6 {
		return nil, nil
	}
	ctx, cancel := context.WithCancel(h.ctx)
	c := &dhcp6Clients{cancel: cancel}
	for _, p := range h.ports {
		if p.tun || router.advertises(h.ports, p) {
			continue
		}
		cfg := f.config(h, p, router)
		client, err := dhcp6.New(h.Stack, p.iface, cfg)
		if err != nil {
			cancel()
			c.done.Wait()
			return nil, err
		}
		c.all = append(c.all, client)
		c.done.Go(func() {
			if err := client.Run(ctx); err != nil {
				fmt.Fprintln(os.Stderr, "onlink:", err)
			}
		})
	}
	return c, nil
}

// config returns what the client on p is to do.
func (f *dhcp6Flags) config(h *host, p *port, router *routerFlags) dhcp6.Config {
	cfg := dhcp6.Config{ClientID: f.duid(h), Tell: h.tellDHCP6(p)}
	if id := identity(p); len(id) > 0 {
		cfg.IAID = binary.BigEndian.Uint32(id)
	}
	if f.DHCP6 {
		cfg.Mode = dhcp6.Stateful
	}
	if up, err := f.upstream(h.ports, router); !f.PrefixDelegation.asked || err != nil || up != p {
		return cfg
	}
	cfg.Prefixes, cfg.PrefixLength = 1, f.PrefixDelegation.length
	for _, a := range router.Advertise {
		if on, err := a.find(h.ports, "--advertise", a); a.delegated && err == nil {
			cfg.Downstream = append(cfg.Downstream, dhcp6.Downstream{Interface: on.iface, Subnet: a.subnet,
				Advertise: router.template(h.ports, on)})
		}
	}
	return cfg
}

// duid returns who the host is to DHCP servers, those of IPv4 too (RFC 4361, 6.1); it has a TAP.
func (f *dhcp6Flags) duid(h *host) dhcp6.DUID {
	if len(f.DUID) > 0 {
		return f.DUID
	}
	i := slices.IndexFunc(h.ports, func(p *port) bool { return !p.tun })
	if id := identity(h.ports[i]); len(id) > 0 {
		return dhcp6.NewDUIDUUID([16]byte(id[4:]))
	}
	return dhcp6.NewDUIDLL(h.ports[i].iface.State().LinkAddr)
}

// identity returns octets that are the same each time the host is on the same TAP, and others on another one; none if that cannot be. The
// host's own link-layer address is no help, since it is another one each time; the kernel's is the device's as long as that exists.
//
// RFC 8415, 11: "the DUID used by a client or server SHOULD NOT change over time if at all possible", and RFC 9096, WPD-10, wants the same of
// an IAID.
func identity(p *port) []byte {
	kernel, err := net.InterfaceByName(p.name)
	if err != nil || len(kernel.HardwareAddr) == 0 {
		return nil
	}
	sum := sha256.Sum256(append([]byte("onlink's DHCPv6 client on "), kernel.HardwareAddr...))
	return sum[:]
}

// stop has the clients give back what they have. It is harmless on nil.
func (c *dhcp6Clients) stop() {
	if c != nil {
		c.cancel()
		c.done.Wait()
	}
}

// describe says what servers have delegated, as "; delegated 2001:db8:500::/56".
func (c *dhcp6Clients) describe() (s string) {
	if c == nil {
		return ""
	}
	for _, client := range c.all {
		for _, l := range client.State().Leases {
			if l.Kind == dhcp6.Prefixes {
				s += fmt.Sprintf("; delegated %v", l.Prefix)
			}
		}
	}
	return s
}

// tellDHCP6 makes news of what happens on p.
func (h *host) tellDHCP6(p *port) func(dhcp6.Event) {
	return func(e dhcp6.Event) {
		if text := dhcp6News(h.Runtime().Now(), &e); text != "" {
			h.news.tell(fmt.Sprintf("dhcp6 on %s: %s", p.name, text))
		}
	}
}

// dhcp6News says in a line what happened; "" if nobody needs to know. Lifetimes that are extended are not told.
func dhcp6News(now clock.Instant, e *dhcp6.Event) string {
	switch e.Kind {
	case dhcp6.LeaseAdded:
		return fmt.Sprintf("%v, preferred for %s, valid for %s", e.Lease, lasting(now, e.Lease.Preferred), lasting(now, e.Lease.Valid))
	case dhcp6.LeaseRemoved:
		return fmt.Sprintf("%v is gone: %s", e.Lease, e.Reason)
	case dhcp6.Informed:
		s := strings.TrimPrefix(listed(", name server", e.Information.DNS), ", ")
		for _, d := range e.Information.Search {
			s += ", search domain " + d
		}
		return strings.TrimPrefix(s, ", ")
	case dhcp6.Refused:
		if e.Status.Code == dhcp6.Success {
			return fmt.Sprintf("server %v offers nothing that was asked for", e.Server)
		}
		return fmt.Sprintf("server %v: %v", e.Server, e.Status)
	case dhcp6.Unanswered:
		return fmt.Sprintf("server %v does not answer %v", e.Server, e.Message)
	case dhcp6.Reconfigured:
		return fmt.Sprintf("server %v asks for %v", e.Server, e.Message)
	case dhcp6.Failed:
		return e.Reason
	}
	return ""
}

// lasting writes how long it is until an instant.
func lasting(now, at clock.Instant) string {
	if at == clock.Never {
		return "ever"
	}
	return max(at.Sub(now), 0).Round(time.Second).String()
}
