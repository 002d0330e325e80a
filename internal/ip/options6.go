package ip

import (
	"encoding/binary"

	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// options6 looks at the options in the header x, Hop-by-Hop or Destination Options. It returns false if they ended the
// packet's way; then p is gone. Known are padding and, hop by hop, Router Alert and Jumbo Payload.
func (q *queue) options6(p *packet.Buffer, x *wire.ExtHeader) bool {
	limit := q.l.Settings().optionLimit(x.Proto)
	if len(x.Data) > limit.octets {
		q.drop(p, mib.Ip6OptionLimit)
		return false
	}
	b := x.Data
	n, padding := 0, 0
	for at := 2; at < len(b); {
		typ, size := b[at], 1
		if typ != wire.IPv6Pad1 {
			if at+2 > len(b) || at+2+int(b[at+1]) > len(b) {
				// RFC 4443, 3.4: "a problem with a field in the IPv6 header or extension headers such that it cannot
				// complete processing the packet".
				q.reject(p, paramProblem6(wire.ICMPv6ErroneousHeader, wire.IPv6Len+x.Offset+at), mib.Ip6Option)
				return false
			}
			size = 2 + int(b[at+1])
		}
		option := b[at : at+size]
		if typ == wire.IPv6Pad1 || typ == wire.IPv6PadN {
			padding += size
			if !goodPadding(option, padding) {
				q.drop(p, mib.Ip6OptionLimit)
				return false
			}
			at += size
			continue
		}
		n++
		if padding = 0; n > limit.number {
			// RFC 8504, 5.3: "If a packet is received and the number of destination or hop-by-hop options exceeds the
			// limit, then the packet SHOULD be silently discarded": it takes time to go through them.
			q.drop(p, mib.Ip6OptionLimit)
			return false
		}
		if !q.option6(p, x, option, at) {
			return false
		}
		at += size
	}
	return true
}

// goodPadding reports whether the padding option b, with which there are n octets of padding in a row, is to be
// tolerated.
//
// RFC 8200, 4.2: "For N octets of padding, … the Option Data consists of N-2 zero-valued octets." RFC 8504, 5.3: "A host MAY
// limit the number of consecutive PAD1 options in destination options or hop-by-hop options to 7. … A host MAY limit the number
// of bytes in a PADN option to be less than 8." Linux does the same.
func goodPadding(b []byte, n int) bool {
	for _, v := range b[min(2, len(b)):] {
		if v != 0 {
			return false
		}
	}
	return n <= 7
}

// option6 takes an option, which is at the offset at of the header x.
func (q *queue) option6(p *packet.Buffer, x *wire.ExtHeader, b []byte, at int) bool {
	pointer := wire.IPv6Len + x.Offset + at
	if x.Proto == wire.ProtoHopByHop {
		switch b[0] {
		case wire.IPv6RouterAlert:
			if len(b) != 4 { // RFC 2711, 2.1: its Value is of two octets
				q.drop(p, mib.Ip6Option)
				return false
			}
			return true
		case wire.IPv6Jumbo:
			q.jumbo(p, b, pointer)
			return false
		}
	}
	// RFC 8200, 4.2.
	switch wire.OptionAction(b[0] >> 6) {
	case wire.OptionSkip: // "skip over this option and continue processing the header"
		if q.l.Settings().optionLimit(x.Proto).known {
			q.drop(p, mib.Ip6UnknownOption)
			return false
		}
		return true
	case wire.OptionReportUnicast: // "and, only if the packet's Destination Address was not a multicast address"
		if p.Dst.IsMulticast() {
			q.drop(p, mib.Ip6UnknownOption)
			return false
		}
		fallthrough
	case wire.OptionReport: // "regardless of whether or not …, send an ICMP Parameter Problem, Code 2"
		q.reject(p, paramProblem6(wire.ICMPv6UnrecognizedOption, pointer), mib.Ip6UnknownOption)
	case wire.OptionDiscard:
		q.drop(p, mib.Ip6UnknownOption)
	}
	return false
}

// jumbo refuses a packet that says to be a jumbogram. No link here carries any: those of a length that would be right are
// cut off.
//
// RFC 2675, 3: "error: IPv6 Payload Length != 0 and Jumbo Payload option present Code: 0 Pointer: Option Type field of the Jumbo
// Payload option"; "error: Jumbo Payload option present and Jumbo Payload Length < 65,536 Code: 0 Pointer: high-order octet of
// the Jumbo Payload Length".
func (q *queue) jumbo(p *packet.Buffer, b []byte, pointer int) {
	switch {
	case len(b) != 6 || pointer&3 != 2: // "The Jumbo Payload option has an alignment requirement of 4n + 2."
		q.drop(p, mib.Ip6Option)
	case wire.IPv6(p.FromNetwork()).PayloadLen() != 0:
		q.reject(p, paramProblem6(wire.ICMPv6ErroneousHeader, pointer), mib.Ip6Jumbogram)
	case binary.BigEndian.Uint32(b[2:]) <= 65535:
		q.reject(p, paramProblem6(wire.ICMPv6ErroneousHeader, pointer+2), mib.Ip6Jumbogram)
	default:
		q.drop(p, mib.Ip6Jumbogram)
	}
}

// lengthless takes a packet whose header says that it is a jumbogram: no payload length, and Hop-by-Hop Options.
//
// RFC 2675, 3: "error: IPv6 Payload Length = 0 and IPv6 Next Header = Hop-by-Hop Options and Jumbo Payload option not present
// Code: 0 Pointer: high-order octet of the IPv6 Payload Length".
func (q *queue) lengthless(p *packet.Buffer) {
	if q.hopByHop(p) {
		q.reject(p, paramProblem6(wire.ICMPv6ErroneousHeader, 4), mib.Ip6Header)
	}
}

// hopByHop looks at the Hop-by-Hop Options of a packet to be sent on. It returns false if they ended its way.
//
// RFC 8200, 4: nodes along the way "only examine and process the Hop-by-Hop Options header if explicitly configured to do
// so". As with Linux, to forward is such a configuration: what the options' action bits ask for is done.
func (q *queue) hopByHop(p *packet.Buffer) bool {
	it := wire.WalkExt(wire.ProtoHopByHop, p.Bytes()[wire.IPv6Len:])
	if !it.Next() {
		q.drop(p, mib.Ip6Header)
		return false
	}
	x := it.Header()
	return q.options6(p, &x)
}

// optionLimit is what is tolerated of options in one header.
type optionLimit struct {
	number int  // of options that are not padding
	octets int  // of the header
	known  bool // and options that are not known are not
}

// optionLimit returns the limit of a header: Linux's max_hbh_opts_number, max_dst_opts_number and the lengths. A negative
// number is that of known options, and no others.
func (s *Settings) optionLimit(proto uint8) optionLimit {
	number, octets := s.MaxDstOptions, s.MaxDstOctets
	if proto == wire.ProtoHopByHop {
		number, octets = s.MaxHopOptions, s.MaxHopOctets
	}
	if number < 0 {
		return optionLimit{-number, octets, true}
	}
	return optionLimit{number, octets, false}
}
