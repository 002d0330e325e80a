package onlink

import (
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
)

// AddressOptions is how an address is wanted. The zero value is usable.
type AddressOptions struct {
	// Valid is how long the interface has the address, Preferred how long new connections leave from it if there is
	// another; 0: for ever. Preferred negative: from the start only where there is no other (RFC 4862, 5.5.4).
	Valid, Preferred time.Duration

	NoDAD         bool // usable at once, without duplicate address detection
	Detect        bool // an IPv4 address is usable when conflict detection is over (RFC 5227), as with DefendOnce
	Optimistic    bool // usable while duplicate address detection is under way (RFC 4429)
	Anycast       bool // other stations have it too: not a source of packets (RFC 4291, 2.6)
	Temporary     bool // preferred to others that are not, where the interface prefers temporary addresses (RFC 8981)
	NoPrefixRoute bool // the address's prefix is not reached directly
	Leased        bool // it is a DHCP server's to give: the Origin of its AddressState is "dhcp"
}

// AddAddressWith adds an address with its prefix length. Errors name what is wrong with it.
func (i *Interface) AddAddressWith(p netip.Prefix, opt AddressOptions) error {
	origin := netif.Static
	if opt.Leased {
		origin = netif.DHCP
	}
	return i.stack.ip.AddAddress(i.i.Index, p, netif.AddressOptions{Origin: origin, NoDAD: opt.NoDAD, Detect: opt.Detect, Optimistic: opt.Optimistic,
		Anycast: opt.Anycast, Temporary: opt.Temporary, NoPrefixRoute: opt.NoPrefixRoute, Valid: opt.Valid,
		Preferred: opt.Preferred})
}
