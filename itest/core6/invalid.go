package core6

import (
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// spoil is a way to make a message of Neighbor Discovery invalid.
type spoil struct {
	name string
	f    func(packet []byte) []byte
}

// again computes the checksum anew.
func again(p []byte) []byte {
	m := p[wire.IPv6Len:]
	m[2], m[3] = 0, 0
	wire.FinishICMPv6(m, wire.AddrFrom16(p[8:]), wire.AddrFrom16(p[24:]))
	return p
}

// resized returns the packet with another payload.
func resized(p, payload []byte) []byte {
	p = conform.Cat(p[:wire.IPv6Len], payload)
	p[4], p[5] = uint8(len(payload)>>8), uint8(len(payload))
	return again(p)
}

// spoils are those that concern all messages (RFC 4861, 6.1.1, 6.1.2, 7.1.1, 7.1.2 and 8.1). length is that of the message
// without options.
func spoils(length int) []spoil {
	return []spoil{
		{"hop limit 254", func(p []byte) []byte { p[7] = 254; return p }},
		{"hop limit 0", func(p []byte) []byte { p[7] = 0; return p }},
		{"checksum", func(p []byte) []byte { p[42] ^= 1; return p }},
		{"code 1", func(p []byte) []byte { p[41] = 1; return again(p) }},
		{"code 255", func(p []byte) []byte { p[41] = 255; return again(p) }},
		{"short", func(p []byte) []byte { return resized(p, p[wire.IPv6Len:wire.IPv6Len+length-1]) }},
		{"half", func(p []byte) []byte { return resized(p, p[wire.IPv6Len:wire.IPv6Len+max(4, length/2)]) }},
		{"option of length 0", func(p []byte) []byte {
			return resized(p, conform.Cat(p[wire.IPv6Len:], make([]byte, 8)))
		}},
		{"known option of length 0", func(p []byte) []byte {
			return resized(p, conform.Cat(p[wire.IPv6Len:], []byte{1, 0, 0, 0, 0, 0, 0, 0}))
		}},
		{"option beyond the end", func(p []byte) []byte {
			return resized(p, conform.Cat(p[wire.IPv6Len:], []byte{99, 2, 0, 0, 0, 0, 0, 0}))
		}},
		{"fragment header", func(p []byte) []byte { // RFC 6980, 5: "Nodes MUST silently ignore"
			q := conform.Cat(p[:wire.IPv6Len], conform.Frag(wire.ProtoICMPv6, 77, 0, false), p[wire.IPv6Len:])
			n := len(q) - wire.IPv6Len
			q[4], q[5], q[6] = uint8(n>>8), uint8(n), wire.ProtoFragment
			return q
		}},
	}
}

func setSource(a wire.Addr) func([]byte) []byte {
	return func(p []byte) []byte { a.Put16(p[8:]); return again(p) }
}

func setDestination(a wire.Addr) func([]byte) []byte {
	return func(p []byte) []byte { a.Put16(p[24:]); return again(p) }
}

// setAt writes an address into the message.
func setAt(at int, a wire.Addr) func([]byte) []byte {
	return func(p []byte) []byte { a.Put16(p[wire.IPv6Len+at:]); return again(p) }
}

// invalid: messages that have no effect.
func invalid() (list []Case) {
	group := addr("ff02::1:ff00:5")

	nsRule := `RFC 4861, 7.1.1: "A node MUST silently discard any received Neighbor Solicitation messages that do not satisfy all of the following validity checks"`
	for _, s := range append(spoils(24),
		spoil{"target is a group", setAt(8, group)},
		spoil{"target is all nodes", setAt(8, wire.AllNodes6)},
		spoil{"from a group", setSource(group)},
	) {
		list = append(list, Case{Name: "solicitation: " + s.name, Rule: nsRule, Run: func(b *Bench) {
			b.ready()
			b.in(host1, s.f(sol(host1.ll, nodeLL, nodeLL, slla(host1.mac))))
			b.none(time.Second, anyNA())
			b.is(host1, host1.ll, nodeLL, "none", host1.mac)
		}})
	}
	for _, s := range []spoil{
		{"unspecified source, to the address", setDestination(nodeLL)},
		{"unspecified source, to all nodes", setDestination(wire.AllNodes6)},
		{"unspecified source, with an option", func(p []byte) []byte {
			return resized(p, conform.Cat(p[wire.IPv6Len:], slla(host1.mac)))
		}},
	} {
		list = append(list, Case{Name: "solicitation: " + s.name, Rule: nsRule, Run: func(b *Bench) {
			b.ready()
			b.in(host1, s.f(sol(wire.Addr{}, nodeLL.SolicitedNode(), nodeLL)))
			b.none(time.Second, anyNA())
		}})
	}

	naRule := `RFC 4861, 7.1.2: "A node MUST silently discard any received Neighbor Advertisement messages that do not satisfy all of the following validity checks"`
	for _, s := range append(spoils(24),
		spoil{"target is a group", setAt(8, group)},
		spoil{"to a group, with Solicited", setDestination(wire.AllNodes6)},
		spoil{"from a group", setSource(group)},
	) {
		list = append(list, Case{Name: "advertisement, INCOMPLETE: " + s.name, Rule: naRule, Run: func(b *Bench) {
			b.ready()
			b.bring(host1, host1.ll, nodeLL, "INCOMPLETE")
			b.in(host1, s.f(adv(host1.ll, nodeLL, host1.ll, solicited|override, tlla(host1.mac))))
			b.is(host1, host1.ll, nodeLL, "INCOMPLETE", host1.mac)
		}}, Case{Name: "advertisement, STALE: " + s.name, Rule: naRule, Run: func(b *Bench) {
			b.ready()
			b.bring(host1, host1.ll, nodeLL, "STALE")
			b.in(host1, s.f(adv(host1.ll, nodeLL, host1.ll, solicited|override, tlla(otherMAC))))
			b.is(host1, host1.ll, nodeLL, "STALE", host1.mac)
		}})
	}

	raRule := `RFC 4861, 6.1.2: "A node MUST silently discard any received Router Advertisement messages that do not satisfy all of the following validity checks"`
	for _, s := range append(spoils(16),
		spoil{"from a global address", setSource(router1.addr)},
		spoil{"from the unspecified address", setSource(wire.Addr{})},
		spoil{"from a group", setSource(group)},
	) {
		list = append(list, Case{Name: "router advertisement: " + s.name, Rule: raRule, Run: func(b *Bench) {
			b.boot()
			b.learn(router1)
			b.in(router1, s.f(usual(slla(otherMAC)).from(router1.ll)))
			b.none(4*time.Second, ns(node)) // no address is formed
			b.in(router1, sol(router1.ll, node.SolicitedNode(), node, slla(router1.mac)))
			b.none(time.Second, na(node))
			b.in(router1, echo(far, nodeLL, conform.Data(8)))
			b.none(time.Second, reply(far))
		}})
	}

	rsRule := `RFC 4861, 6.2.6: "A host MUST silently discard any received Router Solicitation messages."`
	for _, src := range []wire.Addr{host1.ll, {}} {
		list = append(list, Case{Name: "router solicitation from " + src.String(), Rule: rsRule, Run: func(b *Bench) {
			b.ready()
			var options [][]byte
			if !src.IsUnspecified() {
				options = append(options, slla(host1.mac))
			}
			b.in(host1, rsol(src, wire.AllRouters6, options...))
			b.in(host1, rsol(src, wire.AllNodes6, options...))
			b.in(host1, rsol(src, nodeLL, options...))
			b.none(5*time.Second, want{"answer", func(s *seen) bool { return anyRA().ok(s) || anyFault().ok(s) || anyNA().ok(s) }})
			b.is(host1, host1.ll, nodeLL, "none", host1.mac)
		}})
	}

	reRule := `RFC 4861, 8.1: "A host MUST silently discard any received Redirect message that does not satisfy all of the following validity checks"`
	for _, s := range append(spoils(40),
		spoil{"from a global address", setSource(router1.addr)},
		spoil{"from another than the first hop", setSource(router2.ll)},
		spoil{"from a host", setSource(host1.ll)},
		spoil{"of a group", setAt(24, addr("ff1e::1:3"))},
		spoil{"to a group", setAt(8, group)},
		spoil{"to a global address that is not the destination", setAt(8, router2.addr)},
		spoil{"to the unspecified address", setAt(8, wire.Addr{})},
	) {
		list = append(list, Case{Name: "redirect: " + s.name, Rule: reRule, Run: func(b *Bench) {
			b.ready()
			b.in(router1, echo(far, node, conform.Data(8)))
			b.expect(time.Second, reply(far).toMAC(router1.mac))
			b.in(router1, s.f(redir(router1.ll, node, router2.ll, far, tlla(router2.mac))))
			b.pass(time.Second)
			b.in(router1, echo(far, node, conform.Data(8)))
			b.expect(time.Second, reply(far).toMAC(router1.mac))
		}})
	}
	return list
}
