package socket

import (
	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/icmp"
)

// pingProtocol returns the protocol of ping sockets of a domain.
func pingProtocol(domain int) int {
	if domain == AF_INET {
		return IPPROTO_ICMP
	}
	return IPPROTO_ICMPV6
}

// isUDP reports whether it is a UDP socket, isPing whether it is a ping socket; else it is a raw one.
func (s *datagram) isUDP() bool  { return s.typ == SOCK_DGRAM && s.proto == IPPROTO_UDP }
func (s *datagram) isPing() bool { return s.typ == SOCK_DGRAM && s.proto != IPPROTO_UDP }

// openPing makes a ping socket. mu locked.
func (s *datagram) openPing(cfg dgram.Config) (*dgram.Socket, error) {
	p, err := s.t.icmp.Open(icmp.Config{Config: cfg, Share: s.opt.reuseAddr})
	if err != nil {
		return nil, err
	}
	return &p.Socket, nil
}
