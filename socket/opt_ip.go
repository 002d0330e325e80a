package socket

import (
	"syscall"

	"github.com/onlink-go/onlink/wire"
)

// ecnMask are the bits of a traffic class that are not the user's with TCP (RFC 3168, 5).
const ecnMask = 3

// setIP sets an option of level IPPROTO_IP. mu locked.
func (s *inet) setIP(name int, b []byte) error {
	o := &s.opt
	n := byteValue(b)
	flag := func(v *bool) error { *v = n != 0; return nil }
	switch name {
	case IP_TTL:
		if len(b) < 1 || n != -1 && (n < 1 || n > 255) {
			return syscall.EINVAL
		}
		o.ttl = n
	case IP_TOS:
		o.tos = uint8(n)
	case IP_MTU_DISCOVER:
		return s.setDiscover(n, &o.pmtudisc)
	case IP_RECVERR:
		return flag(&o.recvErr)
	case IP_RECVERR_RFC4884:
		if n != 0 && n != 1 {
			return syscall.EINVAL
		}
		return flag(&o.recvErr4884)
	case IP_RECVTTL:
		return flag(&o.recvTTL)
	case IP_RECVTOS:
		return flag(&o.recvTOS)
	case IP_PKTINFO:
		return flag(&o.pktInfo)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// setDiscover takes IP_MTU_DISCOVER and IPV6_MTU_DISCOVER. On a TCP socket, whose segments are cut to the path, what is
// learned of it is always heeded.
func (s *inet) setDiscover(n int, v *int) error {
	switch n {
	case IP_PMTUDISC_DONT, IP_PMTUDISC_WANT, IP_PMTUDISC_DO:
		*v = n
		return nil
	case IP_PMTUDISC_PROBE, IP_PMTUDISC_INTERFACE, IP_PMTUDISC_OMIT:
		if !s.datagrams {
			return syscall.ENOPROTOOPT
		}
		*v = n
		return nil
	}
	return syscall.EINVAL
}

// getIP writes an option of level IPPROTO_IP; mtu is that of the connection's path, 0: none. mu locked.
func (s *inet) getIP(name int, b []byte, mtu int) (int, error) {
	o := &s.opt
	switch name {
	case IP_TTL:
		if o.ttl < 0 {
			return putByte(b, int(s.t.ip.Settings().TTL))
		}
		return putByte(b, o.ttl)
	case IP_TOS:
		return putByte(b, int(o.tos))
	case IP_MTU_DISCOVER:
		return putByte(b, o.pmtudisc)
	case IP_MTU:
		if mtu == 0 {
			return 0, syscall.ENOTCONN
		}
		return putByte(b, mtu)
	case IP_RECVERR:
		return putByte(b, bit(o.recvErr))
	case IP_RECVERR_RFC4884:
		return putByte(b, bit(o.recvErr4884))
	case IP_RECVTTL:
		return putByte(b, bit(o.recvTTL))
	case IP_RECVTOS:
		return putByte(b, bit(o.recvTOS))
	case IP_PKTINFO:
		return putByte(b, bit(o.pktInfo))
	}
	return 0, syscall.ENOPROTOOPT
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// setIPv6 sets an option of level IPPROTO_IPV6. mu locked.
func (s *inet) setIPv6(name int, b []byte) error {
	o := &s.opt
	n, short := 0, len(b) < sizeofInt
	if !short {
		n = int(int32At(b))
	}
	flag := func(v *bool) error {
		if short {
			return syscall.EINVAL
		}
		*v = n != 0
		return nil
	}
	switch name {
	case IPV6_V6ONLY:
		if s.hasPort() {
			return syscall.EINVAL
		}
		return flag(&s.v6only)
	case IPV6_UNICAST_HOPS:
		if short || n < -1 || n > 255 {
			return syscall.EINVAL
		}
		o.hops = n
	case IPV6_TCLASS:
		if short || n < -1 || n > 255 {
			return syscall.EINVAL
		}
		o.tclass = uint8(max(n, 0))
	case IPV6_MTU_DISCOVER:
		if short {
			return syscall.EINVAL
		}
		return s.setDiscover(n, &o.pmtudisc6)
	case IPV6_DONTFRAG:
		return flag(&o.dontFrag6)
	case IPV6_ADDR_PREFERENCES:
		if short {
			return syscall.EINVAL
		}
		return o.sources.set(n)
	case IPV6_RECVERR:
		return flag(&o.recvErr6)
	case IPV6_RECVERR_RFC4884:
		if short || n != 0 && n != 1 {
			return syscall.EINVAL
		}
		return flag(&o.recvErr48846)
	case IPV6_RECVPKTINFO:
		return flag(&o.pktInfo6)
	case IPV6_RECVHOPLIMIT:
		return flag(&o.recvHops)
	case IPV6_RECVTCLASS:
		return flag(&o.recvTClass)
	case IPV6_FLOWINFO:
		return flag(&o.recvFlow)
	case IPV6_PKTINFO:
		return o.sticky.set(b)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// getIPv6 writes an option of level IPPROTO_IPV6; mtu is that of the connection's path, 0: none. mu locked.
func (s *inet) getIPv6(name int, b []byte, mtu int) (int, error) {
	o := &s.opt
	switch name {
	case IPV6_V6ONLY:
		return putBool(b, s.v6only)
	case IPV6_UNICAST_HOPS:
		if o.hops < 0 {
			return put(b, int(s.t.ip.Settings().HopLimit))
		}
		return put(b, o.hops)
	case IPV6_TCLASS:
		return put(b, int(o.tclass))
	case IPV6_MTU_DISCOVER:
		return put(b, o.pmtudisc6)
	case IPV6_DONTFRAG:
		return putBool(b, o.dontFrag6)
	case IPV6_ADDR_PREFERENCES:
		return put(b, o.sources.get())
	case IPV6_MTU:
		if mtu == 0 {
			return 0, syscall.ENOTCONN
		}
		return put(b, mtu)
	case IPV6_RECVERR:
		return putBool(b, o.recvErr6)
	case IPV6_RECVERR_RFC4884:
		return putBool(b, o.recvErr48846)
	case IPV6_RECVPKTINFO:
		return putBool(b, o.pktInfo6)
	case IPV6_RECVHOPLIMIT:
		return putBool(b, o.recvHops)
	case IPV6_RECVTCLASS:
		return putBool(b, o.recvTClass)
	case IPV6_FLOWINFO:
		return putBool(b, o.recvFlow)
	}
	return 0, syscall.ENOPROTOOPT
}

// header returns the fields of the internet header that the options ask for in packets to dst; 0: the default. mu
// locked.
func (o *options) header(dst wire.Addr) (hopLimit, trafficClass uint8, fragment bool) {
	if dst.Is4() {
		return uint8(max(o.ttl, 0)), o.tos, o.pmtudisc == IP_PMTUDISC_DONT
	}
	return uint8(max(o.hops, 0)), o.tclass, o.pmtudisc6 == IP_PMTUDISC_DONT
}

// unknownLevel is what getsockopt says of a level that the socket has not got.
func (s *inet) unknownLevel() error {
	if s.domain == AF_INET {
		return syscall.EOPNOTSUPP
	}
	return syscall.ENOPROTOOPT
}
