package ip

import (
	"fmt"
	"syscall"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// An interface is up if it was not taken down and its link has a carrier. What the carrier does, the link tells; taking
// down and up is the business of whoever configures.

// SetUp takes the interface up or down, whatever its link's carrier does. One that is down receives and sends nothing, no
// route leads through it, its neighbors are forgotten and so is what routers told, with the addresses made of that. The
// other addresses stay, and are verified anew when it comes up: RFC 4862, 5.4: "Duplicate Address Detection … MUST be
// performed on all unicast addresses prior to assigning them to an interface", and 4.: "when a multicast-capable
// interface is enabled". Errors: ENODEV, EINVAL for the loopback interface.
func (l *Layer) SetUp(index int32, up bool) error {
	if !up {
		l.farewell(index)
	}
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	switch {
	case err != nil:
		return err
	case d.lk == nil:
		return fmt.Errorf("interface %s: is always up: %w", d.name, syscall.EINVAL)
	case d.down == !up:
		return nil
	}
	d.down = !up
	if up {
		d.takeUp()
	} else {
		d.takeDown()
	}
	l.rebuild()
	return nil
}

// takeDown does what Linux does with keep_addr_on_down: addresses that somebody configured stay. Control locked.
func (d *device) takeDown() {
	was := d.up
	d.up = false
	d.endIPv6()
	d.carrierLost()
	if d.cache != nil {
		d.cache.Clear(d.l.rt.Now())
	}
	d.poll(d.l.rt.Now())
	d.silence()
	for i := range d.egresses {
		d.egresses[i].purge()
	}
	if was {
		d.l.emit(&trace.Event{Kind: trace.InterfaceDown, In: d.index})
	}
}

// takeUp begins anew, on what may be another link. Control locked.
func (d *device) takeUp() {
	d.up = d.info.Up
	for i := range d.addrs {
		if a := &d.addrs[i]; d.wantsDAD(a.Addr) && !a.Anycast && !a.NoDAD {
			a.State, a.Owner, a.Optimistic = netif.Tentative, wire.MAC{}, false
		}
	}
	if d.up {
		d.l.emit(&trace.Event{Kind: trace.InterfaceUp, In: d.index})
		d.listen()
		d.carrierFound()
	}
	d.beginIPv6()
}

// SetMTU makes mtu, in octets, the largest packet that the interface sends; 0: the link's. Below 1280 octets it speaks no
// IPv6, and its IPv6 addresses go. What routers said of the MTU is forgotten, as in Linux. Errors: ENODEV, EINVAL for less
// than 68 octets or more than the link takes.
func (l *Layer) SetMTU(index int32, mtu int) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return err
	}
	if mtu != 0 && (mtu < netif.MinMTU4 || mtu > d.info.MTU) {
		return fmt.Errorf("interface %s: MTU %d is not from %d to %d: %w", d.name, mtu, netif.MinMTU4, d.info.MTU, syscall.EINVAL)
	}
	was := d.noIPv6()
	d.cfg.MTU, d.conf.MTU = mtu, 0
	d.followMTU(was)
	l.rebuild()
	return nil
}

// followMTU ends or begins IPv6 after the MTU changed; was says whether there was none. Control locked.
func (d *device) followMTU(was bool) {
	switch now := d.noIPv6(); {
	case now && !was:
		d.disableIPv6()
	case was && !now:
		d.enableIPv6()
	}
}

// tooSmallFor6 reports whether the link cannot carry IPv6. RFC 8200, 5: "IPv6 requires that every link in the Internet have
// an MTU of 1280 octets or greater." Control locked.
func (d *device) tooSmallFor6() bool { return d.mtu() < netif.MinMTU6 }
