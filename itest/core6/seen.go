package core6

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/wire"
)

// seen is an IPv6 packet that the node sent.
type seen struct {
	at       time.Duration
	port     int
	from, to wire.MAC
	src, dst wire.Addr
	hop      uint8
	next     uint8  // of the first header
	packet   []byte // from the IPv6 header on
	body     []byte // behind the IPv6 header, and behind Hop-by-Hop options
	upper    uint8  // what body begins with
}

func (s *seen) String() string {
	return fmt.Sprintf("%v: port %d, to %v: %s", s.at, s.port, s.to,
		conform.Describe(conform.Sent{Port: s.port, Frame: append(make([]byte, 12), append([]byte{0x86, 0xdd}, s.packet...)...)}, nil))
}

// icmp returns the message, if it is ICMPv6 in one piece.
func (s *seen) icmp() (wire.ICMP, bool) {
	if s.upper != wire.ProtoICMPv6 {
		return nil, false
	}
	m, err := wire.CheckICMP(s.body)
	return m, err == nil
}

// option returns the value of the Neighbor Discovery option, behind so many octets of the message.
func (s *seen) option(header int, typ uint8) ([]byte, bool) {
	for b := s.body[min(header, len(s.body)):]; len(b) >= 8 && b[1] > 0 && int(b[1])*8 <= len(b); b = b[int(b[1])*8:] {
		if b[0] == typ {
			return b[2 : int(b[1])*8], true
		}
	}
	return nil, false
}

// read makes a seen of a frame; nil: it is not IPv6. What is wrong with any packet of the node's at any time is told here.
func (b *Bench) read(port int, f []byte) *seen {
	b.Helper()
	if len(f) < wire.EthernetLen || f[12] != 0x86 || f[13] != 0xdd {
		return nil
	}
	p := f[wire.EthernetLen:]
	h, err := wire.CheckIPv6(p)
	if err != nil {
		b.Fatalf("the node sent % x: %v", p, err)
	}
	s := &seen{at: b.Now(), port: port, to: wire.MAC(f[:6]), from: wire.MAC(f[6:12]), src: h.Src(), dst: h.Dst(), hop: h.HopLimit(),
		next: h.NextHeader(), upper: h.NextHeader(), packet: p[:wire.IPv6Len+len(h.Payload())], body: h.Payload()}
	if s.next == wire.ProtoHopByHop {
		s.upper, s.body = s.body[0], s.body[8*(int(s.body[1])+1):]
	}
	b.lint(s)
	return s
}

// lint holds each packet against what is always so.
func (b *Bench) lint(s *seen) {
	b.Helper()
	if s.src.IsMulticast() { // RFC 4291, 2.7
		b.Errorf("%v: from a group", s)
	}
	// RFC 2464, 7: an IPv6 packet to a group goes to 33-33 and its last four octets.
	if s.dst.IsMulticast() && s.to != s.dst.MulticastMAC() {
		b.Errorf("%v: to %v", s, s.to)
	}
	m, ok := s.icmp()
	if !ok || s.src == host1.addr || s.src == host3.addr { // it forwards theirs as it is
		return
	}
	if !wire.ICMPv6ChecksumOK(s.body, s.src, s.dst) {
		b.Errorf("%v: the checksum is wrong", s)
	}
	switch t := m.Type(); {
	case wire.ICMPv6IsError(t) && len(s.packet) > wire.IPv6MinMTU:
		b.Errorf("%v: RFC 4443, 2.4(c): %d octets", s, len(s.packet))
	case t >= wire.ICMPv6RouterSolicitation && t <= wire.ICMPv6Redirect && (s.hop != 255 || m.Code() != 0):
		b.Errorf("%v: RFC 4861, 4: the hop limit is 255 and the code 0", s)
	case (t == wire.ICMPv6MLDReport || t == wire.ICMPv6MLDDone || t == wire.ICMPv6MLDv2Report) &&
		(s.hop != 1 || s.next != wire.ProtoHopByHop || !s.src.IsLinkLocal() && !s.src.IsUnspecified()):
		b.Errorf("%v: RFC 3810, 5: from a link-local address, with hop limit 1 and Router Alert", s)
	}
}

// want is what a packet is waited for by.
type want struct {
	what string
	ok   func(s *seen) bool
}

// and returns a want that asks more.
func (w want) and(what string, ok func(s *seen) bool) want {
	return want{w.what + " " + what, func(s *seen) bool { return w.ok(s) && ok(s) }}
}

// toMAC asks for a station as the destination of the frame.
func (w want) toMAC(m wire.MAC) want {
	return w.and("to "+m.String(), func(s *seen) bool { return s.to == m })
}

func (w want) from(a wire.Addr) want {
	return w.and("from "+a.String(), func(s *seen) bool { return s.src == a })
}

// next returns the next packet that the node sends in that time; nil: none.
func (b *Bench) next(wait time.Duration) *seen {
	b.Helper()
	for end := b.Now() + wait; ; {
		port, f, ok := b.Next(end - b.Now())
		if !ok {
			return nil
		}
		if s := b.read(port, f); s != nil {
			b.answer(s)
			return s
		}
	}
}

// try returns the first packet that w wants within that time, and passes over others; nil: none.
func (b *Bench) try(wait time.Duration, w want) *seen {
	b.Helper()
	for end := b.Now() + wait; ; {
		s := b.next(end - b.Now())
		if s == nil || w.ok(s) {
			return s
		}
	}
}

// expect is try for what must come.
func (b *Bench) expect(wait time.Duration, w want) *seen {
	b.Helper()
	var others []string
	for end := b.Now() + wait + b.slack; ; {
		s := b.next(end - b.Now())
		if s == nil {
			b.Fatalf("no %s in %v, but %q", w.what, wait, others)
		}
		if w.ok(s) {
			return s
		}
		others = append(others, s.String())
	}
}

// none fails if what w wants comes within that time, which passes.
func (b *Bench) none(wait time.Duration, w want) {
	b.Helper()
	if s := b.try(wait, w); s != nil {
		b.Fatalf("there came %v: no %s was due", s, w.what)
	}
}

// pass lets time pass, and whatever comes.
func (b *Bench) pass(d time.Duration) {
	b.Helper()
	for end := b.Now() + d; b.next(end-b.Now()) != nil; {
	}
}

// between fails unless d is in that range.
func (b *Bench) between(what string, d, least, most time.Duration) {
	b.Helper()
	if d < least || d > most {
		b.Fatalf("%s is %v, not between %v and %v", what, d, least, most)
	}
}

// All of these are packets of the node.

func typed(name string, typ uint8) want {
	return want{name, func(s *seen) bool { m, ok := s.icmp(); return ok && m.Type() == typ }}
}

func anyNS() want { return typed("Neighbor Solicitation", wire.ICMPv6NeighborSolicitation) }
func anyNA() want { return typed("Neighbor Advertisement", wire.ICMPv6NeighborAdvertisement) }
func anyRS() want { return typed("Router Solicitation", wire.ICMPv6RouterSolicitation) }
func anyRA() want { return typed("Router Advertisement", wire.ICMPv6RouterAdvertisement) }

func about(w want, target wire.Addr) want {
	return w.and("about "+target.String(), func(s *seen) bool { return len(s.body) >= 24 && wire.AddrFrom16(s.body[8:]) == target })
}

func ns(target wire.Addr) want { return about(anyNS(), target) }
func na(target wire.Addr) want { return about(anyNA(), target) }

// unicast and multicast are about where it goes.
func (w want) unicast() want {
	return w.and("to one node", func(s *seen) bool { return !s.dst.IsMulticast() })
}
func (w want) multicast() want {
	return w.and("to a group", func(s *seen) bool { return s.dst.IsMulticast() })
}

func (w want) to(a wire.Addr) want {
	return w.and("to "+a.String(), func(s *seen) bool { return s.dst == a })
}

func reply(to wire.Addr) want { return typed("Echo Reply", wire.ICMPv6EchoReply).to(to) }

// piece is a fragment.
func piece(to wire.Addr) want {
	return want{"fragment", func(s *seen) bool { return s.upper == wire.ProtoFragment }}.to(to)
}

// fault is an ICMPv6 error.
func fault(typ, code uint8) want {
	return want{fmt.Sprintf("error %d code %d", typ, code), func(s *seen) bool {
		m, ok := s.icmp()
		return ok && m.Type() == typ && m.Code() == code
	}}
}

func anyFault() want {
	return want{"error", func(s *seen) bool { m, ok := s.icmp(); return ok && wire.ICMPv6IsError(m.Type()) }}
}
