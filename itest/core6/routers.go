package core6

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// routers: Router Solicitations sent, and Router Advertisements received (RFC 4861, 6.3).
func routers() (list []Case) {
	list = append(list,
		Case{Name: "solicitation", Rule: `RFC 4861, 6.3.7: "a host SHOULD transmit up to MAX_RTR_SOLICITATIONS Router Solicitation messages, each separated by at least RTR_SOLICITATION_INTERVAL seconds"; "the host SHOULD delay the transmission for a random amount of time between 0 and MAX_RTR_SOLICITATION_DELAY"`,
			Run: func(b *Bench) {
				s := b.expect(4*time.Second, anyRS())
				if s.dst != wire.AllRouters6 || len(s.body) < 8 {
					b.Fatalf("%v", s)
				}
				_, has := s.option(8, 1)
				// RFC 4861, 4.1: "MUST NOT be included if the Source Address is the unspecified address. Otherwise, it SHOULD be included".
				if has == s.src.IsUnspecified() {
					b.Fatalf("%v: source link-layer address: %v", s, has)
				}
				for range 2 {
					next := b.expect(20*time.Second, anyRS())
					// RFC 7559, 2: the interval doubles, give or take a tenth.
					b.between("the interval", next.at-s.at, 3600*time.Millisecond, 10*time.Second)
					s = next
				}
			}},
		Case{Name: "advertisement ends solicitation", Rule: `RFC 4861, 6.3.7: "Once the host sends a Router Solicitation, and receives a valid Router Advertisement with a non-zero Router Lifetime, the host MUST desist from sending additional solicitations on that interface"`,
			Run: func(b *Bench) {
				b.expect(4*time.Second, anyRS())
				b.advertise(router1, usual())
				b.none(time.Minute, anyRS())
			}},
		Case{Name: "advertisement of lifetime 0 does not end solicitation", Rule: `RFC 4861, 6.3.7: "a valid Router Advertisement with a non-zero Router Lifetime"`,
			Run: func(b *Bench) {
				b.expect(4*time.Second, anyRS())
				r := usual()
				r.lifetime = 0
				b.advertise(router1, r)
				b.expect(10*time.Second, anyRS())
			}},
		Case{Name: "unsolicited advertisement is believed before any solicitation", Rule: `RFC 4861, 6.3.4: "When multiple routers are present, the information advertised collectively by all routers may be a superset"`,
			Run: func(b *Bench) {
				b.advertise(router1, usual())
				b.expect(5*time.Second, ns(node))
				b.pass(2 * time.Second)
				b.in(router1, sol(router1.ll, node.SolicitedNode(), node, slla(router1.mac)))
				b.expect(time.Second, na(node))
			}},
	)

	// Cur Hop Limit.
	for _, h := range []struct{ first, then, want uint8 }{{0, 0, 64}, {15, 0, 15}, {15, 99, 99}, {1, 0, 1}, {255, 0, 255}} {
		list = append(list, Case{Name: fmt.Sprintf("Cur Hop Limit %d, then %d", h.first, h.then),
			Rule: `RFC 4861, 6.3.4: "If the received Cur Hop Limit value is non-zero, the host SHOULD set its CurHopLimit variable to the received value."`,
			Run: func(b *Bench) {
				b.boot()
				b.learn(router1)
				for _, v := range []uint8{h.first, h.then} {
					r := usual()
					r.hop = v
					b.advertise(router1, r)
					b.pass(3 * time.Second)
				}
				b.in(router1, echo(router1.ll, nodeLL, conform.Data(8)))
				if s := b.expect(time.Second, reply(router1.ll)); s.hop != h.want {
					b.Fatalf("%v: hop limit %d", s, s.hop)
				}
			}})
	}

	// Source Link-Layer Address.
	for _, state := range states {
		for _, o := range []struct {
			name string
			mac  *wire.MAC
		}{{"no option", nil}, {"the same address", &router1.mac}, {"another address", &otherMAC}} {
			then, mac := state, router1.mac
			if o.mac != nil && (state == "none" || state == "INCOMPLETE" || *o.mac != router1.mac) {
				then, mac = "STALE", *o.mac
			}
			list = append(list, Case{Name: fmt.Sprintf("source link-layer address: %s, %s", state, o.name),
				Rule: `RFC 4861, 6.3.4: "If the advertisement contains a Source Link-Layer Address option, the link-layer address SHOULD be recorded in the Neighbor Cache entry for the router (creating an entry if necessary) and the IsRouter flag in the Neighbor Cache entry MUST be set to TRUE. If no Source Link-Layer Address is included, but a corresponding Neighbor Cache entry exists, its IsRouter flag MUST be set to TRUE. ... If a Neighbor Cache entry is created for the router, its reachability state MUST be set to STALE"`,
				Run: func(b *Bench) {
					b.boot()
					b.bring(router1, router1.ll, nodeLL, state)
					r := usual()
					if o.mac != nil {
						r.options = append(r.options, slla(*o.mac))
					}
					b.advertise(router1, r)
					b.is(router1, router1.ll, nodeLL, then, mac)
				}})
		}
	}

	// MTU.
	for _, m := range []struct {
		mtu  uint32
		want int // the largest packet sent
	}{{1500, 1500}, {1400, 1400}, {1280, 1280}, {1279, 1500}, {0, 1500}, {1501, 1500}, {9000, 1500}, {0xffffffff, 1500}} {
		list = append(list, Case{Name: fmt.Sprintf("MTU %d", m.mtu),
			Rule: `RFC 4861, 6.3.4: "If the MTU option is present, hosts SHOULD copy the option's value into LinkMTU so long as the value is greater than or equal to the minimum link MTU and does not exceed the maximum LinkMTU value specified in the link-type-specific document"`,
			Run: func(b *Bench) {
				b.boot()
				b.learn(router1)
				b.advertise(router1, usual(mtuOption(m.mtu)))
				b.pass(3 * time.Second)
				b.big(router1, router1.ll, nodeLL)
				if n := b.largest(router1.ll); n != m.want {
					b.Fatalf("the largest packet has %d octets, want %d", n, m.want)
				}
			}})
	}

	// What a host must not mind.
	for _, o := range []struct {
		name    string
		options []byte
	}{{"unknown option", option(250, 1, 2, 3)}, {"two prefixes the same", prefixOption(home, onLink|autonomous, time.Hour, time.Hour)},
		{"target link-layer address", tlla(otherMAC)}, {"redirected header", option(4, make([]byte, 6)...)},
		{"reserved bits of a prefix", prefixOption("2001:db8:0:6::/64", 0x1f, time.Hour, time.Hour)}} {
		list = append(list, Case{Name: "with " + o.name, Rule: `RFC 4861, 6.1.2: "The contents of the Reserved field, and of any unrecognized options, MUST be ignored." "The contents of any defined options that are not specified to be used with Router Advertisement messages MUST be ignored"`,
			Run: func(b *Bench) {
				b.boot()
				b.learn(router1)
				r := usual(o.options)
				r.flags = 0x07
				b.advertise(router1, r)
				b.expect(4*time.Second, ns(node))
				b.pass(2 * time.Second)
				b.in(router1, echo(far, node, conform.Data(8)))
				b.expect(time.Second, reply(far).toMAC(router1.mac))
			}})
	}
	return list
}

// big asks for a reply of 1500 octets, in fragments if need be.
func (b *Bench) big(p *peer, src, dst wire.Addr) { b.ask(p, src, dst, 1452) }

// ask asks for a reply with so much data.
func (b *Bench) ask(p *peer, src, dst wire.Addr, n int) {
	b.Helper()
	m := conform.Echo6(src, dst, conform.Data(n))
	if len(m) <= 1460 {
		b.in(p, conform.IP6(src, dst, wire.ProtoICMPv6, m))
		return
	}
	for at := 0; at < len(m); at += 1400 {
		end := min(len(m), at+1400)
		b.in(p, conform.IP6(src, dst, wire.ProtoFragment, conform.Cat(conform.Frag(wire.ProtoICMPv6, uint32(n), at, end < len(m)), m[at:end])))
	}
}

// largest returns the length of the largest packet that comes to a within a second; those must be an echo reply in one
// piece, or all its pieces. For fragments that are all but the last, it is what would have fitted in multiples of 8.
func (b *Bench) largest(a wire.Addr) (n int) {
	b.Helper()
	rest, pieces := 0, 0
	for {
		s := b.try(time.Second, want{"reply", func(s *seen) bool {
			return s.dst == a && (s.upper == wire.ProtoFragment || reply(a).ok(s))
		}})
		if s == nil {
			break
		}
		if s.upper == wire.ProtoFragment {
			f, err := wire.ParseFragment(s.body)
			if err != nil || f.Next != wire.ProtoICMPv6 || f.Offset != rest {
				b.Fatalf("%v", s)
			}
			pieces++
			rest += len(s.body) - wire.FragmentLen
			if f.More {
				n = max(n, (len(s.packet)+7)&^7)
			}
			if !f.More {
				break
			}
			continue
		}
		return len(s.packet)
	}
	if pieces == 1 {
		b.Fatal("there came one fragment only")
	}
	return n
}
