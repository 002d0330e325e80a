package onlink

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
)

// ErrNoNameServer is what lookups fail with when Config.DNS is empty and no router tells of one.
var ErrNoNameServer = errors.New("onlink: no name server is configured")

// Resolver returns a resolver that asks the name servers of Config.DNS, and those that routers tell of (RFC 8106), through this stack. It is Go's own
// resolver: the program's hosts file and search list hold as everywhere. It starts goroutines of its own, and so is
// not for applications inside a simulation.
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
