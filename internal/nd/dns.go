package nd

import (
	"slices"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// How many name servers and search domains an interface remembers. RFC 8106, 5.3.1: "the ability to store a total of at
// least three RDNSS addresses (or DNSSL domain names) from the multiple sources is RECOMMENDED."
const (
	MaxServers = 8
	MaxDomains = 16
)

// dnsList is the DNS Repository of RFC 8106, 6.1.
type dnsList struct {
	servers lifetimes[wire.Addr]
	domains lifetimes[string]
}

// lifetimes are values with the instant each ends, in the order they came. RFC 8106, 6.2, would let what is new drive out
// what ends first; here what is there stays, so that a flood does not change who is asked.
type lifetimes[T comparable] struct {
	values []T
	until  []clock.Instant
}

// set adds v or gives it another end. It reports whether the values changed, and whether there was room.
func (l *lifetimes[T]) set(v T, until clock.Instant, over bool, limit int) (changed, room bool) {
	i := slices.Index(l.values, v)
	switch {
	case i < 0 && over:
		return false, true
	case i < 0 && len(l.values) >= limit:
		return false, false
	case i < 0:
		l.values, l.until = append(l.values, v), append(l.until, until)
		return true, true
	case over:
		// 6.2: "If the RDNSS address already exists in the DNS Server List and the RDNSS option's Lifetime field is set to
		// zero, delete the corresponding RDNSS entry".
		l.delete(i)
		return true, true
	}
	l.until[i] = until
	return false, true
}

func (l *lifetimes[T]) delete(i int) {
	l.values, l.until = slices.Delete(l.values, i, i+1), slices.Delete(l.until, i, i+1)
}

func (l *lifetimes[T]) expire(now clock.Instant) (changed bool) {
	for i := len(l.values) - 1; i >= 0; i-- {
		if l.until[i] <= now {
			l.delete(i)
			changed = true
		}
	}
	return changed
}

func (d *dnsList) expire(now clock.Instant) bool {
	servers, domains := d.servers.expire(now), d.domains.expire(now)
	return servers || domains
}

func (d *dnsList) deadline() clock.Instant {
	at := clock.Never
	for _, t := range d.servers.until {
		at = min(at, t)
	}
	for _, t := range d.domains.until {
		at = min(at, t)
	}
	return at
}

// dnsOptions takes the options of RFC 8106.
func (h *Host) dnsOptions(now clock.Instant, m *wire.RouterAdvertisement) {
	note := func(changed, room bool) {
		if changed {
			h.want(ChangeDNS)
		}
		if !room {
			h.refused++
		}
	}
	for i := range m.DNSServers {
		o := &m.DNSServers[i]
		// 5.3.1: "the addresses should be unicast addresses. … Otherwise, the host MUST discard the options."
		if slices.ContainsFunc(o.Servers, func(a wire.Addr) bool {
			return a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() || a.Is4()
		}) {
			continue
		}
		for _, a := range o.Servers {
			note(h.dns.servers.set(a, after(now, o.Lifetime), o.Lifetime == 0, MaxServers))
		}
	}
	for i := range m.DNSSearch {
		o := &m.DNSSearch[i]
		for _, name := range o.Domains {
			note(h.dns.domains.set(name, after(now, o.Lifetime), o.Lifetime == 0, MaxDomains))
		}
	}
}

// Servers returns the recursive name servers, first come first. A link-local one is of this interface's link.
func (h *Host) Servers() []wire.Addr { return slices.Clone(h.dns.servers.values) }

// Domains returns the search list, first come first.
func (h *Host) Domains() []string { return slices.Clone(h.dns.domains.values) }
