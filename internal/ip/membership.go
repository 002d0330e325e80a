package ip

import (
	"fmt"
	"slices"
	"syscall"

	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// Membership is a user's part in a multicast group on an interface. Several users of one group hear what any of them wants.
type Membership struct {
	d      *device
	group  wire.Addr
	filter mcast.Filter // control locked
}

// Join makes a user hear, on the interface with the given index, what f says of a group. Errors: EINVAL for a group that is
// none, ENODEV, EAFNOSUPPORT for IPv6 on an interface without it.
func (l *Layer) Join(index int32, group wire.Addr, f mcast.Filter) (*Membership, error) {
	if !group.IsMulticast() {
		return nil, fmt.Errorf("%v is not a multicast group: %w", group, syscall.EINVAL)
	}
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	switch {
	case err != nil:
		return nil, err
	case d.noIPv6() && !group.Is4():
		return nil, fmt.Errorf("group %v: no IPv6 on interface %s: %w", group, d.name, syscall.EAFNOSUPPORT)
	}
	m := &Membership{d, group, f}
	i, ok := d.findJoined(group)
	if !ok {
		d.joined = slices.Insert(d.joined, i, &joined{group: group})
	}
	d.joined[i].users = append(d.joined[i].users, m)
	l.publish()
	return m, nil
}

// Change makes f what the user wants to hear.
func (m *Membership) Change(f mcast.Filter) {
	l := m.d.l
	l.control.Lock()
	defer l.control.Unlock()
	m.filter = f
	l.publish()
}

// Leave ends the user's part. A second call does nothing.
func (m *Membership) Leave() {
	l := m.d.l
	l.control.Lock()
	defer l.control.Unlock()
	i, ok := m.d.findJoined(m.group)
	if !ok {
		return
	}
	j := m.d.joined[i]
	j.users = slices.DeleteFunc(j.users, func(o *Membership) bool { return o == m })
	if len(j.users) == 0 {
		m.d.joined = slices.Delete(m.d.joined, i, i+1)
	}
	l.publish()
}

func (d *device) findJoined(group wire.Addr) (int, bool) {
	return slices.BinarySearchFunc(d.joined, group, func(j *joined, g wire.Addr) int { return j.group.Compare(g) })
}

// GroupInterface returns the index of the interface that packets to a group leave by, and that it is joined on, if nobody
// says which: the one a route leads to, else the first that is up. Errors: ENODEV.
func (l *Layer) GroupInterface(group wire.Addr) (int32, error) {
	w := way{l: l, s: l.snap.Load(), now: l.rt.Now(), dst: group, multicast: true}
	out, _ := w.outgoing()
	if out == nil {
		return 0, syscall.ENODEV
	}
	return out.Index, nil
}

// IsBroadcast reports whether a is an IPv4 broadcast address of one of our links.
func (l *Layer) IsBroadcast(a wire.Addr) bool { return l.snap.Load().AnyBroadcast(a) }

// GroupInfo is a multicast group on an interface.
type GroupInfo struct {
	Interface *netif.Interface
	Group     wire.Addr
	Filter    mcast.Filter
	Users     int           // that joined it; 0: the interface is in it by itself
	Version   mcast.Version // that is spoken on the interface
}

// Groups lists the multicast groups that are heard, by interface and address.
func (l *Layer) Groups() (all []GroupInfo) {
	l.control.Lock()
	defer l.control.Unlock()
	s := l.snap.Load()
	for _, d := range l.devices {
		all = append(all, d.groups(s.Interface(d.index))...)
	}
	return all
}

// groups lists the groups that d, whose published view is i, hears. Control locked.
func (d *device) groups(i *netif.Interface) (all []GroupInfo) {
	for _, m := range i.Groups {
		info := GroupInfo{Interface: i, Group: m.Group, Filter: m.Filter, Version: d.machine(m.Group).Version()}
		if k, ok := d.findJoined(m.Group); ok {
			info.Users = len(d.joined[k].users)
		}
		all = append(all, info)
	}
	return all
}
