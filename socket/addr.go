package socket

import (
	"net/netip"
	"strconv"
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// endpoint converts an address as a socket of the given domain takes it. An AF_INET socket takes IPv4 addresses, an
// AF_INET6 one IPv6 addresses, IPv4-mapped ones among them unless it is for IPv6 only. Errors: EAFNOSUPPORT; EINVAL for
// an IPv4 address given to an AF_INET6 socket, since a struct sockaddr_in is too short there.
func (s *inet) endpoint(a netip.AddrPort) (flow.Endpoint, error) {
	addr := a.Addr()
	switch {
	case s.domain == AF_INET && !addr.Is4():
		return flow.Endpoint{}, syscall.EAFNOSUPPORT
	case s.domain == AF_INET6 && !addr.Is6():
		return flow.Endpoint{}, syscall.EINVAL
	}
	e := flow.Endpoint{Addr: wire.AddrFrom(addr), Port: a.Port()}
	if zone := addr.Zone(); zone != "" && e.Addr.NeedsScope() {
		index, ok := s.t.zone(zone)
		if !ok {
			return e, syscall.ENODEV
		}
		e.Scope = index
	}
	return e, nil
}

// zone returns the index of the interface that a zone names, by name or by number.
func (t *Table) zone(zone string) (uint32, bool) {
	for _, i := range t.ip.Snapshot().Interfaces {
		if i.Name == zone || strconv.Itoa(int(i.Index)) == zone {
			return uint32(i.Index), true
		}
	}
	return 0, false
}

// name converts an end to what a socket of the domain calls it: on an AF_INET6 socket an IPv4 address is mapped, and
// the wildcard is ::.
func (s *inet) name(e flow.Endpoint) netip.AddrPort {
	a := e.Addr.Netip()
	switch {
	case s.domain == AF_INET6 && e.Addr == wire.Unspecified4:
		a = netip.IPv6Unspecified()
	case s.domain == AF_INET6 && a.Is4():
		a = netip.AddrFrom16(a.As16())
	case s.domain == AF_INET && e.Addr.IsUnspecified():
		a = netip.IPv4Unspecified()
	}
	if e.Scope != 0 {
		a = a.WithZone(strconv.Itoa(int(e.Scope)))
	}
	return netip.AddrPortFrom(a, e.Port)
}

// wildcard returns the unspecified address of the socket's domain.
func (s *inet) wildcard() wire.Addr {
	if s.domain == AF_INET {
		return wire.Unspecified4
	}
	return wire.Addr{}
}

// family returns which addresses a wildcard socket takes.
func (s *inet) family() flow.Family {
	switch {
	case s.domain == AF_INET:
		return flow.Only4
	case s.v6only || s.only6:
		return flow.Only6
	}
	return flow.Dual
}
