package wire

// The types of ICMP messages (RFC 792; IANA, "ICMP Type Numbers").
const (
	ICMPv4EchoReply       = 0
	ICMPv4DestUnreachable = 3
	ICMPv4SourceQuench    = 4 // deprecated (RFC 6633)
	ICMPv4Redirect        = 5 // rest: the better gateway
	ICMPv4EchoRequest     = 8
	ICMPv4TimeExceeded    = 11
	ICMPv4ParamProblem    = 12 // rest: the Pointer in its first octet
	ICMPv4Timestamp       = 13 // three words of time behind the header: originate, receive, transmit
	ICMPv4TimestampReply  = 14
	ICMPv4InfoRequest     = 15 // obsolete, as those that follow (RFC 6918)
	ICMPv4InfoReply       = 16
	ICMPv4MaskRequest     = 17
	ICMPv4MaskReply       = 18
)

// ICMPv4RedirectHost is the code of ICMPv4Redirect for one host (RFC 792).
const ICMPv4RedirectHost = 1

// ICMPv4TimestampLen is the length of a Timestamp message.
const ICMPv4TimestampLen = 20

// The codes of ICMPv4DestUnreachable (RFC 792; RFC 1122, 3.2.2.1; RFC 1812, 5.2.7.1).
const (
	ICMPv4NetUnreachable       = 0
	ICMPv4HostUnreachable      = 1
	ICMPv4ProtoUnreachable     = 2
	ICMPv4PortUnreachable      = 3
	ICMPv4FragmentationNeeded  = 4 // rest: the next hop's MTU in its low 16 bits (RFC 1191, 4)
	ICMPv4SourceRouteFailed    = 5
	ICMPv4NetUnknown           = 6
	ICMPv4HostUnknown          = 7
	ICMPv4SourceHostIsolated   = 8
	ICMPv4NetProhibited        = 9
	ICMPv4HostProhibited       = 10
	ICMPv4NetUnreachableTOS    = 11
	ICMPv4HostUnreachableTOS   = 12
	ICMPv4AdminProhibited      = 13
	ICMPv4PrecedenceViolation  = 14
	ICMPv4PrecedenceCutoff     = 15
	ICMPv4TTLExceeded          = 0 // of ICMPv4TimeExceeded: in transit
	ICMPv4ReassemblyExceeded   = 1 // of ICMPv4TimeExceeded: fragment reassembly time
	ICMPv4PointerIndicates     = 0 // of ICMPv4ParamProblem: the pointer indicates the error
	ICMPv4RequiredOptionAbsent = 1 // of ICMPv4ParamProblem (RFC 1122, 3.2.2.5)
)

// ICMPv4IsError reports whether messages of type typ are about another datagram, so that no ICMP error may be sent
// about them (RFC 1122, 3.2.2: "An ICMP error message MUST NOT be sent as the result of receiving an ICMP error
// message").
func ICMPv4IsError(typ uint8) bool {
	switch typ {
	case ICMPv4DestUnreachable, ICMPv4SourceQuench, ICMPv4Redirect, ICMPv4TimeExceeded, ICMPv4ParamProblem:
		return true
	}
	return false
}
