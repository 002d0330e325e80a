package ip

import (
	"fmt"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// icmpKind is what is known about a type of ICMP message.
type icmpKind struct {
	typ     uint8
	name    string
	codes   []string // names of the codes; what has none is not appended
	in, out mib.Counter
}

// icmpKinds4 and icmpKinds6 are the types that are counted apart. in is only meaningful where it is not the family's
// total, which every message is counted in.
var icmpKinds4 = [...]icmpKind{
	{wire.ICMPv4EchoReply, "echo reply", nil, mib.IcmpInEchoReps, mib.IcmpOutEchoReps},
	{wire.ICMPv4DestUnreachable, "destination unreachable", []string{"net", "host", "protocol", "port", "fragmentation needed",
		"source route failed", "net unknown", "host unknown", "source host isolated", "net prohibited", "host prohibited",
		"net for TOS", "host for TOS", "prohibited", "precedence violation", "precedence cutoff"}, mib.IcmpInDestUnreachs, mib.IcmpOutDestUnreachs},
	{wire.ICMPv4Redirect, "redirect", []string{"net", "host", "net for TOS", "host for TOS"}, mib.IcmpInRedirects, mib.IcmpOutRedirects},
	{wire.ICMPv4EchoRequest, "echo request", nil, mib.IcmpInEchos, mib.IcmpOutEchos},
	{wire.ICMPv4Timestamp, "timestamp", nil, mib.IcmpInTimestamps, mib.IcmpOutTimestamps},
	{wire.ICMPv4TimestampReply, "timestamp reply", nil, mib.IcmpInTimestampReps, mib.IcmpOutTimestampReps},
	{wire.ICMPv4TimeExceeded, "time exceeded", []string{"in transit", "reassembly"}, mib.IcmpInTimeExcds, mib.IcmpOutTimeExcds},
	{wire.ICMPv4ParamProblem, "parameter problem", []string{"", "required option absent"}, mib.IcmpInParmProbs, mib.IcmpOutParmProbs},
}

var icmpKinds6 = [...]icmpKind{
	{wire.ICMPv6DestUnreachable, "destination unreachable", []string{"no route", "prohibited", "beyond scope", "address", "port",
		"source policy", "reject route"}, mib.Icmp6InDestUnreachs, mib.Icmp6OutDestUnreachs},
	{wire.ICMPv6PacketTooBig, "packet too big", nil, mib.Icmp6InPktTooBigs, mib.Icmp6OutPktTooBigs},
	{wire.ICMPv6TimeExceeded, "time exceeded", []string{"in transit", "reassembly"}, mib.Icmp6InTimeExcds, mib.Icmp6OutTimeExcds},
	{wire.ICMPv6ParamProblem, "parameter problem", []string{"header", "next header", "option", "header chain"},
		mib.Icmp6InParmProblems, mib.Icmp6OutParmProblems},
	{wire.ICMPv6EchoRequest, "echo request", nil, mib.Icmp6InEchos, mib.Icmp6OutEchos},
	{wire.ICMPv6EchoReply, "echo reply", nil, mib.Icmp6InEchoReplies, mib.Icmp6OutEchoReplies},
	{wire.ICMPv6RouterSolicitation, "router solicitation", nil, mib.Icmp6InRouterSolicits, mib.Icmp6OutMsgs},
	{wire.ICMPv6RouterAdvertisement, "router advertisement", nil, mib.Icmp6InRouterAdvertisements, mib.Icmp6OutRouterAdvertisements},
	{wire.ICMPv6NeighborSolicitation, "neighbor solicitation", nil, mib.Icmp6InNeighborSolicits, mib.Icmp6OutNeighborSolicits},
	{wire.ICMPv6NeighborAdvertisement, "neighbor advertisement", nil, mib.Icmp6InNeighborAdvertisements, mib.Icmp6OutNeighborAdvertisements},
	{wire.ICMPv6Redirect, "redirect", nil, mib.Icmp6InRedirects, mib.Icmp6OutRedirects},
}

// icmpKindOf returns what is known about a type of the family; its name is empty if nothing is.
func icmpKindOf(four bool, typ uint8) *icmpKind {
	kinds := icmpKinds6[:]
	if four {
		kinds = icmpKinds4[:]
	}
	for i := range kinds {
		if kinds[i].typ == typ {
			return &kinds[i]
		}
	}
	return &icmpUnknown
}

var icmpUnknown icmpKind

// text returns the message in words, as "destination unreachable: port".
func (k *icmpKind) text(code uint8) string {
	if int(code) >= len(k.codes) || k.codes[code] == "" {
		return k.name
	}
	return k.name + ": " + k.codes[code]
}

// countICMPIn counts a message that came in with a good checksum.
func countICMPIn(c *mib.Set, four bool, typ uint8) {
	total := mib.Icmp6InMsgs
	if four {
		total = mib.IcmpInMsgs
	}
	c.Inc(total)
	if k := icmpKindOf(four, typ); k.name != "" {
		c.Inc(k.in)
	}
}

// CountICMPOut counts a message of ours that is on its way.
func CountICMPOut(c *mib.Set, four bool, typ uint8) {
	total := mib.Icmp6OutMsgs
	if four {
		total = mib.IcmpOutMsgs
	}
	c.Inc(total)
	if k := icmpKindOf(four, typ); k.name != "" && k.out != total {
		c.Inc(k.out)
	}
}

// sentICMP counts a message of ours that is on its way as p, and traces it, but for Neighbor Discovery: that is told as
// what it changes.
func (l *Layer) sentICMP(c *mib.Set, now clock.Instant, p *packet.Buffer, typ, code uint8) {
	four := p.Dst.Is4()
	CountICMPOut(c, four, typ)
	if l.cfg.Tracer.Enabled() && (four || !isND(typ)) {
		l.cfg.Tracer.Emit(&trace.Event{At: now, Kind: trace.ICMPSent, Out: p.Out, Src: p.Src, Dst: p.Dst, Proto: p.Proto,
			Reason: ICMPText(four, typ, code)})
	}
}

// mldNames are the messages of RFC 2710 and RFC 3810, 5.
var mldNames = map[uint8]string{wire.ICMPv6MLDQuery: "multicast listener query", wire.ICMPv6MLDReport: "multicast listener report",
	wire.ICMPv6MLDDone: "multicast listener done", wire.ICMPv6MLDv2Report: "multicast listener report, version 2"}

// ICMPText returns the name of an ICMP message of the family, as "destination unreachable: port".
func ICMPText(four bool, typ, code uint8) string {
	if k := icmpKindOf(four, typ); k.name != "" {
		return k.text(code)
	}
	if name, is := mldNames[typ]; is && !four {
		return name
	}
	return fmt.Sprintf("ICMP type %d code %d", typ, code)
}
