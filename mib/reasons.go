package mib

// Reason says why a packet was dropped.
type Reason uint16

// The reasons.
const (
	LinkDown Reason = iota
	LinkQueueFull
	LinkError
	FrameShort
	FrameNotForUs
	FrameUnknownType
	ArpMalformed
	Ip4Header
	Ip4Checksum
	Ip4FromLoopback
	Ip4ToLoopback
	Ip4FromMulticast
	Ip4FromBroadcast
	Ip4FromThisNetwork
	Ip4ToThisNetwork
	Ip4FromClassE
	Ip4ToClassE
	Ip4FromOurs
	Ip4FrameNotUnicast
	Ip4NoWayBack
	Ip4NotForUs
	Ip4NotMember
	Ip4NoRoute
	Ip4TTLExceeded
	Ip4FragmentNeeded
	Ip4UnknownProtocol
	Ip4NeighborUnreachable
	Ip4Reassembly
	Ip4ReassemblyTimeout
	Ip4NotConfigured
	Ip4SourceRoute
	Ip4SourceFiltered
	Ip4Option
	Ip4FragmentDuplicate
	Ip4FragmentOverlap
	Ip4FragmentECN
	Ip4ReassemblyFull
	Ip6Header
	Ip6FromLoopback
	Ip6ToLoopback
	Ip6FromMulticast
	Ip6FromUnspecified
	Ip6ToUnspecified
	Ip6ToNarrowScope
	Ip6Mapped
	Ip6FromOurs
	Ip6FrameNotUnicast
	Ip6NotForUs
	Ip6NotMember
	Ip6NoRoute
	Ip6HopLimitExceeded
	Ip6TooBig
	Ip6UnknownHeader
	Ip6UnknownOption
	Ip6NeighborUnreachable
	Ip6Reassembly
	Ip6ReassemblyTimeout
	Ip6NotConfigured
	Ip6RoutingHeader
	Ip6NoNextHeader
	Ip6SourceFiltered
	Ip6Option
	Ip6OptionLimit
	Ip6Jumbogram
	Ip6FragmentDuplicate
	Ip6FragmentOverlap
	Ip6FragmentECN
	Ip6ReassemblyFull
	NeighborQueueFull
	NeighborCacheFull
	IcmpMalformed
	IcmpChecksum
	IcmpUnknownType
	IcmpIgnored
	IcmpRateLimited
	Icmp6Malformed
	Icmp6Checksum
	Icmp6UnknownType
	Icmp6Ignored
	Icmp6RateLimited
	NdInvalid
	IgmpInvalid
	IgmpChecksum
	IgmpIgnored
	MldInvalid
	MldIgnored
	UdpMalformed
	UdpChecksum
	UdpNoPort
	UdpQueueFull
	TcpMalformed
	TcpChecksum
	TcpBacklogFull
	TcpHandshakesFull
	TcpMinHopLimit
	TcpAuthMissing
	TcpAuthUnexpected
	TcpAuthBad
	SocketClosed
	Closing
	Hook
	RawQueueFull
	RawChecksum
	PingQueueFull

	numReasons
)

// reasons gives each Reason its words and the MIB counter that a drop for it also increments.
var reasons = [numReasons]struct {
	name    string
	counter Counter
}{
	LinkDown:               {"link is down", none},
	LinkQueueFull:          {"link queue is full", none},
	LinkError:              {"link failed to send", none},
	FrameShort:             {"frame shorter than its header", none},
	FrameNotForUs:          {"frame for another station", none},
	FrameUnknownType:       {"frame of an unknown EtherType", none},
	ArpMalformed:           {"ARP packet malformed", none},
	Ip4Header:              {"IPv4 header malformed", IpInHdrErrors},
	Ip4Checksum:            {"IPv4 header checksum wrong", IpInHdrErrors},
	Ip4FromLoopback:        {"IPv4 source is a loopback address", IpInAddrErrors},
	Ip4ToLoopback:          {"IPv4 destination is a loopback address", IpInAddrErrors},
	Ip4FromMulticast:       {"IPv4 source is a group", IpInAddrErrors},
	Ip4FromBroadcast:       {"IPv4 source is a broadcast address", IpInAddrErrors},
	Ip4FromThisNetwork:     {"IPv4 source is within 0/8", IpInAddrErrors},
	Ip4ToThisNetwork:       {"IPv4 destination is within 0/8", IpInAddrErrors},
	Ip4FromClassE:          {"IPv4 source is of class E", IpInAddrErrors},
	Ip4ToClassE:            {"IPv4 destination is of class E", IpInAddrErrors},
	Ip4FromOurs:            {"IPv4 source is our own address", IpInAddrErrors},
	Ip4NoWayBack:           {"source is not where the packet came from", TcpExtIPReversePathFilter},
	Ip4FrameNotUnicast:     {"IPv4 unicast in a broadcast or multicast frame", IpInAddrErrors},
	Ip4NotForUs:            {"IPv4 destination not ours, nor to be forwarded", IpInAddrErrors},
	Ip4NotMember:           {"IPv4 multicast group not joined", none},
	Ip4NoRoute:             {"no IPv4 route", IpOutNoRoutes},
	Ip4TTLExceeded:         {"IPv4 TTL exceeded", IpInHdrErrors},
	Ip4FragmentNeeded:      {"IPv4 packet too big and must not be fragmented", IpFragFails},
	Ip4UnknownProtocol:     {"IPv4 protocol unknown", IpInUnknownProtos},
	Ip4NeighborUnreachable: {"IPv4 neighbor unreachable", IpOutDiscards},
	Ip4Reassembly:          {"IPv4 fragment unusable", IpReasmFails},
	Ip4ReassemblyTimeout:   {"IPv4 reassembly timed out", IpReasmTimeout},
	Ip4NotConfigured:       {"no IPv4 address on the interface", IpInAddrErrors},
	Ip4SourceRoute:         {"IPv4 source route refused", IpInHdrErrors},
	Ip4SourceFiltered:      {"IPv4 source of a group not wanted", none},
	Ip4Option:              {"IPv4 option malformed", IpInHdrErrors},
	Ip4FragmentDuplicate:   {"IPv4 fragment is here already", none},
	Ip4FragmentOverlap:     {"IPv4 fragments overlap", IpReasmFails},
	Ip4FragmentECN:         {"IPv4 fragments differ in their use of ECN", IpReasmFails},
	Ip4ReassemblyFull:      {"IPv4 fragment made room for others", IpReasmFails},
	Ip6Header:              {"IPv6 header malformed", Ip6InHdrErrors},
	Ip6FromLoopback:        {"IPv6 source is the loopback address", Ip6InAddrErrors},
	Ip6ToLoopback:          {"IPv6 destination is the loopback address", Ip6InAddrErrors},
	Ip6FromMulticast:       {"IPv6 source is a group", Ip6InAddrErrors},
	Ip6FromUnspecified:     {"IPv6 unicast from the unspecified address", Ip6InAddrErrors},
	Ip6ToUnspecified:       {"IPv6 destination is the unspecified address", Ip6InAddrErrors},
	Ip6ToNarrowScope:       {"IPv6 group whose scope does not reach beyond an interface", Ip6InAddrErrors},
	Ip6Mapped:              {"IPv6 header with a mapped address", Ip6InAddrErrors},
	Ip6FromOurs:            {"IPv6 source is our own address", Ip6InAddrErrors},
	Ip6FrameNotUnicast:     {"IPv6 unicast in a multicast frame, to be forwarded", Ip6InAddrErrors},
	Ip6NotForUs:            {"IPv6 destination not ours, nor to be forwarded", Ip6InAddrErrors},
	Ip6NotMember:           {"IPv6 multicast group not joined", none},
	Ip6NoRoute:             {"no IPv6 route", Ip6OutNoRoutes},
	Ip6HopLimitExceeded:    {"IPv6 hop limit exceeded", Ip6InHdrErrors},
	Ip6TooBig:              {"IPv6 packet too big", Ip6FragFails},
	Ip6UnknownHeader:       {"IPv6 next header unknown", Ip6InUnknownProtos},
	Ip6UnknownOption:       {"IPv6 option unknown", Ip6InHdrErrors},
	Ip6NeighborUnreachable: {"IPv6 neighbor unreachable", Ip6OutDiscards},
	Ip6Reassembly:          {"IPv6 fragment unusable", Ip6ReasmFails},
	Ip6ReassemblyTimeout:   {"IPv6 reassembly timed out", Ip6ReasmTimeout},
	Ip6NotConfigured:       {"no IPv6 on the interface", Ip6InAddrErrors},
	Ip6RoutingHeader:       {"IPv6 routing header refused", Ip6InHdrErrors},
	Ip6NoNextHeader:        {"nothing follows the IPv6 headers", none},
	Ip6SourceFiltered:      {"IPv6 source of a group not wanted", none},
	Ip6Option:              {"IPv6 option malformed", Ip6InHdrErrors},
	Ip6OptionLimit:         {"IPv6 options over the limits", Ip6InHdrErrors},
	Ip6Jumbogram:           {"IPv6 jumbogram", Ip6InHdrErrors},
	Ip6FragmentDuplicate:   {"IPv6 fragment is here already", none},
	Ip6FragmentOverlap:     {"IPv6 fragments overlap", Ip6ReasmFails},
	Ip6FragmentECN:         {"IPv6 fragments differ in their use of ECN", Ip6ReasmFails},
	Ip6ReassemblyFull:      {"IPv6 fragment made room for others", Ip6ReasmFails},
	NeighborQueueFull:      {"queue for an unresolved neighbor is full", none},
	NeighborCacheFull:      {"unresolved neighbor made room for others", none},
	IcmpMalformed:          {"ICMP message malformed", IcmpInErrors},
	IcmpChecksum:           {"ICMP checksum wrong", IcmpInCsumErrors},
	IcmpUnknownType:        {"ICMP type unknown", none},
	IcmpIgnored:            {"ICMP message of no use to us", none},
	IcmpRateLimited:        {"ICMP error over the rate limit", IcmpOutRateLimited},
	Icmp6Malformed:         {"ICMPv6 message malformed", Icmp6InErrors},
	Icmp6Checksum:          {"ICMPv6 checksum wrong", Icmp6InCsumErrors},
	Icmp6UnknownType:       {"ICMPv6 type unknown", none},
	Icmp6Ignored:           {"ICMPv6 message of no use to us", none},
	Icmp6RateLimited:       {"ICMPv6 error over the rate limit", Icmp6OutRateLimited},
	NdInvalid:              {"neighbor discovery message invalid", Icmp6InErrors},
	IgmpInvalid:            {"IGMP message invalid", none},
	IgmpChecksum:           {"IGMP checksum wrong", none},
	IgmpIgnored:            {"IGMP message of no use to us", none},
	MldInvalid:             {"multicast listener message invalid", Icmp6InErrors},
	MldIgnored:             {"multicast listener message of no use to us", none},
	UdpMalformed:           {"UDP header malformed", UdpInErrors},
	UdpChecksum:            {"UDP checksum wrong", UdpInCsumErrors},
	UdpNoPort:              {"no UDP socket on the port", UdpNoPorts},
	UdpQueueFull:           {"UDP socket's receive buffer is full", UdpRcvbufErrors},
	TcpMalformed:           {"TCP header malformed", TcpInErrs},
	TcpChecksum:            {"TCP checksum wrong", TcpInCsumErrors},
	TcpBacklogFull:         {"TCP accept backlog is full", TcpExtListenOverflows},
	TcpHandshakesFull:      {"TCP handshakes under way are too many", TcpExtTCPReqQFullDrop},
	TcpMinHopLimit:         {"TCP segment from farther than the socket allows", TcpExtTCPMinTTLDrop},
	TcpAuthMissing:         {"TCP segment not authenticated, and there is a key for its sender", none},
	TcpAuthUnexpected:      {"TCP segment authenticated in a way there is no key for", none},
	TcpAuthBad:             {"TCP segment not authentic", none},
	SocketClosed:           {"socket is closed", none},
	Closing:                {"stack is closing", none},
	Hook:                   {"refused by a hook", none},
	RawQueueFull:           {"raw socket's receive buffer is full", none},
	RawChecksum:            {"checksum wrong, for a raw socket that has it verified", none},
	PingQueueFull:          {"ping socket's receive buffer is full", none},
}
