package onlink

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/onlink-go/onlink/dns"
	"github.com/onlink-go/onlink/trace"
)

// Who tells of name servers and search domains: the Origin of a NameServer and a SearchDomain. Others may tell, under names of
// their own: see SetNameServersOf.
const (
	OriginConfig = "config" // Config
	OriginStatic = "static" // SetNameServers
	OriginRA     = "ra"     // Router Advertisements (RFC 8106)
)

// NameServer is a server that names are looked up with.
type NameServer struct {
	Addr      netip.AddrPort // with the interface's name as zone where it is link-local
	Origin    string         // who told of it
	Interface string         // on which; empty: that of Config
}

// SearchDomain is a domain that names are looked up in.
type SearchDomain struct {
	Domain    string // without a dot at the end
	Origin    string // who told of it
	Interface string // on which; empty: that of Config
}

// nameSource is what one origin told on one interface.
type nameSource struct {
	index   int32
	origin  string
	servers []netip.AddrPort
	search  []string
}

// nameSources are what programs, such as clients of DHCP, told of name servers, in the order in which they began to. They go with
// their interfaces.
type nameSources struct {
	mu  sync.Mutex
	all []nameSource
}

// set makes n take the place of what its origin told before on its interface. It reports whether that is something else.
func (l *nameSources) set(n nameSource) (changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.all, func(o nameSource) bool { return o.index == n.index && o.origin == n.origin })
	nothing := len(n.servers) == 0 && len(n.search) == 0
	switch {
	case i < 0 && nothing:
		return false
	case i < 0:
		l.all = append(l.all, n)
		return true
	case nothing:
		l.all = slices.Delete(l.all, i, i+1)
		return true
	}
	changed = !slices.Equal(l.all[i].servers, n.servers) || !slices.Equal(l.all[i].search, n.search)
	l.all[i] = n
	return changed
}

// of returns what was told on an interface. The slices within are not to be written to.
func (l *nameSources) of(index int32) (found []nameSource) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.all {
		if n.index == index {
			found = append(found, n)
		}
	}
	return found
}

// remove forgets what was told on an interface. It reports whether there was something.
func (l *nameSources) remove(index int32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.all)
	l.all = slices.DeleteFunc(l.all, func(n nameSource) bool { return n.index == index })
	return len(l.all) < n
}

// SetNameServers is SetNameServersOf for OriginStatic.
func (i *Interface) SetNameServers(servers []netip.AddrPort, search []string) error {
	return i.SetNameServersOf(OriginStatic, servers, search)
}

// SetNameServersOf sets the name servers and search domains that origin, such as "dhcp4", tells of on this interface, in place
// of those it told of before; none at all ends that. They are asked after those of Config and before those that routers tell of,
// and are removed with the interface. Port 0 means 53. Errors: ENODEV if the interface was removed; EINVAL, with a text that
// names what is wrong; nothing changes then.
func (i *Interface) SetNameServersOf(origin string, servers []netip.AddrPort, search []string) error {
	n := nameSource{index: i.i.Index, origin: origin}
	if origin == "" || origin == OriginConfig || origin == OriginRA {
		return fmt.Errorf("name servers of %s: origin %q is not one that can be set: %w", i.Name(), origin, syscall.EINVAL)
	}
	for _, a := range servers {
		a, err := nameServerOn(i.Name(), a)
		if err != nil {
			return err
		}
		if !slices.Contains(n.servers, a) {
			n.servers = append(n.servers, a)
		}
	}
	for _, d := range search {
		d, err := parseDomain(d)
		if err != nil {
			return fmt.Errorf("search domains of %s: %w", i.Name(), err)
		}
		if !slices.Contains(n.search, d) {
			n.search = append(n.search, d)
		}
	}
	s := i.stack
	if s.ip.Snapshot().Interface(n.index) == nil {
		return fmt.Errorf("name servers of %s: %w", i.Name(), syscall.ENODEV)
	}
	if s.names.set(n) {
		s.tellNameServers(n.index)
	}
	return nil
}

// nameServerOn checks a name server that is told of on an interface, and completes it: a link-local one is of that link
// (RFC 4007, 6).
func nameServerOn(name string, server netip.AddrPort) (netip.AddrPort, error) {
	a := server.Addr().Unmap()
	bad := func(why string) (netip.AddrPort, error) {
		return netip.AddrPort{}, fmt.Errorf("name server %v of %s %s: %w", server.Addr(), name, why, syscall.EINVAL)
	}
	switch {
	case !a.IsValid() || a.IsUnspecified():
		return bad("is no address")
	// RFC 8106, 5.3.1: "the addresses should be unicast addresses."
	case a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return bad("is not a unicast address")
	case a.Zone() != "" && a.Zone() != name:
		return bad("is of another interface")
	case a.Is6() && a.IsLinkLocalUnicast():
		a = a.WithZone(name)
	default:
		a = a.WithZone("")
	}
	port := server.Port()
	if port == 0 {
		port = 53
	}
	return netip.AddrPortFrom(a, port), nil
}

// parseDomain checks a domain name, and takes the dot at its end away.
func parseDomain(text string) (string, error) {
	if !dns.IsName(text) || text == "." {
		return "", fmt.Errorf("%q is not a domain name: %w", text, syscall.EINVAL)
	}
	return strings.TrimSuffix(text, "."), nil
}

// tellNameServers traces that other name servers are told of on an interface.
func (s *Stack) tellNameServers(index int32) {
	if s.tracer.Enabled() {
		s.tracer.Emit(&trace.Event{At: s.rt.Now(), Kind: trace.NameServersChanged, In: index})
	}
}

// NameServers returns whom to ask for names, in order: the servers of Config.DNS, then by interface those set there and those that
// routers tell of. RFC 8106, 5.3.1: "DNS information from DHCP takes precedence over that from RAs for DNS queries". A server that
// several tell of is there once.
func (s *Stack) NameServers() []NameServer {
	all, _ := s.naming()
	return all
}

// SearchDomains returns the domains to look names up in, in the order of NameServers.
func (s *Stack) SearchDomains() []SearchDomain {
	_, all := s.naming()
	return all
}

// naming returns the name servers and search domains.
func (s *Stack) naming() (servers []NameServer, search []SearchDomain) {
	ask := func(n NameServer) {
		if !slices.ContainsFunc(servers, func(o NameServer) bool { return o.Addr == n.Addr }) {
			servers = append(servers, n)
		}
	}
	look := func(d SearchDomain) {
		if !slices.ContainsFunc(search, func(o SearchDomain) bool { return strings.EqualFold(o.Domain, d.Domain) }) {
			search = append(search, d)
		}
	}
	for _, a := range s.cfg.DNS {
		ask(NameServer{a, OriginConfig, ""})
	}
	for _, d := range s.cfg.DNSSearch {
		look(SearchDomain{strings.TrimSuffix(d, "."), OriginConfig, ""})
	}
	now := s.rt.Now()
	for _, i := range s.ip.Snapshot().Interfaces {
		for _, n := range s.names.of(i.Index) {
			for _, a := range n.servers {
				ask(NameServer{a, n.origin, i.Name})
			}
			for _, d := range n.search {
				look(SearchDomain{d, n.origin, i.Name})
			}
		}
		told := s.learned(now, i)
		for _, a := range told.NameServers {
			ask(NameServer{netip.AddrPortFrom(a, 53), OriginRA, i.Name})
		}
		for _, d := range told.SearchDomains {
			look(SearchDomain{d, OriginRA, i.Name})
		}
	}
	return servers, search
}
