package nd

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// routes returns the routes as text.
func (r *hostRig) routes() (list []string) {
	for _, o := range r.Routes() {
		s := o.String()
		if o.Preference != 0 {
			s += fmt.Sprintf(" preference %d", o.Preference)
		}
		list = append(list, s)
	}
	return list
}

func (r *hostRig) wantRoutes(what string, want ...string) {
	r.Helper()
	if got := r.routes(); !slices.Equal(got, want) {
		r.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// RFC 4861, 6.3.4 and 6.3.5, of the Default Router List.
func TestHostRouters(t *testing.T) {
	r := up(t)
	// "If the address is not already present in the host's Default Router List, and the advertisement's Router Lifetime is
	// non-zero, create a new entry in the list, and initialize its invalidation timer value from the advertisement's
	// Router Lifetime field."
	r.hear(r1, ra(0))
	r.wantRoutes("lifetime 0")
	r.hear(r1, ra(30))
	r.hear(r2, ra(60))
	r.wantRoutes("two", "::/0 via fe80::1 dev 2 metric 1024", "::/0 via fe80::2 dev 2 metric 1024")
	// "If the address is already present …, reset its invalidation timer".
	r.pass(20 * time.Second)
	before := r.changes[ChangeRoutes]
	r.hear(r1, ra(30))
	r.pass(20 * time.Second)
	if r.changes[ChangeRoutes] != before {
		t.Error("the routes are told anew though only a lifetime changed")
	}
	r.wantRoutes("prolonged", "::/0 via fe80::1 dev 2 metric 1024", "::/0 via fe80::2 dev 2 metric 1024")
	// 6.3.5: "Whenever the Lifetime of an entry in the Default Router List expires, that entry is discarded."
	r.pass(10*time.Second - 1)
	r.wantRoutes("just before", "::/0 via fe80::1 dev 2 metric 1024", "::/0 via fe80::2 dev 2 metric 1024")
	r.pass(1)
	r.wantRoutes("the first expired", "::/0 via fe80::2 dev 2 metric 1024")
	// "If the address is already present in the host's Default Router List and the received Router Lifetime value is zero,
	// immediately time-out the entry".
	r.hear(r2, ra(0))
	r.wantRoutes("none")
	// RFC 4861, 7.2.5: "In those cases where the IsRouter flag changes from TRUE to FALSE … the node MUST remove that
	// router from the Default Router List".
	r.hear(r1, ra(30))
	r.hear(r2, ra(30))
	r.LostRouter(r1)
	r.drain()
	r.wantRoutes("not a router", "::/0 via fe80::2 dev 2 metric 1024")
	r = up(t, func(s *netif.IPv6) { s.DefaultRouters = false })
	r.hear(r1, ra(30))
	r.wantRoutes("not wanted")
}

// RFC 4191, 2.2, 3.1.
func TestHostPreferences(t *testing.T) {
	r := up(t)
	m := ra(100)
	m.Preference = wire.PreferenceHigh
	r.hear(r1, m)
	r.wantRoutes("high", "::/0 via fe80::1 dev 2 metric 1024 preference 1")
	m.Preference = wire.PreferenceLow
	r.hear(r1, m)
	r.wantRoutes("low", "::/0 via fe80::1 dev 2 metric 1024 preference -1")
	if got := r.Routers(); len(got) != 1 || got[0].Preference != wire.PreferenceLow {
		t.Error(got)
	}
	// The example of 3.1: "hosts receive a Router Advertisement from router X with a Router Lifetime of 100 seconds and a
	// Default Router Preference of Medium. The body of the Router Advertisement contains a Route Information Option for ::/0
	// with a Route Lifetime of 200 seconds and a Route Preference of Low. … A type C host will have an entry in its Routing
	// Table for ::/0 -> router X, with a Low preference and a lifetime of 200 seconds."
	m = ra(100)
	m.Routes = []wire.RouteInformation{{Preference: wire.PreferenceLow, Lifetime: 200},
		{Prefix: addr6("2001:db8:9::"), PrefixLen: 48, Preference: wire.PreferenceHigh, Lifetime: wire.InfiniteLifetime}}
	r.hear(r1, m)
	r.wantRoutes("the example", "::/0 via fe80::1 dev 2 metric 1024 preference -1", "2001:db8:9::/48 via fe80::1 dev 2 metric 1024 preference 1")
	r.pass(150 * time.Second)
	r.wantRoutes("150 s later", "::/0 via fe80::1 dev 2 metric 1024 preference -1", "2001:db8:9::/48 via fe80::1 dev 2 metric 1024 preference 1")
	r.pass(50 * time.Second)
	r.wantRoutes("200 s later", "2001:db8:9::/48 via fe80::1 dev 2 metric 1024 preference 1")
	r.pass(10 * 365 * 24 * time.Hour)
	// "If the received route's lifetime is zero, the route is removed from the Routing Table if present."
	m = ra(0)
	m.Routes = []wire.RouteInformation{{Prefix: addr6("2001:db8:9::"), PrefixLen: 48}}
	r.hear(r2, m)
	r.wantRoutes("of another router", "2001:db8:9::/48 via fe80::1 dev 2 metric 1024 preference 1")
	r.hear(r1, m)
	r.wantRoutes("ten years later")
	// What cannot be behind a router, and what is not wanted.
	m.Routes = []wire.RouteInformation{{Prefix: addr6("fe80::"), PrefixLen: 64, Lifetime: 100}, {Prefix: addr6("ff00::"), PrefixLen: 8, Lifetime: 100}}
	r.hear(r1, m)
	r.wantRoutes("link-local and multicast")
	r = up(t, func(s *netif.IPv6) { s.RoutePrefixMin, s.RoutePrefixMax, s.RouterPreference = 32, 48, false })
	m = ra(100)
	m.Preference = wire.PreferenceHigh
	for _, bits := range []uint8{0, 31, 32, 48, 49} {
		m.Routes = append(m.Routes, wire.RouteInformation{Prefix: addr6("2001:db8::"), PrefixLen: bits, Lifetime: 10})
	}
	r.hear(r1, m)
	r.wantRoutes("by length", "::/0 via fe80::1 dev 2 metric 1024", "2001:db8::/32 via fe80::1 dev 2 metric 1024", "2001:db8::/48 via fe80::1 dev 2 metric 1024")
}

// RFC 4861, 6.3.4, of the Prefix List.
func TestHostPrefixList(t *testing.T) {
	onLink := func(prefix string, valid uint32) wire.PrefixInformation {
		p := pio(prefix, valid, 0)
		p.Autonomous = false
		return p
	}
	r := up(t)
	// "If the prefix is the link-local prefix, silently ignore". "If the Prefix Information option's Valid Lifetime field is
	// zero, and the prefix is not present in the host's Prefix List, silently ignore the option."
	r.hear(r1, ra(0, onLink("fe80::/64", 100), onLink("ff00::/8", 100), onLink("2001:db8::/64", 0)))
	r.wantRoutes("ignored")
	// "Therefore, the prefix might be rejected by [ADDRCONF] implementation in the host. However, the prefix length is still
	// valid for on-link determination".
	r.hear(r1, ra(0, onLink("2001:db8::/64", 100), onLink("2001:db8:1::/56", wire.InfiniteLifetime)))
	r.wantRoutes("two", "2001:db8::/64 dev 2 metric 256", "2001:db8:1::/56 dev 2 metric 256")
	if len(r.addrs) != 1 {
		t.Error("addresses without the A flag:", r.addrs)
	}
	// "a Prefix Information option with the on-link flag set to zero conveys no information concerning on-link
	// determination and MUST NOT be interpreted to mean that addresses covered by the prefix are off-link. The only way to
	// cancel a previous on-link indication is to advertise that prefix with the L-bit set and the Lifetime set to zero."
	off := onLink("2001:db8::/64", 0)
	off.OnLink = false
	r.hear(r1, ra(0, off))
	r.wantRoutes("without L", "2001:db8::/64 dev 2 metric 256", "2001:db8:1::/56 dev 2 metric 256")
	r.pass(99 * time.Second)
	r.hear(r1, ra(0, onLink("2001:db8::/64", 2)))
	r.pass(time.Second)
	r.wantRoutes("prolonged", "2001:db8::/64 dev 2 metric 256", "2001:db8:1::/56 dev 2 metric 256")
	r.pass(time.Second)
	r.wantRoutes("expired", "2001:db8:1::/56 dev 2 metric 256")
	r.hear(r2, ra(0, onLink("2001:db8:1::/56", 0)))
	r.wantRoutes("taken back")
	// RFC 5942, 4, rule 1: an address does not make its prefix on-link.
	auto := pio("2001:db8:2::/64", 1000, 1000)
	auto.OnLink = false
	r.hear(r1, ra(0, auto))
	r.wantRoutes("an address only")
	if a, ok := r.addrs[eui("2001:db8:2::")]; !ok || !a.NoPrefixRoute {
		t.Errorf("%+v", a)
	}
	r = up(t, func(s *netif.IPv6) { s.PrefixInfo = false })
	r.hear(r1, ra(0, pio("2001:db8::/64", 1000, 1000)))
	if r.wantRoutes("not wanted"); len(r.addrs) != 1 {
		t.Error(r.addrs)
	}
}

// RFC 8106, 5.3.1 and 6.
func TestHostDNS(t *testing.T) {
	r := up(t)
	servers := func(lifetime uint32, s ...string) wire.RDNSS {
		o := wire.RDNSS{Lifetime: lifetime}
		for _, a := range s {
			o.Servers = append(o.Servers, addr6(a))
		}
		return o
	}
	m := ra(0)
	m.DNSServers = []wire.RDNSS{servers(100, "2001:db8::53", "fe80::53"), servers(wire.InfiniteLifetime, "2001:db8::54"),
		// "the addresses should be unicast addresses. … Otherwise, the host MUST discard the options."
		servers(100, "2001:db8::55", "ff02::1"), servers(100, "::"), servers(100, "::1")}
	m.DNSSearch = []wire.DNSSL{{Lifetime: 100, Domains: []string{"example.org", "corp.example"}}}
	r.hear(r1, m)
	want := []wire.Addr{addr6("2001:db8::53"), addr6("fe80::53"), addr6("2001:db8::54")}
	if !slices.Equal(r.Servers(), want) || !slices.Equal(r.Domains(), []string{"example.org", "corp.example"}) || r.changes[ChangeDNS] != 1 {
		t.Error(r.Servers(), r.Domains(), r.changes)
	}
	// 6.1: "Whenever a new RDNSS option with the same address … is received on the same interface …, this field is updated
	// to have a new Expiration-time."
	r.pass(90 * time.Second)
	m = ra(0)
	m.DNSServers = []wire.RDNSS{servers(100, "fe80::53")}
	r.hear(r1, m)
	r.pass(10 * time.Second)
	if !slices.Equal(r.Servers(), want[1:]) || len(r.Domains()) != 0 {
		t.Error("after 100 s:", r.Servers(), r.Domains())
	}
	// 6.2: "If the RDNSS address already exists in the DNS Server List and the RDNSS option's Lifetime field is set to zero,
	// delete the corresponding RDNSS entry".
	m.DNSServers = []wire.RDNSS{servers(0, "2001:db8::54", "2001:db8::99")}
	r.hear(r1, m)
	if !slices.Equal(r.Servers(), want[1:2]) {
		t.Error("after lifetime 0:", r.Servers())
	}
	r.pass(91 * time.Second)
	if len(r.Servers()) != 0 || r.Deadline() == clock.Never && len(r.solicits) == 0 {
		t.Error("at the end:", r.Servers())
	}
}

// Who floods the link with advertisements finds room for some of them, and none of what was there before goes.
func TestHostFlood(t *testing.T) {
	r := up(t, func(s *netif.IPv6) { s.TempAddr = 2 })
	m := ra(1800, pio("2001:db8::/64", 86400, 14400))
	m.Routes = []wire.RouteInformation{{Prefix: addr6("2001:db8:9::"), PrefixLen: 48, Lifetime: 1800}}
	m.DNSServers = []wire.RDNSS{{Lifetime: 1800, Servers: []wire.Addr{addr6("2001:db8::53")}}}
	m.DNSSearch = []wire.DNSSL{{Lifetime: 1800, Domains: []string{"example.org"}}}
	r.hear(r1, m)
	genuine := r.routes()
	for i := range 5000 {
		from := wire.Addr{Hi: 0xfe80 << 48, Lo: uint64(i) + 100}
		prefix := wire.Addr{Hi: 0x2001_0db9_0000_0000 | uint64(i)<<1}
		flood := wire.RouterAdvertisement{RouterLifetime: 65535, Preference: wire.PreferenceHigh}
		flood.Prefixes = []wire.PrefixInformation{{Prefix: prefix, PrefixLen: 64, OnLink: true, Autonomous: true, Valid: 1 << 30, Preferred: 1 << 30}}
		flood.Routes = []wire.RouteInformation{{Prefix: prefix, PrefixLen: 64, Lifetime: 1 << 30}}
		flood.DNSServers = []wire.RDNSS{{Lifetime: 1 << 30, Servers: []wire.Addr{{Hi: prefix.Hi, Lo: 1}}}}
		flood.DNSSearch = []wire.DNSSL{{Lifetime: 1 << 30, Domains: []string{fmt.Sprintf("evil%d.example", i)}}}
		r.hear(from, flood)
	}
	if len(r.addrs) != 16 || len(r.Routers()) != MaxRouters || len(r.Prefixes()) != MaxPrefixes || len(r.Routes()) != MaxRouters+MaxRoutes+MaxPrefixes ||
		len(r.Servers()) != MaxServers || len(r.Domains()) != MaxDomains {
		t.Errorf("%d addresses, %d routers, %d prefixes, %d routes, %d servers, %d domains", len(r.addrs), len(r.Routers()), len(r.Prefixes()),
			len(r.Routes()), len(r.Servers()), len(r.Domains()))
	}
	if len(r.autos) > 16 || len(r.actions) != 0 {
		t.Errorf("%d prefixes, %d actions", len(r.autos), len(r.actions))
	}
	if r.Refused() < 5*4900 {
		t.Errorf("%d refused", r.Refused())
	}
	now := r.routes()
	for _, g := range genuine {
		if !slices.Contains(now, g) {
			t.Errorf("%s is gone", g)
		}
	}
	if r.Servers()[0] != addr6("2001:db8::53") || r.Domains()[0] != "example.org" || r.valid(eui("2001:db8::")) != 86400 {
		t.Error("what was genuine has gone")
	}
}
