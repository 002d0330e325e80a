package wire

// Neighbor Solicitation (RFC 4861, 4.3) and Neighbor Advertisement (4.4), whose R, S and O are reserved in the
// former:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |     Code      |          Checksum             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|R|S|O|                     Reserved                            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                                                               |
//	+                                                               +
//	|                                                               |
//	+                       Target Address                          +
//	|                                                               |
//	+                                                               +
//	|                                                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Options ...
//	+-+-+-+-+-+-+-+-+-+-+-+-
const (
	ndNeighborTarget = 8
	ndNeighborLen    = 24 // the fixed part

	ndRouter    = 1 << 31 // of the word at icmpRest
	ndSolicited = 1 << 30
	ndOverride  = 1 << 29
)

// NeighborSolicitation asks for the link-layer address of a neighbor, or whether it is still there.
type NeighborSolicitation struct {
	Target     Addr
	SourceLink MAC   // Source Link-Layer Address option; zero: absent
	Nonce      Nonce // Nonce option; meaningful if HasNonce
	HasNonce   bool  // with a zero Nonce: it is longer than six octets, so it is none of ours
}

// ParseNeighborSolicitation reads the message b. It returns ErrShort, ErrCode, ErrOption or ErrAddress.
func ParseNeighborSolicitation(b []byte) (NeighborSolicitation, error) {
	var m NeighborSolicitation
	options, err := ndMessage(b, ICMPv6NeighborSolicitation, ndNeighborLen)
	if err != nil {
		return m, err
	}
	target, err := ndTarget(b[ndNeighborTarget:])
	if err != nil {
		return m, err
	}
	m.Target = target
	for len(options) > 0 {
		var typ uint8
		var data []byte
		typ, data, options = nextNDOption(options)
		switch {
		case typ == ndSourceLink:
			ndLink(&m.SourceLink, data)
		case typ == ndNonce && !m.HasNonce:
			m.Nonce, m.HasNonce = ndNonceValue(data), true
		}
	}
	return m, nil
}

// Validate applies what RFC 4861, 7.1.1 says of the packet around m. It returns ErrHopLimit, ErrAddress or ErrOption.
func (m *NeighborSolicitation) Validate(src, dst Addr, hopLimit uint8) error {
	if src.IsUnspecified() {
		// "If the IP source address is the unspecified address, the IP destination address is a solicited-node
		// multicast address."
		if dst != dst.SolicitedNode() {
			return ErrAddress
		}
		// "If the IP source address is the unspecified address, there is no source link-layer address option in
		// the message."
		if m.SourceLink != (MAC{}) {
			return ErrOption
		}
	}
	return ndHopLimit(hopLimit)
}

// Len returns the length of the message.
func (m *NeighborSolicitation) Len() int {
	n := ndNeighborLen + ndLinkSize(m.SourceLink)
	if m.HasNonce {
		n += ndNonceLen
	}
	return n
}

// Put writes m to the first Len octets of b.
func (m *NeighborSolicitation) Put(b []byte) {
	b = b[:m.Len()]
	PutICMP(b, ICMPv6NeighborSolicitation, 0, 0)
	m.Target.Put16(b[ndNeighborTarget:])
	b = putNDLink(b[ndNeighborLen:], ndSourceLink, m.SourceLink)
	if m.HasNonce {
		option, _ := putNDOption(b, ndNonce, ndNonceLen)
		copy(option[2:], m.Nonce[:])
	}
}

// NeighborAdvertisement answers a Neighbor Solicitation, or announces a change.
type NeighborAdvertisement struct {
	Router     bool // R: the sender is a router
	Solicited  bool // S: in response to a solicitation from the destination
	Override   bool // O: update the cached link-layer address
	Target     Addr
	TargetLink MAC // Target Link-Layer Address option; zero: absent
}

// ParseNeighborAdvertisement reads the message b. It returns ErrShort, ErrCode, ErrOption or ErrAddress.
func ParseNeighborAdvertisement(b []byte) (NeighborAdvertisement, error) {
	var m NeighborAdvertisement
	options, err := ndMessage(b, ICMPv6NeighborAdvertisement, ndNeighborLen)
	if err != nil {
		return m, err
	}
	target, err := ndTarget(b[ndNeighborTarget:])
	if err != nil {
		return m, err
	}
	m.Target = target
	flags := ICMP(b).Rest()
	m.Router, m.Solicited, m.Override = flags&ndRouter != 0, flags&ndSolicited != 0, flags&ndOverride != 0
	for len(options) > 0 {
		var typ uint8
		var data []byte
		typ, data, options = nextNDOption(options)
		if typ == ndTargetLink {
			ndLink(&m.TargetLink, data)
		}
	}
	return m, nil
}

// Validate applies what RFC 4861, 7.1.2 says of the packet around m. It returns ErrHopLimit or ErrAddress.
func (m *NeighborAdvertisement) Validate(src, dst Addr, hopLimit uint8) error {
	// "If the IP Destination Address is a multicast address the Solicited flag is zero."
	if dst.IsMulticast() && m.Solicited {
		return ErrAddress
	}
	return ndHopLimit(hopLimit)
}

// Len returns the length of the message.
func (m *NeighborAdvertisement) Len() int { return ndNeighborLen + ndLinkSize(m.TargetLink) }

// Put writes m to the first Len octets of b.
func (m *NeighborAdvertisement) Put(b []byte) {
	b = b[:m.Len()]
	var flags uint32
	if m.Router {
		flags |= ndRouter
	}
	if m.Solicited {
		flags |= ndSolicited
	}
	if m.Override {
		flags |= ndOverride
	}
	PutICMP(b, ICMPv6NeighborAdvertisement, 0, flags)
	m.Target.Put16(b[ndNeighborTarget:])
	putNDLink(b[ndNeighborLen:], ndTargetLink, m.TargetLink)
}
