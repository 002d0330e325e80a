package ip

import (
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// memberships is what a device listens to, and who tells that to the link. Control locked, all of it.
type memberships struct {
	joined     []*joined // by address
	igmp, mld  *mcast.Machine
	groupTimer shard.Node
	reportFrom wire.Addr // the link-local address that MLD's messages come from; unspecified: none is usable yet
}

// joined is a group that somebody asked for, besides those that the interface itself needs.
type joined struct {
	group wire.Addr
	users []*Membership
}

// filter returns what the users want, taken together.
func (j *joined) filter() (f mcast.Filter) {
	for _, u := range j.users {
		f = mcast.Merge(f, u.filter)
	}
	return f
}

// groupTimer is the device as the owner of the timer of its groups.
type groupTimer device

// Expire implements shard.Timed.
func (t *groupTimer) Expire(now clock.Instant) clock.Instant {
	d := (*device)(t)
	d.pollGroups(now)
	return d.groupDeadline()
}

func (d *device) groupDeadline() clock.Instant { return min(d.igmp.Deadline(), d.mld.Deadline()) }

// listen begins to tell the link which groups are heard. What there is to tell, rebuild finds.
//
// Nobody is told on the loopback interface, where there is nobody else.
func (d *device) listen() {
	d.groupTimer.Owner = (*groupTimer)(d)
	d.newGroupMachines()
	if d.lk == nil || !d.up {
		return
	}
	now := d.l.rt.Now()
	d.igmp.Up(now)
	d.mld.Up(now)
}

// silence stops that: the link went away.
func (d *device) silence() {
	d.newGroupMachines()
	d.reportFrom = wire.Addr{}
	d.l.control.Disarm(&d.groupTimer)
}

func (d *device) newGroupMachines() {
	s := d.l.Settings()
	d.igmp = mcast.New(mcast.Config{IPv4: true, Rand: d.l.random}, s.IGMP)
	d.mld = mcast.New(mcast.Config{Rand: d.l.random}, s.MLD)
}

// heard returns the multicast groups that d, whose view is i, receives, by address, and has the link told of what changed.
func (d *device) heard(i *netif.Interface) []netif.Membership {
	own := d.ownGroups()
	groups := slices.Clone(own)
	for _, j := range d.joined {
		groups = append(groups, j.group)
	}
	slices.SortFunc(groups, wire.Addr.Compare)
	groups = slices.Compact(groups)
	merged := make([]netif.Membership, len(groups))
	for i, g := range groups {
		merged[i].Group = g
	}
	merge := func(g wire.Addr, f mcast.Filter) {
		i, _ := slices.BinarySearchFunc(groups, g, wire.Addr.Compare)
		merged[i].Filter = mcast.Merge(merged[i].Filter, f)
	}
	for _, g := range own {
		merge(g, mcast.All)
	}
	for _, j := range d.joined {
		merge(j.group, j.filter())
	}
	d.igmp.SetRoom(i.MTUOf(true) - igmpHeaderLen)
	d.mld.SetRoom(i.MTUOf(false) - mldHeaderLen)
	d.tellGroups(merged)
	return merged
}

// tellGroups gives the machines the groups that are heard now.
func (d *device) tellGroups(now []netif.Membership) {
	at := d.l.rt.Now()
	var old []netif.Membership
	if s := d.l.snap.Load(); s != nil {
		if i := s.Interface(d.index); i != nil {
			old = i.Groups
		}
	}
	for _, m := range old {
		if _, still := slices.BinarySearchFunc(now, m.Group, func(m netif.Membership, g wire.Addr) int { return m.Group.Compare(g) }); !still {
			d.machine(m.Group).Set(at, m.Group, mcast.Filter{}, 0)
		}
	}
	// RFC 3590, 4: "Once a valid link-local address is available, a node SHOULD generate new MLD Report messages for all
	// multicast addresses joined on the interface."
	if from := d.linkLocalSource(); from != d.reportFrom {
		if d.reportFrom.IsUnspecified() {
			d.mld.Renew(at)
		}
		d.reportFrom = from
	}
	for _, m := range now {
		d.machine(m.Group).Set(at, m.Group, m.Filter, 0)
	}
	d.pollGroups(at)
}

// linkLocalSource returns an assigned link-local address, or the unspecified address.
func (d *device) linkLocalSource() wire.Addr {
	for i := range d.addrs {
		if a := &d.addrs[i]; !a.Addr.Is4() && a.Addr.IsLinkLocal() && a.Assigned() && !a.Optimistic {
			return a.Addr
		}
	}
	return wire.Addr{}
}

func (d *device) machine(group wire.Addr) *mcast.Machine {
	if group.Is4() {
		return d.igmp
	}
	return d.mld
}

// expectSolicitations has the solicited-node group of a, which is going to be verified after delay, reported before.
//
// RFC 4862, 5.4.2: "the node SHOULD delay joining the solicited-node multicast address by a random delay between 0 and
// MAX_RTR_SOLICITATION_DELAY"; and the join comes before the solicitation, so that switches let the answer through
// (RFC 3590, 3).
func (d *device) expectSolicitations(a wire.Addr, delay time.Duration) {
	now := d.l.rt.Now()
	if delay > 0 {
		delay = time.Duration(d.l.random() % uint64(delay))
	}
	d.mld.Set(now, a.SolicitedNode(), mcast.All, delay)
	d.pollGroups(now)
}

// pollGroups does what the machines want done, and arms their timer.
func (d *device) pollGroups(now clock.Instant) {
	var m mcast.Message
	d.igmp.Timeout(now)
	for d.igmp.Next(&m) {
		d.sendIGMP(&m)
	}
	d.mld.Timeout(now)
	for d.mld.Next(&m) {
		d.sendMLD(now, &m)
	}
	d.l.control.Arm(&d.groupTimer, d.groupDeadline())
}

// ownGroups returns the groups that an interface needs to be in itself.
//
// RFC 1112, 7.2: "the host shall remain a member of the all-hosts group at all times". RFC 4291, 2.8: a host must
// recognize "The All-Nodes multicast addresses" and "The Solicited-Node multicast address for each of its unicast and
// anycast addresses", a router also the All-Routers addresses. Of tentative addresses too: RFC 4862, 5.4.2.
func (d *device) ownGroups() []wire.Addr {
	g := []wire.Addr{wire.AllHosts4}
	if d.l.Settings().Forward4 {
		g = append(g, wire.AllRouters4)
	}
	if d.noIPv6() {
		return g
	}
	g = append(g, interfaceNodes6, wire.AllNodes6)
	if d.l.Settings().Forward6 {
		g = append(g, interfaceRouters6, wire.AllRouters6, wire.SiteRouters6)
	}
	if d.medium != link.Ethernet {
		return g
	}
	for i := range d.addrs {
		a := &d.addrs[i]
		if !a.Addr.Is4() && a.State != netif.Duplicate {
			g = append(g, a.Addr.SolicitedNode())
		}
	}
	for _, a := range d.subnetRouters() {
		g = append(g, a.SolicitedNode())
	}
	// RFC 4861, 7.2.8: "A proxy MUST join the solicited-node multicast address(es) that correspond to the IP address(es)
	// assigned to the node for which it is proxying."
	for _, a := range d.proxies6() {
		g = append(g, a.SolicitedNode())
	}
	return g
}

// The groups of interface-local scope (RFC 4291, 2.7.1).
var (
	interfaceNodes6   = wire.Addr{Hi: 0xff01 << 48, Lo: 1}
	interfaceRouters6 = wire.Addr{Hi: 0xff01 << 48, Lo: 2}
)

// configureGroups gives all devices new settings of IGMP and MLD. Control locked.
func (l *Layer) configureGroups(s *Settings) {
	now := l.rt.Now()
	for _, d := range l.devices {
		d.igmp.Configure(now, s.IGMP)
		d.mld.Configure(now, s.MLD)
		d.pollGroups(now)
	}
}
