package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink/wire"
)

// tcpStream is a connection, from its end that was heard first.
type tcpStream struct{ from, to netip.AddrPort }

// tcpStart is where the numbers of a connection are counted from: those of the end that was heard first, and those of the other.
type tcpStart struct{ seq, ack uint32 }

// maxStreams is how many connections are remembered; then all are forgotten.
const maxStreams = 1 << 16

// tcp prints a segment behind its ends.
func (p *framePrinter) tcp(t *transport, src, dst uint16) {
	b := t.data
	header := int(b[12]>>4) * 4
	flags, seq, ack := b[13], binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	if header < wire.TCPMinLen || header > t.n {
		p.printf("Flags %s [bad hdr length %d - too %s]", tcpFlags(flags), header, map[bool]string{true: "short, < 20", false: fmt.Sprintf("long, > %d", t.n)}[header < wire.TCPMinLen])
		return
	}
	start := p.stream(tcpStream{netip.AddrPortFrom(t.src, src), netip.AddrPortFrom(t.dst, dst)}, flags, &seq, &ack)
	length := t.n - header
	p.printf("Flags %s", tcpFlags(flags))
	if length > 0 || flags&0x07 != 0 { // SYN, FIN, RST
		p.printf(", seq %d", seq)
		if length > 0 {
			p.printf(":%d", seq+uint32(length))
		}
	}
	if flags&0x10 != 0 {
		p.printf(", ack %d", ack)
	}
	p.printf(", win %d", binary.BigEndian.Uint16(b[14:]))
	if flags&0x20 != 0 {
		p.printf(", urg %d", binary.BigEndian.Uint16(b[18:]))
	}
	if header > wire.TCPMinLen {
		p.printf(", options [")
		p.tcpOptions(b[wire.TCPMinLen:min(len(b), header)], start)
		p.printf("]")
	}
	p.printf(", length %d", length)
}

// tcpFlags is the control bits in brackets, in tcpdump's order.
func tcpFlags(flags byte) string {
	const letters = "FSRP.UEW"
	s := "["
	for i := range letters {
		if flags>>i&1 != 0 {
			s += letters[i : i+1]
		}
	}
	if s == "[" {
		s += "none"
	}
	return s + "]"
}

// stream makes seq and ack relative to the first segment with ACK of the connection, unless it is this one. It returns what
// numbers of the other end are relative to.
func (p *framePrinter) stream(s tcpStream, flags byte, seq, ack *uint32) (other uint32) {
	if p.cmd.Absolute || flags&0x10 == 0 {
		return 0
	}
	back := tcpStream{s.to, s.from}
	start, ok := p.streams[s]
	reverse := false
	if !ok {
		start, reverse = p.streams[back]
	}
	if !ok && !reverse || flags&0x02 != 0 {
		if reverse {
			s, start = back, tcpStart{*ack - 1, *seq}
		} else {
			start = tcpStart{*seq, *ack - 1}
		}
		if len(p.streams) >= maxStreams {
			clear(p.streams)
		}
		p.streams[s] = start
		if reverse {
			return start.seq
		}
		return start.ack
	}
	if reverse {
		*seq, *ack = *seq-start.ack, *ack-start.seq
		return start.seq
	}
	*seq, *ack = *seq-start.seq, *ack-start.ack
	return start.ack
}

// tcpOptions prints options; blocks of SACK are relative to base.
func (p *framePrinter) tcpOptions(b []byte, base uint32) {
	for first := true; len(b) > 0; first = false {
		if !first {
			p.printf(",")
		}
		kind, size := b[0], 1
		if kind > 1 {
			if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
				p.printf("[bad opt]")
				return
			}
			size = int(b[1])
		}
		p.tcpOption(kind, b[min(2, size):size], base)
		if kind == 0 {
			return
		}
		b = b[size:]
	}
}

func (p *framePrinter) tcpOption(kind byte, data []byte, base uint32) {
	switch {
	case kind == 0:
		p.printf("eol")
	case kind == 1:
		p.printf("nop")
	case kind == 2 && len(data) == 2:
		p.printf("mss %d", binary.BigEndian.Uint16(data))
	case kind == 3 && len(data) == 1:
		p.printf("wscale %d", data[0])
	case kind == 4 && len(data) == 0:
		p.printf("sackOK")
	case kind == 5 && len(data)%8 == 0 && len(data) > 0:
		p.printf("sack %d ", len(data)/8)
		for ; len(data) > 0; data = data[8:] {
			p.printf("{%d:%d}", binary.BigEndian.Uint32(data)-base, binary.BigEndian.Uint32(data[4:])-base)
		}
	case kind == 8 && len(data) == 8:
		p.printf("TS val %d ecr %d", binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:]))
	case kind == 19:
		p.printf("md5shared secret not supplied with -M, digest %x", data)
	case kind == 34 && len(data) == 0:
		p.printf("tfo  cookiereq")
	case kind == 34:
		p.printf("tfo  cookie %x", data)
	default:
		p.printf("unknown-%d", kind)
		if len(data) > 0 {
			p.printf(" 0x%x", data)
		}
	}
}
