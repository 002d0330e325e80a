package socket

import (
	"encoding/binary"
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/raw"
)

// newRaw makes a raw socket, which hears from now on.
func newRaw(t *Table, domain, proto int, nonblock bool) (*datagram, error) {
	s := newDatagram(t, domain, SOCK_RAW, proto, nonblock)
	r, err := t.raw.Open(uint8(proto), dgram.Config{Bound: flow.Bound{Local: s.local, Family: s.family()}, Watcher: s, Groups: s.groups})
	if err != nil {
		return nil, errno(err)
	}
	s.raw, s.u = r, &r.Socket
	s.u.SetReceiveBuffer(s.rcvbuf())
	return s, nil
}

// bindRaw is bind of a raw socket, which may be bound again as long as it is not connected. Ports mean nothing. mu locked.
func (s *datagram) bindRaw(e flow.Endpoint) error {
	if s.u.Connected() {
		return syscall.EINVAL
	}
	if s.domain == AF_INET6 && e.Addr.Is4() {
		return syscall.EADDRNOTAVAIL
	}
	if err := s.u.Rebind(e.Addr, e.Scope); err != nil {
		return errno(err)
	}
	s.local, s.boundAddr = s.u.Local(), !e.Addr.IsUnspecified()
	return nil
}

// mayPort reports whether a datagram may go to an address with the given port. Raw sockets of IPv6 take none but that of their
// protocol's number; where ports mean nothing, others are not looked at.
func (s *datagram) mayPort(port uint16) bool {
	switch {
	case s.isUDP():
		return port != 0
	case s.raw != nil && s.domain == AF_INET6:
		return port == 0 || int(port) == s.proto || s.proto == IPPROTO_RAW && port <= 255
	}
	return true
}

// isRawOption reports whether an option is one of raw sockets, and this is one.
func (s *datagram) isRawOption(level, name int) bool {
	if s.raw == nil {
		return false
	}
	switch level {
	case SOL_RAW:
		return true
	case SOL_ICMPV6:
		return s.domain == AF_INET6
	case IPPROTO_IP:
		return name == IP_HDRINCL || s.domain == AF_INET6
	case IPPROTO_IPV6:
		return s.domain == AF_INET6 && (name == IPV6_CHECKSUM || name == IPV6_HDRINCL)
	}
	return false
}

// filterSize returns the size of the filter that an option of the given level is, in octets. Errors: EOPNOTSUPP on a socket of
// another protocol, ENOPROTOOPT.
func (s *datagram) filterSize(level, name int) (int, error) {
	switch {
	case level == SOL_RAW && s.domain == AF_INET && name == ICMP_FILTER:
		if s.proto != IPPROTO_ICMP {
			return 0, syscall.EOPNOTSUPP
		}
		return 4, nil
	case level == SOL_ICMPV6 && s.proto != IPPROTO_ICMPV6:
		return 0, syscall.EOPNOTSUPP
	case level == SOL_ICMPV6 && name == ICMPV6_FILTER:
		return 32, nil
	}
	return 0, syscall.ENOPROTOOPT
}

// setRaw sets such an option. mu locked.
func (s *datagram) setRaw(level, name int, b []byte) error {
	if level == IPPROTO_IP && s.domain == AF_INET6 {
		return syscall.ENOPROTOOPT // unlike other sockets of AF_INET6 it has none of that level
	}
	if level == IPPROTO_IP {
		s.raw.SetHeaderIncluded(byteValue(b) != 0)
		return nil
	}
	if level == IPPROTO_IPV6 || level == SOL_RAW && s.domain == AF_INET6 {
		return s.setRaw6(name, b)
	}
	size, err := s.filterSize(level, name)
	if err != nil {
		return err
	}
	// What is not given stays as it is.
	f := s.raw.Filter()
	words := filterBytes(&f)
	copy(words[:size], b)
	for i := range f {
		f[i] = binary.LittleEndian.Uint32(words[4*i:])
	}
	s.raw.SetFilter(f)
	return nil
}

func (s *datagram) setRaw6(name int, b []byte) error {
	n, err := intValue(b)
	if err != nil {
		return err
	}
	switch name {
	case IPV6_HDRINCL:
		s.raw.SetHeaderIncluded(n != 0)
		return nil
	case IPV6_CHECKSUM:
		return s.raw.SetChecksum(n)
	}
	return syscall.ENOPROTOOPT
}

// filterBytes returns the filter as it is in memory.
func filterBytes(f *raw.Filter) (b [32]byte) {
	for i, w := range f {
		binary.LittleEndian.PutUint32(b[4*i:], w)
	}
	return b
}

// getRaw writes such an option. mu locked.
func (s *datagram) getRaw(level, name int, b []byte) (int, error) {
	switch {
	case level == IPPROTO_IP && s.domain == AF_INET6:
		return 0, syscall.ENOPROTOOPT
	case level == IPPROTO_IP:
		return putByte(b, bit(s.raw.HeaderIncluded()))
	case level == SOL_ICMPV6 || level == SOL_RAW && s.domain == AF_INET:
		size, err := s.filterSize(level, name)
		if err != nil {
			return 0, err
		}
		f := s.raw.Filter()
		words := filterBytes(&f)
		return copy(b, words[:size]), nil
	case name == IPV6_HDRINCL:
		return putBool(b, s.raw.HeaderIncluded())
	case name == IPV6_CHECKSUM:
		return put(b, s.raw.Checksum())
	}
	return 0, syscall.ENOPROTOOPT
}
