package core6

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// redirects: Redirects received (RFC 4861, 8.3).
func redirects() (list []Case) {
	accepted := `RFC 4861, 8.3: "A host receiving a valid redirect SHOULD update its Destination Cache accordingly so that subsequent traffic goes to the specified target. If no Destination Cache entry exists for the destination, an implementation SHOULD create such an entry."`
	recorded := `RFC 4861, 8.3: "If the redirect contains a Target Link-Layer Address option, the host either creates or updates the Neighbor Cache entry for the target. In both cases, the cached link-layer address is copied from the Target Link-Layer Address option. If a Neighbor Cache entry is created for the target, its reachability state MUST be set to STALE ... If a cache entry already existed and it is updated with a different link-layer address, its reachability state MUST also be set to STALE. If the link-layer address is the same as that already in the cache, the cache entry's state remains unchanged."`
	onLinkFar := &peer{0, host1.mac, host1.ll, far}
	for _, o := range []struct {
		name string
		tlla bool
	}{{"with the option", true}, {"without the option", false}} {
		options := func(m wire.MAC) [][]byte {
			if o.tlla {
				return [][]byte{tlla(m)}
			}
			return nil
		}
		list = append(list,
			Case{Name: "to another router, " + o.name, Rule: accepted, Run: func(b *Bench) {
				b.ready()
				b.answering(router2)
				b.via(router1)
				b.in(router1, redir(router1.ll, node, router2.ll, far, options(router2.mac)...))
				b.via(router2)
				b.viaTo(router1, far2) // another destination is not concerned
			}},
			Case{Name: "to the destination itself, " + o.name, Rule: `RFC 4861, 8.3: "If the Target and Destination Addresses are the same, the host MUST treat the Target as on-link."`, Run: func(b *Bench) {
				b.ready()
				b.answering(onLinkFar)
				b.via(router1)
				b.in(router1, redir(router1.ll, node, far, far, options(host1.mac)...))
				if !o.tlla {
					b.in(router1, echo(far, node, conform.Data(8)))
					b.expect(time.Second, ns(far).multicast())
					b.expect(time.Second, reply(far).toMAC(host1.mac))
				}
				b.viaTo(onLinkFar, far)
				b.viaTo(router1, far2)
			}},
			Case{Name: "before any packet, " + o.name, Rule: accepted, Run: func(b *Bench) {
				b.ready()
				b.answering(router2)
				b.in(router1, redir(router1.ll, node, router2.ll, far, options(router2.mac)...))
				b.via(router2)
			}},
			Case{Name: "with unknown options and reserved bits, " + o.name, Rule: `RFC 4861, 8.1: "The contents of the Reserved field, and of any unrecognized options, MUST be ignored."`, Run: func(b *Bench) {
				b.ready()
				b.answering(router2)
				b.via(router1)
				all := append(options(router2.mac), option(200, 1, 2), mtuOption(1280), slla(otherMAC), prefixOption(home, 0, 0, 0))
				p := redir(router1.ll, node, router2.ll, far, all...)
				copy(p[wire.IPv6Len+4:], []byte{0xff, 0xff, 0xff, 0xff})
				b.in(router1, again(p))
				b.via(router2)
			}},
			Case{Name: "with the redirected header, " + o.name, Rule: accepted, Run: func(b *Bench) {
				b.ready()
				b.answering(router2)
				b.via(router1)
				quote := conform.IP6(node, far, wire.ProtoICMPv6, conform.ICMP6(node, far, wire.ICMPv6EchoReply, 0, 0x0101_0001, conform.Data(8)))
				b.in(router1, redir(router1.ll, node, router2.ll, far, append(options(router2.mac), option(4, append(make([]byte, 6), quote...)...))...))
				b.via(router2)
			}},
			Case{Name: "redirected router becomes unreachable, " + o.name, Rule: `RFC 4861, 7.3.3: the node "deletes the Neighbor Cache entry" after three probes and "subsequent traffic" goes by next-hop determination again`, Run: func(b *Bench) {
				b.ready()
				b.answering(router1, router2)
				b.via(router1)
				b.in(router1, redir(router1.ll, node, router2.ll, far, options(router2.mac)...))
				b.via(router2)
				b.silent(router2)
				b.pass(50 * time.Second)
				b.in(router2, echo(far, node, conform.Data(8))) // DELAY, PROBE, failure
				b.pass(12 * time.Second)
				b.via(router1)
			}},
		)
	}
	for _, state := range states {
		for _, o := range []struct {
			name string
			mac  *wire.MAC
		}{{"no option", nil}, {"the same address", &router2.mac}, {"another address", &otherMAC}} {
			then, mac := state, router2.mac
			if o.mac != nil && (state == "none" || state == "INCOMPLETE" || *o.mac != router2.mac) {
				then, mac = "STALE", *o.mac
			}
			list = append(list, Case{Name: fmt.Sprintf("%s, %s", state, o.name), Rule: recorded, Run: func(b *Bench) {
				b.ready()
				b.answering(router1)
				b.via(router1)
				b.bring(router2, router2.ll, nodeLL, state)
				var options [][]byte
				if o.mac != nil {
					options = append(options, tlla(*o.mac))
				}
				b.in(router1, redir(router1.ll, node, router2.ll, far, options...))
				b.is(router2, router2.ll, nodeLL, then, mac)
			}})
		}
	}
	list = append(list,
		Case{Name: "a second redirect", Rule: accepted, Run: func(b *Bench) {
			b.ready()
			b.answering(router1, router2, router3)
			b.via(router1)
			b.in(router1, redir(router1.ll, node, router2.ll, far, tlla(router2.mac)))
			b.via(router2)
			b.in(router2, redir(router2.ll, node, router3.ll, far, tlla(router3.mac)))
			b.via(router3)
		}},
		Case{Name: "the first router redirects no more", Rule: `RFC 4861, 8.1: "The IP source address of the Redirect is the same as the current first-hop router for the specified ICMP Destination Address."`, Run: func(b *Bench) {
			b.ready()
			b.answering(router1, router2, router3)
			b.via(router1)
			b.in(router1, redir(router1.ll, node, router2.ll, far, tlla(router2.mac)))
			b.via(router2)
			b.in(router1, redir(router1.ll, node, router3.ll, far, tlla(router3.mac)))
			b.via(router2)
		}},
		Case{Name: "the router of the redirect ends", Rule: `RFC 4861, 6.3.5: "all entries using the router perform next-hop determination again"`, Run: func(b *Bench) {
			b.boot()
			b.answering(router1, router2)
			b.advertise(router1, told(router1, half, high))
			b.advertise(router2, told(router2, half, 0))
			b.pass(3 * time.Second)
			b.via(router1)
			b.in(router1, redir(router1.ll, node, router2.ll, far, tlla(router2.mac)))
			b.via(router2)
			b.advertise(router2, told(router2, 0, 0))
			b.pass(time.Second)
			b.via(router1)
		}},
		Case{Name: "the target's NA without R", Rule: `RFC 4861, 7.2.5: IsRouter from TRUE to FALSE; 8.3: "its IsRouter flag MUST be set to TRUE if the Target is not the Destination"`, Run: func(b *Bench) {
			b.ready()
			b.answering(router1)
			b.via(router1)
			b.in(router1, redir(router1.ll, node, router2.ll, far, tlla(router2.mac)))
			b.via(router2)
			b.in(router2, adv(router2.ll, wire.AllNodes6, router2.ll, override, tlla(router2.mac)))
			b.via(router1)
		}},
	)
	return list
}
