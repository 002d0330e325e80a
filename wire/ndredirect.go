package wire

// Redirect (RFC 4861, 4.5):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |     Code      |          Checksum             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                           Reserved                            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	+                 Target Address (16 octets)                    +
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	+               Destination Address (16 octets)                 +
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Options ...
//	+-+-+-+-+-+-+-+-+-+-+-+-
//
// and its Redirected Header option (4.6.3):
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Type = 4    |    Length     |            Reserved           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                           Reserved                            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	~                       IP header + data                        ~
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	ndRedirectTarget = 8
	ndRedirectDest   = 24
	ndRedirectLen    = 40 // the fixed part

	ndRedirectedLen = 8 // of the Redirected Header option, without the packet
)

// Redirect tells of a better first hop to a destination.
type Redirect struct {
	Target      Addr   // the better first hop; Destination itself if that is on the link
	Destination Addr   // what is redirected
	TargetLink  MAC    // Target Link-Layer Address option; zero: absent
	Packet      []byte // Redirected Header option: the beginning of the packet that caused it; nil: absent
}

// ParseRedirect reads the message b, of which Packet is a part afterwards. It returns ErrShort, ErrCode, ErrOption or
// ErrAddress.
func ParseRedirect(b []byte) (Redirect, error) {
	var m Redirect
	options, err := ndMessage(b, ICMPv6Redirect, ndRedirectLen)
	if err != nil {
		return m, err
	}
	// RFC 4861, 8.1: "The ICMP Destination Address field in the redirect message does not contain a multicast
	// address."
	dest, err := ndTarget(b[ndRedirectDest:])
	if err != nil {
		return m, err
	}
	// RFC 4861, 8.1: "The ICMP Target Address is either a link-local address (when redirected to a router) or the same
	// as the ICMP Destination Address (when redirected to the on-link destination)."
	target := AddrFrom16(b[ndRedirectTarget:])
	if target != dest && (target.Is4() || !target.IsLinkLocal()) {
		return m, ErrAddress
	}
	m.Target, m.Destination = target, dest
	for len(options) > 0 {
		var typ uint8
		var data []byte
		typ, data, options = nextNDOption(options)
		switch {
		case typ == ndTargetLink:
			ndLink(&m.TargetLink, data)
		case typ == ndRedirectedHeader && m.Packet == nil && len(data) > ndRedirectedLen:
			m.Packet = data[ndRedirectedLen:]
		}
	}
	return m, nil
}

// Validate applies what RFC 4861, 8.1 says of the packet around m, but for "The IP source address of the Redirect is
// the same as the current first-hop router for the specified ICMP Destination Address". It returns ErrHopLimit or
// ErrAddress.
func (m *Redirect) Validate(src, dst Addr, hopLimit uint8) error { return ndFromRouter(src, hopLimit) }

// Len returns the length of the message.
func (m *Redirect) Len() int {
	n := ndRedirectLen + ndLinkSize(m.TargetLink)
	if quote := m.quote(n); quote > 0 {
		n += ndRedirectedLen + quote
	}
	return n
}

// quote returns how much of m.Packet goes into a message with n octets of other things: whole units of 8 octets, and
//
// RFC 4861, 4.5: "As much as possible of the IP packet that triggered the sending of the Redirect without making the
// redirect packet exceed the minimum MTU".
func (m *Redirect) quote(n int) int {
	return min(len(m.Packet), IPv6MinMTU-IPv6Len-n-ndRedirectedLen) &^ (ndOptionUnit - 1)
}

// Put writes m to the first Len octets of b.
func (m *Redirect) Put(b []byte) {
	b = b[:m.Len()]
	quote := m.quote(ndRedirectLen + ndLinkSize(m.TargetLink))
	PutICMP(b, ICMPv6Redirect, 0, 0)
	m.Target.Put16(b[ndRedirectTarget:])
	m.Destination.Put16(b[ndRedirectDest:])
	b = putNDLink(b[ndRedirectLen:], ndTargetLink, m.TargetLink)
	if quote > 0 {
		option, _ := putNDOption(b, ndRedirectedHeader, ndRedirectedLen+quote)
		copy(option[ndRedirectedLen:], m.Packet)
	}
}
