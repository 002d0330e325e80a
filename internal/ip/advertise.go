package ip

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/nd"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// advertiser is what a device tells hosts on its link as a router: package nd's Router at work. Control locked, all of it.
type advertiser struct {
	router    *nd.Router      // nil: it never had anything to tell
	wanted    *nd.Advertising // complete: what it tells while it can; nil: nothing
	wantedAt  clock.Instant
	advTimer  shard.Node
	disagreed string // the last contradiction that was traced
}

// Advertised is what an interface advertises as a router.
type Advertised struct {
	Advertising *nd.Advertising // complete; nil: nothing. It must not be changed
	From        wire.Addr       // the link-local address that it comes from; unspecified: it cannot be told now
	Next        clock.Instant   // when all nodes are told again; Never: not
}

// Advertise has the interface with the given index advertise adv to hosts from now on, while IPv6 is forwarded and the
// interface has a link-local address; nil: nothing any more. Errors: ENODEV, EOPNOTSUPP for a link without Neighbor
// Discovery, EINVAL with the variable that is out of bounds.
func (l *Layer) Advertise(index int32, adv *nd.Advertising) error {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return err
	}
	if adv == nil {
		d.wanted = nil
		d.syncAdvertising()
		return nil
	}
	if d.medium != link.Ethernet {
		return fmt.Errorf("interface %s: no Neighbor Discovery on this link: %w", d.name, syscall.EOPNOTSUPP)
	}
	full, err := adv.Complete()
	if err == nil && full.LinkMTU > d.mtu() {
		err = fmt.Errorf("LinkMTU is %d: must be at most the link's, %d", full.LinkMTU, d.mtu())
	}
	if err != nil {
		return fmt.Errorf("interface %s: %w: %w", d.name, err, syscall.EINVAL)
	}
	if d.router == nil {
		d.router = nd.NewRouter(nd.RouterConfig{Rand: l.random})
		d.advTimer.Owner = (*advTimer)(d)
	}
	d.wanted, d.wantedAt = &full, l.rt.Now()
	d.syncAdvertising()
	return nil
}

// Advertising returns what the interface with the given index advertises. Errors: ENODEV.
func (l *Layer) Advertising(index int32) (a Advertised, err error) {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil || d.wanted == nil {
		return a, err
	}
	return Advertised{d.wanted, d.router.Source(), d.router.Deadline()}, nil
}

// syncAdvertising has the router machine follow what the interface is now: it is an advertising interface or ceases to be
// one, or has another link-local address.
//
// RFC 4861, 6.2.2: "The term 'advertising interface' refers to any functioning and enabled interface that has at least one
// unicast IP address assigned to it and whose corresponding AdvSendAdvertisements flag is TRUE." 6.2.4: "A host MUST NOT send
// Router Advertisement messages at any time."
func (d *device) syncAdvertising() {
	if d.router == nil {
		return
	}
	now := d.l.rt.Now()
	adv, src := d.wanted, d.linkLocalSource()
	switch {
	case !d.up:
		d.router.Stop()
	case d.noIPv6():
		d.sayFinal(now)
		d.router.Stop()
	default:
		if !d.l.Settings().Forward6 || src.IsUnspecified() {
			adv = nil
		}
		mtu := d.mtu()
		if d.conf.MTU != 0 {
			mtu = min(mtu, d.conf.MTU)
		}
		d.router.SetLink(d.info.Addr, mtu)
		d.router.Advertise(now, d.wantedAt, adv, src)
	}
	d.runRouter(now)
}

// runRouter sends what the router machine wants sent, and arms its timer.
func (d *device) runRouter(now clock.Instant) {
	var m nd.RouterMessage
	for d.router.Next(&m) {
		d.sendRA(now, &m)
	}
	d.l.control.Arm(&d.advTimer, d.router.Deadline())
}

func (d *device) sendRA(now clock.Instant, m *nd.RouterMessage) {
	d.sendND(now, &m.Body, m.Src, m.Dst, wire.MAC{})
}

// advTimer is the device as the owner of the timer of its advertisements.
type advTimer device

// Expire implements shard.Timed.
func (t *advTimer) Expire(now clock.Instant) clock.Instant {
	d := (*device)(t)
	d.router.Timeout(now)
	d.runRouter(now)
	return d.router.Deadline()
}

// farewell has the interface with the given index, which is about to go away, say that it is no router any more.
func (l *Layer) farewell(index int32) {
	l.control.Lock()
	defer l.control.Unlock()
	if d, err := l.find(index); err == nil && d.router != nil && d.up {
		d.sayFinal(l.rt.Now())
		d.router.Stop()
	}
}

func (d *device) sayFinal(now clock.Instant) {
	for _, m := range d.router.Final(now) {
		d.sendRA(now, &m)
	}
}

// endAdvertising ends it for good.
func (d *device) endAdvertising() {
	if d.router != nil {
		d.router.Stop()
		d.l.control.Disarm(&d.advTimer)
		d.router, d.wanted = nil, nil
	}
}

// routerSolicitation reports whether p is a valid Router Solicitation (RFC 4861, 6.1.1), after it did what it asks for. The
// node is a router.
//
// RFC 4861, 6.2.6: "Router Solicitations in which the Source Address is the unspecified address MUST NOT update the router's
// Neighbor Cache; solicitations with a proper source address update the Neighbor Cache".
func (q *queue) routerSolicitation(p *packet.Buffer) bool {
	d := q.d
	m, err := wire.ParseRouterSolicitation(p.Bytes())
	if err != nil || m.Validate(p.Src, p.Dst, p.HopLimit) != nil {
		return false
	}
	if d.address(p.Src) != nil {
		return true // it says to come from us
	}
	if !p.Src.IsUnspecified() {
		d.cache.Solicited(q.now, p.Src, m.SourceLink) // of no link-layer address it makes nothing
		// "Whether or not a Source Link-Layer Address option is provided, if a Neighbor Cache entry for the solicitation's
		// sender exists (or is created) the entry's IsRouter flag MUST be set to FALSE."
		if d.cache.NotRouter(p.Src) {
			d.lostRouter(p.Src)
		}
	}
	if d.router != nil {
		d.router.Solicited(q.now, p.Src, d.cache.Known(p.Src))
		d.runRouter(q.now)
	}
	return true
}

// compare looks at another router's advertisement. RFC 4861, 6.2.7: "Detected inconsistencies indicate that one or more
// routers might be misconfigured and SHOULD be logged to system or network management."
func (d *device) compare(now clock.Instant, from wire.Addr, m *wire.RouterAdvertisement) {
	if d.router == nil || d.address(from) != nil {
		return
	}
	found := d.router.Check(now, m)
	if len(found) == 0 {
		return
	}
	d.counters.Inc(mib.Icmp6RAInconsistent)
	text := strings.Join(found, "; ")
	if text == d.disagreed {
		return // it was told
	}
	d.disagreed = text
	d.l.emit(&trace.Event{Kind: trace.RouterInconsistent, In: d.index, Src: from, Reason: text})
}
