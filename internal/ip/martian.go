package ip

import (
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/wire"
)

// martian reports whether a packet from src to dst cannot have come in by the interface in from a network that
// follows the rules, and why not.
func martian(s *snapshot, src, dst wire.Addr, in int32) (why mib.Reason, is bool) {
	if dst.Is4() {
		return martian4(s, src, dst, in)
	}
	switch {
	// RFC 4291, 2.5.3: "A packet received on an interface with a destination address of loopback must be dropped."
	case src.IsLoopback():
		return mib.Ip6FromLoopback, true
	case dst.IsLoopback():
		return mib.Ip6ToLoopback, true
	case dst.IsUnspecified():
		return mib.Ip6ToUnspecified, true
	// 2.7: "Multicast addresses must not be used as source addresses in IPv6 packets".
	case src.IsMulticast():
		return mib.Ip6FromMulticast, true
	// 2.7: of scope 0, "if such a packet is received, it must be silently dropped"; "Interface-Local scope spans only a single
	// interface on a node".
	case dst.IsMulticast() && addrsel.ScopeOf(dst) <= addrsel.InterfaceLocal:
		return mib.Ip6ToNarrowScope, true
	// 2.5.2: the unspecified address is the source of a node that has none yet: it asks groups only.
	case src.IsUnspecified() && !dst.IsMulticast():
		return mib.Ip6FromUnspecified, true
	}
	return 0, false
}

// martian4 is martian for IPv4.
//
// RFC 1122, 3.2.1.3: "A host MUST silently discard an incoming datagram containing an IP source address that is invalid by the
// rules of this section."
func martian4(s *snapshot, src, dst wire.Addr, in int32) (why mib.Reason, is bool) {
	switch {
	// (g): "Addresses of this form MUST NOT appear outside a host."
	case src.IsLoopback():
		return mib.Ip4FromLoopback, true
	case dst.IsLoopback():
		return mib.Ip4ToLoopback, true
	case src.IsMulticast():
		return mib.Ip4FromMulticast, true
	case src == wire.Broadcast4:
		return mib.Ip4FromBroadcast, true
	// (a): "{ 0, 0 } This host on this network. MUST NOT be sent, except as a source address as part of an initialization
	// procedure", and (b) "{ 0, <Host-number> }" likewise.
	case dst.V4()>>24 == 0:
		return mib.Ip4ToThisNetwork, true
	case src.V4()>>24 == 0:
		// Groups hear it too: a host without an address reports its membership (RFC 3376, 4.2.13), and queriers of switches
		// have none (RFC 4541, 2.1.1).
		return mib.Ip4FromThisNetwork, src != wire.Unspecified4 || dst != wire.Broadcast4 && !dst.IsMulticast()
	// RFC 1812, 5.3.7.
	case src.V4()>>28 == 0xf:
		return mib.Ip4FromClassE, true
	case dst.V4()>>28 == 0xf && dst != wire.Broadcast4:
		return mib.Ip4ToClassE, true
	}
	// A broadcast address is no source; nor is one of our own, since it was not us who sent it.
	switch s.Lookup(src, in).Kind {
	case netif.Broadcast:
		return mib.Ip4FromBroadcast, true
	case netif.Unicast:
		return mib.Ip4FromOurs, true
	}
	return 0, false
}
