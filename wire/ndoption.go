package wire

import "encoding/binary"

// The options of Neighbor Discovery messages (RFC 4861, 4.6):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |    Length     |              ...              |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// Length counts all of the option in units of 8 octets. An option whose length is not one its type can have is
// taken for one that is not known, and ignored; one of length zero, or past the end, makes the message invalid.
// Of an option that may appear once, the first counts.
const (
	ndSourceLink       = 1
	ndTargetLink       = 2
	ndPrefix           = 3
	ndRedirectedHeader = 4
	ndMTU              = 5
	ndNonce            = 14 // RFC 3971, 5.3.2
	ndRoute            = 24 // RFC 4191, 2.3
	ndRDNSS            = 25 // RFC 8106, 5.1
	ndDNSSL            = 31 // RFC 8106, 5.2

	ndOptionUnit = 8 // octets
)

// InfiniteLifetime is the lifetime that does not end, in the options that count it in 32 bits of seconds.
const InfiniteLifetime = 0xffff_ffff

// nextNDOption takes the first option off b, which ndMessage has checked and is not empty. data is all of the option.
func nextNDOption(b []byte) (typ uint8, data, rest []byte) {
	n := ndOptionUnit * int(b[1])
	return b[0], b[:n:n], b[n:]
}

// putNDOption writes type and length of an option of n octets to b and returns its octets, cleared, and what follows.
func putNDOption(b []byte, typ uint8, n int) (option, rest []byte) {
	option = b[:n]
	clear(option)
	option[0], option[1] = typ, uint8(n/ndOptionUnit)
	return option, b[n:]
}

// A Source or Target Link-Layer Address option (RFC 4861, 4.6.1; RFC 2464, 6) of an Ethernet address:
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |  Length = 1   |                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//	|                       Ethernet Address                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const ndLinkLen = 8

// ndLink reads the address into m, unless m has one or the address is not an Ethernet one.
func ndLink(m *MAC, option []byte) {
	if *m == (MAC{}) && len(option) == ndLinkLen {
		*m = MAC(option[2:])
	}
}

// ndLinkSize returns the length of the option for m, zero without an address.
func ndLinkSize(m MAC) int {
	if m == (MAC{}) {
		return 0
	}
	return ndLinkLen
}

// putNDLink writes the option, unless m is zero, and returns what follows it.
func putNDLink(b []byte, typ uint8, m MAC) []byte {
	if m == (MAC{}) {
		return b
	}
	option, rest := putNDOption(b, typ, ndLinkLen)
	copy(option[2:], m[:])
	return rest
}

// The Nonce option (RFC 3971, 5.3.2) as this stack sends it:
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Type = 14   |  Length = 1   |             Nonce             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//	|                                                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const ndNonceLen = 8

// Nonce is the random number in a Neighbor Solicitation by which a node knows its own again when the link loops it
// back (RFC 7527, 4.1). RFC 3971, 5.3.2: "The length of the random number MUST be at least 6 bytes."
type Nonce [6]byte

// ndNonceValue returns the nonce in an option; zero if it is longer than ours are.
func ndNonceValue(option []byte) (n Nonce) {
	if len(option) == ndNonceLen {
		n = Nonce(option[2:])
	}
	return n
}

// ndMTULen is the length of an MTU option (RFC 4861, 4.6.4):
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Type = 5    |  Length = 1   |           Reserved            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                              MTU                              |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const ndMTULen = 8

func putNDMTU(b []byte, mtu uint32) []byte {
	option, rest := putNDOption(b, ndMTU, ndMTULen)
	binary.BigEndian.PutUint32(option[4:], mtu)
	return rest
}

// masked returns the first n bits of a, the others zero.
func (a Addr) masked(n uint8) Addr {
	switch {
	case n == 0:
		return Addr{}
	case n <= 64:
		return Addr{Hi: a.Hi &^ (1<<(64-n) - 1)}
	case n < 128:
		return Addr{a.Hi, a.Lo &^ (1<<(128-n) - 1)}
	}
	return a
}
