package wire

import "encoding/binary"

// The UDP header (RFC 768):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|          Source Port          |       Destination Port        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|            Length             |           Checksum            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	udpSrcPort  = 0
	udpDstPort  = 2
	udpLength   = 4
	udpChecksum = 6
)

// UDPLen is the length of a UDP header.
const UDPLen = 8

// UDPChecksumOffset is where the checksum is, for FinishChecksum.
const UDPChecksumOffset = udpChecksum

// UDP is a view of a user datagram from its header to the end its Length field gives.
type UDP []byte

// CheckUDP returns the user datagram at the beginning of b, without what b has behind it. It returns ErrShort, or
// ErrLength for a Length below 8 (RFC 768: "the minimum value of the length is eight").
func CheckUDP(b []byte) (UDP, error) {
	if len(b) < UDPLen {
		return nil, ErrShort
	}
	n := UDP(b).Length()
	if n < UDPLen {
		return nil, ErrLength
	}
	if n > len(b) {
		return nil, ErrShort
	}
	return b[:n], nil
}

// SrcPort returns the source port; zero means none.
func (u UDP) SrcPort() uint16 { return binary.BigEndian.Uint16(u[udpSrcPort:]) }

// DstPort returns the destination port.
func (u UDP) DstPort() uint16 { return binary.BigEndian.Uint16(u[udpDstPort:]) }

// Length returns the length of header and data.
func (u UDP) Length() int { return int(binary.BigEndian.Uint16(u[udpLength:])) }

// Checksum returns the checksum field; zero means that the sender made none.
func (u UDP) Checksum() uint16 { return binary.BigEndian.Uint16(u[udpChecksum:]) }

// SetLength writes the length of header and data.
func (u UDP) SetLength(n int) { binary.BigEndian.PutUint16(u[udpLength:], uint16(n)) }

// Payload returns the data.
func (u UDP) Payload() []byte { return u[UDPLen:] }

// PutUDP writes a header with a zero checksum to the first UDPLen octets of b. length counts header and data.
func PutUDP(b []byte, src, dst uint16, length int) {
	_ = b[UDPLen-1]
	binary.BigEndian.PutUint16(b[udpSrcPort:], src)
	binary.BigEndian.PutUint16(b[udpDstPort:], dst)
	binary.BigEndian.PutUint16(b[udpLength:], uint16(length))
	b[udpChecksum], b[udpChecksum+1] = 0, 0
}
