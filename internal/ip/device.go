package ip

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// device is an interface at work: the link.Receiver of its link. What others may see of it is in the
// netif.Interface of the present snapshot.
type device struct {
	l        *Layer
	name     string
	index    int32
	medium   link.Medium
	linkLen  int       // octets of link header
	lk       link.Link // nil: the loopback interface
	counters mib.Set   // of output
	queues   []queue   // each belongs to the goroutine in its Deliver
	egresses []egress
	offload  atomic.Uint32         // the link.Offload that is made use of
	loop     loopback              // the loopback interface's
	known    *neighbors            // link addresses found; nil where there are none
	door     *shard.Door           // where who expects something waits for it; nil: there is none
	taps     atomic.Pointer[[]Tap] // who sees its frames; nil: nobody

	// Control locked.
	cfg   netif.Config
	info  link.Info
	up    bool // there is a carrier, and it was not taken down
	down  bool // it was taken down
	addrs []netif.Address
	deviceRoutes
	resolver                // neighbors and duplicate address detection
	autoconf                // routers, and addresses of our own making
	memberships             // multicast groups
	advertising advertising // what hosts are told; nil: it never was anything
	conflicts               // of IPv4 addresses
	conf4       netif.IPv4
	proxy       // for whom it answers
	answers     // that are late
}

func (l *Layer) newDevice(name string, lk link.Link, cfg netif.Config, info link.Info) *device {
	d := &device{l: l, name: name, medium: info.Medium, lk: lk, cfg: cfg, info: info, up: info.Up}
	d.counters.Tracer = l.cfg.Tracer
	d.egresses = newEgresses(d, info.SendQueues, len(l.shards), cfg.TxQueue)
	d.timer.Owner = d
	d.conf4 = l.conf4
	d.settings6()
	d.setOffload(info.Offload)
	if info.Medium == link.Ethernet {
		d.known = new(neighbors)
		d.linkLen = wire.EthernetLen
	}
	if info.Doorbell != nil {
		d.door = shard.NewDoor(info.Doorbell)
	}
	d.queues = make([]queue, max(1, info.Queues))
	for i := range d.queues {
		d.queues[i].init(d, i)
	}
	return d
}

// Deliver implements link.Receiver.
func (d *device) Deliver(q int, b *packet.Batch) { d.queues[q].deliver(b) }

// Ready implements link.Receiver.
func (d *device) Ready(q int) { d.egressOf(q).resume() }

// Changed implements link.Receiver.
func (d *device) Changed(info link.Info) {
	l := d.l
	l.control.Lock()
	defer l.control.Unlock()
	if found, err := l.find(d.index); err != nil || found != d || info == d.info {
		return
	}
	was, wasUp, no6 := d.info, d.up, d.noIPv6()
	d.info, d.up = info, info.Up && !d.down
	d.setOffload(info.Offload)
	d.followMTU(no6)
	if was.Addr != info.Addr {
		d.readdress()
	}
	switch {
	case wasUp && !d.up:
		d.carrierLost()
		d.silence()
		l.emit(&trace.Event{Kind: trace.InterfaceDown, In: d.index})
	case !wasUp && d.up:
		l.emit(&trace.Event{Kind: trace.InterfaceUp, In: d.index})
		d.listen()
		d.carrierFound()
	}
	l.rebuild()
}

// mtu returns the largest packet the interface takes, in octets.
func (d *device) mtu() int {
	if d.cfg.MTU != 0 && d.cfg.MTU < d.info.MTU {
		return d.cfg.MTU
	}
	return d.info.MTU
}

// view returns what others may see of d. Control locked.
func (d *device) view() *netif.Interface {
	i := &netif.Interface{Index: d.index, Name: d.name, Medium: d.medium, Loopback: d.lk == nil, NoIPv6: d.noIPv6(),
		Up: d.up, Down: d.down, MTU: d.mtu(), Whole: d.cfg.NoOffload, LinkAddr: d.info.Addr, VRF: d.cfg.VRF}
	d.view6(i)
	d.viewRouter(i)
	i.Addrs = append(i.Addrs, d.addrs...)
	i.Groups = d.heard(i)
	return i
}

// address returns d's entry for a, or nil. Control locked.
func (d *device) address(a wire.Addr) *netif.Address {
	for i := range d.addrs {
		if d.addrs[i].Addr == a {
			return &d.addrs[i]
		}
	}
	return nil
}

// addCounters adds what d counted to v.
func (d *device) addCounters(v *mib.Values) {
	d.counters.AddTo(v)
	for i := range d.queues {
		d.queues[i].counters.AddTo(v)
	}
}

// readdress follows a change of the link's address: what was made of the old one goes. Control locked.
func (d *device) readdress() {
	d.endIPv6()
	d.stop()
	d.start()
	d.beginIPv6()
	d.readdress4(d.l.rt.Now())
	d.announceAll()
}

// wantsDAD reports whether a must go through duplicate address detection. Control locked.
//
// RFC 4862, 5.4: "Duplicate Address Detection MUST be performed on all unicast addresses prior to assigning them to
// an interface", but for those "whose DupAddrDetectTransmits variable is set to zero". A link without link-layer
// addresses has nobody to ask.
func (d *device) wantsDAD(a wire.Addr) bool {
	return !a.Is4() && d.medium == link.Ethernet && d.conf.AcceptDAD > 0 && d.conf.DADTransmits > 0
}

// settle gives the address a its state, because duplicate address detection ended. Control locked.
func (d *device) settle(now clock.Instant, a wire.Addr, state netif.State, owner wire.MAC) {
	e := d.address(a)
	if e == nil || e.State != netif.Tentative && !e.Optimistic {
		return
	}
	if state == netif.Preferred {
		state = lived(e, now)
	}
	e.State, e.Owner, e.Optimistic = state, owner, false
	ev := trace.Event{At: now, Kind: trace.AddressReady, In: d.index, Src: a}
	if state == netif.Duplicate {
		ev.Kind, ev.LinkAddr, ev.To = trace.AddressDuplicate, owner, owner.String()
	}
	d.l.cfg.Tracer.Emit(&ev)
	if state == netif.Duplicate {
		d.conflicted(now, *e)
	} else {
		d.announce(a)
		d.usable(now, a, true)
	}
	d.l.rebuild()
}
