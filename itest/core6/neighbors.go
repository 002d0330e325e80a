package core6

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// states of an entry of the neighbor cache, as a tester makes them.
var states = []string{"none", "INCOMPLETE", "REACHABLE", "STALE", "PROBE"}

// bring brings the node's entry for a, which is host1's, to a state.
func (b *Bench) bring(p *peer, a, self wire.Addr, state string) {
	b.Helper()
	ask := func() { b.in(p, echo(a, self, conform.Data(8))) }
	switch state {
	case "none":
	case "INCOMPLETE":
		ask()
		b.expect(time.Second, ns(a).multicast())
	case "REACHABLE":
		b.reach(p, a, self)
	case "STALE":
		b.reach(p, a, self)
		b.pass(50 * time.Second) // ReachableTime is 45 s at most
	case "PROBE":
		b.reach(p, a, self)
		b.pass(50 * time.Second)
		ask()
		b.expect(time.Second, reply(a).toMAC(p.mac))
		b.expect(6*time.Second, ns(a).unicast())
	}
}

// look says what the node's entry for a is: its state, and where it leads. The node is asked for an answer, and for eight
// seconds it is looked at what it asks.
func (b *Bench) look(p *peer, a, self wire.Addr) (state string, to wire.MAC) {
	b.Helper()
	start := b.Now()
	b.in(p, echo(a, self, conform.Data(8)))
	s := b.try(1100*time.Millisecond, want{"either", func(s *seen) bool { return reply(a).ok(s) || ns(a).multicast().ok(s) }})
	switch {
	case s == nil:
		return "silent", to
	case s.dst.IsMulticast():
		return "INCOMPLETE", to
	}
	q := b.try(8*time.Second-(b.Now()-start), ns(a))
	switch {
	case q == nil:
		return "REACHABLE", s.to
	case q.dst.IsMulticast():
		return "INCOMPLETE", to
	case q.to != s.to:
		b.Errorf("%v: the reply went to %v", q, s.to)
	}
	if q.at-start < 1500*time.Millisecond {
		return "PROBE", s.to
	}
	return "STALE", s.to
}

// is fails unless the node's entry is as said.
func (b *Bench) is(p *peer, a, self wire.Addr, state string, mac wire.MAC) {
	b.Helper()
	got, to := b.look(p, a, self)
	if state == "none" {
		state = "INCOMPLETE" // having been asked for
	}
	if got != state || state != "INCOMPLETE" && to != mac {
		b.Fatalf("the entry is %s of %v, want %s of %v", got, to, state, mac)
	}
}

// resolution: RFC 4861, 7.2.2.
func resolution() (list []Case) {
	for _, l := range []struct {
		name       string
		node, peer wire.Addr
	}{{"link-local", nodeLL, host1.ll}, {"global", node, host1.addr}} {
		source := l.node
		list = append(list,
			Case{Name: "solicitation, " + l.name, Rule: `RFC 4861, 7.2.2: the node "sends a Neighbor Solicitation to the solicited-node multicast address corresponding to the target address"; 4.3: the source link-layer address "MUST be included in multicast solicitations"`,
				Run: func(b *Bench) {
					b.ready()
					b.in(host1, echo(l.peer, source, conform.Data(8)))
					s := b.expect(time.Second, ns(l.peer))
					if s.dst != l.peer.SolicitedNode() || s.src != source || s.to != s.dst.MulticastMAC() {
						b.Fatalf("%v", s)
					}
					if o, ok := s.option(24, 1); !ok || wire.MAC(o) != nodeMAC {
						b.Fatalf("%v: source link-layer address % x", s, o)
					}
				}},
			Case{Name: "three solicitations a second apart, " + l.name, Rule: `RFC 4861, 7.2.2: "retransmitting ... every RetransTimer milliseconds", MAX_MULTICAST_SOLICIT times; 10: 3 transmissions, 1,000 milliseconds`,
				Run: func(b *Bench) {
					b.ready()
					b.in(host1, echo(l.peer, source, conform.Data(8)))
					b.threeSolicitations(l.peer, time.Second)
				}},
			Case{Name: "failed resolution, " + l.name, Rule: `RFC 4861, 7.2.2: "If no Neighbor Advertisement is received after MAX_MULTICAST_SOLICIT solicitations, address resolution has failed. The sender MUST return ICMP destination unreachable indications with code 3"`,
				Run: func(b *Bench) { // the echo reply is the node's own packet: nobody is told, and all is as at first
					b.ready()
					b.in(host1, echo(l.peer, source, conform.Data(8)))
					b.none(6*time.Second, anyFault())
					b.in(host1, echo(l.peer, source, conform.Data(8)))
					b.expect(time.Second, ns(l.peer).multicast())
				}},
			Case{Name: "the packet waits, " + l.name, Rule: `RFC 4861, 7.2.2: the sender "MUST, for each neighbor, retain a small queue of packets waiting for address resolution"`,
				Run: func(b *Bench) {
					b.ready()
					b.in(host1, echo(l.peer, source, conform.Data(40)))
					s := b.expect(time.Second, ns(l.peer))
					b.none(500*time.Millisecond, reply(l.peer))
					b.in(host1, adv(l.peer, s.src, l.peer, solicited|override, tlla(host1.mac)))
					b.expect(100*time.Millisecond, reply(l.peer).toMAC(host1.mac))
				}},
		)
	}
	return append(list,
		Case{Name: "advertisement after the resolution failed", Rule: `RFC 4861, 7.2.5: "If no entry exists, the advertisement SHOULD be silently discarded."`,
			Run: func(b *Bench) {
				b.ready()
				b.in(host1, echo(host1.ll, nodeLL, conform.Data(8)))
				b.threeSolicitations(host1.ll, time.Second)
				b.pass(2 * time.Second)
				b.in(host1, adv(host1.ll, nodeLL, host1.ll, solicited|override, tlla(host1.mac)))
				b.is(host1, host1.ll, nodeLL, "none", host1.mac)
			}},
		Case{Name: "link-layer addresses that no station has", Rule: `RFC 2464, 6: the option has the sender's Ethernet address, which is no group's`,
			Run: func(b *Bench) {
				b.ready()
				for _, m := range []wire.MAC{{}, wire.BroadcastMAC, wire.AllNodes6.MulticastMAC(), nodeMAC} {
					b.in(host1, sol(host1.ll, nodeLL.SolicitedNode(), nodeLL, slla(m)))
					b.none(500*time.Millisecond, want{"frame to it", func(s *seen) bool { return s.to == m && !s.dst.IsMulticast() }})
				}
			}},
		Case{Name: "queue", Rule: `RFC 4861, 7.2.2: "The queue MUST hold at least one packet, and MAY contain more. ... When a queue overflows, the new arrival SHOULD replace the oldest entry. Once address resolution completes, the node transmits any queued packets."`,
			Run: func(b *Bench) {
				b.ready()
				for i := range 3 {
					b.in(host1, echo(host1.ll, nodeLL, conform.Data(20+i)))
				}
				s := b.expect(time.Second, ns(host1.ll))
				b.in(host1, adv(host1.ll, s.src, host1.ll, solicited|override, tlla(host1.mac)))
				last := 0
				for {
					r := b.try(time.Second, reply(host1.ll))
					if r == nil {
						break
					}
					last = len(r.body)
				}
				if last != 8+22 {
					b.Fatalf("the last reply has %d octets", last)
				}
			}},
		Case{Name: "queue of each neighbor", Rule: `RFC 4861, 7.2.2: "for each neighbor, retain a small queue": "the number of queued packets per neighbor should be limited to some small value"`,
			Run: func(b *Bench) {
				b.ready()
				for range 4 {
					b.in(host1, echo(host1.ll, nodeLL, conform.Data(20)))
				}
				b.in(host2, echo(host2.ll, nodeLL, conform.Data(30)))
				b.pass(100 * time.Millisecond)
				b.in(host2, adv(host2.ll, nodeLL, host2.ll, solicited|override, tlla(host2.mac)))
				b.expect(100*time.Millisecond, reply(host2.ll).toMAC(host2.mac))
				b.in(host1, adv(host1.ll, nodeLL, host1.ll, solicited|override, tlla(host1.mac)))
				b.expect(100*time.Millisecond, reply(host1.ll).toMAC(host1.mac))
			}},
		Case{Name: "interval that a router sets", Rule: `RFC 4861, 6.3.4: "The RetransTimer variable SHOULD be copied from the Retrans Timer field, if the received value is non-zero."`,
			Run: func(b *Bench) {
				b.ready()
				r := usual()
				r.retrans = 5 * time.Second
				b.advertise(router1, r)
				b.pass(time.Second)
				b.in(host1, echo(host1.ll, nodeLL, conform.Data(8)))
				b.threeSolicitations(host1.ll, 5*time.Second)
			}},
		Case{Name: "interval stays where a router says nothing", Rule: `RFC 4861, 4.2: Retrans Timer: "A value of zero means unspecified"`,
			Run: func(b *Bench) {
				b.ready()
				r := usual()
				r.retrans = 5 * time.Second
				b.advertise(router1, r)
				b.advertise(router1, usual())
				b.pass(time.Second)
				b.in(host1, echo(host1.ll, nodeLL, conform.Data(8)))
				b.threeSolicitations(host1.ll, 5*time.Second)
			}},
		Case{Name: "on-link prefix", Rule: `RFC 4861, 5.2: "The sender performs a longest prefix match against the Prefix List to determine whether the packet's destination is on- or off-link"`,
			Run: func(b *Bench) {
				b.ready()
				b.in(host1, echo(host1.addr, node, conform.Data(8)))
				b.expect(time.Second, ns(host1.addr).multicast())
			}},
		Case{Name: "off-link destination", Rule: `RFC 4861, 5.2: "Otherwise, the sender selects a router from the Default Router List"`,
			Run: func(b *Bench) {
				b.ready()
				b.in(router1, echo(far, node, conform.Data(8)))
				b.expect(time.Second, reply(far).toMAC(router1.mac))
				b.none(time.Second, ns(far))
			}},
		Case{Name: "link-local is on-link", Rule: `RFC 4861, 5.1: "The link-local prefix is considered to be on the prefix list with an infinite invalidation timer regardless of whether routers are advertising a prefix for it."`,
			Run: func(b *Bench) {
				b.boot()
				b.in(host1, echo(host1.ll, nodeLL, conform.Data(8)))
				b.expect(time.Second, ns(host1.ll).multicast())
			}},
		Case{Name: "prefix without L", Rule: `RFC 4861, 6.3.4: "a Prefix Information option with the on-link flag set to zero conveys no information concerning on-link determination"`,
			Run: func(b *Bench) {
				b.boot()
				b.learn(router1)
				b.advertise(router1, ra{lifetime: 1800 * time.Second, options: [][]byte{prefixOption(home, autonomous, 86400*time.Second, 86400*time.Second)}})
				b.pass(3 * time.Second)
				b.in(router1, echo(host1.addr, node, conform.Data(8)))
				b.expect(time.Second, reply(host1.addr).toMAC(router1.mac))
				b.none(time.Second, ns(host1.addr))
			}},
		Case{Name: "a prefix without L does not withdraw it", Rule: `RFC 4861, 6.3.4: "a Prefix Information option with the on-link flag set to zero ... MUST NOT be interpreted to mean that addresses covered by the prefix are off-link"`,
			Run: func(b *Bench) {
				b.ready()
				b.advertise(router1, ra{lifetime: 1800 * time.Second, options: [][]byte{prefixOption(home, autonomous, 86400*time.Second, 86400*time.Second)}})
				b.in(host1, echo(host1.addr, node, conform.Data(8)))
				b.expect(time.Second, ns(host1.addr).multicast())
			}},
		Case{Name: "prefix of lifetime 0", Rule: `RFC 4861, 6.3.4: "If the prefix is already present ... If the new Lifetime value is zero, time-out the prefix immediately"`,
			Run: func(b *Bench) {
				b.ready()
				b.advertise(router1, ra{lifetime: 1800 * time.Second, options: [][]byte{prefixOption(home, onLink, 0, 0)}})
				b.pass(time.Second)
				b.in(router1, echo(host1.addr, node, conform.Data(8)))
				b.expect(time.Second, reply(host1.addr).toMAC(router1.mac))
			}},
		Case{Name: "prefix that times out", Rule: `RFC 4861, 6.3.5: "Whenever the invalidation timer expires for a Prefix List entry, that entry is discarded."`,
			Run: func(b *Bench) {
				b.ready()
				b.advertise(router1, usual(prefixOption("2001:db8:0:5::/64", onLink, 20*time.Second, 20*time.Second)))
				away := addr("2001:db8:0:5::7")
				b.in(router1, echo(away, node, conform.Data(8)))
				b.expect(time.Second, ns(away).multicast())
				b.pass(25 * time.Second)
				b.answering(router1)
				b.in(router1, echo(away, node, conform.Data(8)))
				b.expect(time.Second, reply(away).toMAC(router1.mac))
			}},
		Case{Name: "link-local prefix in an advertisement", Rule: `RFC 4861, 6.3.4: "If the prefix is the link-local prefix, silently ignore the Prefix Information option."`,
			Run: func(b *Bench) {
				b.ready()
				b.advertise(router1, usual(prefixOption("fe80::/64", onLink|autonomous, 0, 0)))
				b.in(host1, echo(host1.ll, nodeLL, conform.Data(8)))
				b.expect(time.Second, ns(host1.ll).multicast())
			}},
		Case{Name: "unassigned prefix stays off-link though a neighbor solicits from it", Rule: `RFC 5942, 3: "The source address of a Neighbor Solicitation ... is not used for on-link determination"`,
			Run: func(b *Bench) {
				b.ready()
				b.in(host1, sol(far, node.SolicitedNode(), node, slla(host1.mac)))
				b.pass(2 * time.Second)
				b.in(router1, echo(far, node, conform.Data(8)))
				b.expect(time.Second, reply(far).toMAC(router1.mac))
			}},
		Case{Name: "unassigned prefix stays off-link though a neighbor advertises", Rule: `RFC 5942, 3: on-link determination is not by a Neighbor Advertisement`,
			Run: func(b *Bench) {
				b.ready()
				b.in(host1, adv(far, wire.AllNodes6, far, override, tlla(host1.mac)))
				b.pass(time.Second)
				b.in(router1, echo(far, node, conform.Data(8)))
				b.expect(time.Second, reply(far).toMAC(router1.mac))
			}},
	)
}

// threeSolicitations expects three multicast solicitations, one of which may have been seen already, so far apart.
func (b *Bench) threeSolicitations(target wire.Addr, apart time.Duration) {
	b.Helper()
	last := b.expect(time.Second, ns(target).multicast()).at
	for range 2 {
		s := b.expect(2*apart, ns(target))
		if !s.dst.IsMulticast() {
			b.Fatalf("%v", s)
		}
		b.between("the interval", s.at-last, apart*9/10, apart*11/10)
		last = s.at
	}
	b.none(2*apart, ns(target))
}

// reachability: RFC 4861, 7.3.
func reachability() (list []Case) {
	list = append(list,
		Case{Name: "STALE, DELAY, PROBE", Rule: `RFC 4861, 7.3.3: "If the entry is still in the DELAY state when the timer expires, the entry's state changes to PROBE", 5 seconds; "retransmitting ... every RetransTimer milliseconds", MAX_UNICAST_SOLICIT times`,
			Run: func(b *Bench) {
				b.ready()
				b.bring(host1, host1.ll, nodeLL, "STALE")
				start := b.Now()
				b.in(host1, echo(host1.ll, nodeLL, conform.Data(8)))
				b.expect(time.Second, reply(host1.ll).toMAC(host1.mac))
				last := time.Duration(0)
				for i := range 3 {
					s := b.expect(6*time.Second, ns(host1.ll))
					if s.dst != host1.ll || s.to != host1.mac {
						b.Fatalf("probe %d: %v", i, s)
					}
					if i == 0 {
						b.between("DELAY", s.at-start, 4900*time.Millisecond, 5500*time.Millisecond)
					} else {
						b.between("the interval", s.at-last, 900*time.Millisecond, 1100*time.Millisecond)
					}
					last = s.at
				}
				b.none(3*time.Second, ns(host1.ll).unicast())
				b.in(host1, echo(host1.ll, nodeLL, conform.Data(8)))
				b.expect(time.Second, ns(host1.ll).multicast())
			}},
		Case{Name: "probe answered", Rule: `RFC 4861, 7.3.3: "Upon receipt of a reachability confirmation, the state is changed to REACHABLE"`,
			Run: func(b *Bench) {
				b.ready()
				b.bring(host1, host1.ll, nodeLL, "PROBE")
				b.in(host1, adv(host1.ll, nodeLL, host1.ll, solicited|override, tlla(host1.mac)))
				b.is(host1, host1.ll, nodeLL, "REACHABLE", host1.mac)
			}},
		Case{Name: "probe answered without an option", Rule: `RFC 4861, 4.4: "When responding to a unicast Neighbor Solicitation this option SHOULD be included", so it may be absent`,
			Run: func(b *Bench) {
				b.ready()
				b.bring(host1, host1.ll, nodeLL, "PROBE")
				b.in(host1, adv(host1.ll, nodeLL, host1.ll, solicited))
				b.is(host1, host1.ll, nodeLL, "REACHABLE", host1.mac)
			}},
		Case{Name: "REACHABLE for the default time", Rule: `RFC 4861, 10: REACHABLE_TIME 30,000 milliseconds, MIN_RANDOM_FACTOR .5, MAX_RANDOM_FACTOR 1.5`,
			Run: func(b *Bench) {
				b.ready()
				b.bring(host1, host1.ll, nodeLL, "REACHABLE")
				b.pass(5 * time.Second)
				b.is(host1, host1.ll, nodeLL, "REACHABLE", host1.mac) // within 15 s
				b.pass(35 * time.Second)
				b.is(host1, host1.ll, nodeLL, "STALE", host1.mac)
			}},
		Case{Name: "Reachable Time that a router sets", Rule: `RFC 4861, 6.3.4: "If the received Reachable Time value is non-zero, the host SHOULD set its BaseReachableTime variable to the received value. If the new value differs from the previous value, the host SHOULD re-compute a new random ReachableTime value"`,
			Run: func(b *Bench) {
				b.ready()
				r := usual()
				r.reach = 10 * time.Second
				b.advertise(router1, r)
				b.pass(time.Second)
				b.bring(host1, host1.ll, nodeLL, "REACHABLE")
				b.pass(15 * time.Second)
				b.is(host1, host1.ll, nodeLL, "STALE", host1.mac)
			}},
		Case{Name: "Reachable Time 0", Rule: `RFC 4861, 4.2: Reachable Time: "A value of zero means unspecified"`,
			Run: func(b *Bench) {
				b.ready()
				r := usual()
				r.reach = 100 * time.Second
				b.advertise(router1, r)
				b.advertise(router1, usual())
				b.pass(time.Second)
				b.bring(host1, host1.ll, nodeLL, "REACHABLE")
				b.pass(40 * time.Second)
				b.is(host1, host1.ll, nodeLL, "REACHABLE", host1.mac)
			}},
		Case{Name: "packets alone confirm nothing", Rule: `RFC 4861, 7.3.1: "receipt of other Neighbor Discovery messages, such as Router Advertisements and Neighbor Advertisement with the Solicited flag set to zero, MUST NOT be treated as a reachability confirmation"`,
			Run: func(b *Bench) {
				b.ready()
				b.bring(host1, host1.ll, nodeLL, "STALE")
				b.in(host1, echo(host1.ll, nodeLL, conform.Data(8)))
				b.expect(time.Second, reply(host1.ll))
				for range 4 {
					b.pass(900 * time.Millisecond)
					b.in(host1, adv(host1.ll, wire.AllNodes6, host1.ll, 0, tlla(host1.mac)))
				}
				b.expect(3*time.Second, ns(host1.ll).unicast())
			}},
	)
	return list
}

// solicitations: NS received, RFC 4861, 7.2.3 and 7.2.4.
func solicitations() (list []Case) {
	rule := `RFC 4861, 7.2.3: "If the Source Address is not the unspecified address and, on link layers that have addresses, the solicitation includes a Source Link-Layer Address option, then the recipient SHOULD create or update the Neighbor Cache entry for the IP Source Address of the solicitation. If an entry does not already exist, the node SHOULD create a new one and set its reachability state to STALE"; "If a Neighbor Cache entry already exists and the cached link-layer address differs from the one in the received Source Link-Layer option, the cached address should be replaced by the received address, and the entry's reachability state MUST be set to STALE."`
	for _, state := range states {
		for _, o := range []struct {
			name string
			mac  *wire.MAC
		}{{"no option", nil}, {"the same address", &host1.mac}, {"another address", &otherMAC}} {
			for _, to := range []string{"unicast", "multicast"} {
				list = append(list, Case{Name: fmt.Sprintf("%s, %s, %s", state, to, o.name), Rule: rule, Run: func(b *Bench) {
					b.ready()
					b.bring(host1, host1.ll, nodeLL, state)
					dst, options := nodeLL, [][]byte(nil)
					if to == "multicast" {
						dst = nodeLL.SolicitedNode()
					}
					if o.mac != nil {
						options = append(options, slla(*o.mac))
					}
					b.in(host1, sol(host1.ll, dst, nodeLL, options...))
					then, mac := state, host1.mac
					if o.mac != nil {
						if state == "none" || state == "INCOMPLETE" || *o.mac != host1.mac {
							then, mac = "STALE", *o.mac
						}
						s := b.expect(100*time.Millisecond, na(nodeLL).toMAC(mac))
						b.solicitedNA(s, dst, host1.ll)
					} else if state == "none" || state == "INCOMPLETE" {
						b.pass(100 * time.Millisecond) // the advertisement waits for the address of its receiver
					} else {
						s := b.expect(100*time.Millisecond, na(nodeLL).toMAC(mac))
						b.solicitedNA(s, dst, host1.ll)
					}
					b.is(host1, host1.ll, nodeLL, then, mac)
				}})
			}
		}
	}
	unsolicitedState := `RFC 4861, 7.2.4: "If the source of the solicitation is the unspecified address, the node MUST set the Solicited flag to zero and multicast the advertisement to the all-nodes address."`
	for _, l := range []struct {
		name string
		a    wire.Addr
	}{{"link-local", nodeLL}, {"global", node}} {
		list = append(list,
			Case{Name: "duplicate address detection of another, " + l.name, Rule: unsolicitedState, Run: func(b *Bench) {
				b.ready()
				b.in(host1, sol(wire.Addr{}, l.a.SolicitedNode(), l.a))
				s := b.expect(100*time.Millisecond, na(l.a).to(wire.AllNodes6).from(l.a))
				if s.body[4] != 0x20 {
					b.Fatalf("%v: flags %#x", s, s.body[4])
				}
				if o, ok := s.option(24, 2); !ok || wire.MAC(o) != nodeMAC {
					b.Fatalf("%v: target link-layer address % x", s, o)
				}
			}},
			Case{Name: "to the solicited-node group, " + l.name, Rule: `RFC 4861, 7.2.4: "If the Target Address is either an anycast address or ..., otherwise ... the Override flag SHOULD be set to one"; Solicited one; the option`,
				Run: func(b *Bench) {
					b.ready()
					b.in(host1, sol(host1.ll, l.a.SolicitedNode(), l.a, slla(host1.mac)))
					b.solicitedNA(b.expect(100*time.Millisecond, na(l.a).toMAC(host1.mac).from(l.a)), l.a.SolicitedNode(), host1.ll)
				}},
			Case{Name: "to the address, " + l.name, Rule: `RFC 4861, 7.2.4: the advertisement goes to the source of the solicitation`,
				Run: func(b *Bench) {
					b.ready()
					b.in(host1, sol(host1.addr, l.a, l.a, slla(host1.mac)))
					b.solicitedNA(b.expect(100*time.Millisecond, na(l.a).toMAC(host1.mac)), l.a, host1.addr)
				}},
			Case{Name: "reserved bits and unknown options, " + l.name, Rule: `RFC 4861, 7.1.1: "The contents of the Reserved field, and of any unrecognized options, MUST be ignored."`,
				Run: func(b *Bench) {
					b.ready()
					b.in(host1, nd(host1.ll, l.a, wire.ICMPv6NeighborSolicitation, 0xffffffff, octets(l.a), option(99, 1, 2, 3), slla(host1.mac), mtuOption(1), prefixOption(home, 0xff, 0, 0)))
					b.solicitedNA(b.expect(100*time.Millisecond, na(l.a)), l.a, host1.ll)
				}},
			Case{Name: "of another's address, " + l.name, Rule: `RFC 4861, 7.2.3: the target MUST be "a 'valid' unicast or anycast address assigned to the receiving interface"`,
				Run: func(b *Bench) {
					b.ready()
					other := l.a
					other.Lo ^= 1 << 40
					b.in(host1, sol(host1.ll, l.a, other, slla(host1.mac)))
					b.in(host1, sol(host1.ll, other.SolicitedNode(), other, slla(host1.mac)))
					b.none(time.Second, anyNA())
				}},
		)
	}
	return list
}

// solicitedNA holds an answer to a solicitation that was sent to asked against RFC 4861, 7.2.4: a host's, R 0, S 1, with the
// option and O 1. "If the solicitation's IP Destination Address is not a multicast address, the Target Link-Layer Address option
// MAY be omitted", and where it is, "the Override flag SHOULD be set to zero".
func (b *Bench) solicitedNA(s *seen, asked, to wire.Addr) {
	b.Helper()
	o, ok := s.option(24, 2)
	flags := byte(0x60)
	if !ok && !asked.IsMulticast() {
		flags = 0x40
	}
	if s.dst != to || s.body[4] != flags {
		b.Fatalf("%v: flags %#x", s, s.body[4])
	}
	if (ok || asked.IsMulticast()) && (len(o) != 6 || wire.MAC(o) != nodeMAC) {
		b.Fatalf("%v: target link-layer address % x", s, o)
	}
}

// advertisements: NA received, RFC 4861, 7.2.5 and appendix C.
func advertisements() (list []Case) {
	rule := `RFC 4861, 7.2.5, and the table of appendix C`
	for _, state := range states {
		for _, flags := range []uint32{0, solicited, override, solicited | override} {
			for _, o := range []struct {
				name string
				mac  *wire.MAC
			}{{"no option", nil}, {"the same address", &host1.mac}, {"another address", &otherMAC}} {
				then, mac := after(state, flags, o.mac)
				name := fmt.Sprintf("%s, S %d O %d, %s", state, flags/solicited, flags/override&1, o.name)
				list = append(list, Case{Name: name, Rule: rule, Run: func(b *Bench) {
					b.ready()
					b.bring(host1, host1.ll, nodeLL, state)
					var options [][]byte
					if o.mac != nil {
						options = append(options, tlla(*o.mac))
					}
					to := nodeLL
					if flags&solicited == 0 {
						to = wire.AllNodes6
					}
					b.in(host1, adv(host1.ll, to, host1.ll, flags, options...))
					b.is(host1, host1.ll, nodeLL, then, mac)
				}})
			}
		}
	}
	for _, was := range []string{"REACHABLE", "STALE", "PROBE"} {
		for _, flags := range []uint32{0, solicited, override, solicited | override} {
			list = append(list, Case{Name: fmt.Sprintf("a router that is none any more, %s, S %d O %d", was, flags/solicited, flags/override&1),
				Rule: `RFC 4861, 7.2.5: "If the IsRouter flag changes from TRUE to FALSE as a result of this update, the node MUST remove that router from the Default Router List and update the Destination Cache entries"`,
				Run: func(b *Bench) {
					b.boot()
					b.answering(router2)
					b.advertise(router2, usual(slla(router2.mac)))
					b.learn(router1)
					b.advertise(router1, ra{lifetime: 1800 * time.Second, flags: high, options: usual(slla(router1.mac)).options})
					b.pass(3 * time.Second)
					b.in(router1, echo(far, node, conform.Data(8)))
					b.expect(time.Second, reply(far).toMAC(router1.mac))
					b.bring(router1, router1.ll, nodeLL, was)
					to := nodeLL
					if flags&solicited == 0 {
						to = wire.AllNodes6
					}
					b.in(router1, adv(router1.ll, to, router1.ll, flags, tlla(router1.mac)))
					b.in(router2, echo(far, node, conform.Data(8)))
					b.expect(2*time.Second, reply(far).toMAC(router2.mac))
				}})
		}
	}
	return list
}

// after is what becomes of host1's entry.
func after(state string, flags uint32, mac *wire.MAC) (string, wire.MAC) {
	s, o := flags&solicited != 0, flags&override != 0
	known := host1.mac
	switch state {
	case "none": // "there is no need to create an entry if none exists"
		return state, known
	case "INCOMPLETE":
		if mac == nil { // "If the link layer has addresses and no Target Link-Layer Address option is included, the receiving node SHOULD silently discard the received advertisement."
			return state, known
		}
		if s {
			return "REACHABLE", *mac
		}
		return "STALE", *mac
	}
	differs := mac != nil && *mac != known
	switch {
	case !o && differs: // "If the state of the entry is REACHABLE, set it to STALE, but do not update the entry in any other way"
		if state == "REACHABLE" {
			state = "STALE"
		}
		return state, known
	case s: // "the state of the entry MUST be set to REACHABLE"
		if differs {
			known = *mac
		}
		return "REACHABLE", known
	case differs: // "If the Solicited flag is zero and the link-layer address was updated with a different address, the state MUST be set to STALE."
		return "STALE", *mac
	}
	return state, known
}
