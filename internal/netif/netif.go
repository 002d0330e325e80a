// Package netif describes a stack's interfaces: their names and indices, their addresses, the groups they
// listen to, and which of all this makes a destination ours.
//
// Everything here is a value that does not change once it is published. Whoever configures (package ip, under
// its control lock) builds new [Interface] values and publishes them together in a new [Snapshot]; the packet
// path loads the Snapshot once a batch and reads it without a lock.
//
// Not here: IGMP and MLD, which tell others about the groups; a group is a receive filter only.
package netif

import (
	"net/netip"

	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// LoopbackIndex is the index of the loopback interface "lo", which every stack has.
const LoopbackIndex = 1

// LoopbackMTU is the MTU of the loopback interface: the largest IPv4 packet.
const LoopbackMTU = 65535

// MinMTU4 and MinMTU6 are the smallest MTUs an interface may have to carry the family: RFC 791, 3.2 ("Every
// internet module must be able to forward a datagram of 68 octets without further fragmentation") and
// RFC 8200, 5 ("IPv6 requires that every link in the Internet have an MTU of 1280 octets or greater").
const (
	MinMTU4 = 68
	MinMTU6 = 1280
)

// Config is how an interface is wanted. The zero Config is usable.
type Config struct {
	MTU         int  // octets; 0: the link's. Larger than the link's is taken as the link's
	NoIPv6      bool // no IPv6 on this interface: no link-local address, IPv6 packets dropped
	NoLinkLocal bool // form no link-local address
	// DupAddrDetectTransmits is how many Neighbor Solicitations duplicate address detection sends
	// (RFC 4862, 5.1); 0 leaves it to IPv6, negative none: addresses are usable at once.
	DupAddrDetectTransmits int
	IPv6                   *IPv6  // nil: as the layer has it for interfaces to come
	VRF                    uint32 // number of the routing table of the interface's own; 0: none
	Conflicts              ConflictMode
	LinkLocal4             bool // claim an IPv4 link-local address while there is no other (RFC 3927)
	TxQueue                int  // packets waiting for the link at most; 0: qdisc.DefaultLimit
	NoOffload              bool // packets are made and taken one by one: no super-packets, and checksums are ours to make
}

// ConflictMode is what is done about IPv4 addresses that another station has too.
type ConflictMode uint8

// The modes. All but the first probe an address before it is used, and watch it from then on (RFC 5227).
const (
	AnnounceOnly ConflictMode = iota // an address is used at once and announced; conflicts are only counted, as in Linux
	DefendOnce                       // RFC 5227, 2.4 (b): kept at the first conflict, given up at the next within 10 seconds
	DefendNever                      // RFC 5227, 2.4 (a): given up at the first conflict
	DefendAlways                     // RFC 5227, 2.4 (c): never given up
)

// Interface is one interface as it is between two changes of configuration. It is immutable.
type Interface struct {
	Index    int32
	Name     string
	Medium   link.Medium
	Loopback bool
	NoIPv6   bool
	Up       bool // the carrier is there, and it was not taken down
	Down     bool // it was taken down: it receives nothing
	MTU      int  // octets of the largest packet
	Whole    bool // packets leave it, and come in, only as they are on the wire: no super-packets
	MTU6     int  // octets of the largest IPv6 packet, where routers say less; else 0
	HopLimit int  // of IPv6 packets whose sender does not say; 0: the stack's
	LinkAddr wire.MAC
	VRF      uint32       // number of the routing table that it, and whoever is bound to it, has alone; 0: none
	Addrs    []Address    // in the order they were added
	Groups   []Membership // multicast groups it receives, by address

	// SubnetRouters are the anycast addresses of its prefixes, where it is a router's (RFC 4291, 2.6.1).
	SubnetRouters []wire.Addr
	Proxies       []wire.Addr // IPv6 addresses of others that it answers for
	Redirects4    bool        // a router tells IPv4 hosts on its link of better ways

	// PreferPublic says that packets leave from public addresses rather than from temporary ones (RFC 6724, 5, rule 7).
	PreferPublic bool
	// Managed and Other are the M and O flags of the latest Router Advertisement (RFC 4861, 4.2): addresses, and other
	// information, are to be had by DHCPv6.
	Managed, Other bool
	Advertised     []Advertised // which routers advertise which prefixes, as far as they are remembered
}

// Advertised is a prefix that a router advertises for addresses (RFC 4862, 5.5.3).
type Advertised struct {
	Prefix netip.Prefix
	Router wire.Addr
}

// MTUOf returns the octets of the largest packet of a family.
func (i *Interface) MTUOf(four bool) int {
	if !four && i.MTU6 != 0 {
		return min(i.MTU, i.MTU6)
	}
	return i.MTU
}

// Membership is a multicast group that an interface receives, and from whom.
type Membership struct {
	Group  wire.Addr
	Filter mcast.Filter
}

// Proxied reports whether the interface answers for a, which is another node's.
func (i *Interface) Proxied(a wire.Addr) bool {
	for _, p := range i.Proxies {
		if p == a {
			return true
		}
	}
	return false
}

// Member reports whether the interface receives the multicast group g.
func (i *Interface) Member(g wire.Addr) bool { return i.Membership(g) != nil }

// Membership returns the interface's entry for the group g, or nil.
func (i *Interface) Membership(g wire.Addr) *Membership {
	for k := range i.Groups {
		if i.Groups[k].Group == g {
			return &i.Groups[k]
		}
	}
	return nil
}

// Hears reports whether the interface receives packets from src to the group g.
func (i *Interface) Hears(g, src wire.Addr) bool {
	e := i.Membership(g)
	return e != nil && e.Filter.Accepts(src)
}

// Address returns the interface's entry for a, or nil.
func (i *Interface) Address(a wire.Addr) *Address {
	for k := range i.Addrs {
		if i.Addrs[k].Addr == a {
			return &i.Addrs[k]
		}
	}
	return nil
}

// Has4 reports whether the interface has a usable IPv4 address.
func (i *Interface) Has4() bool {
	for k := range i.Addrs {
		if i.Addrs[k].Addr.Is4() {
			return true
		}
	}
	return false
}
