package wire

import "encoding/binary"

// The header every ICMP (RFC 792) and ICMPv6 (RFC 4443, 2.1) message used here has; what the second word means
// depends on the type:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |     Code      |          Checksum             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|              rest: Identifier and Sequence Number,            |
//	|               Pointer, MTU, gateway, or unused                |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	icmpType     = 0
	icmpCode     = 1
	icmpChecksum = 2
	icmpRest     = 4
)

// ICMPChecksumOffset is where in the header the checksum is.
const ICMPChecksumOffset = icmpChecksum

// ICMPLen is the length of an ICMP or ICMPv6 header.
const ICMPLen = 8

// ICMP is a view of an ICMP or ICMPv6 message to its end.
type ICMP []byte

// CheckICMP returns b as a message of either family, or ErrShort. It does not verify the checksum.
func CheckICMP(b []byte) (ICMP, error) {
	if len(b) < ICMPLen {
		return nil, ErrShort
	}
	return b, nil
}

// Type returns the type: one of the ICMPv4 or ICMPv6 constants, as the family is.
func (m ICMP) Type() uint8 { return m[icmpType] }

// Code returns the code, whose meaning depends on the type.
func (m ICMP) Code() uint8 { return m[icmpCode] }

// Checksum returns the checksum field.
func (m ICMP) Checksum() uint16 { return binary.BigEndian.Uint16(m[icmpChecksum:]) }

// Rest returns the second word of the header.
func (m ICMP) Rest() uint32 { return binary.BigEndian.Uint32(m[icmpRest:]) }

// ID returns the Identifier of an echo message.
func (m ICMP) ID() uint16 { return binary.BigEndian.Uint16(m[icmpRest:]) }

// SetID changes the Identifier; the checksum is then to be set anew.
func (m ICMP) SetID(id uint16) { binary.BigEndian.PutUint16(m[icmpRest:], id) }

// Seq returns the Sequence Number of an echo message.
func (m ICMP) Seq() uint16 { return binary.BigEndian.Uint16(m[icmpRest+2:]) }

// Body returns what follows the header: the data of an echo message, the packet an error is about.
func (m ICMP) Body() []byte { return m[ICMPLen:] }

// PutICMP writes a header with a zero checksum to the first ICMPLen octets of b.
func PutICMP(b []byte, typ, code uint8, rest uint32) {
	_ = b[ICMPLen-1]
	b[icmpType], b[icmpCode] = typ, code
	b[icmpChecksum], b[icmpChecksum+1] = 0, 0
	binary.BigEndian.PutUint32(b[icmpRest:], rest)
}

// FinishICMPv4 sets the checksum of the ICMP message b.
func FinishICMPv4(b []byte) {
	b[icmpChecksum], b[icmpChecksum+1] = 0, 0
	binary.BigEndian.PutUint16(b[icmpChecksum:], ^Checksum(b, 0))
}

// FinishICMPv6 sets the checksum of the ICMPv6 message b, which goes from src to dst.
//
// RFC 4443, 2.3: the sum is "prepended with a 'pseudo-header' of IPv6 header fields".
func FinishICMPv6(b []byte, src, dst Addr) {
	FinishChecksum(b, icmpChecksum, ProtoICMPv6, src, dst)
}

// ICMPv4ChecksumOK reports whether the checksum of the ICMP message b is right.
func ICMPv4ChecksumOK(b []byte) bool { return Checksum(b, 0) == 0xffff }

// ICMPv6ChecksumOK reports whether the checksum of the ICMPv6 message b, which came from src to dst, is right.
func ICMPv6ChecksumOK(b []byte, src, dst Addr) bool {
	return TransportChecksumOK(b, ProtoICMPv6, src, dst)
}
