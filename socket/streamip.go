package socket

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/tcpsock"
	"github.com/onlink-go/onlink/wire"
)

// IPV6_MINHOPCOUNT is IP_MINTTL of IPv6.
const IPV6_MINHOPCOUNT = 73

// streamIP are the options of levels IPPROTO_IP and IPPROTO_IPV6 that only TCP heeds.
type streamIP struct {
	minTTL, minHops uint8
	label           autoLabel
}

// setOwnIP sets such an option, and reports whether it is one. mu locked.
func (s *stream) setOwnIP(level, name int, b []byte) (known bool, err error) {
	n := byteValue(b)
	switch {
	case level == IPPROTO_IP && (name == IP_MULTICAST_IF || name == IP_MULTICAST_TTL):
		return true, syscall.EINVAL
	case level == IPPROTO_IP && (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP),
		level == IPPROTO_IPV6 && (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP):
		return true, syscall.EPROTO // a connection has two ends
	case level == IPPROTO_IP && name == IP_MINTTL:
		return true, setByte(n, &s.ip.minTTL)
	case level == IPPROTO_IPV6 && name == IPV6_MINHOPCOUNT:
		return true, setByte(n, &s.ip.minHops)
	case level == IPPROTO_IPV6 && name == IPV6_AUTOFLOWLABEL:
		return true, s.ip.label.set(b)
	case level == IPPROTO_IP && name == IP_MTU_DISCOVER && isDiscover(n):
		s.opt.pmtudisc = n
		return true, nil
	case level == IPPROTO_IPV6 && name == IPV6_MTU_DISCOVER && isDiscover(n) && len(b) >= sizeofInt:
		s.opt.pmtudisc6 = n
		return true, nil
	}
	return false, nil
}

// setByte sets an option that is a number from 0 to 255.
func setByte(n int, v *uint8) error {
	if n < 0 || n > 255 {
		return syscall.EINVAL
	}
	*v = uint8(n)
	return nil
}

// isDiscover reports whether n is one of IP_MTU_DISCOVER's values.
func isDiscover(n int) bool { return n >= IP_PMTUDISC_DONT && n <= IP_PMTUDISC_OMIT }

// getOwnIP writes such an option. mu locked.
func (s *stream) getOwnIP(level, name int, b []byte) (n int, known bool) {
	var err error
	switch {
	case level == IPPROTO_IP && name == IP_MINTTL:
		n, err = putByte(b, int(s.ip.minTTL))
	case level == IPPROTO_IPV6 && name == IPV6_MINHOPCOUNT:
		n, err = put(b, int(s.ip.minHops))
	case level == IPPROTO_IPV6 && name == IPV6_AUTOFLOWLABEL:
		n, err = s.ip.label.get(b, s.t.ip.Settings())
	default:
		return 0, false
	}
	return n, err == nil
}

// inheritSettings sets the options whose first values the stack's settings give.
func (s *stream) inheritSettings() {
	t := s.t.tcp.Settings()
	s.v6only = s.domain == AF_INET6 && t.BindV6Only
	if t.NoPathMTUDiscovery != 0 {
		s.opt.pmtudisc = IP_PMTUDISC_DONT
	}
}

// header returns what packets of a connection to dst begin with, and headers what those of a listener's do. mu locked.
func (s *stream) header(dst wire.Addr) tcpsock.Header {
	hop, class, _ := s.opt.header(dst)
	h := tcpsock.Header{HopLimit: hop, TrafficClass: class, MinHopLimit: s.ip.minHops, FlowLabel: s.ip.label.choice(),
		Mark: uint32(s.opt.mark), Interface: s.opt.device}
	discover := s.opt.pmtudisc6
	if dst.Is4() {
		h.MinHopLimit = s.ip.minTTL
		discover = s.opt.pmtudisc
	}
	switch discover {
	case IP_PMTUDISC_DONT:
		h.MayFragment = true
	case IP_PMTUDISC_PROBE:
		h.OwnMTU = true
	case IP_PMTUDISC_INTERFACE, IP_PMTUDISC_OMIT:
		h.MayFragment, h.OwnMTU = true, true
	}
	return h
}

// savedSYN is TCP_SAVED_SYN: the headers of the SYN, once. It is EINVAL if b is too short for them. mu locked.
func (s *stream) savedSYN(b []byte) (int, error) {
	if s.conn == nil {
		return 0, nil
	}
	if len(b) < len(s.conn.SavedSYN(false)) {
		return 0, syscall.EINVAL
	}
	return copy(b, s.conn.SavedSYN(true)), nil
}
