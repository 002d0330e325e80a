package ip

import (
	"github.com/onlink-go/onlink/internal/nd"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

// IPv6 returns the settings of IPv6 on the interface with the given index, or with 0 those that interfaces to come begin
// with. Errors: ENODEV.
func (l *Layer) IPv6(index int32) (netif.IPv6, error) {
	l.control.Lock()
	defer l.control.Unlock()
	if index == 0 {
		return l.conf6, nil
	}
	d, err := l.find(index)
	if err != nil {
		return netif.IPv6{}, err
	}
	c := d.conf
	if c.HopLimit == 0 {
		c.HopLimit = int(l.Settings().HopLimit)
	}
	if c.MTU == 0 {
		c.MTU = d.mtu()
	}
	return c, nil
}

// ConfigureIPv6 has f change those settings. What was formed or learned by the old ones stays, as in Linux, except where
// IPv6 is switched off: then all its addresses go. Errors: ENODEV.
func (l *Layer) ConfigureIPv6(index int32, f func(*netif.IPv6)) error {
	l.control.Lock()
	defer l.control.Unlock()
	if index == 0 {
		f(&l.conf6)
		return nil
	}
	d, err := l.find(index)
	if err != nil {
		return err
	}
	was := d.conf
	f(&d.conf)
	switch {
	case d.conf.Disable && !was.Disable:
		d.disableIPv6()
	case was.Disable && !d.conf.Disable:
		d.refused6 = false
		d.enableIPv6()
	}
	d.poll(l.rt.Now()) // timers may be others
	l.rebuild()
	return nil
}

// disableIPv6 takes all IPv6 addresses away, as Linux's disable_ipv6 does.
func (d *device) disableIPv6() {
	d.endIPv6()
	var gone []wire.Addr
	for i := range d.addrs {
		if a := d.addrs[i].Addr; !a.Is4() {
			gone = append(gone, a)
		}
	}
	for _, a := range gone {
		d.remove(a)
	}
}

// enableIPv6 begins anew. The loopback interface gets its address back.
func (d *device) enableIPv6() {
	if d.lk == nil {
		d.addrs = append(d.addrs, netif.Address{Addr: wire.Loopback6, Bits: 128, State: netif.Preferred})
		return
	}
	d.beginIPv6()
}

// Learned is what an interface has learned from routers.
type Learned struct {
	Routers  []nd.DefaultRouter
	Prefixes []nd.Prefix
	Servers  []wire.Addr
	Domains  []string
	Params   nd.Params
}

// Learned returns what the interface with the given index has learned from routers. Errors: ENODEV.
func (l *Layer) Learned(index int32) (Learned, error) {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil || d.host == nil {
		return Learned{}, err
	}
	return Learned{d.host.Routers(), d.host.Prefixes(), d.host.Servers(), d.host.Domains(), d.host.Params()}, nil
}
