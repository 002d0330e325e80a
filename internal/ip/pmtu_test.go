package ip

import (
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// RFC 8201, 3: "a single multicast packet may result in multiple Packet Too Big messages, each reporting a different next-hop MTU.
// The minimum PMTU value across the set of paths in use determines the size of subsequent packets sent to the multicast
// destination."
func TestPathMTUOfGroup(t *testing.T) {
	group := a6("ff0e::77")
	b := newBed(t, setup{})
	mtu := func() int {
		p, err := b.l.Route(b.sim.Now(), Query{Dst: group})
		if err != nil {
			t.Fatal(err)
		}
		return p.MTU
	}
	tooBig := func(from wire.Addr, n uint32) {
		about := ip6(us6, group, wire.ProtoUDP, udp(us6, group, string(make([]byte, 1400))))
		b.in(b.eth0, in6(ip6(from, us6, wire.ProtoICMPv6, icmp6(from, us6, wire.ICMPv6PacketTooBig, 0, n, about[:1000]))))
	}
	before := mtu()
	for _, m := range []struct {
		from  wire.Addr
		n     uint32
		after int
	}{{peer6, 1420, 1420}, {far6, 1300, 1300}, {peer6, 1400, 1300}, {far6, 1200, 1300}} {
		if tooBig(m.from, m.n); mtu() != m.after {
			t.Errorf("%d after %d from %v, want %d", mtu(), m.n, m.from, m.after)
		}
	}
	if before != 1500 {
		t.Errorf("%d before", before)
	}
}

// RFC 4861, 6.3.4: "If the MTU option is present, hosts SHOULD copy the option's value into LinkMTU". A smaller one makes the paths
// known to be wider narrower; a larger one does not widen what a Packet Too Big message narrowed.
func TestPathMTUFollowsLink(t *testing.T) {
	b := newBed(t, setup{})
	m := advert()
	m.MTU = 1500
	b.advertise(m)
	dst := a6("2001:db8:ffff::1")
	mtu := func() int {
		p, err := b.l.Route(b.sim.Now(), Query{Dst: dst})
		if err != nil {
			t.Fatal(err)
		}
		return p.MTU
	}
	src, err := b.l.Route(b.sim.Now(), Query{Dst: dst})
	if err != nil {
		t.Fatal(err)
	}
	about := ip6(src.Src, dst, wire.ProtoUDP, udp(src.Src, dst, string(make([]byte, 1400))))
	b.in(b.eth0, in6(ip6(peer6, src.Src, wire.ProtoICMPv6, icmp6(peer6, src.Src, wire.ICMPv6PacketTooBig, 0, 1400, about[:1000]))))
	for _, c := range []struct{ advertised, want int }{{1500, 1400}, {1300, 1300}, {1450, 1400}, {1280, 1280}, {1500, 1400}} {
		m.MTU = uint32(c.advertised)
		if b.advertise(m); mtu() != c.want {
			t.Errorf("%d with a link of %d, want %d", mtu(), c.advertised, c.want)
		}
	}
}
