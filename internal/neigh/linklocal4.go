package neigh

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// LinkLocal4 chooses the IPv4 link-local addresses that an interface tries, one after another (RFC 3927): Next, and after
// each conflict Conflicted and Next again. Whether one is free, and its defence, is the business of an [ACD].
type LinkLocal4 struct {
	seed      uint64
	conflicts int
	lost      clock.Instant // when the last one was
}

// NewLinkLocal4 returns the sequence of the interface with the link-layer address mac.
//
// RFC 3927, 2.1: "If the host has access to persistent information that is different for each host, such as its IEEE 802 MAC
// address, then the pseudo-random number generator SHOULD be seeded using a value derived from this information."
func NewLinkLocal4(mac wire.MAC) *LinkLocal4 { return &LinkLocal4{seed: mac.Uint64(), lost: never} }

// Next returns the address to try, with 16 bits of prefix, and for how long to wait before the first probe.
//
// RFC 3927, 2.1: "it selects an address using a pseudo-random number generator with a uniform distribution in the range from
// 169.254.1.0 to 169.254.254.255 inclusive."
//
// RFC 3927, 2.2.1: "if the number of conflicts exceeds MAX_CONFLICTS then the host MUST limit the rate at which it probes for
// new addresses to no more than one new address per RATE_LIMIT_INTERVAL." RFC 5227, 2.1.1, has it from the MAX_CONFLICTS'th on.
func (l *LinkLocal4) Next() (a wire.Addr, hold time.Duration) {
	const first, count = 1 << 8, 254 << 8
	host := first + uint32(flow.Draw(&l.seed)%count)
	if l.conflicts >= MaxConflicts {
		hold = RateLimitInterval
	}
	return wire.Addr4(169, 254, byte(host>>8), byte(host)), hold
}

// forgiven is after how long without one the conflicts before do not count any more: they were another link's, or another
// time's.
const forgiven = 10 * RateLimitInterval

// Conflicted tells that another host has the address that Next returned last, or has claimed it later: RFC 5227, 2.1.1:
// "This rate-limiting rule applies not only to conflicts experienced during the initial probing phase, but also to conflicts
// experienced later".
func (l *LinkLocal4) Conflicted(now clock.Instant) {
	if now-l.lost > clock.Instant(forgiven) {
		l.conflicts = 0
	}
	l.conflicts++
	l.lost = now
}

// Conflicts returns how many conflicts there were that count.
func (l *LinkLocal4) Conflicts() int { return l.conflicts }
