package core6

import (
	"bytes"
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// messages: ICMPv6 at a host (RFC 4443).
func messages() (list []Case) {
	me, self := router1.ll, nodeLL
	add := func(name, rule string, run func(b *Bench)) {
		list = append(list, Case{Name: name, Rule: rule, Run: func(b *Bench) {
			b.ready()
			run(b)
		}})
	}
	never := func(name, rule string, packet []byte) {
		add(name, rule, func(b *Bench) {
			b.in(router1, packet)
			b.none(2*time.Second, want{"answer", func(s *seen) bool {
				return anyFault().ok(s) || typed("Echo Reply", wire.ICMPv6EchoReply).ok(s)
			}})
		})
	}
	udp := func(src, dst wire.Addr, n int) []byte {
		return conform.IP6(src, dst, wire.ProtoUDP, conform.UDP(src, dst, conform.Data(n)))
	}

	// Echo.
	for _, c := range []struct {
		name     string
		src, dst wire.Addr
		from     wire.Addr
	}{
		{"link-local", me, self, self}, {"global", router1.addr, node, node}, {"far", far, node, node},
		{"global from link-local", me, node, node}, {"all nodes", me, wire.AllNodes6, self}, {"all nodes from global", router1.addr, wire.AllNodes6, node},
		{"solicited node", me, self.SolicitedNode(), self},
	} {
		for _, n := range []int{0, 1, 64, 1232} {
			add(fmt.Sprintf("echo, %s, %d octets", c.name, n), `RFC 4443, 4.2: "The source address of an Echo Reply sent in response to a unicast Echo Request message MUST be the same as the destination address of that Echo Request message. An Echo Reply SHOULD be sent in response to an Echo Request message sent to an IPv6 multicast or anycast address. In this case, the source address of the reply MUST be a unicast address belonging to the interface on which the Echo Request message was received. The data received in the ICMPv6 Echo Request message MUST be returned entirely and unmodified in the ICMPv6 Echo Reply message."`, func(b *Bench) {
				b.answering(router1)
				q := conform.ICMP6(c.src, c.dst, wire.ICMPv6EchoRequest, 0, 0xbeef_0007, conform.Data(n))
				b.in(router1, conform.IP6(c.src, c.dst, icmpv6, q))
				s := b.expect(2*time.Second, reply(c.src))
				m, _ := s.icmp()
				if s.src != c.from || m.Code() != 0 || m.Rest() != 0xbeef_0007 || !bytes.Equal(m.Body(), conform.Data(n)) {
					b.Fatalf("%v", s)
				}
			})
		}
	}
	e := conform.Echo6(me, self, conform.Data(8))
	never("echo with a wrong checksum", `RFC 4443, 2.3`, conform.IP6(me, self, icmpv6, conform.Poke(e, 2, e[2]^0xff)))
	never("echo with the checksum 0", `RFC 4443, 2.3`, conform.IP6(me, self, icmpv6, conform.Poke(e, 2, 0, 0)))
	never("echo from the unspecified address", `RFC 4291, 2.5.2: it "must not be used as the destination address of IPv6 packets"`, echo(wire.Addr{}, self, conform.Data(8)))
	never("echo from a group", `RFC 4291, 2.7: "Multicast addresses must not be used as source addresses in IPv6 packets"`, echo(addr("ff02::5"), self, conform.Data(8)))
	never("echo from the loopback address", `RFC 4291, 2.5.3: it "must not be used as the source address in IPv6 packets that are sent outside of a single node"`, echo(addr("::1"), self, conform.Data(8)))
	never("echo to the loopback address", `RFC 4291, 2.5.3: "A packet received on an interface with a destination address of loopback must be dropped."`, echo(me, addr("::1"), conform.Data(8)))
	never("echo cut to 4 octets", `RFC 4443, 4.1`, resized(echo(me, self, nil), []byte{128, 0, 0, 0}))
	never("echo to another node", `RFC 8200: a host does not forward`, echo(router1.addr, host1.addr, conform.Data(8)))
	never("echo reply", `RFC 4443, 4.2: passed to the process that asked`, conform.IP6(me, self, icmpv6, conform.ICMP6(me, self, wire.ICMPv6EchoReply, 0, 1, conform.Data(8))))

	// Unknown.
	for _, t := range []uint8{5, 50, 99, 100, 101, 126, 127} {
		never(fmt.Sprintf("unknown error %d", t), `RFC 4443, 2.4 (a): "If an ICMPv6 error message of unknown type is received at its destination, it MUST be passed to the upper-layer process that originated the packet that caused the error, where this can be identified."`,
			conform.IP6(me, self, icmpv6, conform.ICMP6(me, self, t, 0, 0, udp(self, me, 8))))
	}
	for _, t := range []uint8{138, 139, 144, 160, 200, 201, 254, 255} {
		never(fmt.Sprintf("unknown informational message %d", t), `RFC 4443, 2.4 (b): "If an ICMPv6 informational message of unknown type is received, it MUST be silently discarded."`,
			conform.IP6(me, self, icmpv6, conform.ICMP6(me, self, t, 0, 0, conform.Data(8))))
	}

	// Port unreachable.
	for _, c := range []struct {
		name     string
		src, dst wire.Addr
	}{{"link-local", me, self}, {"global", router1.addr, node}, {"far", far, node}} {
		for _, n := range []int{0, 8, 1183, 1184, 1185, 1452} {
			add(fmt.Sprintf("port unreachable, %s, %d octets", c.name, n), `RFC 4443, 3.1: "A destination node SHOULD originate a Destination Unreachable message with Code 4 in response to a packet for which the transport protocol (e.g., UDP) has no listener, if that transport protocol has no alternative means to inform the sender."; 2.4 (c): "as much of the IPv6 offending (invoking) packet ... as possible without making the error message packet exceed the minimum IPv6 MTU"`, func(b *Bench) {
				b.answering(router1)
				p := udp(c.src, c.dst, n)
				b.in(router1, p)
				s := b.expect(2*time.Second, fault(wire.ICMPv6DestUnreachable, wire.ICMPv6PortUnreachable))
				b.quotes(s, p)
				if m, _ := s.icmp(); s.src != c.dst || m.Rest() != 0 || s.hop < 64 {
					b.Fatalf("%v", s)
				}
			})
		}
	}
	add("hop limit that a router tells", `RFC 4861, 6.3.2: CurHopLimit: "The default hop limit to be used when sending IP packets", errors included`, func(b *Bench) {
		r := usual()
		r.hop = 77
		b.advertise(router1, r)
		b.in(router1, udp(me, self, 8))
		if s := b.expect(time.Second, fault(wire.ICMPv6DestUnreachable, wire.ICMPv6PortUnreachable)); s.hop != 77 {
			b.Fatalf("%v", s)
		}
		r.hop = 64
		b.advertise(router1, r)
	})
	never("UDP to a group", `RFC 4443, 2.4 (e.3): no error about "a packet destined to an IPv6 multicast address"`, udp(me, wire.AllNodes6, 8))
	never("UDP in a multicast frame to a group", `RFC 4443, 2.4 (e.3)`, udp(me, self.SolicitedNode(), 8))
	never("UDP from the unspecified address", `RFC 4443, 2.4 (e.6): "A packet whose source address does not uniquely identify a single node -- e.g., the IPv6 Unspecified Address, an IPv6 multicast address"`, udp(wire.Addr{}, self, 8))
	never("UDP from a group", `RFC 4443, 2.4 (e.6)`, udp(addr("ff02::5"), self, 8))
	never("UDP with a wrong checksum", `RFC 8200, 8.1`, conform.Poke(udp(me, self, 8), 46, 1, 2))
	never("UDP without a checksum", `RFC 8200, 8.1: "IPv6 receivers must discard UDP packets containing a zero checksum"`, conform.Poke(udp(me, self, 8), 46, 0, 0))
	add("UDP in a frame to all stations", `RFC 4443, 2.4 (e.4): "A packet sent as a link-layer multicast"`, func(b *Bench) {
		b.Send(0, router1.frame(wire.AllNodes6.MulticastMAC(), udp(me, self, 8)))
		b.Send(0, router1.frame(wire.BroadcastMAC, udp(me, self, 8)))
		b.none(time.Second, anyFault())
	})
	for _, t := range []uint8{1, 2, 3, 4, 100} {
		m := conform.ICMP6(me, self, t, 0, 1280, udp(self, me, 8))
		never(fmt.Sprintf("an error %d with an option to complain of", t), `RFC 4443, 2.4 (e.1): an error message MUST NOT be originated as a result of receiving "An ICMPv6 error message"`,
			conform.IP6(me, self, destOpts, conform.Cat(conform.Ext(icmpv6, 0x87, 0), m)))
	}
	re := redir(me, self, router2.ll, far)[40:]
	never("a redirect with an option to complain of", `RFC 4443, 2.4 (e.2): "An ICMPv6 redirect message"`, conform.IP6(me, self, destOpts, conform.Cat(conform.Ext(icmpv6, 0x87, 0), re), hops(255)))
	add("a hundred, ten a second", `RFC 4443, 2.4 (f): "an IPv6 node MUST limit the rate of ICMPv6 error messages it originates", by a token bucket that one who asks ten times a second does not empty`, func(b *Bench) {
		for i := range 100 {
			b.in(router1, udp(me, self, i))
			b.expect(100*time.Millisecond, fault(wire.ICMPv6DestUnreachable, wire.ICMPv6PortUnreachable))
			b.pass(90 * time.Millisecond)
		}
	})
	add("ten at once", `RFC 4443, 2.4 (f): "B = 10"`, func(b *Bench) {
		for i := range 10 {
			b.in(router1, udp(me, self, i))
		}
		for range 10 {
			b.expect(100*time.Millisecond, fault(wire.ICMPv6DestUnreachable, wire.ICMPv6PortUnreachable))
		}
	})
	add("ten thousand at once", `RFC 4443, 2.4 (f): "an IPv6 node MUST limit the rate of ICMPv6 error messages it originates"`, func(b *Bench) {
		n := 0
		for range 10000 {
			b.in(router1, udp(me, self, 8))
		}
		for b.try(0, anyFault()) != nil {
			n++
		}
		if n == 0 || n > 1000 {
			b.Fatalf("%d errors", n)
		}
	})
	return list
}
