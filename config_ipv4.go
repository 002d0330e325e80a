package onlink

import (
	"fmt"

	"github.com/onlink-go/onlink/internal/netif"
)

// ConflictMode is what an interface does about IPv4 addresses of its own that another station has too (RFC 5227).
type ConflictMode int

// The modes. All but the first probe an address for five to seven seconds before it is used, which WaitReady waits for, and
// watch it from then on. An address that is lost is not used any more, and tells who has it.
const (
	AnnounceOnly ConflictMode = iota // addresses are used at once; conflicts are only counted, as in Linux
	DefendOnce                       // kept at the first conflict, given up at the next within ten seconds
	DefendNever                      // given up at the first conflict
	DefendAlways                     // never given up once it is in use
)

// settings4 returns what c says of IPv4.
func (c *InterfaceConfig) settings4(nc *netif.Config) error {
	if c.Conflicts < AnnounceOnly || c.Conflicts > DefendAlways {
		return fmt.Errorf("onlink: InterfaceConfig.Conflicts is %d: out of range", c.Conflicts)
	}
	nc.Conflicts, nc.LinkLocal4 = netif.ConflictMode(c.Conflicts), c.LinkLocal4
	return nil
}
