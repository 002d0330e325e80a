package wire

// The types of ICMPv6 messages (RFC 4443, 2.1; RFC 4861, 4; RFC 2710, 3; RFC 3810, 5).
const (
	ICMPv6DestUnreachable = 1
	ICMPv6PacketTooBig    = 2 // rest: the next hop's MTU
	ICMPv6TimeExceeded    = 3
	ICMPv6ParamProblem    = 4 // rest: the Pointer

	ICMPv6EchoRequest = 128
	ICMPv6EchoReply   = 129

	ICMPv6MLDQuery    = 130
	ICMPv6MLDReport   = 131
	ICMPv6MLDDone     = 132
	ICMPv6MLDv2Report = 143

	ICMPv6RouterSolicitation    = 133
	ICMPv6RouterAdvertisement   = 134
	ICMPv6NeighborSolicitation  = 135
	ICMPv6NeighborAdvertisement = 136
	ICMPv6Redirect              = 137
)

// The codes of ICMPv6DestUnreachable (RFC 4443, 3.1).
const (
	ICMPv6NoRoute            = 0
	ICMPv6AdminProhibited    = 1
	ICMPv6BeyondScope        = 2 // beyond scope of source address
	ICMPv6AddressUnreachable = 3
	ICMPv6PortUnreachable    = 4
	ICMPv6SourcePolicy       = 5 // source address failed ingress/egress policy
	ICMPv6RejectRoute        = 6
)

// The codes of ICMPv6TimeExceeded (RFC 4443, 3.3).
const (
	ICMPv6HopLimitExceeded   = 0
	ICMPv6ReassemblyExceeded = 1
)

// The codes of ICMPv6ParamProblem (RFC 4443, 3.4; RFC 7112, 6).
const (
	ICMPv6ErroneousHeader        = 0
	ICMPv6UnrecognizedNextHeader = 1
	ICMPv6UnrecognizedOption     = 2
	ICMPv6IncompleteHeaderChain  = 3 // of a first fragment
)

// ICMPv6IsError reports whether messages of type typ are errors.
//
// RFC 4443, 2.1: "Error messages are identified as such by a zero in the high-order bit of their message Type field
// values".
func ICMPv6IsError(typ uint8) bool { return typ < 128 }
