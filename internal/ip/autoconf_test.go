package ip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

var (
	routerMAC = wire.MAC{0x02, 0, 0, 0, 0, 0x99}
	routerLL  = a6("fe80::99")
	auto6     = wire.Addr{Hi: a6("2001:db8:a::").Hi, Lo: usMAC.InterfaceID()}
)

// advertise delivers a Router Advertisement; change may alter the packet.
func (b *bed) advertise(m wire.RouterAdvertisement, change ...func([]byte)) {
	b.Helper()
	f := nd6(wire.AllNodes6.MulticastMAC(), routerMAC, routerLL, wire.AllNodes6, &m)
	for _, c := range change {
		c(f)
	}
	b.in(b.eth0, f)
}

// advert is what most tests advertise: 2001:db8:a::/64 with both flags, for a day and half of one.
func advert() wire.RouterAdvertisement {
	return wire.RouterAdvertisement{RouterLifetime: 1800, SourceLink: routerMAC, Prefixes: []wire.PrefixInformation{
		{Prefix: a6("2001:db8:a::"), PrefixLen: 64, OnLink: true, Autonomous: true, Valid: 86400, Preferred: 43200}}}
}

func (b *bed) entry(a wire.Addr) *neigh.Info {
	list, err := b.l.Neighbors(2)
	if err != nil {
		b.Fatal(err)
	}
	for i := range list {
		if list[i].Addr == a {
			return &list[i]
		}
	}
	return nil
}

// has returns the entry for a, or nil.
func (b *bed) has(a wire.Addr) *netif.Address { return b.l.Snapshot().Interface(2).Address(a) }

// RFC 4861, 6.1.2: "A node MUST silently discard any received Router Advertisement messages that do not satisfy all of the
// following validity checks".
func TestAdvertisementInvalid(t *testing.T) {
	const ipv6, icmp = wire.EthernetLen, wire.EthernetLen + wire.IPv6Len
	sum := func(f []byte) {
		p := f[ipv6:]
		h, err := wire.CheckIPv6(p)
		if err != nil {
			return
		}
		f[icmp+2], f[icmp+3] = 0, 0
		wire.FinishICMPv6(wire.ICMP(f[icmp:]), h.Src(), h.Dst())
	}
	for name, c := range map[string]struct {
		change func([]byte)
		reason mib.Reason
	}{
		"IP Source Address is a link-local address":                     {func(f []byte) { peer6.Put16(f[ipv6+8:]); sum(f) }, mib.NdInvalid},
		"and not the unspecified one":                                   {func(f []byte) { wire.Addr{}.Put16(f[ipv6+8:]); sum(f) }, mib.NdInvalid},
		"The IP Hop Limit field has a value of 255":                     {func(f []byte) { f[ipv6+7] = 254 }, mib.NdInvalid},
		"ICMP Checksum is valid":                                        {func(f []byte) { f[icmp+2] ^= 1 }, mib.Icmp6Checksum},
		"ICMP Code is 0":                                                {func(f []byte) { f[icmp+1] = 1; sum(f) }, mib.NdInvalid},
		"ICMP length (derived from the IP length) is 16 or more octets": {func(f []byte) { f[ipv6+5] = 15; sum(f[:icmp+15]) }, mib.NdInvalid},
		"All included options have a length that is greater than zero":  {func(f []byte) { f[icmp+17] = 0; sum(f) }, mib.NdInvalid},
		"an option past the end":                                        {func(f []byte) { f[icmp+17] = 200; sum(f) }, mib.NdInvalid},
	} {
		b := newBed(t, setup{})
		before := b.values()
		b.advertise(advert(), c.change)
		l, err := b.l.Learned(2)
		if err != nil || len(l.Routers)+len(l.Prefixes) != 0 || b.has(auto6) != nil || b.entry(routerLL) != nil {
			t.Errorf("%s: learned %+v", name, l)
		}
		if r, n := drops(b.values(), before); n != 1 || r[0] != c.reason {
			t.Errorf("%s: dropped for %v", name, r)
		}
	}
}

// "The contents of the Reserved field, and of any unrecognized options, MUST be ignored." And what is valid is taken.
func TestAdvertisement(t *testing.T) {
	b := newBed(t, setup{tracing: true})
	m := advert()
	m.CurHopLimit, m.MTU, m.ReachableTime, m.RetransTimer, m.OtherConfig = 33, 1400, 10_000, 5000, true
	m.DNSServers = []wire.RDNSS{{Lifetime: 60, Servers: []wire.Addr{a6("2001:db8::53")}}}
	b.advertise(m, func(f []byte) {
		o := f[wire.EthernetLen+wire.IPv6Len:]
		o[5] |= 7 // reserved flags
		o[2], o[3] = 0, 0
		wire.FinishICMPv6(wire.ICMP(o), routerLL, wire.AllNodes6)
	})
	l, err := b.l.Learned(2)
	if err != nil || len(l.Routers) != 1 || len(l.Prefixes) != 1 || len(l.Servers) != 1 || !l.Params.Other {
		t.Fatalf("%+v, %v", l, err)
	}
	// RFC 4861, 6.3.4: "creating an entry if necessary) and the IsRouter flag in the Neighbor Cache entry MUST be set to
	// TRUE". "its reachability state MUST be set to STALE".
	if e := b.entry(routerLL); e == nil || e.State != neigh.Stale || e.MAC != routerMAC || !e.Router {
		t.Errorf("%+v", e)
	}
	i := b.l.Snapshot().Interface(2)
	if i.HopLimit != 33 || i.MTUOf(false) != 1400 || i.MTUOf(true) != 1500 || len(i.Advertised) != 1 {
		t.Errorf("%+v", i)
	}
	a := b.has(auto6)
	if a == nil || a.State != netif.Preferred || a.Origin != netif.SLAAC || a.ValidUntil.Sub(b.sim.Now()) != 24*time.Hour {
		t.Errorf("%+v", a)
	}
	// Packets have the hop limit and the MTU.
	p, err := b.l.Route(b.sim.Now(), Query{Dst: a6("2001:db8:a::77")})
	if err != nil || p.Src != auto6 || p.NextHop != a6("2001:db8:a::77") || p.MTU != 1400 {
		t.Errorf("%+v, %v", p, err)
	}
	b.eth0.take()
	b.send(p, Params{Proto: wire.ProtoUDP}, udp(p.Src, p.Dst, "x"))
	// The solicitations are 5 s apart: RetransTimer.
	b.pass(14 * time.Second)
	if sent := b.eth0.take(); len(sent) != 3 {
		t.Errorf("%d solicitations in 14 s", len(sent))
	}
	if err := b.out(Query{Dst: peer6}, Params{Proto: wire.ProtoUDP}, udp(us6, peer6, "x")); err != nil {
		t.Error(err)
	}
	if f := b.eth0.take(); len(f) == 0 || f[len(f)-1][wire.EthernetLen+7] != 33 {
		t.Error("the hop limit is not 33")
	}
	if b.events.count(trace.RouterFound) != 1 || b.events.count(trace.NameServersChanged) != 1 {
		t.Error("events")
	}
	// RFC 4861, 7.2.5: a router that says it is none.
	b.in(b.eth0, nd6(wire.AllNodes6.MulticastMAC(), routerMAC, routerLL, wire.AllNodes6, &wire.NeighborAdvertisement{Target: routerLL, TargetLink: routerMAC, Override: true}))
	if l, _ = b.l.Learned(2); len(l.Routers) != 0 || b.events.count(trace.RouterLost) != 1 {
		t.Errorf("%+v", l.Routers)
	}
	b.pass(86400 * time.Second)
	if b.has(auto6) != nil || b.events.count(trace.AddressDeprecated) != 1 || b.events.count(trace.AddressRemoved) != 1 {
		t.Error("the address is there after its time")
	}
	if l, _ = b.l.Learned(2); len(l.Prefixes) != 0 {
		t.Error("the prefix is there after its time")
	}
}

// A router does not listen; nor does an interface that is told not to; but the neighbor cache knows who is a router.
func TestAdvertisementNotWanted(t *testing.T) {
	deaf := netif.NewIPv6()
	deaf.AcceptRA = 0
	for name, c := range map[string]setup{"a router": {forwarding: true}, "accept_ra 0": {cfg: netif.Config{IPv6: &deaf}}} {
		b := newBed(t, c)
		b.advertise(advert())
		if l, _ := b.l.Learned(2); len(l.Routers)+len(l.Prefixes) != 0 || b.has(auto6) != nil {
			t.Errorf("%s: %+v", name, l)
		}
		if e := b.entry(routerLL); e == nil || !e.Router {
			t.Errorf("%s: %+v", name, e)
		}
	}
	// From our own address: somebody sends back what was ours, or pretends.
	b := newBed(t, setup{})
	m := advert()
	b.in(b.eth0, nd6(wire.AllNodes6.MulticastMAC(), newMAC, usLL, wire.AllNodes6, &m))
	if l, _ := b.l.Learned(2); len(l.Routers) != 0 {
		t.Errorf("from ourselves: %+v", l)
	}
}

// solicitations returns the Router Solicitations among frames.
func solicitations(t *testing.T, frames [][]byte) (list []message) {
	for _, f := range frames {
		if m, ok := parseICMP(t, f, 0); ok && m.typ == wire.ICMPv6RouterSolicitation {
			list = append(list, m)
		}
	}
	return list
}

// RFC 4861, 6.3.7: "A host sends Router Solicitations to the all-routers multicast address. The IP source address is set to
// either one of the interface's unicast addresses or the unspecified address. The Source Link-Layer Address option SHOULD be
// set to the host's link-layer address, if the IP source address is not the unspecified address."
func TestSolicitation(t *testing.T) {
	conf := netif.NewIPv6()
	b := newBed(t, setup{dad: true, cfg: netif.Config{IPv6: &conf}})
	var first time.Duration
	for first == 0 && b.sim.Now().Duration() < 5*time.Second {
		b.pass(10 * time.Millisecond)
		for _, m := range solicitations(t, b.eth0.take()) {
			s, err := wire.ParseRouterSolicitation(m.raw)
			if err != nil || s.Validate(m.src, m.dst, m.hop) != nil || m.src != usLL || m.dst != wire.AllRouters6 || s.SourceLink != usMAC {
				t.Errorf("%+v %+v %v", m, s, err)
			}
			first = b.sim.Now().Duration()
		}
	}
	if b.addr(2, usLL) != netif.Preferred || first == 0 {
		t.Error("solicited", first)
	}
	b.advertise(advert())
	b.pass(time.Hour)
	if n := len(solicitations(t, b.eth0.take())); n != 0 {
		t.Errorf("%d solicitations after an advertisement", n)
	}
	// "The host re-attaches to a link after being detached for some time."
	b.eth0.info.Up = false
	b.eth0.r.Changed(b.eth0.info)
	b.pass(time.Minute)
	b.eth0.info.Up = true
	b.eth0.r.Changed(b.eth0.info)
	b.pass(time.Second)
	if n := len(solicitations(t, b.eth0.take())); n != 1 {
		t.Errorf("%d solicitations after the link came back", n)
	}
	// From the unspecified address, without the option.
	conf.AddrGenMode = netif.NoIID
	b = newBed(t, setup{dad: true, cfg: netif.Config{IPv6: &conf}})
	b.pass(time.Second)
	found := solicitations(t, b.eth0.take())
	if len(found) != 1 || !found[0].src.IsUnspecified() || len(found[0].raw) != 8 {
		t.Errorf("%+v", found)
	}
}

// RFC 4862, 5.4.5: "If the address is a link-local address formed from an interface identifier based on the hardware
// address …, IP operation on the interface SHOULD be disabled."
func TestDuplicateLinkLocal(t *testing.T) {
	advertisement := nd6(wire.AllNodes6.MulticastMAC(), newMAC, usLL, wire.AllNodes6, &wire.NeighborAdvertisement{Override: true, Target: usLL, TargetLink: newMAC})
	b := newBed(t, setup{dad: true, tracing: true})
	b.in(b.eth0, advertisement)
	b.pass(3 * time.Second)
	b.eth0.take()
	before := b.values()
	b.in(b.eth0, in6(ip6(peer6, us6, 17, udp(peer6, us6, "x"))))
	if r, _ := drops(b.values(), before); b.udp.n != 0 || len(r) != 1 || r[0] != mib.Ip6NotConfigured {
		t.Errorf("IPv6 is taken: %v", r)
	}
	if err := b.out(Query{Dst: peer6}, Params{Proto: wire.ProtoUDP}, udp(us6, peer6, "x")); err == nil {
		t.Error("IPv6 is sent")
	}
	if b.in(b.eth0, in4(ip4(peer4, us4, 17, udp(peer4, us4, "x")))); b.udp.n != 1 {
		t.Error("IPv4 does not work")
	}
	b.eth0.take()
	b.pass(time.Hour)
	if n := len(b.eth0.take()); n != 0 || b.events.count(trace.IPv6Disabled) != 1 {
		t.Errorf("%d frames, %d events", n, b.events.count(trace.IPv6Disabled))
	}
	// The link is another, perhaps.
	b.eth0.info.Up = false
	b.eth0.r.Changed(b.eth0.info)
	b.eth0.info.Up = true
	b.eth0.r.Changed(b.eth0.info)
	b.pass(3 * time.Second)
	if b.addr(2, usLL) != netif.Preferred || b.addr(2, us6) != netif.Preferred {
		t.Error("not ready after the link came back")
	}
	// accept_dad 1: it goes on.
	conf := netif.NewIPv6()
	conf.AcceptDAD, conf.Solicitations = 1, 0
	b = newBed(t, setup{dad: true, cfg: netif.Config{IPv6: &conf}})
	b.in(b.eth0, advertisement)
	b.pass(3 * time.Second)
	if b.addr(2, us6) != netif.Preferred || b.addr(2, usLL) != netif.Duplicate {
		t.Error("accept_dad 1")
	}
	// Not from the hardware address: "IP operation on the interface MAY be continued", with another identifier (RFC 7217, 6).
	conf.AcceptDAD, conf.Secret = 2, netif.Secret{1}
	b = newBed(t, setup{dad: true, cfg: netif.Config{IPv6: &conf}})
	first := b.l.Snapshot().Interface(2).Addrs[0].Addr
	b.in(b.eth0, nd6(wire.AllNodes6.MulticastMAC(), newMAC, first, wire.AllNodes6, &wire.NeighborAdvertisement{Override: true, Target: first, TargetLink: newMAC}))
	b.pass(3 * time.Second)
	for _, a := range b.l.Snapshot().Interface(2).Addrs {
		if a.State != netif.Preferred || a.Addr == first || a.Addr == usLL {
			t.Errorf("%+v", a)
		}
	}
	if n := len(b.l.Snapshot().Interface(2).Addrs); n != 3 {
		t.Errorf("%d addresses", n)
	}
}

// RFC 4429, 3: an optimistic address.
func TestOptimistic(t *testing.T) {
	conf := netif.NewIPv6()
	conf.OptimisticDAD, conf.Solicitations = true, 0
	b := newBed(t, setup{dad: true, cfg: netif.Config{IPv6: &conf}})
	b.pass(3 * time.Second)
	b.eth0.take()
	b.advertise(advert())
	a := b.has(auto6)
	if a == nil || !a.Optimistic || !a.Assigned() || !b.l.Assigned(auto6, 0) {
		t.Fatalf("%+v", a)
	}
	// "The host SHOULD NOT delay before sending Neighbor Solicitation messages."
	sent := b.eth0.take()
	if len(sent) != 1 {
		t.Fatalf("sent %d frames", len(sent))
	}
	if n, m := ns(t, sent[0]); n.Target != auto6 || !m.src.IsUnspecified() {
		t.Errorf("%+v %+v", n, m)
	}
	// "The node MUST reply to a Neighbor Solicitation for an Optimistic Address from a unicast address, but the reply MUST
	// have the Override flag cleared (O=0)."
	b.in(b.eth0, nd6(auto6.SolicitedNode().MulticastMAC(), peerMAC, peerLL, auto6.SolicitedNode(), &wire.NeighborSolicitation{Target: auto6, SourceLink: peerMAC}))
	sent = b.eth0.take()
	if len(sent) != 1 {
		t.Fatalf("sent %d frames", len(sent))
	}
	if n, _ := na(t, sent[0]); n.Override || !n.Solicited || n.Target != auto6 {
		t.Errorf("%+v", n)
	}
	// "A node MUST NOT use an Optimistic Address as the source address of a Neighbor Solicitation."
	if err := b.out(Query{Dst: a6("2001:db8:a::77"), Src: auto6}, Params{Proto: wire.ProtoUDP}, udp(auto6, a6("2001:db8:a::77"), "x")); err != nil {
		t.Error(err)
	}
	for _, f := range b.eth0.take() {
		if n, m := ns(t, f); m.src == auto6 {
			t.Errorf("%+v from the optimistic address", n)
		}
	}
	// "The node MUST NOT reply to a Neighbor Solicitation for an Optimistic Address from the unspecified address. Receipt of
	// such an NS indicates that the address is a duplicate, and it MUST be deconfigured".
	b.in(b.eth0, nd6(auto6.SolicitedNode().MulticastMAC(), newMAC, wire.Addr{}, auto6.SolicitedNode(), &wire.NeighborSolicitation{Target: auto6}))
	if a = b.has(auto6); len(b.eth0.take()) != 0 || a.State != netif.Duplicate || a.Optimistic || b.l.Assigned(auto6, 0) {
		t.Errorf("%+v", a)
	}
	// Without objection: "When DAD completes for an Optimistic Address, the address is no longer Optimistic".
	b = newBed(t, setup{dad: true, cfg: netif.Config{IPv6: &conf}})
	b.pass(3 * time.Second)
	b.advertise(advert())
	b.pass(time.Second)
	if a = b.has(auto6); a.Optimistic || a.State != netif.Preferred {
		t.Errorf("%+v", a)
	}
	// "A host that does not know the SLLAO of its router SHOULD NOT configure a new address as Optimistic."
	b = newBed(t, setup{dad: true, cfg: netif.Config{IPv6: &conf}})
	b.pass(3 * time.Second)
	m := advert()
	m.SourceLink = wire.MAC{}
	b.advertise(m)
	if a = b.has(auto6); a.Optimistic || a.State != netif.Tentative {
		t.Errorf("%+v", a)
	}
}

// Addresses of any origin have lifetimes.
func TestAddressLifetimes(t *testing.T) {
	b := newBed(t, setup{tracing: true})
	add := func(p string, opt netif.AddressOptions) wire.Addr {
		t.Helper()
		if err := b.l.AddAddress(2, netip.MustParsePrefix(p), opt); err != nil {
			t.Fatal(err)
		}
		return wire.AddrFrom(netip.MustParsePrefix(p).Addr())
	}
	v6 := add("2001:db8:b::2/64", netif.AddressOptions{Valid: 48 * time.Hour, Preferred: 24 * time.Hour})
	v4 := add("10.0.0.2/24", netif.AddressOptions{Valid: time.Hour})
	old := add("2001:db8:c::2/64", netif.AddressOptions{Preferred: -1})
	if b.addr(2, v6) != netif.Preferred || b.addr(2, v4) != netif.Preferred || b.addr(2, old) != netif.Deprecated {
		t.Error("at first")
	}
	b.pass(time.Hour - 1)
	if b.has(v4) == nil {
		t.Error("an hour is over early")
	}
	b.pass(1)
	if b.has(v4) != nil || b.l.Assigned(v4, 0) {
		t.Error("an hour later")
	}
	b.pass(23 * time.Hour)
	if b.addr(2, v6) != netif.Deprecated {
		t.Error("a day later")
	}
	// RFC 4862, 5.5.4: "IP and higher layers (e.g., TCP, UDP) MUST continue to accept and process datagrams destined to a
	// deprecated address as normal".
	if b.in(b.eth0, in6(ip6(peer6, v6, 17, udp(peer6, v6, "x")))); b.udp.n != 1 {
		t.Error("a deprecated address is not taken")
	}
	b.pass(24 * time.Hour)
	if b.has(v6) != nil || b.has(old) == nil || b.has(us6) == nil {
		t.Error("two days later")
	}
	for _, r := range b.l.Routes() {
		if r.Prefix.Contains(netip.MustParseAddr("2001:db8:b::1")) && r.Prefix.Bits() > 0 {
			t.Errorf("its prefix has the route %v", r)
		}
	}
	// RFC 4862, 5.4: "Duplicate Address Detection MUST NOT be performed on anycast addresses".
	b = newBed(t, setup{dad: true})
	any := add("2001:db8:d::/64", netif.AddressOptions{Anycast: true})
	if b.addr(2, any) != netif.Preferred {
		t.Error("an anycast address is", b.addr(2, any))
	}
}

// disable_ipv6 takes all of it away, and gives it back.
func TestDisableIPv6(t *testing.T) {
	b := newBed(t, setup{})
	b.advertise(advert())
	set := func(off bool) {
		if err := b.l.ConfigureIPv6(2, func(c *netif.IPv6) { c.Disable = off }); err != nil {
			t.Fatal(err)
		}
	}
	set(true)
	i := b.l.Snapshot().Interface(2)
	if len(i.Addrs) != 1 || !i.NoIPv6 || i.Addrs[0].Addr != us4 {
		t.Errorf("%+v", i.Addrs)
	}
	b.advertise(advert())
	set(false)
	if i = b.l.Snapshot().Interface(2); i.NoIPv6 || b.has(usLL) == nil || b.has(auto6) != nil {
		t.Errorf("%+v", i.Addrs)
	}
	if b.advertise(advert()); b.has(auto6) == nil {
		t.Error("no address from a router")
	}
}

// A new hardware address: what was made of the old one goes.
func TestReaddress(t *testing.T) {
	b := newBed(t, setup{})
	b.advertise(advert())
	b.eth0.info.Addr = newMAC
	b.eth0.r.Changed(b.eth0.info)
	if b.has(usLL) != nil || b.has(auto6) != nil || b.has(us6) == nil {
		t.Errorf("%+v", b.l.Snapshot().Interface(2).Addrs)
	}
	if l, _ := b.l.Learned(2); len(l.Routers) != 0 {
		t.Errorf("%+v", l)
	}
	b.advertise(advert())
	if b.has(wire.Addr{Hi: auto6.Hi, Lo: newMAC.InterfaceID()}) == nil {
		t.Errorf("%+v", b.l.Snapshot().Interface(2).Addrs)
	}
}
