package sim_test

import (
	"context"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// A router that is not there but for its advertisements.
var (
	ghostMAC = wire.MAC{0x02, 0xff, 0, 0, 0, 1}
	ghost    = wire.AddrFrom(netip.MustParseAddr("fe80::ff"))
)

// advertisement returns the frame of a Router Advertisement.
func advertisement(mac wire.MAC, src wire.Addr, m wire.RouterAdvertisement) []byte {
	const header = wire.EthernetLen + wire.IPv6Len
	f := make([]byte, header+m.Len())
	wire.PutEthernet(f, wire.AllNodes6.MulticastMAC(), mac, wire.EtherTypeIPv6)
	h := wire.IPv6Header{PayloadLen: m.Len(), NextHeader: wire.ProtoICMPv6, HopLimit: wire.NDHopLimit, Src: src, Dst: wire.AllNodes6}
	h.Put(f[wire.EthernetLen:])
	m.Put(f[header:])
	wire.FinishICMPv6(wire.ICMP(f[header:]), src, wire.AllNodes6)
	return f
}

// prefix returns a Prefix Information option with both flags.
func prefix(p string, valid, preferred time.Duration) wire.PrefixInformation {
	a := netip.MustParsePrefix(p)
	return wire.PrefixInformation{Prefix: wire.AddrFrom(a.Addr()), PrefixLen: uint8(a.Bits()), OnLink: true, Autonomous: true,
		Valid: uint32(valid / time.Second), Preferred: uint32(preferred / time.Second)}
}

// slaac returns the addresses that node has formed from prefixes of routers, and that are not deprecated.
func slaac(node *sim.Node) (all []onlink.AddressState) {
	for _, i := range node.Snapshot().Interfaces {
		for _, a := range i.Addresses {
			if a.Origin == "slaac" && a.State == "preferred" {
				all = append(all, a)
			}
		}
	}
	return all
}

// A network is renumbered (RFC 4862, 5.5.4; RFC 4192): connections go on from the old address as long as it is valid, new
// ones leave from the new one, and the old one goes in its time.
func TestRenumbering(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	cable := n.Wire(a.Port("eth0"), b.Port("eth0", "2001:db8:1::b/64", "2001:db8:2::b/64"), sim.Line{Delay: time.Millisecond})
	tell := func(prefixes ...wire.PrefixInformation) {
		cable.Inject(a, advertisement(ghostMAC, ghost, wire.RouterAdvertisement{RouterLifetime: 1800, SourceLink: ghostMAC, Prefixes: prefixes}))
	}
	n.RunFor(5 * time.Second)
	tell(prefix("2001:db8:1::/64", 24*time.Hour, 12*time.Hour))
	n.RunFor(5 * time.Second)
	first := netip.MustParsePrefix("2001:db8:1::/64")
	second := netip.MustParsePrefix("2001:db8:2::/64")
	ln := listen(t, b, ":80")
	b.Go("server", func() {
		for range 2 {
			c := accept(t, ln)
			b.Go("echo", func() {
				buf := make([]byte, 10)
				for k, err := c.Read(buf); err == nil; k, err = c.Read(buf) {
					c.Write(buf[:k])
				}
				c.Close()
			})
		}
	})
	local := func(c *onlink.TCPConn) netip.Addr { return netip.MustParseAddrPort(c.LocalAddr().String()).Addr() }
	a.Go("client", func() {
		old := dial(t, a, "[2001:db8:1::b]:80")
		if !first.Contains(local(old)) {
			t.Errorf("from %v", local(old))
		}
		// Its addresses go, but it stays on-link.
		gone, stays := prefix("2001:db8:1::/64", 0, 0), prefix("2001:db8:1::/64", 24*time.Hour, 12*time.Hour)
		gone.OnLink, stays.Autonomous = false, false
		tell(gone, stays, prefix("2001:db8:2::/64", 24*time.Hour, 12*time.Hour))
		a.Sleep(5 * time.Second)
		fresh := dial(t, a, "[2001:db8:1::b]:80")
		if !second.Contains(local(fresh)) {
			t.Errorf("a new connection from %v", local(fresh))
		}
		// The two-hour rule keeps the old one's address.
		a.Sleep(time.Hour)
		for _, c := range []*onlink.TCPConn{old, fresh} {
			if _, err := c.Write([]byte("hello")); err != nil {
				t.Error(err)
			}
			if k, err := c.Read(make([]byte, 10)); k != 5 || err != nil {
				t.Errorf("from %v: %d, %v", local(c), k, err)
			}
			c.Close()
		}
		a.Sleep(2 * time.Hour)
	})
	run(t, n)
	got := slaac(a)
	if len(got) != 1 || !second.Contains(got[0].Prefix.Addr()) || len(a.Interface("eth0").Addresses()) != 2 {
		t.Errorf("in the end %+v", a.Interface("eth0").Addresses())
	}
}

// Two hosts with the same secret want the same address (RFC 7217, 6): each gets one of its own.
func TestDuplicateStable(t *testing.T) {
	n := sim.New(3)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	pa, pb := a.Port("eth0"), b.Port("eth0")
	pa.Config.IPv6.Secret, pb.Config.IPv6.Secret = [16]byte{7}, [16]byte{7}
	cable := n.Wire(pa, pb, sim.Line{Delay: time.Millisecond})
	for range 5 {
		for _, node := range []*sim.Node{a, b} {
			cable.Inject(node, advertisement(ghostMAC, ghost, wire.RouterAdvertisement{RouterLifetime: 1800,
				Prefixes: []wire.PrefixInformation{prefix("2001:db8::/64", time.Hour, time.Hour)}}))
		}
		n.RunFor(5 * time.Second)
	}
	seen := make(map[netip.Addr]bool)
	for _, node := range []*sim.Node{a, b} {
		addrs := node.Interface("eth0").Addresses()
		if len(addrs) != 2 || len(slaac(node)) != 1 {
			t.Errorf("%s has %+v", node.Name, node.Snapshot().Interfaces)
		}
		for _, p := range addrs {
			if seen[p.Addr()] {
				t.Errorf("both have %v", p)
			}
			seen[p.Addr()] = true
		}
	}
	ok := false
	a.Go("ping", func() {
		r, err := ping(a, slaac(b)[0].Prefix.Addr().String(), onlink.PingConfig{})
		ok = err == nil && r.RTT > 0
	})
	if run(t, n); !ok {
		t.Error("they do not reach each other")
	}
}

// A day of a network whose hosts have temporary addresses (RFC 8981), told of every ten minutes: each host always has the
// addresses it should, nothing is left of those that went, and memory does not grow.
func TestTemporaryChurn(t *testing.T) {
	hosts := 100
	if testing.Short() {
		hosts = 10
	}
	n := sim.New(1)
	defer n.Stop()
	var nodes []*sim.Node
	var ports []sim.Port
	for range hosts {
		node := n.Host("h")
		p := node.Port("eth0")
		p.Config.IPv6.Temporary = onlink.PreferTemporary
		p.Config.IPv6.TemporaryPreferred, p.Config.IPv6.TemporaryValid = 2*time.Hour, 4*time.Hour
		nodes, ports = append(nodes, node), append(ports, p)
	}
	cables := n.Switch(sim.Line{}, ports...)
	tell := func() {
		f := advertisement(ghostMAC, ghost, wire.RouterAdvertisement{RouterLifetime: 1800, SourceLink: ghostMAC,
			Prefixes: []wire.PrefixInformation{prefix("2001:db8::/64", 48*time.Hour, 24*time.Hour)}})
		for i, c := range cables {
			c.Inject(nodes[i], f)
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	n.RunFor(5 * time.Second)
	seen := make(map[netip.Addr]bool)
	var settled uint64
	for round := range 24 * 6 {
		tell()
		n.RunFor(10 * time.Minute)
		for _, node := range nodes {
			got := slaac(node)
			temporary := slices.ContainsFunc(got, func(a onlink.AddressState) bool { return a.Temporary })
			if all := node.Interface("eth0").Addresses(); len(got) < 2 || len(got) > 3 || !temporary || len(all) > 8 {
				t.Fatalf("round %d: %+v of %v", round, got, all)
			}
			for _, a := range got {
				seen[a.Prefix.Addr()] = true
			}
		}
		if round == 12*6 {
			settled = heap()
		}
	}
	// A temporary address is preferred for 72 minutes to two hours.
	if len(seen) < hosts*13 || len(seen) > hosts*22 {
		t.Errorf("%d addresses on %d hosts in a day", len(seen), hosts)
	}
	clear(seen)
	if now := heap(); now > settled+settled/5 {
		t.Errorf("%d octets of heap after half a day, %d after a day", settled, now)
	}
	if err := n.Close(time.Second); err != nil {
		t.Error(err)
	}
}

// Whoever floods the link with advertisements does not take the host's network away.
func TestAdvertisementFlood(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	cable := n.Wire(a.Port("eth0"), b.Port("eth0", "2001:db8::b/64"), sim.Line{Delay: time.Millisecond})
	n.RunFor(5 * time.Second)
	inject := func(mac wire.MAC, src wire.Addr, m wire.RouterAdvertisement) {
		cable.Inject(a, advertisement(mac, src, m))
	}
	inject(ghostMAC, ghost, wire.RouterAdvertisement{RouterLifetime: 1800, SourceLink: ghostMAC,
		Prefixes:   []wire.PrefixInformation{prefix("2001:db8::/64", time.Hour, time.Hour)},
		DNSServers: []wire.RDNSS{{Lifetime: 1800, Servers: []wire.Addr{ghost}}}})
	n.RunFor(5 * time.Second)
	const flood = 20_000
	for i := range uint64(flood) {
		evil := wire.RouterAdvertisement{RouterLifetime: 9000, Preference: wire.PreferenceHigh, SourceLink: wire.MACFromUint64(0x06_00_00_00_00_00 | i)}
		p := wire.Addr{Hi: 0x2001_0db9_0000_0000 + i}
		evil.Prefixes = []wire.PrefixInformation{{Prefix: p, PrefixLen: 64, OnLink: true, Autonomous: true, Valid: 9000, Preferred: 9000}}
		evil.DNSServers = []wire.RDNSS{{Lifetime: 9000, Servers: []wire.Addr{{Hi: p.Hi, Lo: 1}}}}
		inject(evil.SourceLink, wire.Addr{Hi: ghost.Hi, Lo: 0x10000 + i}, evil)
	}
	n.RunFor(5 * time.Second)
	s := a.Snapshot()
	i := s.Interfaces[1]
	if len(i.Addresses) > 16 || len(i.Learned.Routers) > 16 || len(i.Learned.Prefixes) > 64 || len(i.Learned.NameServers) > 8 {
		t.Errorf("%d addresses, %d routers, %d prefixes, %d name servers", len(i.Addresses), len(i.Learned.Routers), len(i.Learned.Prefixes), len(i.Learned.NameServers))
	}
	if got := i.Learned.NameServers[0].String(); got != "fe80::ff%eth0" || i.Learned.Routers[0].Addr.String() != got {
		t.Errorf("%v, %v", i.Learned.NameServers, i.Learned.Routers)
	}
	ok := false
	a.Go("ping", func() {
		ctx, cancel := a.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		c, err := a.DialContext(ctx, "udp", "[2001:db8::b]:9")
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		from := netip.MustParseAddrPort(c.LocalAddr().String()).Addr()
		r, err := ping(a, "2001:db8::b", onlink.PingConfig{})
		ok = err == nil && r.RTT > 0 && netip.MustParsePrefix("2001:db8::/64").Contains(from)
	})
	if run(t, n); !ok {
		t.Error("the genuine prefix does not work any more")
	}
}
