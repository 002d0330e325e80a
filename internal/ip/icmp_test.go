package ip

import (
	"bytes"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// RFC 1122, 3.2.2.6; RFC 4443, 4.2: "Data received in an ICMP Echo Request MUST be entirely included in the resulting
// Echo Reply."
func TestEcho(t *testing.T) {
	body := []byte("the quick brown fox")
	group := func(dst wire.Addr) []byte {
		return eth(dst.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(peer6, dst, wire.ProtoICMPv6, icmp6(peer6, dst, 128, 0, 7, body)))
	}
	for _, c := range []struct {
		name   string
		frame  []byte
		src    wire.Addr
		silent bool
	}{
		{"IPv4", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(8, 0, 7, body))), us4, false},
		{"IPv4, to eth1's address", in4(ip4(peer4, us14, wire.ProtoICMP, icmp4(8, 0, 7, body))), us14, false},
		{"IPv4 broadcast", eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(peer4, a4("192.0.2.255"), wire.ProtoICMP, icmp4(8, 0, 7, body))), us4, true},
		{"IPv4 group", eth(a4("224.0.0.1").MulticastMAC(), peerMAC, wire.EtherTypeIPv4, ip4(peer4, a4("224.0.0.1"), wire.ProtoICMP, icmp4(8, 0, 7, body))), us4, true},
		{"IPv6", in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, 128, 0, 7, body))), us6, false},
		{"IPv6 link-local", in6(ip6(peerLL, usLL, wire.ProtoICMPv6, icmp6(peerLL, usLL, 128, 0, 7, body))), usLL, false},
		// "In this case, the source address of the reply MUST be a unicast address belonging to the interface on which
		// the Echo Request message was received."
		{"IPv6 group", group(wire.AllNodes6), us6, false},
		{"from nobody", eth(wire.AllNodes6.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(wire.Addr{}, wire.AllNodes6, wire.ProtoICMPv6, icmp6(wire.Addr{}, wire.AllNodes6, 128, 0, 7, body))), us6, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, setup{forwarding: true})
			b.in(b.eth0, c.frame)
			sent := b.eth0.take()
			if c.silent {
				if len(sent) > 0 {
					t.Fatal("answered")
				}
				return
			}
			if len(sent) != 1 {
				t.Fatalf("%d sent", len(sent))
			}
			m, ok := parseICMP(t, sent[0], link.Ethernet)
			if !ok || m.src != c.src || m.rest != 7 || !bytes.Equal(m.body, body) || m.hop != 64 {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestICMPMalformed(t *testing.T) {
	good4, good6 := icmp4(8, 0, 7, nil), icmp6(peer6, us6, 128, 0, 7, nil)
	check(t, setup{}, []row{
		{"short 4", in4(ip4(peer4, us4, wire.ProtoICMP, good4[:7])), dropped(mib.IcmpMalformed)},
		{"short 6", in6(ip6(peer6, us6, wire.ProtoICMPv6, good6[:7])), dropped(mib.Icmp6Malformed)},
		{"checksum 4", in4(ip4(peer4, us4, wire.ProtoICMP, poke(good4, 2, 1, 2))), dropped(mib.IcmpChecksum)},
		{"checksum 6", in6(ip6(peer6, us6, wire.ProtoICMPv6, poke(good6, 2, 1, 2))), dropped(mib.Icmp6Checksum)},
		// RFC 1122, 3.2.2: "If an ICMP message of unknown type is received, it MUST be silently discarded."
		{"unknown 4", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(99, 0, 0, nil))), dropped(mib.IcmpUnknownType)},
		{"unknown 6", in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, 200, 0, 0, nil))), dropped(mib.Icmp6UnknownType)},
		{"redirect about nothing", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(5, 0, 0, nil))), dropped(mib.IcmpMalformed)},
		{"router advertisement", in6(ip6(peerLL, us6, wire.ProtoICMPv6, icmp6(peerLL, us6, 134, 0, 0, make([]byte, 8)))), dropped(mib.NdInvalid)},
		{"echo reply", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(0, 0, 7, nil))), isDelivered},
		{"echo reply 6", in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, 129, 0, 7, nil))), isDelivered},
		{"error without quote", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(3, 3, 0, nil))), dropped(mib.IcmpMalformed)},
		{"error about another's", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(3, 3, 0, ip4(far4, peer4, 17, make([]byte, 8))))), dropped(mib.IcmpIgnored)},
		{"error about a later fragment", in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(3, 3, 0, ip4(us4, peer4, 17, make([]byte, 8), func(h *wire.IPv4Header) { h.FragmentOffset = 8 })))), dropped(mib.IcmpIgnored)},
	})
}

// RFC 1122, 3.2.2: "An ICMP error message MUST NOT be sent as the result of receiving: …"; RFC 4443, 2.4 (e). The rows
// would all be answered with port unreachable.
func TestNeverComplain(t *testing.T) {
	rows := []struct {
		name  string
		frame []byte
	}{
		{"broadcast", eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(peer4, wire.Broadcast4, 17, make([]byte, 8)))},
		{"subnet broadcast", eth(usMAC, peerMAC, wire.EtherTypeIPv4, ip4(peer4, a4("192.0.2.255"), 17, make([]byte, 8)))},
		{"multicast", eth(a4("224.0.0.1").MulticastMAC(), peerMAC, wire.EtherTypeIPv4, ip4(peer4, a4("224.0.0.1"), 17, make([]byte, 8)))},
		{"from 0.0.0.0", eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(wire.Unspecified4, wire.Broadcast4, 17, make([]byte, 8)))},
		{"multicast 6", eth(wire.AllNodes6.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(peer6, wire.AllNodes6, 17, make([]byte, 8)))},
		{"unicast in a multicast frame", eth(wire.AllNodes6.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(peer6, us6, 17, make([]byte, 8)))},
		{"from ::", eth(wire.AllNodes6.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(wire.Addr{}, wire.AllNodes6, 17, make([]byte, 8)))},
		{"ICMP error with TTL 1", in4(ip4(peer4, other4, wire.ProtoICMP, icmp4(11, 0, 0, make([]byte, 28)), ttl1))},
		{"ICMP too short to tell, TTL 1", in4(ip4(peer4, other4, wire.ProtoICMP, nil, ttl1))},
		{"later fragment with TTL 1", in4(ip4(peer4, other4, 17, make([]byte, 8), ttl1, func(h *wire.IPv4Header) { h.FragmentOffset = 8 }))},
		{"ICMPv6 error with hop limit 1", in6(ip6(peer6, other6, wire.ProtoICMPv6, icmp6(peer6, other6, 1, 0, 0, make([]byte, 40)), hops1))},
		{"redirect with hop limit 1", in6(ip6(peer6, other6, wire.ProtoICMPv6, icmp6(peer6, other6, 137, 0, 0, make([]byte, 32)), hops1))},
		{"ICMPv6 error behind options, hop limit 1", in6(ip6(peer6, other6, 60, cat(ext(wire.ProtoICMPv6), icmp6(peer6, other6, 1, 0, 0, make([]byte, 40))), hops1))},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			b := newBed(t, setup{forwarding: true})
			b.udp.answer = NoPort
			before := b.values()
			b.in(b.eth0, r.frame)
			if n := len(b.eth0.take()); n > 0 {
				t.Errorf("sent %d", n)
			}
			if _, n := drops(b.values(), before); n != 1 {
				t.Errorf("%d drops", n)
			}
		})
	}
}

// RFC 1122, 4.1.3.1; RFC 4443, 3.1, code 4. The quote begins at the internet header and is as long as may be.
func TestPortUnreachable(t *testing.T) {
	b := newBed(t, setup{tracing: true})
	b.events.list = nil // of its addresses
	b.udp.answer = NoPort
	small4 := ip4(peer4, us4, 17, udp(peer4, us4, "x"))
	big4 := ip4(peer4, us4, 17, udp(peer4, us4, string(make([]byte, 1000))))
	big6 := ip6(peer6, us6, 17, udp(peer6, us6, string(make([]byte, 1400))))
	opt6 := ip6(peer6, us6, 60, cat(ext(17), udp(peer6, us6, "x")))
	for _, c := range []struct {
		frame, about []byte
		total        int
		typ, code    uint8
	}{
		{in4(small4), small4, 20 + 8 + len(small4), 3, 3},
		{in4(big4), big4, 576, 3, 3},
		{in6(big6), big6, 1280, 1, 4},
		{in6(opt6), opt6, 40 + 8 + len(opt6), 1, 4},
	} {
		b.in(b.eth0, c.frame)
		sent := b.eth0.take()
		if len(sent) != 1 {
			t.Fatalf("%d sent", len(sent))
		}
		m, _ := parseICMP(t, sent[0], link.Ethernet)
		if m.typ != c.typ || m.code != c.code || len(sent[0])-14 != c.total || !bytes.HasPrefix(c.about, m.body) || m.rest != 0 {
			t.Errorf("%d octets: %+v", len(sent[0])-14, m)
		}
		if m.src != us4 && m.src != us6 {
			t.Errorf("from %v", m.src)
		}
	}
	v := b.values()
	if v.Get(mib.UdpNoPorts) != 4 || v.Get(mib.IcmpOutDestUnreachs) != 2 || v.Get(mib.Icmp6OutDestUnreachs) != 2 {
		t.Error("counters wrong")
	}
	if n := b.events.count(trace.ICMPSent); n != 4 || b.events.list[len(b.events.list)-2].Reason != "destination unreachable: port" {
		t.Errorf("%d events: %+v", n, b.events.list)
	}
}

// RFC 4443, 2.4 (f): "an IPv6 node MUST limit the rate of ICMPv6 error messages it originates."
func TestRateLimit(t *testing.T) {
	b := newBed(t, setup{rate: 10})
	b.udp.answer = NoPort
	frame := in6(ip6(peer6, us6, 17, udp(peer6, us6, "x")))
	for range 200 {
		b.in(b.eth0, frame)
	}
	sent := len(b.eth0.take())
	if sent < defaultICMPBurst*2/3 || sent > defaultICMPBurst*3/2 { // what one takes is random
		t.Errorf("%d at once", sent)
	}
	b.in(b.eth0, in6(ip6(peer6, us6, 99, nil)))
	if n := len(b.eth0.take()); n != 1 {
		t.Error("one kind of error silenced another")
	}
	b.pass(time.Second)
	for range 200 {
		b.in(b.eth0, frame)
	}
	n := len(b.eth0.take())
	if n < 4 || n > 25 {
		t.Errorf("%d a second later", n)
	}
	if v := b.values(); v.Get(mib.Icmp6OutRateLimited) != uint64(400-sent-n) {
		t.Errorf("%d limited", v.Get(mib.Icmp6OutRateLimited))
	}
}

// RFC 1122, 3.2.2: the protocol number in the quote is used "to select the appropriate transport protocol entity to
// handle the error."
func TestErrorsDelivered(t *testing.T) {
	quote4 := ip4(us4, far4, 17, udp(us4, far4, "data"))
	quote6 := ip6(us6, far6, 17, udp(us6, far6, "data"))
	err4 := func(typ, code uint8, rest uint32, quote []byte) []byte {
		return in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(typ, code, rest, quote)))
	}
	err6 := func(typ, code uint8, rest uint32, quote []byte) []byte {
		return in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, typ, code, rest, quote)))
	}
	for _, c := range []struct {
		name  string
		frame []byte
		errno syscall.Errno
		mtu   int
	}{
		{"net", err4(3, 0, 0, quote4), syscall.ENETUNREACH, 0},
		{"host", err4(3, 1, 0, quote4), syscall.EHOSTUNREACH, 0},
		{"protocol", err4(3, 2, 0, quote4), syscall.ENOPROTOOPT, 0},
		{"port", err4(3, 3, 0, quote4), syscall.ECONNREFUSED, 0},
		{"admin", err4(3, 13, 0, quote4), syscall.EHOSTUNREACH, 0},
		{"ttl", err4(11, 0, 0, quote4), syscall.EHOSTUNREACH, 0},
		{"parameter", err4(12, 0, 0, quote4), syscall.EPROTO, 0},
		{"no route", err6(1, 0, 0, quote6), syscall.ENETUNREACH, 0},
		{"admin 6", err6(1, 1, 0, quote6), syscall.EACCES, 0},
		{"address", err6(1, 3, 0, quote6), syscall.EHOSTUNREACH, 0},
		{"port 6", err6(1, 4, 0, quote6), syscall.ECONNREFUSED, 0},
		{"hop limit", err6(3, 0, 0, quote6), syscall.EHOSTUNREACH, 0},
		{"parameter 6", err6(4, 1, 0, quote6), syscall.EPROTO, 0},
		// RFC 4443, 2.4 (a).
		{"unknown type", err6(100, 0, 0, quote6), syscall.EPROTO, 0},
		{"behind options", err6(1, 4, 0, ip6(us6, far6, 60, cat(ext(17), udp(us6, far6, "data")))), syscall.ECONNREFUSED, 0},
		{"first fragment", err6(1, 4, 0, ip6(us6, far6, 44, cat([]byte{17, 0, 0, 1, 0, 0, 0, 1}, udp(us6, far6, "data")))), syscall.ECONNREFUSED, 0},
		{"too big", err4(3, 4, 1400, ip4(us4, far4, 17, cat(udp(us4, far4, "data"), make([]byte, 1400)))[:48]), syscall.EMSGSIZE, 1400},
		{"too big 6", err6(2, 0, 1300, ip6(us6, far6, 17, cat(udp(us6, far6, "data"), make([]byte, 1400)))[:80]), syscall.EMSGSIZE, 1300},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, setup{shards: 3})
			b.in(b.eth0, c.frame)
			if len(b.udp.errors) != 1 {
				t.Fatalf("%d errors", len(b.udp.errors))
			}
			e := b.udp.errors[0]
			if e.Errno != c.errno || e.MTU != c.mtu || e.Local || e.Proto != 17 {
				t.Errorf("%+v", e)
			}
			if (e.Src != us4 || e.Dst != far4 || e.From != peer4) && (e.Src != us6 || e.Dst != far6 || e.From != peer6) {
				t.Errorf("%+v", e)
			}
			if h, err := wire.CheckUDP(e.Quote); len(e.Quote) < 8 || err == nil && h.SrcPort() != 1000 {
				t.Errorf("quote %x", e.Quote)
			}
		})
	}
}

// Errors about echo requests go to the transport of echo replies, about its own requests only.
func TestErrorsAboutEcho(t *testing.T) {
	b := newBed(t, setup{})
	for _, typ := range []uint8{8, 0, 13} {
		q := ip4(us4, far4, wire.ProtoICMP, icmp4(typ, 0, 77<<16|1, nil))
		b.in(b.eth0, in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(11, 0, 0, q))))
	}
	if len(b.ping4.errors) != 1 || wire.ICMP(b.ping4.errors[0].Quote).ID() != 77 {
		t.Errorf("%+v", b.ping4.errors)
	}
}

// What an error takes of its bucket is not to be foreseen, and one in the mean.
func TestLimitIsRandom(t *testing.T) {
	var l limiters
	l.secret = 12345
	var n [3]int
	for range 30000 {
		n[l.tokens()]++
	}
	for i := range n {
		if n[i] < 9500 || n[i] > 10500 {
			t.Errorf("%d tokens: %d times", i, n[i])
		}
	}
}
