package core6

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// advertising: what a router tells hosts (RFC 4861, 6.2).
func advertising() (list []Case) {
	plain := onlink.RouterAdvertisement{MaxInterval: 100 * time.Second, Prefixes: []onlink.AdvertisedPrefix{{Prefix: prefix(home)}}}
	with := func(name, rule string, adv onlink.RouterAdvertisement, run func(b *Bench)) {
		list = append(list, Case{Name: name, Rule: rule, Node: Node{Router: true, Advertise: &adv}, Run: run})
	}
	add := func(name, rule string, run func(b *Bench)) { with(name, rule, plain, run) }

	add("advertisement", `RFC 4861, 6.2.3: the fields "Source Address: MUST be the link-local address assigned to the interface from which this message is sent"; 4.2: hop limit 255, code 0; 6.2.1: the defaults`, func(b *Bench) {
		s := b.expect(20*time.Second, anyRA())
		m, _ := s.icmp()
		if s.src != nodeLL || s.dst != wire.AllNodes6 || s.port != 0 {
			b.Fatalf("%v", s)
		}
		if hop, flags, lifetime := s.body[4], s.body[5], binary.BigEndian.Uint16(s.body[6:]); hop != 64 || flags != 0 || lifetime != 300 {
			b.Fatalf("%v: hop limit %d, flags %#x, lifetime %d", m, hop, flags, lifetime)
		}
		if o, ok := s.option(16, 1); !ok || wire.MAC(o) != nodeMAC {
			b.Fatalf("source link-layer address % x", o)
		}
		o, ok := s.option(16, 3)
		if !ok || o[0] != 64 || o[1] != onLink|autonomous || binary.BigEndian.Uint32(o[2:]) != 30*24*3600 || binary.BigEndian.Uint32(o[6:]) != 7*24*3600 ||
			wire.AddrFrom16(o[14:]) != wire.AddrFrom(prefix(home).Addr()) {
			b.Fatalf("prefix % x", o)
		}
	})
	with("all fields", `RFC 4861, 6.2.3`, onlink.RouterAdvertisement{MaxInterval: 100 * time.Second, Lifetime: 1000 * time.Second, Managed: true, Other: true, HopLimit: 33,
		MTU: 1400, ReachableTime: 7 * time.Second, RetransTimer: 3 * time.Second, Preference: 1}, func(b *Bench) {
		s := b.expect(20*time.Second, anyRA())
		if s.body[4] != 33 || s.body[5] != 0xc8 || binary.BigEndian.Uint16(s.body[6:]) != 1000 || binary.BigEndian.Uint32(s.body[8:]) != 7000 || binary.BigEndian.Uint32(s.body[12:]) != 3000 {
			b.Fatalf("% x", s.body[:16])
		}
		if o, ok := s.option(16, 5); !ok || binary.BigEndian.Uint32(o[2:]) != 1400 {
			b.Fatalf("MTU % x", o)
		}
	})
	with("lifetime 0", `RFC 4861, 6.2.5: "A router ... that does not want to be a default router advertises a Router Lifetime of zero"`, onlink.RouterAdvertisement{MaxInterval: 100 * time.Second, Lifetime: -1}, func(b *Bench) {
		if s := b.expect(20*time.Second, anyRA()); binary.BigEndian.Uint16(s.body[6:]) != 0 {
			b.Fatalf("% x", s.body[:16])
		}
	})
	add("initial advertisements", `RFC 4861, 6.2.4: "For the first few advertisements (up to MAX_INITIAL_RTR_ADVERTISEMENTS) sent from an interface when it becomes an advertising interface, if the randomly chosen interval is greater than MAX_INITIAL_RTR_ADVERT_INTERVAL, the timer SHOULD be set to MAX_INITIAL_RTR_ADVERT_INTERVAL instead": 3, 16 seconds`, func(b *Bench) {
		last := b.expect(20*time.Second, anyRA()).at
		for range 2 {
			s := b.expect(17*time.Second, anyRA())
			b.between("the interval", s.at-last, 3*time.Second, 16500*time.Millisecond)
			last = s.at
		}
	})
	add("unsolicited advertisements", `RFC 4861, 6.2.4: "the timer is reset to a uniformly distributed random value between the interface's configured MinRtrAdvInterval and MaxRtrAdvInterval"`, func(b *Bench) {
		b.pass(2 * time.Minute)
		last := b.expect(101*time.Second, anyRA()).at
		for range 20 {
			s := b.expect(101*time.Second, anyRA())
			b.between("the interval", s.at-last, 33*time.Second, 100500*time.Millisecond)
			last = s.at
		}
	})
	for _, c := range []struct {
		name   string
		packet []byte
	}{
		{"with an option", rsol(host1.ll, wire.AllRouters6, slla(host1.mac))},
		{"without an option", rsol(host1.ll, wire.AllRouters6)},
		{"from the unspecified address", rsol(wire.Addr{}, wire.AllRouters6)},
		{"from a global address", rsol(host1.addr, wire.AllRouters6, slla(host1.mac))},
		{"with unknown options", rsol(host1.ll, wire.AllRouters6, option(77, 1, 2, 3), mtuOption(1), slla(host1.mac))},
		{"with reserved bits", again(conform.Poke(rsol(host1.ll, wire.AllRouters6), 44, 1, 2, 3, 4))},
		{"to the router", rsol(host1.ll, nodeLL, slla(host1.mac))},
	} {
		add("solicitation "+c.name, `RFC 4861, 6.2.6: "A router ... sends an advertisement in response to a valid solicitation"; "Router Advertisements sent in response to a Router Solicitation MUST be delayed by a random time between 0 and MAX_RA_DELAY_TIME seconds", .5`, func(b *Bench) {
			b.answering(host1)
			b.pass(50 * time.Second)
			b.quietRA()
			start := b.Now()
			b.in(host1, c.packet)
			s := b.expect(4*time.Second, anyRA())
			b.between("the delay", s.at-start, 0, 510*time.Millisecond)
			if s.dst != wire.AllNodes6 && s.dst != host1.ll && s.dst != host1.addr {
				b.Fatalf("%v", s)
			}
		})
	}
	add("two solicitations", `RFC 4861, 6.2.6: "consecutive Router Advertisements sent to the all-nodes multicast address MUST be rate limited to no more than one advertisement every MIN_DELAY_BETWEEN_RAS seconds", 3`, func(b *Bench) {
		b.pass(50 * time.Second)
		b.quietRA()
		b.in(host1, rsol(wire.Addr{}, wire.AllRouters6))
		first := b.expect(time.Second, anyRA())
		b.in(host1, rsol(wire.Addr{}, wire.AllRouters6))
		b.between("the interval", b.expect(4*time.Second, anyRA()).at-first.at, 3*time.Second, 3600*time.Millisecond)
	})
	for _, s := range append(spoils(8),
		spoil{"unspecified source with an option", func(p []byte) []byte {
			return resized(setSource(wire.Addr{})(p), conform.Cat(p[wire.IPv6Len:], slla(host1.mac)))
		}},
		spoil{"from a group", setSource(addr("ff02::5"))},
	) {
		add("invalid solicitation: "+s.name, `RFC 4861, 6.1.1: "Hosts MUST silently discard any received Router Solicitation Messages. A router MUST silently discard any received Router Solicitation messages that do not satisfy all of the following validity checks"`, func(b *Bench) {
			b.pass(50 * time.Second)
			b.quietRA()
			b.in(host1, s.f(rsol(host1.ll, wire.AllRouters6)))
			b.none(4*time.Second, anyRA())
		})
	}
	for _, state := range states {
		for _, o := range []struct {
			name string
			mac  *wire.MAC
		}{{"no option", nil}, {"the same address", &host1.mac}, {"another address", &otherMAC}} {
			then, mac := state, host1.mac
			if o.mac != nil && (state == "none" || state == "INCOMPLETE" || *o.mac != host1.mac) {
				then, mac = "STALE", *o.mac
			}
			add(fmt.Sprintf("solicitation: %s, %s", state, o.name), `RFC 4861, 6.2.6: "If the router already has a Neighbor Cache entry for the solicitation's sender, the solicitation contains a Source Link-Layer Address option, and the received link-layer address differs from that already in the cache, then the link-layer address SHOULD be updated in the appropriate Neighbor Cache entry, and its reachability state MUST also be set to STALE. If there is no existing Neighbor Cache entry for the solicitation's sender, the router creates one, installs the link-layer address and sets its reachability state to STALE"`, func(b *Bench) {
				b.pass(50 * time.Second)
				b.bring(host1, host1.ll, nodeLL, state)
				var options [][]byte
				if o.mac != nil {
					options = append(options, slla(*o.mac))
				}
				b.in(host1, rsol(host1.ll, wire.AllRouters6, options...))
				b.is(host1, host1.ll, nodeLL, then, mac)
			})
		}
	}
	list = append(list, Case{Name: "no advertising interface", Rule: `RFC 4861, 6.2.1: AdvSendAdvertisements: "Default: FALSE"`, Node: Node{Router: true}, Run: func(b *Bench) {
		b.in(host1, rsol(host1.ll, wire.AllRouters6, slla(host1.mac)))
		b.none(time.Minute, anyRA())
	}})
	return list
}

// quietRA waits for the moment after an unsolicited advertisement, so that the next one is solicited.
func (b *Bench) quietRA() {
	b.Helper()
	b.expect(101*time.Second, anyRA())
	b.pass(5 * time.Second)
}
