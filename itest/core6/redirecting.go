package core6

import (
	"bytes"
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// redirecting: Redirects that a router sends (RFC 4861, 8.2).
func redirecting() (list []Case) {
	through := Node{Router: true, Routes: map[string]string{"2001:db8:0:9::/64": router2.ll.String()}}
	redirect := typed("Redirect", wire.ICMPv6Redirect)
	add := func(name, rule string, run func(b *Bench)) {
		list = append(list, Case{Name: name, Rule: rule, Node: through, Run: func(b *Bench) {
			b.boot()
			b.answering(host1, host2, host3, router2)
			run(b)
		}})
	}
	sent := func(name string, p *peer, n int, dst, target wire.Addr, link wire.MAC) {
		add(name, `RFC 4861, 8.2: "A router SHOULD send a redirect message, subject to rate limiting, whenever it forwards a packet that is not explicitly addressed to itself ... in which: the Source Address field of the packet identifies a neighbor, and the router determines ... that a better first-hop node resides on the same link as the sending node for the Destination Address of the packet being forwarded, and the Destination Address of the packet is not a multicast address"; "Redirected Header: as much of the forwarded packet as can fit without the redirect packet exceeding the minimum MTU required to support IPv6"`, func(b *Bench) {
			packet := echo(p.addr, dst, conform.Data(n))
			b.in(p, packet)
			var s *seen
			forwarded := false
			for s == nil || !forwarded {
				next := b.expect(4*time.Second, want{"redirect or packet", func(s *seen) bool { return redirect.ok(s) || passed(packet, 0).ok(s) }})
				if redirect.ok(next) {
					s = next
				} else {
					forwarded = true
				}
			}
			if s.src != nodeLL || s.dst != p.addr || len(s.packet) > wire.IPv6MinMTU {
				b.Fatalf("%v", s)
			}
			if got := wire.AddrFrom16(s.body[8:]); got != target {
				b.Fatalf("the target is %v, not %v", got, target)
			}
			if got := wire.AddrFrom16(s.body[24:]); got != dst {
				b.Fatalf("the destination is %v, not %v", got, dst)
			}
			// 8.2: "Target Link-Layer Address option: link-layer address of the target, if known".
			if o, ok := s.option(40, 2); ok && wire.MAC(o) != link {
				b.Fatalf("target link-layer address % x", o)
			}
			o, ok := s.option(40, 4)
			if !ok || len(o) < 6+40 {
				b.Fatalf("redirected header % x", o)
			}
			q := o[6:]
			q = q[:min(len(q), len(packet))]
			theirs := bytes.Clone(packet)
			theirs[7] = q[7] // before or behind the forwarding
			if !bytes.Equal(q, theirs[:len(q)]) || len(q) < min(len(packet), 1100) {
				b.Fatalf("it quotes %d octets: % x", len(q), q)
			}
		})
	}
	for _, n := range []int{8, 1000, 1452} {
		sent(fmt.Sprintf("to another router, %d octets", n), host1, n, far, router2.ll, router2.mac)
		sent(fmt.Sprintf("to the destination itself, %d octets", n), host1, n, host2.addr, host2.addr, host2.mac)
	}
	none := func(name, rule string, p *peer, packet []byte) {
		add(name, rule, func(b *Bench) {
			b.in(p, packet)
			b.none(4*time.Second, redirect)
		})
	}
	none("to the other link", `RFC 4861, 8.2: "on the same link as the sending node"`, host1, echo(host1.addr, host3.addr, conform.Data(8)))
	none("from no neighbor", `RFC 4861, 8.2: "the Source Address field of the packet identifies a neighbor"`, host1, echo(addr("2001:db8:0:7::7"), far, conform.Data(8)))
	none("to a group", `RFC 4861, 8.2: "the Destination Address of the packet is not a multicast address"`, host1, echo(host1.addr, addr("ff0e::7"), conform.Data(8)))
	none("to the router", `RFC 4861, 8.2: "not explicitly addressed to itself"`, host1, echo(host1.addr, near1, conform.Data(8)))
	add("many packets", `RFC 4861, 8.2: "A router MUST limit the rate at which Redirect messages are sent"`, func(b *Bench) {
		n := 0
		for range 1000 {
			b.in(host1, echo(host1.addr, far, conform.Data(8)))
		}
		for b.try(time.Second, redirect) != nil {
			n++
		}
		if n == 0 || n > 100 {
			b.Fatalf("%d redirects", n)
		}
	})
	return list
}
