package dhcp6

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Lease is an address or a delegated prefix that a server has given.
type Lease struct {
	Kind   IAKind
	IAID   uint32
	Prefix netip.Prefix // of an address: all of it, /128

	Preferred, Valid clock.Instant // when the lifetimes are over; Never
}

// String writes "address 2001:db8::1" or "prefix 2001:db8:1::/56".
func (l Lease) String() string {
	if l.Kind == Prefixes {
		return fmt.Sprintf("prefix %v", l.Prefix)
	}
	return fmt.Sprintf("address %v", l.Prefix.Addr())
}

// binding is an identity association and what there is of it.
type binding struct {
	Want
	leases []Lease
	t1, t2 clock.Instant // when to renew and rebind; Never without leases
	// unbound: the server does not know the leases any more (RFC 8415, 18.3.4: NoBinding), and has been asked for others.
	unbound bool
}

// binding returns that of the given kind and number, or nil.
func (m *Machine) binding(kind IAKind, id uint32) *binding {
	for i := range m.bindings {
		if b := &m.bindings[i]; b.Kind == kind && b.ID == id {
			return b
		}
	}
	return nil
}

// Leases returns what there is.
func (m *Machine) Leases() (all []Lease) {
	for i := range m.bindings {
		all = append(all, m.bindings[i].leases...)
	}
	return all
}

// t1 and t2 are the earliest of all.
//
// RFC 8415, 18.2.4: "the client MUST select T1 and T2 times from all IA options that will guarantee that the client initiates
// transmissions of Renew/Rebind messages not later than at the T1/T2 times associated with any of the client's bindings
// (earliest T1/T2)."
func (m *Machine) t1() clock.Instant {
	return m.earliest(func(b *binding) clock.Instant { return b.t1 })
}
func (m *Machine) t2() clock.Instant {
	return m.earliest(func(b *binding) clock.Instant { return b.t2 })
}

func (m *Machine) earliest(of func(b *binding) clock.Instant) clock.Instant {
	at := clock.Never
	for i := range m.bindings {
		if b := &m.bindings[i]; len(b.leases) > 0 {
			at = min(at, of(b))
		}
	}
	return at
}

// update records what a Reply says of the association. It reports whether the Reply lists leases.
func (b *binding) update(m *Machine, now clock.Instant, a *IA) bool {
	var there []netip.Prefix
	for i := range a.Leases {
		o := &a.Leases[i]
		if !o.usable(b.Kind) {
			continue
		}
		there = append(there, o.Prefix)
		b.record(m, now, o)
	}
	if len(there) == 0 {
		return false
	}
	if b.unbound { // what the server does not list now it does not know
		b.keep(m, "the server does not know it", func(l *Lease) bool { return slices.Contains(there, l.Prefix) })
		b.unbound = false
	}
	b.schedule(now, a, there)
	return true
}

// usable reports whether a lease makes sense.
//
// RFC 8415, 21.6: "The client MUST discard any addresses for which the preferred lifetime is greater than the valid lifetime."
// 21.22 says so of prefixes.
func (o *IALease) usable(kind IAKind) bool {
	a := o.Prefix.Addr()
	switch {
	case o.Preferred > o.Valid || o.Status.Code != Success:
		return false
	case a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.Is4In6():
		return false
	}
	return kind != Prefixes || o.Prefix.Bits() > 0
}

// record adds, changes or removes a lease (RFC 8415, 18.2.10.1).
func (b *binding) record(m *Machine, now clock.Instant, o *IALease) {
	l := Lease{b.Kind, b.ID, o.Prefix, after(now, o.Preferred), after(now, o.Valid)}
	k := slices.IndexFunc(b.leases, func(old Lease) bool { return old.Prefix == l.Prefix })
	switch {
	case o.Valid == 0:
		// "Discard any leases from the IA, as recorded by the client, that have a valid lifetime of 0 in the IA Address or IA
		// Prefix option."
		b.keep(m, "the server took it back", func(old *Lease) bool { return old.Prefix != l.Prefix })
	case k < 0:
		b.leases = append(b.leases, l)
		m.report(Event{Kind: LeaseAdded, Lease: l})
	default:
		b.leases[k] = l
		m.report(Event{Kind: LeaseChanged, Lease: l})
	}
}

// keep removes the leases that are not to be kept.
func (b *binding) keep(m *Machine, reason string, ok func(*Lease) bool) {
	var gone []Lease
	b.leases = slices.DeleteFunc(b.leases, func(l Lease) bool {
		if ok(&l) {
			return false
		}
		gone = append(gone, l)
		return true
	})
	for _, l := range gone {
		m.report(Event{Kind: LeaseRemoved, Lease: l, Reason: reason})
	}
	if len(b.leases) == 0 {
		b.t1, b.t2 = clock.Never, clock.Never
	}
}

func (b *binding) lose(m *Machine, reason string) {
	b.keep(m, reason, func(*Lease) bool { return false })
}

// loseAll gives up all leases.
func (m *Machine) loseAll(reason string) {
	for i := range m.bindings {
		m.bindings[i].lose(m, reason)
	}
}

// The parts of the shortest preferred lifetime after which a client renews and rebinds that is free to choose: those that RFC 8415,
// 21.4, recommends to servers.
const (
	t1Part = 0.5
	t2Part = 0.8
)

// leastT1 keeps clients that are free to choose from asking all the time. RFC 8415, 14.2: "When T1 and/or T2 values are set to 0,
// the client MUST choose a time to avoid packet storms. In particular, it MUST NOT transmit immediately."
const leastT1 = 10 * time.Second

// schedule sets T1 and T2 as the Reply has them; leases are those it lists.
func (b *binding) schedule(now clock.Instant, a *IA, listed []netip.Prefix) {
	if len(b.leases) == 0 {
		return
	}
	shortest := clock.Never
	for _, l := range b.leases {
		if !slices.Contains(listed, l.Prefix) {
			continue // the server does not extend it
		}
		// A lease that is deprecated from the start is extended before it ends, not before it begins.
		end := l.Preferred
		if end <= now {
			end = l.Valid
		}
		shortest = min(shortest, end)
	}
	part := func(of float64) clock.Instant {
		if shortest == clock.Never {
			return clock.Never
		}
		return now.Add(max(scale(shortest.Sub(now), of), scale(leastT1, of/t1Part)))
	}
	b.t1, b.t2 = after(now, a.T1), after(now, a.T2)
	switch {
	case a.T1 == 0 && a.T2 == 0:
		b.t1, b.t2 = part(t1Part), part(t2Part)
	case a.T1 == 0:
		b.t1 = min(part(t1Part), b.t2)
	case a.T2 == 0:
		b.t2 = max(part(t2Part), b.t1)
	}
}

// after returns the instant that many seconds after now.
func after(now clock.Instant, seconds uint32) clock.Instant {
	if seconds == Infinity {
		return clock.Never
	}
	return now.Add(time.Duration(seconds) * time.Second)
}

// expiry returns when the next lease ends.
func (b *binding) expiry() clock.Instant {
	at := clock.Never
	for _, l := range b.leases {
		at = min(at, l.Valid)
	}
	return at
}

// expire removes leases whose time is over. When none is left, servers are looked for.
func (m *Machine) expire(now clock.Instant) {
	had := len(m.Leases()) > 0
	for i := range m.bindings {
		m.bindings[i].keep(m, "it expired", func(l *Lease) bool { return l.Valid > now })
	}
	if !had || len(m.Leases()) > 0 || m.state == Stopped || m.state == Declining {
		return
	}
	// RFC 8415, 18.2.5: "The message exchange is terminated when the valid lifetimes of all leases across all IAs have expired, at
	// which time the client uses the Solicit message to locate a new DHCP server".
	m.discover(now)
}
