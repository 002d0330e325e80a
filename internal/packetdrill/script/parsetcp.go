package script

import "strings"

// flagLetters are the flags in the order of their bits.
const flagLetters = "FSRP.UEWA"

// tcp reads a segment: S. 0:0(0) ack 1 win 1000 urg 5 <mss 1460,nop> /udp(1 > 2).
func (p *parser) tcp(d Dir) *TCP {
	t := &TCP{Pos: p.where()}
	p.flags(t)
	t.Seq = p.seq()
	if p.takeWord("ack") {
		t.HasAck, t.Ack = true, uint32(p.number("the acknowledgment number", 1<<32-1))
	}
	end := p.tok.off
	if p.takeWord("win") {
		t.HasWin, t.Win = true, uint16(p.number("the window", 1<<16-1))
	}
	if p.takeWord("urg") {
		t.HasUrg, t.Urg = true, uint16(p.number("the urgent pointer", 1<<16-1))
	}
	if d == Inbound && !t.HasWin {
		p.fail(end, "found %s, expected win and the window, which an inbound segment has to say", p.found())
	}
	p.options(t, d)
	if p.take('/') {
		at := p.where()
		if !p.takeWord("udp") {
			p.expected("udp(source > destination)")
		}
		p.want('(', "and two ports")
		if t.InUDP = p.ports(); t.InUDP == nil {
			p.expected("two ports")
		}
		t.InUDP.Pos = at
		p.want(')', "behind two ports")
	}
	return t
}

// flags reads SEW. or S.5 or - for none. Letters are the bits, a digit is the field of Accurate ECN.
func (p *parser) flags(t *TCP) {
	off, text := p.tok.off, ""
	switch {
	case p.is('-'):
		p.advance()
		return
	case p.is('.'):
		p.advance()
		text = "."
	default:
		if p.tok.kind == tokWord {
			text = p.advance().text
		}
		if p.is('.') {
			p.advance()
			text += "."
		} else if p.tok.kind == tokFloat && p.tok.text[0] == '.' { // S.5 and .5 look like a number
			text += p.advance().text
		}
	}
	if text == "" {
		p.expected("the flags of a segment, udp or icmp")
	}
	for i := range len(text) {
		c := text[i]
		bit := strings.IndexByte(flagLetters, c)
		switch {
		case bit >= 0:
			t.Flags |= 1 << bit
		case '0' <= c && c <= '7' && !t.ACE:
			t.ACE = true
			t.Flags |= Flags(c-'0') << 6
		default:
			p.fail(off, "found %q, expected the flags of a segment (F S R P . U E W A or a digit up to 7), udp or icmp", shorten(text))
		}
	}
	if t.ACE && strings.ContainsAny(text, "EWA") {
		p.fail(off, "the flags %q have both a digit, which stands for A, W and E, and one of these", text)
	}
}

// seq reads start:end(len), start:end(len)! or ...(len).
func (p *parser) seq() Seq {
	s := Seq{Pos: p.where()}
	if p.tok.kind == tokEllipsis {
		p.advance()
		s.Any = true
		s.Len = p.payload()
		return s
	}
	s.Start = uint32(p.number("the first sequence number", 1<<32-1))
	p.want(':', "between two sequence numbers")
	off := p.tok.off
	end := uint32(p.number("the sequence number behind the last", 1<<32-1))
	s.Len = p.payload()
	if end != s.End() {
		p.fail(off, "found the sequence number %d behind %d bytes from %d, expected %d", end, s.Len, s.Start, s.End())
	}
	s.Absolute = p.take('!')
	return s
}

func (p *parser) payload() uint16 {
	p.want('(', "and the length of the payload")
	n := p.number("the length of the payload", 1<<16-1)
	p.want(')', "behind the length of the payload")
	return uint16(n)
}

// options reads <mss 1460,nop,nop,sackOK> or <...>; there may be none.
func (p *parser) options(t *TCP, d Dir) {
	at := p.where()
	off := p.tok.off
	if !p.take('<') {
		return
	}
	if p.tok.kind == tokEllipsis {
		p.outboundOnly(d, at, "<...>")
		p.advance()
		p.want('>', "behind <...")
		t.AnyOptions = true
		return
	}
	for more := true; more; more = p.take(',') {
		t.Options = append(t.Options, p.tcpOption())
	}
	p.want('>', "or , in the options of a segment")
	size := 0
	for i := range t.Options {
		size += t.Options[i].Size()
	}
	switch {
	case size > maxOptions:
		p.fail(off, "the options have %d bytes, %d fit", size, maxOptions)
	case size%4 != 0:
		p.fail(off, "the options have %d bytes, not a multiple of 4: expected nop or eol to fill up", size)
	}
}

// maxOptions is what a header of 15 words leaves for options.
const maxOptions = 40
