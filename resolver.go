package onlink

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/onlink-go/onlink/dns"
)

// ErrNoNameServer is what lookups fail with when Config.DNS is empty, none is set, and no router tells of one.
var ErrNoNameServer = dns.ErrNoServer

// newResolver makes the stack's resolver.
func (s *Stack) newResolver() *dns.Resolver {
	return dns.New(dns.Config{
		Options: s.cfg.DNSOptions,
		Runtime: s.rt,
		Dial:    s.DialContext,
		Servers: func() (all []netip.AddrPort) {
			for _, n := range s.NameServers() {
				all = append(all, n.Addr)
			}
			return all
		},
		Search: func() (all []string) {
			for _, d := range s.SearchDomains() {
				all = append(all, d.Domain)
			}
			return all
		},
		Hosts: s.known,
		Sort:  s.sortAddrs,
	})
}

// checkNames returns an error that names the field of cfg about names that is wrong.
func (cfg *Config) checkNames() error {
	for _, a := range cfg.DNS {
		if !a.IsValid() || a.Port() == 0 {
			return fmt.Errorf("onlink: Config.DNS has %v: must be an address and a port", a)
		}
	}
	for _, d := range cfg.DNSSearch {
		if _, err := parseDomain(d); err != nil {
			return fmt.Errorf("onlink: Config.DNSSearch: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Hosts)) {
		if !dns.IsName(name) {
			return fmt.Errorf("onlink: Config.Hosts: %q is not a name", name)
		}
		for _, a := range cfg.Hosts[name] {
			if !a.IsValid() {
				return fmt.Errorf("onlink: Config.Hosts: an address of %s is not one", name)
			}
		}
	}
	return nil
}

// Resolver returns a resolver for programs that need one of package net. It is Go's own, and asks NameServers through this stack:
// the program's hosts file and search list hold as everywhere, and each lookup asks anew. It starts goroutines of its own, and so
// is not for applications inside a simulation, nor for several bubbles of testing/synctest in one process. DNS has none of this.
func (s *Stack) Resolver() *net.Resolver {
	var turn atomic.Uint32
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		servers := s.NameServers()
		if len(servers) == 0 {
			return nil, ErrNoNameServer
		}
		// The resolver calls Dial anew for each attempt; each goes to the next server.
		server := servers[int(turn.Add(1)-1)%len(servers)]
		return s.DialContext(ctx, network, server.Addr.String())
	}}
}

// ParseNameServer reads a name server's address, with port 53 if it names none.
func ParseNameServer(text string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(a, 53), nil
	}
	return netip.ParseAddrPort(text)
}
