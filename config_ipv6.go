package onlink

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
)

// RAMode says when an interface believes Router Advertisements.
type RAMode int

// The modes.
const (
	RAHost   RAMode = iota // while the stack does not forward IPv6
	RAAlways               // always
	RANever                // never, and it does not ask for any
)

// TemporaryMode says what an interface does with temporary addresses (RFC 8981).
type TemporaryMode int

// The modes.
const (
	NoTemporary     TemporaryMode = iota // there are none
	UseTemporary                         // there are; they are used where a socket asks for one
	PreferTemporary                      // there are; connections leave from them unless a socket asks otherwise
)

// IPv6Config is how an interface speaks IPv6 as a host. The zero value is what Linux does: a link-local address is formed
// from the hardware address, routers are asked for, and of each prefix that they advertise for it an address is formed
// (RFC 4861, RFC 4862). What is not here can be set by SetSysctl, under net.ipv6.conf.
type IPv6Config struct {
	// Disable means no IPv6 at all.
	Disable bool

	// Secret, if it is not zero, makes addresses whose last 64 bits tell nothing of the hardware: the same for the same
	// secret, interface name and prefix, and different for each (RFC 7217). It should be random and kept.
	Secret [16]byte

	// RandomAddresses makes such addresses with a secret that is drawn anew for each interface.
	RandomAddresses bool

	// NoLinkLocal means that no link-local address is formed.
	NoLinkLocal bool

	// RouterAdvertisements says when they are believed.
	RouterAdvertisements RAMode

	// NoAutoconf means that no addresses are formed from prefixes that are advertised.
	NoAutoconf bool

	// RouterSolicitations is how often routers are asked for at most, while none answers; 0: without end, less and less
	// often (RFC 7559); negative: never.
	RouterSolicitations int

	// Temporary says whether there are temporary addresses. TemporaryValid and TemporaryPreferred are how long one
	// exists and is used; 0: two days and one day.
	Temporary          TemporaryMode
	TemporaryValid     time.Duration
	TemporaryPreferred time.Duration

	// MaxAddresses is how many addresses are formed at most, the link-local one included; 0: 16.
	MaxAddresses int

	// DADTransmits is how often it is asked whether another station has an address before it is used (RFC 4862, 5.1); 0:
	// once.
	DADTransmits int

	// OptimisticDAD lets addresses that are formed from advertised prefixes be used meanwhile (RFC 4429).
	OptimisticDAD bool
}

// settings returns what c means to an interface that would otherwise have the settings s.
func (c *IPv6Config) settings(s netif.IPv6) (*netif.IPv6, error) {
	bad := func(field string, value any) error {
		return fmt.Errorf("onlink: InterfaceConfig.IPv6.%s is %v: out of range", field, value)
	}
	switch {
	case c.RouterAdvertisements < RAHost || c.RouterAdvertisements > RANever:
		return nil, bad("RouterAdvertisements", c.RouterAdvertisements)
	case c.Temporary < NoTemporary || c.Temporary > PreferTemporary:
		return nil, bad("Temporary", c.Temporary)
	case c.TemporaryValid < 0:
		return nil, bad("TemporaryValid", c.TemporaryValid)
	case c.TemporaryPreferred < 0:
		return nil, bad("TemporaryPreferred", c.TemporaryPreferred)
	case c.MaxAddresses < 0:
		return nil, bad("MaxAddresses", c.MaxAddresses)
	case c.DADTransmits < 0:
		return nil, bad("DADTransmits", c.DADTransmits)
	}
	set(&s.Disable, c.Disable)
	set(&s.Secret, netif.Secret(c.Secret))
	set(&s.TempValid, c.TemporaryValid)
	set(&s.TempPreferred, c.TemporaryPreferred)
	set(&s.MaxAddresses, c.MaxAddresses)
	set(&s.DADTransmits, c.DADTransmits)
	set(&s.OptimisticDAD, c.OptimisticDAD)
	set(&s.TempAddr, int(c.Temporary))
	switch {
	case c.NoLinkLocal:
		s.AddrGenMode = netif.NoIID
	case c.RandomAddresses:
		s.AddrGenMode = netif.Random
	}
	switch c.RouterAdvertisements {
	case RAAlways:
		s.AcceptRA = 2
	case RANever:
		s.AcceptRA = 0
	}
	if c.NoAutoconf {
		s.Autoconf = false
	}
	switch n := c.RouterSolicitations; {
	case n < 0:
		s.Solicitations = 0
	case n > 0:
		s.Solicitations = n
	}
	// RFC 8981, 3.8: "The TEMP_PREFERRED_LIFETIME value MUST be smaller than the TEMP_VALID_LIFETIME value".
	if s.TempPreferred >= s.TempValid {
		return nil, fmt.Errorf("onlink: InterfaceConfig.IPv6: TemporaryPreferred, %v, must be less than TemporaryValid, %v",
			s.TempPreferred, s.TempValid)
	}
	return &s, nil
}

// set sets v to d unless that is zero.
func set[T comparable](v *T, d T) {
	var zero T
	if d != zero {
		*v = d
	}
}
