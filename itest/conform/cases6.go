package conform

import "github.com/onlink-go/onlink/wire"

const (
	hbh  = wire.ProtoHopByHop
	dopt = wire.ProtoDestOpts
	rt   = wire.ProtoRouting
	fr   = wire.ProtoFragment
	icmp = wire.ProtoICMPv6
)

// Headers6 are cases of extension headers (RFC 8200, 4).
func Headers6() []Case {
	e := Echo6(Peer6[0], Node6[0], Data(8))
	to := func(next uint8, parts ...[]byte) []Step {
		return One(IP6(Peer6[0], Node6[0], next, Cat(append(parts, e)...)))
	}
	group := func(next uint8, parts ...[]byte) []Step {
		g := wire.AllNodes6
		return One(IP6(Peer6[0], g, next, Cat(append(parts, Echo6(Peer6[0], g, Data(8)))...)))
	}
	jumbo := []byte{wire.IPv6Jumbo, 4, 0, 1, 0, 0}
	cases := []Case{
		{Name: "no headers", Steps: to(icmp)},
		{Name: "hop-by-hop", Steps: to(hbh, Ext(icmp))},
		{Name: "destination", Steps: to(dopt, Ext(icmp))},
		{Name: "routing 0 left 0", Steps: to(rt, Routing(icmp, 0, 0))},
		{Name: "routing 0 left 1", Steps: to(rt, Routing(icmp, 0, 1))},
		{Name: "routing 2 left 0", Steps: to(rt, Routing(icmp, 2, 0))},
		{Name: "routing 2 left 1", Steps: to(rt, Routing(icmp, 2, 1))},
		{Name: "routing 3 left 1", Steps: to(rt, Routing(icmp, 3, 1))},
		{Name: "routing 4 left 1", Steps: to(rt, Routing(icmp, 4, 1))},
		{Name: "routing 4 left 0", Steps: to(rt, Routing(icmp, 4, 0))},
		{Name: "routing 33 left 0", Steps: to(rt, Routing(icmp, 33, 0))},
		{Name: "routing 33 left 1", Steps: to(rt, Routing(icmp, 33, 1))},
		{Name: "routing 253 left 1 behind hop-by-hop", Steps: to(hbh, Ext(rt), Routing(icmp, 253, 1))},
		{Name: "routing 0 left 1 to group", Steps: group(rt, Routing(icmp, 0, 1))},
		{Name: "all in order", Steps: to(hbh, Ext(dopt), Ext(rt), Routing(fr, 0, 0), Frag(dopt, 900, 0, false), Ext(icmp))},
		{Name: "another order", Steps: to(rt, Routing(dopt, 0, 0), Ext(fr), Frag(icmp, 901, 0, false))},
		{Name: "destination twice", Steps: to(dopt, Ext(dopt), Ext(icmp))},
		{Name: "destination thrice", Steps: to(dopt, Ext(dopt), Ext(dopt), Ext(icmp))},
		{Name: "routing twice", Steps: to(rt, Routing(rt, 0, 0), Routing(icmp, 0, 0))},
		{Name: "atomic fragment", Steps: to(fr, Frag(icmp, 902, 0, false))},
		{Name: "atomic fragment twice", Steps: to(fr, Frag(fr, 903, 0, false), Frag(icmp, 904, 0, false))},
		{Name: "atomic fragment reserved bits", Steps: to(fr, Poke(Frag(icmp, 905, 0, false), 1, 0xff, 0, 6))},
		{Name: "hop-by-hop second", Steps: to(dopt, Ext(hbh), Ext(icmp))},
		{Name: "hop-by-hop twice", Steps: to(hbh, Ext(hbh), Ext(icmp))},
		{Name: "hop-by-hop behind fragment", Steps: to(fr, Frag(hbh, 906, 0, false), Ext(icmp))},
		{Name: "hop-by-hop behind routing", Steps: to(rt, Routing(hbh, 0, 0), Ext(icmp))},
		{Name: "no next header", Steps: One(IP6(Peer6[0], Node6[0], 59, nil))},
		{Name: "no next header with data", Steps: to(59)},
		{Name: "no next header behind destination", Steps: to(dopt, Ext(59))},
		{Name: "unknown next header", Steps: to(143)},
		{Name: "unknown next header 253", Steps: to(253)},
		{Name: "unknown next header to group", Steps: group(143)},
		{Name: "unknown behind hop-by-hop", Steps: to(hbh, Ext(143))},
		{Name: "unknown behind destination", Steps: to(dopt, Ext(143))},
		{Name: "unknown behind routing", Steps: to(rt, Routing(143, 0, 0))},
		{Name: "unknown behind atomic fragment", Steps: to(fr, Frag(143, 907, 0, false))},
		{Name: "unknown behind two", Steps: to(hbh, Ext(dopt), Ext(143))},
		{Name: "ICMPv4 over IPv6", Steps: to(1)},
		{Name: "IPv4 in IPv6", Steps: to(4)},
		{Name: "IPv6 in IPv6", Steps: to(41)},
		{Name: "AH", Steps: One(IP6(Peer6[0], Node6[0], 51, Cat([]byte{58, 4, 0, 0}, make([]byte, 20), e)))},
		{Name: "ESP", Steps: to(50, make([]byte, 16))},
		{Name: "mobility", Steps: One(IP6(Peer6[0], Node6[0], 135, []byte{59, 0, 0, 0, 0, 0, 0, 0}))},
		{Name: "HIP", Steps: to(139, Ext(icmp))},
		{Name: "shim6", Steps: to(140, Ext(icmp))},
		{Name: "destination cut", Steps: One(IP6(Peer6[0], Node6[0], dopt, []byte{58, 0, 1}))},
		{Name: "destination longer than packet", Steps: One(IP6(Peer6[0], Node6[0], dopt, Cat([]byte{58, 9, 1, 4, 0, 0, 0, 0}, e)))},
		{Name: "hop-by-hop cut", Steps: One(IP6(Peer6[0], Node6[0], hbh, []byte{58, 0, 1}))},
		{Name: "hop-by-hop longer than packet", Steps: One(IP6(Peer6[0], Node6[0], hbh, Cat([]byte{58, 9, 1, 4, 0, 0, 0, 0}, e)))},
		{Name: "routing cut", Steps: One(IP6(Peer6[0], Node6[0], rt, []byte{58, 2, 0, 0, 0, 0, 0, 0}))},
		{Name: "fragment cut", Steps: One(IP6(Peer6[0], Node6[0], fr, []byte{58, 0, 0, 0}))},
		{Name: "nothing at all", Steps: One(IP6(Peer6[0], Node6[0], icmp, nil))},
		{Name: "routing odd length", Steps: One(IP6(Peer6[0], Node6[0], rt, Cat([]byte{58, 1, 0, 1}, make([]byte, 12), e)))},
		{Name: "jumbo", Steps: to(hbh, Ext(icmp, jumbo...))},
		{Name: "jumbo payload length 0", Steps: One(Poke(IP6(Peer6[0], Node6[0], hbh, Cat(Ext(icmp, jumbo...), e)), 4, 0, 0))},
		{Name: "jumbo small", Steps: One(Poke(IP6(Peer6[0], Node6[0], hbh, Cat(Ext(icmp, wire.IPv6Jumbo, 4, 0, 0, 0, 24), e)), 4, 0, 0))},
		{Name: "jumbo bad length", Steps: to(hbh, Ext(icmp, wire.IPv6Jumbo, 3, 0, 1, 0))},
		{Name: "jumbo in destination options", Steps: to(dopt, Ext(icmp, jumbo...))},
		{Name: "jumbo misaligned", Steps: to(hbh, Ext(icmp, 1, 1, 0, wire.IPv6Jumbo, 4, 0, 1, 0, 0))},
		{Name: "jumbo to group", Steps: group(hbh, Ext(icmp, jumbo...))},
		{Name: "router alert", Steps: to(hbh, Ext(icmp, 5, 2, 0, 0))},
		{Name: "router alert bad length", Steps: to(hbh, Ext(icmp, 5, 3, 0, 0, 0))},
		{Name: "router alert in destination options", Steps: to(dopt, Ext(icmp, 5, 2, 0, 0))},
		{Name: "home address", Steps: to(dopt, Ext(icmp, append([]byte{wire.IPv6HomeAddress, 16}, make([]byte, 16)...)...))},
		{Name: "tunnel limit", Steps: to(dopt, Ext(icmp, 4, 1, 4))},
		{Name: "quick start", Steps: to(hbh, Ext(icmp, 0x26, 6, 0, 0, 0, 0, 0, 0))},
		{Name: "IOAM", Steps: to(hbh, Ext(icmp, 0x31, 6, 0, 0, 0, 0, 0, 0))},
		{Name: "calipso", Steps: to(hbh, Ext(icmp, 7, 8, 0, 0, 0, 1, 0, 0, 0, 0))},
		{Name: "Pad1 only", Steps: to(dopt, []byte{58, 0, 0, 0, 0, 0, 0, 0})},
		{Name: "Pad1 five", Steps: to(dopt, []byte{58, 0, 1, 0, 0, 0, 0, 0}[:8])},
		{Name: "PadN with content", Steps: to(dopt, []byte{58, 0, 1, 4, 1, 2, 3, 4})},
		{Name: "PadN with content hop-by-hop", Steps: to(hbh, []byte{58, 0, 1, 4, 1, 2, 3, 4})},
		{Name: "PadN of 6", Steps: to(dopt, []byte{58, 1, 1, 6, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0})},
		{Name: "PadN of 5 and 5", Steps: to(dopt, []byte{58, 1, 1, 5, 0, 0, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0})},
		{Name: "PadN of 12", Steps: to(dopt, []byte{58, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
		{Name: "PadN of 12 hop-by-hop", Steps: to(hbh, []byte{58, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
		{Name: "Pad1 eight in a row", Steps: to(dopt, []byte{58, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
		{Name: "Pad1 before option", Steps: to(dopt, Ext(icmp, 0, 0x1e, 0))},
		{Name: "PadN beyond header", Steps: to(dopt, []byte{58, 0, 1, 5, 0, 0, 0, 0})},
		{Name: "option beyond header", Steps: to(dopt, []byte{58, 0, 0x1e, 9, 0, 0, 0, 0})},
		{Name: "option beyond header hop-by-hop", Steps: to(hbh, []byte{58, 0, 0x1e, 9, 0, 0, 0, 0})},
		{Name: "option type without length", Steps: to(dopt, []byte{58, 0, 1, 3, 0, 0, 0, 0x1e})},
		{Name: "option of 0 octets", Steps: to(dopt, Ext(icmp, 0x1e, 0))},
		{Name: "eight options", Steps: to(dopt, Ext(icmp, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0))},
		{Name: "nine options", Steps: to(dopt, Ext(icmp, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0))},
		{Name: "nine options hop-by-hop", Steps: to(hbh, Ext(icmp, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0))},
		{Name: "header of 2 KiB", Steps: One(IP6(Peer6[0], Node6[0], dopt, Cat(Ext(icmp, append([]byte{0x1e, 250}, make([]byte, 250)...)...), e)))},
		{Name: "hop limit 0", Steps: One(IP6(Peer6[0], Node6[0], icmp, e, func(h *wire.IPv6Header) { h.HopLimit = 0 }))},
		{Name: "hop limit 1", Steps: One(IP6(Peer6[0], Node6[0], icmp, e, func(h *wire.IPv6Header) { h.HopLimit = 1 }))},
		{Name: "traffic class", Steps: One(IP6(Peer6[0], Node6[0], icmp, e, func(h *wire.IPv6Header) { h.TrafficClass = 0xb9 }))},
		{Name: "flow label", Steps: One(IP6(Peer6[0], Node6[0], icmp, e, func(h *wire.IPv6Header) { h.FlowLabel = 0x34567 }))},
		{Name: "version 4", Steps: One(Poke(IP6(Peer6[0], Node6[0], icmp, e), 0, 0x40))[:0]},
		{Name: "payload length beyond", Steps: One(Poke(IP6(Peer6[0], Node6[0], icmp, e), 4, 0, 200))},
		{Name: "payload length shorter", Steps: One(append(IP6(Peer6[0], Node6[0], icmp, e), 1, 2, 3, 4, 5, 6))},
		{Name: "payload length 0", Steps: One(Poke(IP6(Peer6[0], Node6[0], icmp, e), 4, 0, 0))},
	}
	for _, typ := range []uint8{0x1e, 0x5e, 0x9e, 0xde, 0x3e, 0x7e, 0xbe, 0xfe, 0x8b, 0xc9} {
		name := hexName(typ)
		for _, h := range []struct {
			name string
			next uint8
		}{{"hop-by-hop", hbh}, {"destination", dopt}} {
			cases = append(cases,
				Case{Name: "option " + name + " " + h.name, Steps: to(h.next, Ext(icmp, typ, 4, 1, 2, 3, 4))},
				Case{Name: "option " + name + " " + h.name + " to group", Steps: group(h.next, Ext(icmp, typ, 4, 1, 2, 3, 4))},
				Case{Name: "option " + name + " " + h.name + " behind another", Steps: to(h.next, Ext(icmp, 0x1e, 1, 0, 0, typ, 4, 1, 2, 3, 4))})
		}
		cases = append(cases, Case{Name: "option " + name + " destination behind routing", Steps: to(rt, Routing(dopt, 0, 0), Ext(icmp, typ, 0))},
			Case{Name: "option " + name + " destination behind atomic fragment", Steps: to(fr, Frag(dopt, 910+uint32(typ), 0, false), Ext(icmp, typ, 0))})
	}
	return cases
}

func hexName(b uint8) string { const d = "0123456789abcdef"; return string([]byte{d[b>>4], d[b&15]}) }
