package nd

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// messages returns the Router Advertisements that say adv (RFC 4861, 6.2.3), usually one. final says that this is no
// router any more.
//
// "If including all options causes the size of an advertisement to exceed the link MTU, multiple advertisements can be sent,
// each containing a subset of the options."
func (r *Router) messages(now clock.Instant, src, dst wire.Addr, adv *Advertising, since clock.Instant, final bool) []RouterMessage {
	w := advWriter{room: r.cfg.MTU - wire.IPv6Len, src: src, dst: dst, head: header(adv, final)}
	if !adv.NoSourceLink {
		w.head.SourceLink = r.cfg.Address
	}
	w.begin()
	for i := range adv.Prefixes {
		p := adv.Prefixes[i].option(now.Sub(since))
		w.add(func(m *wire.RouterAdvertisement) { m.Prefixes = append(m.Prefixes, p) })
	}
	for i := range adv.Routes {
		o := adv.Routes[i].option()
		if final {
			// RFC 4191, 4: "When ceasing to be an advertising interface and sending Router Advertisements with a Router
			// Lifetime of zero, the Router Advertisement SHOULD also set the Route Lifetime to zero in all Route Information
			// Options."
			o.Lifetime = 0
		}
		w.add(func(m *wire.RouterAdvertisement) { m.Routes = append(m.Routes, o) })
	}
	lifetime := seconds(adv.DNSLifetime)
	for list := adv.Servers; len(list) > 0; {
		n := min(len(list), optionServers)
		o := wire.RDNSS{Lifetime: lifetime, Servers: list[:n]}
		w.add(func(m *wire.RouterAdvertisement) { m.DNSServers = append(m.DNSServers, o) })
		list = list[n:]
	}
	for i := range adv.Domains {
		o := wire.DNSSL{Lifetime: lifetime, Domains: adv.Domains[i : i+1]}
		w.add(func(m *wire.RouterAdvertisement) { m.DNSSearch = append(m.DNSSearch, o) })
	}
	return w.done
}

// optionServers is how many name servers one option carries: as many as are sure to fit the smallest link.
const optionServers = 32

// header returns the fixed part of an advertisement of adv, and the MTU option.
func header(adv *Advertising, final bool) wire.RouterAdvertisement {
	m := wire.RouterAdvertisement{CurHopLimit: uint8(adv.HopLimit), Managed: adv.Managed, OtherConfig: adv.Other,
		Preference: adv.Preference, RouterLifetime: uint16(seconds(adv.DefaultLifetime)), MTU: uint32(adv.LinkMTU),
		ReachableTime: uint32(adv.ReachableTime / time.Millisecond), RetransTimer: uint32(adv.RetransTimer / time.Millisecond)}
	if final {
		m.RouterLifetime, m.Preference = 0, wire.PreferenceMedium
	}
	return m
}

// option returns p as it is after so much time.
func (p *AdvPrefix) option(elapsed time.Duration) wire.PrefixInformation {
	left := func(d time.Duration) uint32 {
		if p.Decrement && d != Infinite {
			d = max(0, d-elapsed)
		}
		return seconds(d)
	}
	return wire.PrefixInformation{Prefix: wire.AddrFrom(p.Prefix.Addr()), PrefixLen: uint8(p.Prefix.Bits()),
		OnLink: !p.NotOnLink, Autonomous: !p.NoAutonomous, Valid: left(p.Valid), Preferred: left(p.Preferred)}
}

func (a *AdvRoute) option() wire.RouteInformation {
	return wire.RouteInformation{Prefix: wire.AddrFrom(a.Prefix.Addr()), PrefixLen: uint8(a.Prefix.Bits()),
		Preference: a.Preference, Lifetime: seconds(a.Lifetime)}
}

// seconds returns d as a field has it.
func seconds(d time.Duration) uint32 {
	if d == Infinite {
		return wire.InfiniteLifetime
	}
	return uint32(d / time.Second)
}

// advWriter fills as many advertisements as it takes.
type advWriter struct {
	room     int // octets of one
	src, dst wire.Addr
	head     wire.RouterAdvertisement // what each begins with
	done     []RouterMessage          // the last one is being filled
}

func (w *advWriter) begin() { w.done = append(w.done, RouterMessage{w.src, w.dst, w.head}) }

// add adds an option, to another advertisement if it does not fit.
func (w *advWriter) add(option func(*wire.RouterAdvertisement)) {
	m := &w.done[len(w.done)-1].Body
	trial := *m
	if option(&trial); trial.Len() > w.room {
		w.begin()
		m = &w.done[len(w.done)-1].Body
		option(m)
		return
	}
	*m = trial
}
