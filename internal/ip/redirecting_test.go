package ip

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// A host that the tests redirect, and its addresses.
var (
	hostMAC = wire.MAC{2, 0, 0, 0, 0, 0x33}
	host4   = a4("192.0.2.33")
	host6   = a6("2001:db8::33")
	hostLL  = a6("fe80::33")
)

// newRedirectingBed makes a router with a way to 2001:db8:e::/48 and 198.18/15 through a router on eth0, whose link-layer
// address it knows, and to a host there.
func newRedirectingBed(t *testing.T) *bed {
	b := newBed(t, setup{forwarding: true})
	b.know(2, hostMAC, host4, host6, hostLL)
	err := b.l.AddRoute(route.Route{Prefix: netip.MustParsePrefix("2001:db8:e::/48"), Gateway: peerLL.Netip(), Out: 2})
	if err != nil {
		t.Fatal(err)
	}
	b.route("198.18.0.0/15", "192.0.2.1")
	return b
}

// redirects6 returns the redirects among what was sent.
func (c *cable) redirects6(t *testing.T) (all []wire.Redirect) {
	t.Helper()
	for _, f := range c.take() {
		m, ok := parseICMP(t, f, link.Ethernet)
		if !ok || m.src.Is4() || m.typ != wire.ICMPv6Redirect {
			continue
		}
		r, err := wire.ParseRedirect(m.raw)
		if err != nil || r.Validate(m.src, m.dst, m.hop) != nil {
			t.Fatalf("a redirect that is not valid: %v", err)
		}
		// RFC 4861, 4.5: "Source Address MUST be the link-local address assigned to the interface from which this message is
		// sent." "Destination Address The Source Address of the packet that triggered the redirect."
		if m.src != usLL || m.dst != host6 && m.dst != hostLL {
			t.Errorf("a redirect from %v to %v", m.src, m.dst)
		}
		if len(f) > wire.EthernetLen+wire.IPv6MinMTU {
			t.Errorf("a redirect of %d octets", len(f)-wire.EthernetLen)
		}
		all = append(all, r)
	}
	return all
}

func fromHost6(src, dst wire.Addr, n int) []byte {
	return eth(usMAC, hostMAC, wire.EtherTypeIPv6, ip6(src, dst, wire.ProtoUDP, udp(src, dst, string(make([]byte, n)))))
}

func fromHost4(src, dst wire.Addr) []byte {
	return eth(usMAC, hostMAC, wire.EtherTypeIPv4, ip4(src, dst, wire.ProtoUDP, udp(src, dst, "x")))
}

// RFC 4861, 8.2: "In the Target Address field: … If the target is a router, that router's link-local address MUST be used. If the
// target is a host, the target address field MUST be set to the same value as the Destination Address field."
func TestSendRedirect6(t *testing.T) {
	b := newRedirectingBed(t)
	far := a6("2001:db8:e::1")
	b.in(b.eth0, fromHost6(host6, far, 100))
	all := b.eth0.redirects6(t)
	if len(all) != 1 || all[0].Target != peerLL || all[0].Destination != far || all[0].TargetLink != peerMAC {
		t.Fatalf("to a router: %+v", all)
	}
	if got := all[0].Packet; len(got) != 148&^7 || !bytes.Equal(got, fromHost6(host6, far, 100)[wire.EthernetLen:][:148&^7]) {
		t.Errorf("it quotes %x", got)
	}
	b.pass(time.Minute)
	b.in(b.eth0, fromHost6(host6, peer6, 1400))
	all = b.eth0.redirects6(t)
	if len(all) != 1 || all[0].Target != peer6 || all[0].Destination != peer6 || all[0].TargetLink != peerMAC {
		t.Fatalf("to a host: %+v", all)
	}
	// "Redirected Header: as much of the forwarded packet as can fit without the redirect packet exceeding the minimum MTU".
	if n := wire.IPv6Len + all[0].Len(); n < wire.IPv6MinMTU-7 || n > wire.IPv6MinMTU {
		t.Errorf("%d octets", n)
	}
	if n := b.values().Get(mib.Ip6OutForwDatagrams); n != 2 {
		t.Errorf("%d packets were forwarded", n)
	}
	// From its link-local address, too: it stays on its link.
	b.in(b.eth0, fromHost6(hostLL, far, 10))
	if all := b.eth0.redirects6(t); len(all) != 1 {
		t.Errorf("from a link-local address: %+v", all)
	}
}

// The conditions of RFC 4861, 8.2.
func TestSendNoRedirect6(t *testing.T) {
	b := newRedirectingBed(t)
	far := a6("2001:db8:e::1")
	for name, f := range map[string][]byte{
		// "the Source Address field of the packet identifies a neighbor".
		"not a neighbor": fromHost6(a6("2001:db8:77::1"), far, 10),
		// "a better first-hop node resides on the same link as the sending node".
		"another link": fromHost6(host6, other6, 10),
		// It is a router that we know by a global address only.
		"no link-local address": fromHost6(host6, far6, 10),
		"for us":                fromHost6(host6, us6, 10),
		"hop limit": eth(usMAC, hostMAC, wire.EtherTypeIPv6, ip6(host6, far, wire.ProtoUDP, udp(host6, far, "x"),
			func(h *wire.IPv6Header) { h.HopLimit = 1 })),
		// "the Destination Address of the packet is not a multicast address."
		"multicast": eth(a6("ff0e::99").MulticastMAC(), hostMAC, wire.EtherTypeIPv6, ip6(host6, a6("ff0e::99"), wire.ProtoUDP, udp(host6, a6("ff0e::99"), "x"))),
	} {
		b.in(b.eth0, f)
		b.in(b.eth0, f)
		if all := b.eth0.redirects6(t); len(all) != 0 {
			t.Errorf("%s: %+v", name, all)
		}
		b.pass(time.Minute)
	}
	// A link-local source does not get to another link: RFC 4443, 3.1, "beyond the scope of the source address".
	b.eth0.take()
	b.eth1.take()
	b.in(b.eth0, fromHost6(hostLL, other6, 10))
	if m, ok := parseICMP(t, b.eth0.take()[0], link.Ethernet); !ok || m.typ != wire.ICMPv6DestUnreachable || m.code != wire.ICMPv6BeyondScope {
		t.Errorf("%+v", m)
	}
	if len(b.eth1.take()) != 0 {
		t.Error("it was forwarded")
	}
}

// RFC 4861, 8.2: "A router MUST limit the rate at which Redirect messages are sent".
func TestRedirectRate(t *testing.T) {
	b := newRedirectingBed(t)
	count := func(f func() int, frame []byte) (n int) {
		for range 1000 {
			b.in(b.eth0, frame)
			n += f()
			b.pass(10 * time.Millisecond)
		}
		return n
	}
	six := func() int { return len(b.eth0.redirects6(t)) }
	if n := count(six, fromHost6(host6, a6("2001:db8:e::1"), 10)); n < 14 || n > 16 {
		t.Errorf("IPv6: %d in 10 s, want 6 and one a second", n)
	}
	four := func() (n int) {
		for _, f := range b.eth0.take() {
			if m, ok := parseICMP(t, f, link.Ethernet); ok && m.src.Is4() && m.typ == wire.ICMPv4Redirect {
				n++
			}
		}
		return n
	}
	if n := count(four, fromHost4(host4, a4("198.18.0.1"))); n < 8 || n > 9 {
		t.Errorf("IPv4: %d in 10 s, want them ever less often", n)
	}
	if n := count(four, fromHost4(host4, a4("198.18.0.1"))); n > 1 {
		t.Errorf("IPv4: %d more to one who does not listen", n)
	}
	b.pass(time.Minute)
	if n := count(four, fromHost4(host4, a4("198.18.0.1"))); n < 8 {
		t.Errorf("IPv4: %d after a silence", n)
	}
}

// RFC 1812, 5.2.7.2.
func TestSendRedirect4(t *testing.T) {
	b := newRedirectingBed(t)
	find := func() (m message, ok bool) {
		for _, f := range b.eth0.take() {
			if m, ok := parseICMP(t, f, link.Ethernet); ok && m.typ == wire.ICMPv4Redirect {
				return m, true
			}
		}
		return m, false
	}
	// "Routers MUST be able to generate the Redirect for Host message (Code 1)". "The source address used in the ICMP Redirect
	// MUST belong to the same logical (sub)net as the destination address."
	b.in(b.eth0, fromHost4(host4, a4("198.18.0.1")))
	m, ok := find()
	if !ok || m.code != 1 || m.rest != peer4.V4() || m.src != us4 || m.dst != host4 {
		t.Fatalf("to a router: %+v", m)
	}
	b.pass(time.Minute)
	b.in(b.eth0, fromHost4(host4, peer4))
	if m, ok := find(); !ok || m.rest != peer4.V4() {
		t.Errorf("to a host: %+v", m)
	}
	b.pass(time.Minute)
	for name, f := range map[string][]byte{
		"another interface": fromHost4(host4, other4),
		"another subnet":    fromHost4(a4("10.0.0.5"), a4("198.18.0.1")),
		"for us":            fromHost4(host4, us4),
	} {
		b.in(b.eth0, f)
		if m, ok := find(); ok {
			t.Errorf("%s: %+v", name, m)
		}
	}
	b.pass(time.Minute)
	if err := b.l.ConfigureIPv4(2, func(c *netif.IPv4) { c.SendRedirects = false }); err != nil {
		t.Fatal(err)
	}
	b.in(b.eth0, fromHost4(host4, a4("198.18.0.1")))
	if m, ok := find(); ok {
		t.Errorf("with send_redirects 0: %+v", m)
	}
}
