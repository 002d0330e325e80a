package onlink

import (
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
)

// LearnedState is what an interface has learned from Router Advertisements (RFC 4861, 6.3.4). A zero number was not told.
type LearnedState struct {
	Routers       []RouterState // the default routers, first come first
	Prefixes      []PrefixState // on-link
	NameServers   []netip.Addr  // RFC 8106; with the interface's name as zone where they are link-local
	SearchDomains []string
	HopLimit      int           // CurHopLimit
	MTU           int           // octets
	ReachableTime time.Duration // BaseReachableTime
	RetransTimer  time.Duration
	Managed       bool // M: addresses are to be had by DHCPv6
	Other         bool // O: other information is
}

// RouterState is a default router.
type RouterState struct {
	Addr       netip.Addr    // with the interface's name as zone
	Preference int           // RFC 4191: 1 high, 0 medium, -1 low
	Lifetime   time.Duration // what remains of it; Forever
}

// PrefixState is a prefix whose addresses are on the link.
type PrefixState struct {
	Prefix   netip.Prefix
	Lifetime time.Duration // what remains of it; Forever
}

// Forever is the lifetime of what does not end.
const Forever = time.Duration(1<<63 - 1)

// remaining returns the time from now to an instant.
func remaining(now, at clock.Instant) time.Duration {
	if at == clock.Never {
		return Forever
	}
	return max(0, at.Sub(now))
}

// addressState describes a.
func addressState(now clock.Instant, a *netif.Address) AddressState {
	end := func(at clock.Instant) time.Duration {
		if at == 0 {
			return Forever
		}
		return remaining(now, at)
	}
	return AddressState{Prefix: a.Prefix(), State: a.State.String(), Origin: a.Origin.String(), Temporary: a.Temporary,
		Optimistic: a.Optimistic, Anycast: a.Anycast, NoDAD: a.NoDAD, NoPrefixRoute: a.NoPrefixRoute, Valid: end(a.ValidUntil), Preferred: end(a.PreferredUntil)}
}

// learned returns what i has learned.
func (s *Stack) learned(now clock.Instant, i *netif.Interface) (state LearnedState) {
	l, err := s.ip.Learned(i.Index)
	if err != nil {
		return state // removed meanwhile
	}
	for _, r := range l.Routers {
		state.Routers = append(state.Routers, RouterState{r.Addr.Netip().WithZone(i.Name), int(r.Preference), remaining(now, r.Until)})
	}
	for _, p := range l.Prefixes {
		state.Prefixes = append(state.Prefixes, PrefixState{netip.PrefixFrom(p.Prefix.Netip(), int(p.Bits)), remaining(now, p.Until)})
	}
	for _, a := range l.Servers {
		server := a.Netip()
		if a.NeedsScope() {
			server = server.WithZone(i.Name)
		}
		state.NameServers = append(state.NameServers, server)
	}
	state.SearchDomains = l.Domains
	p := &l.Params
	state.HopLimit, state.MTU, state.Managed, state.Other = p.HopLimit, p.MTU, p.Managed, p.Other
	state.ReachableTime, state.RetransTimer = p.ReachableTime, p.RetransTimer
	return state
}
