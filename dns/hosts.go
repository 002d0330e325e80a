package dns

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Hosts are addresses of names that no server is asked for, as /etc/hosts has them.
type Hosts struct {
	all []host
}

// host is an entry of Hosts.
type host struct {
	name  string // lower case, without a dot at the end
	addrs []netip.Addr
}

// NewHosts returns the hosts with the given names and addresses.
func NewHosts(all map[string][]netip.Addr) Hosts {
	var h Hosts
	for _, name := range slices.Sorted(maps.Keys(all)) {
		e := host{name: lower(strings.TrimSuffix(name, "."))}
		for _, a := range all[name] {
			e.addrs = append(e.addrs, a.Unmap())
		}
		h.all = append(h.all, e)
	}
	return h
}

// Lookup returns the addresses of a host that nobody is asked for: an address itself, one of Hosts, localhost (RFC 6761, 6.3).
func (h Hosts) Lookup(name string) (addrs []netip.Addr, ok bool) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a.Unmap()}, true
	}
	name = lower(strings.TrimSuffix(name, "."))
	for _, e := range h.all {
		if e.name == name {
			return e.addrs, true
		}
	}
	if within(name, "localhost") {
		return []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}, true
	}
	return nil, false
}

// names returns the names that have an address, with a dot at their ends.
func (h Hosts) names(a netip.Addr) (all []string) {
	for _, e := range h.all {
		if slices.Contains(e.addrs, a) {
			all = append(all, e.name+".")
		}
	}
	return all
}
