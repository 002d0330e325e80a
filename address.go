package onlink

import (
	"context"
	"net"
	"net/netip"
	"strconv"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// endpoint converts a, resolving its zone to an interface.
func (s *Stack) endpoint(a netip.AddrPort) (flow.Endpoint, error) {
	e := flow.Endpoint{Addr: wire.AddrFrom(a.Addr()), Port: a.Port()}
	if zone := a.Addr().Zone(); zone != "" {
		index, err := s.zone(zone)
		if err != nil {
			return e, err
		}
		if e.Addr.NeedsScope() {
			e.Scope = uint32(index)
		}
	}
	return e, nil
}

// zone returns the index of the interface that a zone names, by name or by number.
func (s *Stack) zone(zone string) (int32, error) {
	for _, i := range s.ip.Snapshot().Interfaces {
		if i.Name == zone || strconv.Itoa(int(i.Index)) == zone {
			return i.Index, nil
		}
	}
	return 0, &net.AddrError{Err: "no interface of this name", Addr: zone}
}

// netipAddr converts a, naming the interface it is scoped to.
func (s *Stack) netipAddr(a wire.Addr, scope uint32) netip.Addr {
	n := a.Netip()
	if scope == 0 {
		return n
	}
	if i := s.ip.Snapshot().Interface(int32(scope)); i != nil {
		return n.WithZone(i.Name)
	}
	return n.WithZone(strconv.Itoa(int(scope)))
}

func (s *Stack) addrPort(e flow.Endpoint) netip.AddrPort {
	return netip.AddrPortFrom(s.netipAddr(e.Addr, e.Scope), e.Port)
}

// network is a network name taken apart.
type network struct {
	name      string
	transport string // "tcp", "udp", "ip" or "ping"
	v4, v6    bool   // families allowed
	proto     uint8  // of "ip"
}

// parseNetwork takes apart "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6".
func parseNetwork(name string) (network, error) {
	switch name {
	case "tcp", "udp":
		return network{name: name, transport: name, v4: true, v6: true}, nil
	case "tcp4", "udp4":
		return network{name: name, transport: name[:3], v4: true}, nil
	case "tcp6", "udp6":
		return network{name: name, transport: name[:3], v6: true}, nil
	}
	return network{}, net.UnknownNetworkError(name)
}

// allows reports whether a's family is one of the network's.
func (n network) allows(a netip.Addr) bool {
	if a.Unmap().Is4() {
		return n.v4
	}
	return n.v6
}

// destination is "host:port" taken apart: an address, or a name to be looked up.
type destination struct {
	addr netip.Addr // the zero Addr with an empty name: the host was empty
	name string
	port uint16
}

// parse takes apart "host:port", of networks without ports "host". Ports are numbers or service names.
func (n network) parse(ctx context.Context, address string) (d destination, err error) {
	host := address
	if n.hasPorts() {
		var service string
		if host, service, err = net.SplitHostPort(address); err != nil {
			return d, err
		}
		if d.port, err = lookupPort(ctx, n, service); err != nil {
			return d, err
		}
	}
	if host == "" {
		return d, nil
	}
	if d.addr, err = netip.ParseAddr(host); err != nil {
		d.name = host
		return d, nil
	}
	d.addr = d.addr.Unmap()
	if !n.allows(d.addr) {
		return d, &net.AddrError{Err: "not an address of network " + n.name, Addr: host}
	}
	return d, nil
}

// ours turns what parse takes into what a socket is to be bound to. An empty or unspecified host is left unspecified, and a name
// is one of Config.Hosts or localhost: which address of ours is meant is not for a server to say.
func (s *Stack) ours(ctx context.Context, n network, address string) (netip.AddrPort, error) {
	d, err := n.parse(ctx, address)
	if err != nil || d.name == "" {
		return netip.AddrPortFrom(d.addr, d.port), err
	}
	known, _ := s.known.Lookup(d.name)
	for _, a := range known {
		if n.allows(a) {
			return netip.AddrPortFrom(a, d.port), nil
		}
	}
	why := "neither an address, nor a name in Config.Hosts"
	if known != nil {
		why = "a name in Config.Hosts without an address of network " + n.name
	}
	return netip.AddrPort{}, &net.AddrError{Err: why, Addr: d.name}
}

// resolve turns what parse takes into the addresses to try, in order. An empty or unspecified host is left
// unspecified. Names are looked up with the stack's resolver.
func (s *Stack) resolve(ctx context.Context, n network, address string) ([]netip.AddrPort, error) {
	d, err := n.parse(ctx, address)
	if err != nil {
		return nil, err
	}
	if d.name == "" {
		return []netip.AddrPort{netip.AddrPortFrom(d.addr, d.port)}, nil
	}
	found, err := s.LookupNetIP(ctx, lookupNetwork(n), d.name)
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.AddrPort, 0, len(found))
	for _, a := range found {
		addrs = append(addrs, netip.AddrPortFrom(a, d.port))
	}
	return addrs, nil
}

func lookupNetwork(n network) string {
	switch {
	case !n.v6:
		return "ip4"
	case !n.v4:
		return "ip6"
	}
	return "ip"
}

// lookupPort converts a port number or a service name.
func lookupPort(ctx context.Context, n network, service string) (uint16, error) {
	if service == "" {
		return 0, nil
	}
	if p, err := strconv.ParseUint(service, 10, 16); err == nil {
		return uint16(p), nil
	}
	p, err := net.DefaultResolver.LookupPort(ctx, n.name, service) // reads a table only
	if err != nil {
		return 0, err
	}
	return uint16(p), nil
}

func (s *Stack) tcpAddr(e flow.Endpoint) *net.TCPAddr {
	return net.TCPAddrFromAddrPort(s.addrPort(e))
}

func (s *Stack) udpAddr(e flow.Endpoint) *net.UDPAddr {
	return net.UDPAddrFromAddrPort(s.addrPort(e))
}
