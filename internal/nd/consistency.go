package nd

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// skew is how far apart the ends of lifetimes that decrement may be. RFC 4861, 6.2.7: "Due to link propagation delays and
// potentially poorly synchronized clocks between the routers such comparison SHOULD allow some time skew."
const skew = 10 * time.Second

// Check returns what in the valid advertisement m of another router contradicts what this one advertises, in words; nil if
// nothing does.
//
// RFC 4861, 6.2.7: "Routers SHOULD inspect valid Router Advertisements sent by other routers and verify that the routers are
// advertising consistent information on a link." Values that one of both leaves unspecified do not contradict: "The logging
// of errors SHOULD be restricted to conflicting information that causes hosts to switch from one value to another with each
// received advertisement."
func (r *Router) Check(now clock.Instant, m *wire.RouterAdvertisement) (found []string) {
	if r.adv == nil {
		return nil
	}
	ours := header(r.adv, false)
	differ := func(what string, we, they uint32) {
		if we != 0 && they != 0 && we != they {
			found = append(found, fmt.Sprintf("%s is %d, ours %d", what, they, we))
		}
	}
	differ("cur hop limit", uint32(ours.CurHopLimit), uint32(m.CurHopLimit))
	differ("reachable time", ours.ReachableTime, m.ReachableTime)
	differ("retrans timer", ours.RetransTimer, m.RetransTimer)
	differ("MTU", ours.MTU, m.MTU)
	if ours.Managed != m.Managed {
		found = append(found, fmt.Sprintf("M is %v, ours %v", m.Managed, ours.Managed))
	}
	if ours.OtherConfig != m.OtherConfig {
		found = append(found, fmt.Sprintf("O is %v, ours %v", m.OtherConfig, ours.OtherConfig))
	}
	for i := range m.Prefixes {
		found = append(found, r.checkPrefix(now, &m.Prefixes[i])...)
	}
	return found
}

// checkPrefix compares the lifetimes of a prefix. "Note that it is not an error for different routers to advertise different
// sets of prefixes."
func (r *Router) checkPrefix(now clock.Instant, o *wire.PrefixInformation) (found []string) {
	prefix := netip.PrefixFrom(o.Prefix.Netip(), int(o.PrefixLen))
	for i := range r.adv.Prefixes {
		p := &r.adv.Prefixes[i]
		if p.Prefix != prefix {
			continue
		}
		ours := p.option(now.Sub(r.since))
		differ := func(what string, we, they uint32) {
			apart := max(we, they) - min(we, they)
			if apart != 0 && !(p.Decrement && apart <= uint32(skew/time.Second)) {
				found = append(found, fmt.Sprintf("%s lifetime of %v is %d s, ours %d s", what, prefix, they, we))
			}
		}
		differ("valid", ours.Valid, o.Valid)
		differ("preferred", ours.Preferred, o.Preferred)
	}
	return found
}
