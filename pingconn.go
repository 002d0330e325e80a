package onlink

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/icmp"
)

// PingConn is a ping socket: what is written are echo requests (RFC 792; RFC 4443, 4.1), what is read are the replies to them, both as
// whole ICMP messages without internet header. The identifier of the requests is the socket's: it is set in what is written, as the
// checksum is. It implements both [net.Conn] and [net.PacketConn]; one from DialContext is connected, one from ListenPing is not. All
// methods may be called at once from several goroutines.
//
// Addresses are *net.UDPAddr with the identifier as the local port, as those of golang.org/x/net/icmp are; WriteTo also takes a *net.IPAddr.
//
// Errors are as those of [UDPConn]; writing what is no echo request fails with EINVAL.
type PingConn struct {
	datagramConn
	ping *icmp.Socket
}

// ListenPing makes a ping socket of network "ping4", "ping6" or, for both families, "ping" on address, a host, or empty for all
// addresses.
func (s *Stack) ListenPing(network, address string) (*PingConn, error) {
	n, err := parseAnyNetwork(network)
	if err == nil && n.transport != "ping" {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	c, err := s.ListenPacket(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	return c.(*PingConn), nil
}

func (s *Stack) newPingConn(n network, sock *icmp.Socket) *PingConn {
	c := &PingConn{datagramConn{stack: s, sock: &sock.Socket, network: n.name, local: s.udpAddr(sock.Local())}, sock}
	if sock.Connected() {
		c.peer = s.udpAddr(sock.Remote())
	}
	return c
}

// ID returns the identifier of the socket's requests.
func (c *PingConn) ID() uint16 { return c.ping.ID() }

// Read reads the next reply. What does not fit into b is lost.
func (c *PingConn) Read(b []byte) (int, error) { return c.read(b) }

// Write sends the echo request b to the remote end of a connected socket. On one that is not connected it fails with
// EDESTADDRREQ.
func (c *PingConn) Write(b []byte) (int, error) { return c.write(b) }

// ReadFrom is Read, with the sender's address as *net.UDPAddr.
func (c *PingConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddr(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), nil
}

// ReadFromAddr is ReadFrom without an allocation.
func (c *PingConn) ReadFromAddr(b []byte) (int, netip.Addr, error) {
	n, _, from, err := c.sock.Receive(b)
	if err != nil {
		return 0, netip.Addr{}, c.err("read", err)
	}
	return n, c.stack.netipAddr(from.Addr, from.Scope), nil
}

// WriteTo sends the echo request b to addr, a *net.UDPAddr, whose port means nothing, or a *net.IPAddr. On a connected socket it fails
// with EISCONN.
func (c *PingConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	switch a := addr.(type) {
	case *net.UDPAddr:
		if a != nil {
			return c.WriteToAddr(b, a.AddrPort().Addr().Unmap())
		}
	case *net.IPAddr:
		if a != nil {
			return c.WriteToAddr(b, addrFromIP(a))
		}
	}
	return 0, c.err("write", syscall.EINVAL)
}

// WriteToAddr is WriteTo without an allocation.
func (c *PingConn) WriteToAddr(b []byte, addr netip.Addr) (int, error) {
	if err := c.sendTo(b, netip.AddrPortFrom(addr, 0)); err != nil {
		return 0, c.errTo(ipAddr(addr), err)
	}
	return len(b), nil
}
