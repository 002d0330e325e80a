package ip

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/nd"
	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// resolver drives a device's neighbor cache and the duplicate address detection of its addresses. Control locked, all
// of it.
type resolver struct {
	cache   *neigh.Cache // nil on links without link-layer addresses
	dads    []*nd.DAD    // of tentative addresses
	timer   shard.Node
	polling bool // poll is under way: what happens meanwhile it does too
}

// start gives the device an empty neighbor cache, if its link has neighbors.
func (d *device) start() {
	if d.known == nil {
		return
	}
	d.cache = neigh.NewCache(neigh.Config{Address: d.info.Addr, Interface: d.index, Tracer: d.l.cfg.Tracer, Rand: d.l.random,
		Observe: d.tellNeighbor})
}

// stop forgets all neighbors.
func (d *device) stop() {
	if d.cache == nil {
		return
	}
	now := d.l.rt.Now()
	d.cache.Flush(now)
	d.poll(now)
}

// end is stop for good.
func (d *device) end() {
	for _, dad := range d.dads {
		dad.Stop()
	}
	d.dads, d.host = nil, nil
	d.acds, d.ll = nil, nil
	if d.cache != nil {
		d.cache.Clear(d.l.rt.Now())
	}
	d.stop()
	d.l.control.Disarm(&d.timer)
	if d.advertising != nil {
		d.advertising.end()
	}
	d.endAnswers()
}

// random returns unpredictable bits.
func (l *Layer) random() uint64 {
	var b [8]byte
	l.rt.Entropy(b[:])
	return binary.BigEndian.Uint64(b[:])
}

// Expire implements shard.Timed.
func (d *device) Expire(now clock.Instant) clock.Instant {
	if d.cache != nil {
		d.cache.Timeout(now)
	}
	for _, dad := range d.dads {
		dad.Timeout(now)
	}
	if d.host != nil {
		d.host.Timeout(now)
	}
	for _, acd := range d.acds {
		acd.Timeout(now)
	}
	d.expireAddresses(now)
	d.poll(now)
	return d.deadline()
}

func (d *device) deadline() clock.Instant {
	at := min(d.addressDeadline(), d.acdDeadline())
	if d.cache != nil {
		at = min(at, d.cache.Deadline())
	}
	if d.host != nil {
		at = min(at, d.host.Deadline())
	}
	for _, dad := range d.dads {
		at = min(at, dad.Deadline())
	}
	return at
}

// poll does what the machines want done after an event, and arms their timer.
func (d *device) poll(now clock.Instant) {
	if d.polling {
		return
	}
	d.polling = true
	for more := true; more; more = d.runHost(now) {
		d.runCache(now)
		d.sendProbes(now)
		d.settleDADs(now)
		d.runACDs(now)
	}
	d.polling = false
	d.l.control.Arm(&d.timer, d.deadline())
}

// runCache does what the neighbor cache wants.
func (d *device) runCache(now clock.Instant) {
	if d.cache == nil {
		return
	}
	var a neigh.Action
	for d.cache.Next(&a) {
		d.act(now, &a)
	}
}

// sendProbes sends the solicitations of duplicate address detection.
func (d *device) sendProbes(now clock.Instant) {
	var m nd.Message
	for _, dad := range d.dads {
		for dad.Next(&m) {
			d.sendND(now, &m.Body, m.Src, m.Dst, m.LinkDst)
		}
	}
}

// act does one thing that the neighbor cache wants.
func (d *device) act(now clock.Instant, a *neigh.Action) {
	switch a.Kind {
	case neigh.Solicit:
		d.solicit(now, a)
	case neigh.Send:
		a.Packet.LinkDst = a.MAC
		a.Packet.Flags |= packet.Resolved
		d.l.control.Stage(a.Packet)
	case neigh.Fail:
		// The sender is told without the lock: transmit.
		a.Packet.Flags |= packet.Unreachable
		d.l.control.Stage(a.Packet)
	case neigh.Changed:
		d.neighborChanged(a.Target, a.State)
	case neigh.Drop:
		d.l.control.Counters.Drop(now, a.Packet, a.Reason)
	}
}

// solicit sends an ARP request or a Neighbor Solicitation.
func (d *device) solicit(now clock.Instant, a *neigh.Action) {
	src, ok := d.solicitFrom(a)
	if !ok {
		return // the cache will find that nobody answers
	}
	if a.Target.Is4() {
		m, dst := a.ARP(d.info.Addr, src)
		d.sendARP(&m, dst)
		return
	}
	m, dst, linkDst := a.NeighborSolicitation(d.info.Addr)
	d.sendND(now, &m, src, dst, linkDst)
}

// solicitFrom returns the source of a solicitation: the source of the packet that prompted it if it is one of the
// interface's (RFC 4861, 7.2.2), else any that is. RFC 826 has the sender's own; RFC 1122 leaves the choice among
// several open: one of the target's subnet, which the target is sure to answer.
func (d *device) solicitFrom(a *neigh.Action) (src wire.Addr, ok bool) {
	for i := range d.addrs {
		e := &d.addrs[i]
		// RFC 4429, 3.2: "A node MUST NOT use an Optimistic Address as the source address of a Neighbor Solicitation."
		if !e.Assigned() || e.Addr.Is4() != a.Target.Is4() || e.Optimistic || e.Anycast {
			continue
		}
		if e.Addr == a.Source {
			return e.Addr, true
		}
		if !ok || e.Prefix().Contains(a.Target.Netip()) {
			src, ok = e.Addr, true
		}
	}
	return src, ok
}

// sendARP stages an ARP packet.
func (d *device) sendARP(m *wire.ARP, dst wire.MAC) {
	// RFC 3927, 2.5: "All ARP packets (*replies* as well as requests) that contain a Link-Local 'sender IP address' MUST be
	// sent using link-layer broadcast instead of link-layer unicast."
	if m.SenderIP.IsLinkLocal() {
		dst = wire.BroadcastMAC
	}
	if m.Op == wire.ARPRequest {
		d.counters.Inc(mib.ArpOutRequests)
	} else {
		d.counters.Inc(mib.ArpOutReplies)
	}
	p := packet.New(wire.ARPLen)
	m.Put(p.Bytes())
	p.SetNetwork()
	p.EtherType, p.Out, p.LinkDst = wire.EtherTypeARP, d.index, dst
	p.Flags |= packet.Resolved
	d.l.control.Stage(p)
}

// ndMessage is a Neighbor Discovery message of package wire.
type ndMessage interface {
	Len() int
	Put(b []byte)
}

// sendND stages a packet with the Neighbor Discovery message body. A zero linkDst has a unicast dst resolved like that of any
// packet.
func (d *device) sendND(now clock.Instant, body ndMessage, src, dst wire.Addr, linkDst wire.MAC) {
	p := packet.New(body.Len())
	body.Put(p.Bytes())
	m := wire.ICMP(p.Bytes())
	typ := m.Type()
	wire.FinishICMPv6(m, src, dst)
	h := wire.IPv6Header{PayloadLen: p.Len(), NextHeader: wire.ProtoICMPv6, HopLimit: wire.NDHopLimit, Src: src, Dst: dst}
	h.Put(p.Prepend(wire.IPv6Len))
	p.SetNetwork()
	p.Src, p.Dst, p.Proto, p.HopLimit = src, dst, wire.ProtoICMPv6, wire.NDHopLimit
	p.EtherType, p.Out, p.NextHop = wire.EtherTypeIPv6, d.index, dst
	if linkDst == (wire.MAC{}) && dst.IsMulticast() {
		linkDst = dst.MulticastMAC()
	}
	if linkDst != (wire.MAC{}) {
		p.LinkDst = linkDst
		p.Flags |= packet.Resolved
	}
	d.l.sentICMP(&d.counters, now, p, typ, 0)
	d.l.control.Stage(p)
}

// added follows an address that d got: duplicate address detection begins, or the link hears of it.
func (d *device) added(a *netif.Address) {
	addr := a.Addr // a moves when others are added
	if a.State != netif.Tentative && !a.Optimistic {
		d.l.emit(&trace.Event{Kind: trace.AddressReady, In: d.index, Src: addr})
		d.announce(addr)
		d.usable(d.l.rt.Now(), addr, false)
		return
	}
	d.l.emit(&trace.Event{Kind: trace.AddressTentative, In: d.index, Src: addr})
	d.detect(addr, a.Optimistic)
}

// detect begins duplicate address detection of a, which is tentative or optimistic, if the link is up.
func (d *device) detect(a wire.Addr, optimistic bool) {
	if a.Is4() {
		d.detect4(a)
		return
	}
	if !d.up || d.noIPv6() {
		return
	}
	cfg := nd.DADConfig{Target: a, Transmits: d.conf.DADTransmits, Rand: d.l.random}
	if d.host != nil {
		cfg.RetransTimer = d.host.Params().RetransTimer
	}
	dad := nd.NewDAD(cfg)
	d.dads = append(d.dads, dad)
	now := d.l.rt.Now()
	delay := time.Duration(d.l.random() % uint64(nd.MaxRtrSolicitationDelay))
	if optimistic {
		delay = 0 // RFC 4429, 3.3: "The host SHOULD NOT delay before sending Neighbor Solicitation messages."
	}
	d.expectSolicitations(a, delay)
	dad.Start(now, delay)
	d.poll(now)
}

// removed follows an address that d loses.
func (d *device) removed(a wire.Addr) {
	d.dads = slices.DeleteFunc(d.dads, func(dad *nd.DAD) bool { return dad.Target() == a })
	d.acds = slices.DeleteFunc(d.acds, func(acd *neigh.ACD) bool { return acd.Address() == a })
}

// dad returns the detection under way of a, or nil.
func (d *device) dad(a wire.Addr) *nd.DAD {
	for _, dad := range d.dads {
		if dad.Target() == a {
			return dad
		}
	}
	return nil
}

// settleDADs draws the consequences of detections that ended.
func (d *device) settleDADs(now clock.Instant) {
	running := d.dads[:0]
	ended := d.dads[:0:0]
	for _, dad := range d.dads {
		if dad.State() == nd.DADTentative {
			running = append(running, dad)
		} else {
			ended = append(ended, dad)
		}
	}
	clear(d.dads[len(running):])
	d.dads = running
	for _, dad := range ended {
		state := netif.Preferred
		if dad.State() == nd.DADDuplicate {
			state = netif.Duplicate
		}
		d.settle(now, dad.Target(), state, dad.Conflict())
	}
}

// carrierLost forgets what is known of the link.
func (d *device) carrierLost() {
	defer d.forgetRouters()
	for _, dad := range d.dads {
		dad.Stop()
	}
	d.dads = nil
	d.stopACDs()
	for i := range d.addrs {
		if a := &d.addrs[i]; a.Optimistic {
			a.State, a.Optimistic = netif.Tentative, false
		}
	}
	if d.host != nil {
		d.host.Stop()
	}
	d.stop()
}

// carrierFound verifies what could not be verified, or failed, on what may be another link, announces the rest, and asks
// for routers.
func (d *device) carrierFound() {
	d.refused6 = false
	for _, a := range slices.Clone(d.addrs) {
		// RFC 5227, 2.1: an address is probed "when a link-state change signals that an Ethernet cable has been connected".
		if e := d.address(a.Addr); e != nil && (!e.Assigned() || d.acd(a.Addr) != nil) {
			e.State, e.Owner = netif.Tentative, wire.MAC{}
			d.detect(a.Addr, false)
		}
	}
	d.announceAll()
	d.resumeIPv6()
}

func (d *device) announceAll() {
	for i := range d.addrs {
		if d.addrs[i].Assigned() {
			d.announce(d.addrs[i].Addr)
		}
	}
}

// announce tells the neighbors on the link which link-layer address a has now. They may remember another: that of the
// stack that had a before.
//
// RFC 4861, 7.2.6: "In some cases, a node may be able to determine that its link-layer address has changed … and may
// wish to inform its neighbors of the new link-layer address quickly." RFC 5227, 2.3: an ARP Announcement "is identical
// to the ARP Probe …, except that now the sender and target IP addresses are both set to the host's newly selected IPv4
// address".
func (d *device) announce(a wire.Addr) {
	if !d.up || d.cache == nil {
		return
	}
	if a.Is4() {
		d.sendARP(&wire.ARP{Op: wire.ARPRequest, SenderMAC: d.info.Addr, SenderIP: a, TargetIP: a}, wire.BroadcastMAC)
		return
	}
	// RFC 9131, 6.1.2: "If the address is in the Optimistic state, then the Override flag MUST NOT be set." RFC 4861, 7.2.7,
	// of anycast addresses: "the Override flag in Neighbor Advertisements SHOULD be set to 0".
	e := d.address(a)
	override := e == nil || !e.Optimistic && !e.Anycast
	m := wire.NeighborAdvertisement{Router: d.l.Settings().Forward6, Override: override, Target: a, TargetLink: d.info.Addr}
	d.sendND(d.l.rt.Now(), &m, a, wire.AllNodes6, wire.MAC{})
}
