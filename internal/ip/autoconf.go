package ip

import (
	"slices"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/nd"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// autoconf is what a device learns of routers, and the addresses it makes by itself: package nd's Host at work. Control
// locked, all of it.
type autoconf struct {
	conf     netif.IPv6
	host     *nd.Host // nil: no IPv6 here, or no routers to learn of
	refused6 bool     // duplicate address detection found that IPv6 must not be used (RFC 4862, 5.4.5)
	refused  int      // of host.Refused, as far as it is counted
	routers  []wire.Addr
}

// noIPv6 reports whether the device must not speak IPv6.
func (d *device) noIPv6() bool {
	return d.cfg.NoIPv6 || d.conf.Disable || d.refused6 || d.tooSmallFor6()
}

// settings6 gives a new device its settings of IPv6.
func (d *device) settings6() {
	d.conf = d.l.conf6
	if d.cfg.IPv6 != nil {
		d.conf = *d.cfg.IPv6
	}
	switch n := d.cfg.DupAddrDetectTransmits; {
	case n > 0:
		d.conf.DADTransmits = n
	case n < 0:
		d.conf.DADTransmits = 0
	}
}

// view6 fills in what autoconfiguration has found.
func (d *device) view6(i *netif.Interface) {
	i.MTU6, i.HopLimit = d.conf.MTU, d.conf.HopLimit
	i.PreferPublic = d.conf.TempAddr == 1
	if d.host != nil {
		i.Advertised = d.host.Advertisers()
		p := d.host.Params()
		i.Managed, i.Other = p.Managed, p.Other
	}
}

// beginIPv6 forms the link-local address, and looks for routers when that can be used.
func (d *device) beginIPv6() {
	if d.medium != link.Ethernet || d.noIPv6() || d.down {
		return
	}
	now := d.l.rt.Now()
	d.host = nd.NewHost(nd.HostConfig{Name: d.name, Interface: d.index, Address: d.info.Addr, LinkMTU: d.mtu(),
		Forwarding: d.l.Settings().Forward6, Settings: &d.conf, Rand: d.l.random})
	d.host.Start(now, !d.cfg.NoLinkLocal)
	if !d.up {
		d.host.Stop()
	}
	d.poll(now)
}

// endIPv6 takes back what autoconfiguration has made.
func (d *device) endIPv6() {
	if d.host == nil {
		return
	}
	d.host.Reset()
	d.poll(d.l.rt.Now())
	d.host = nil
}

// resumeIPv6 looks for routers again after the link was away. If the link-local address is still being verified, that is
// waited for.
func (d *device) resumeIPv6() {
	if d.host == nil {
		return
	}
	for i := range d.addrs {
		if a := &d.addrs[i]; a.Origin == netif.LinkLocal && a.State == netif.Tentative {
			return
		}
	}
	now := d.l.rt.Now()
	d.host.Resume(now)
	d.poll(now)
}

// usable follows an address that became so. delayed says that there was a random delay before.
func (d *device) usable(now clock.Instant, a wire.Addr, delayed bool) {
	if d.host != nil {
		d.host.Ready(now, a, delayed)
		d.poll(now)
	}
}

// conflicted follows an address that another node has.
func (d *device) conflicted(now clock.Instant, a netif.Address) {
	if d.host == nil || a.Origin != netif.LinkLocal && a.Origin != netif.SLAAC {
		return
	}
	if a.Origin == netif.LinkLocal && d.conf.AcceptDAD > 1 && d.conf.Forms() == netif.EUI64 {
		d.refuseIPv6()
		return
	}
	d.host.Duplicate(now, a.Addr)
}

// refuseIPv6 stops IPv6 until the link comes back.
//
// RFC 4862, 5.4.5: "If the address is a link-local address formed from an interface identifier based on the hardware
// address, which is supposed to be uniquely assigned (e.g., EUI-64 for an Ethernet interface), IP operation on the
// interface SHOULD be disabled. By disabling IP operation, the node will then: not send any IP packets from the
// interface, silently drop any IP packets received on the interface, and not forward any IP packets to the interface".
func (d *device) refuseIPv6() {
	d.refused6 = true
	d.host.Stop()
	for _, dad := range d.dads {
		dad.Stop()
	}
	d.dads = nil
	for i := range d.addrs {
		if a := &d.addrs[i]; !a.Addr.Is4() {
			a.State, a.Optimistic = netif.Duplicate, false
		}
	}
	d.l.emit(&trace.Event{Kind: trace.IPv6Disabled, In: d.index})
}

// forwardingChanged follows a change of what the node is.
func (d *device) forwardingChanged(on bool) {
	if d.host != nil {
		now := d.l.rt.Now()
		d.host.SetForwarding(now, on)
		if !d.up {
			d.host.Stop()
		}
		d.poll(now)
	}
}

// runHost does what the host machine wants. It reports whether that was anything.
func (d *device) runHost(now clock.Instant) (some bool) {
	if d.host == nil {
		return false
	}
	var a nd.HostAction
	rebuild := false
	for d.host != nil && d.host.Next(&a) {
		some = true
		switch a.Kind {
		case nd.Solicit:
			d.solicitRouters(now)
		case nd.AddAddress, nd.SetAddress, nd.RemoveAddress:
			d.doAddress(now, &a)
			rebuild = true
		case nd.ChangeRoutes:
			d.l.learn(d.index, d.host.Routes())
			d.tellRouters()
		case nd.ChangeParams:
			d.applyParams()
			rebuild = true
		case nd.ChangeDNS:
			d.l.emit(&trace.Event{Kind: trace.NameServersChanged, In: d.index})
		}
	}
	if d.host != nil && d.host.Refused() != d.refused {
		d.counters.Add(mib.Icmp6RALimited, uint64(d.host.Refused()-d.refused))
		d.refused = d.host.Refused()
	}
	if rebuild {
		d.l.rebuild()
	}
	return some
}

// doAddress adds, changes or removes an address of our own making.
func (d *device) doAddress(now clock.Instant, a *nd.HostAction) {
	e := d.address(a.Address.Addr)
	own := e != nil && (e.Origin == netif.LinkLocal || e.Origin == netif.SLAAC)
	switch {
	case a.Kind == nd.RemoveAddress:
		if own {
			d.remove(e.Addr)
		}
	case e == nil && a.Kind == nd.AddAddress:
		opt := netif.AddressOptions{Optimistic: d.conf.OptimisticDAD && a.Address.Origin == netif.SLAAC && d.knowsRouter()}
		d.add(a.Address, &opt)
	case own:
		e.ValidUntil, e.PreferredUntil = a.Address.ValidUntil, a.Address.PreferredUntil
		if e.Assigned() {
			d.become(now, e, lived(e, now))
		}
	case e != nil && e.Assigned():
		// RFC 4862, 5.5.3 (d): "It could be possible that an address already in the list, configured either manually or by
		// DHCPv6, happens to be identical to the newly created address". It stays what it is.
		d.host.Ready(now, e.Addr, false)
	}
}

// knowsRouter reports whether a default router's link-layer address is known. RFC 4429, 3.3: "A host that does not know
// the SLLAO of its router SHOULD NOT configure a new address as Optimistic."
func (d *device) knowsRouter() bool {
	for _, r := range d.host.Routers() {
		if d.cache.Known(r.Addr) {
			return true
		}
	}
	return false
}

// applyParams takes what routers say of the link for what it is, as Linux does: until told otherwise.
func (d *device) applyParams() {
	p := d.host.Params()
	if p.HopLimit != 0 {
		d.conf.HopLimit = p.HopLimit
	}
	if p.MTU != 0 {
		d.conf.MTU = p.MTU
	}
	if d.cache != nil {
		d.cache.SetTimes(p.ReachableTime, p.RetransTimer)
	}
}

// tellRouters traces which default routers came and went.
func (d *device) tellRouters() {
	var now []wire.Addr
	for _, r := range d.host.Routers() {
		now = append(now, r.Addr)
	}
	tell := func(k trace.Kind, these, not []wire.Addr) {
		for _, a := range these {
			if !slices.Contains(not, a) {
				d.l.emit(&trace.Event{Kind: k, In: d.index, Src: a})
			}
		}
	}
	for _, a := range d.routers {
		if !slices.Contains(now, a) {
			d.notRouter(a)
		}
	}
	tell(trace.RouterLost, d.routers, now)
	tell(trace.RouterFound, now, d.routers)
	d.routers = now
}

// solicitRouters sends a Router Solicitation.
//
// RFC 4861, 6.3.7: "A host sends Router Solicitations to the all-routers multicast address. The IP source address is set
// to either one of the interface's unicast addresses or the unspecified address. The Source Link-Layer Address option
// SHOULD be set to the host's link-layer address, if the IP source address is not the unspecified address." RFC 4429,
// 3.2: "Router Solicitations SHOULD be sent from a non-Optimistic or the Unspecified Address".
func (d *device) solicitRouters(now clock.Instant) {
	if !d.up || d.noIPv6() {
		return
	}
	var src wire.Addr
	var m wire.RouterSolicitation
	for i := range d.addrs {
		if a := &d.addrs[i]; !a.Addr.Is4() && a.Addr.IsLinkLocal() && a.Assigned() && !a.Optimistic {
			src, m.SourceLink = a.Addr, d.info.Addr
			break
		}
	}
	d.sendND(now, &m, src, wire.AllRouters6, wire.MAC{})
}

// routerAdvertisement reports whether p is a valid Router Advertisement (RFC 4861, 6.1.2), after it did what it says.
func (q *queue) routerAdvertisement(p *packet.Buffer) bool {
	d := q.d
	m, err := wire.ParseRouterAdvertisement(p.Bytes())
	if err != nil || m.Validate(p.Src, p.Dst, p.HopLimit) != nil {
		return false
	}
	if d.host == nil || d.address(p.Src) != nil && !d.conf.FromLocal {
		return true
	}
	// The router is one whether or not we want to hear what it says: its neighbor cache entry tells so.
	if d.address(p.Src) == nil {
		d.cache.Router(q.now, p.Src, m.SourceLink)
	}
	d.host.Advertised(q.now, p.Src, &m)
	if d.advertising != nil {
		d.advertising.compare(q.now, p)
	}
	return true
}
