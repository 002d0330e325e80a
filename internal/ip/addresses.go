package ip

import (
	"net/netip"
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// The life of addresses (RFC 4862, 5.5.4): all of them, however they came.

// newAddress returns p as opt wants it.
func newAddress(now clock.Instant, p netip.Prefix, opt *netif.AddressOptions) netif.Address {
	a := netif.Address{Addr: wire.AddrFrom(p.Addr()), Bits: p.Bits(), Origin: opt.Origin, Temporary: opt.Temporary,
		Anycast: opt.Anycast, NoDAD: opt.NoDAD, Detect: opt.Detect, NoPrefixRoute: opt.NoPrefixRoute}
	a.ValidUntil, a.PreferredUntil = ends(now, opt)
	if a.State = lived(&a, now); opt.Preferred < 0 {
		a.State = netif.Deprecated
	}
	return a
}

// ends returns when an address with these options ends to be valid, and preferred; 0: never.
func ends(now clock.Instant, opt *netif.AddressOptions) (valid, preferred clock.Instant) {
	until := func(d time.Duration) clock.Instant {
		if d == 0 {
			return 0
		}
		return max(1, now.Add(max(d, 0)))
	}
	valid, preferred = until(opt.Valid), until(opt.Preferred)
	if valid != 0 && (preferred == 0 || preferred > valid) {
		preferred = valid
	}
	return valid, preferred
}

// lived returns the state of an address that is assigned.
func lived(a *netif.Address, now clock.Instant) netif.State {
	if a.PreferredUntil != 0 && a.PreferredUntil <= now {
		return netif.Deprecated
	}
	return netif.Preferred
}

// add gives d the address a. Control locked.
func (d *device) add(a netif.Address, opt *netif.AddressOptions) {
	// RFC 4862, 5.4: "Duplicate Address Detection MUST NOT be performed on anycast addresses".
	if d.wantsDAD(a.Addr) && !opt.NoDAD && !a.Anycast {
		// RFC 4429, 3.3: "A router SHOULD NOT configure an Optimistic Address."
		if a.Optimistic = opt.Optimistic && !d.l.Settings().Forward6; !a.Optimistic {
			a.State = netif.Tentative
		}
	}
	if d.wantsACD(&a) && !opt.NoDAD {
		a.State = netif.Tentative
	}
	d.addrs = append(d.addrs, a)
	d.added(&d.addrs[len(d.addrs)-1])
}

// remove takes the address a from d. Control locked.
func (d *device) remove(a wire.Addr) {
	d.removed(a)
	n := len(d.addrs)
	d.addrs = slices.DeleteFunc(d.addrs, func(o netif.Address) bool { return o.Addr == a })
	if len(d.addrs) != n {
		d.l.emit(&trace.Event{Kind: trace.AddressRemoved, In: d.index, Src: a})
	}
}

// become gives an assigned address another state. Control locked.
func (d *device) become(now clock.Instant, a *netif.Address, s netif.State) {
	if a.State == s {
		return
	}
	a.State = s
	kind := trace.AddressReady
	if s == netif.Deprecated {
		kind = trace.AddressDeprecated
	}
	d.l.emit(&trace.Event{At: now, Kind: kind, In: d.index, Src: a.Addr})
}

// expireAddresses deprecates and removes addresses whose time has come. Control locked.
//
// RFC 4862, 5.5.4: "A preferred address becomes deprecated when its preferred lifetime expires." "An address (and its
// association with an interface) becomes invalid when its valid lifetime expires."
func (d *device) expireAddresses(now clock.Instant) {
	changed := false
	for _, a := range slices.Clone(d.addrs) {
		e := d.address(a.Addr)
		switch {
		case a.ValidUntil != 0 && a.ValidUntil <= now:
			d.remove(a.Addr)
			changed = true
		case a.State == netif.Preferred && lived(e, now) == netif.Deprecated:
			d.become(now, e, netif.Deprecated)
			changed = true
		}
	}
	if changed {
		d.l.rebuild()
	}
}

// addressDeadline returns when expireAddresses has something to do. Control locked.
func (d *device) addressDeadline() clock.Instant {
	at := clock.Never
	for i := range d.addrs {
		a := &d.addrs[i]
		if a.ValidUntil != 0 {
			at = min(at, a.ValidUntil)
		}
		if a.PreferredUntil != 0 && a.State == netif.Preferred {
			at = min(at, a.PreferredUntil)
		}
	}
	return at
}
