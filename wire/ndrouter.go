package wire

import "encoding/binary"

// Router Solicitation (RFC 4861, 4.1) ends behind the first word that is reserved. Router Advertisement (RFC 4861,
// 4.2; RFC 4191, 2.2) is
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |     Code      |          Checksum             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Cur Hop Limit |M|O|H|Prf|Resvd|       Router Lifetime         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Reachable Time                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                          Retrans Timer                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Options ...
//	+-+-+-+-+-+-+-+-+-+-+-+-
const (
	ndSolicitationLen = 8 // the fixed part of a Router Solicitation

	raCurHopLimit    = 4
	raFlags          = 5
	raRouterLifetime = 6
	raReachableTime  = 8
	raRetransTimer   = 12
	raLen            = 16 // the fixed part

	raManaged = 1 << 7 // of the octet at raFlags
	raOther   = 1 << 6
)

// RouterSolicitation asks routers for their advertisements at once.
type RouterSolicitation struct {
	SourceLink MAC // Source Link-Layer Address option; zero: absent
}

// ParseRouterSolicitation reads the message b. It returns ErrShort, ErrCode or ErrOption.
func ParseRouterSolicitation(b []byte) (RouterSolicitation, error) {
	var m RouterSolicitation
	options, err := ndMessage(b, ICMPv6RouterSolicitation, ndSolicitationLen)
	for err == nil && len(options) > 0 {
		var typ uint8
		var data []byte
		typ, data, options = nextNDOption(options)
		if typ == ndSourceLink {
			ndLink(&m.SourceLink, data)
		}
	}
	return m, err
}

// Validate applies what RFC 4861, 6.1.1 says of the packet around m. It returns ErrHopLimit or ErrOption.
func (m *RouterSolicitation) Validate(src, dst Addr, hopLimit uint8) error {
	// "If the IP source address is the unspecified address, there is no source link-layer address option in the
	// message."
	if src.IsUnspecified() && m.SourceLink != (MAC{}) {
		return ErrOption
	}
	return ndHopLimit(hopLimit)
}

// Len returns the length of the message.
func (m *RouterSolicitation) Len() int { return ndSolicitationLen + ndLinkSize(m.SourceLink) }

// Put writes m to the first Len octets of b.
func (m *RouterSolicitation) Put(b []byte) {
	b = b[:m.Len()]
	PutICMP(b, ICMPv6RouterSolicitation, 0, 0)
	putNDLink(b[ndSolicitationLen:], ndSourceLink, m.SourceLink)
}

// Preference says which of several routers or routes to prefer (RFC 4191, 2.1).
type Preference int8

// The preferences.
const (
	PreferenceLow    Preference = -1
	PreferenceMedium Preference = 0
	PreferenceHigh   Preference = 1
)

// The two bits of a preference, in a Router Advertisement and in a Route Information option alike (RFC 4191, 2.1: "01
// High, 00 Medium (default), 11 Low, 10 Reserved").
const (
	prfShift    = 3
	prfMask     = 3
	prfReserved = 2
)

// preference reads the bits in octet o. It returns false for the reserved value.
func preference(o uint8) (Preference, bool) {
	v := o >> prfShift & prfMask
	if v == prfReserved {
		return PreferenceMedium, false
	}
	return Preference(int8(v<<6) >> 6), true // a two-bit signed integer
}

func (p Preference) bits() uint8 { return uint8(p) & prfMask << prfShift }

// RouterAdvertisement is what a router says of itself and of its link. Zero in a field about the link means that the
// router does not specify it.
type RouterAdvertisement struct {
	CurHopLimit    uint8      // for packets sent
	Managed        bool       // M: addresses are available by DHCPv6
	OtherConfig    bool       // O: other configuration is available by DHCPv6
	Preference     Preference // as a default router; of no meaning with a RouterLifetime of 0
	RouterLifetime uint16     // seconds; 0: it is not a default router
	ReachableTime  uint32     // milliseconds
	RetransTimer   uint32     // milliseconds

	SourceLink MAC    // Source Link-Layer Address option; zero: absent
	MTU        uint32 // octets; zero: absent
	Prefixes   []PrefixInformation
	Routes     []RouteInformation
	DNSServers []RDNSS
	DNSSearch  []DNSSL
}

// ParseRouterAdvertisement reads the message b, of which the result keeps nothing. It returns ErrShort, ErrCode or
// ErrOption.
func ParseRouterAdvertisement(b []byte) (RouterAdvertisement, error) {
	var m RouterAdvertisement
	options, err := ndMessage(b, ICMPv6RouterAdvertisement, raLen)
	if err != nil {
		return m, err
	}
	m.CurHopLimit = b[raCurHopLimit]
	m.Managed = b[raFlags]&raManaged != 0
	m.OtherConfig = b[raFlags]&raOther != 0
	m.RouterLifetime = binary.BigEndian.Uint16(b[raRouterLifetime:])
	m.ReachableTime = binary.BigEndian.Uint32(b[raReachableTime:])
	m.RetransTimer = binary.BigEndian.Uint32(b[raRetransTimer:])
	// RFC 4191, 2.2: "If the Router Lifetime is zero, the preference value [...] MUST be ignored by the receiver. If the
	// Reserved (10) value is received, the receiver MUST treat the value as if it were (00)."
	if m.RouterLifetime != 0 {
		m.Preference, _ = preference(b[raFlags])
	}
	for len(options) > 0 {
		var typ uint8
		var data []byte
		typ, data, options = nextNDOption(options)
		m.option(typ, data)
	}
	return m, nil
}

// option adds what one option says.
func (m *RouterAdvertisement) option(typ uint8, data []byte) {
	switch typ {
	case ndSourceLink:
		ndLink(&m.SourceLink, data)
	case ndMTU:
		if m.MTU == 0 && len(data) == ndMTULen {
			m.MTU = binary.BigEndian.Uint32(data[4:])
		}
	case ndPrefix:
		if p, ok := parsePrefixInformation(data); ok {
			m.Prefixes = append(m.Prefixes, p)
		}
	case ndRoute:
		if r, ok := parseRouteInformation(data); ok {
			m.Routes = append(m.Routes, r)
		}
	case ndRDNSS:
		if s, ok := parseRDNSS(data); ok {
			m.DNSServers = append(m.DNSServers, s)
		}
	case ndDNSSL:
		if s, ok := parseDNSSL(data); ok {
			m.DNSSearch = append(m.DNSSearch, s)
		}
	}
}

// Validate applies what RFC 4861, 6.1.2 says of the packet around m. It returns ErrHopLimit or ErrAddress.
func (m *RouterAdvertisement) Validate(src, dst Addr, hopLimit uint8) error {
	return ndFromRouter(src, hopLimit)
}

// Len returns the length of the message.
func (m *RouterAdvertisement) Len() int {
	n := raLen + ndLinkSize(m.SourceLink) + len(m.Prefixes)*ndPrefixLen
	if m.MTU != 0 {
		n += ndMTULen
	}
	for i := range m.Routes {
		n += m.Routes[i].len()
	}
	for i := range m.DNSServers {
		n += m.DNSServers[i].len()
	}
	for i := range m.DNSSearch {
		n += m.DNSSearch[i].len()
	}
	return n
}

// Put writes m to the first Len octets of b.
func (m *RouterAdvertisement) Put(b []byte) {
	b = b[:m.Len()]
	PutICMP(b, ICMPv6RouterAdvertisement, 0, 0)
	b[raCurHopLimit] = m.CurHopLimit
	if m.Managed {
		b[raFlags] |= raManaged
	}
	if m.OtherConfig {
		b[raFlags] |= raOther
	}
	// RFC 4191, 2.2: "If the Router Lifetime is zero, the preference value MUST be set to (00) by the sender".
	if m.RouterLifetime != 0 {
		b[raFlags] |= m.Preference.bits()
	}
	binary.BigEndian.PutUint16(b[raRouterLifetime:], m.RouterLifetime)
	binary.BigEndian.PutUint32(b[raReachableTime:], m.ReachableTime)
	binary.BigEndian.PutUint32(b[raRetransTimer:], m.RetransTimer)
	b = putNDLink(b[raLen:], ndSourceLink, m.SourceLink)
	if m.MTU != 0 {
		b = putNDMTU(b, m.MTU)
	}
	for i := range m.Prefixes {
		b = m.Prefixes[i].put(b)
	}
	for i := range m.Routes {
		b = m.Routes[i].put(b)
	}
	for i := range m.DNSServers {
		b = m.DNSServers[i].put(b)
	}
	for i := range m.DNSSearch {
		b = m.DNSSearch[i].put(b)
	}
}
