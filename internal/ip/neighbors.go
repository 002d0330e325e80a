package ip

import (
	"fmt"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// Neighbors lists the neighbors on the interface's link: RFC 4861, 5.1, and the ARP table. Errors: ENODEV.
func (l *Layer) Neighbors(index int32) ([]neigh.Info, error) {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil || d.cache == nil {
		return nil, err
	}
	return d.cache.List(), nil
}

// SetNeighbor configures mac as the link-layer address of the neighbor a: nothing that is heard changes it. Errors: ENODEV,
// EINVAL for what cannot be a neighbor or its link-layer address, EOPNOTSUPP on a link without link-layer addresses,
// EAFNOSUPPORT for IPv6 on an interface without it, ENETDOWN if it was taken down.
func (l *Layer) SetNeighbor(index int32, a netip.Addr, mac wire.MAC) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, w, err := l.neighborOn(index, a)
	if err != nil {
		return err
	}
	bad := func(why string, errno syscall.Errno) error {
		return fmt.Errorf("neighbor %v on %s: %s: %w", a, d.name, why, errno)
	}
	switch {
	case w.IsUnspecified() || w.IsMulticast() || w.IsLoopback() || w == wire.Broadcast4:
		return bad("not a unicast address", syscall.EINVAL)
	case mac == (wire.MAC{}) || mac.IsMulticast():
		return bad("not the link-layer address of a station", syscall.EINVAL)
	case !w.Is4() && d.noIPv6():
		return bad("no IPv6 there", syscall.EAFNOSUPPORT)
	case d.down:
		return bad("the interface is down", syscall.ENETDOWN)
	}
	now := l.rt.Now()
	d.cache.SetPermanent(now, w, mac)
	d.poll(now)
	return nil
}

// RemoveNeighbor forgets the neighbor a, however it became known. Packets that wait for it are dropped. Errors: ENODEV,
// EOPNOTSUPP as SetNeighbor, ENOENT if it is not known.
func (l *Layer) RemoveNeighbor(index int32, a netip.Addr) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, w, err := l.neighborOn(index, a)
	if err != nil {
		return err
	}
	now := l.rt.Now()
	if !d.cache.Remove(now, w) {
		return fmt.Errorf("neighbor %v on %s: %w", a, d.name, syscall.ENOENT)
	}
	d.poll(now)
	return nil
}

// FlushNeighbors forgets all neighbors on the interface's link but those that SetNeighbor configured. Errors: ENODEV.
func (l *Layer) FlushNeighbors(index int32) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return err
	}
	d.stop()
	return nil
}

// neighborOn returns the interface with the given index, which must have neighbors. Control locked.
func (l *Layer) neighborOn(index int32, a netip.Addr) (*device, wire.Addr, error) {
	d, err := l.find(index)
	if err == nil && d.cache == nil {
		err = fmt.Errorf("interface %s has no neighbors: %w", d.name, syscall.EOPNOTSUPP)
	}
	if err == nil && (!a.IsValid() || a.Is4In6()) {
		err = fmt.Errorf("neighbor %v: %w", a, syscall.EINVAL)
	}
	return d, wire.AddrFrom(a.WithZone("")), err
}

// ChangeAddress gives an address of the interface other lifetimes, and says anew whether it is Temporary and has a
// NoPrefixRoute; the rest of opt is not looked at. What routers told of an address lasts until they tell it again. Errors:
// ENODEV, EADDRNOTAVAIL if the interface does not have it.
func (l *Layer) ChangeAddress(index int32, a netip.Addr, opt netif.AddressOptions) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return err
	}
	e := d.address(wire.AddrFrom(a.WithZone("")))
	if e == nil {
		return fmt.Errorf("address %v: not on interface %s: %w", a, d.name, syscall.EADDRNOTAVAIL)
	}
	now := l.rt.Now()
	e.ValidUntil, e.PreferredUntil = ends(now, &opt)
	e.Temporary, e.NoPrefixRoute = opt.Temporary, opt.NoPrefixRoute
	if e.Assigned() {
		state := lived(e, now)
		if opt.Preferred < 0 {
			state = netif.Deprecated
		}
		d.become(now, e, state)
	}
	d.poll(now)
	l.rebuild()
	return nil
}
