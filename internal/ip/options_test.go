package ip

import (
	"testing"

	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// RFC 791, 3.1: what is wrong with an option, and where. The simulated clock stands at midnight UT.
func TestOptions4(t *testing.T) {
	with := func(o ...byte) []byte {
		return in4(ip4(peer4, us4, wire.ProtoUDP, udp(peer4, us4, "x"), func(h *wire.IPv4Header) { h.Options = o }))
	}
	bad := func(pointer uint32) outcome {
		return answered(mib.Ip4Option, wire.ICMPv4ParamProblem, 0, pointer<<24)
	}
	check(t, setup{}, []row{
		{"record route", with(7, 7, 4, 0, 0, 0, 0), isDelivered},
		{"record route full", with(7, 7, 8, 1, 2, 3, 4), isDelivered},
		{"record route without room", with(7, 8, 6, 0, 0, 0, 0, 0), bad(22)},
		{"record route pointer", with(7, 7, 3, 0, 0, 0, 0), bad(22)},
		{"record route length", with(7, 2, 4, 0), bad(21)},
		{"record route twice", with(7, 3, 4, 7, 3, 4), bad(23)},
		{"timestamp", with(68, 8, 5, 0, 0, 0, 0, 0), isDelivered},
		{"timestamp length", with(68, 3, 5, 0), bad(21)},
		{"timestamp pointer", with(68, 8, 4, 0, 0, 0, 0, 0), bad(22)},
		{"timestamp without room", with(68, 10, 9, 0, 0, 0, 0, 0, 0, 0), bad(22)},
		{"timestamp overflow", with(68, 8, 9, 0xf0, 0, 0, 0, 0), bad(23)},
		{"timestamp twice", with(68, 4, 5, 0, 68, 4, 5, 0), bad(24)},
		{"router alert", with(148, 4, 0, 0), isDelivered},
		{"router alert length", with(148, 3, 0, 0), bad(21)},
		{"source route pointer", with(131, 7, 3, 0, 0, 0, 0), bad(22)},
		{"source route length", with(131, 2, 4, 0), bad(21)},
	})
}

// RFC 1122, 3.2.2.6: Record Route and Timestamp "SHOULD be updated to include the current host and included in the IP header of
// the Echo Reply message".
func TestEchoOptions4(t *testing.T) {
	b := newBed(t, setup{})
	b.in(b.eth0, in4(ip4(peer4, us4, wire.ProtoICMP, icmp4(8, 0, 1, nil), func(h *wire.IPv4Header) {
		h.Options = []byte{1, 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	})))
	sent := b.eth0.take()
	if len(sent) != 1 {
		t.Fatalf("%d sent", len(sent))
	}
	h, err := wire.CheckIPv4(sent[0][wire.EthernetLen:])
	if err != nil || !h.ChecksumOK() {
		t.Fatal(err)
	}
	want := "\x07\x0b\x0c\xc0\x00\x02\x02\xc0\x00\x02\x02\x44\x0c\x0d\x01\xc0\x00\x02\x02\x00\x00\x00\x00\x00"
	if string(h.Options()) != want {
		t.Errorf("%x", h.Options())
	}
}

// RFC 8504, 5.3: limits on options, which Linux has too.
func TestOptionLimits6(t *testing.T) {
	with := func(next uint8, header ...byte) []byte {
		return in6(ip6(peer6, us6, next, cat(header, udp(peer6, us6, "x"))))
	}
	const hbh, dst = wire.ProtoHopByHop, wire.ProtoDestOpts
	eight := []byte{0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0}
	check(t, setup{}, []row{
		{"eight options", with(dst, ext(17, eight...)...), isDelivered},
		{"nine options", with(dst, ext(17, append(eight, 0x1e, 0)...)...), dropped(mib.Ip6OptionLimit)},
		{"nine options hop by hop", with(hbh, ext(17, append(eight, 0x1e, 0)...)...), dropped(mib.Ip6OptionLimit)},
		{"seven of padding", with(dst, 17, 0, 1, 4, 0, 0, 0, 0), isDelivered},
		{"eight of padding", with(dst, 17, 1, 1, 6, 0, 0, 0, 0, 0, 0, 0x1e, 4, 0, 0, 0, 0), dropped(mib.Ip6OptionLimit)},
		{"eight Pad1", with(dst, 17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x1e, 4, 0, 0, 0, 0), dropped(mib.Ip6OptionLimit)},
		{"padding with content", with(dst, 17, 0, 1, 4, 0, 0, 1, 0), dropped(mib.Ip6OptionLimit)},
		{"router alert", with(hbh, ext(17, 5, 2, 0, 0)...), isDelivered},
		{"router alert length", with(hbh, ext(17, 5, 3, 0, 0, 0)...), dropped(mib.Ip6Option)},
	})
	b := newBed(t, setup{})
	b.l.Configure(func(s *Settings) { s.MaxDstOptions, s.MaxHopOctets = -8, 8 })
	b.in(b.eth0, with(dst, ext(17, 0x1e, 0)...), with(hbh, ext(17, eight...)...))
	if v := b.values(); b.udp.n != 0 || v.Dropped(mib.Ip6UnknownOption) != 1 || v.Dropped(mib.Ip6OptionLimit) != 1 {
		t.Error("limits not heeded")
	}
}

// RFC 8200, 4.2, for routers that look at hop-by-hop options.
func TestForwardHopByHop(t *testing.T) {
	to := func(typ byte) []byte {
		return in6(ip6(peer6, other6, wire.ProtoHopByHop, cat(ext(17, typ, 0), udp(peer6, other6, "x"))))
	}
	check(t, setup{forwarding: true}, []row{
		{"skipped", to(0x1e), isForwarded},
		{"discarded", to(0x5e), dropped(mib.Ip6UnknownOption)},
		{"reported", to(0x9e), answered(mib.Ip6UnknownOption, 4, 2, 42)},
		{"cut off", in6(ip6(peer6, other6, 0, []byte{17, 9, 0, 0, 0, 0, 0, 0})), dropped(mib.Ip6Header)},
		{"source route", in4(ip4(peer4, other4, 17, nil, func(h *wire.IPv4Header) { h.Options = []byte{131, 7, 4, 1, 2, 3, 4} })), dropped(mib.Ip4SourceRoute)},
	})
}

// RFC 1122, 3.2.2.8; RFC 8200, 4.5: what only whole answers show.
func TestTimestampReply(t *testing.T) {
	b := newBed(t, setup{})
	body := []byte{1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9}
	b.in(b.eth0, in4(ip4(peer4, us4, 1, icmp4(wire.ICMPv4Timestamp, 0, 5<<16|6, body))), in4(ip4(peer4, us4, 1, icmp4(wire.ICMPv4Timestamp, 0, 5<<16|6, body[:8]))),
		eth(wire.BroadcastMAC, peerMAC, wire.EtherTypeIPv4, ip4(peer4, wire.Broadcast4, 1, icmp4(wire.ICMPv4Timestamp, 0, 5<<16|6, body))),
		in4(ip4(peer4, us4, 1, icmp4(wire.ICMPv4MaskRequest, 0, 0, body))))
	sent := b.eth0.take()
	if len(sent) != 1 {
		t.Fatalf("%d sent", len(sent))
	}
	m, _ := parseICMP(t, sent[0], 0)
	if m.typ != wire.ICMPv4TimestampReply || m.rest != 5<<16|6 || string(m.body) != "\x01\x02\x03\x04\x00\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("%+v", m)
	}
	// A first fragment that ends before the ICMPv6 header: RFC 8200, 4.5.
	f := wire.Fragment{Next: wire.ProtoICMPv6, More: true, ID: 1}
	h := make([]byte, 8)
	f.Put(h)
	b.in(b.eth0, in6(ip6(peer6, us6, wire.ProtoFragment, h)))
	if sent = b.eth0.take(); len(sent) != 1 {
		t.Fatalf("%d sent", len(sent))
	}
	if m, _ := parseICMP(t, sent[0], 0); m.typ != 4 || m.code != wire.ICMPv6IncompleteHeaderChain || m.rest != 0 {
		t.Errorf("%+v", m)
	}
}
