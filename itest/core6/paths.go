package core6

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// tooBig returns a Packet Too Big message about a packet that was sent, quoting at most so much of it.
func tooBig(from wire.Addr, code uint8, mtu uint32, about []byte, quote int) []byte {
	dst := wire.AddrFrom16(about[8:])
	return conform.IP6(from, dst, wire.ProtoICMPv6, conform.ICMP6(from, dst, wire.ICMPv6PacketTooBig, code, mtu, about[:min(quote, len(about))]))
}

// full is as much as fits into a message of 1280 octets.
const full = wire.IPv6MinMTU - wire.IPv6Len - wire.ICMPLen

// replied asks for a reply of 1500 octets and returns the first packet of it.
func (b *Bench) replied(p *peer, src, dst wire.Addr) *seen {
	b.Helper()
	b.ask(p, src, dst, 1452)
	return b.expect(5*time.Second, want{"reply", func(s *seen) bool {
		return s.dst == src && (s.upper == wire.ProtoFragment || reply(src).ok(s))
	}})
}

// pmtu fails unless the largest packets to a, asked for through p, are so large.
func (b *Bench) pmtu(p *peer, a, self wire.Addr, n int) {
	b.Helper()
	b.ask(p, a, self, 1452)
	if got := b.largest(a); got != n {
		b.Fatalf("the largest packet to %v has %d octets, want %d", a, got, n)
	}
}

// paths: path MTU discovery (RFC 8201).
func paths() (list []Case) {
	rule := `RFC 8201, 4: "When a node receives a Packet Too Big message, it must reduce its estimate of the PMTU for the relevant path, based on the value of the MTU field in the message."`
	type kind struct {
		name string
		p    *peer
		a    wire.Addr
		self wire.Addr
		from wire.Addr
	}
	kinds := []kind{
		{"off-link", router1, far, node, router1.addr},
		{"off-link, from a link-local address", router1, far, node, router1.ll},
		{"on-link", host1, host1.addr, node, router1.addr},
		{"link-local", host1, host1.ll, nodeLL, host1.ll},
	}
	for _, k := range kinds {
		add := func(name, rule string, run func(b *Bench)) {
			list = append(list, Case{Name: k.name + ": " + name, Rule: rule, Run: func(b *Bench) {
				b.ready()
				b.answering(router1, host1)
				b.pmtu(k.p, k.a, k.self, 1500)
				run(b)
			}})
		}
		for _, q := range []struct {
			name string
			n    int
		}{{"all that fits", full}, {"header and 8 octets", 48}, {"100 octets", 100}} {
			for _, code := range []uint8{0, 1, 255} {
				add(fmt.Sprintf("1400, code %d, %s quoted", code, q.name), rule+` RFC 4443, 3.2: Code "Set to 0 (zero) by the originator and ignored by the receiver."`, func(b *Bench) {
					s := b.replied(k.p, k.a, k.self)
					b.in(k.p, tooBig(k.from, code, 1400, s.packet, q.n))
					b.pmtu(k.p, k.a, k.self, 1400)
				})
			}
		}
		add("1280", rule, func(b *Bench) {
			s := b.replied(k.p, k.a, k.self)
			b.in(k.p, tooBig(k.from, 0, 1280, s.packet, full))
			b.pmtu(k.p, k.a, k.self, 1280)
		})
		add("1400, then 1300 about a fragment, then 1280", rule, func(b *Bench) {
			for _, mtu := range []int{1400, 1304, 1280} {
				s := b.replied(k.p, k.a, k.self)
				b.in(k.p, tooBig(k.from, 0, uint32(mtu), s.packet, full))
				b.pass(time.Second)
				b.pmtu(k.p, k.a, k.self, mtu)
			}
		})
		for _, mtu := range []uint32{1279, 1000, 600, 68, 56, 1, 0} {
			add(fmt.Sprintf("%d", mtu), `RFC 8201, 4: "If a node receives a Packet Too Big message reporting a next-hop MTU that is less than the IPv6 minimum link MTU, it must discard it. A node must not reduce its estimate of the Path MTU below the IPv6 minimum link MTU in response to such a message."`, func(b *Bench) {
				s := b.replied(k.p, k.a, k.self)
				b.in(k.p, tooBig(k.from, 0, mtu, s.packet, full))
				b.pmtu(k.p, k.a, k.self, 1500)
			})
		}
		for _, mtu := range []uint32{1304, 1450, 1500, 9000, 0xffffffff} {
			add(fmt.Sprintf("1280, then %d", mtu), `RFC 8201, 4: "A node must not increase its estimate of the Path MTU in response to the contents of a Packet Too Big message."`, func(b *Bench) {
				s := b.replied(k.p, k.a, k.self)
				b.in(k.p, tooBig(k.from, 0, 1280, s.packet, full))
				b.in(k.p, tooBig(k.from, 0, mtu, s.packet, full))
				b.pmtu(k.p, k.a, k.self, 1280)
			})
		}
		add("1500, which it is", rule, func(b *Bench) {
			s := b.replied(k.p, k.a, k.self)
			b.in(k.p, tooBig(k.from, 0, 1500, s.packet, full))
			b.pmtu(k.p, k.a, k.self, 1500)
		})
		add("ages", `RFC 8201, 5.3: "an implementation should 'age' cached values. When a PMTU value has not been decreased for a while (on the order of 10 minutes), it should probe to find if a larger PMTU is supported"; 4: "must not be done less than 5 minutes after a Packet Too Big message has been received for the given path"`, func(b *Bench) {
			s := b.replied(k.p, k.a, k.self)
			b.in(k.p, tooBig(k.from, 0, 1280, s.packet, full))
			b.pass(4*time.Minute + 50*time.Second)
			b.pmtu(k.p, k.a, k.self, 1280)
			b.pass(11 * time.Minute)
			b.pmtu(k.p, k.a, k.self, 1500)
		})
		add("the checksum is wrong", `RFC 4443, 2.3: the checksum`, func(b *Bench) {
			s := b.replied(k.p, k.a, k.self)
			p := tooBig(k.from, 0, 1280, s.packet, full)
			p[42] ^= 1
			b.in(k.p, p)
			b.pmtu(k.p, k.a, k.self, 1500)
		})
	}
	add := func(name, rule string, run func(b *Bench)) {
		list = append(list, Case{Name: name, Rule: rule, Run: func(b *Bench) {
			b.ready()
			b.answering(router1, host1)
			run(b)
		}})
	}
	add("each destination has its own", `RFC 8201, 5.2: "an implementation could use the destination address as the local representation of a path"`, func(b *Bench) {
		s := b.replied(router1, far, node)
		b.in(router1, tooBig(router1.addr, 0, 1280, s.packet, full))
		b.pmtu(router1, far, node, 1280)
		b.pmtu(router1, far2, node, 1500)
		s = b.replied(router1, far2, node)
		b.in(router1, tooBig(router1.addr, 0, 1400, s.packet, full))
		b.pmtu(router1, far2, node, 1400)
		b.pmtu(router1, far, node, 1280)
	})
	add("a reply of 8 KiB is cut as the path wants", `RFC 8200, 4.5, and RFC 8201, 5.4`, func(b *Bench) {
		s := b.replied(router1, far, node)
		b.in(router1, tooBig(router1.addr, 0, 1280, s.packet, full))
		b.pass(time.Second)
		b.ask(router1, far, node, 8000)
		if n := b.largest(far); n != 1280 {
			b.Fatalf("%d", n)
		}
	})
	add("about a packet of another", `RFC 8201, 6: it quotes nothing that was sent`, func(b *Bench) {
		s := b.replied(router1, far, node)
		q := append([]byte(nil), s.packet...)
		host1.addr.Put16(q[8:])
		m := conform.ICMP6(router1.addr, node, wire.ICMPv6PacketTooBig, 0, 1280, q[:full])
		b.in(router1, conform.IP6(router1.addr, node, wire.ProtoICMPv6, m))
		b.pmtu(router1, far, node, 1500)
	})
	add("about a packet to a group", `RFC 8201, 3: paths to groups have MTUs of their own, which concern no node's`, func(b *Bench) {
		q := conform.IP6(node, addr("ff0e::5:6"), wire.ProtoUDP, conform.UDP(node, addr("ff0e::5:6"), conform.Data(1400)))
		b.in(router1, tooBig(router1.addr, 0, 1280, q, full))
		b.pmtu(router1, far, node, 1500)
		b.pmtu(host1, host1.addr, node, 1500)
	})
	add("MTU option below the path's", `RFC 4861, 6.3.4, and RFC 8201, 4: the first-hop MTU is the estimate at first`, func(b *Bench) {
		b.advertise(router1, usual(mtuOption(1400)))
		b.pmtu(router1, far, node, 1400)
		s := b.replied(router1, far, node)
		b.in(router1, tooBig(router1.addr, 0, 1304, s.packet, full))
		b.pass(time.Second)
		b.pmtu(router1, far, node, 1304)
		b.pmtu(host1, host1.addr, node, 1400)
	})
	add("MTU option, then a larger one", `RFC 4861, 6.3.4: LinkMTU is what the last advertisement says; the path's stays`, func(b *Bench) {
		b.advertise(router1, usual(mtuOption(1304)))
		b.pmtu(router1, far, node, 1304)
		b.advertise(router1, usual(mtuOption(1500)))
		b.pmtu(host1, host1.addr, node, 1500)
	})
	add("too short to say anything", `RFC 4443, 3.2: the MTU, and as much of the packet as possible`, func(b *Bench) {
		s := b.replied(router1, far, node)
		for _, n := range []int{0, 8, 39} {
			b.in(router1, tooBig(router1.addr, 0, 1280, s.packet, n))
		}
		p := tooBig(router1.addr, 0, 1280, s.packet, full)
		b.in(router1, resized(p, p[40:44]))
		b.pmtu(router1, far, node, 1500)
	})
	return list
}
