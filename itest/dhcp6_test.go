package itest

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dhcp/dhcp6"
	"github.com/onlink-go/onlink/link/tuntap"
)

// client6 is a DHCPv6 client of a rig, and what it told.
type client6 struct {
	*dhcp6.Client
	end  func() // ends it, and waits until it has
	mu   sync.Mutex
	told []dhcp6.Event
}

// startDHCP6 starts a client on the rig's interface.
func (r *rig) startDHCP6(t *testing.T, cfg dhcp6.Config) *client6 {
	t.Helper()
	c := &client6{}
	cfg.Tell = func(e dhcp6.Event) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told = append(c.told, e)
		if e.Kind == dhcp6.Failed || e.Kind == dhcp6.Discarded {
			t.Errorf("%v: %s", e.Message, e.Reason)
		}
	}
	var err error
	if c.Client, err = dhcp6.New(r.Stack, r.iface, cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	c.end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(c.end)
	return c
}

// count returns how often something was told.
func (c *client6) count(kind dhcp6.EventKind) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.told {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// lease returns the first lease of a kind, or the zero Prefix.
func (c *client6) lease(kind dhcp6.IAKind) netip.Prefix {
	for _, l := range c.State().Leases {
		if l.Kind == kind {
			return l.Prefix
		}
	}
	return netip.Prefix{}
}

// leased waits for an address to be leased and usable, and returns it.
func (r *rig) leased(t *testing.T, c *client6) netip.Addr {
	t.Helper()
	var addr netip.Addr
	eventually(t, "an address is leased", func() bool {
		for _, a := range r.state().Addresses {
			if addr = a.Prefix.Addr(); a.Origin == "dhcp" && a.State == "preferred" && a.Prefix.Bits() == 128 {
				return true
			}
		}
		return false
	})
	return addr
}

// eachServer6 runs f against every server that is there.
func eachServer6(t *testing.T, f func(t *testing.T, s *dhcp6Server)) {
	for _, s := range dhcp6Servers {
		t.Run(s.program, func(t *testing.T) {
			t.Parallel()
			need(t, s.program)
			f(t, s)
		})
	}
}

// An address, name servers and domains of each server; they are used, renewed where that does not take minutes, and released.
func TestDHCP6Stateful(t *testing.T) {
	eachServer6(t, func(t *testing.T, s *dhcp6Server) {
		r := newAutoconfRig(t, onlink.IPv6Config{})
		server := r.serve6(t, s, dhcp6Pool{short: !s.noShort})
		c := r.startDHCP6(t, dhcp6.Config{NoRapidCommit: true})
		addr := r.leased(t, c)
		if !netip.MustParsePrefix("2001:db8:5::/64").Contains(addr) || c.lease(dhcp6.Addresses).Addr() != addr {
			t.Errorf("leased %v, %v", addr, c.State())
		}
		var servers []string
		for _, n := range r.NameServers() {
			if n.Origin == "dhcp6" {
				servers = append(servers, n.Addr.String())
			}
		}
		if !slices.Equal(servers, []string{"[2001:db8:5::53]:53"}) || !slices.Equal(c.State().Information.Search, []string{"corp.example", "lab.example"}) {
			t.Errorf("name servers %v, domains %v", servers, c.State().Information.Search)
		}
		if out := r.ping(addr.String(), 56); !strings.Contains(out, "1 received") && !strings.Contains(out, " 0% packet loss") {
			t.Error(out)
		}
		if !strings.Contains(server.said(), s.requested) {
			t.Error(server.said())
		}
		if !s.noShort {
			eventually(t, "it is renewed three times", func() bool { return c.count(dhcp6.LeaseChanged) >= 3 })
			if c.count(dhcp6.LeaseAdded) != 1 || c.count(dhcp6.LeaseRemoved) != 0 || !strings.Contains(server.said(), s.renewed) {
				t.Errorf("%+v\n%s", c.told, server.said())
			}
		}
		c.end()
		eventually(t, "the server hears of the release", func() bool { return strings.Contains(server.said(), s.released) })
		for _, a := range r.state().Addresses {
			if a.Origin == "dhcp" {
				t.Errorf("left: %v", a)
			}
		}
		if n := c.count(dhcp6.Unanswered); n > 0 {
			t.Errorf("%d messages were not answered", n)
		}
	})
}

// Name servers and domains alone, where routers say O.
func TestDHCP6Stateless(t *testing.T) {
	eachServer6(t, func(t *testing.T, s *dhcp6Server) {
		r := newAutoconfRig(t, onlink.IPv6Config{})
		r.serve6(t, s, dhcp6Pool{stateless: true})
		c := r.startDHCP6(t, dhcp6.Config{})
		eventually(t, "it is informed", func() bool { return len(c.State().Information.DNS) > 0 })
		i := c.State().Information
		if !slices.Equal(i.DNS, []netip.Addr{netip.MustParseAddr("2001:db8:5::53")}) || len(i.Search) != 2 || len(c.State().Leases) != 0 {
			t.Errorf("%+v", c.State())
		}
	})
}

// Two messages are enough where the server lets a client commit it.
func TestDHCP6RapidCommit(t *testing.T) {
	eachServer6(t, func(t *testing.T, s *dhcp6Server) {
		r := newAutoconfRig(t, onlink.IPv6Config{})
		server := r.serve6(t, s, dhcp6Pool{rapidCommit: true})
		c := r.startDHCP6(t, dhcp6.Config{})
		r.leased(t, c)
		if strings.Contains(server.said(), s.requested) {
			t.Error(server.said())
		}
	})
}

// A prefix is delegated, renewed, and a part of it given to another link, where the kernel takes an address of it.
func TestDHCP6Delegation(t *testing.T) {
	eachServer6(t, func(t *testing.T, s *dhcp6Server) {
		if s.noPrefixes {
			t.Skip("it delegates no prefixes")
		}
		r := newAutoconfRig(t, onlink.IPv6Config{RouterAdvertisements: onlink.RAAlways})
		guest := newNamespace(t)
		var d *tuntap.Device
		var err error
		guest.do(func() { d, err = tuntap.Open("tap1", tuntap.Config{}) })
		if err != nil {
			t.Fatal(err)
		}
		lan, err := r.AddLink("tap1", d, onlink.InterfaceConfig{})
		if err != nil {
			t.Fatal(err)
		}
		guest.ip("link set tap1 up")
		if err := r.SetSysctl("net.ipv6.conf.all.forwarding", "1"); err != nil {
			t.Fatal(err)
		}
		server := r.serve6(t, s, dhcp6Pool{short: true, prefixes: true})
		c := r.startDHCP6(t, dhcp6.Config{PrefixLength: 56, Downstream: []dhcp6.Downstream{{Interface: lan, Subnet: 3,
			Advertise: &onlink.RouterAdvertisement{MaxInterval: 4 * time.Second}}}})
		r.leased(t, c)
		eventually(t, "a prefix is delegated", func() bool { return c.lease(dhcp6.Prefixes).Bits() == 56 })
		delegated := c.lease(dhcp6.Prefixes)
		part, _ := (&dhcp6.Downstream{Subnet: 3}).Part(delegated)
		eventually(t, "the kernel has an address of "+part.String(), func() bool {
			return strings.Contains(guest.ip("-6 address show dev tap1 scope global"), strings.TrimSuffix(part.Addr().String(), ":"))
		})
		if err := lan.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		// From the server's link to the stack's address behind it.
		r.ip(fmt.Sprintf("-6 route add %v via %v dev tap0", delegated, linkLocalOf(r.state())))
		if out := r.ping(part.Addr().Next().String(), 56); !strings.Contains(out, " 0% packet loss") {
			t.Error(out)
		}
		p, _ := r.try("ping", "-c", "1", "-W", "5", delegated.Addr().Next().String())
		if out := p.said(); !strings.Contains(out, "Destination unreachable") {
			t.Error("what is in no part:", out)
		}
		eventually(t, "it is renewed", func() bool { return c.count(dhcp6.LeaseChanged) >= 4 })
		if c.lease(dhcp6.Prefixes) != delegated {
			t.Errorf("%v, then %v", delegated, c.lease(dhcp6.Prefixes))
		}
		c.end()
		eventually(t, "the server hears of the release", func() bool { return strings.Contains(server.said(), s.released) })
		eventually(t, "the kernel's address is deprecated", func() bool {
			out := guest.ip("-6 address show dev tap1 scope global")
			return out == "" || strings.Contains(out, "deprecated")
		})
		for _, route := range r.Routes() {
			if route.Origin == "dhcp" {
				t.Errorf("left: %v", route)
			}
		}
	})
}

func linkLocalOf(i onlink.InterfaceState) netip.Addr {
	for _, a := range i.Addresses {
		if a.Origin == "link-local" {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// The server goes: the address does when its time is over. It comes back, and gives another one.
func TestDHCP6ServerGone(t *testing.T) {
	if raceEnabled {
		t.Skip("its leases run out in two minutes; the clients are under the race detector in their own module")
	}
	eachServer6(t, func(t *testing.T, s *dhcp6Server) {
		if s.noShort {
			t.Skip("its leases last two minutes at least")
		}
		r := newAutoconfRig(t, onlink.IPv6Config{})
		server := r.serve6(t, s, dhcp6Pool{short: true})
		c := r.startDHCP6(t, dhcp6.Config{})
		r.leased(t, c)
		server.Process.Kill()
		eventually(t, "the address is gone", func() bool { return c.count(dhcp6.LeaseRemoved) == 1 && len(c.State().Leases) == 0 })
		if s := c.State().State; s != dhcp6.Discovering {
			t.Errorf("the state is %v", s)
		}
		for _, a := range r.state().Addresses {
			if a.Origin == "dhcp" {
				t.Errorf("left: %v", a)
			}
		}
		r.startServer6(t, s, dhcp6Pool{short: true})
		r.leased(t, c)
	})
}

// The kernel has the address: it is declined, and another one taken.
func TestDHCP6Decline(t *testing.T) {
	eachServer6(t, func(t *testing.T, s *dhcp6Server) {
		r := newAutoconfRig(t, onlink.IPv6Config{})
		server := r.serve6(t, s, dhcp6Pool{})
		// A client that does not give its address back gets it again.
		c := r.startDHCP6(t, dhcp6.Config{NoRelease: true})
		first := r.leased(t, c)
		c.end()
		if err := r.iface.RemoveAddress(first); err != nil {
			t.Fatal(err)
		}
		r.ip("address add " + first.String() + "/64 dev tap0 nodad")
		eventually(t, "the kernel has it", func() bool { return r.isLocal(first.String()) })
		c = r.startDHCP6(t, dhcp6.Config{})
		if second := r.leased(t, c); second == first {
			t.Errorf("%v again", second)
		}
		if !strings.Contains(server.said(), s.declined) || c.count(dhcp6.LeaseRemoved) != 1 {
			t.Errorf("%+v\n%s", c.told, server.said())
		}
	})
}

// The command follows routers, tells what it got, and gives it back.
func TestUpWithDHCP6(t *testing.T) {
	t.Parallel()
	s := dhcp6Servers[0]
	need(t, s.program)
	n := newNamespace(t)
	writeSysctl(n, "net/ipv6/conf/all/forwarding", "1")
	n.ip("tuntap add dev tap0 mode tap")
	n.bringUp("tap0", []family{{digit: "6", kernel: "2001:db8:5::1", bits: "/64"}})
	server := n.serve6(t, s, dhcp6Pool{})
	up := n.onlink("up", "--tap", "tap0", "--no-control")
	eventually(t, "it is up", func() bool { return strings.Contains(up.stderr.String(), "up on tap0") })
	out := up.stderr.String()
	if !strings.Contains(out, "2001:db8:5::1") || !strings.Contains(out, "/128") || !strings.Contains(out, "name server 2001:db8:5::53") {
		t.Error(out)
	}
	up.interrupt(t)
	eventually(t, "the server hears of the release", func() bool { return strings.Contains(server.said(), s.released) })

	// It is the same to the server the next time.
	up = n.onlink("up", "--tap", "tap0", "--no-control", "--dhcp6")
	eventually(t, "it is up", func() bool { return strings.Contains(up.stderr.String(), "up on tap0") })
	up.interrupt(t)
	who := regexp.MustCompile(`DHCPSOLICIT\(tap0\) (00:04:\S+)`).FindAllStringSubmatch(server.said(), -1)
	if len(who) < 2 || who[0][1] != who[len(who)-1][1] {
		t.Errorf("it was %v", who)
	}

	// It can be told not to.
	up = n.onlink("up", "--tap", "tap0", "--no-control", "--no-dhcp6")
	eventually(t, "it is up", func() bool { return strings.Contains(up.stderr.String(), "up on tap0") })
	if out := up.stderr.String(); strings.Contains(out, "/128") {
		t.Error(out)
	}
	up.interrupt(t)
}

// The command has a prefix delegated, gives hosts a part of it, and takes that back in the end.
func TestUpDelegates(t *testing.T) {
	t.Parallel()
	s := dhcp6Servers[1]
	need(t, s.program)
	n, guest := newNamespace(t), newNamespace(t)
	writeSysctl(n, "net/ipv6/conf/all/forwarding", "1")
	n.ip("tuntap add dev tap0 mode tap")
	n.bringUp("tap0", []family{{digit: "6", kernel: "2001:db8:5::1", bits: "/64"}})
	n.ip("tuntap add dev tap1 mode tap")
	// The other TAP is bridged to the guests' link.
	n.ip("link add br0 type bridge")
	n.ip("link set tap1 master br0")
	n.ip("link set br0 up")
	n.ip("link set tap1 up")
	n.ip("link add guest type veth peer name eth0 netns " + guest.Path())
	n.ip("link set guest master br0")
	n.ip("link set guest up")
	guest.ip("link set eth0 up")
	up := n.onlink("up", "--tap", "tap0", "--tap", "tap1", "--forward", "--prefix-delegation=56", "--advertise", "tap1=pd:0x2a", "--advertise-interval", "4s", "--no-control")
	eventually(t, "it is up", func() bool { return strings.Contains(up.stderr.String(), "up on tap0") })
	n.serve6(t, s, dhcp6Pool{short: true, prefixes: true}) // Kea wants the device to have a carrier
	eventually(t, "a prefix is delegated", func() bool { return strings.Contains(up.stderr.String(), "prefix 2001:db8:f0") })
	eventually(t, "the guest has an address of a part", func() bool {
		return strings.Contains(guest.ip("-6 address show scope global"), ":2a:")
	})
	up.interrupt(t)
	eventually(t, "the guest's address is deprecated", func() bool {
		out := guest.ip("-6 address show scope global")
		return out == "" || strings.Contains(out, "deprecated")
	})
}
