package ip

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// conflicts is the address conflict detection of a device's IPv4 addresses (RFC 5227), and the claim of a link-local one
// (RFC 3927). Control locked, all of it.
type conflicts struct {
	acds []*neigh.ACD
	ll   *neigh.LinkLocal4 // nil: no link-local address is wanted
	hold time.Duration     // before the first probe of the next one that is claimed
}

// wantsACD reports whether a must go through address conflict detection.
//
// RFC 3927, 2.2: "After it has selected an IPv4 Link-Local address, a host MUST test to see if the IPv4 Link-Local address is
// already in use before beginning to use it."
func (d *device) wantsACD(a *netif.Address) bool {
	return a.Addr.Is4() && d.medium == link.Ethernet && (d.cfg.Conflicts != netif.AnnounceOnly || a.Detect || a.Origin == netif.LinkLocal)
}

// acd returns the detection of a, or nil.
func (d *device) acd(a wire.Addr) *neigh.ACD {
	for _, acd := range d.acds {
		if acd.Address() == a {
			return acd
		}
	}
	return nil
}

// detect4 begins to probe a, which is tentative, if the link is up.
func (d *device) detect4(a wire.Addr) {
	if !d.up {
		return
	}
	acd := d.acd(a)
	if acd == nil {
		acd = neigh.NewACD(neigh.ACDConfig{Address: a, MAC: d.info.Addr, Defence: d.defence(a), Rand: d.l.random})
		d.acds = append(d.acds, acd)
	}
	now := d.l.rt.Now()
	acd.Start(now, d.hold)
	d.hold = 0
	d.poll(now)
}

// defence returns what is done about a conflict with a while it is in use.
func (d *device) defence(a wire.Addr) neigh.Defence {
	switch e := d.address(a); {
	case e != nil && e.Origin == netif.LinkLocal:
		return neigh.DefendOnce // RFC 3927, 2.5, knows no third way
	case d.cfg.Conflicts == netif.DefendAlways:
		return neigh.DefendAlways
	case d.cfg.Conflicts == netif.DefendNever:
		return neigh.DefendNever
	}
	return neigh.DefendOnce
}

// heardARP looks for conflicts in an ARP packet.
func (d *device) heardARP(now clock.Instant, m *wire.ARP) {
	mine := func(mac wire.MAC) bool { return mac == d.info.Addr }
	any := func(mac wire.MAC) bool {
		return slices.ContainsFunc(d.l.devices, func(o *device) bool { return o.info.Addr == mac })
	}
	if d.assigned(m.SenderIP) && !any(m.SenderMAC) {
		d.counters.Inc(mib.ArpInConflicts)
	}
	for _, acd := range d.acds {
		ours := any
		if e := d.address(acd.Address()); e != nil && e.Origin == netif.LinkLocal {
			// RFC 3927, 3.4: "ARP packets which appear to claim an address which is assigned to a specific interface,
			// indicate conflict only if they are received on that interface and their hardware address is of some other
			// interface."
			ours = mine
		}
		was := acd.Defended()
		acd.Heard(now, m, ours)
		if acd.Defended() != was {
			d.l.emit(&trace.Event{Kind: trace.AddressDefended, In: d.index, Src: acd.Address(), LinkAddr: m.SenderMAC, To: m.SenderMAC.String()})
		}
	}
}

// runACDs sends what conflict detection wants sent, and draws the consequences of what it found.
func (d *device) runACDs(now clock.Instant) {
	var m wire.ARP
	changed := false
	for _, acd := range slices.Clone(d.acds) {
		for acd.Next(&m) {
			d.sendARP(&m, wire.BroadcastMAC)
		}
		e := d.address(acd.Address())
		switch {
		case e == nil:
		case acd.State() == neigh.ACDBound && e.State == netif.Tentative:
			e.State = lived(e, now)
			d.l.emit(&trace.Event{At: now, Kind: trace.AddressReady, In: d.index, Src: e.Addr})
			changed = true
		case acd.State() == neigh.ACDConflict && e.State != netif.Duplicate:
			d.lost4(now, e, acd.Conflict())
			changed = true
		}
	}
	if d.reviewLinkLocal4(now) || changed {
		d.l.rebuild()
	}
}

// lost4 follows a conflict that cost us the address e: another is tried if it was link-local.
func (d *device) lost4(now clock.Instant, e *netif.Address, owner wire.MAC) {
	e.State, e.Owner = netif.Duplicate, owner
	d.l.emit(&trace.Event{At: now, Kind: trace.AddressDuplicate, In: d.index, Src: e.Addr, LinkAddr: owner, To: owner.String()})
	if d.ll == nil || e.Origin != netif.LinkLocal {
		return
	}
	d.remove(e.Addr)
	d.ll.Conflicted(now)
}

// beginLinkLocal4 has the device look for a link-local address, if it is configured so.
func (d *device) beginLinkLocal4() {
	if !d.cfg.LinkLocal4 || d.medium != link.Ethernet {
		return
	}
	d.ll = neigh.NewLinkLocal4(d.info.Addr)
	d.poll(d.l.rt.Now())
}

// reviewLinkLocal4 claims a link-local address where there is no other, and withdraws it where there is. It reports whether
// anything changed.
//
// RFC 3927, 1.9: "When an operable routable address is available on an interface, the host SHOULD NOT also assign an IPv4
// Link-Local address on that interface." Where it comes later, "the host MUST use the routable address when initiating new
// communications", and "SHOULD continue to use the IPv4 Link-Local address for communications already underway".
func (d *device) reviewLinkLocal4(now clock.Instant) (changed bool) {
	if d.ll == nil {
		return false
	}
	var own *netif.Address
	routable := false
	for i := range d.addrs {
		switch a := &d.addrs[i]; {
		case !a.Addr.Is4() || a.State == netif.Duplicate:
		case a.Origin == netif.LinkLocal:
			own = a
		case !a.Addr.IsLinkLocal():
			routable = true
		}
	}
	switch {
	case own == nil && !routable:
		d.claim4()
	case own == nil:
		return false
	case routable && own.State == netif.Tentative:
		d.remove(own.Addr)
	case routable && own.State == netif.Preferred:
		d.become(now, own, netif.Deprecated)
	case !routable && own.State == netif.Deprecated:
		d.become(now, own, netif.Preferred)
	default:
		return false
	}
	return true
}

// claim4 tries the next link-local address that is not ours already.
func (d *device) claim4() {
	a, hold := d.ll.Next()
	for d.address(a) != nil {
		a, hold = d.ll.Next()
	}
	d.hold = hold
	d.add(netif.Address{Addr: a, Bits: 16, State: netif.Preferred, Origin: netif.LinkLocal}, new(netif.AddressOptions))
}

// acdDeadline returns when conflict detection has something to do.
func (d *device) acdDeadline() clock.Instant {
	at := clock.Never
	for _, acd := range d.acds {
		at = min(at, acd.Deadline())
	}
	return at
}

// stopACDs forgets what was found of addresses: the link went away.
func (d *device) stopACDs() {
	for _, acd := range d.acds {
		acd.Stop()
	}
}

// readdress4 follows a change of the link's address: probes under way begin anew.
func (d *device) readdress4(now clock.Instant) {
	for _, acd := range d.acds {
		acd.SetMAC(d.info.Addr)
		if acd.State() == neigh.ACDProbing {
			acd.Start(now, 0)
		}
	}
}
