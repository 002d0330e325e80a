package main

import (
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink"
)

// playLab has something happen on a node of the lab, for others to look at: an echo by ICMP, UDP and TCP to another node over each
// family. What fails is to be seen in what is looked at.
func playLab(s *session, node string) {
	for _, other := range labOthers(node) {
		s.stack.Ping(s.ctx, other, onlink.PingConfig{Timeout: time.Second})
		for _, network := range []string{"udp", "tcp"} {
			conn, err := s.stack.DialContext(s.ctx, network, netip.AddrPortFrom(other, 7).String())
			if err == nil {
				echoed(conn)
			}
		}
	}
	s.sleep(time.Second)
}

// labOthers returns the addresses of the node that is farthest from the given one.
func labOthers(node string) []netip.Addr {
	if node == "server" {
		return []netip.Addr{netip.MustParseAddr(labClient4), netip.MustParseAddr(labClient6)}
	}
	return []netip.Addr{netip.MustParseAddr(labServer4), netip.MustParseAddr(labServer6)}
}

// echoed writes to conn, reads it back, and closes it.
func echoed(conn net.Conn) {
	defer conn.Close()
	b := make([]byte, 1000)
	if _, err := conn.Write(b); err == nil {
		io.ReadFull(conn, b)
	}
}
