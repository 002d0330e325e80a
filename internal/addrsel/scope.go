package addrsel

import (
	"fmt"

	"github.com/onlink-go/onlink/wire"
)

// Scope is how far an address reaches, in the order of RFC 6724, 3.1.
type Scope uint8

// The scopes, with the values of the multicast scope field (RFC 4291, 2.7).
const (
	InterfaceLocal Scope = 1
	LinkLocal      Scope = 2
	AdminLocal     Scope = 4
	SiteLocal      Scope = 5
	Organization   Scope = 8
	Global         Scope = 14
)

// String returns the scope's name as RFC 4291, 2.7, has it; that of a number without a name is the number.
func (s Scope) String() string {
	switch s {
	case InterfaceLocal:
		return "interface-local"
	case LinkLocal:
		return "link-local"
	case AdminLocal:
		return "admin-local"
	case SiteLocal:
		return "site-local"
	case Organization:
		return "organization-local"
	case Global:
		return "global"
	}
	return fmt.Sprintf("scope %d", uint8(s))
}

// ScopeOf returns the scope of a.
//
// RFC 6724, 3.2: "IPv4 auto-configuration addresses [RFC3927], which have the prefix 169.254/16, are assigned
// link-local scope. IPv4 loopback addresses …, which have the prefix 127/8, are assigned link-local scope …
// Other IPv4 addresses (including IPv4 private addresses …) are assigned global scope." 3.4: "The loopback
// address MUST be treated as having link-local scope".
func ScopeOf(a wire.Addr) Scope {
	switch {
	case a.IsMulticast() && !a.Is4():
		return Scope(a.Hi >> 48 & 0xf)
	case a.IsLinkLocalMulticast(), a.IsLinkLocal(), a.IsLoopback(), a == wire.Broadcast4:
		return LinkLocal
	case !a.Is4() && a.Hi>>54 == 0xfec0>>6: // RFC 6724, 3.1: the deprecated site-local unicast prefix
		return SiteLocal
	}
	return Global
}
