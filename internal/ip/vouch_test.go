package ip

import (
	"testing"

	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// RFC 8201, 6; RFC 5927, 7: a message about the path MTU counts if it quotes what we sent.
func TestPathMTUVouched(t *testing.T) {
	const big = 1440
	echo6 := in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, wire.ICMPv6EchoRequest, 0, 7<<16|1, make([]byte, big))))
	echo4 := in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(wire.ICMPv4EchoRequest, 0, 7<<16|1, make([]byte, big))))
	reply6 := func(id uint32) []byte {
		return ip6(us6, peer6, wire.ProtoICMPv6, icmp6(us6, peer6, wire.ICMPv6EchoReply, 0, id<<16|1, make([]byte, big)))
	}
	reply4 := func(id uint32) []byte {
		return ip4(us4, peer4, wire.ProtoICMP, icmp4(wire.ICMPv4EchoReply, 0, id<<16|1, make([]byte, big)))
	}
	tooBig6 := func(mtu uint32, about []byte) []byte {
		return in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, wire.ICMPv6PacketTooBig, 0, mtu, about[:min(len(about), 1200)])))
	}
	tooBig4 := func(mtu uint32, about []byte) []byte {
		return in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(wire.ICMPv4DestUnreachable, wire.ICMPv4FragmentationNeeded, mtu, about[:min(len(about), 500)])))
	}
	later6 := func(id uint32) []byte {
		f := wire.Fragment{Next: 17, Offset: 1448, ID: id}
		b := make([]byte, 1400)
		f.Put(b)
		return ip6(us6, peer6, wire.ProtoFragment, b)
	}
	udpTo := func(port byte) []byte {
		d := udp(us6, peer6, string(make([]byte, 1400)))
		d[2], d[3] = 0, port
		return ip6(us6, peer6, wire.ProtoUDP, d)
	}
	for _, c := range []struct {
		name   string
		frames [][]byte
		dst    wire.Addr
		mtu    int
	}{
		{"echo reply", [][]byte{echo6, tooBig6(1300, reply6(7))}, peer6, 1300},
		{"echo reply IPv4", [][]byte{echo4, tooBig4(1300, reply4(7))}, peer4, 1300},
		{"echo reply not sent", [][]byte{tooBig6(1300, reply6(7))}, peer6, 1500},
		{"echo reply not sent IPv4", [][]byte{tooBig4(1300, reply4(7))}, peer4, 1500},
		{"echo reply to another identifier", [][]byte{echo6, tooBig6(1300, reply6(8))}, peer6, 1500},
		{"datagram of a socket", [][]byte{tooBig6(1300, udpTo(53))}, peer6, 1300},
		{"datagram of nobody", [][]byte{tooBig6(1300, udpTo(9))}, peer6, 1500},
		{"protocol of nobody", [][]byte{tooBig6(1300, ip6(us6, peer6, 143, make([]byte, 1400)))}, peer6, 1500},
		{"later fragment not sent", [][]byte{tooBig6(1300, later6(7))}, peer6, 1500},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, setup{})
			for _, f := range c.frames {
				b.in(b.eth0, f)
			}
			p, err := b.l.Route(b.sim.Now(), Query{Dst: c.dst})
			if err != nil || p.MTU != c.mtu {
				t.Errorf("%v, %v", p, err)
			}
			if v := b.values(); c.mtu == 1500 && v.Dropped(mib.Icmp6Ignored)+v.Dropped(mib.IcmpIgnored) != 1 {
				t.Error("not counted")
			}
		})
	}
}

// A message that quotes a fragment behind the first names no flow, but we know its Identification.
func TestPathMTUOfFragment(t *testing.T) {
	b := newBed(t, setup{})
	for _, dst := range []wire.Addr{peer6, peer4} {
		b.eth0.take()
		if err := b.out(Query{Dst: dst}, Params{Proto: 17}, cat(udp(us6, dst, ""), make([]byte, 3800))); err != nil {
			t.Fatal(err)
		}
		sent := b.eth0.take()
		if len(sent) != 3 {
			t.Fatalf("%d sent", len(sent))
		}
		about := sent[1][wire.EthernetLen:]
		if dst.Is4() {
			b.in(b.eth0, in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(3, 4, 1280, about[:28]))))
		} else {
			b.in(b.eth0, in6(ip6(peer6, us6, wire.ProtoICMPv6, icmp6(peer6, us6, 2, 0, 1280, about[:400]))))
		}
		if p, err := b.l.Route(b.sim.Now(), Query{Dst: dst}); err != nil || p.MTU != 1280 {
			t.Errorf("%v, %v", p, err)
		}
	}
}
