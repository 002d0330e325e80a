package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/onlink-go/onlink"
)

// routerFlags say how a host is a router.
type routerFlags struct {
	Forward           bool            `help:"Be a router: send on what is for others."`
	Advertise         []advertisement `help:"Tell hosts on DEVICE that this is their router, and that PREFIX is theirs to take addresses from; \"none\" tells of no prefix, \"pd\" of a part of the one that --prefix-delegation gets. May be repeated; needs --forward." placeholder:"[DEVICE=]PREFIX"`
	AdvertiseInterval time.Duration   `help:"Tell them so at least this often, from 4s to 30m." placeholder:"DURATION" name:"advertise-interval"`
	AdvertiseMTU      int             `help:"And that no packet on the link may have more octets." placeholder:"OCTETS" name:"advertise-mtu"`
	AdvertiseDNS      []nameServer6   `help:"And that this is a name server; may be repeated." placeholder:"ADDR" name:"advertise-dns"`
	Preference        preference      `help:"And that this router is to be preferred to others: high, medium or low." placeholder:"LEVEL" name:"advertise-preference"`
}

// advertisement is a prefix that hosts are told of, written "2001:db8::/64", "tap0=2001:db8::/64", "tap0=none", "tap0=pd" or
// "tap0=pd:3".
type advertisement struct {
	onDevice
	netip.Prefix        // not valid: none
	delegated    bool   // it is the part of what a DHCPv6 server delegates that has the number
	subnet       uint64 // of the part; that of pd is how many parts others have before it
	numbered     bool
}

// UnmarshalText reads "2001:db8::/64", "tap0=2001:db8::/64", "none", "pd" or "pd:3".
func (a *advertisement) UnmarshalText(b []byte) (err error) {
	text := a.cut(b)
	if text == "none" {
		return nil
	}
	if number, ok := strings.CutPrefix(text, "pd"); ok {
		a.delegated = true
		if number == "" {
			return nil
		}
		a.numbered = true
		if a.subnet, err = strconv.ParseUint(strings.TrimPrefix(number, ":"), 0, 64); err != nil || number[0] != ':' {
			return fmt.Errorf("%q is not pd, or a part of what is delegated like pd:3", b)
		}
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
	f.number()
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

// number gives the parts of what is delegated that have no number the numbers from 0 that no other has.
func (f *routerFlags) number() {
	taken := map[uint64]bool{}
	for _, a := range f.Advertise {
		taken[a.subnet] = taken[a.subnet] || a.numbered
	}
	next := uint64(0)
	for i := range f.Advertise {
		a := &f.Advertise[i]
		if !a.delegated || a.numbered {
			continue
		}
		for taken[next] {
			next++
		}
		a.subnet, a.numbered, taken[next] = next, true, true
	}
}

// String returns the prefix as it is written.
func (a advertisement) String() string {
	switch {
	case a.delegated:
		return "pd"
	case !a.IsValid():
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

// advertises reports whether hosts are told something on p, now or when a prefix has been delegated.
func (f *routerFlags) advertises(all []*port, p *port) bool { return f.template(all, p) != nil }

// advertisement returns what p tells hosts; nil: nothing. What only waits for a prefix to be delegated is nothing yet: RFC 7084, L-4,
// wants a router without prefixes to keep quiet.
func (f *routerFlags) advertisement(all []*port, p *port) *onlink.RouterAdvertisement {
	for _, a := range f.Advertise {
		if on, err := a.find(all, "--advertise", a); err == nil && on == p && !a.delegated {
			return f.template(all, p)
		}
	}
	return nil
}

// template returns what p tells hosts, but for what is delegated; nil: it never tells anything.
func (f *routerFlags) template(all []*port, p *port) (ra *onlink.RouterAdvertisement) {
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
