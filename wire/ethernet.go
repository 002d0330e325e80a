package wire

import "encoding/binary"

// The Ethernet header (RFC 894; RFC 2464, 3):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                    Destination Address                        |
//	+                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                               |                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//	|                       Source Address                          |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|             Type              |   payload ...
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	ethernetDst  = 0
	ethernetSrc  = 6
	ethernetType = 12
)

// EthernetLen is the length of an Ethernet header.
const EthernetLen = 14

// VLANLen is the length of a VLAN tag: the EtherType before it is part of the header, and another one is part of the tag.
const VLANLen = 4

// The Ethernet types of the protocols spoken here.
const (
	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	EtherTypeVLAN = 0x8100 // a tag follows (IEEE 802.1Q)
	EtherTypeIPv6 = 0x86dd
)

// Ethernet is a view of a frame from its destination address on.
type Ethernet []byte

// CheckEthernet returns b as a frame, or ErrShort.
func CheckEthernet(b []byte) (Ethernet, error) {
	if len(b) < EthernetLen {
		return nil, ErrShort
	}
	return b, nil
}

// Dst returns the destination address.
func (e Ethernet) Dst() MAC { return MAC(e[ethernetDst:]) }

// Src returns the source address.
func (e Ethernet) Src() MAC { return MAC(e[ethernetSrc:]) }

// EtherType returns the type field. Values up to 1500 are the length of an IEEE 802.3 frame.
func (e Ethernet) EtherType() uint16 { return binary.BigEndian.Uint16(e[ethernetType:]) }

// Payload returns what follows the header, padding included.
func (e Ethernet) Payload() []byte { return e[EthernetLen:] }

// PutEthernet writes a header to the first EthernetLen octets of b.
func PutEthernet(b []byte, dst, src MAC, etherType uint16) {
	_ = b[EthernetLen-1]
	copy(b[ethernetDst:], dst[:])
	copy(b[ethernetSrc:], src[:])
	binary.BigEndian.PutUint16(b[ethernetType:], etherType)
}
