package netif

import (
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// State is where an address stands (RFC 4862, 2).
type State uint8

// The states. Only Preferred and Deprecated addresses are assigned: ours to receive on and send from.
const (
	Tentative  State = iota // its uniqueness is being verified; not assigned yet
	Preferred               // assigned, use unrestricted
	Deprecated              // assigned, but not for new communications
	Duplicate               // somebody else has it; not assigned
)

// String returns the state's name.
func (s State) String() string {
	return [...]string{"tentative", "preferred", "deprecated", "duplicate"}[s]
}

// Origin says where an address came from.
type Origin uint8

// The origins.
const (
	Static    Origin = iota // configured
	LinkLocal               // formed by the interface itself (RFC 4862, 5.3)
	SLAAC                   // formed from a prefix of a Router Advertisement (RFC 4862, 5.5.3; RFC 8981)
	DHCP                    // leased
)

// String returns the origin's name.
func (o Origin) String() string { return [...]string{"static", "link-local", "slaac", "dhcp"}[o] }

// Address is an address of an interface.
type Address struct {
	Addr  wire.Addr
	Bits  int // length of the prefix: 0 to 32 or 128
	State State
	Owner wire.MAC // with Duplicate: the link-layer address of who has it

	Origin    Origin
	Temporary bool // RFC 8981
	// Optimistic: duplicate address detection is under way, and the address is in use meanwhile, where nothing
	// better is at hand (RFC 4429). Its State says what it would be otherwise: Preferred or Deprecated.
	Optimistic bool
	Anycast    bool // others may have it too (RFC 4291, 2.6): never a source
	NoDAD      bool // it is used without duplicate address detection
	Detect     bool // IPv4: it goes through address conflict detection, whatever the interface's others do
	// NoPrefixRoute: that the address has a prefix does not make the prefix on-link (RFC 5942, 4).
	NoPrefixRoute bool
	// The lifetimes of RFC 4862, 2: after PreferredUntil the address is deprecated, after ValidUntil it is gone.
	// 0: forever.
	ValidUntil, PreferredUntil clock.Instant
}

// AddressOptions is how an address is wanted. The zero value is usable.
type AddressOptions struct {
	NoDAD         bool // assign an IPv6 address without duplicate address detection
	Detect        bool // use an IPv4 address after address conflict detection only (RFC 5227), on any interface
	Optimistic    bool // use an IPv6 address while duplicate address detection is under way (RFC 4429)
	Anycast       bool // the address is other nodes' too (RFC 4291, 2.6)
	Temporary     bool // RFC 8981
	NoPrefixRoute bool // the address's prefix is not on-link
	Origin        Origin
	// For how long the address is valid, and preferred; 0: for ever. Negative for Preferred: not at all.
	Valid, Preferred time.Duration
}

// Assigned reports whether the address may be used.
func (a *Address) Assigned() bool { return a.State == Preferred || a.State == Deprecated }

// Prefix returns the address with its prefix length, host bits kept.
func (a *Address) Prefix() netip.Prefix { return netip.PrefixFrom(a.Addr.Netip(), a.Bits) }

// Broadcasts returns the two broadcast addresses of an IPv4 address's subnet, ok false if it has none.
//
// RFC 1122, 3.3.6: of the forms that put 0 for -1, hosts should "recognize and accept any of these non-standard
// broadcast addresses as the destination address of an incoming datagram". A prefix of 31 or 32 bits has no broadcast address (RFC 3021, 2.2).
func (a *Address) Broadcasts() (ones, zeros wire.Addr, ok bool) {
	if !a.Addr.Is4() || a.Bits > 30 {
		return ones, zeros, false
	}
	host := uint64(1)<<(32-a.Bits) - 1
	return wire.Addr{Lo: a.Addr.Lo | host}, wire.Addr{Lo: a.Addr.Lo &^ host}, true
}
