package wire

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
)

// Addr is an IPv4 or IPv6 address as the packet path holds it: 128 bits in host order, no pointer, no zone,
// comparable, and cheap to hash. An IPv4 address is held in its IPv4-mapped form ::ffff:a.b.c.d (RFC 4291,
// 2.5.5.2). The zero Addr is ::, the unspecified address, and means "not given" where an address is optional.
type Addr struct{ Hi, Lo uint64 }

const mapped4 = 0xffff_0000_0000 // the upper half of Lo of an IPv4-mapped address

// Addresses with a name.
var (
	Broadcast4   = Addr4(255, 255, 255, 255)
	Unspecified4 = Addr4(0, 0, 0, 0)
	Loopback4    = Addr4(127, 0, 0, 1)
	Loopback6    = Addr{0, 1}
	AllNodes6    = Addr{0xff02 << 48, 1} // link-local all-nodes (RFC 4291, 2.7.1)
	AllRouters6  = Addr{0xff02 << 48, 2} // link-local all-routers
)

// Addr4 returns the IPv4 address a.b.c.d.
func Addr4(a, b, c, d byte) Addr {
	return Addr{0, mapped4 | uint64(a)<<24 | uint64(b)<<16 | uint64(c)<<8 | uint64(d)}
}

// AddrFrom returns a without its zone. The zero netip.Addr gives the zero Addr.
func AddrFrom(a netip.Addr) Addr {
	if !a.IsValid() {
		return Addr{}
	}
	b := a.As16()
	return AddrFrom16(b[:])
}

// AddrFrom4 reads an IPv4 address from the first four octets of b.
func AddrFrom4(b []byte) Addr { return Addr{0, mapped4 | uint64(binary.BigEndian.Uint32(b))} }

// AddrFrom16 reads an IPv6 address from the first sixteen octets of b.
func AddrFrom16(b []byte) Addr {
	_ = b[15]
	return Addr{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

// Compare returns -1, 0 or 1 as a is less than, equal to, or greater than b.
func (a Addr) Compare(b Addr) int { return cmp.Or(cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lo, b.Lo)) }

// Is4 reports whether a is an IPv4 address (held as IPv4-mapped).
func (a Addr) Is4() bool { return a.Hi == 0 && a.Lo>>32 == mapped4>>32 }

// V4 returns the 32 bits of an IPv4 address.
func (a Addr) V4() uint32 { return uint32(a.Lo) }

// Put4 writes an IPv4 address to the first four octets of b.
func (a Addr) Put4(b []byte) { binary.BigEndian.PutUint32(b, uint32(a.Lo)) }

// Put16 writes a to the first sixteen octets of b.
func (a Addr) Put16(b []byte) {
	_ = b[15]
	binary.BigEndian.PutUint64(b, a.Hi)
	binary.BigEndian.PutUint64(b[8:], a.Lo)
}

// Netip returns a as a netip.Addr: an IPv4 one if a is IPv4, else IPv6 without a zone.
func (a Addr) Netip() netip.Addr {
	var b [16]byte
	a.Put16(b[:])
	if a.Is4() {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return netip.AddrFrom16(b)
}

// String writes a as netip does.
func (a Addr) String() string { return a.Netip().String() }

// IsUnspecified reports whether a is 0.0.0.0 or ::.
func (a Addr) IsUnspecified() bool { return a == Addr{} || a == Unspecified4 }

// IsLoopback reports whether a is in 127.0.0.0/8 or is ::1.
func (a Addr) IsLoopback() bool {
	if a.Is4() {
		return a.V4()>>24 == 127
	}
	return a == Loopback6
}

// IsMulticast reports whether a is in 224.0.0.0/4 or ff00::/8.
func (a Addr) IsMulticast() bool {
	if a.Is4() {
		return a.V4()>>28 == 0xe
	}
	return a.Hi>>56 == 0xff
}

// IsLinkLocal reports whether a is link-local unicast: 169.254.0.0/16 or fe80::/10.
func (a Addr) IsLinkLocal() bool {
	if a.Is4() {
		return a.V4()>>16 == 169<<8|254
	}
	return a.Hi>>54 == 0xfe80>>6
}

// IsLinkLocalMulticast reports whether a is multicast that no router forwards: 224.0.0.0/24, or an IPv6
// group of interface-local or link-local scope (ff01::/16, ff02::/16 with any flags; RFC 4291, 2.7).
func (a Addr) IsLinkLocalMulticast() bool {
	if a.Is4() {
		return a.V4()>>8 == 224<<16
	}
	scope := a.Hi >> 48 & 0xf
	return a.Hi>>56 == 0xff && (scope == 1 || scope == 2)
}

// NeedsScope reports whether a means nothing without a link: IPv6 link-local unicast or multicast
// (RFC 4007, 6).
func (a Addr) NeedsScope() bool {
	return !a.Is4() && (a.IsLinkLocal() || a.IsLinkLocalMulticast())
}

// SolicitedNode returns the solicited-node group of the IPv6 unicast address a: ff02::1:ffXX:XXXX with the
// low 24 bits of a (RFC 4291, 2.7.1).
func (a Addr) SolicitedNode() Addr {
	return Addr{0xff02 << 48, 0x1_ff00_0000 | a.Lo&0xff_ffff}
}

// MulticastMAC returns the Ethernet group address that carries the multicast address a: 01:00:5e and 23 bits
// (RFC 1112, 6.4), or 33:33 and 32 bits (RFC 2464, 7).
func (a Addr) MulticastMAC() MAC {
	v := uint32(a.Lo)
	if a.Is4() {
		return MAC{0x01, 0x00, 0x5e, byte(v>>16) & 0x7f, byte(v >> 8), byte(v)}
	}
	return MAC{0x33, 0x33, byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
}

// MAC is an Ethernet address. The zero MAC means "none".
type MAC [6]byte

// BroadcastMAC is ff:ff:ff:ff:ff:ff.
var BroadcastMAC = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// IsMulticast reports whether m is a group address, broadcast included (the I/G bit).
func (m MAC) IsMulticast() bool { return m[0]&1 != 0 }

// Uint64 returns m in the low 48 bits.
func (m MAC) Uint64() uint64 {
	return uint64(m[0])<<40 | uint64(m[1])<<32 | uint64(m[2])<<24 | uint64(m[3])<<16 | uint64(m[4])<<8 | uint64(m[5])
}

// MACFromUint64 returns the address in the low 48 bits of v.
func MACFromUint64(v uint64) MAC {
	return MAC{byte(v >> 40), byte(v >> 32), byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
}

// MarshalText returns the String; of the zero MAC, which is no station's, nothing.
func (m MAC) MarshalText() ([]byte, error) {
	if m == (MAC{}) {
		return nil, nil
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (m *MAC) UnmarshalText(b []byte) error {
	*m = MAC{}
	if len(b) == 0 {
		return nil
	}
	a, err := hex.DecodeString(strings.ReplaceAll(string(b), ":", ""))
	if err != nil || len(a) != len(m) {
		return fmt.Errorf("wire: %q is not a hardware address of 6 octets", b)
	}
	*m = MAC(a)
	return nil
}

// String writes m as six hexadecimal octets separated by colons.
func (m MAC) String() string {
	const digits = "0123456789abcdef"
	var b [17]byte
	for i, o := range m {
		if i > 0 {
			b[3*i-1] = ':'
		}
		b[3*i], b[3*i+1] = digits[o>>4], digits[o&15]
	}
	return string(b[:])
}

// InterfaceID returns the modified EUI-64 interface identifier of m: ff:fe in the middle and the
// universal/local bit inverted (RFC 2464, 4; RFC 4291, appendix A).
func (m MAC) InterfaceID() uint64 {
	return uint64(m[0]^2)<<56 | uint64(m[1])<<48 | uint64(m[2])<<40 | 0xff_fe00_0000 |
		uint64(m[3])<<16 | uint64(m[4])<<8 | uint64(m[5])
}
