package onlink

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/nd"
	"github.com/onlink-go/onlink/wire"
)

// RouterAdvertisement is what a router tells the hosts on a link (RFC 4861, 6.2.1). The zero value says that it is a default
// router, and nothing else. A zero duration or number stands for the default, a negative one for zero; lifetimes are in whole
// seconds, or Forever.
type RouterAdvertisement struct {
	// Prefixes are those of the link. One that is left out is not taken back: advertise it with negative lifetimes, or with
	// a negative Preferred until its Valid is over.
	Prefixes []AdvertisedPrefix

	// Unsolicited advertisements come at random between MinInterval and MaxInterval: 4 s to 30 min, 10 min by default; and
	// 3 s to 0.75 of MaxInterval, 0.33 of it by default.
	MinInterval, MaxInterval time.Duration

	// Lifetime is how long a host may use the router as its default router: MaxInterval to 2.5 h, three times MaxInterval by
	// default. Negative: it is not one.
	Lifetime time.Duration

	Preference    int           // as a default router: 1 high, 0 medium, -1 low (RFC 4191)
	Managed       bool          // addresses are to be had by DHCPv6
	Other         bool          // other information is
	HopLimit      int           // of packets that hosts send; 64 by default; negative: not told
	MTU           int           // of the link, octets; by default not told
	ReachableTime time.Duration // how long a neighbor is reachable after it showed so, up to an hour; by default not told
	RetransTimer  time.Duration // between Neighbor Solicitations; by default not told

	Routes []AdvertisedRoute // more specific routes, at most 17 (RFC 4191)

	// NameServers and SearchDomains are known to hosts for DNSLifetime, three times MaxInterval by default (RFC 8106).
	NameServers   []netip.Addr
	SearchDomains []string
	DNSLifetime   time.Duration

	// UnicastAnswers answers a host that asks, not all (RFC 7772). NoLinkAddress leaves the router's link-layer address out.
	UnicastAnswers, NoLinkAddress bool
}

// AdvertisedPrefix is a prefix that a router tells of.
type AdvertisedPrefix struct {
	Prefix netip.Prefix
	// Valid and Preferred are the lifetimes of addresses of the prefix: 30 days and 7 days by default.
	Valid, Preferred time.Duration
	Decrement        bool // they run out from now on; otherwise each advertisement has them anew
	NotOnLink        bool // its addresses may be elsewhere
	NoAutoconf       bool // hosts do not form addresses of it
}

// AdvertisedRoute is a way that leads through the router (RFC 4191, 2.3).
type AdvertisedRoute struct {
	Prefix     netip.Prefix
	Preference int           // 1 high, 0 medium, -1 low
	Lifetime   time.Duration // three times MaxInterval by default
}

// AdvertisingState is what an interface advertises, with the defaults in place.
type AdvertisingState struct {
	RouterAdvertisement
	From netip.Addr    // the link-local address it comes from; invalid while it cannot be told
	Next time.Duration // until all hosts are told again; Forever: they are not
}

// Advertise tells the hosts on the interface's link from now on what ra says; nil ends that. They hear it as long as the
// stack forwards IPv6 (Config.Forwarding, net.ipv6.conf.all.forwarding); when that ends, or the interface goes, they are told
// that the router is no default router any more. Errors name what is wrong with ra; errors.Is finds EINVAL, or EOPNOTSUPP on
// a link that is not Ethernet.
func (i *Interface) Advertise(ra *RouterAdvertisement) error {
	if ra == nil {
		return i.stack.ip.Advertise(i.i.Index, nil)
	}
	adv := ra.settings()
	if err := i.stack.ip.Advertise(i.i.Index, adv); err != nil {
		return fmt.Errorf("onlink: RouterAdvertisement: %w", err)
	}
	return nil
}

// settings returns ra in the internet layer's terms.
func (ra *RouterAdvertisement) settings() *nd.Advertising {
	a := &nd.Advertising{MaxInterval: ra.MaxInterval, MinInterval: ra.MinInterval, Managed: ra.Managed, Other: ra.Other,
		HopLimit: ra.HopLimit, DefaultLifetime: ra.Lifetime, Preference: preference(ra.Preference), ReachableTime: ra.ReachableTime,
		RetransTimer: ra.RetransTimer, LinkMTU: ra.MTU, Domains: ra.SearchDomains, DNSLifetime: ra.DNSLifetime,
		Unicast: ra.UnicastAnswers, NoSourceLink: ra.NoLinkAddress}
	for _, p := range ra.Prefixes {
		a.Prefixes = append(a.Prefixes, nd.AdvPrefix{Prefix: p.Prefix, Valid: p.Valid, Preferred: p.Preferred,
			Decrement: p.Decrement, NotOnLink: p.NotOnLink, NoAutonomous: p.NoAutoconf})
	}
	for _, r := range ra.Routes {
		a.Routes = append(a.Routes, nd.AdvRoute{Prefix: r.Prefix, Preference: preference(r.Preference), Lifetime: r.Lifetime})
	}
	for _, s := range ra.NameServers {
		a.Servers = append(a.Servers, wire.AddrFrom(s))
	}
	return a
}

// preference returns p as the wire has it; what is out of its bounds stays so.
func preference(p int) wire.Preference { return wire.Preference(max(-2, min(2, p))) }

// advertising returns what the interface with the given index and name advertises, or nil.
func (s *Stack) advertising(now clock.Instant, index int32, name string) *AdvertisingState {
	a, err := s.ip.Advertising(index)
	if err != nil || a.Advertising == nil {
		return nil
	}
	v := a.Advertising
	state := &AdvertisingState{Next: remaining(now, a.Next), RouterAdvertisement: RouterAdvertisement{MaxInterval: v.MaxInterval,
		MinInterval: v.MinInterval, Managed: v.Managed, Other: v.Other, HopLimit: v.HopLimit, Lifetime: v.DefaultLifetime,
		Preference: int(v.Preference), ReachableTime: v.ReachableTime, RetransTimer: v.RetransTimer, MTU: v.LinkMTU,
		SearchDomains: append([]string(nil), v.Domains...), DNSLifetime: v.DNSLifetime, UnicastAnswers: v.Unicast,
		NoLinkAddress: v.NoSourceLink}}
	if !a.From.IsUnspecified() {
		state.From = a.From.Netip().WithZone(name)
	}
	for _, p := range v.Prefixes {
		state.Prefixes = append(state.Prefixes, AdvertisedPrefix{p.Prefix, p.Valid, p.Preferred, p.Decrement, p.NotOnLink, p.NoAutonomous})
	}
	for _, r := range v.Routes {
		state.Routes = append(state.Routes, AdvertisedRoute{r.Prefix, int(r.Preference), r.Lifetime})
	}
	for _, a := range v.Servers {
		state.NameServers = append(state.NameServers, a.Netip())
	}
	return state
}
