package core6

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// record returns the type of the record about a group in a version 2 report; ok is false if there is none.
func record(s *seen, group wire.Addr) (typ wire.RecordType, ok bool) {
	if m, is := s.icmp(); !is || m.Type() != wire.ICMPv6MLDv2Report {
		return 0, false
	}
	r, err := wire.ParseMLDReport(s.body)
	if err != nil {
		return 0, false
	}
	for _, g := range r.Records {
		if g.Group == group {
			return g.Type, true
		}
	}
	return 0, false
}

// reports is a report, of either version, that a group is listened to.
func reports(group wire.Addr) want {
	return want{"report of " + group.String(), func(s *seen) bool {
		if t, ok := record(s, group); ok {
			return t == wire.RecordType(2) || t == wire.RecordType(4)
		}
		return oldReport(group).ok(s)
	}}
}

func oldReport(group wire.Addr) want {
	return typed("MLDv1 report", wire.ICMPv6MLDReport).and("of "+group.String(), func(s *seen) bool {
		return len(s.body) == wire.MLDLen && wire.AddrFrom16(s.body[8:]) == group
	})
}

// query returns a query of router1's.
func query(q wire.GroupQuery, change ...func([]byte) []byte) []byte {
	dst := wire.AllNodes6
	if !q.Group.IsUnspecified() {
		dst = q.Group
	}
	m := make([]byte, q.MLDQueryLen())
	q.PutMLDQuery(m)
	wire.FinishICMPv6(m, router1.ll, dst)
	p := conform.IP6(router1.ll, dst, hopByHop, conform.Cat(conform.Ext(icmpv6, 5, 2, 0, 0), m), hops(1))
	for _, f := range change {
		p = f(p)
	}
	return p
}

// listeners: Multicast Listener Discovery (RFC 3810; RFC 2710).
func listeners() (list []Case) {
	group := nodeLL.SolicitedNode()
	add := func(name, rule string, run func(b *Bench)) {
		list = append(list, Case{Name: name, Rule: rule, Run: run})
	}
	add("reports on joining", `RFC 3810, 6.1: "a node ... immediately transmits a State Change Report"; 5.2.14: to ff02::16; 5: from a link-local address or ::, hop limit 1, Router Alert`, func(b *Bench) {
		s := b.expect(2*time.Second, reports(group))
		if s.dst != addr("ff02::16") {
			b.Fatalf("%v", s)
		}
		b.expect(2*time.Second, reports(group)) // 9.1: the Robustness Variable is 2
	})
	for _, c := range []struct {
		name string
		q    wire.GroupQuery
	}{{"general query", wire.GroupQuery{Version: 2, MaxResp: 2 * time.Second, QRV: 2, QQI: 125 * time.Second}},
		{"query about the group", wire.GroupQuery{Version: 2, MaxResp: 2 * time.Second, QRV: 2, QQI: 125 * time.Second, Group: group}},
		{"query about the group and sources", wire.GroupQuery{Version: 2, MaxResp: 2 * time.Second, QRV: 2, QQI: 125 * time.Second, Group: group, Sources: []wire.Addr{far}}}} {
		add(c.name, `RFC 3810, 6.2: "When a node receives a valid MLD Query, it ... delays its response by a random amount of time, bounded by the Maximum Response Delay value"`, func(b *Bench) {
			b.ready()
			start := b.Now()
			b.in(router1, query(c.q))
			s := b.expect(2100*time.Millisecond, want{"report", func(s *seen) bool { _, ok := record(s, group); return ok }})
			b.between("the delay", s.at-start, 0, 2*time.Second)
			if s.src != nodeLL || s.dst != addr("ff02::16") {
				b.Fatalf("%v", s)
			}
		})
	}
	add("query about another group", `RFC 3810, 6.2: only of groups that are listened to`, func(b *Bench) {
		b.ready()
		b.in(router1, query(wire.GroupQuery{Version: 2, MaxResp: time.Second, Group: addr("ff02::1:ff12:3456")}))
		b.none(3*time.Second, typed("report", wire.ICMPv6MLDv2Report))
	})
	add("all nodes are not reported", `RFC 3810, 6: "The link-scope all-nodes multicast address, (FF02::1), is handled as a special case. On all nodes -- that is all hosts and routers, including multicast routers -- listening to packets destined to the all-nodes multicast address, from all sources, is permanently enabled on all interfaces on which multicast listening is supported. No MLD messages are ever sent regarding neither the link-scope all-nodes multicast address, nor any multicast address of scope 0 (reserved) or 1 (node-local)."`, func(b *Bench) {
		b.none(20*time.Second, want{"report of all nodes", func(s *seen) bool {
			m, ok := s.icmp()
			return ok && (m.Type() == wire.ICMPv6MLDv2Report || m.Type() == wire.ICMPv6MLDReport) && (containsAddr(s.body, wire.AllNodes6) || containsAddr(s.body, addr("ff01::1")))
		}})
	})
	general := wire.GroupQuery{Version: 2, MaxResp: time.Second, QRV: 2, QQI: 125 * time.Second}
	for _, s := range []spoil{
		{"hop limit 2", func(p []byte) []byte { p[7] = 2; return p }},
		{"from a global address", func(p []byte) []byte {
			router1.addr.Put16(p[8:])
			m := p[wire.IPv6Len+8:]
			m[2], m[3] = 0, 0
			wire.FinishICMPv6(m, router1.addr, wire.AllNodes6)
			return p
		}},
		{"from the unspecified address", func(p []byte) []byte {
			wire.Addr{}.Put16(p[8:])
			m := p[wire.IPv6Len+8:]
			m[2], m[3] = 0, 0
			wire.FinishICMPv6(m, wire.Addr{}, wire.AllNodes6)
			return p
		}},
		{"without Router Alert", func(p []byte) []byte {
			q := conform.Cat(p[:wire.IPv6Len], p[wire.IPv6Len+8:])
			q[5], q[6] = uint8(len(q)-wire.IPv6Len), icmpv6
			return q
		}},
		{"checksum", func(p []byte) []byte { p[wire.IPv6Len+8+2] ^= 1; return p }},
		{"of 25 octets", func(p []byte) []byte {
			p = p[:wire.IPv6Len+8+25]
			p[5] = 8 + 25
			m := p[wire.IPv6Len+8:]
			m[2], m[3] = 0, 0
			wire.FinishICMPv6(m, router1.ll, wire.AllNodes6)
			return p
		}},
	} {
		add("invalid query: "+s.name, `RFC 3810, 6.2, 5.1.14 and 8.1: "Upon reception of an MLD message that contains a Query, the node checks if the source address of the message is a valid link-local address, if the Hop Limit is set to 1, and if the Router Alert option is present in the Hop-By-Hop Options header of the IPv6 packet. If any of these checks fails, the packet is dropped."`, func(b *Bench) {
			b.ready()
			b.in(router1, query(general, s.f))
			b.none(4*time.Second, want{"report", func(s *seen) bool {
				m, ok := s.icmp()
				return ok && (m.Type() == wire.ICMPv6MLDv2Report || m.Type() == wire.ICMPv6MLDReport)
			}})
		})
	}
	add("query of version 1", `RFC 3810, 8.2.1: "In order to be compatible with MLDv1 routers, MLDv2 hosts MUST operate in version 1 compatibility mode" and answer with its reports, to the group; RFC 2710, 4`, func(b *Bench) {
		b.ready()
		b.in(router1, query(wire.GroupQuery{Version: 1, MaxResp: time.Second}))
		s := b.expect(1100*time.Millisecond, oldReport(group))
		if s.dst != group || s.src != nodeLL {
			b.Fatalf("%v", s)
		}
		b.none(3*time.Second, typed("MLDv2 report", wire.ICMPv6MLDv2Report))
	})
	add("another's report of version 1", `RFC 2710, 4: "If a node receives another node's Report from an interface for a multicast address while it has a timer running for that same address on that interface, it stops its timer and does not send a Report for that address, thus suppressing duplicate reports on the link."`, func(b *Bench) {
		b.ready()
		b.in(router1, query(wire.GroupQuery{Version: 1, MaxResp: 10 * time.Second}))
		m := make([]byte, wire.MLDLen)
		wire.PutMLDGroup(m, wire.ICMPv6MLDReport, group)
		wire.FinishICMPv6(m, host1.ll, group)
		b.in(host1, conform.IP6(host1.ll, group, hopByHop, conform.Cat(conform.Ext(icmpv6, 5, 2, 0, 0), m), hops(1)))
		b.none(12*time.Second, oldReport(group))
	})
	add("version 2 again", `RFC 3810, 9.12: "Older Version Querier Present Timeout": (Robustness Variable * Query Interval) + Query Response Interval`, func(b *Bench) {
		b.ready()
		b.in(router1, query(wire.GroupQuery{Version: 1, MaxResp: time.Second}))
		b.expect(1100*time.Millisecond, oldReport(group))
		b.pass(261 * time.Second)
		b.in(router1, query(general))
		b.expect(1100*time.Millisecond, want{"report", func(s *seen) bool { _, ok := record(s, group); return ok }})
	})
	for _, n := range []int{0, 1, 5} {
		add(fmt.Sprintf("%d addresses that end", n), `RFC 3810, 6.1: a State Change Report when a group is listened to no more; the group of an address goes with the last address that needs it`, func(b *Bench) {
			b.boot()
			for i := range n {
				b.advertise(router1, ra{lifetime: half, options: [][]byte{prefixOption(fmt.Sprintf("2001:db8:0:%x::/64", i+0x10), autonomous, 10*time.Second, 10*time.Second)}})
			}
			b.none(20*time.Second, want{"report that it ends", func(s *seen) bool {
				t, ok := record(s, group)
				return ok && t == wire.RecordType(3)
			}})
			b.assigned(nodeLL, true)
		})
	}
	return list
}
