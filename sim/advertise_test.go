package sim_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/sim"
)

// campus is two hosts that know nothing and two routers, all at one switch, and a server behind both routers.
type campus struct {
	testing.TB
	*sim.Network
	a, b, r1, r2, server *sim.Node
}

const campusServer = "2001:db8:9::9"

func newCampus(t *testing.T) *campus {
	n := sim.New(1)
	t.Cleanup(n.Stop)
	c := &campus{TB: t, Network: n, a: n.Host("a"), b: n.Host("b"), r1: n.Router("r1"), r2: n.Router("r2"), server: n.Host("server")}
	line := sim.Line{Delay: time.Millisecond}
	n.Switch(line, c.a.Port("eth0"), c.b.Port("eth0"), c.r1.Port("eth0"), c.r2.Port("eth0"))
	n.Switch(line, c.r1.Port("eth1", "2001:db8:9::1/64"), c.r2.Port("eth1", "2001:db8:9::2/64"),
		c.server.Port("eth0", campusServer+"/64").Gateway("2001:db8:9::2"))
	n.RunFor(5 * time.Second) // duplicate address detection is over
	for _, r := range []*sim.Node{c.r1, c.r2} {
		for p, out := range map[string]string{"2001:db8:a::/64": "eth0", "2001:db8:b::/64": "eth0"} {
			if err := r.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix(p), Interface: out}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

// advertise has a router advertise on the hosts' link; nil ends it.
func (c *campus) advertise(r *sim.Node, ra *onlink.RouterAdvertisement) {
	c.Helper()
	if err := r.Interface("eth0").Advertise(ra); err != nil {
		c.Fatal(err)
	}
}

func ra(preference int, prefixes ...onlink.AdvertisedPrefix) *onlink.RouterAdvertisement {
	return &onlink.RouterAdvertisement{Preference: preference, Prefixes: prefixes, MTU: 1400, NameServers: []netip.Addr{netip.MustParseAddr("2001:db8:9::53")}}
}

func prefixA() onlink.AdvertisedPrefix {
	return onlink.AdvertisedPrefix{Prefix: netip.MustParsePrefix("2001:db8:a::/64")}
}

// state returns what is on a node's interface eth0.
func (c *campus) state(n *sim.Node) onlink.InterfaceState {
	c.Helper()
	for _, i := range n.Snapshot().Interfaces {
		if i.Name == "eth0" {
			return i
		}
	}
	c.Fatal("no eth0")
	return onlink.InterfaceState{}
}

// linkLocal returns a node's link-local address on eth0, with zone.
func (c *campus) linkLocal(n *sim.Node) netip.Addr {
	for _, a := range c.state(n).Addresses {
		if p := a.Prefix.Addr(); p.IsLinkLocalUnicast() {
			return p.WithZone("eth0")
		}
	}
	c.Fatal("no link-local address")
	return netip.Addr{}
}

// states returns the states of a node's addresses of a prefix.
func (c *campus) states(n *sim.Node, prefix string) (all []string) {
	for _, a := range c.state(n).Addresses {
		if netip.MustParsePrefix(prefix).Contains(a.Prefix.Addr()) {
			all = append(all, a.State)
		}
	}
	return all
}

// routers returns the default routers that a host knows.
func (c *campus) routers(n *sim.Node) (all []netip.Addr) {
	for _, r := range c.state(n).Learned.Routers {
		all = append(all, r.Addr)
	}
	return all
}

// forwarded pings the server from host and returns by whom the requests were sent on: how many by r1 and by r2.
func (c *campus) forwarded(host *sim.Node, pings int) (r1, r2 int) {
	c.Helper()
	count := func(n *sim.Node) int { return int(n.Snapshot().Counters.Get(mib.Ip6OutForwDatagrams)) }
	was1, was2 := count(c.r1), count(c.r2)
	host.Go("ping", func() {
		for range pings {
			if _, err := ping(host, campusServer, onlink.PingConfig{}); err != nil {
				c.Errorf("ping: %v", err)
			}
		}
	})
	run(c, c.Network)
	// All replies come back by r2.
	return count(c.r1) - was1, count(c.r2) - was2 - pings
}

// Hosts configure themselves from our routers, use the preferred one, and move to the other when it says that it is one no
// more: at the end of its advertisements, of its forwarding, and of its interface (RFC 4861, 6.2.5; RFC 4191).
func TestRouterGoesAway(t *testing.T) {
	for name, end := range map[string]func(c *campus) error{
		"advertising": func(c *campus) error { return c.r1.Interface("eth0").Advertise(nil) },
		"forwarding":  func(c *campus) error { return c.r1.SetSysctl("net.ipv6.conf.all.forwarding", "0") },
		"interface":   func(c *campus) error { return c.r1.Interface("eth0").SetUp(false) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCampus(t)
			ll1, ll2 := c.linkLocal(c.r1), c.linkLocal(c.r2)
			c.advertise(c.r1, ra(1, prefixA()))
			c.advertise(c.r2, ra(0, prefixA()))
			c.RunFor(10 * time.Second)
			for _, host := range []*sim.Node{c.a, c.b} {
				s := c.state(host)
				if got := c.states(host, "2001:db8:a::/64"); !slices.Equal(got, []string{"preferred"}) || s.Learned.MTU != 1400 ||
					len(s.Learned.NameServers) != 1 || len(s.Learned.Routers) != 2 {
					t.Fatalf("%s: addresses %v, %+v", host.Name, got, s.Learned)
				}
				if r1, r2 := c.forwarded(host, 3); r1 != 3 || r2 != 0 {
					t.Errorf("%s: %d requests went by the preferred router, %d by the other", host.Name, r1, r2)
				}
			}
			if err := end(c); err != nil {
				t.Fatal(err)
			}
			c.RunFor(time.Second)
			for _, host := range []*sim.Node{c.a, c.b} {
				if got := c.routers(host); !slices.Equal(got, []netip.Addr{ll2}) {
					t.Errorf("%s: routers %v, want %v without %v", host.Name, got, ll2, ll1)
				}
				if r1, r2 := c.forwarded(host, 3); r1 != 0 || r2 != 3 {
					t.Errorf("%s: %d requests went by the router that ceased, %d by the other", host.Name, r1, r2)
				}
			}
		})
	}
}

// A site gets another prefix: the old one is advertised as deprecated until it ends, and the hosts follow (RFC 4862, 5.5.4).
func TestRenumberingByOurRouter(t *testing.T) {
	c := newCampus(t)
	c.advertise(c.r2, ra(0, prefixA()))
	c.RunFor(10 * time.Second)
	old := prefixA()
	old.Valid, old.Preferred, old.Decrement = 3*time.Hour, -1, true
	c.advertise(c.r2, ra(0, old, onlink.AdvertisedPrefix{Prefix: netip.MustParsePrefix("2001:db8:b::/64")}))
	c.RunFor(10 * time.Second)
	for _, host := range []*sim.Node{c.a, c.b} {
		if a, b := c.states(host, "2001:db8:a::/64"), c.states(host, "2001:db8:b::/64"); !slices.Equal(a, []string{"deprecated"}) || !slices.Equal(b, []string{"preferred"}) {
			t.Errorf("%s: %v, %v", host.Name, a, b)
		}
	}
	var from netip.Addr
	c.a.Go("connect", func() {
		u := dialUDP(t, c.a, "["+campusServer+"]:9")
		from = netip.MustParseAddrPort(u.LocalAddr().String()).Addr()
		u.Close()
	})
	run(t, c.Network)
	if !netip.MustParsePrefix("2001:db8:b::/64").Contains(from) {
		t.Errorf("it connects from %v", from)
	}
	c.RunFor(3 * time.Hour)
	for _, host := range []*sim.Node{c.a, c.b} {
		if a := c.states(host, "2001:db8:a::/64"); len(a) != 0 {
			t.Errorf("%s: the old prefix is %v", host.Name, a)
		}
	}
}

// The default router tells a host of the better one, and the host's packets go there (RFC 4861, 8).
func TestOurRouterRedirects(t *testing.T) {
	c := newCampus(t)
	c.advertise(c.r1, ra(0, prefixA()))
	// r1 has no link to the server any more.
	if err := c.r1.Interface("eth1").Remove(); err != nil {
		t.Fatal(err)
	}
	err := c.r1.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix("2001:db8:9::/64"), Gateway: c.linkLocal(c.r2).WithZone(""), Interface: "eth0"})
	if err != nil {
		t.Fatal(err)
	}
	c.RunFor(10 * time.Second)
	if r1, r2 := c.forwarded(c.a, 5); r1 != 1 || r2 != 5 {
		t.Errorf("%d requests went by the default router, %d by the better one", r1, r2)
	}
	if n := c.r1.Snapshot().Counters.Get(mib.Icmp6OutRedirects); n != 1 {
		t.Errorf("%d redirects", n)
	}
	if n := c.a.Snapshot().Counters.Get(mib.Icmp6InRedirects); n != 1 {
		t.Errorf("%d redirects came", n)
	}
}
