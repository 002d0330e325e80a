package wire

// Neighbor Discovery (RFC 4861) has five messages, all ICMPv6: each a type here, with
//
//	Parse…(b)                     b is the ICMPv6 message from its type to its end
//	Validate(src, dst, hopLimit)  the rest of what makes it valid
//	Len, Put                      the whole message, with a zero checksum: FinishICMPv6 sets it
//
// A message is valid (RFC 4861, 6.1, 7.1, 8.1) when Parse and Validate return nil and its checksum is right. Which
// router a Redirect must come from only the receiver knows. RFC 6980, 5, has it discard fragmented ones.

// NDHopLimit is the Hop Limit of every Neighbor Discovery message.
//
// RFC 4861, 6.1.1: "The IP Hop Limit field has a value of 255, i.e., the packet could not possibly have been
// forwarded by a router."
const NDHopLimit = 255

// ndMessage checks what the five messages have in common: their type, a code of 0, a fixed part of n octets, and
// options that fill the rest, which it returns.
func ndMessage(b []byte, typ uint8, n int) ([]byte, error) {
	if len(b) < n {
		return nil, ErrShort
	}
	if b[icmpType] != typ || b[icmpCode] != 0 {
		return nil, ErrCode
	}
	options := b[n:]
	for rest := options; len(rest) > 0; {
		if len(rest) < 2 {
			return nil, ErrShort
		}
		// RFC 4861, 4.6: "Nodes MUST silently discard an ND packet that contains an option with length zero."
		if rest[1] == 0 {
			return nil, ErrOption
		}
		n := ndOptionUnit * int(rest[1])
		if n > len(rest) {
			return nil, ErrShort
		}
		rest = rest[n:]
	}
	return options, nil
}

// ndTarget reads the address in the sixteen octets at b that a message is about.
//
// RFC 4861, 7.1.1, 7.1.2: "Target Address is not a multicast address." Nor is it IPv4-mapped; CheckIPv6 says why.
func ndTarget(b []byte) (Addr, error) {
	a := AddrFrom16(b)
	if a.IsMulticast() || a.Is4() {
		return Addr{}, ErrAddress
	}
	return a, nil
}

// ndHopLimit returns ErrHopLimit unless the message came from this link.
func ndHopLimit(n uint8) error {
	if n != NDHopLimit {
		return ErrHopLimit
	}
	return nil
}

// ndFromRouter is Validate of the messages only routers send: Router Advertisement and Redirect.
//
// RFC 4861, 6.1.2, 8.1: "IP Source Address is a link-local address."
func ndFromRouter(src Addr, hopLimit uint8) error {
	if src.Is4() || !src.IsLinkLocal() {
		return ErrAddress
	}
	return ndHopLimit(hopLimit)
}
