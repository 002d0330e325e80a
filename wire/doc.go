// Package wire holds the formats of the protocols: how octets become values and values become octets, and
// nothing else. It does no I/O, keeps no state, and decides nothing that depends on more than the message at
// hand.
//
// # Views and values
//
// The headers every packet has are views: [Ethernet], [IPv4], [IPv6], [UDP], [TCP] and [ICMP] are slices of the
// packet's own octets, whose methods read a field in place. A view comes from its Check function, which looks
// at lengths and version once; no method of a view that was checked can panic. They neither allocate nor copy.
//
//	ip, err := wire.CheckIPv4(frame[wire.EthernetLen:])
//	if err != nil { … }
//	tcp, err := wire.CheckTCP(ip.Payload())
//
// Everything else is a value, parsed once: [ARP], [Fragment], [TCPOptions] and the Neighbor Discovery messages.
// Values have Put, which writes into a slice that is at least as long as the format (Len says how long, where
// that varies) and panics if it is shorter. Lists inside a header (IPv6 extension headers, options) are read by iterators:
//
//	it := wire.WalkExt(ip6.NextHeader(), ip6.Payload())
//	for it.Next() { … it.Header() … }
//	if it.Err() != nil { … }
//	proto, offset := it.Upper()
//
// Integers are in host order in Go and in network order in octets. Lengths and offsets are octets unless a name
// or comment says otherwise. Addresses of both families are an [Addr].
//
// # Checksums
//
// [Checksum] is the running one's-complement sum of RFC 1071. A header's Put leaves the checksum of its
// transport zero, since that covers the payload too; [FinishChecksum], [FinishICMPv4] and [FinishICMPv6] set it when the
// payload is in place. [IPv4Header.Put] sets the IPv4 header checksum itself.
//
// On amd64 with AVX2, and on arm64, Checksum is assembly where that is faster. The build tag purego leaves it out.
//
// # Errors
//
// Parsers return one of [ErrShort], [ErrVersion], [ErrLength], [ErrOption], [ErrCode], [ErrAddress], [ErrOrder],
// [ErrHardware] and [ErrHopLimit], unwrapped, so that the reason of a drop can be counted by comparison.
//
// # Sources
//
// RFC 791, 792, 768, 826, 9293, 2018, 7323, 8200, 4443, 4861, 4191, 8106, 3971 (the Nonce option, as RFC 7527
// uses it), 1112, 2236, 3376, 2710, 3810, 2113, 2711, 1071, 1624, 894, 2464, 4302 (the length of an Authentication Header).
//
// Left out: jumbograms (RFC 2675), IEEE 802.3 length-type frames, VLAN tags, and ARP for anything but IPv4 over Ethernet.
package wire
