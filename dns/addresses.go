package dns

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Family is a family of addresses.
type Family int

// The families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// typeOf is the type of the records that hold addresses of a family.
func (f Family) typeOf() dnsmessage.Type {
	if f == IPv4 {
		return dnsmessage.TypeA
	}
	return dnsmessage.TypeAAAA
}

// familiesOf returns the families of network "ip", "ip4" or "ip6".
//
// RFC 8305, 3: "with the AAAA query made first and immediately followed by the A query".
func familiesOf(network string) ([]Family, error) {
	switch network {
	case "ip":
		return []Family{IPv6, IPv4}, nil
	case "ip4":
		return []Family{IPv4}, nil
	case "ip6":
		return []Family{IPv6}, nil
	}
	return nil, net.UnknownNetworkError(network)
}

// LookupNetIP looks a host's addresses up, on network "ip", "ip4" or "ip6", and returns them in the order of Config.Sort.
func (r *Resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	var all []netip.Addr
	_, err := r.lookupAddrs(ctx, network, host, func(f Family, found []netip.Addr) {
		if f == IPv6 {
			found = slices.Concat(found, all)
		} else {
			found = slices.Concat(all, found)
		}
		all = found
	})
	if r.cfg.Sort != nil {
		r.cfg.Sort(all)
	}
	return all, err
}

// LookupEach looks a host's addresses up as LookupNetIP does, but gives those of each family to found as soon as they are known,
// since by RFC 8305, 3, "Implementations SHOULD NOT wait for both families of answers to return before attempting connection
// establishment." It calls found once for each family of the network, with none if it has
// none, unless it returns an error: then there is no address.
func (r *Resolver) LookupEach(ctx context.Context, network, host string, found func(Family, []netip.Addr)) error {
	_, err := r.lookupAddrs(ctx, network, host, found)
	return err
}

// lookupAddrs is LookupEach. It returns the name that the addresses are under, with a dot at its end, too.
func (r *Resolver) lookupAddrs(ctx context.Context, network, host string, found func(Family, []netip.Addr)) (name string, err error) {
	families, err := familiesOf(network)
	if err != nil {
		return "", dnsError(err, host)
	}
	if addrs, ok := r.cfg.Hosts.Lookup(host); ok {
		return host, r.tell(families, host, addrs, found)
	}
	var worst verdict
	for _, name := range r.candidates(host) {
		if unasked(name) {
			worst.add(errNotFound)
			continue
		}
		l := addressLookup{families: families, found: found}
		qs := make([]question, len(families))
		for i, f := range families {
			qs[i] = newQuestion(name, f.typeOf())
		}
		if err := r.ask(ctx, qs, l.take); err != nil {
			return "", dnsError(err, host)
		}
		if l.name != "" {
			return l.name, nil
		}
		worst.add(l.worst.err)
	}
	return "", dnsError(worst.orNotFound(), host)
}

// addressLookup collects what there is under one name.
type addressLookup struct {
	families []Family
	found    func(Family, []netip.Addr)
	none     []Family // had no addresses, and are not told of yet
	name     string   // where addresses are; empty: none were found so far
	worst    verdict
}

func (l *addressLookup) take(i int, a Answer, err error) bool {
	f := l.families[i]
	addrs := addressesIn(&a)
	if err == nil && len(addrs) == 0 {
		err = &failure{a.Server, errNotFound}
	}
	switch {
	case err != nil && l.name != "":
		l.found(f, nil)
	case err != nil:
		l.none = append(l.none, f)
		l.worst.add(err)
	default:
		l.name = a.Name
		for _, none := range l.none {
			l.found(none, nil)
		}
		l.none = nil
		l.found(f, addrs)
	}
	return true
}

// addressesIn returns the addresses in a's records.
func addressesIn(a *Answer) (all []netip.Addr) {
	for i := range a.Records {
		switch b := a.Records[i].Body.(type) {
		case *dnsmessage.AResource:
			all = append(all, netip.AddrFrom4(b.A))
		case *dnsmessage.AAAAResource:
			all = append(all, netip.AddrFrom16(b.AAAA).Unmap())
		}
	}
	return all
}

// tell gives addresses that nobody was asked for to found.
func (r *Resolver) tell(families []Family, host string, addrs []netip.Addr, found func(Family, []netip.Addr)) error {
	of := func(f Family) (some []netip.Addr) {
		for _, a := range addrs {
			if a.Is4() == (f == IPv4) {
				some = append(some, a)
			}
		}
		return some
	}
	if !slices.ContainsFunc(families, func(f Family) bool { return len(of(f)) > 0 }) {
		return dnsError(errNotFound, host)
	}
	for _, f := range families {
		found(f, of(f))
	}
	return nil
}

// LookupHost looks a host's addresses up, and returns them as text.
func (r *Resolver) LookupHost(ctx context.Context, host string) (all []string, err error) {
	found, err := r.LookupNetIP(ctx, "ip", host)
	for _, a := range found {
		all = append(all, a.String())
	}
	return all, err
}

// LookupIP looks a host's addresses up, on network "ip", "ip4" or "ip6".
func (r *Resolver) LookupIP(ctx context.Context, network, host string) (all []net.IP, err error) {
	found, err := r.LookupNetIP(ctx, network, host)
	for _, a := range found {
		all = append(all, a.AsSlice())
	}
	return all, err
}

// LookupIPAddr looks a host's addresses up.
func (r *Resolver) LookupIPAddr(ctx context.Context, host string) (all []net.IPAddr, err error) {
	found, err := r.LookupNetIP(ctx, "ip", host)
	for _, a := range found {
		all = append(all, net.IPAddr{IP: a.AsSlice(), Zone: a.Zone()})
	}
	return all, err
}

// LookupCNAME returns the name that a host's addresses are under, with a dot at its end: host itself, or what it is an alias of.
func (r *Resolver) LookupCNAME(ctx context.Context, host string) (string, error) {
	name, err := r.lookupAddrs(ctx, "ip", host, func(Family, []netip.Addr) {})
	if err == nil && !strings.HasSuffix(name, ".") {
		name += "."
	}
	if err == nil && !IsHostName(name) {
		return "", dnsError(errBadNames, host)
	}
	return name, err
}

// LookupAddr looks the names of an address up, with a dot at their ends.
func (r *Resolver) LookupAddr(ctx context.Context, addr string) (names []string, err error) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{Err: "unrecognized address", Name: addr}
	}
	a = a.Unmap().WithZone("")
	names = r.cfg.Hosts.names(a)
	switch {
	case len(names) > 0:
		return names, nil
	case a.IsLoopback():
		return []string{"localhost."}, nil
	}
	answer, err := r.Lookup(ctx, ReverseName(a), dnsmessage.TypePTR)
	if err != nil {
		return nil, err
	}
	for i := range answer.Records {
		if b, ok := answer.Records[i].Body.(*dnsmessage.PTRResource); ok {
			names = append(names, b.PTR.String())
		}
	}
	return valid(names, addr, func(s string) string { return s })
}
