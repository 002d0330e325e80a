package ip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// AddInterface makes an interface of lk and attaches to it. An Ethernet one that speaks IPv6 gets a link-local
// address. Errors name what is wrong with the name, the configuration or the link, which stays the caller's then;
// errors.Is finds EINVAL, EEXIST for a name taken, or what Attach returned.
func (l *Layer) AddInterface(name string, lk link.Link, cfg netif.Config) (*netif.Interface, error) {
	info := lk.Info()
	mtu := cfg.MTU
	switch {
	case name == "" || strings.ContainsAny(name, "%/ \t\n"):
		return nil, fmt.Errorf("interface name %q: must not be empty nor contain %%, / or blanks: %w", name, syscall.EINVAL)
	case mtu == 0 || mtu > info.MTU:
		mtu = info.MTU
	}
	if mtu < netif.MinMTU4 {
		return nil, fmt.Errorf("interface %s: MTU %d is below %d, the least that IPv4 allows: %w", name, mtu, netif.MinMTU4, syscall.EINVAL)
	}
	l.control.Lock()
	if l.closed {
		l.control.Unlock()
		return nil, link.ErrClosed
	}
	for _, d := range l.devices {
		if d.name == name {
			l.control.Unlock()
			return nil, fmt.Errorf("interface %s: the name is taken: %w", name, syscall.EEXIST)
		}
	}
	d := l.newDevice(name, lk, cfg, info)
	l.insert(d)
	l.control.Unlock()

	if err := lk.Attach(d); err != nil {
		l.control.Lock()
		l.delete(d)
		l.control.Unlock()
		return nil, fmt.Errorf("interface %s: %w", name, err)
	}
	d.Changed(lk.Info()) // what it told before it was attached
	return l.Snapshot().Interface(d.index), nil
}

// insert gives d its place, and its first addresses. Control locked.
func (l *Layer) insert(d *device) {
	d.index = l.nextIndex
	d.retap()
	l.nextIndex++
	l.devices = append(l.devices, d)
	if d.up {
		l.emit(&trace.Event{Kind: trace.InterfaceUp, In: d.index})
	}
	d.start()
	d.listen()
	d.beginIPv6()
	d.beginLinkLocal4()
	l.rebuild()
}

func (l *Layer) addLoopback() {
	d := l.newDevice("lo", nil, netif.Config{}, link.Info{MTU: netif.LoopbackMTU, Medium: link.IP, Queues: 1, Up: true})
	d.addrs = []netif.Address{{Addr: wire.Loopback4, Bits: 8, State: netif.Preferred},
		{Addr: wire.Loopback6, Bits: 128, State: netif.Preferred}}
	l.insert(d)
}

// RemoveInterface detaches from the interface's link, waits until no call from it is under way, and closes it. Its
// addresses, and the routes through it, go too. Errors: ENODEV, EINVAL for the loopback interface, or what closing the
// link returned.
func (l *Layer) RemoveInterface(index int32) error {
	lk, err := l.detach(index)
	if err != nil {
		return err
	}
	return lk.Close()
}

// DetachInterface is RemoveInterface, but leaves the link open: it is the caller's again.
func (l *Layer) DetachInterface(index int32) error {
	_, err := l.detach(index)
	return err
}

func (l *Layer) detach(index int32) (link.Link, error) {
	l.farewell(index)
	l.control.Lock()
	d, err := l.find(index)
	if err == nil && d.lk == nil {
		err = fmt.Errorf("interface %s cannot be removed: %w", d.name, syscall.EINVAL)
	}
	if err != nil {
		l.control.Unlock()
		return nil, err
	}
	l.delete(d)
	l.control.Unlock()

	d.lk.Attach(nil) // detaching does not fail
	for i := range d.egresses {
		d.egresses[i].close()
	}
	d.untap()

	// What the link's goroutines did while they were waited for is counted too.
	l.control.Lock()
	d.addCounters(&l.retired)
	l.control.Unlock()
	return d.lk, nil
}

// delete takes d out of the configuration. Control locked.
func (l *Layer) delete(d *device) {
	l.devices = slices.DeleteFunc(l.devices, func(o *device) bool { return o == d })
	l.fib = l.fib.WithoutAll(func(r route.Route) bool { return r.Out == d.index })
	l.redirects.forget(l, func(r *route.Redirection) bool { return r.Out == d.index })
	d.end()
	d.silence()
	l.rebuild()
	l.emit(&trace.Event{Kind: trace.InterfaceDown, In: d.index})
}

// find returns the device with the given index, or ENODEV. Control locked.
func (l *Layer) find(index int32) (*device, error) {
	for _, d := range l.devices {
		if d.index == index {
			return d, nil
		}
	}
	return nil, fmt.Errorf("interface %d: %w", index, syscall.ENODEV)
}

// AddAddress gives the interface an address; its prefix is reached directly through it. An IPv6 address on
// Ethernet becomes usable when duplicate address detection is over; WaitReady waits for that. Errors name what is wrong;
// errors.Is finds EINVAL, ENODEV, EEXIST, or EAFNOSUPPORT for IPv6 on an interface without it.
func (l *Layer) AddAddress(index int32, p netip.Prefix, opt netif.AddressOptions) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return err
	}
	if err := d.refuse(p); err != nil {
		return err
	}
	now := l.rt.Now()
	d.add(newAddress(now, p, &opt), &opt)
	d.poll(now)
	l.rebuild()
	return nil
}

// refuse returns why p cannot be an address of d, or nil. Control locked.
func (d *device) refuse(p netip.Prefix) error {
	bad := func(why string, errno syscall.Errno) error {
		return fmt.Errorf("address %v: %s: %w", p, why, errno)
	}
	a := wire.AddrFrom(p.Addr())
	n := netif.Address{Addr: a, Bits: p.Bits()}
	switch {
	case !p.IsValid() || p.Addr().Is4In6():
		return bad("not an address with a prefix length", syscall.EINVAL)
	case a.IsUnspecified() || a.IsMulticast() || a == wire.Broadcast4 || a.Is4() && a.V4()>>28 == 0xf || a.Is4() && a.V4()>>24 == 0:
		return bad("not a unicast address", syscall.EINVAL)
	case a.IsLoopback() && d.lk != nil:
		return bad("a loopback address belongs on lo", syscall.EINVAL)
	case !a.Is4() && d.noIPv6():
		return bad("no IPv6 on interface "+d.name, syscall.EAFNOSUPPORT)
	}
	if ones, zeros, ok := n.Broadcasts(); ok && (a == ones || a == zeros) {
		return bad("the broadcast address of its subnet", syscall.EINVAL)
	}
	if d.address(a) != nil {
		return bad("the interface has it already", syscall.EEXIST)
	}
	for _, o := range d.l.devices {
		// What is ours is one table for all VRFs.
		if o.cfg.VRF != d.cfg.VRF && !a.NeedsScope() && o.address(a) != nil {
			return bad("interface "+o.name+", of another VRF, has it", syscall.EADDRINUSE)
		}
	}
	return nil
}

// RemoveAddress takes an address away from the interface. Errors: ENODEV, EADDRNOTAVAIL if it does not have it.
func (l *Layer) RemoveAddress(index int32, a netip.Addr) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return err
	}
	w := wire.AddrFrom(a)
	if d.address(w) == nil {
		return fmt.Errorf("address %v: not on interface %s: %w", a, d.name, syscall.EADDRNOTAVAIL)
	}
	d.remove(w)
	if d.host != nil {
		d.host.Removed(w)
	}
	d.poll(l.rt.Now())
	l.rebuild()
	return nil
}

// rebuild makes the snapshot anew after interfaces or addresses changed, and the routes that follow from them. Control
// locked.
func (l *Layer) rebuild() {
	l.syncRoutes()
	l.publish()
	for _, d := range l.devices {
		if d.advertising != nil {
			d.advertising.sync()
		}
	}
}

// publish makes the configuration what the packet path sees. Control locked.
func (l *Layer) publish() {
	s := &snapshot{generation: 1, routes: l.fib, devices: make([]*device, l.nextIndex)}
	if old := l.snap.Load(); old != nil {
		s.generation = old.generation + 1
	}
	ifs := make([]*netif.Interface, len(l.devices))
	for i, d := range l.devices {
		ifs[i] = d.view()
		s.devices[d.index] = d
	}
	s.Snapshot = netif.NewSnapshot(ifs)
	l.snap.Store(s)
	l.generation.Add(1)
	l.wake()
	l.tellChanges()
}

// emit traces e at the present instant.
func (l *Layer) emit(e *trace.Event) {
	if l.cfg.Tracer.Enabled() {
		e.At = l.rt.Now()
		l.cfg.Tracer.Emit(e)
	}
}
