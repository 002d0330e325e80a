package wire

import "encoding/binary"

// The Prefix Information option (RFC 4861, 4.6.2):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Type = 3    |  Length = 4   | Prefix Length |L|A| Reserved1 |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Valid Lifetime                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Preferred Lifetime                      |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                           Reserved2                           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	+                       Prefix (16 octets)                      +
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	ndPrefixLen       = 32
	ndPrefixBits      = 2
	ndPrefixFlags     = 3
	ndPrefixValid     = 4
	ndPrefixPreferred = 8
	ndPrefixPrefix    = 16

	ndPrefixOnLink     = 1 << 7 // of the octet at ndPrefixFlags
	ndPrefixAutonomous = 1 << 6
)

// PrefixInformation is a prefix of the link, or one to make addresses from.
type PrefixInformation struct {
	Prefix     Addr   // the bits behind PrefixLen are zero
	PrefixLen  uint8  // bits, 0 to 128
	OnLink     bool   // L: addresses of this prefix are on the link
	Autonomous bool   // A: for stateless address autoconfiguration
	Valid      uint32 // lifetime in seconds, or InfiniteLifetime
	Preferred  uint32 // lifetime in seconds, or InfiniteLifetime; as received, perhaps over Valid
}

// parsePrefixInformation reads an option. It returns false if it is to be ignored.
func parsePrefixInformation(option []byte) (PrefixInformation, bool) {
	// "The value ranges from 0 to 128."
	if len(option) != ndPrefixLen || option[ndPrefixBits] > 128 {
		return PrefixInformation{}, false
	}
	n := option[ndPrefixBits]
	return PrefixInformation{
		// "The bits in the prefix after the prefix length are reserved and MUST be [...] ignored by the receiver."
		Prefix:     AddrFrom16(option[ndPrefixPrefix:]).masked(n),
		PrefixLen:  n,
		OnLink:     option[ndPrefixFlags]&ndPrefixOnLink != 0,
		Autonomous: option[ndPrefixFlags]&ndPrefixAutonomous != 0,
		Valid:      binary.BigEndian.Uint32(option[ndPrefixValid:]),
		Preferred:  binary.BigEndian.Uint32(option[ndPrefixPreferred:]),
	}, true
}

func (p *PrefixInformation) put(b []byte) []byte {
	option, rest := putNDOption(b, ndPrefix, ndPrefixLen)
	option[ndPrefixBits] = p.PrefixLen
	if p.OnLink {
		option[ndPrefixFlags] |= ndPrefixOnLink
	}
	if p.Autonomous {
		option[ndPrefixFlags] |= ndPrefixAutonomous
	}
	binary.BigEndian.PutUint32(option[ndPrefixValid:], p.Valid)
	binary.BigEndian.PutUint32(option[ndPrefixPreferred:], p.Preferred)
	p.Prefix.masked(p.PrefixLen).Put16(option[ndPrefixPrefix:])
	return rest
}

// The Route Information option (RFC 4191, 2.3), with as many octets of the prefix as matter, in units of 8:
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Type = 24   |    Length     | Prefix Length |Resvd|Prf|Resvd|
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                        Route Lifetime                         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	.                   Prefix (Variable Length)                    .
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	ndRouteBits     = 2
	ndRouteFlags    = 3
	ndRouteLifetime = 4
	ndRoutePrefix   = 8
)

// RouteInformation is a prefix that is reached through the router.
type RouteInformation struct {
	Prefix     Addr  // the bits behind PrefixLen are zero
	PrefixLen  uint8 // bits, 0 to 128
	Preference Preference
	Lifetime   uint32 // seconds, or InfiniteLifetime; 0: the route is no more
}

// parseRouteInformation reads an option. It returns false if it is to be ignored.
func parseRouteInformation(option []byte) (RouteInformation, bool) {
	r := RouteInformation{PrefixLen: option[ndRouteBits]}
	// "If Prefix Length is greater than 64, then Length must be 3. If Prefix Length is greater than 0, then Length
	// must be 2 or 3. If Prefix Length is zero, then Length must be 1, 2, or 3."
	if r.PrefixLen > 128 || len(option) < r.len() || len(option) > ndRoutePrefix+16 {
		return r, false
	}
	// "If the Reserved (10) value is received, the Route Information Option MUST be ignored."
	var ok bool
	if r.Preference, ok = preference(option[ndRouteFlags]); !ok {
		return r, false
	}
	r.Lifetime = binary.BigEndian.Uint32(option[ndRouteLifetime:])
	var prefix [16]byte
	copy(prefix[:], option[ndRoutePrefix:])
	r.Prefix = AddrFrom16(prefix[:]).masked(r.PrefixLen)
	return r, true
}

func (r *RouteInformation) len() int { return ndRoutePrefix + (int(r.PrefixLen)+63)/64*8 }

func (r *RouteInformation) put(b []byte) []byte {
	option, rest := putNDOption(b, ndRoute, r.len())
	option[ndRouteBits] = r.PrefixLen
	option[ndRouteFlags] = r.Preference.bits()
	binary.BigEndian.PutUint32(option[ndRouteLifetime:], r.Lifetime)
	var prefix [16]byte
	r.Prefix.masked(r.PrefixLen).Put16(prefix[:])
	copy(option[ndRoutePrefix:], prefix[:])
	return rest
}
