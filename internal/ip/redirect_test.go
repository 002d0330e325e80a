package ip

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

var (
	betterLL  = a6("fe80::b")
	better4   = a4("192.0.2.9")
	betterMAC = wire.MAC{0x02, 0, 0, 0, 0, 0x0b}
)

// redirectBed is a host whose routers are peerLL and peer4.
func redirectBed(t *testing.T) *bed {
	b := newBed(t, setup{})
	for _, r := range []route.Route{{Prefix: netip.MustParsePrefix("::/0"), Gateway: peer6.Netip()}} {
		if err := b.l.RemoveRoute(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.l.AddRoute(route.Route{Prefix: netip.MustParsePrefix("::/0"), Gateway: peerLL.Netip(), Out: 2}); err != nil {
		t.Fatal(err)
	}
	return b
}

func redirect6(src, dst wire.Addr, m wire.Redirect, change ...func(*wire.IPv6Header)) []byte {
	body := make([]byte, m.Len())
	m.Put(body)
	wire.FinishICMPv6(body, src, dst)
	change = append([]func(*wire.IPv6Header){func(h *wire.IPv6Header) { h.HopLimit = 255 }}, change...)
	return in6(ip6(src, dst, wire.ProtoICMPv6, body, change...))
}

func (b *bed) nextHop(dst wire.Addr) wire.Addr {
	p, err := b.l.Route(b.sim.Now(), Query{Dst: dst})
	if err != nil {
		b.Fatal(err)
	}
	return p.NextHop
}

// RFC 4861, 8.1: "A host MUST silently discard any received Redirect message that does not satisfy all of the following
// validity checks".
func TestRedirectValidity(t *testing.T) {
	good := wire.Redirect{Target: betterLL, Destination: far6, TargetLink: betterMAC}
	onLink := wire.Redirect{Target: far6, Destination: far6, TargetLink: betterMAC}
	for _, c := range []struct {
		name  string
		frame []byte
		want  wire.Addr
	}{
		{"a router", redirect6(peerLL, us6, good), betterLL},
		// 8.3: "If the Target and Destination Addresses are the same, the host MUST treat the Target as on-link."
		{"the destination is on-link", redirect6(peerLL, us6, onLink), far6},
		{"without the link-layer address", redirect6(peerLL, us6, wire.Redirect{Target: betterLL, Destination: far6}), betterLL},
		// "IP Source Address is a link-local address."
		{"not from a link-local address", redirect6(peer6, us6, good), peerLL},
		// "The IP Hop Limit field has a value of 255".
		{"hop limit", redirect6(peerLL, us6, good, func(h *wire.IPv6Header) { h.HopLimit = 254 }), peerLL},
		// "The IP source address of the Redirect is the same as the current first-hop router".
		{"from another router", redirect6(a6("fe80::77"), us6, good), peerLL},
		// "The ICMP Destination Address field in the redirect message does not contain a multicast address."
		{"for a group", redirect6(peerLL, us6, wire.Redirect{Target: betterLL, Destination: a6("ff0e::1")}), peerLL},
		// "The ICMP Target Address is either a link-local address … or the same as the ICMP Destination Address".
		{"to a global address", redirect6(peerLL, us6, wire.Redirect{Target: peer6, Destination: far6}), peerLL},
		{"to ourselves", redirect6(peerLL, us6, wire.Redirect{Target: usLL, Destination: far6}), peerLL},
	} {
		b := redirectBed(t)
		b.in(b.eth0, c.frame)
		if got := b.nextHop(far6); got != c.want {
			t.Errorf("%s: to %v, want %v", c.name, got, c.want)
		}
		if got := b.nextHop(a6("2001:db8:f::a")); got != peerLL {
			t.Errorf("%s: another destination goes to %v", c.name, got)
		}
	}
}

// RFC 4861, 8.3: the target's link-layer address goes to the Neighbor Cache, STALE; a target that is not the destination is
// a router.
func TestRedirectTeachesNeighbor(t *testing.T) {
	b := redirectBed(t)
	b.in(b.eth0, redirect6(peerLL, us6, wire.Redirect{Target: betterLL, Destination: far6, TargetLink: betterMAC}))
	all, _ := b.l.Neighbors(2)
	for _, n := range all {
		if n.Addr == betterLL {
			if n.State.String() != "STALE" || n.MAC != betterMAC || !n.Router {
				t.Errorf("%+v", n)
			}
			return
		}
	}
	t.Errorf("no neighbor: %+v", all)
}

// A router follows no redirect (RFC 4861, 8.2), nor does a host that is told not to.
func TestRedirectRefused(t *testing.T) {
	frame := redirect6(peerLL, us6, wire.Redirect{Target: betterLL, Destination: far6})
	for _, f := range []func(*Settings){func(s *Settings) { s.Forward6 = true }, func(s *Settings) { s.AcceptRedirects6 = false }} {
		b := redirectBed(t)
		b.l.Configure(f)
		b.in(b.eth0, frame)
		if got := b.nextHop(far6); got != peerLL {
			t.Errorf("to %v", got)
		}
	}
}

// A redirect ends with its lifetime, with the target, and when the routes that it was about change.
func TestRedirectEnds(t *testing.T) {
	frame := redirect6(peerLL, us6, wire.Redirect{Target: betterLL, Destination: far6})
	b := redirectBed(t)
	b.in(b.eth0, frame)
	b.pass(redirectLifetime - time.Second)
	if got := b.nextHop(far6); got != betterLL {
		t.Errorf("before its time to %v", got)
	}
	b.pass(2 * time.Second)
	if got := b.nextHop(far6); got != peerLL {
		t.Errorf("after its time to %v", got)
	}
	b.in(b.eth0, frame)
	if err := b.out(Query{Dst: far6}, Params{Proto: wire.ProtoUDP}, []byte("12345678")); err != nil {
		t.Fatal(err)
	}
	b.eth0.take()
	b.pass(5 * time.Second) // nobody answers at betterLL
	if got := b.nextHop(far6); got != peerLL {
		t.Errorf("with a dead target to %v", got)
	}
	// What waited for the dead target went to the router.
	sent := false
	for _, f := range b.eth0.take() {
		sent = sent || len(f) > 60 && f[20] == wire.ProtoUDP && wire.MAC(f[:6]) == peerMAC
	}
	if !sent {
		t.Error("the packet is lost")
	}
	b.in(b.eth0, frame)
	if err := b.l.ReplaceRoute(route.Route{Prefix: netip.MustParsePrefix("::/0"), Gateway: peer6.Netip()}); err != nil {
		t.Fatal(err)
	}
	if got := b.nextHop(far6); got != peer6 {
		t.Errorf("with another route to %v", got)
	}
}

// Memory for redirects is bounded, and the oldest makes room.
func TestRedirectsBounded(t *testing.T) {
	b := redirectBed(t)
	dst := func(i int) wire.Addr { return wire.Addr{Hi: far6.Hi, Lo: uint64(i + 1)} }
	for i := range maxRedirects + 10 {
		b.in(b.eth0, redirect6(peerLL, us6, wire.Redirect{Target: betterLL, Destination: dst(i)}))
	}
	if n := len(b.l.redirects.list); n != maxRedirects {
		t.Errorf("%d redirects", n)
	}
	if b.nextHop(dst(0)) != peerLL || b.nextHop(dst(10)) != betterLL {
		t.Error("not the oldest made room")
	}
}

func redirect4(src, gateway, dst wire.Addr, code uint8) []byte {
	quoted := ip4(us4, dst, wire.ProtoUDP, make([]byte, 8))
	return in4(ip4(src, us4, wire.ProtoICMP, icmp4(wire.ICMPv4Redirect, code, gateway.V4(), quoted)))
}

// RFC 1122, 3.2.2.2.
func TestRedirect4(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame []byte
		want  wire.Addr
	}{
		{"host", redirect4(peer4, better4, far4, 1), better4},
		// "Every host MUST be prepared to accept both Host and Network Redirects".
		{"network", redirect4(peer4, better4, far4, 0), better4},
		{"host and service", redirect4(peer4, better4, far4, 3), better4},
		{"no such code", redirect4(peer4, better4, far4, 4), peer4},
		// "if the new gateway address it specifies is not on the same connected (sub-) net"
		{"gateway elsewhere", redirect4(peer4, a4("198.51.100.9"), far4, 1), peer4},
		// "or if the source of the Redirect is not the current first-hop gateway".
		{"from another", redirect4(a4("192.0.2.77"), better4, far4, 1), peer4},
		{"to ourselves", redirect4(peer4, us4, far4, 1), peer4},
		{"to the same", redirect4(peer4, peer4, far4, 1), peer4},
		{"to the broadcast address", redirect4(peer4, a4("192.0.2.255"), far4, 1), peer4},
	} {
		b := redirectBed(t)
		b.in(b.eth0, c.frame)
		if got := b.nextHop(far4); got != c.want {
			t.Errorf("%s: to %v, want %v", c.name, got, c.want)
		}
	}
	b := redirectBed(t)
	b.l.Configure(func(s *Settings) { s.SharedMedia = false })
	b.in(b.eth0, redirect4(peer4, better4, far4, 1))
	if got := b.nextHop(far4); got != peer4 {
		t.Errorf("secure_redirects: to %v", got)
	}
}

// Routers are probed and chosen by what comes of it.
func TestRouterFailover(t *testing.T) {
	b := newBed(t, setup{})
	any4 := netip.MustParsePrefix("0.0.0.0/0")
	second := a4("192.0.2.8")
	if err := b.l.RemoveRoute(route.Route{Prefix: any4}); err != nil {
		t.Fatal(err)
	}
	first := a4("192.0.2.7")
	for _, g := range []wire.Addr{first, second} {
		if err := b.l.AddRoute(route.Route{Prefix: any4, Gateway: g.Netip()}); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.nextHop(far4); got != first {
		t.Fatal(got)
	}
	if err := b.out(Query{Dst: far4}, Params{Proto: wire.ProtoUDP}, []byte("12345678")); err != nil {
		t.Fatal(err)
	}
	b.pass(4 * time.Second)
	b.know(2, otherMAC, second)
	if got := b.nextHop(far4); got != second {
		t.Fatalf("the first did not answer, and packets go to %v", got)
	}
	if len(b.udp.errors) != 0 {
		t.Errorf("a socket hears of it: %v", b.udp.errors)
	}
	b.eth0.take()
	// RFC 4191, 3.5: it is asked again, once a minute, while it is missed.
	b.pass(90 * time.Second)
	asked := func() (n int) {
		for _, f := range b.eth0.take() {
			if m, err := wire.ParseARP(f[14:]); err == nil && f[13] == 6 && m.TargetIP == first {
				n++
			}
		}
		return n
	}
	if n := asked(); n != 1 {
		t.Errorf("asked %d times in 90 s", n)
	}
	// It answers, and is used again.
	b.nextHop(far4)
	for range 600 {
		if b.pass(100 * time.Millisecond); asked() > 0 {
			break
		}
	}
	reply := wire.ARP{Op: wire.ARPReply, SenderMAC: betterMAC, SenderIP: first, TargetMAC: usMAC, TargetIP: us4}
	body := make([]byte, wire.ARPLen)
	reply.Put(body)
	b.in(b.eth0, eth(usMAC, betterMAC, wire.EtherTypeARP, body))
	if got := b.nextHop(far4); got != first {
		t.Errorf("back again, and packets go to %v", got)
	}
}

// The types of route have Linux's errnos here, and ICMP errors for those behind us.
func TestRouteTypes(t *testing.T) {
	for _, c := range []struct {
		typ          route.Type
		errno        syscall.Errno
		code4, code6 int // negative: no message
	}{
		{route.Blackhole, syscall.EINVAL, -1, -1},
		{route.Unreachable, syscall.EHOSTUNREACH, wire.ICMPv4HostUnreachable, wire.ICMPv6NoRoute},
		{route.Prohibit, syscall.EACCES, wire.ICMPv4AdminProhibited, wire.ICMPv6AdminProhibited},
	} {
		b := newBed(t, setup{forwarding: true})
		for _, p := range []string{"203.0.113.0/24", "2001:db8:f::/48"} {
			if err := b.l.AddRoute(route.Route{Prefix: netip.MustParsePrefix(p), Type: c.typ}); err != nil {
				t.Fatal(err)
			}
		}
		for _, dst := range []wire.Addr{far4, far6} {
			if _, err := b.l.Route(0, Query{Dst: dst}); err != c.errno {
				t.Errorf("%v: %v, want %v", c.typ, err, c.errno)
			}
		}
		for i, want := range []int{c.code4, c.code6} {
			f := [][]byte{in4(ip4(peer4, far4, wire.ProtoUDP, udp(peer4, far4, "x"))), in6(ip6(peer6, far6, wire.ProtoUDP, udp(peer6, far6, "x")))}[i]
			b.in(b.eth0, f)
			got := -1
			for _, f := range b.eth0.take() {
				if m, ok := parseICMP(t, f, 0); ok {
					got = int(m.code)
				}
			}
			if got != want {
				t.Errorf("%v: ICMP code %d, want %d", c.typ, got, want)
			}
		}
	}
}
