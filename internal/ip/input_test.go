package ip

import (
	"bytes"
	"testing"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// outcome is what one frame led to.
type outcome struct {
	delivered bool
	drop      mib.Reason // if not delivered and not forwarded
	forwarded bool
	icmp      bool // and an ICMP message, with:
	typ, code uint8
	rest      uint32
}

const noDrop = mib.Reason(0xffff)

func dropped(r mib.Reason) outcome { return outcome{drop: r} }

func answered(r mib.Reason, typ, code uint8, rest uint32) outcome {
	return outcome{drop: r, icmp: true, typ: typ, code: code, rest: rest}
}

var (
	isDelivered = outcome{delivered: true, drop: noDrop}
	isForwarded = outcome{forwarded: true, drop: noDrop}
)

type row struct {
	name  string
	frame []byte
	want  outcome
}

// check delivers each row's frame to eth0 of a fresh bed and compares what came of it.
func check(t *testing.T, c setup, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			b := newBed(t, c)
			before := b.values()
			b.in(b.eth0, r.frame)
			after := b.values()
			reasons, n := drops(after, before)
			got := outcome{delivered: b.udp.n+b.tcp.n+b.ping4.n+b.ping6.n > 0, drop: noDrop}
			if n == 1 {
				got.drop = reasons[0]
			} else if n > 1 {
				t.Fatalf("%d drops: %v", n, reasons)
			}
			for _, f := range b.eth0.take() {
				m, ok := parseICMP(t, f, c.medium)
				if !ok {
					t.Fatalf("sent %x", f)
				}
				got.icmp, got.typ, got.code, got.rest = true, m.typ, m.code, m.rest
			}
			if b.eth1 != nil && len(b.eth1.take()) > 0 {
				got.forwarded = true
			}
			if got != r.want {
				t.Errorf("got %+v (%s)\nwant %+v", got, reasonName(got.drop), r.want)
			}
		})
	}
}

func reasonName(r mib.Reason) string {
	if r == noDrop {
		return "no drop"
	}
	return r.String()
}

func set4(f func(h *wire.IPv4Header)) func(*wire.IPv4Header) { return f }

func poke(b []byte, at int, v ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], v)
	return b
}

func TestInput4(t *testing.T) {
	data := udp(peer4, us4, "hello")
	good := ip4(peer4, us4, wire.ProtoUDP, data)
	to := func(src, dst wire.Addr) []byte { return in4(ip4(src, dst, wire.ProtoUDP, udp(src, dst, "x"))) }
	rows := []row{
		{"for us", in4(good), isDelivered},
		{"padded", append(in4(good), make([]byte, 20)...), isDelivered},
		{"frame too short", in4(good)[:13], dropped(mib.FrameShort)},
		{"frame for another", eth(otherMAC, peerMAC, wire.EtherTypeIPv4, good), dropped(mib.FrameNotForUs)},
		{"unknown EtherType", eth(usMAC, peerMAC, 0x88cc, good), dropped(mib.FrameUnknownType)},
		{"802.3 length", eth(usMAC, peerMAC, 60, good), dropped(mib.FrameUnknownType)},
		{"empty", in4(nil), dropped(mib.Ip4Header)},
		{"version 5", in4(poke(good, 0, 0x55)), dropped(mib.Ip4Header)},
		{"header length 16", in4(poke(good, 0, 0x44)), dropped(mib.Ip4Header)},
		{"total length beyond", in4(poke(good, 2, 0xff)), dropped(mib.Ip4Header)},
		{"checksum", in4(poke(good, 10, 0xab, 0xcd)), dropped(mib.Ip4Checksum)},
		// RFC 1122, 3.2.1.3 (g): loopback addresses "MUST NOT appear outside a host".
		{"from loopback", to(wire.Loopback4, us4), dropped(mib.Ip4FromLoopback)},
		{"to loopback", to(peer4, wire.Loopback4), dropped(mib.Ip4ToLoopback)},
		{"from multicast", to(a4("224.0.0.5"), us4), dropped(mib.Ip4FromMulticast)},
		{"from broadcast", to(wire.Broadcast4, us4), dropped(mib.Ip4FromBroadcast)},
		{"from subnet broadcast", to(a4("192.0.2.255"), us4), dropped(mib.Ip4FromBroadcast)},
		{"from class E", to(a4("240.0.0.1"), us4), dropped(mib.Ip4FromClassE)},
		{"to class E", to(peer4, a4("240.0.0.1")), dropped(mib.Ip4ToClassE)},
		{"from ourselves", to(us4, us4), dropped(mib.Ip4FromOurs)},
		{"from 0.0.0.0", to(wire.Unspecified4, us4), dropped(mib.Ip4FromThisNetwork)},
		{"from 0.0.0.0 to all", eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(wire.Unspecified4, wire.Broadcast4, wire.ProtoUDP, data)), isDelivered},
		{"from 0.1.2.3", to(a4("0.1.2.3"), us4), dropped(mib.Ip4FromThisNetwork)},
		{"to 0.0.0.0", to(peer4, wire.Unspecified4), dropped(mib.Ip4ToThisNetwork)},
		{"not ours", to(peer4, far4), dropped(mib.Ip4NotForUs)},
		{"all-hosts group", eth(a4("224.0.0.1").MulticastMAC(), peerMAC, wire.EtherTypeIPv4, ip4(peer4, a4("224.0.0.1"), wire.ProtoUDP, data)), isDelivered},
		{"another group", to(peer4, a4("224.0.0.251")), dropped(mib.Ip4NotMember)},
		{"subnet broadcast", eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(peer4, a4("192.0.2.255"), wire.ProtoUDP, data)), isDelivered},
		// RFC 1122, 3.3.6: the 0 form too.
		{"old subnet broadcast", eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(peer4, a4("192.0.2.0"), wire.ProtoUDP, data)), isDelivered},
		// RFC 1122, 3.3.6: "SHOULD silently discard a datagram that is received via a link-layer broadcast … but does
		// not specify an IP multicast or broadcast destination address."
		{"unicast in broadcast frame", eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, good), dropped(mib.Ip4FrameNotUnicast)},
		// RFC 1122, 3.2.2.1: Protocol Unreachable.
		{"unknown protocol", in4(ip4(peer4, us4, 99, data)), answered(mib.Ip4UnknownProtocol, wire.ICMPv4DestUnreachable, wire.ICMPv4ProtoUnreachable, 0)},
		{"ICMPv6 over IPv4", in4(ip4(peer4, us4, wire.ProtoICMPv6, data)), answered(mib.Ip4UnknownProtocol, wire.ICMPv4DestUnreachable, wire.ICMPv4ProtoUnreachable, 0)},
		// RFC 1122, 3.2.1.8: options not understood are ignored.
		{"options tolerated", in4(ip4(peer4, us4, wire.ProtoUDP, data, set4(func(h *wire.IPv4Header) { h.Options = []byte{7, 7, 4, 0, 0, 0, 0, 1, 0x99, 3, 0} }))), isDelivered},
		// RFC 1122, 3.3.5: Source Route Failed.
		{"source route", in4(ip4(peer4, us4, wire.ProtoUDP, data, set4(func(h *wire.IPv4Header) { h.Options = []byte{131, 7, 4, 10, 0, 0, 1} }))),
			answered(mib.Ip4SourceRoute, wire.ICMPv4DestUnreachable, wire.ICMPv4SourceRouteFailed, 0)},
		{"source route at its end", in4(ip4(peer4, us4, wire.ProtoUDP, data, set4(func(h *wire.IPv4Header) { h.Options = []byte{131, 7, 8, 10, 0, 0, 1} }))), dropped(mib.Ip4SourceRoute)},
		{"option too long", in4(ip4(peer4, us4, wire.ProtoUDP, data, set4(func(h *wire.IPv4Header) { h.Options = []byte{1, 7, 9, 0} }))),
			answered(mib.Ip4Option, wire.ICMPv4ParamProblem, 0, 21<<24)},
	}
	check(t, setup{}, rows)
}

func TestInput4Unconfigured(t *testing.T) {
	b := newBed(t, setup{})
	c := b.add("eth9", otherMAC, setup{})
	before := b.values()
	b.in(c, eth(otherMAC, peerMAC, wire.EtherTypeIPv4, ip4(peer4, far4, wire.ProtoUDP, nil)))
	if r, n := drops(b.values(), before); n != 1 || r[0] != mib.Ip4NotConfigured {
		t.Errorf("drops: %v", r)
	}
}

// ext returns an extension header of 8 octets more than n units.
func ext(next uint8, options ...byte) []byte {
	n := (len(options) + 2 + 7) / 8 * 8
	b := make([]byte, n)
	b[0], b[1] = next, uint8(n/8-1)
	copy(b[2:], options)
	if pad := n - 2 - len(options); pad == 1 {
		b[n-1] = wire.IPv6Pad1
	} else if pad > 1 {
		b[2+len(options)], b[3+len(options)] = wire.IPv6PadN, uint8(pad-2)
	}
	return b
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestInput6(t *testing.T) {
	data := udp(peer6, us6, "hello")
	good := ip6(peer6, us6, wire.ProtoUDP, data)
	to := func(src, dst wire.Addr) []byte { return in6(ip6(src, dst, wire.ProtoUDP, udp(src, dst, "x"))) }
	group := func(dst wire.Addr, next uint8, payload []byte) []byte {
		return eth(dst.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(peer6, dst, next, payload))
	}
	problem := func(r mib.Reason, code uint8, pointer uint32) outcome {
		return answered(r, wire.ICMPv6ParamProblem, code, pointer)
	}
	const hbh, dst, rt, fr = wire.ProtoHopByHop, wire.ProtoDestOpts, wire.ProtoRouting, wire.ProtoFragment
	mapped := wire.Addr4(10, 0, 0, 1)
	rows := []row{
		{"for us", in6(good), isDelivered},
		{"padded", append(in6(good), make([]byte, 20)...), isDelivered},
		{"short", in6(good[:39]), dropped(mib.Ip6Header)},
		{"version", in6(poke(good, 0, 0x45)), dropped(mib.Ip6Header)},
		{"payload beyond", in6(poke(good, 4, 0xff)), dropped(mib.Ip6Header)},
		{"mapped source", in6(ip6(mapped, us6, wire.ProtoUDP, data)), dropped(mib.Ip6Mapped)},
		{"mapped destination", in6(ip6(peer6, mapped, wire.ProtoUDP, data)), dropped(mib.Ip6Mapped)},
		// RFC 4291, 2.5.3: "A packet received on an interface with a destination address of loopback must be dropped."
		{"to loopback", to(peer6, wire.Loopback6), dropped(mib.Ip6ToLoopback)},
		{"from loopback", to(wire.Loopback6, us6), dropped(mib.Ip6FromLoopback)},
		{"from multicast", to(wire.AllNodes6, us6), dropped(mib.Ip6FromMulticast)},
		{"to unspecified", to(peer6, wire.Addr{}), dropped(mib.Ip6ToUnspecified)},
		{"from unspecified", to(wire.Addr{}, us6), dropped(mib.Ip6FromUnspecified)},
		{"from ourselves", to(us6, us6), dropped(mib.Ip6FromOurs)},
		{"scope 0", to(peer6, a6("ff00::1")), dropped(mib.Ip6ToNarrowScope)},
		{"interface-local", to(peer6, a6("ff01::1")), dropped(mib.Ip6ToNarrowScope)},
		{"not ours", to(peer6, far6), dropped(mib.Ip6NotForUs)},
		{"link-local", to(peerLL, usLL), isDelivered},
		{"all nodes", group(wire.AllNodes6, wire.ProtoUDP, data), isDelivered},
		{"solicited node", group(us6.SolicitedNode(), wire.ProtoUDP, data), isDelivered},
		{"all routers, of a host", group(wire.AllRouters6, wire.ProtoUDP, data), dropped(mib.Ip6NotMember)},
		{"another group", group(a6("ff02::fb"), wire.ProtoUDP, data), dropped(mib.Ip6NotMember)},
		// RFC 8200, 4: unrecognized Next Header.
		{"unknown protocol", in6(ip6(peer6, us6, 99, data)), problem(mib.Ip6UnknownHeader, 1, 6)},
		{"ICMPv4 over IPv6", in6(ip6(peer6, us6, wire.ProtoICMP, data)), problem(mib.Ip6UnknownHeader, 1, 6)},
		{"unknown behind options", in6(ip6(peer6, us6, dst, cat(ext(99), data))), problem(mib.Ip6UnknownHeader, 1, 40)},
		{"unknown, to a group", group(wire.AllNodes6, 99, data), dropped(mib.Ip6UnknownHeader)},
		// RFC 8200, 3: "A node that is the destination of a packet should not discard a packet with Hop Limit equal to zero".
		{"hop limit 0", in6(ip6(peer6, us6, wire.ProtoUDP, data, func(h *wire.IPv6Header) { h.HopLimit = 0 })), isDelivered},
		{"AH", in6(ip6(peer6, us6, wire.ProtoAH, cat([]byte{17, 0, 0, 0, 0, 0, 0, 0}, data))), problem(mib.Ip6UnknownHeader, 1, 6)},
		{"ESP", in6(ip6(peer6, us6, wire.ProtoESP, data)), problem(mib.Ip6UnknownHeader, 1, 6)},
		// RFC 8200, 4.7.
		{"no next header", in6(ip6(peer6, us6, wire.ProtoNoNext, data)), dropped(mib.Ip6NoNextHeader)},
		{"headers in any order", in6(ip6(peer6, us6, hbh, cat(ext(dst), ext(rt), []byte{dst, 0, 99, 0, 0, 0, 0, 0}, ext(wire.ProtoUDP), data))), isDelivered},
		{"router alert", in6(ip6(peer6, us6, hbh, cat(ext(wire.ProtoUDP, 5, 2, 0, 0), data))), isDelivered},
		// RFC 8200, 4: Next Header zero elsewhere.
		{"hop-by-hop second", in6(ip6(peer6, us6, dst, cat(ext(hbh), ext(wire.ProtoUDP), data))), problem(mib.Ip6UnknownHeader, 1, 40)},
		// RFC 8200, 4.2: the four actions.
		{"option skipped", in6(ip6(peer6, us6, dst, cat(ext(wire.ProtoUDP, 0x1e, 1, 0), data))), isDelivered},
		{"option discards", in6(ip6(peer6, us6, dst, cat(ext(wire.ProtoUDP, 0x5e, 1, 0), data))), dropped(mib.Ip6UnknownOption)},
		{"option reports", in6(ip6(peer6, us6, dst, cat(ext(wire.ProtoUDP, 0x9e, 1, 0), data))), problem(mib.Ip6UnknownOption, 2, 42)},
		{"option reports unicast", in6(ip6(peer6, us6, hbh, cat(ext(wire.ProtoUDP, 1, 0, 0xde, 1, 0), data))), problem(mib.Ip6UnknownOption, 2, 44)},
		{"option reports even multicast", group(wire.AllNodes6, dst, cat(ext(wire.ProtoUDP, 0x9e, 1, 0), data)), problem(mib.Ip6UnknownOption, 2, 42)},
		{"option does not report multicast", group(wire.AllNodes6, dst, cat(ext(wire.ProtoUDP, 0xde, 1, 0), data)), dropped(mib.Ip6UnknownOption)},
		{"option too long", in6(ip6(peer6, us6, dst, cat(ext(wire.ProtoUDP, 1, 0, 0x1e, 9), data))), problem(mib.Ip6Option, 0, 44)},
		{"header cut off", in6(ip6(peer6, us6, dst, []byte{17, 1, 1, 4, 0, 0, 0, 0})), dropped(mib.Ip6Header)},
		// RFC 8200, 4.4; RFC 5095.
		{"routing header 0", in6(ip6(peer6, us6, rt, cat([]byte{17, 0, 0, 1, 0, 0, 0, 0}, data))), problem(mib.Ip6RoutingHeader, 0, 42)},
		{"routing header done", in6(ip6(peer6, us6, rt, cat([]byte{17, 0, 0, 0, 0, 0, 0, 0}, data))), isDelivered},
		// RFC 6946.
		{"atomic fragment", in6(ip6(peer6, us6, fr, cat([]byte{17, 0, 0, 0, 1, 2, 3, 4}, data))), isDelivered},
		// RFC 8200, 4.5.
		{"fragment not of 8", in6(ip6(peer6, us6, fr, cat([]byte{17, 0, 0, 1, 1, 2, 3, 4}, data))), problem(mib.Ip6Reassembly, 0, 4)},
		{"fragment beyond 65535", in6(ip6(peer6, us6, fr, cat([]byte{17, 0, 0xff, 0xf8, 1, 2, 3, 4}, data))), problem(mib.Ip6Reassembly, 0, 42)},
		{"fragment without upper header", in6(ip6(peer6, us6, fr, cat([]byte{dst, 0, 0, 1, 1, 2, 3, 4}, []byte{6, 0, 1, 4, 0, 0, 0, 0}, make([]byte, 8)))), problem(mib.Ip6Reassembly, 3, 0)},
		// RFC 8200, 4: "The same action should be taken if a node encounters a Next Header value of zero in any header other than an
		// IPv6 header."
		{"hop-by-hop in a fragment", in6(ip6(peer6, us6, fr, cat([]byte{hbh, 0, 0, 1, 1, 2, 3, 4}, ext(wire.ProtoUDP), make([]byte, 8)))), problem(mib.Ip6UnknownHeader, 1, 40)},
		{"empty fragment", in6(ip6(peer6, us6, fr, []byte{59, 0, 0, 8, 1, 2, 3, 4})), dropped(mib.Ip6FragmentOverlap)},
	}
	check(t, setup{}, rows)
}

// RFC 2675, 3, lists the errors of jumbograms.
func TestJumbogramRefused(t *testing.T) {
	jumbo := func(n byte, more ...byte) []byte {
		return ip6(peer6, us6, wire.ProtoHopByHop, cat(ext(wire.ProtoUDP, append([]byte{wire.IPv6Jumbo, 4, 0, n, 0, 24}, more...)...), make([]byte, 16)))
	}
	none := ip6(peer6, us6, wire.ProtoHopByHop, cat(ext(wire.ProtoUDP), make([]byte, 16)))
	const problem = wire.ICMPv6ParamProblem
	check(t, setup{}, []row{
		{"with payload length", in6(jumbo(1)), answered(mib.Ip6Jumbogram, problem, 0, 42)},
		{"without", in6(poke(jumbo(1), 4, 0, 0)), dropped(mib.Ip6Jumbogram)},
		{"small", in6(poke(jumbo(0), 4, 0, 0)), answered(mib.Ip6Jumbogram, problem, 0, 44)},
		{"no option", in6(poke(none, 4, 0, 0)), answered(mib.Ip6Header, problem, 0, 4)},
		{"option too short", in6(poke(jumbo(1), 43, 3, 0, 1, 0, 0)), dropped(mib.Ip6Option)},
		{"header cut off", in6(poke(none, 4, 0, 0)[:44]), dropped(mib.Ip6Header)},
	})
}

func TestInputTUN(t *testing.T) {
	check(t, setup{medium: link.IP}, []row{
		{"IPv4", ip4(peer4, us4, wire.ProtoUDP, udp(peer4, us4, "x")), isDelivered},
		{"IPv6", ip6(peer6, us6, wire.ProtoUDP, udp(peer6, us6, "x")), isDelivered},
		{"echo", ip4(peer4, us4, wire.ProtoICMP, icmp4(8, 0, 1, nil)), outcome{drop: noDrop, icmp: true, rest: 1}},
		{"neighbor solicitation", ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, 135, 0, 0, make([]byte, 16)),
			func(h *wire.IPv6Header) { h.HopLimit = 255 }), dropped(mib.Icmp6Ignored)},
	})
}

func TestNoIPv6(t *testing.T) {
	b := newBed(t, setup{})
	lk := newCable(otherMAC)
	lk.info.MTU = 1000 // RFC 8200, 5: IPv6 needs 1280
	i, err := b.l.AddInterface("small", lk, b.l.devices[1].cfg)
	if err != nil || !i.NoIPv6 || len(i.Addrs) != 0 {
		t.Fatal(i, err)
	}
	before := b.values()
	b.in(lk, eth(otherMAC, peerMAC, wire.EtherTypeIPv6, ip6(peer6, us6, wire.ProtoUDP, nil)))
	if r, _ := drops(b.values(), before); len(r) != 1 || r[0] != mib.Ip6NotConfigured {
		t.Error(r)
	}
}

func TestDeliveredMeta(t *testing.T) {
	b := newBed(t, setup{})
	b.in(b.eth0, in4(ip4(peer4, us4, wire.ProtoUDP, udp(peer4, us4, "four"), func(h *wire.IPv4Header) { h.TTL, h.TrafficClass = 9, 0xb8 })),
		in6(ip6(peer6, us6, wire.ProtoDestOpts, cat(ext(wire.ProtoUDP), udp(peer6, us6, "six")), func(h *wire.IPv6Header) { h.HopLimit, h.TrafficClass = 7, 0x2e })),
		eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(peer4, wire.Broadcast4, wire.ProtoUDP, udp(peer4, wire.Broadcast4, "all"))))
	want := []delivery{
		{peer4, us4, 2, 0, 9, 0xb8, udp(peer4, us4, "four")},
		{peer6, us6, 2, 0, 7, 0x2e, udp(peer6, us6, "six")},
		{peer4, wire.Broadcast4, 2, packet.LinkMulticast | packet.Broadcast, 64, 0, udp(peer4, wire.Broadcast4, "all")},
	}
	if len(b.udp.got) != len(want) {
		t.Fatalf("%d delivered", len(b.udp.got))
	}
	for i, g := range b.udp.got {
		w := want[i]
		if g.src != w.src || g.dst != w.dst || g.in != w.in || g.flags != w.flags || g.hop != w.hop || g.tc != w.tc || !bytes.Equal(g.data, w.data) {
			t.Errorf("%d: got %+v want %+v", i, g, w)
		}
	}
	v := b.values()
	if v.Get(mib.IpInReceives) != 2 || v.Get(mib.IpInDelivers) != 2 || v.Get(mib.Ip6InReceives) != 1 || v.Get(mib.Ip6InDelivers) != 1 {
		t.Error("counters wrong")
	}
}

// A flow is always delivered under the lock of the shard that ShardFor names.
func TestShards(t *testing.T) {
	b := newBed(t, setup{shards: 4})
	used := map[int]bool{}
	for port := range uint16(64) {
		d := udp(peer4, us4, "x")
		wire.PutUDP(d, port, 53, len(d))
		b.udp.shards = nil
		b.in(b.eth0, in4(ip4(peer4, us4, wire.ProtoUDP, d)))
		k := flowKey(us4, peer4, 53, port)
		if want := b.l.ShardFor(&k).Index; len(b.udp.shards) != 1 || b.udp.shards[0] != want {
			t.Fatalf("port %d: shards %v, want %d", port, b.udp.shards, want)
		}
		used[b.udp.shards[0]] = true
	}
	if len(used) != 4 {
		t.Errorf("only %d shards used", len(used))
	}
}
