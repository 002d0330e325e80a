package ip

import (
	"bytes"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

func TestRoute(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	b.route("203.0.113.0/24", "198.51.100.1")
	group4, group6 := a4("224.0.0.251"), a6("ff02::fb")
	rows := []struct {
		name string
		q    Query
		want Path
		err  error
	}{
		{"on-link 4", Query{Dst: peer4}, Path{Src: us4, NextHop: peer4, MTU: 1500}, nil},
		{"on-link 6", Query{Dst: peer6}, Path{Src: us6, NextHop: peer6, MTU: 1500}, nil},
		{"by default 4", Query{Dst: a4("8.8.8.8")}, Path{Src: us4, NextHop: peer4, MTU: 1500}, nil},
		{"by default 6", Query{Dst: far6}, Path{Src: us6, NextHop: peer6, MTU: 1500}, nil},
		{"by a longer prefix", Query{Dst: far4}, Path{Src: us14, NextHop: other4, MTU: 1500}, nil},
		{"link-local", Query{Dst: peerLL, Scope: 2}, Path{Src: usLL, NextHop: peerLL, MTU: 1500}, nil},
		{"link-local without link", Query{Dst: peerLL}, Path{}, syscall.EINVAL},
		{"link-local, pinned elsewhere", Query{Dst: peerLL, Scope: 2, Out: 3}, Path{}, syscall.EINVAL},
		{"link-local, no such link", Query{Dst: peerLL, Scope: 9}, Path{}, syscall.ENODEV},
		{"source given", Query{Dst: a4("8.8.8.8"), Src: us4}, Path{Src: us4, NextHop: peer4, MTU: 1500}, nil},
		{"source of the other side", Query{Dst: peer4, Src: us14}, Path{Src: us14, NextHop: peer4, MTU: 1500}, nil},
		{"source not ours", Query{Dst: peer4, Src: far4}, Path{}, syscall.EADDRNOTAVAIL},
		{"source of the other family", Query{Dst: peer4, Src: us6}, Path{}, syscall.EAFNOSUPPORT},
		{"link-local source", Query{Dst: wire.AllNodes6, Scope: 2, Src: usLL}, Path{Src: usLL, NextHop: wire.AllNodes6, MTU: 1500, Multicast: true}, nil},
		{"unspecified 4", Query{Dst: wire.Unspecified4}, Path{}, syscall.EINVAL},
		{"unspecified 6", Query{Dst: wire.Addr{}}, Path{}, syscall.EINVAL},
		{"class E", Query{Dst: a4("240.0.0.1")}, Path{}, syscall.EINVAL},
		{"scope 0", Query{Dst: a6("ff00::1"), Scope: 2}, Path{}, syscall.EINVAL},
		{"ourselves", Query{Dst: us4}, Path{Src: us4, NextHop: us4, MTU: netif.LoopbackMTU, Local: true}, nil},
		{"ourselves 6", Query{Dst: us16}, Path{Src: us16, NextHop: us16, MTU: netif.LoopbackMTU, Local: true}, nil},
		{"our link-local", Query{Dst: usLL, Scope: 2}, Path{Src: usLL, NextHop: usLL, MTU: netif.LoopbackMTU, Local: true}, nil},
		{"loopback", Query{Dst: wire.Loopback6}, Path{Src: wire.Loopback6, NextHop: wire.Loopback6, MTU: netif.LoopbackMTU, Local: true}, nil},
		{"127.1.2.3", Query{Dst: a4("127.1.2.3")}, Path{Src: wire.Loopback4, NextHop: a4("127.1.2.3"), MTU: netif.LoopbackMTU, Local: true}, nil},
		{"group 4", Query{Dst: group4}, Path{Src: us4, NextHop: group4, MTU: 1500, Multicast: true}, nil},
		{"group 6", Query{Dst: group6, Scope: 3}, Path{Src: wire.Addr{Hi: 0xfe80 << 48, Lo: us1MAC.InterfaceID()}, NextHop: group6, MTU: 1500, Multicast: true}, nil},
		{"group by source", Query{Dst: group4, Src: us14}, Path{Src: us14, NextHop: group4, MTU: 1500, Multicast: true}, nil},
		{"broadcast", Query{Dst: wire.Broadcast4, Scope: 3}, Path{Src: us14, NextHop: wire.Broadcast4, MTU: 1500, Broadcast: true}, nil},
		{"subnet broadcast", Query{Dst: a4("192.0.2.255")}, Path{Src: us4, NextHop: a4("192.0.2.255"), MTU: 1500, Broadcast: true}, nil},
		{"pinned", Query{Dst: a4("8.8.8.8"), Out: 2}, Path{Src: us4, NextHop: peer4, MTU: 1500}, nil},
		{"pinned, no way", Query{Dst: a4("8.8.8.8"), Out: 3}, Path{}, syscall.ENETUNREACH},
	}
	for i := range rows {
		c := &rows[i]
		p, err := b.l.Route(b.sim.Now(), c.q)
		if err != nil || c.err != nil {
			if !errors.Is(err, c.err) {
				t.Errorf("%s: error %v, want %v", c.name, err, c.err)
			}
			continue
		}
		if p.Src != c.want.Src || p.NextHop != c.want.NextHop || p.MTU != c.want.MTU || p.Local != c.want.Local ||
			p.Multicast != c.want.Multicast || p.Broadcast != c.want.Broadcast || p.Dst != c.q.Dst || p.Scope != c.q.Scope || !b.l.Valid(p) {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

// RFC 1122, 3.3.4.3: of gateways that lead equally far, the source's interface chooses.
func TestRouteBySource(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	if err := b.l.AddRoute(route.Route{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("198.51.100.1"), Metric: 5}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ src, hop wire.Addr }{{wire.Addr{}, peer4}, {us4, peer4}, {us14, other4}} {
		if p, err := b.l.Route(0, Query{Src: c.src, Dst: far4}); err != nil || p.NextHop != c.hop {
			t.Errorf("from %v: %+v %v", c.src, p, err)
		}
	}
}

func TestRouteDown(t *testing.T) {
	b := newBed(t, setup{})
	p, _ := b.l.Route(0, Query{Dst: peer4})
	info := b.eth0.info
	info.Up = false
	b.eth0.r.Changed(info)
	if b.l.Valid(p) {
		t.Error("path still valid")
	}
	if _, err := b.l.Route(0, Query{Dst: peer4}); err != syscall.ENETUNREACH {
		t.Error(err)
	}
	if _, err := b.l.Route(0, Query{Dst: peerLL, Scope: 2}); err != syscall.ENETDOWN {
		t.Error(err)
	}
	b.send(p, Params{Proto: 17}, make([]byte, 8))
	if b.values().Dropped(mib.LinkDown) != 1 {
		t.Error("not dropped")
	}
	info.Up, info.MTU = true, 1400
	b.eth0.r.Changed(info)
	if p, err := b.l.Route(0, Query{Dst: peer4}); err != nil || p.MTU != 1400 {
		t.Error(p, err)
	}
}

func TestOutputHeaders(t *testing.T) {
	b := newBed(t, setup{})
	data := []byte("payload")
	pr := Params{Proto: 99, HopLimit: 5, TrafficClass: 0xb9, FlowLabel: 0x12345, DontFragment: true}
	for _, c := range []struct {
		dst wire.Addr
		mac wire.MAC
	}{{peer4, peerMAC}, {far4, peerMAC}, {peer6, peerMAC}, {a4("224.0.0.251"), a4("224.0.0.251").MulticastMAC()},
		{a6("ff0e::5"), a6("ff0e::5").MulticastMAC()}, {wire.Broadcast4, wire.BroadcastMAC}} {
		if err := b.out(Query{Dst: c.dst}, pr, data); err != nil {
			t.Fatal(err)
		}
		sent := b.eth0.take()
		if len(sent) != 1 {
			t.Fatalf("%v: %d sent", c.dst, len(sent))
		}
		f := wire.Ethernet(sent[0])
		if f.Dst() != c.mac || f.Src() != usMAC {
			t.Errorf("%v: frame from %v to %v", c.dst, f.Src(), f.Dst())
		}
		if c.dst.Is4() {
			h, err := wire.CheckIPv4(f.Payload())
			if err != nil || !h.ChecksumOK() || f.EtherType() != wire.EtherTypeIPv4 || h.Dst() != c.dst || h.Src() != us4 || h.TTL() != 5 ||
				h.Protocol() != 99 || h.TrafficClass() != 0xb9 || !h.DontFragment() || h.ID() != 0 || !bytes.Equal(h.Payload(), data) {
				t.Errorf("%v %x", err, h)
			}
		} else {
			h, err := wire.CheckIPv6(f.Payload())
			if err != nil || f.EtherType() != wire.EtherTypeIPv6 || h.Dst() != c.dst || h.Src() != us6 || h.HopLimit() != 5 ||
				h.NextHeader() != 99 || h.TrafficClass() != 0xb9 || h.FlowLabel() != 0x12345 || !bytes.Equal(h.Payload(), data) {
				t.Errorf("%v %x", err, h)
			}
		}
	}
	if v := b.values(); v.Get(mib.IpOutRequests) != 4 || v.Get(mib.Ip6OutRequests) < 2 {
		t.Error("counters wrong")
	}
	// RFC 6864, 4: identifications of datagrams that may be fragmented differ.
	seen := map[uint16]bool{}
	for range 100 {
		b.out(Query{Dst: peer4}, Params{Proto: 99}, data)
	}
	for _, f := range b.eth0.take() {
		seen[wire.IPv4(f[14:]).ID()] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d identifications for 100 datagrams", len(seen))
	}
}

// RFC 1112, 6.1; RFC 3493, 5.2: multicast goes one hop unless more is asked for.
func TestDefaultHopLimit(t *testing.T) {
	b := newBed(t, setup{})
	for _, c := range []struct {
		dst wire.Addr
		hop uint8
	}{{far4, 64}, {far6, 64}, {a4("239.1.1.1"), 1}, {a6("ff0e::5"), 1}, {wire.Broadcast4, 64}} {
		b.out(Query{Dst: c.dst}, Params{Proto: 17}, make([]byte, 8))
		f := b.eth0.take()[0][14:]
		hop := f[7]
		if c.dst.Is4() {
			hop = f[8]
		}
		if hop != c.hop {
			t.Errorf("%v: %d", c.dst, hop)
		}
	}
}

func TestToSelf(t *testing.T) {
	b := newBed(t, setup{})
	for _, c := range []struct {
		q  Query
		in int32
	}{{Query{Dst: us4}, 2}, {Query{Dst: us6}, 2}, {Query{Dst: wire.Loopback4}, 1}, {Query{Dst: wire.Loopback6}, 1}, {Query{Dst: usLL, Scope: 2}, 2}} {
		b.udp.got = nil
		// No checksum: what does not leave the host needs none.
		if err := b.out(c.q, Params{Proto: 17}, make([]byte, 60000)); err != nil {
			t.Fatal(err)
		}
		if len(b.udp.got) != 1 || len(b.eth0.take()) != 0 {
			t.Fatalf("%v: %d delivered", c.q.Dst, len(b.udp.got))
		}
		g := b.udp.got[0]
		if g.in != c.in || g.dst != c.q.Dst || len(g.data) != 60000 || g.flags&packet.Loopback == 0 || g.flags&packet.ChecksumGood == 0 {
			t.Errorf("%v: in %d, %d octets, flags %b", g.dst, g.in, len(g.data), g.flags)
		}
	}
	// A refused port is answered to ourselves too.
	b.udp.answer = NoPort
	b.out(Query{Dst: wire.Loopback4}, Params{Proto: 17}, udp(wire.Loopback4, wire.Loopback4, "x"))
	if len(b.udp.errors) != 1 || b.udp.errors[0].Errno != syscall.ECONNREFUSED {
		t.Errorf("%+v", b.udp.errors)
	}
}

// Echo to ourselves: request and reply both go through our own queue, without nesting.
func TestPingSelf(t *testing.T) {
	b := newBed(t, setup{})
	for _, dst := range []wire.Addr{us6, wire.Loopback6} {
		b.ping6.got = nil
		b.out(Query{Dst: dst}, Params{Proto: wire.ProtoICMPv6}, icmp6(dst, dst, 128, 0, 5, []byte("x")))
		if len(b.ping6.got) != 1 || b.ping6.got[0].data[0] != 129 || !wire.ICMPv6ChecksumOK(b.ping6.got[0].data, dst, dst) {
			t.Errorf("%v: %+v", dst, b.ping6.got)
		}
	}
}

// What is sent to a group or broadcast address that is ours too comes to us as well (RFC 1112, 6.1).
func TestCopyToSelf(t *testing.T) {
	b := newBed(t, setup{})
	for _, c := range []struct {
		dst    wire.Addr
		copies int
	}{{wire.AllNodes6, 1}, {a6("ff02::fb"), 0}, {a4("224.0.0.1"), 1}, {wire.Broadcast4, 1}, {a4("192.0.2.255"), 1}} {
		b.udp.got = nil
		if err := b.out(Query{Dst: c.dst, Scope: 2}, Params{Proto: 17}, make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		if len(b.udp.got) != c.copies || len(b.eth0.take()) != 1 {
			t.Errorf("%v: %d copies", c.dst, len(b.udp.got))
		}
	}
}

// RFC 8200, 4.5; RFC 791, 2.3: our own fragments, taken apart and put together by another layer.
func TestFragmentRoundTrip(t *testing.T) {
	a, c := newBed(t, setup{}), newBed(t, setup{})
	for _, dst := range []wire.Addr{peer4, peer6} {
		for _, n := range []int{8, 1471, 1472, 1473, 1474, 1480, 1481, 2953, 9999, 65507 - 8, 65507, 65515, 65535} {
			if dst.Is4() && n > 65515 {
				continue
			}
			data := make([]byte, n)
			for i := range data {
				data[i] = byte(i*31 + n)
			}
			for _, reverse := range []bool{false, true} {
				if err := a.out(Query{Dst: dst}, Params{Proto: 17}, data); err != nil {
					t.Fatal(err)
				}
				frames := a.eth0.take()
				for i, f := range frames {
					if len(f) > 1514 {
						t.Fatalf("frame of %d octets", len(f))
					}
					frames[i] = readdress(f)
				}
				if reverse {
					for i, j := 0, len(frames)-1; i < j; i, j = i+1, j-1 {
						frames[i], frames[j] = frames[j], frames[i]
					}
				}
				c.udp.got = nil
				c.in(c.eth0, frames...)
				if len(c.udp.got) != 1 || !bytes.Equal(c.udp.got[0].data, data) {
					t.Fatalf("%v, %d octets in %d fragments: %d delivered", dst, n, len(frames), len(c.udp.got))
				}
			}
		}
	}
	if v := c.values(); v.Get(mib.IpReasmFails)+v.Get(mib.Ip6ReasmFails) != 0 || c.l.fragments.memory.used != 0 {
		t.Errorf("%d octets still used", c.l.fragments.memory.used)
	}
}

// readdress turns a frame from us to peer into one from peer to us.
func readdress(f []byte) []byte {
	f = bytes.Clone(f)
	wire.PutEthernet(f, usMAC, peerMAC, wire.Ethernet(f).EtherType())
	b := f[14:]
	if b[0]>>4 == 4 {
		peer4.Put4(b[12:])
		us4.Put4(b[16:])
		b[10], b[11] = 0, 0
		sum := ^wire.Checksum(b[:20], 0)
		b[10], b[11] = byte(sum>>8), byte(sum)
	} else {
		peer6.Put16(b[8:])
		us6.Put16(b[24:])
	}
	return f
}

// A packet that must not be fragmented and is too big for its path is told to its sender.
func TestTooBigToSend(t *testing.T) {
	b := newBed(t, setup{})
	for _, dst := range []wire.Addr{peer4, peer6} {
		b.udp.errors = nil
		b.out(Query{Dst: dst}, Params{Proto: 17, DontFragment: true}, cat(udp(us4, dst, ""), make([]byte, 1500)))
		if len(b.udp.errors) != 1 || len(b.eth0.take()) != 0 {
			t.Fatalf("%d errors", len(b.udp.errors))
		}
		if e := b.udp.errors[0]; e.Errno != syscall.EMSGSIZE || !e.Local || e.MTU != 1500 || e.Dst != dst || e.Quote[1] != 1000&0xff {
			t.Errorf("%+v", e)
		}
	}
}

// RFC 8201; RFC 1191.
func TestPathMTU(t *testing.T) {
	b := newBed(t, setup{})
	mtu := func(dst wire.Addr) int {
		p, err := b.l.Route(b.sim.Now(), Query{Dst: dst})
		if err != nil {
			t.Fatal(err)
		}
		return p.MTU
	}
	tooBig6 := func(n uint32, size int) {
		q := ip6(us6, far6, 17, make([]byte, size-40))
		b.in(b.eth0, in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, 2, 0, n, q[:48]))))
	}
	tooBig4 := func(n uint32, size int) {
		q := ip4(us4, far4, 17, make([]byte, size-20))
		b.in(b.eth0, in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(3, 4, n, q[:28]))))
	}
	kept, _ := b.l.Route(0, Query{Dst: far6})
	tooBig6(1400, 1500)
	if mtu(far6) != 1400 || mtu(peer6) != 1500 || b.l.Valid(kept) {
		t.Error("not lowered")
	}
	// RFC 8201, 4: "must discard it" below 1280; "A node must not increase its estimate".
	for _, n := range []uint32{1279, 0, 68, 1450, 70000} {
		tooBig6(n, 1500)
		if mtu(far6) != 1400 {
			t.Errorf("%d after a message of %d", mtu(far6), n)
		}
	}
	tooBig6(1280, 1280) // it fitted
	if mtu(far6) != 1400 {
		t.Error("believed nonsense")
	}
	tooBig4(1300, 1500)
	if mtu(far4) != 1300 {
		t.Error("IPv4 not lowered")
	}
	// RFC 1191, 5: a router that tells no MTU; the next plateau below the datagram's length.
	tooBig4(0, 1300)
	if mtu(far4) != 1006 {
		t.Errorf("plateau %d", mtu(far4))
	}
	// Below 552 DF is given up instead.
	tooBig4(296, 1006)
	p, _ := b.l.Route(b.sim.Now(), Query{Dst: far4})
	b.eth0.take()
	b.send(p, Params{Proto: 17, DontFragment: true}, make([]byte, 1000))
	sent := b.eth0.take()
	if len(sent) != 2 || p.MTU != 552 || wire.IPv4(sent[0][14:]).DontFragment() {
		t.Errorf("%d sent at %d", len(sent), p.MTU)
	}
	// RFC 8201, 4: estimates age.
	kept, _ = b.l.Route(b.sim.Now(), Query{Dst: far6})
	b.pass(pathMTULifetime + time.Second)
	if mtu(far6) != 1500 || mtu(far4) != 1500 || b.l.Valid(kept) || b.l.pmtu.n.Load() != 0 {
		t.Error("did not age")
	}
}

func TestPathMTUBounded(t *testing.T) {
	var c pathMTUs
	for i := range 3 * maxPaths {
		c.lower(0, (&Config{}).settings(), pathKey{dst: wire.Addr{Hi: 1, Lo: uint64(i)}}, 1400, false)
	}
	if len(c.m) != maxPaths || len(c.order) != maxPaths || c.n.Load() != maxPaths {
		t.Errorf("%d entries, %d in order", len(c.m), len(c.order))
	}
	if mtu, _ := c.lookup(0, pathKey{dst: wire.Addr{Hi: 1, Lo: 3*maxPaths - 1}}); mtu != 1400 {
		t.Error("the last is not there")
	}
}

func TestOutputTUN(t *testing.T) {
	b := newBed(t, setup{medium: link.IP})
	if err := b.out(Query{Dst: far4}, Params{Proto: 17}, make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	if sent := b.eth0.take(); len(sent) != 1 || sent[0][0] != 0x45 {
		t.Errorf("%x", sent)
	}
}
