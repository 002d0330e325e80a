package wire

import "errors"

// What a parser finds wrong. Parsers return these as they are, so they can be compared with ==.
var (
	// ErrShort: there are fewer octets than the format or one of its length fields says.
	ErrShort = errors.New("wire: truncated")
	// ErrVersion: the IP version is not the expected one.
	ErrVersion = errors.New("wire: wrong IP version")
	// ErrLength: a length field has a value the format rules out, whatever follows.
	ErrLength = errors.New("wire: impossible length field")
	// ErrOption: an option has an illegal length, or one that is not allowed here is present.
	ErrOption = errors.New("wire: malformed option")
	// ErrCode: a type or code is not that of the message.
	ErrCode = errors.New("wire: wrong type or code")
	// ErrAddress: an address is of a kind that may not appear in this place.
	ErrAddress = errors.New("wire: address not allowed here")
	// ErrOrder: a Hop-by-Hop Options header is not the first extension header.
	ErrOrder = errors.New("wire: hop-by-hop options not in first place")
	// ErrHardware: ARP about something other than IPv4 over Ethernet.
	ErrHardware = errors.New("wire: not ARP for IPv4 over Ethernet")
	// ErrChecksum: the checksum of an extension structure is wrong.
	ErrChecksum = errors.New("wire: wrong checksum")
	// ErrHopLimit: a Neighbor Discovery message that may have been forwarded by a router.
	ErrHopLimit = errors.New("wire: hop limit is not 255")
)
