package core6

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// has reports whether the node has an address: it answers a solicitation for it, and an echo request to it.
func (b *Bench) has(a wire.Addr) bool {
	b.Helper()
	b.in(host2, sol(host2.ll, a.SolicitedNode(), a, slla(host2.mac)))
	answered := b.try(500*time.Millisecond, na(a)) != nil
	b.in(host2, echo(host2.ll, a, conform.Data(8)))
	replied := b.try(500*time.Millisecond, reply(host2.ll).from(a)) != nil
	if answered != replied {
		b.Fatalf("%v: it answers solicitations: %v, and echo requests: %v", a, answered, replied)
	}
	return answered
}

// assigned fails unless the node has a, or has it not.
func (b *Bench) assigned(a wire.Addr, yes bool) {
	b.Helper()
	if b.has(a) != yes {
		b.Fatalf("at %v the node has %v: %v, want %v", b.Now(), a, !yes, yes)
	}
}

// verifying waits for the solicitation of duplicate address detection.
func (b *Bench) verifying(a wire.Addr) *seen {
	b.Helper()
	return b.expect(6*time.Second, ns(a).from(wire.Addr{}))
}

// duplicates: duplicate address detection (RFC 4862, 5.4).
func duplicates() (list []Case) {
	kinds := []struct {
		name  string
		a     wire.Addr
		start func(b *Bench)
		node  Node
	}{
		{"link-local", nodeLL, func(b *Bench) {}, Node{}},
		{"global", node, func(b *Bench) {
			b.boot()
			b.advertise(router1, usual())
		}, Node{}},
		{"configured", addr("2001:db8:0:1::42"), func(b *Bench) {}, Node{Addresses: []string{"2001:db8:0:1::42/64"}}},
	}
	for _, k := range kinds {
		a := k.a
		group := a.SolicitedNode()
		add := func(name, rule string, n Node, run func(b *Bench)) {
			n.Addresses = k.node.Addresses
			list = append(list, Case{Name: k.name + ": " + name, Rule: rule, Node: n, Run: func(b *Bench) {
				k.start(b)
				run(b)
			}})
		}
		add("solicitation", `RFC 4862, 5.4.2: "The solicitation's Target Address is set to the address being checked, the IP source is set to the unspecified address, and the IP destination is set to the solicited-node multicast address of the target address."; RFC 4861, 4.3: no Source Link-Layer Address option`, Node{}, func(b *Bench) {
			s := b.verifying(a)
			if s.dst != group {
				b.Fatalf("%v", s)
			}
			if _, has := s.option(24, 1); has {
				b.Fatalf("%v: it has a source link-layer address", s)
			}
			b.none(5*time.Second, ns(a))
			b.assigned(a, true)
		})
		if k.name != "global" { // which has the same group as the link-local one
			add("joins the group first", `RFC 4862, 5.4.2: "Before sending a Neighbor Solicitation, an interface MUST join the all-nodes multicast address and the solicited-node multicast address of the tentative address."`, Node{}, func(b *Bench) {
				report := typed("MLDv2 report", wire.ICMPv6MLDv2Report).and("of the group", func(s *seen) bool {
					return containsAddr(s.body, group)
				})
				b.expect(6*time.Second, want{"report or solicitation", func(s *seen) bool { return report.ok(s) || ns(a).ok(s) }}.and("a report", report.ok))
			})
		}
		for _, n := range []int{-1, 1, 2, 3} {
			add(fmt.Sprintf("%d transmits", max(0, n)), `RFC 4862, 5.1: DupAddrDetectTransmits: "the number of consecutive Neighbor Solicitation messages sent while performing Duplicate Address Detection on a tentative address. A value of zero indicates that Duplicate Address Detection is not performed"; RetransTimer apart`, Node{DAD: n}, func(b *Bench) {
				var last time.Duration
				for i := range max(0, n) {
					s := b.verifying(a)
					if i > 0 {
						b.between("the interval", s.at-last, 900*time.Millisecond, 1100*time.Millisecond)
					}
					last = s.at
				}
				b.none(950*time.Millisecond, ns(a))
				b.pass(500 * time.Millisecond)
				b.assigned(a, true)
			})
		}
		add("not used before it is verified", `RFC 4862, 5.4: "a tentative address is not considered 'assigned to an interface' in the traditional sense. That is, the interface must accept Neighbor Solicitation and Advertisement messages containing the tentative address in the Target Address field, but process such packets differently"`, Node{}, func(b *Bench) {
			b.verifying(a)
			b.in(host1, echo(host1.ll, a, conform.Data(8)))
			b.none(500*time.Millisecond, want{"answer", func(s *seen) bool { return reply(host1.ll).ok(s) || ns(host1.ll).ok(s) }})
		})
		add("solicited by a node that has an address", `RFC 4862, 5.4.3: "If the target address is tentative, and the source address is a unicast address, the solicitation's sender is performing address resolution on the target; the solicitation should be silently ignored."`, Node{}, func(b *Bench) {
			b.verifying(a)
			b.in(host1, sol(host1.ll, group, a, slla(host1.mac)))
			b.in(host1, sol(host1.ll, a, a, slla(host1.mac)))
			b.none(500*time.Millisecond, anyNA())
			b.pass(3 * time.Second)
			b.assigned(a, true)
		})
		add("solicited from the unspecified address", `RFC 4862, 5.4.3: "If the source address of the Neighbor Solicitation is the unspecified address, the solicitation is from a node performing Duplicate Address Detection. If the solicitation is from another node, the tentative address is a duplicate and should not be used (by either node)."`, Node{}, func(b *Bench) {
			b.verifying(a)
			b.in(host1, sol(wire.Addr{}, group, a))
			b.none(500*time.Millisecond, anyNA())
			b.pass(3 * time.Second)
			b.assigned(a, false)
		})
		add("its own solicitation comes back", `RFC 4862, 5.4.3: "If the solicitation is from the node itself (because the node loops back multicast packets), the solicitation does not indicate the presence of a duplicate address."`, Node{}, func(b *Bench) {
			s := b.verifying(a)
			f := make([]byte, wire.EthernetLen+len(s.packet))
			wire.PutEthernet(f, s.to, s.from, wire.EtherTypeIPv6)
			copy(f[wire.EthernetLen:], s.packet)
			b.Send(0, f)
			b.pass(5 * time.Second)
			b.assigned(a, true)
		})
		for _, flags := range []uint32{0, override, isRouter | override, isRouter} {
			add(fmt.Sprintf("advertised with flags %x", flags>>28), `RFC 4862, 5.4.4: "On receipt of a valid Neighbor Advertisement message on an interface, node behavior depends on whether the target address is tentative ... If the target address is tentative, the tentative address is not unique."`, Node{}, func(b *Bench) {
				b.verifying(a)
				b.in(host1, adv(a, wire.AllNodes6, a, flags, tlla(host1.mac)))
				b.pass(3 * time.Second)
				b.assigned(a, false)
			})
		}
		add("advertised, solicited, to the address", `RFC 4862, 5.4.4: "If the target address is tentative, the tentative address is not unique."`, Node{}, func(b *Bench) {
			b.verifying(a)
			b.in(host1, adv(a, a, a, solicited|override, tlla(host1.mac)))
			b.pass(3 * time.Second)
			b.assigned(a, false)
		})
		add("advertised without an option", `RFC 4862, 5.4.4: any valid advertisement`, Node{}, func(b *Bench) {
			b.verifying(a)
			b.in(host1, adv(host1.ll, wire.AllNodes6, a, 0))
			b.pass(3 * time.Second)
			b.assigned(a, false)
		})
		other := a
		other.Lo ^= 0xff
		add("another address", `RFC 4862, 5.4.3: it is about the target address`, Node{}, func(b *Bench) {
			b.verifying(a)
			b.in(host1, sol(wire.Addr{}, other.SolicitedNode(), other))
			b.in(host1, adv(other, wire.AllNodes6, other, override, tlla(host1.mac)))
			b.pass(3 * time.Second)
			b.assigned(a, true)
		})
		invalidRule := `RFC 4861, 7.1: "A node MUST silently discard any received" message that is not valid`
		for _, s := range append(spoils(24), spoil{"target is a group", setAt(8, group)}, spoil{"to the address", setDestination(a)},
			spoil{"to all nodes", setDestination(wire.AllNodes6)},
			spoil{"with a source link-layer address", func(p []byte) []byte {
				return resized(p, conform.Cat(p[wire.IPv6Len:], slla(host1.mac)))
			}}) {
			add("invalid solicitation: "+s.name, invalidRule, Node{}, func(b *Bench) {
				b.verifying(a)
				b.in(host1, s.f(sol(wire.Addr{}, group, a)))
				b.pass(3 * time.Second)
				b.assigned(a, true)
			})
		}
		for _, s := range append(spoils(24), spoil{"target is a group", setAt(8, group)}, spoil{"solicited, to a group", func(p []byte) []byte {
			p[44] |= 0x40
			return again(p)
		}}) {
			add("invalid advertisement: "+s.name, invalidRule, Node{}, func(b *Bench) {
				b.verifying(a)
				b.in(host1, s.f(adv(host1.ll, wire.AllNodes6, a, override, tlla(host1.mac))))
				b.pass(3 * time.Second)
				b.assigned(a, true)
			})
		}
		add("asked for when it is verified", `RFC 4862, 5.4.3: "If the target address is not tentative (i.e., it is assigned to the receiving interface), the solicitation is processed as described in [RFC4861]."`, Node{}, func(b *Bench) {
			b.verifying(a)
			b.pass(3 * time.Second)
			b.in(host1, sol(wire.Addr{}, group, a))
			b.expect(time.Second, na(a).to(wire.AllNodes6))
			b.assigned(a, true)
		})
		add("advertised by another when it is verified", `RFC 4862, 5.4.4: "If the target address is assigned to the receiving interface, ... How to handle such a case is beyond the scope"; the address stays`, Node{}, func(b *Bench) {
			b.verifying(a)
			b.pass(3 * time.Second)
			b.in(host1, adv(a, wire.AllNodes6, a, override, tlla(host1.mac)))
			b.pass(time.Second)
			b.assigned(a, true)
		})
	}
	return list
}

// containsAddr reports whether a is among the 16-octet groups of b, at a multiple of 4.
func containsAddr(b []byte, a wire.Addr) bool {
	for ; len(b) >= 16; b = b[4:] {
		if wire.AddrFrom16(b) == a {
			return true
		}
	}
	return false
}
