package ip

import (
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

var (
	group4, group6 = a4("239.1.2.3"), a6("ff0e::1:2:3")
	querier6       = a6("fe80::99")
)

// report is a report as it was on the wire.
type report struct {
	src, dst wire.Addr
	typ      uint8
	group    wire.Addr // of the older versions
	records  []wire.GroupRecord
}

func (r *report) has(g wire.Addr, typ wire.RecordType) bool {
	return slices.ContainsFunc(r.records, func(rec wire.GroupRecord) bool { return rec.Group == g && rec.Type == typ })
}

// reports reads the IGMP and MLD messages among the frames, checking what all of them have, and returns them and their places.
func reports(t *testing.T, frames [][]byte) (all []report, at []int) {
	t.Helper()
	for i, f := range frames {
		if !isReport(f) {
			continue
		}
		var r report
		var payload []byte
		b := f[wire.EthernetLen:]
		if h, err := wire.CheckIPv4(b); err == nil {
			// RFC 3376, 4: "is sent with an IP Time-to-Live of 1, IP Precedence of Internetwork Control … and carries an IP Router
			// Alert option".
			if h.TTL() != 1 || h.TrafficClass() != 0xc0 || !h.ChecksumOK() || h.Payload()[0] != wire.IGMPv1Report && !routerAlert4(b) {
				t.Errorf("% x", b)
			}
			r.src, r.dst, payload = h.Src(), h.Dst(), h.Payload()
			if !wire.IGMPChecksumOK(payload) {
				t.Errorf("checksum: % x", payload)
			}
			if v3, err := wire.ParseIGMPReport(payload); err == nil {
				r.records = v3.Records
			} else if _, r.group, err = wire.ParseIGMPGroup(payload); err != nil {
				t.Errorf("%v: % x", err, payload)
			}
		} else {
			h, _ := wire.CheckIPv6(b)
			r.src, r.dst, payload = h.Src(), h.Dst(), h.Payload()[8:]
			// RFC 3810, 5: "MUST be sent with a link-local IPv6 Source Address, an IPv6 Hop Limit of 1".
			if h.HopLimit() != 1 || !r.src.IsLinkLocal() && !r.src.IsUnspecified() || !wire.ICMPv6ChecksumOK(payload, r.src, r.dst) {
				t.Errorf("% x", b)
			}
			if v2, err := wire.ParseMLDReport(payload); err == nil {
				r.records = v2.Records
			} else if _, r.group, err = wire.ParseMLDGroup(payload); err != nil {
				t.Errorf("%v: % x", err, payload)
			}
		}
		if e := wire.Ethernet(f); e.Dst() != r.dst.MulticastMAC() {
			t.Errorf("to %v for %v", e.Dst(), r.dst)
		}
		r.typ = payload[0]
		all, at = append(all, r), append(at, i)
	}
	return all, at
}

// igmpQuery and mldQuery return a frame with a query.
func igmpQuery(q wire.GroupQuery, src, dst wire.Addr, options []byte) []byte {
	b := make([]byte, q.IGMPQueryLen())
	q.PutIGMPQuery(b)
	wire.FinishIGMP(b)
	h := wire.IPv4Header{TTL: 1, Protocol: wire.ProtoIGMP, Src: src, Dst: dst, Options: options}
	h.TotalLen = h.Len() + len(b)
	p := make([]byte, h.Len())
	h.Put(p)
	return eth(dst.MulticastMAC(), peerMAC, wire.EtherTypeIPv4, append(p, b...))
}

func mldQuery(q wire.GroupQuery, src, dst wire.Addr, hop uint8, hopByHop []byte) []byte {
	b := make([]byte, q.MLDQueryLen())
	q.PutMLDQuery(b)
	wire.FinishICMPv6(b, src, dst)
	next := uint8(wire.ProtoICMPv6)
	if hopByHop != nil {
		next = wire.ProtoHopByHop
	}
	h := wire.IPv6Header{PayloadLen: len(hopByHop) + len(b), NextHeader: next, HopLimit: hop, Src: src, Dst: dst}
	p := make([]byte, wire.IPv6Len)
	h.Put(p)
	return eth(dst.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, slices.Concat(p, hopByHop, b))
}

// withMAC returns the frame sent to another station.
func withMAC(f []byte, dst wire.MAC) []byte {
	copy(f, dst[:])
	return f
}

// listener returns a bed that has joined a group of each family, and has told so.
func listener(t *testing.T) *bed {
	b := newBed(t, setup{})
	b.eth0.all = true
	for _, g := range []wire.Addr{group4, group6} {
		if _, err := b.l.Join(2, g, mcast.All); err != nil {
			t.Fatal(err)
		}
	}
	b.pass(time.Minute)
	b.eth0.take()
	return b
}

func TestJoinIsReported(t *testing.T) {
	b := newBed(t, setup{})
	b.pass(time.Minute)
	b.eth0.all = true
	b.eth0.take()
	for _, c := range []struct{ group, src, dst wire.Addr }{{group4, us4, wire.IGMPRouters}, {group6, usLL, wire.MLDRouters}} {
		m, err := b.l.Join(2, c.group, mcast.All)
		if err != nil {
			t.Fatal(err)
		}
		b.pass(time.Minute)
		rs, _ := reports(t, b.eth0.take())
		if len(rs) != 2 || rs[0].src != c.src || rs[0].dst != c.dst || !rs[0].has(c.group, wire.ChangeToExclude) || !rs[1].has(c.group, wire.ChangeToExclude) {
			t.Errorf("join: %+v", rs)
		}
		second, _ := b.l.Join(2, c.group, mcast.NewFilter(mcast.Include, c.src))
		m.Leave()
		b.pass(time.Minute)
		if rs, _ = reports(t, b.eth0.take()); len(rs) != 2 || !rs[0].has(c.group, wire.ChangeToInclude) || len(rs[0].records[0].Sources) != 1 {
			t.Errorf("one of two leaves: %+v", rs)
		}
		second.Leave()
		b.pass(time.Minute)
		if rs, _ = reports(t, b.eth0.take()); len(rs) != 2 || !rs[0].has(c.group, wire.BlockOldSources) {
			t.Errorf("the other leaves: %+v", rs)
		}
		if b.l.Snapshot().Interface(2).Member(c.group) {
			t.Error("still a member")
		}
	}
	for _, c := range []struct {
		index int32
		group wire.Addr
	}{{9, group4}, {2, us4}, {2, us6}} {
		if _, err := b.l.Join(c.index, c.group, mcast.All); err == nil {
			t.Errorf("joined %v on %d", c.group, c.index)
		}
	}
}

// RFC 4862, 5.4.2: the solicited-node group is joined before the solicitation is sent; RFC 3590, 4: with :: as source, and once more
// from the link-local address when it is usable.
func TestDADReportsFirst(t *testing.T) {
	b := newBed(t, setup{dad: true})
	b.eth0.all = true
	b.pass(5 * time.Second)
	frames := b.eth0.take()
	rs, at := reports(t, frames)
	firstNS := slices.IndexFunc(frames, func(f []byte) bool {
		h, err := wire.CheckIPv6(f[wire.EthernetLen:])
		return err == nil && h.NextHeader() == wire.ProtoICMPv6 && h.Payload()[0] == wire.ICMPv6NeighborSolicitation && h.Dst() == usLL.SolicitedNode()
	})
	first := slices.IndexFunc(rs, func(r report) bool { return r.has(usLL.SolicitedNode(), wire.ChangeToExclude) })
	if first < 0 {
		t.Fatalf("no report: %+v", rs)
	}
	if rs[first].src != (wire.Addr{}) || at[first] > firstNS {
		t.Errorf("report from %v is frame %d, the solicitation %d", rs[first].src, at[first], firstNS)
	}
	if !slices.ContainsFunc(rs, func(r report) bool {
		return r.src == usLL && r.has(usLL.SolicitedNode(), wire.ChangeToExclude) && r.has(us6.SolicitedNode(), wire.ChangeToExclude)
	}) {
		t.Errorf("not reported from the link-local address: %+v", rs)
	}
}

func TestQueriesAreAnswered(t *testing.T) {
	b := listener(t)
	alert := wire.IPv4RouterAlertOption[:]
	hbh := wire.MLDHopByHop[:]
	all := wire.GroupQuery{Version: 3, MaxResp: time.Second}
	about4 := wire.GroupQuery{Version: 3, MaxResp: time.Second, Group: group4}
	about6 := wire.GroupQuery{Version: 2, MaxResp: time.Second, Group: group6}
	all6 := wire.GroupQuery{Version: 2, MaxResp: time.Second}
	none := wire.GroupQuery{Version: 3, MaxResp: time.Second, Group: a4("239.9.9.9")}
	for _, c := range []struct {
		name  string
		frame []byte
		want  wire.Addr // zero: no answer
	}{
		{"general", igmpQuery(all, peer4, wire.AllHosts4, alert), group4},
		{"general, of a switch without an address", igmpQuery(all, wire.Unspecified4, wire.AllHosts4, alert), group4},
		{"about the group", igmpQuery(about4, peer4, group4, alert), group4},
		{"about the group, of a switch without an address", igmpQuery(about4, wire.Unspecified4, group4, alert), group4},
		{"RFC 3376, 4.1.12: MUST accept and process any Query whose IP Destination Address field contains any of the addresses",
			withMAC(igmpQuery(about4, peer4, us4, alert), usMAC), group4},
		{"about another group", igmpQuery(none, peer4, wire.AllHosts4, alert), wire.Addr{}},
		{"without the Router-Alert option", igmpQuery(all, peer4, wire.AllHosts4, nil), wire.Addr{}},
		{"general, to another group", igmpQuery(all, peer4, group4, alert), wire.Addr{}},
		{"MLD, general", mldQuery(all6, querier6, wire.AllNodes6, 1, hbh), group6},
		{"MLD, about the group", mldQuery(about6, querier6, group6, 1, hbh), group6},
		{"MLD, to us alone", withMAC(mldQuery(about6, querier6, us6, 1, hbh), usMAC), group6},
		{"the source address of the message is a valid link-local address", mldQuery(all6, peer6, wire.AllNodes6, 1, hbh), wire.Addr{}},
		{"nor the unspecified address", mldQuery(all6, wire.Addr{}, wire.AllNodes6, 1, hbh), wire.Addr{}},
		{"the Hop Limit is set to 1", mldQuery(all6, querier6, wire.AllNodes6, 2, hbh), wire.Addr{}},
		{"the Router Alert option is present", mldQuery(all6, querier6, wire.AllNodes6, 1, nil), wire.Addr{}},
		{"the Router Alert option is present", mldQuery(all6, querier6, wire.AllNodes6, 1, []byte{58, 0, 1, 4, 0, 0, 0, 0}), wire.Addr{}},
	} {
		b.in(b.eth0, c.frame)
		if n, _ := reports(t, b.eth0.take()); len(n) != 0 {
			t.Errorf("%s: answered at once", c.name)
		}
		b.pass(2 * time.Second)
		rs, _ := reports(t, b.eth0.take())
		if c.want == (wire.Addr{}) {
			if len(rs) != 0 {
				t.Errorf("%s: %+v", c.name, rs)
			}
		} else if len(rs) != 1 || !rs[0].has(c.want, wire.ModeIsExclude) {
			t.Errorf("%s: %+v", c.name, rs)
		}
		b.pass(time.Minute)
	}
	if v := b.values(); v.Dropped(mib.MldInvalid) != 5 || v.Dropped(mib.IgmpInvalid) != 2 {
		t.Errorf("%d, %d invalid", v.Dropped(mib.MldInvalid), v.Dropped(mib.IgmpInvalid))
	}
}

// An older querier is answered in its version, and another host's report suppresses ours.
func TestOlderQueriers(t *testing.T) {
	b := listener(t)
	b.in(b.eth0, igmpQuery(wire.GroupQuery{Version: 2, MaxResp: time.Second}, peer4, wire.AllHosts4, wire.IPv4RouterAlertOption[:]),
		mldQuery(wire.GroupQuery{Version: 1, MaxResp: time.Second}, querier6, wire.AllNodes6, 1, wire.MLDHopByHop[:]))
	b.pass(2 * time.Second)
	rs, _ := reports(t, b.eth0.take())
	for _, want := range []report{{us4, group4, wire.IGMPv2Report, group4, nil}, {usLL, group6, wire.ICMPv6MLDReport, group6, nil}} {
		if !slices.ContainsFunc(rs, func(r report) bool {
			return r.src == want.src && r.dst == want.dst && r.typ == want.typ && r.group == want.group
		}) {
			t.Errorf("%+v", rs)
		}
	}
}

// RFC 3376, 3: what the filter does not let through is not delivered.
func TestSourceFilter(t *testing.T) {
	b := newBed(t, setup{})
	for _, c := range []struct{ group, peer wire.Addr }{{group4, peer4}, {group6, peer6}} {
		for _, f := range []struct {
			filter mcast.Filter
			heard  bool
		}{{mcast.All, true}, {mcast.NewFilter(mcast.Exclude, c.peer), false}, {mcast.NewFilter(mcast.Include, c.peer), true}, {mcast.NewFilter(mcast.Include, us4), false}} {
			m, err := b.l.Join(2, c.group, f.filter)
			if err != nil {
				t.Fatal(err)
			}
			before := b.udp.n
			if c.group.Is4() {
				b.in(b.eth0, eth(c.group.MulticastMAC(), peerMAC, wire.EtherTypeIPv4, ip4(c.peer, c.group, 17, udp(c.peer, c.group, "x"))))
			} else {
				b.in(b.eth0, eth(c.group.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(c.peer, c.group, 17, udp(c.peer, c.group, "x"))))
			}
			if (b.udp.n > before) != f.heard {
				t.Errorf("%v from %v: %v", f.filter, c.peer, b.udp.n > before)
			}
			m.Leave()
		}
	}
	if v := b.values(); v.Dropped(mib.Ip4SourceFiltered) != 2 || v.Dropped(mib.Ip6SourceFiltered) != 2 {
		t.Error("drops not counted")
	}
}

// What comes after the link was away is all told again; a link without neighbors is told too, of what was joined only.
func TestGroupsOnLinks(t *testing.T) {
	b := listener(t)
	b.eth0.info.Up = false
	b.eth0.r.Changed(b.eth0.info)
	b.pass(time.Minute)
	b.eth0.take()
	b.eth0.info.Up = true
	b.eth0.r.Changed(b.eth0.info)
	b.pass(time.Minute)
	rs, _ := reports(t, b.eth0.take())
	for _, g := range []wire.Addr{group4, group6, us6.SolicitedNode()} {
		if !slices.ContainsFunc(rs, func(r report) bool { return r.has(g, wire.ChangeToExclude) }) {
			t.Errorf("%v is not reported: %+v", g, rs)
		}
	}

	tun := newCable(wire.MAC{})
	tun.info.Medium, tun.all = link.IP, true
	i, err := b.l.AddInterface("tun0", tun, netif.Config{})
	if err != nil {
		t.Fatal(err)
	}
	b.pass(time.Minute)
	if f := tun.take(); len(f) != 0 {
		t.Errorf("%d packets by itself", len(f))
	}
	b.l.Join(i.Index, group4, mcast.All)
	b.l.Join(i.Index, group6, mcast.All)
	b.l.Join(netif.LoopbackIndex, group4, mcast.All)
	b.pass(time.Minute)
	if f := tun.take(); len(f) != 4 {
		t.Errorf("%d packets for two groups", len(f))
	}
}
