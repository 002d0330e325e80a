package main

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/onlink-go/onlink"
)

// routerFlags say how a host is a router.
type routerFlags struct {
	Forward           bool            `help:"Be a router: send on what is for others."`
	Advertise         []advertisement `help:"Tell hosts on DEVICE that this is their router, and that PREFIX is theirs to take addresses from; \"none\" tells of no prefix. May be repeated; needs --forward." placeholder:"[DEVICE=]PREFIX"`
	AdvertiseInterval time.Duration   `help:"Tell them so at least this often, from 4s to 30m." placeholder:"DURATION" name:"advertise-interval"`
	AdvertiseMTU      int             `help:"And that no packet on the link may have more octets." placeholder:"OCTETS" name:"advertise-mtu"`
	AdvertiseDNS      []nameServer6   `help:"And that this is a name server; may be repeated." placeholder:"ADDR" name:"advertise-dns"`
	Preference        preference      `help:"And that this router is to be preferred to others: high, medium or low." placeholder:"LEVEL" name:"advertise-preference"`
}

// advertisement is a prefix that hosts are told of, written "2001:db8::/64", "tap0=2001:db8::/64" or "tap0=none".
type advertisement struct {
	onDevice
	netip.Prefix // not valid: none
}

// UnmarshalText reads "2001:db8::/64", "tap0=2001:db8::/64" or "none".
func (a *advertisement) UnmarshalText(b []byte) (err error) {
	text := a.cut(b)
	if text == "none" {
		return nil
	}
	if a.Prefix, err = netip.ParsePrefix(text); err != nil || !a.Addr().Is6() {
		return fmt.Errorf("%q is not an IPv6 prefix like 2001:db8::/64 or tap0=2001:db8::/64", b)
	}
	a.Prefix = a.Masked()
	return nil
}

// nameServer6 is a name server that hosts are told of.
type nameServer6 struct{ netip.Addr }

// UnmarshalText reads "2001:db8::53".
func (s *nameServer6) UnmarshalText(b []byte) (err error) {
	if s.Addr, err = netip.ParseAddr(string(b)); err != nil || !s.Is6() {
		return fmt.Errorf("%q is not an IPv6 address like 2001:db8::53", b)
	}
	return nil
}

// preference is that of a default router.
type preference int

// UnmarshalText reads "high", "medium" or "low".
func (p *preference) UnmarshalText(b []byte) error {
	switch string(b) {
	case "high":
		*p = 1
	case "medium":
		*p = 0
	case "low":
		*p = -1
	default:
		return fmt.Errorf("%q is not high, medium or low", b)
	}
	return nil
}

// staticPath is a way to a prefix through a router, written "2001:db8:2::/64=2001:db8:1::9" or "default=fe80::1%tap0".
type staticPath struct {
	prefix  netip.Prefix
	gateway netip.Addr
}

// UnmarshalText reads "2001:db8:2::/64=2001:db8:1::9" or "default=fe80::1%tap0".
func (r *staticPath) UnmarshalText(b []byte) error {
	to, through, found := strings.Cut(string(b), "=")
	var err, bad error
	r.gateway, err = netip.ParseAddr(through)
	if to == "default" {
		r.prefix = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		if r.gateway.Is4() {
			r.prefix = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		}
	} else {
		r.prefix, bad = netip.ParsePrefix(to)
	}
	if !found || err != nil || bad != nil {
		return fmt.Errorf("%q is not a prefix and a router, like 198.51.100.0/24=192.0.2.1 or 2001:db8:2::/64=fe80::1%%tap0", b)
	}
	r.prefix = r.prefix.Masked()
	return nil
}

// check looks for what does not go together.
func (f *routerFlags) check(all []*port) error {
	if len(f.Advertise) > 0 && !f.Forward {
		return usagef("--advertise needs --forward: only a router may say that it is one")
	}
	if len(f.Advertise) == 0 && (f.AdvertiseInterval != 0 || f.AdvertiseMTU != 0 || len(f.AdvertiseDNS) > 0 || f.Preference != 0) {
		return usagef("what to advertise comes with --advertise PREFIX, or --advertise none")
	}
	for _, a := range f.Advertise {
		p, err := a.find(all, "--advertise", a)
		if err != nil {
			return err
		}
		if p.tun {
			return usagef("--advertise %s=%v: a TUN device has no Neighbor Discovery", p.name, a)
		}
	}
	return nil
}

// String returns the prefix as it is written.
func (a advertisement) String() string {
	if !a.IsValid() {
		return "none"
	}
	return a.Prefix.String()
}

// configure gives the host its routes, and has it tell others what it is.
func (f *hostFlags) configure(h *host) error {
	for _, r := range f.Route {
		err := h.AddRoute(onlink.Route{Prefix: r.prefix, Gateway: r.gateway.WithZone(""), Interface: r.gateway.Zone()})
		if err != nil {
			return err
		}
	}
	for _, p := range h.ports {
		if ra := f.router.advertisement(h.ports, p); ra != nil {
			if err := p.iface.Advertise(ra); err != nil {
				return err
			}
		}
	}
	return nil
}

// advertisement returns what p tells hosts; nil: nothing.
func (f *routerFlags) advertisement(all []*port, p *port) (ra *onlink.RouterAdvertisement) {
	for _, a := range f.Advertise {
		if on, err := a.find(all, "--advertise", a); err != nil || on != p {
			continue
		}
		if ra == nil {
			ra = &onlink.RouterAdvertisement{MaxInterval: f.AdvertiseInterval, MTU: f.AdvertiseMTU, Preference: int(f.Preference)}
			for _, s := range f.AdvertiseDNS {
				ra.NameServers = append(ra.NameServers, s.Addr)
			}
		}
		if a.IsValid() {
			ra.Prefixes = append(ra.Prefixes, onlink.AdvertisedPrefix{Prefix: a.Prefix})
		}
	}
	return ra
}
