package core6

import (
	"time"

	"github.com/onlink-go/onlink/itest/conform"
)

// anycast: the Subnet-Router anycast addresses of a router (RFC 4291, 2.6.1).
func anycast() (list []Case) {
	src := host1.addr
	add := func(name, rule string, run func(b *Bench)) {
		list = append(list, Case{Name: name, Rule: rule, Node: Node{Router: true}, Run: func(b *Bench) {
			b.boot()
			b.answering(host1, host3)
			run(b)
		}})
	}
	for i, a := range []string{"2001:db8:0:1::", "2001:db8:0:2::"} {
		add("echo to the subnet-router anycast address "+a, `RFC 4291, 2.6.1: "All routers are required to support the Subnet-Router anycast addresses for the subnets to which they have interfaces."; RFC 4443, 4.2: the reply's source "MUST be a unicast address belonging to the interface on which the Echo Request message was received"`, func(b *Bench) {
			b.in(host1, echo(src, addr(a), conform.Data(8)))
			if s := b.expect(2*time.Second, reply(src)); s.src != near1 {
				b.Fatalf("%v", s)
			}
		})
		if i == 0 {
			add("solicitation for the subnet-router anycast address", `RFC 4861, 7.2.4: "If the Target Address is either an anycast address ..., the Override flag SHOULD be set to zero."; 7.2.7: "random delay between 0 and MAX_ANYCAST_DELAY_TIME seconds"`, func(b *Bench) {
				b.in(host1, sol(host1.ll, addr(a).SolicitedNode(), addr(a), slla(host1.mac)))
				s := b.expect(2*time.Second, na(addr(a)).to(host1.ll))
				if s.body[4] != 0xc0 {
					b.Fatalf("%v: flags %#x", s, s.body[4])
				}
			})
		}
	}
	return list
}
