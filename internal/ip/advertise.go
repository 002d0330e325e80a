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

// advertising is what a device tells hosts on its link as a router. It is an *advertiser, made when there is first something to tell,
// so that a program that advertises nothing is not linked with it. Control locked, all of it.
type advertising interface {
	sync()                                         // the interface, or what it is to tell, has changed
	solicited(now clock.Instant, p *packet.Buffer) // a valid Router Solicitation came
	compare(now clock.Instant, p *packet.Buffer)   // another router's advertisement came, a valid one
	farewell()                                     // the interface is about to go away
	end()                                          // for good
}

// advertiser is package nd's Router at work.
type advertiser struct {
	d         *device
	router    *nd.Router
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
	a, _ := d.advertising.(*advertiser)
	if adv == nil {
		if a != nil {
			a.wanted = nil
			a.sync()
		}
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
	if a == nil {
		a = &advertiser{d: d, router: nd.NewRouter(nd.RouterConfig{Rand: l.random})}
		a.advTimer.Owner = a
		d.advertising = a
	}
	a.wanted, a.wantedAt = &full, l.rt.Now()
	a.sync()
	return nil
}

// Advertising returns what the interface with the given index advertises. Errors: ENODEV.
func (l *Layer) Advertising(index int32) (Advertised, error) {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return Advertised{}, err
	}
	a, _ := d.advertising.(*advertiser)
	if a == nil || a.wanted == nil {
		return Advertised{}, nil
	}
	return Advertised{a.wanted, a.router.Source(), a.router.Deadline()}, nil
}

// sync has the router machine follow what the interface is now: it is an advertising interface or ceases to be
// one, or has another link-local address.
//
// RFC 4861, 6.2.2: "The term 'advertising interface' refers to any functioning and enabled interface that has at least one
// unicast IP address assigned to it and whose corresponding AdvSendAdvertisements flag is TRUE." 6.2.4: "A host MUST NOT send
// Router Advertisement messages at any time."
func (a *advertiser) sync() {
	d, now := a.d, a.d.l.rt.Now()
	adv, src := a.wanted, d.linkLocalSource()
	switch {
	case !d.up:
		a.router.Stop()
	case d.noIPv6():
		a.sayFinal(now)
		a.router.Stop()
	default:
		if !d.l.Settings().Forward6 || src.IsUnspecified() {
			adv = nil
		}
		mtu := d.mtu()
		if d.conf.MTU != 0 {
			mtu = min(mtu, d.conf.MTU)
		}
		a.router.SetLink(d.info.Addr, mtu)
		a.router.Advertise(now, a.wantedAt, adv, src)
	}
	a.run(now)
}

// run sends what the router machine wants sent, and arms its timer.
func (a *advertiser) run(now clock.Instant) {
	var m nd.RouterMessage
	for a.router.Next(&m) {
		a.send(now, &m)
	}
	a.d.l.control.Arm(&a.advTimer, a.router.Deadline())
}

func (a *advertiser) send(now clock.Instant, m *nd.RouterMessage) {
	a.d.sendND(now, &m.Body, m.Src, m.Dst, wire.MAC{})
}

// Expire implements shard.Timed.
func (a *advertiser) Expire(now clock.Instant) clock.Instant {
	a.router.Timeout(now)
	a.run(now)
	return a.router.Deadline()
}

// farewell has the interface with the given index, which is about to go away, say that it is no router any more.
func (l *Layer) farewell(index int32) {
	l.control.Lock()
	defer l.control.Unlock()
	if d, err := l.find(index); err == nil && d.advertising != nil && d.up {
		d.advertising.farewell()
	}
}

func (a *advertiser) farewell() {
	a.sayFinal(a.d.l.rt.Now())
	a.router.Stop()
}

func (a *advertiser) sayFinal(now clock.Instant) {
	for _, m := range a.router.Final(now) {
		a.send(now, &m)
	}
}

func (a *advertiser) end() {
	a.router.Stop()
	a.d.l.control.Disarm(&a.advTimer)
	a.d.advertising = nil
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
	if d.advertising != nil {
		d.advertising.solicited(q.now, p)
	}
	return true
}

func (a *advertiser) solicited(now clock.Instant, p *packet.Buffer) {
	a.router.Solicited(now, p.Src, a.d.cache.Known(p.Src))
	a.run(now)
}

// compare looks at another router's advertisement. RFC 4861, 6.2.7: "Detected inconsistencies indicate that one or more
// routers might be misconfigured and SHOULD be logged to system or network management."
func (a *advertiser) compare(now clock.Instant, p *packet.Buffer) {
	d := a.d
	m, err := wire.ParseRouterAdvertisement(p.Bytes())
	if err != nil || d.address(p.Src) != nil {
		return
	}
	found := a.router.Check(now, &m)
	if len(found) == 0 {
		return
	}
	d.counters.Inc(mib.Icmp6RAInconsistent)
	text := strings.Join(found, "; ")
	if text == a.disagreed {
		return // it was told
	}
	a.disagreed = text
	d.l.emit(&trace.Event{Kind: trace.RouterInconsistent, In: d.index, Src: p.Src, Reason: text})
}
