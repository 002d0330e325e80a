package ip

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

func df(h *wire.IPv4Header)    { h.DontFragment = true }
func ttl1(h *wire.IPv4Header)  { h.TTL = 1 }
func hops1(h *wire.IPv6Header) { h.HopLimit = 1 }

func TestForwardRules(t *testing.T) {
	big := make([]byte, 1600)
	rows := []row{
		{"IPv4", in4(ip4(peer4, other4, 17, udp(peer4, other4, "x"))), isForwarded},
		{"IPv6", in6(ip6(peer6, other6, 17, udp(peer6, other6, "x"))), isForwarded},
		{"IPv6 with options", in6(ip6(peer6, other6, 60, cat(ext(17, 0x9e, 0), udp(peer6, other6, "x")))), isForwarded},
		// RFC 792; RFC 4443, 3.3.
		{"TTL 1", in4(ip4(peer4, other4, 17, nil, ttl1)), answered(mib.Ip4TTLExceeded, 11, 0, 0)},
		{"TTL 0", in4(ip4(peer4, other4, 17, nil, func(h *wire.IPv4Header) { h.TTL = 0 })), answered(mib.Ip4TTLExceeded, 11, 0, 0)},
		{"hop limit 1", in6(ip6(peer6, other6, 17, nil, hops1)), answered(mib.Ip6HopLimitExceeded, 3, 0, 0)},
		// RFC 1191, 4; RFC 4443, 3.2.
		{"too big, DF", in4(ip4(peer4, other4, 17, big, df)), answered(mib.Ip4FragmentNeeded, 3, 4, 1500)},
		{"too big, no DF", in4(ip4(peer4, other4, 17, big)), isForwarded},
		{"too big, IPv6", in6(ip6(peer6, other6, 17, big)), answered(mib.Ip6TooBig, 2, 0, 1500)},
		// RFC 1812, 5.3.4.
		{"in a broadcast frame", eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(peer4, other4, 17, nil)), dropped(mib.Ip4FrameNotUnicast)},
		{"to a group", eth(usMAC, peerMAC, wire.EtherTypeIPv6, ip6(peer6, a6("ff0e::5"), 17, nil)), dropped(mib.Ip6NotMember)},
		// RFC 2644, 2.
		{"directed broadcast", in4(ip4(peer4, a4("198.51.100.255"), 17, nil)), dropped(mib.Ip4NotForUs)},
		// RFC 4291, 2.5.6; RFC 4443, 3.1, code 2.
		{"link-local source", in6(ip6(peerLL, other6, 17, nil)), answered(mib.Ip6NotForUs, 1, 2, 0)},
		{"link-local destination", in6(ip6(peer6, a6("fe80::99"), 17, nil)), dropped(mib.Ip6NotForUs)},
		{"IPv4 link-local", in4(ip4(peer4, a4("169.254.1.1"), 17, nil)), dropped(mib.Ip4NotForUs)},
		{"unspecified source", in6(ip6(wire.Addr{}, other6, 17, nil)), dropped(mib.Ip6FromUnspecified)},
		{"to us on the other side", in4(ip4(peer4, us14, 17, udp(peer4, us14, "x"))), isDelivered},
		{"all routers", eth(wire.AllRouters6.MulticastMAC(), peerMAC, wire.EtherTypeIPv6, ip6(peer6, wire.AllRouters6, 17, udp(peer6, wire.AllRouters6, "x"))), isDelivered},
	}
	check(t, setup{forwarding: true}, rows)
}

func TestNoRoute(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	for _, p := range []string{"0.0.0.0/0", "::/0"} {
		for _, r := range b.l.Routes() {
			if r.Prefix.String() == p {
				if err := b.l.RemoveRoute(r); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	b.in(b.eth0, in4(ip4(peer4, far4, 17, nil)), in6(ip6(peer6, far6, 17, nil)))
	sent := b.eth0.take()
	if len(sent) != 2 {
		t.Fatalf("%d sent", len(sent))
	}
	for i, want := range [][2]uint8{{wire.ICMPv4DestUnreachable, wire.ICMPv4NetUnreachable}, {wire.ICMPv6DestUnreachable, wire.ICMPv6NoRoute}} {
		if m, _ := parseICMP(t, sent[i], 0); [2]uint8{m.typ, m.code} != want {
			t.Errorf("%d/%d", m.typ, m.code)
		}
	}
	v := b.values()
	if v.Dropped(mib.Ip4NoRoute) != 1 || v.Dropped(mib.Ip6NoRoute) != 1 || v.Get(mib.IpOutNoRoutes) != 1 {
		t.Error("counters wrong")
	}
}

func TestForwardedFrame(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	before := b.values()
	b.in(b.eth0, in4(ip4(peer4, other4, 17, []byte("data"))), in6(ip6(peer6, other6, 17, []byte("data"))))
	sent := b.eth1.take()
	if len(sent) != 2 {
		t.Fatalf("%d sent", len(sent))
	}
	for _, f := range sent {
		if e := wire.Ethernet(f); e.Dst() != otherMAC || e.Src() != us1MAC {
			t.Errorf("frame from %v to %v", e.Src(), e.Dst())
		}
	}
	if h, err := wire.CheckIPv4(sent[0][14:]); err != nil || !h.ChecksumOK() || h.TTL() != 63 || string(h.Payload()) != "data" {
		t.Errorf("%v %x", err, sent[0])
	}
	if h, err := wire.CheckIPv6(sent[1][14:]); err != nil || h.HopLimit() != 63 || string(h.Payload()) != "data" {
		t.Errorf("%v %x", err, sent[1])
	}
	v := b.values()
	if v.Get(mib.IpForwDatagrams) != 1 || v.Get(mib.Ip6OutForwDatagrams) != 1 || v.Get(mib.IpOutRequests) != before.Get(mib.IpOutRequests) {
		t.Error("counters wrong")
	}
}

// A decision remembered must not outlive the configuration it came from.
func TestForwardFollowsConfiguration(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	f := in4(ip4(peer4, other4, 17, udp(peer4, other4, "x")))
	b.in(b.eth0, f)
	if len(b.eth1.take()) != 1 {
		t.Fatal("not forwarded")
	}
	if err := b.l.AddAddress(2, netip.MustParsePrefix("198.51.100.1/32"), netif.AddressOptions{}); err != nil {
		t.Fatal(err)
	}
	b.in(b.eth0, f)
	if len(b.eth1.take()) != 0 || b.udp.n != 1 {
		t.Error("what is ours now was forwarded")
	}
	if err := b.l.RemoveAddress(2, netip.MustParseAddr("198.51.100.1")); err != nil {
		t.Fatal(err)
	}
	b.in(b.eth0, f)
	if len(b.eth1.take()) != 1 {
		t.Error("not forwarded again")
	}
	b.eth1.r.Changed(func() (i cableInfo) { i = b.eth1.info; i.Up = false; return }())
	b.in(b.eth0, f)
	if len(b.eth1.take()) != 0 {
		t.Error("forwarded to a link that is down")
	}
}

// RFC 791, 2.3; 3.2: a router fragments where DF is clear; fragments of fragments fit together.
func TestForwardFragments(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	data := make([]byte, 4000)
	for i := range data {
		data[i] = byte(i * 7)
	}
	d := ip4(peer4, other4, 17, data, func(h *wire.IPv4Header) {
		h.Options = []byte{7, 7, 4, 1, 2, 3, 4, 148, 4, 0, 0} // record route is not copied, router alert is
	})
	b.in(b.eth0, in4(d))
	got := make([]byte, 4000)
	frags := b.eth1.take()
	for i, f := range frags {
		h, err := wire.CheckIPv4(f[14:])
		if err != nil || !h.ChecksumOK() || h.TotalLen() > 1500 || h.ID() != 0x1234 {
			t.Fatalf("fragment %d: %v %x", i, err, f[:60])
		}
		copy(got[h.FragmentOffset():], h.Payload())
		if h.MoreFragments() != (i < len(frags)-1) {
			t.Errorf("fragment %d: MF %v", i, h.MoreFragments())
		}
		if want := map[bool]int{true: 32, false: 24}[i == 0]; h.HeaderLen() != want {
			t.Errorf("fragment %d: header of %d octets, want %d", i, h.HeaderLen(), want)
		}
	}
	if len(frags) != 3 || !bytes.Equal(got, data) {
		t.Errorf("%d fragments do not make the datagram", len(frags))
	}
	v := b.values()
	if v.Get(mib.IpFragOKs) != 1 || v.Get(mib.IpFragCreates) != 3 {
		t.Error("counters wrong")
	}
}

// A fragment may itself be too long for the next link: what is made of it continues it.
func TestForwardFragmentOfFragment(t *testing.T) {
	b := newBed(t, setup{forwarding: true})
	d := ip4(peer4, other4, 17, make([]byte, 3200), func(h *wire.IPv4Header) { h.FragmentOffset, h.MoreFragments = 800, true })
	b.in(b.eth0, in4(d))
	at := 800
	for _, f := range b.eth1.take() {
		h := wire.IPv4(f[14:])
		if !h.MoreFragments() || h.FragmentOffset() != at {
			t.Errorf("offset %d, MF %v", h.FragmentOffset(), h.MoreFragments())
		}
		at += len(h.Payload())
	}
	if at != 4000 {
		t.Errorf("ends at %d", at)
	}
}
