package wire

import (
	"encoding/binary"
	"math/bits"
)

// Checksum adds the 16-bit words of b to the one's-complement sum so far and returns the new sum, not inverted
// (RFC 1071, 1). An odd last octet counts as the high half of a word. To sum in pieces, every piece but the last must
// have an even length.
//
//	field = ^Checksum(b, PseudoHeader(src, dst, proto, len(b)))      // with the field's octets zero
//	ok := Checksum(b, PseudoHeader(src, dst, proto, len(b))) == 0xffff
//
// RFC 1071, 2(C): "On machines that have word-sizes that are multiples of 16 bits, it is possible to develop even
// more efficient implementations": words of 64 bits are added, each addition's carry going into the next, and where the
// processor has wider ones, those (sumVector). 2(B): "the sum may be calculated in exactly the same way regardless of
// the byte order", so the words are read in the order most machines have and only the result is swapped.
func Checksum(b []byte, sum uint16) uint16 {
	le := binary.LittleEndian
	s, c := uint64(bits.ReverseBytes16(sum)), uint64(0)
	if len(b) >= vectorMin && vector {
		n := min(len(b), vectorMax) &^ (vectorLen - 1)
		s, c = bits.Add64(s, sumVector(b[:n]), c)
		b = b[n:]
	}
	for len(b) >= 64 {
		w := b[:64:64]
		s, c = bits.Add64(s, le.Uint64(w[0:]), c)
		s, c = bits.Add64(s, le.Uint64(w[8:]), c)
		s, c = bits.Add64(s, le.Uint64(w[16:]), c)
		s, c = bits.Add64(s, le.Uint64(w[24:]), c)
		s, c = bits.Add64(s, le.Uint64(w[32:]), c)
		s, c = bits.Add64(s, le.Uint64(w[40:]), c)
		s, c = bits.Add64(s, le.Uint64(w[48:]), c)
		s, c = bits.Add64(s, le.Uint64(w[56:]), c)
		b = b[64:]
	}
	// The rest is so little that halves of words make no carry out of s; they need not wait for each other's.
	s = s>>32 + s&0xffff_ffff + c
	for len(b) >= 8 {
		w := le.Uint64(b)
		s += w>>32 + w&0xffff_ffff
		b = b[8:]
	}
	if len(b) >= 4 {
		s += uint64(le.Uint32(b))
		b = b[4:]
	}
	if len(b) >= 2 {
		s += uint64(le.Uint16(b))
		b = b[2:]
	}
	if len(b) > 0 {
		s += uint64(b[0])
	}
	return bits.ReverseBytes16(fold(s, 0))
}

// fold adds the four 16-bit words of s and the carry c.
func fold(s, c uint64) uint16 {
	s = s>>32 + s&0xffff_ffff + c // at most 33 bits
	s = s>>16 + s&0xffff          // at most 18 bits
	s = s>>16 + s&0xffff          // at most 17 bits
	return uint16(s>>16 + s)
}

// PseudoHeader returns the sum of the pseudo header that TCP, UDP and ICMPv6 checksum before their own n octets: that of
// RFC 9293, 3.1 between IPv4 addresses, that of RFC 8200, 8.1 between IPv6 ones.
//
// One sum serves both families. The words of the two formats are the same but for the prefix ::ffff:0:0/96 with which
// an Addr holds an IPv4 address, and ffff is a zero of one's-complement arithmetic.
func PseudoHeader(src, dst Addr, proto uint8, n int) uint16 {
	s, c := bits.Add64(src.Hi, src.Lo, 0)
	s, c = bits.Add64(s, dst.Hi, c)
	s, c = bits.Add64(s, dst.Lo, c)
	s, c = bits.Add64(s, uint64(proto)+uint64(n), c)
	return fold(s, c)
}

// UpdateChecksum returns what the checksum in a header becomes when one of the 16-bit words it covers changes from
// old to new.
//
// RFC 1624, 3: "HC' = ~(C + (-m) + m') … = ~(~HC + ~m + m')".
func UpdateChecksum(field, old, new uint16) uint16 {
	return ^fold(uint64(^field)+uint64(^old)+uint64(new), 0)
}

// FinishChecksum sets the checksum of the TCP, UDP or other transport packet b, sent from src to dst as
// protocol proto: the two octets at b[at:] are cleared and set to the checksum over pseudo header and b.
func FinishChecksum(b []byte, at int, proto uint8, src, dst Addr) {
	field := b[at : at+2]
	field[0], field[1] = 0, 0
	sum := ^Checksum(b, PseudoHeader(src, dst, proto, len(b)))
	// RFC 768: "If the computed checksum is zero, it is transmitted as all ones".
	if sum == 0 && proto == ProtoUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(field, sum)
}

// TransportChecksumOK reports whether the checksum of the TCP, UDP or other transport packet b, which came
// from src to dst as protocol proto, is right. b must end where the packet ends (a [UDP] view does).
func TransportChecksumOK(b []byte, proto uint8, src, dst Addr) bool {
	if proto == ProtoUDP && len(b) >= UDPLen && b[6]|b[7] == 0 {
		// RFC 768: "An all zero transmitted checksum value means that the transmitter generated no checksum".
		// RFC 8200, 8.1: "IPv6 receivers must discard UDP packets containing a zero checksum".
		return dst.Is4()
	}
	return Checksum(b, PseudoHeader(src, dst, proto, len(b))) == 0xffff
}
