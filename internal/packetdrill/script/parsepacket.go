package script

import (
	"net/netip"
	"strings"
)

// packet reads what follows a time: < or >, outer headers, what is said of the IP header, and a segment, a datagram or
// an ICMP message.
func (p *parser) packet() *Packet {
	k := &Packet{Pos: p.where()}
	if p.advance().kind == '>' {
		k.Dir = Outbound
	}
	for h := p.outer(); h != nil; h = p.outer() {
		k.Outer = append(k.Outer, h)
	}
	k.IP = p.ipInfo()
	if k.IP.Check == TOSECT01 || k.IP.Check == TOSDSCPECT01 {
		p.outboundOnly(k.Dir, k.IP.Pos, "ect01")
	}
	switch at := p.where(); {
	case p.takeWord("udp"):
		k.Ports = p.ports()
		p.want('(', "and the length of the datagram")
		k.UDP = &UDP{Pos: at, Len: uint16(p.number("the length of the datagram", 1<<16-1))}
		p.want(')', "behind the length of the datagram")
	case p.takeWord("icmp") || p.takeWord("icmpv6"):
		k.ICMP = p.icmp(at)
	default:
		k.Ports = p.ports()
		p.unsupported()
		k.TCP = p.tcp(k.Dir)
	}
	return k
}

// unsupported fails where the script wants a protocol that is left out.
func (p *parser) unsupported() {
	switch {
	case p.isWord("sctp"):
		p.fail(p.tok.off, "SCTP is not supported")
	case p.isWord("udplite"):
		p.fail(p.tok.off, "UDP-Lite is not supported")
	}
}

func (p *parser) outboundOnly(d Dir, at Pos, what string) {
	if d != Outbound {
		panic(&SyntaxError{Pos: at, Msg: what + " can be used with outbound packets only"})
	}
}

// number reads a number from 0 to limit.
func (p *parser) number(what string, limit uint64) uint64 {
	if p.tok.kind != tokInt && p.tok.kind != tokHex {
		p.expected("%s, a number", what)
	}
	off, text := p.tok.off, p.tok.text
	n := uint64(p.integer(false).Value)
	if n > limit {
		p.fail(off, "%s is out of range: found %s, the limit is %d", what, shorten(text), limit)
	}
	return n
}

// outer reads an outer header with the colon behind it, nil if none stands here.
func (p *parser) outer() Header {
	at := p.where()
	var h Header
	switch {
	case p.isWord("ipv4", "ipv6"):
		six := p.advance().text == "ipv6"
		ip := &IPHeader{Pos: at, IP: p.ipInfo()}
		ip.Src = p.addr(six)
		p.want('>', "between two addresses")
		ip.Dst = p.addr(six)
		h = ip
	case p.takeWord("gre") || p.takeWord("GREv0"):
		gre := &GRE{Pos: at}
		if !p.is(':') {
			p.take(',')
			p.greFields(gre)
		}
		h = gre
	case p.takeWord("mpls"):
		h = p.mpls(at)
	default:
		return nil
	}
	p.want(':', "behind an outer header")
	return h
}

func (p *parser) addr(six bool) netip.Addr {
	family := "4"
	if six {
		family = "6"
	}
	if p.tok.kind != tokAddr || strings.Contains(p.tok.text, ":") != six {
		p.expected("an IPv%s address", family)
	}
	a, err := netip.ParseAddr(p.tok.text)
	if err != nil {
		p.expected("an IPv%s address", family)
	}
	p.advance()
	return a
}

// greFields reads flags [checksum present, key present], sum 0, off 0, key = 1, seq 0. The commas may be missing.
func (p *parser) greFields(g *GRE) {
	g.Fields = true
	if !p.takeWord("flags") && !p.takeWord("Flags") {
		p.expected("flags")
	}
	if p.take('[') {
		for more := true; more; more = p.take(',') {
			g.Flags |= p.greFlag()
		}
		p.want(']', "behind the flags of GRE")
	} else {
		g.Flags = uint16(p.number("the flags of GRE", 1<<16-1))
	}
	field := func(name string, limit uint64) uint64 {
		p.take(',')
		if !p.takeWord(name) {
			p.expected("%s", name)
		}
		if name == "key" {
			p.take('=')
		}
		return p.number(name, limit)
	}
	g.Sum = uint16(field("sum", 1<<16-1))
	g.Off = uint16(field("off", 1<<16-1))
	g.Key = uint32(field("key", 1<<32-1))
	g.Seq = uint32(field("seq", 1<<32-1))
}

func (p *parser) greFlag() uint16 {
	var f uint16
	switch {
	case p.takeWord("none"):
		return 0
	case p.takeWord("checksum"):
		f = GREChecksum
	case p.takeWord("key"):
		f = GREKey
	case p.takeWord("sequence#") || p.takeWord("sequence"):
		f = GRESequence
	default:
		p.expected("none, checksum present, key present or sequence# present")
	}
	if !p.takeWord("present") {
		p.expected("present")
	}
	return f
}

// mpls reads a label stack: (label 1, tc 0, ttl 64) (label 2, tc 0, [S], ttl 64). Its name has been taken.
func (p *parser) mpls(at Pos) *MPLS {
	m := &MPLS{Pos: at}
	field := func(name string, limit uint64) uint64 {
		if !p.takeWord(name) {
			p.expected("%s", name)
		}
		return p.number(name, limit)
	}
	for p.take('(') {
		var l Label
		l.Label = uint32(field("label", 1<<20-1))
		p.want(',', "behind a label")
		l.TC = uint8(field("tc", 7))
		p.want(',', "behind a traffic class")
		if p.take('[') {
			if !p.takeWord("S") {
				p.expected("S, the bottom of the stack")
			}
			p.want(']', "behind S")
			p.want(',', "behind [S]")
			l.Bottom = true
		}
		l.TTL = uint8(field("ttl", 255))
		p.want(')', "behind a label")
		m.Entries = append(m.Entries, l)
	}
	return m
}

// dscpNames are the code points that have names (RFC 4594 and its successors).
var dscpNames = map[string]uint8{
	"cs0": 0, "cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56,
	"af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22,
	"af31": 26, "af32": 28, "af33": 30, "af41": 34, "af42": 36, "af43": 38,
	"ef": 46, "voice_admit": 44, "voice-admit": 44, "le": 1,
}

// ecnMarks are the marks by their name; ect01 is either of two.
var ecnMarks = map[string]uint8{"noecn": 0, "ect1": 1, "ect0": 2, "ce": 3, "ect01": 4}

// ipInfo reads what is said of the IP header, in brackets of either kind: [ect0], (tos 0x10, ttl 3). Nothing may be.
func (p *parser) ipInfo() IPInfo {
	var info IPInfo
	end := byte(']')
	switch {
	case p.is('['):
	case p.is('('):
		end = ')'
	default:
		return info
	}
	info.Pos = p.where()
	p.advance()
	for more := true; more; more = p.take(',') {
		p.ipField(&info)
	}
	p.want(end, "behind what is said of the IP header")
	return info
}

func (p *parser) ipField(info *IPInfo) {
	switch {
	case p.takeWord("tos") || p.takeWord("class"):
		info.Check, info.TOS = TOSAll, uint8(p.number("the traffic class", 255))
	case p.takeWord("dscp"):
		info.TOS |= p.dscp() << 2
		if info.Check = TOSDSCP; info.TOS&3 != 0 {
			info.Check = TOSAll
		}
	case p.takeWord("flowlabel"):
		info.HasFlowLabel, info.FlowLabel = true, uint32(p.number("the flow label", 1<<20-1))
	case p.takeWord("ttl") || p.takeWord("hlim"):
		info.TTL = uint8(p.number("the hop limit", 255))
	default:
		p.takeWord("ecn")
		mark, ok := ecnMarks[p.tok.text]
		if p.tok.kind != tokWord || !ok {
			p.expected("one of noecn, ect0, ect1, ect01, ce, tos, class, dscp, ecn, flowlabel, ttl, hlim")
		}
		p.advance()
		info.mark(mark)
	}
}

// mark adds a mark of ECN to what is said.
func (i *IPInfo) mark(ecn uint8) {
	switch dscp := i.Check == TOSDSCP; {
	case ecn == 4 && dscp:
		i.Check = TOSDSCPECT01
	case ecn == 4:
		i.Check = TOSECT01
	case dscp:
		i.Check, i.TOS = TOSAll, i.TOS|ecn
	default:
		i.Check, i.TOS = TOSECN, ecn
	}
}

func (p *parser) dscp() uint8 {
	if p.tok.kind == tokWord {
		if v, ok := dscpNames[strings.ToLower(p.tok.text)]; ok {
			p.advance()
			return v
		}
	}
	return uint8(p.number("the DSCP", 63))
}

// ports reads 1234 > 80, with or without addresses: 192.0.2.1:1234 > 192.168.0.1:80. Nil if neither stands here.
func (p *parser) ports() *Ports {
	if p.tok.kind != tokInt && p.tok.kind != tokAddr {
		return nil
	}
	ports := &Ports{Pos: p.where()}
	ports.SrcAddr, ports.Src = p.port()
	p.want('>', "between two ports")
	ports.DstAddr, ports.Dst = p.port()
	return ports
}

func (p *parser) port() (netip.Addr, uint16) {
	var a netip.Addr
	if p.tok.kind == tokAddr {
		a = p.addr(strings.Contains(p.tok.text, ":"))
		p.want(':', "between an address and its port")
	}
	return a, uint16(p.number("a port", 1<<16-1))
}

// icmp reads what follows icmp: unreachable frag_needed mtu 1200 [1:1001(1000)].
func (p *parser) icmp(at Pos) *ICMP {
	m := &ICMP{Pos: at}
	if p.tok.kind != tokWord {
		p.expected("a type of ICMP")
	}
	off := p.tok.off
	m.Type = p.advance().text
	if p.tok.kind == tokWord && !p.isWord("mtu", "id") {
		m.Code = p.advance().text
	}
	_, _, err4 := m.Numbers(false)
	_, _, err6 := m.Numbers(true)
	if err4 != nil && err6 != nil {
		p.fail(off, "%v", err4)
	}
	if p.takeWord("mtu") {
		m.HasMTU, m.MTU = true, uint32(p.number("the MTU", 1<<32-1))
	}
	if p.takeWord("id") {
		m.HasID, m.ID = true, uint16(p.number("the identifier of an echo", 1<<16-1))
	}
	if p.is('[') {
		m.Echoed = p.echoed()
	}
	return m
}

// echoed reads the packet an ICMP message quotes.
func (p *parser) echoed() *Echoed {
	p.advance()
	e := &Echoed{Pos: p.where()}
	p.unsupported()
	switch {
	case p.takeWord("udp"):
		e.Proto, e.Len = EchoedUDP, p.echoedLen()
	case p.takeWord("raw"):
		e.Proto, e.Len = EchoedRaw, p.echoedLen()
	default:
		e.Seq = p.seq()
	}
	p.want(']', "behind the quoted packet")
	return e
}

func (p *parser) echoedLen() uint16 {
	p.want('(', "and a length")
	n := p.number("the length", 1<<16-1)
	p.want(')', "behind the length")
	return uint16(n)
}
