package wire

import "encoding/binary"

// The IPv4 header (RFC 791, 3.1):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|Version|  IHL  |Type of Service|          Total Length         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|         Identification        |Flags|      Fragment Offset    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Time to Live |    Protocol   |         Header Checksum       |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Source Address                          |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                    Destination Address                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                    Options                    |    Padding    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	ipv4VersionIHL   = 0
	ipv4TrafficClass = 1
	ipv4TotalLen     = 2
	ipv4ID           = 4
	ipv4Fragment     = 6
	ipv4TTL          = 8
	ipv4Protocol     = 9
	ipv4Checksum     = 10
	ipv4Src          = 12
	ipv4Dst          = 16

	ipv4DontFragment  = 1 << 14 // of the 16 bits at ipv4Fragment
	ipv4MoreFragments = 1 << 13
	ipv4OffsetMask    = 1<<13 - 1 // in units of 8 octets
)

// IPv4MinLen is the length of an IPv4 header without options, IPv4MaxLen that with the most options.
const (
	IPv4MinLen = 20
	IPv4MaxLen = 60
)

// IPv4 is a view of a datagram from its header on. It may be longer than the datagram, by the padding of a
// short frame.
type IPv4 []byte

// CheckIPv4 returns b as a datagram that is there completely. It returns ErrShort, ErrVersion, or ErrLength for an
// IHL below 5 or a Total Length below the header's. It does not verify the checksum.
func CheckIPv4(b []byte) (IPv4, error) {
	v, err := CheckIPv4Quoted(b)
	if err == nil && v.TotalLen() > len(b) {
		return nil, ErrShort
	}
	return v, err
}

// CheckIPv4Quoted is CheckIPv4 for the beginning of a datagram, as ICMP errors quote it: the header must be complete,
// Payload returns as much as is there.
func CheckIPv4Quoted(b []byte) (IPv4, error) {
	if len(b) < IPv4MinLen {
		return nil, ErrShort
	}
	if b[ipv4VersionIHL]>>4 != 4 {
		return nil, ErrVersion
	}
	v := IPv4(b)
	n := v.HeaderLen()
	if n < IPv4MinLen || v.TotalLen() < n {
		return nil, ErrLength
	}
	if len(b) < n {
		return nil, ErrShort
	}
	return v, nil
}

// HeaderLen returns the length of the header with its options.
func (v IPv4) HeaderLen() int { return int(v[ipv4VersionIHL]&0xf) * 4 }

// TotalLen returns the length of the datagram, header included.
func (v IPv4) TotalLen() int { return int(binary.BigEndian.Uint16(v[ipv4TotalLen:])) }

// TrafficClass returns the former Type of Service: six bits of DSCP (RFC 2474) and two of ECN (RFC 3168).
func (v IPv4) TrafficClass() uint8 { return v[ipv4TrafficClass] }

// ID returns the Identification.
func (v IPv4) ID() uint16 { return binary.BigEndian.Uint16(v[ipv4ID:]) }

func (v IPv4) fragment() uint16 { return binary.BigEndian.Uint16(v[ipv4Fragment:]) }

// DontFragment returns the DF flag.
func (v IPv4) DontFragment() bool { return v.fragment()&ipv4DontFragment != 0 }

// MoreFragments returns the MF flag.
func (v IPv4) MoreFragments() bool { return v.fragment()&ipv4MoreFragments != 0 }

// FragmentOffset returns where the payload belongs in the whole datagram's, in octets.
func (v IPv4) FragmentOffset() int { return int(v.fragment()&ipv4OffsetMask) * 8 }

// IsFragment reports whether v is a part of a datagram.
func (v IPv4) IsFragment() bool { return v.fragment()&(ipv4MoreFragments|ipv4OffsetMask) != 0 }

// TTL returns the Time to Live.
func (v IPv4) TTL() uint8 { return v[ipv4TTL] }

// Protocol returns the protocol number of the payload.
func (v IPv4) Protocol() uint8 { return v[ipv4Protocol] }

// Src returns the source address.
func (v IPv4) Src() Addr { return AddrFrom4(v[ipv4Src:]) }

// Dst returns the destination address.
func (v IPv4) Dst() Addr { return AddrFrom4(v[ipv4Dst:]) }

// Options returns the options with their padding; WalkIPv4Options reads them.
func (v IPv4) Options() []byte { return v[IPv4MinLen:v.HeaderLen()] }

// Payload returns what follows the header, to the end of the datagram.
func (v IPv4) Payload() []byte { return v[v.HeaderLen():min(v.TotalLen(), len(v))] }

// ChecksumOK reports whether the header checksum is right.
func (v IPv4) ChecksumOK() bool { return Checksum(v[:v.HeaderLen()], 0) == 0xffff }

// DecrementTTL takes one off the TTL, which must not be zero, and updates the checksum.
func (v IPv4) DecrementTTL() {
	old := binary.BigEndian.Uint16(v[ipv4TTL:])
	field := binary.BigEndian.Uint16(v[ipv4Checksum:])
	v[ipv4TTL]--
	binary.BigEndian.PutUint16(v[ipv4Checksum:], UpdateChecksum(field, old, old-1<<8))
}

// SetLength writes the Total Length, and SetID the Identification; the checksum is to be updated then.
func (v IPv4) SetLength(n int) { binary.BigEndian.PutUint16(v[ipv4TotalLen:], uint16(n)) }

func (v IPv4) SetID(id uint16) { binary.BigEndian.PutUint16(v[ipv4ID:], id) }

// UpdateChecksum sets the header checksum anew, after options were changed.
func (v IPv4) UpdateChecksum() {
	v[ipv4Checksum], v[ipv4Checksum+1] = 0, 0
	binary.BigEndian.PutUint16(v[ipv4Checksum:], ^Checksum(v[:v.HeaderLen()], 0))
}

// Complete writes what a host fills in of a header that somebody else made: how long the datagram is, its identification, its
// source, and the checksum.
func (v IPv4) Complete(totalLen int, id uint16, src Addr) {
	binary.BigEndian.PutUint16(v[ipv4TotalLen:], uint16(totalLen))
	binary.BigEndian.PutUint16(v[ipv4ID:], id)
	src.Put4(v[ipv4Src:])
	v.UpdateChecksum()
}

// IPv4Header is an IPv4 header to be written.
type IPv4Header struct {
	TrafficClass                uint8
	TotalLen                    int // octets, header included; at most 65,535
	ID                          uint16
	DontFragment, MoreFragments bool
	FragmentOffset              int // octets, a multiple of 8
	TTL, Protocol               uint8
	Src, Dst                    Addr   // IPv4
	Options                     []byte // at most 40 octets; Put pads them to a multiple of 4
}

// Len returns the length of the header with its options and padding.
func (h *IPv4Header) Len() int { return IPv4MinLen + (len(h.Options)+3)&^3 }

// Put writes h with its checksum to the first Len octets of b.
func (h *IPv4Header) Put(b []byte) {
	n := h.Len()
	b = b[:n]
	fragment := uint16(h.FragmentOffset / 8)
	if h.DontFragment {
		fragment |= ipv4DontFragment
	}
	if h.MoreFragments {
		fragment |= ipv4MoreFragments
	}
	b[ipv4VersionIHL] = 4<<4 | uint8(n/4)
	b[ipv4TrafficClass] = h.TrafficClass
	binary.BigEndian.PutUint16(b[ipv4TotalLen:], uint16(h.TotalLen))
	binary.BigEndian.PutUint16(b[ipv4ID:], h.ID)
	binary.BigEndian.PutUint16(b[ipv4Fragment:], fragment)
	b[ipv4TTL] = h.TTL
	b[ipv4Protocol] = h.Protocol
	b[ipv4Checksum], b[ipv4Checksum+1] = 0, 0
	h.Src.Put4(b[ipv4Src:])
	h.Dst.Put4(b[ipv4Dst:])
	// RFC 791, 3.1, "Padding": "The padding is zero."
	clear(b[IPv4MinLen+copy(b[IPv4MinLen:], h.Options):])
	binary.BigEndian.PutUint16(b[ipv4Checksum:], ^Checksum(b, 0))
}
