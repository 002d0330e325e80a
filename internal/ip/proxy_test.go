package ip

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// nas returns the Neighbor Advertisements among what was sent, with their destinations.
func (c *cable) nas(t *testing.T) (all []wire.NeighborAdvertisement, to, from []wire.Addr) {
	t.Helper()
	for _, f := range c.take() {
		m, ok := parseICMP(t, f, link.Ethernet)
		if !ok || m.src.Is4() || m.typ != wire.ICMPv6NeighborAdvertisement {
			continue
		}
		na, err := wire.ParseNeighborAdvertisement(m.raw)
		if err != nil || na.Validate(m.src, m.dst, m.hop) != nil {
			t.Fatalf("an advertisement that is not valid: %v", err)
		}
		all, to, from = append(all, na), append(to, m.dst), append(from, m.src)
	}
	return all, to, from
}

// ask returns a Neighbor Solicitation of peer, to the target's group or, if unicast, to it.
func ask(target wire.Addr, unicast bool) []byte {
	m := wire.NeighborSolicitation{Target: target, SourceLink: peerMAC}
	if unicast {
		return nd6(usMAC, peerMAC, peer6, target, &m)
	}
	g := target.SolicitedNode()
	return nd6(g.MulticastMAC(), peerMAC, peer6, g, &m)
}

// RFC 4291, 2.6.1: "All routers are required to support the Subnet-Router anycast addresses for the subnets to which they have
// interfaces." RFC 4861, 7.2.7: advertisements of it are delayed and do not override.
func TestSubnetRouterAnycast(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	any, anyLL := a6("2001:db8::"), a6("fe80::")
	i := b.l.Snapshot().Interface(2)
	for _, a := range []wire.Addr{any, anyLL} {
		if !i.Member(a.SolicitedNode()) {
			t.Errorf("%v is not listened to", a)
		}
		if b.l.Snapshot().Lookup(a, 2).Kind != netif.Anycast || b.l.Assigned(a, 2) {
			t.Errorf("%v is %v", a, b.l.Snapshot().Lookup(a, 2))
		}
		var most time.Duration
		for range 50 {
			b.in(b.eth0, ask(a, false))
			for d := time.Duration(0); ; d += 10 * time.Millisecond {
				if all, to, from := b.eth0.nas(t); len(all) == 1 {
					if na := all[0]; na.Override || !na.Solicited || !na.Router || na.TargetLink != usMAC || na.Target != a || to[0] != peer6 || from[0] != us6 {
						t.Fatalf("%+v to %v from %v", na, to[0], from[0])
					}
					most = max(most, d)
					break
				}
				if d > maxAnycastDelay+10*time.Millisecond {
					t.Fatalf("%v: no answer after %v", a, d)
				}
				b.pass(10 * time.Millisecond)
			}
		}
		if most < 700*time.Millisecond {
			t.Errorf("the longest of 50 delays was %v", most)
		}
	}
	// RFC 4443, 4.2: of an echo request to an anycast address "the source address of the reply MUST be a unicast address
	// belonging to the interface on which the Echo Request message was received."
	b.in(b.eth0, in6(ip6(peer6, any, wire.ProtoICMPv6, icmp6(peer6, any, wire.ICMPv6EchoRequest, 0, 7, []byte("x")))))
	if f := b.eth0.take(); len(f) != 1 {
		t.Errorf("%d answers to an echo request", len(f))
	} else if m, ok := parseICMP(t, f[0], link.Ethernet); !ok || m.typ != wire.ICMPv6EchoReply || m.src != us6 || m.dst != peer6 {
		t.Errorf("%+v", m)
	}
	// A host has no such addresses.
	b.l.Configure(func(s *Settings) { s.Forward6 = false })
	b.eth0.take()
	b.in(b.eth0, ask(any, false))
	b.pass(2 * time.Second)
	if all, _, _ := b.eth0.nas(t); len(all) != 0 || b.l.Snapshot().Lookup(any, 2).Kind != netif.NotOurs {
		t.Errorf("a host answered %+v", all)
	}
}

// An anycast address that was configured is treated likewise, by hosts too.
func TestConfiguredAnycast(t *testing.T) {
	b := newBed(t, setup{})
	any := a6("2001:db8::aa")
	if err := b.l.AddAddress(2, netip.MustParsePrefix("2001:db8::aa/64"), netif.AddressOptions{Anycast: true}); err != nil {
		t.Fatal(err)
	}
	b.eth0.take()
	b.in(b.eth0, ask(any, false))
	if all, _, _ := b.eth0.nas(t); len(all) != 0 {
		t.Error("it is answered at once")
	}
	b.pass(maxAnycastDelay)
	all, _, from := b.eth0.nas(t)
	if len(all) != 1 || all[0].Override || from[0] != us6 {
		t.Errorf("%+v from %v", all, from)
	}
	// A flood of questions does not make a heap of answers.
	for range 10 * maxAnswers {
		b.in(b.eth0, ask(any, false))
	}
	d, _ := b.l.find(2)
	if len(d.waiting) != maxAnswers {
		t.Errorf("%d wait", len(d.waiting))
	}
}

// RFC 4861, 7.2.8: proxy Neighbor Advertisements.
func TestProxyND(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	moved := a6("2001:db8::77")
	if err := b.l.AddProxy(2, moved.Netip()); err != nil {
		t.Fatal(err)
	}
	if !b.l.Snapshot().Interface(2).Member(moved.SolicitedNode()) {
		t.Error("the solicited-node group is not joined")
	}
	b.eth0.take()
	b.in(b.eth0, ask(moved, false))
	if all, _, _ := b.eth0.nas(t); len(all) != 0 {
		t.Error("it is answered without a delay")
	}
	b.pass(maxAnycastDelay)
	check := func(what string, link wire.MAC) {
		t.Helper()
		all, _, from := b.eth0.nas(t)
		// "All solicited proxy Neighbor Advertisement messages MUST have the Override flag set to zero."
		if len(all) != 1 || all[0].Override || all[0].Router || !all[0].Solicited || all[0].Target != moved || all[0].TargetLink != link || from[0] != us6 {
			t.Errorf("%s: %+v from %v", what, all, from)
		}
	}
	check("multicast", usMAC)
	// Whether we are still there is asked of the proxied address itself, and must not be forwarded.
	b.in(b.eth0, ask(moved, true))
	check("unicast", wire.MAC{}) // 7.2.4: "MAY be omitted"
	// The rest is forwarded.
	b.route("2001:db8::77/128", "2001:db8:1::1")
	b.in(b.eth0, in6(ip6(peer6, moved, wire.ProtoUDP, udp(peer6, moved, "x"))))
	if f := b.eth1.take(); len(f) != 1 {
		t.Errorf("%d packets were forwarded", len(f))
	}
	silent := func(what string) {
		t.Helper()
		b.eth0.take()
		b.in(b.eth0, ask(moved, false))
		b.pass(2 * time.Second)
		if all, _, _ := b.eth0.nas(t); len(all) != 0 {
			t.Errorf("%s: %+v", what, all)
		}
	}
	// net.ipv6.conf.eth0.proxy_ndp = 0.
	if err := b.l.ConfigureIPv6(2, func(c *netif.IPv6) { c.ProxyNDP = false }); err != nil {
		t.Fatal(err)
	}
	silent("without proxy_ndp")
	b.l.ConfigureIPv6(2, func(c *netif.IPv6) { c.ProxyNDP = true })
	if err := b.l.RemoveProxy(2, moved.Netip()); err != nil {
		t.Error(err)
	}
	silent("removed")
	if err := b.l.RemoveProxy(2, moved.Netip()); !errors.Is(err, syscall.ESRCH) {
		t.Error(err)
	}
	for a, want := range map[wire.Addr]error{wire.AllNodes6: syscall.EINVAL, us6: syscall.EEXIST} {
		if err := b.l.AddProxy(2, a.Netip()); !errors.Is(err, want) {
			t.Errorf("%v: %v", a, err)
		}
	}
	if err := b.l.AddProxy(9, moved.Netip()); !errors.Is(err, syscall.ENODEV) {
		t.Error(err)
	}
}

// RFC 1027, and Linux's proxy_arp and "ip neighbor add proxy".
func TestProxyARP(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	replies := func() (all []wire.ARP) {
		for _, f := range b.eth0.take() {
			if h, err := wire.CheckEthernet(f); err == nil && h.EtherType() == wire.EtherTypeARP {
				m, err := wire.ParseARP(f[wire.EthernetLen:])
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, m)
			}
		}
		return all
	}
	request := func(sender, target wire.Addr, dst wire.MAC) []wire.ARP {
		m := wire.ARP{Op: wire.ARPRequest, SenderMAC: peerMAC, SenderIP: sender, TargetIP: target}
		body := make([]byte, wire.ARPLen)
		m.Put(body)
		b.eth0.take()
		b.in(b.eth0, eth(dst, peerMAC, wire.EtherTypeARP, body))
		if dst == wire.BroadcastMAC {
			if now := replies(); len(now) != 0 {
				t.Errorf("%v was answered without a delay", target)
			}
			b.pass(time.Second)
		}
		return replies()
	}
	good := func(all []wire.ARP, target wire.Addr) bool {
		return len(all) == 1 && all[0] == wire.ARP{Op: wire.ARPReply, SenderMAC: usMAC, SenderIP: target, TargetMAC: peerMAC, TargetIP: peer4}
	}
	if all := request(peer4, other4, wire.BroadcastMAC); len(all) != 0 {
		t.Errorf("without being a proxy: %+v", all)
	}
	if err := b.l.AddProxy(2, other4.Netip()); err != nil {
		t.Fatal(err)
	}
	if all := request(peer4, other4, wire.BroadcastMAC); !good(all, other4) {
		t.Errorf("in the list: %+v", all)
	}
	if all := request(peer4, other4, usMAC); !good(all, other4) {
		t.Errorf("asked alone: %+v", all)
	}
	another := a4("198.51.100.77")
	if all := request(peer4, another, wire.BroadcastMAC); len(all) != 0 {
		t.Errorf("not in the list: %+v", all)
	}
	if err := b.l.ConfigureIPv4(2, func(c *netif.IPv4) { c.ProxyARP = true }); err != nil {
		t.Fatal(err)
	}
	if all := request(peer4, another, wire.BroadcastMAC); !good(all, another) {
		t.Errorf("with proxy_arp: %+v", all)
	}
	for what, target := range map[string]wire.Addr{"on that link": a4("192.0.2.77"), "behind that link": far4} {
		if all := request(peer4, target, wire.BroadcastMAC); len(all) != 0 {
			t.Errorf("%s: %+v", what, all)
		}
	}
	if all := request(wire.Unspecified4, another, wire.BroadcastMAC); len(all) != 0 {
		t.Errorf("a probe: %+v", all)
	}
	b.l.Configure(func(s *Settings) { s.Forward4 = false })
	if all := request(peer4, another, wire.BroadcastMAC); len(all) != 0 {
		t.Errorf("a host: %+v", all)
	}
	if list, err := b.l.Proxies(2); err != nil || !slices.Equal(list, []wire.Addr{other4}) {
		t.Error(list, err)
	}
}
