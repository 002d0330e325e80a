package wire

// Protocol numbers: the Protocol field of IPv4, the Next Header field of IPv6 (IANA, "Protocol Numbers").
const (
	ProtoHopByHop = 0 // Hop-by-Hop Options header (RFC 8200, 4.3)
	ProtoICMP     = 1
	ProtoIGMP     = 2 // (RFC 3376)
	ProtoTCP      = 6
	ProtoUDP      = 17
	ProtoRouting  = 43 // Routing header (RFC 8200, 4.4)
	ProtoFragment = 44 // Fragment header (RFC 8200, 4.5)
	ProtoESP      = 50
	ProtoAH       = 51 // Authentication Header (RFC 4302)
	ProtoICMPv6   = 58
	ProtoNoNext   = 59 // nothing follows (RFC 8200, 4.7)
	ProtoDestOpts = 60 // Destination Options header (RFC 8200, 4.6)
)
