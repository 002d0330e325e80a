package core6

import (
	"bytes"
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

const (
	hopByHop = wire.ProtoHopByHop
	destOpts = wire.ProtoDestOpts
	routing  = wire.ProtoRouting
	fragment = wire.ProtoFragment
	icmpv6   = wire.ProtoICMPv6
)

// outcome is what a packet must lead to.
type outcome struct {
	reply   bool
	problem bool // a Parameter Problem of that code and pointer
	code    uint8
	pointer uint32
}

var (
	answered = outcome{reply: true}
	silence  = outcome{}
)

func problem(code uint8, pointer int) outcome {
	return outcome{problem: true, code: code, pointer: uint32(pointer)}
}

// leads puts a packet of router1, which the node knows, to the node, and fails unless it leads to o and nothing else.
func (b *Bench) leads(packet []byte, o outcome) {
	b.Helper()
	b.in(router1, packet)
	from := wire.AddrFrom16(packet[8:])
	s := b.try(time.Second, want{"answer", func(s *seen) bool { return reply(from).ok(s) || anyFault().ok(s) }})
	switch {
	case s == nil && !o.reply && !o.problem:
		return
	case s == nil:
		b.Fatal("there came nothing")
	case !o.reply && !o.problem:
		b.Fatalf("there came %v", s)
	}
	m, _ := s.icmp()
	if o.reply {
		if !reply(from).ok(s) {
			b.Fatalf("there came %v", s)
		}
	} else {
		b.quotes(s, packet)
		if m.Type() != wire.ICMPv6ParamProblem || m.Code() != o.code || m.Rest() != o.pointer {
			b.Fatalf("there came %v", s)
		}
	}
	b.none(time.Second, want{"second answer", func(s *seen) bool { return reply(from).ok(s) || anyFault().ok(s) }})
}

// quotes fails unless an error goes to the sender of the packet and quotes it as far as it fits.
func (b *Bench) quotes(s *seen, packet []byte) {
	b.Helper()
	m, _ := s.icmp()
	if s.dst != wire.AddrFrom16(packet[8:]) || s.src.IsMulticast() {
		b.Fatalf("%v", s)
	}
	q := packet[:min(len(packet), full)]
	if !bytes.Equal(m.Body(), q) {
		b.Fatalf("it quotes % x\nof %d octets, not % x of %d", m.Body(), len(m.Body()), q, len(q))
	}
}

// headers: the IPv6 header and extension headers at a host (RFC 8200).
func headers() (list []Case) {
	me, self := router1.ll, nodeLL
	add := func(name, rule string, packet []byte, o outcome) {
		list = append(list, Case{Name: name, Rule: rule, Run: func(b *Bench) {
			b.ready()
			b.leads(packet, o)
		}})
	}
	e := conform.Echo6(me, self, conform.Data(8))
	to := func(next uint8, parts ...[]byte) []byte {
		return conform.IP6(me, self, next, conform.Cat(append(parts, e)...))
	}
	group := wire.AllNodes6
	eg := conform.Echo6(me, group, conform.Data(8))
	all := func(next uint8, parts ...[]byte) []byte {
		return conform.IP6(me, group, next, conform.Cat(append(parts, eg)...))
	}
	plain := to(icmpv6)

	for _, v := range []byte{0, 4, 5, 7, 15} {
		add(fmt.Sprintf("version %d", v), `RFC 8200, 3: "Version: 4-bit Internet Protocol version number = 6."`, conform.Poke(plain, 0, v<<4), silence)
	}
	add("traffic class", `RFC 8200, 7: the host need not use it`, echo(me, self, conform.Data(8), func(h *wire.IPv6Header) { h.TrafficClass = 0xff }), answered)
	add("traffic class 32", `RFC 8200, 7`, echo(me, self, conform.Data(8), func(h *wire.IPv6Header) { h.TrafficClass = 32 }), answered)
	add("flow label", `RFC 8200, 6; RFC 6437, 2: "MUST ... ignore the field when receiving a packet"`, echo(me, self, conform.Data(8), func(h *wire.IPv6Header) { h.FlowLabel = 0x34567 }), answered)
	for _, n := range []uint8{0, 1, 15, 255} {
		add(fmt.Sprintf("hop limit %d", n), `RFC 8200, 3: "When forwarding, ... A node that is the destination of a packet should not discard a packet with Hop Limit equal to zero; it should process the packet normally."`, echo(me, self, conform.Data(8), hops(n)), answered)
	}
	for _, n := range []int{0, 1, 2, 3, 5, 7, 100, 1001, 1452} {
		add(fmt.Sprintf("%d octets of data", n), `RFC 8200, 3: Payload Length: "Length of the IPv6 payload, i.e., the rest of the packet following this IPv6 header, in octets." An odd one is as good as an even one.`, echo(me, self, conform.Data(n)), answered)
	}
	add("padding of the frame behind the packet", `RFC 8200, 3: Payload Length; RFC 894: padding is no part of the packet`, append(bytes.Clone(plain), make([]byte, 6)...), answered)
	add("payload length beyond the frame", `RFC 8200, 3: the rest is not there`, conform.Poke(plain, 4, 0, 200), silence)
	add("payload length cuts the message", `RFC 4443, 2.3: the checksum is over the message`, conform.Poke(plain, 4, 0, 12), silence)
	add("no next header", `RFC 8200, 4.7: "The value 59 in the Next Header field of an IPv6 header or any extension header indicates that there is nothing following that header."`, conform.IP6(me, self, 59, nil), silence)
	add("no next header, and data", `RFC 8200, 4.7: "If the Payload Length field of the IPv6 header indicates the presence of octets past the end of a header whose Next Header field contains 59, those octets must be ignored"`, to(59), silence)

	unknown := `RFC 8200, 4: "If, as a result of processing a header, the destination node is required to proceed to the next header but the Next Header value in the current header is unrecognized by the node, it should discard the packet and send an ICMP Parameter Problem message to the source of the packet, with an ICMP Code value of 1 ("unrecognized Next Header type encountered") and the ICMP Pointer field containing the offset of the unrecognized value within the original packet."`
	for _, n := range []uint8{138, 143, 150, 200, 252, 253, 254, 255} {
		add(fmt.Sprintf("next header %d", n), unknown, to(n), problem(1, 6))
	}
	type before struct {
		name   string
		next   uint8
		header func(next uint8) []byte
	}
	befores := []before{
		{"hop-by-hop", hopByHop, func(next uint8) []byte { return conform.Ext(next) }},
		{"destination options", destOpts, func(next uint8) []byte { return conform.Ext(next) }},
		{"routing header", routing, func(next uint8) []byte { return conform.Routing(next, 0, 0) }},
		{"unknown routing header", routing, func(next uint8) []byte { return conform.Routing(next, 33, 0) }},
		{"fragment header", fragment, func(next uint8) []byte { return conform.Frag(next, 1234, 0, false) }},
		{"hop-by-hop of 16 octets", hopByHop, func(next uint8) []byte { return conform.Ext(next, 0x1e, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) }},
	}
	misplaced := `RFC 8200, 4: "The same action should be taken if a node encounters a Next Header value of zero in any header other than an IPv6 header."`
	for _, h := range befores {
		add("59 behind "+h.name, `RFC 8200, 4.7`, to(h.next, h.header(59)), silence)
		add("unknown behind "+h.name, unknown, to(h.next, h.header(143)), problem(1, 40))
		add("unknown behind destination options behind "+h.name, unknown, to(h.next, h.header(destOpts), conform.Ext(143)), problem(1, 40+len(h.header(0))))
		add("hop-by-hop behind "+h.name, misplaced, to(h.next, h.header(hopByHop), conform.Ext(icmpv6)), problem(1, 40))
		add("message behind "+h.name, `RFC 8200, 4: "IPv6 nodes must accept and attempt to process extension headers in any order and occurring any number of times in the same packet, except for the Hop-by-Hop Options header"`, to(h.next, h.header(icmpv6)), answered)
		add("destination options behind "+h.name, `RFC 8200, 4: "in any order"`, to(h.next, h.header(destOpts), conform.Ext(icmpv6)), answered)
		add("fragment header behind "+h.name, `RFC 8200, 4: "in any order"; RFC 6946: atomic`, to(h.next, h.header(fragment), conform.Frag(icmpv6, 77, 0, false)), answered)
		add("routing header behind "+h.name, `RFC 8200, 4: "in any order"`, to(h.next, h.header(routing), conform.Routing(icmpv6, 0, 0)), answered)
		add("next header unknown in all headers, behind "+h.name, `RFC 4443, 2.4 (e): no error about a packet to a group`, all(h.next, h.header(143)), silence)
	}
	add("options that look wrong behind an unknown header", `RFC 8200, 4: "Extension headers must be processed strictly in the order they appear in the packet"`,
		to(destOpts, conform.Ext(143), conform.Ext(icmpv6, 0x80, 0)), problem(1, 40))
	add("an option to discard before an unknown header", `RFC 8200, 4: "strictly in the order they appear"`, to(destOpts, conform.Ext(143, 0x47, 0)), silence)
	add("an option to complain of before an unknown header", `RFC 8200, 4: "strictly in the order they appear"`, to(destOpts, conform.Ext(143, 0x87, 0)), problem(2, 42))
	add("fragment header before destination options: payload not a multiple of 8", `RFC 8200, 4.5: "the fragment must be discarded and an ICMP Parameter Problem, Code 0, message should be sent ... pointing to the Payload Length field"`,
		conform.IP6(me, self, fragment, conform.Cat(conform.Frag(icmpv6, 5, 0, true), e[:13])), problem(0, 4))
	add("destination options of a kind to complain of before that fragment", `RFC 8200, 4: "strictly in the order they appear"`,
		conform.IP6(me, self, destOpts, conform.Cat(conform.Ext(fragment, 0x87, 0), conform.Frag(icmpv6, 5, 0, true), e[:13])), problem(2, 42))
	add("that fragment before destination options of a kind to complain of", `RFC 8200, 4: "strictly in the order they appear"`,
		conform.IP6(me, self, fragment, conform.Cat(conform.Frag(destOpts, 5, 0, true), conform.Ext(icmpv6, 0x87, 0), e[:13])), problem(0, 4))

	options := `RFC 8200, 4.2: "The highest-order 2 bits specify the action that must be taken if the processing IPv6 node does not recognize the Option Type: 00 - skip over this option and continue processing the header. 01 - discard the packet. 10 - discard the packet and, regardless of whether or not the packet's Destination Address was a multicast address, send an ICMP Parameter Problem, Code 2, message to the packet's Source Address, pointing to the unrecognized Option Type. 11 - discard the packet and, only if the packet's Destination Address was not a multicast address, send an ICMP Parameter Problem, Code 2"`
	for _, h := range befores[:2] {
		for _, typ := range []uint8{0x07 | 0x20, 0x1e, 0x47, 0x67, 0x87, 0xa7, 0xc7, 0xe7} {
			one, many := answered, answered
			at := 42
			switch typ >> 6 {
			case 1:
				one, many = silence, silence
			case 2:
				one, many = problem(2, at), problem(2, at)
			case 3:
				one, many = problem(2, at), silence
			}
			add(fmt.Sprintf("option %02x in %s", typ, h.name), options, to(h.next, conform.Ext(icmpv6, typ, 2, 0, 0)), one)
			add(fmt.Sprintf("option %02x in %s, to a group", typ, h.name), options, all(h.next, conform.Ext(icmpv6, typ, 2, 0, 0)), many)
			if one.problem {
				one.pointer = 46
			}
			add(fmt.Sprintf("option %02x in %s, behind padding", typ, h.name), options, to(h.next, conform.Ext(icmpv6, 1, 2, 0, 0, typ, 0)), one)
		}
		// More than seven octets of padding, or five Pad1 in a row, are not tried: RFC 4942, 2.1.9.5, advises against them.
		for _, p := range []struct {
			name string
			b    []byte
		}{{"PadN of 6", []byte{58, 0, 1, 4, 0, 0, 0, 0}}, {"PadN of 2 thrice", []byte{58, 0, 1, 0, 1, 0, 1, 0}},
			{"Pad1 and PadN of 5", []byte{58, 0, 0, 1, 3, 0, 0, 0}}, {"PadN of 5 and Pad1", []byte{58, 0, 1, 3, 0, 0, 0, 0}}} {
			add(p.name+" in "+h.name, `RFC 8200, 4.2: "There are two padding options that are used when necessary to align subsequent options and to pad out the containing header to a multiple of 8 octets in length. These padding options must be recognized by all IPv6 implementations"`, to(h.next, p.b), answered)
		}
	}

	routings := `RFC 8200, 4.4: "If, while processing a received packet, a node encounters a Routing header with an unrecognized Routing Type value, the required behavior of the node depends on the value of the Segments Left field ... If Segments Left is zero, the node must ignore the Routing header and proceed to process the next header in the packet ... If Segments Left is non-zero, the node must discard the packet and send an ICMP Parameter Problem, Code 0, message to the packet's Source Address, pointing to the unrecognized Routing Type." RFC 5095, 3: so for type 0`
	for _, typ := range []uint8{0, 1, 5, 33, 253, 255} {
		add(fmt.Sprintf("routing type %d, 0 left", typ), routings, to(routing, conform.Routing(icmpv6, typ, 0)), answered)
		add(fmt.Sprintf("routing type %d, 1 left", typ), routings, to(routing, conform.Routing(icmpv6, typ, 1)), problem(0, 42))
		add(fmt.Sprintf("routing type %d, 1 left, behind destination options", typ), routings, to(destOpts, conform.Ext(routing), conform.Routing(icmpv6, typ, 1)), problem(0, 50))
		add(fmt.Sprintf("routing type %d, 1 left, to a group", typ), `RFC 4443, 2.4 (e.3)`, all(routing, conform.Routing(icmpv6, typ, 1)), silence)
	}
	return list
}
