package core6

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// via asks for a reply to a host off the link, and fails unless it goes through that router.
func (b *Bench) via(p *peer) {
	b.Helper()
	b.viaTo(p, far)
}

func (b *Bench) viaTo(p *peer, dst wire.Addr) {
	b.Helper()
	b.in(p, echo(dst, node, conform.Data(8)))
	b.expect(4*time.Second, reply(dst).toMAC(p.mac))
}

// told is a router's advertisement with its address on the link.
func told(p *peer, lifetime time.Duration, preference uint8, options ...[]byte) ra {
	r := usual(append(options, slla(p.mac))...)
	r.lifetime, r.flags = lifetime, preference
	return r
}

const half = 1800 * time.Second

// choice: which router (RFC 4861, 6.3.6; RFC 4191).
func choice() (list []Case) {
	withdrawn := func(name, rule string, p func(b *Bench)) Case {
		return Case{Name: name, Rule: rule, Run: func(b *Bench) {
			b.boot()
			b.answering(router1, router2)
			b.advertise(router1, told(router1, half, high))
			b.advertise(router2, told(router2, half, 0))
			b.pass(3 * time.Second)
			b.via(router1)
			b.pass(8 * time.Second) // it is asked, and REACHABLE
			p(b)
		}}
	}
	list = append(list,
		Case{Name: "no router", Rule: `RFC 4861, 5.2 as of RFC 5942: "If the Default Router List is empty", a destination is not on-link, and "Destination Unreachable" is due`,
			Run: func(b *Bench) {
				b.boot()
				r := usual()
				r.lifetime = 0
				b.advertise(router1, r)
				b.pass(3 * time.Second)
				b.in(host1, echo(far, node, conform.Data(8)))
				b.none(3*time.Second, want{"packet", func(s *seen) bool { return ns(far).ok(s) || reply(far).ok(s) }})
			}},
		withdrawn("lifetime 0", `RFC 4861, 6.3.4: "If the address is already present in the host's Default Router List and the received Router Lifetime value is zero, immediately time-out the entry"`, func(b *Bench) {
			b.advertise(router1, told(router1, 0, 0))
			b.pass(time.Second)
			b.via(router2)
		}),
		withdrawn("lifetime ends", `RFC 4861, 6.3.5: "Whenever the Lifetime of an entry in the Default Router List expires, that entry is discarded. When removing a router from the Default Router list, the node MUST update the Destination Cache in such a way that all entries using the router perform next-hop determination again"`, func(b *Bench) {
			b.advertise(router1, told(router1, 10*time.Second, high))
			b.pass(5 * time.Second)
			b.via(router1)
			b.pass(6 * time.Second)
			b.via(router2)
		}),
		withdrawn("lifetime is lengthened", `RFC 4861, 6.3.4: "reset its invalidation timer to the Router Lifetime value in the newly received advertisement"`, func(b *Bench) {
			b.advertise(router1, told(router1, 10*time.Second, high))
			b.pass(5 * time.Second)
			b.advertise(router1, told(router1, 100*time.Second, high))
			b.pass(50 * time.Second)
			b.via(router1)
		}),
		withdrawn("unreachable", `RFC 4861, 6.3.6: "Routers that are reachable or probably reachable (i.e., in any state other than INCOMPLETE) SHOULD be preferred over routers whose reachability is unknown or suspect"; 7.3.3: next-hop determination again`, func(b *Bench) {
			b.silent(router1)
			b.pass(50 * time.Second)
			b.via(router1)           // DELAY
			b.pass(12 * time.Second) // and PROBE, three times
			b.via(router2)
		}),
		withdrawn("comes back", `RFC 4191, 3.5: a host "SHOULD" use the more preferred router again when it is reachable`, func(b *Bench) {
			b.silent(router1)
			b.pass(50 * time.Second)
			b.via(router1)
			b.pass(12 * time.Second)
			b.via(router2)
			b.answering(router1)
			b.advertise(router1, told(router1, half, high))
			b.pass(70 * time.Second)
			b.in(router2, echo(far, node, conform.Data(8)))
			b.pass(3 * time.Second)
			b.via(router1)
		}),
		withdrawn("preference is lowered", `RFC 4191, 3.1: the preference of the last advertisement counts`, func(b *Bench) {
			b.advertise(router1, told(router1, half, low))
			b.pass(time.Second)
			b.via(router2)
			b.advertise(router1, told(router1, half, high))
			b.pass(time.Second)
			b.via(router1)
		}),
		withdrawn("an advertisement without a prefix takes nothing back", `RFC 4861, 6.2.3: "a router MAY choose not to include some or all options when sending unsolicited Router Advertisements"`, func(b *Bench) {
			b.advertise(router1, ra{lifetime: half, flags: high})
			b.pass(time.Second)
			b.via(router1)
			b.assigned(node, true)
		}),
		Case{Name: "only router is used though unreachable", Rule: `RFC 4861, 6.3.6: "When no routers on the list are known to be reachable or probably reachable, routers SHOULD be selected in a round-robin fashion"`,
			Run: func(b *Bench) {
				b.boot()
				b.advertise(router1, usual())
				b.pass(3 * time.Second)
				b.in(host1, echo(far, node, conform.Data(8)))
				b.expect(time.Second, ns(router1.ll).multicast())
				b.pass(5 * time.Second)
				b.in(host1, echo(far, node, conform.Data(8)))
				b.expect(time.Second, ns(router1.ll).multicast())
			}},
		Case{Name: "both unreachable: each is asked for", Rule: `RFC 4861, 6.3.6: "routers SHOULD be selected in a round-robin fashion, so that subsequent requests for a default router do not return the same router until all other routers have been selected"`,
			Run: func(b *Bench) {
				b.boot()
				b.advertise(router1, usual())
				b.advertise(router2, usual())
				b.pass(3 * time.Second)
				asked := map[wire.Addr]bool{}
				for range 8 {
					b.in(host1, echo(far, node, conform.Data(8)))
					for s := b.try(5*time.Second, anyNS()); s != nil; s = b.try(5*time.Second, anyNS()) {
						asked[wire.AddrFrom16(s.body[8:])] = true
					}
				}
				if !asked[router1.ll] || !asked[router2.ll] {
					b.Fatalf("asked for %v", asked)
				}
			}},
	)
	for _, c := range []struct {
		name     string
		one, two uint8
		want     *peer
	}{{"high over medium", high, 0, router1}, {"high over low", high, low, router1}, {"medium over low", 0, low, router1},
		{"medium below high", 0, high, router2}, {"low below medium", low, 0, router2}, {"reserved is medium: over low", reserved, low, router1},
		{"reserved is medium: below high", reserved, high, router2}} {
		for _, order := range []bool{false, true} {
			list = append(list, Case{Name: fmt.Sprintf("preference: %s, the other first %v", c.name, order),
				Rule: `RFC 4191, 3.2: "the host should prefer routers of higher preference"; 2.2: "If the Reserved (10) value is received, the receiver MUST treat the value as if it were (00)"`,
				Run: func(b *Bench) {
					b.boot()
					b.answering(router1, router2)
					if order {
						b.advertise(router2, told(router2, half, c.two))
					}
					b.advertise(router1, told(router1, half, c.one))
					if !order {
						b.advertise(router2, told(router2, half, c.two))
					}
					b.pass(3 * time.Second)
					b.via(c.want)
				}})
		}
	}
	routes := func(name, rule string, run func(b *Bench)) {
		list = append(list, Case{Name: "route information: " + name, Rule: rule, Run: func(b *Bench) {
			b.boot()
			b.answering(router1, router2)
			b.advertise(router1, told(router1, half, 0))
			b.pass(3 * time.Second)
			b.via(router1)
			run(b)
		}})
	}
	rule := `RFC 4191, 3.1: "type C hosts ... process Route Information options"; 3.2: longest matching prefix first, then preference`
	routes("specific route", rule, func(b *Bench) {
		b.advertise(router2, told(router2, 0, 0, routeOption("2001:db8:0:9::/64", 0, half)))
		b.pass(time.Second)
		b.via(router2)
	})
	routes("withdrawn", `RFC 4191, 3.1: a lifetime of 0 removes the route`, func(b *Bench) {
		b.advertise(router2, told(router2, 0, 0, routeOption("2001:db8:0:9::/64", 0, half)))
		b.pass(time.Second)
		b.via(router2)
		b.advertise(router2, told(router2, 0, 0, routeOption("2001:db8:0:9::/64", 0, 0)))
		b.pass(time.Second)
		b.via(router1)
	})
	routes("ends", `RFC 4191, 2.3: "Route Lifetime: the length of time in seconds ... that the prefix is valid for route determination"`, func(b *Bench) {
		b.advertise(router2, told(router2, 0, 0, routeOption("2001:db8:0:9::/64", 0, 10*time.Second)))
		b.pass(time.Second)
		b.via(router2)
		b.pass(11 * time.Second)
		b.via(router1)
	})
	routes("other prefix", rule, func(b *Bench) {
		b.advertise(router2, told(router2, 0, 0, routeOption("2001:db8:0:a::/64", 0, half)))
		b.pass(time.Second)
		b.via(router1)
	})
	routes("low default, high route of the same router", `RFC 4191, 3.2`, func(b *Bench) {
		b.advertise(router2, told(router2, half, low, routeOption("2001:db8:0:9::/64", 1, half)))
		b.pass(time.Second)
		b.via(router2)
		b.viaTo(router1, addr("2001:db8:0:b::1"))
	})
	routes("default route", `RFC 4191, 3.1: "If ... a Route Information option for ::/0, the option's preference and lifetime override the header's"`, func(b *Bench) {
		b.advertise(router2, told(router2, half, low, routeOption("::/0", 1, half)))
		b.pass(time.Second)
		b.via(router2)
	})
	routes("reserved preference is ignored", `RFC 4191, 2.3: "If the Reserved (10) value is received, the Route Information Option MUST be ignored."`, func(b *Bench) {
		b.advertise(router2, told(router2, 0, 0, routeOption("2001:db8:0:9::/64", 2, half)))
		b.pass(time.Second)
		b.via(router1)
	})
	return list
}
