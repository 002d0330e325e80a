package dhcp6

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
)

// Downstream is an interface that gets a part of each delegated prefix (RFC 8415, 6.3; RFC 7084, 4.3): the router's address there is the
// first of it.
type Downstream struct {
	Interface *onlink.Interface
	// Subnet says which part: the number in the bits between the delegated prefix and Length. No two interfaces have the same.
	Subnet uint64
	Length int // of the part, in bits; 0: 64

	// Advertise is told to hosts there, together with the prefixes: its Prefixes are those that are not delegated. nil: nothing is
	// told. Where it leaves out name servers, those that servers told the client are told on.
	Advertise *onlink.RouterAdvertisement
}

// defaultLength is the length of the prefix of a link. RFC 7084, L-2: "The IPv6 CE router MUST assign a separate /64 from its delegated
// prefix(es) [...] for each of its LAN interfaces."
const defaultLength = 64

// nullMetric keeps the route that ends what is delegated behind any other to the same prefix.
const nullMetric = 1024

func (d *Downstream) length() int {
	if d.Length == 0 {
		return defaultLength
	}
	return d.Length
}

// checkDownstream looks for what does not go together.
func checkDownstream(all []Downstream) error {
	for i, d := range all {
		switch {
		case d.Interface == nil:
			return errors.New("dhcp6: Downstream: an Interface is nil")
		case d.length() < 1 || d.length() > 127:
			return fmt.Errorf("dhcp6: Downstream: Length %d is not from 1 to 127", d.Length)
		}
		for _, o := range all[:i] {
			if o.Subnet == d.Subnet {
				return fmt.Errorf("dhcp6: Downstream: %s and %s have the same Subnet", o.Interface.Name(), d.Interface.Name())
			}
		}
	}
	return nil
}

// Part returns the part of a delegated prefix that is d's. ok is false if it is too small for that.
func (d *Downstream) Part(delegated netip.Prefix) (part netip.Prefix, ok bool) {
	bits := d.length() - delegated.Bits()
	if bits < 0 || bits < 64 && d.Subnet>>bits != 0 {
		return netip.Prefix{}, false
	}
	a := delegated.Masked().Addr().As16()
	// The number's lowest bit is the last of the part's.
	for n, at := d.Subnet, d.length()-1; n != 0; n, at = n>>1, at-1 {
		a[at/8] |= byte(n&1) << (7 - at%8)
	}
	return netip.PrefixFrom(netip.AddrFrom16(a), d.length()), true
}

// router returns the router's address in its part.
func router(part netip.Prefix) netip.Prefix { return netip.PrefixFrom(part.Addr().Next(), part.Bits()) }

// delegation is what becomes of delegated prefixes.
type delegation struct {
	c     *Client
	live  []Lease
	stale []stale // no longer delegated; hosts are still told so
	next  clock.Instant
	dirty bool // what is advertised must be said anew
}

// stale is a delegated prefix that is over.
type stale struct {
	prefix netip.Prefix
	until  clock.Instant // when hosts have forgotten it
}

// have makes use of a prefix, or of its new lifetimes.
func (d *delegation) have(now clock.Instant, l Lease) {
	k := slices.IndexFunc(d.live, func(o Lease) bool { return o.Prefix == l.Prefix })
	if k >= 0 {
		d.live[k] = l
	} else {
		d.live = append(d.live, l)
		d.stale = slices.DeleteFunc(d.stale, func(s stale) bool { return s.prefix == l.Prefix })
		d.null(l.Prefix, true)
	}
	for i := range d.c.cfg.Downstream {
		d.address(now, &d.c.cfg.Downstream[i], l, k < 0)
	}
	d.dirty = true
}

// lost ends the use of a prefix.
func (d *delegation) lost(now clock.Instant, l Lease) {
	d.live = slices.DeleteFunc(d.live, func(o Lease) bool { return o.Prefix == l.Prefix })
	for i := range d.c.cfg.Downstream {
		o := &d.c.cfg.Downstream[i]
		if part, ok := o.Part(l.Prefix); ok {
			if err := o.Interface.RemoveAddress(router(part).Addr()); err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) {
				d.c.failed("address on "+o.Interface.Name(), err)
			}
		}
	}
	d.null(l.Prefix, false)
	d.stale = append(d.stale, stale{l.Prefix, now.Add(validLimit)})
	d.dirty = true
}

// null adds or removes the route for what is delegated and in no part.
//
// RFC 7084, WPD-5: "Any packet received by the CE router with a destination address in the prefix(es) delegated to the CE router but not
// in the set of prefixes assigned by the CE router to the LAN must be dropped. In other words, the next hop for the prefix(es) delegated
// to the CE router should be the null destination. This is necessary to prevent forwarding loops when some addresses covered by the
// aggregate are not reachable", and "The IPv6 CE router SHOULD send an ICMPv6 Destination Unreachable message".
func (d *delegation) null(p netip.Prefix, add bool) {
	r := onlink.Route{Prefix: p, Type: onlink.UnreachableRoute, Metric: nullMetric, Origin: "dhcp"}
	var err error
	if add {
		err = d.c.stack.ReplaceRoute(r)
	} else if err = d.c.stack.RemoveRoute(r); errors.Is(err, syscall.ESRCH) {
		err = nil // somebody did so
	}
	if err != nil {
		d.c.failed("route to "+p.String(), err)
	}
}

// address gives a downstream interface the router's address in its part, with the lifetimes of the prefix.
//
// RFC 8415, 18.2.10.1: "the preferred and valid lifetimes of those addresses MUST be no longer than the remaining preferred and valid
// lifetimes, respectively, for the delegated prefix at any time."
func (d *delegation) address(now clock.Instant, o *Downstream, l Lease, first bool) {
	part, ok := o.Part(l.Prefix)
	if !ok {
		if first {
			// RFC 7084, WPD-3: "If the delegated prefix is too small to address all of its interfaces, the IPv6 CE router SHOULD log a
			// system management error."
			d.c.failed("prefix for "+o.Interface.Name(), fmt.Errorf("%v has no subnet %d of %d bits", l.Prefix, o.Subnet, o.length()))
		}
		return
	}
	opt, a := options(now, l), router(part)
	err := o.Interface.ChangeAddress(a.Addr(), opt)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		err = o.Interface.AddAddressWith(a, opt)
	}
	if err != nil {
		d.c.failed("address on "+o.Interface.Name(), err)
	}
}

// The most that hosts are told of lifetimes (RFC 9096, 4).
const (
	preferredLimit = 45 * time.Minute // ND_PREFERRED_LIMIT
	validLimit     = 90 * time.Minute // ND_VALID_LIMIT
)

// recheck is how often what is advertised is looked at while lifetimes run out.
const recheck = 5 * time.Minute

// keep tells hosts what there is to tell them, when that has changed.
func (d *delegation) keep(now clock.Instant) {
	d.stale = slices.DeleteFunc(d.stale, func(s stale) bool {
		d.dirty = d.dirty || s.until <= now
		return s.until <= now
	})
	if !d.dirty && now < d.next {
		return
	}
	told := d.dirty || d.next != 0 && d.next != clock.Never
	d.dirty, d.next = false, clock.Never
	if !told {
		return
	}
	for i := range d.c.cfg.Downstream {
		if o := &d.c.cfg.Downstream[i]; o.Advertise != nil {
			if err := o.Interface.Advertise(d.advertisement(now, o)); err != nil {
				d.c.failed("advertisement on "+o.Interface.Name(), err)
			}
		}
	}
	for _, s := range d.stale {
		d.next = min(d.next, s.until)
	}
}

// advertisement returns what hosts on a downstream interface are told now.
func (d *delegation) advertisement(now clock.Instant, o *Downstream) *onlink.RouterAdvertisement {
	ra := *o.Advertise
	ra.Prefixes, ra.Routes = slices.Clone(ra.Prefixes), slices.Clone(ra.Routes)
	for _, s := range d.stale {
		// RFC 9096, 3.5: "Any prefixes that were previously advertised by the CE router via PIOs in RA messages, but that have now become
		// stale, MUST be advertised with PIOs that have the 'Valid Lifetime' and the 'Preferred Lifetime' set to 0".
		if part, ok := o.Part(s.prefix); ok {
			ra.Prefixes = append(ra.Prefixes, onlink.AdvertisedPrefix{Prefix: part, Valid: -1, Preferred: -1})
		}
	}
	fresh := len(o.Advertise.Prefixes) > 0
	for _, l := range d.live {
		part, ok := o.Part(l.Prefix)
		if !ok || l.Valid <= now {
			continue
		}
		fresh = true
		p, next := lifetimes(now, l)
		p.Prefix = part
		d.next = min(d.next, next)
		ra.Prefixes = append(ra.Prefixes, p)
		// RFC 7084, L-3: "An IPv6 CE router MUST advertise itself as a router for the delegated prefix(es) [...] using the 'Route
		// Information Option'", with the lifetime that RFC 9096, 3.4, says.
		ra.Routes = append(ra.Routes, onlink.AdvertisedRoute{Prefix: l.Prefix, Lifetime: p.Valid})
	}
	switch {
	case !fresh:
		// RFC 7084, L-4: "An IPv6 CE router MUST NOT advertise itself as a default router with a Router Lifetime [RFC4861] greater than
		// zero if it has no prefixes configured or delegated to it."
		ra.Lifetime = -1
	case ra.Lifetime == 0:
		ra.Lifetime = max(preferredLimit, ra.MaxInterval) // RFC 9096, 3.4
	}
	d.names(&ra)
	return &ra
}

// names adds what servers told of names (RFC 7084, L-11). What is only good on the client's link stays there.
func (d *delegation) names(ra *onlink.RouterAdvertisement) {
	known := d.c.m.Information()
	if len(ra.NameServers) == 0 {
		for _, a := range known.DNS {
			if !a.IsLinkLocalUnicast() {
				ra.NameServers = append(ra.NameServers, a)
			}
		}
	}
	if len(ra.SearchDomains) == 0 {
		ra.SearchDomains = known.Search
	}
}

// lifetimes returns what hosts are told of the lifetimes of a lease now, and when that has to be looked at again.
//
// RFC 9096, 3.4: "CE routers SHOULD also set the PIO 'Preferred Lifetime' to the lesser of the remaining preferred lifetime of the
// corresponding prefix (see Section 3.3) and ND_PREFERRED_LIMIT, and set the PIO 'Valid Lifetime' to the lesser of the remaining valid
// lifetime of the corresponding prefix and ND_VALID_LIMIT." What is less than a limit runs out; what is more does not.
func lifetimes(now clock.Instant, l Lease) (p onlink.AdvertisedPrefix, next clock.Instant) {
	preferred, valid := remaining(now, l.Preferred), remaining(now, l.Valid)
	p = onlink.AdvertisedPrefix{Preferred: min(preferred, preferredLimit), Valid: min(valid, validLimit)}
	if preferred > preferredLimit && valid > validLimit {
		return p, min(sooner(l.Preferred, preferredLimit), sooner(l.Valid, validLimit))
	}
	p.Decrement = true
	if p.Preferred <= 0 {
		p.Preferred, p.Decrement = -1, valid <= validLimit
	}
	return p, now.Add(recheck)
}

// remaining returns the whole seconds from now to an instant; as many as there are for Never.
func remaining(now, at clock.Instant) time.Duration {
	if at == clock.Never {
		return onlink.Forever
	}
	return max(at.Sub(now), 0).Truncate(time.Second)
}

// sooner returns the instant that is d before another one.
func sooner(at clock.Instant, d time.Duration) clock.Instant {
	if at == clock.Never {
		return at
	}
	return at.Add(-d)
}
