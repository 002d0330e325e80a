package wire

import "encoding/binary"

// The IPv6 header (RFC 8200, 3):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|Version| Traffic Class |           Flow Label                  |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|         Payload Length        |  Next Header  |   Hop Limit   |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                                                               |
//	+                                                               +
//	|                                                               |
//	+                         Source Address                        +
//	|                                                               |
//	+                                                               +
//	|                                                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                                                               |
//	+                                                               +
//	|                                                               |
//	+                      Destination Address                      +
//	|                                                               |
//	+                                                               +
//	|                                                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	ipv6PayloadLen = 4
	ipv6NextHeader = 6
	ipv6HopLimit   = 7
	ipv6Src        = 8
	ipv6Dst        = 24
)

// IPv6Len is the length of an IPv6 header without extension headers.
const IPv6Len = 40

// IPv6MinMTU is what every link carries without fragmentation at the IPv6 layer (RFC 8200, 5).
const IPv6MinMTU = 1280

// IPv6 is a view of a packet from its header on. It may be longer than the packet, by the padding of a short
// frame.
type IPv6 []byte

// CheckIPv6 returns b as a packet that is there completely. It returns ErrShort, ErrVersion, or ErrAddress if source or
// destination is IPv4-mapped (RFC 4291, 2.5.5.2): those stand for IPv4 nodes inside a program and an Addr could
// not tell them from IPv4, so they have no business on a wire.
func CheckIPv6(b []byte) (IPv6, error) {
	v, err := CheckIPv6Quoted(b)
	if err == nil && IPv6Len+v.PayloadLen() > len(b) {
		return nil, ErrShort
	}
	return v, err
}

// CheckIPv6Quoted is CheckIPv6 for the beginning of a packet, as ICMPv6 errors quote it: the header must be
// complete, Payload returns as much as is there.
func CheckIPv6Quoted(b []byte) (IPv6, error) {
	if len(b) < IPv6Len {
		return nil, ErrShort
	}
	if b[0]>>4 != 6 {
		return nil, ErrVersion
	}
	v := IPv6(b)
	if v.Src().Is4() || v.Dst().Is4() {
		return nil, ErrAddress
	}
	return v, nil
}

// TrafficClass returns six bits of DSCP (RFC 2474) and two of ECN (RFC 3168).
func (v IPv6) TrafficClass() uint8 { return uint8(binary.BigEndian.Uint16(v) >> 4) }

// FlowLabel returns the 20 bits of the Flow Label.
func (v IPv6) FlowLabel() uint32 { return binary.BigEndian.Uint32(v) & 0xf_ffff }

// PayloadLen returns the length of what follows the header, extension headers included.
func (v IPv6) PayloadLen() int { return int(binary.BigEndian.Uint16(v[ipv6PayloadLen:])) }

// NextHeader returns the number of the first extension header, or of the upper-layer protocol.
func (v IPv6) NextHeader() uint8 { return v[ipv6NextHeader] }

// HopLimit returns the Hop Limit.
func (v IPv6) HopLimit() uint8 { return v[ipv6HopLimit] }

// SetPayloadLen writes the Payload Length.
func (v IPv6) SetPayloadLen(n int) { binary.BigEndian.PutUint16(v[ipv6PayloadLen:], uint16(n)) }

// SetHopLimit writes the Hop Limit.
func (v IPv6) SetHopLimit(n uint8) { v[ipv6HopLimit] = n }

// Src returns the source address.
func (v IPv6) Src() Addr { return AddrFrom16(v[ipv6Src:]) }

// Dst returns the destination address.
func (v IPv6) Dst() Addr { return AddrFrom16(v[ipv6Dst:]) }

// Payload returns what follows the header, to the end of the packet.
func (v IPv6) Payload() []byte { return v[IPv6Len:min(IPv6Len+v.PayloadLen(), len(v))] }

// IPv6Header is an IPv6 header to be written.
type IPv6Header struct {
	TrafficClass         uint8
	FlowLabel            uint32 // 20 bits
	PayloadLen           int    // octets behind the header; at most 65,535
	NextHeader, HopLimit uint8
	Src, Dst             Addr // IPv6
}

// Put writes h to the first IPv6Len octets of b.
func (h *IPv6Header) Put(b []byte) {
	_ = b[IPv6Len-1]
	binary.BigEndian.PutUint32(b, 6<<28|uint32(h.TrafficClass)<<20|h.FlowLabel&0xf_ffff)
	binary.BigEndian.PutUint16(b[ipv6PayloadLen:], uint16(h.PayloadLen))
	b[ipv6NextHeader] = h.NextHeader
	b[ipv6HopLimit] = h.HopLimit
	h.Src.Put16(b[ipv6Src:])
	h.Dst.Put16(b[ipv6Dst:])
}
