package nd

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// The times that an advertisement can set are kept within what a link can mean by them: nobody who sends one
// advertisement shall be able to stop address resolution, or to make it a flood.
const (
	// RFC 4861, 6.2.1: AdvReachableTime "MUST be no greater than 3,600,000 milliseconds (1 hour)."
	maxAdvertisedTime = time.Hour
	minRetransTimer   = 100 * time.Millisecond // as in Linux
)

// Advertised takes a valid Router Advertisement from src. It reports false if the interface does not accept it.
func (h *Host) Advertised(now clock.Instant, src wire.Addr, m *wire.RouterAdvertisement) bool {
	if !h.accepts() {
		return false
	}
	s := h.cfg.Settings
	if h.reattached {
		h.reattached = false
		if !h.knows(src) {
			h.leaveTemporary()
		}
	}
	h.solicitor.hear(m.RouterLifetime != 0)
	h.fixedPart(m)
	h.mtu(m.MTU)

	if s.DefaultRouters {
		preference := m.Preference
		if !s.RouterPreference {
			preference = wire.PreferenceMedium
		}
		if !h.tooShort(uint32(m.RouterLifetime)) {
			h.learnRoute(learned{router: src, preference: preference, until: after(now, uint32(m.RouterLifetime))}, m.RouterLifetime == 0)
		}
	}
	for i := range m.Routes {
		h.routeInformation(now, src, &m.Routes[i])
	}
	if s.PrefixInfo {
		for i := range m.Prefixes {
			h.prefixInformation(now, src, &m.Prefixes[i])
		}
	}
	h.dnsOptions(now, m)
	return true
}

// tooShort reports whether a lifetime is shorter than what is believed. Zero says that something is over.
func (h *Host) tooShort(seconds uint32) bool {
	return seconds != 0 && time.Duration(seconds)*time.Second < h.cfg.Settings.MinLifetime
}

// fixedPart takes what the header of an advertisement says of the link.
//
// RFC 4861, 6.3.4: "A Router Advertisement field (e.g., Cur Hop Limit, Reachable Time, and Retrans Timer) may contain a
// value denoting that it is unspecified. In such cases, the parameter should be ignored and the host should continue
// using whatever value it is already using."
func (h *Host) fixedPart(m *wire.RouterAdvertisement) {
	p := h.params
	p.Managed, p.Other = m.Managed, m.OtherConfig
	// "If the received Cur Hop Limit value is non-zero, the host SHOULD set its CurHopLimit variable to the received
	// value."
	if n := int(m.CurHopLimit); n != 0 && n >= h.cfg.Settings.MinHopLimit {
		p.HopLimit = n
	}
	// "If the received Reachable Time value is non-zero, the host SHOULD set its BaseReachableTime variable to the
	// received value."
	if d := time.Duration(m.ReachableTime) * time.Millisecond; d != 0 && d <= maxAdvertisedTime {
		p.ReachableTime = d
	}
	// "The RetransTimer variable SHOULD be copied from the Retrans Timer field, if the received value is non-zero."
	if d := time.Duration(m.RetransTimer) * time.Millisecond; d != 0 && d <= maxAdvertisedTime {
		p.RetransTimer = max(d, minRetransTimer)
	}
	h.setParams(p)
}

// mtu takes an MTU option; 0: there is none.
//
// RFC 4861, 6.3.4: "hosts SHOULD copy the option's value into LinkMTU so long as the value is greater than or equal to
// the minimum link MTU [IPv6] and does not exceed the maximum LinkMTU value specified in the link-type-specific
// document".
func (h *Host) mtu(mtu uint32) {
	if !h.cfg.Settings.LinkMTU || mtu < wire.IPv6MinMTU || int64(mtu) > int64(h.cfg.LinkMTU) {
		return
	}
	p := h.params
	p.MTU = int(mtu)
	h.setParams(p)
}

func (h *Host) setParams(p Params) {
	if p != h.params {
		h.params = p
		h.want(ChangeParams)
	}
}
