package socket

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/wire"
)

// Error implements dgram.Watcher. Without IP_RECVERR or IPV6_RECVERR, as the packet's family is, only a connected socket is
// told, and only of what will not pass.
func (s *datagram) Error(e *ip.Error, port uint16) {
	family := 0
	if !e.Dst.Is4() {
		family = 1
	}
	s.queue.mu.Lock()
	hard, heeded := s.heeds(e)
	if !heeded || !s.wantErrors[family] && !(hard && s.connected) {
		s.queue.mu.Unlock()
		return
	}
	if s.wantErrors[family] {
		s.errors.add(reported(e, port, s.quoted(e), s.want4884[family]))
	}
	s.err = e.Errno
	s.queue.mu.Unlock()
	s.Notify(ready.Err)
}

// heeds reports whether an error means anything to the socket, and whether what it tells of will not pass. A message about the
// path MTU does so by IP_MTU_DISCOVER and IPV6_MTU_DISCOVER. queue.mu locked.
func (s *datagram) heeds(e *ip.Error) (hard, heeded bool) {
	switch {
	case e.Errno != syscall.EMSGSIZE || e.Local:
		return hardError(e), true
	case e.Dst.Is4():
		return true, s.pmtudisc != IP_PMTUDISC_DONT
	}
	return s.pmtudisc6 != IP_PMTUDISC_DONT, s.pmtudisc6 != IP_PMTUDISC_INTERFACE && s.pmtudisc6 != IP_PMTUDISC_OMIT
}

// quoted returns what e tells of the payload of a datagram: of UDP behind its header, of ping sockets the ICMP message, of raw ones
// what was sent.
func (s *datagram) quoted(e *ip.Error) []byte {
	tail := e.Tail()
	switch {
	case s.raw != nil && s.raw.HeaderIncluded() && !e.Local:
		return e.Message.Body()
	case !s.isUDP():
		return tail
	case len(tail) > wire.UDPLen:
		return tail[wire.UDPLen:]
	}
	return nil
}

// reported returns the entry of the error queue for e, about a datagram to port with the given payload. with4884 has it tell where
// in the payload the extension structure is.
func reported(e *ip.Error, port uint16, payload []byte, with4884 bool) extended {
	x := extended{errno: e.Errno, typ: e.Type, code: e.Code, offender: flow.Endpoint{Addr: e.From},
		name: flow.Endpoint{Addr: e.Dst, Port: port, Scope: e.Scope}}
	switch {
	case e.Local:
		x.origin, x.info = SO_EE_ORIGIN_LOCAL, uint32(e.MTU)
	case !e.Dst.Is4():
		x.origin, x.info = SO_EE_ORIGIN_ICMP6, e.Message.Rest()
	default:
		x.origin = SO_EE_ORIGIN_ICMP
		switch {
		case e.Errno == syscall.EMSGSIZE:
			x.info = e.Message.Rest() & 0xffff
		case e.Type == wire.ICMPv4ParamProblem:
			x.info = e.Message.Rest() >> 24
		}
	}
	x.payload = append([]byte(nil), payload...)
	if with4884 && !e.Local {
		x.data = extensionAt(e.Message, e.Dst.Is4(), len(e.Message.Body())-len(x.payload), len(x.payload))
	}
	return x
}

// extensionInvalid is SO_EE_RFC4884_FLAG_INVALID, where it is in ee_data.
const extensionInvalid = 1 << 16

// extensionAt returns a struct sock_ee_data_rfc4884: where in the payload, of n octets behind the given ones of headers, the
// extension structure begins, and whether it is malformed; 0 if there is none.
func extensionAt(m wire.ICMP, four bool, headers, n int) uint32 {
	at := m.QuotedLen(four)
	if at < 128 || at < headers || at-headers+4 > n {
		return 0
	}
	_, err := wire.CheckICMPExtension(m.Body()[at:])
	if err != nil && err != wire.ErrVersion { // of other versions nothing is known
		return uint32(at-headers) | extensionInvalid
	}
	return uint32(at - headers)
}

// hardError reports whether e is one that Linux tells a connected socket of without being asked: that the network or
// host cannot be reached at present may pass.
func hardError(e *ip.Error) bool {
	switch {
	case e.Local:
		return true
	case e.Dst.Is4():
		if e.Type != wire.ICMPv4DestUnreachable {
			return e.Type == wire.ICMPv4ParamProblem
		}
		switch e.Code {
		case 0, 1, 5, 11, 12: // network, host, source route, and these for the type of service
			return false
		}
		return true
	}
	switch e.Type {
	case wire.ICMPv6DestUnreachable:
		return e.Code == 1 || e.Code >= 4 // prohibited; port unreachable; source address failed policy; rejected
	case wire.ICMPv6ParamProblem:
		return true
	}
	return false
}
