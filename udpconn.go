package onlink

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/udp"
)

// UDPConn is a UDP socket. It implements both [net.Conn] and [net.PacketConn]; one from DialContext is
// connected, one from ListenPacket is not. All methods may be called at once from several goroutines.
//
// Errors are *net.OpError around [net.ErrClosed], [os.ErrDeadlineExceeded], or an errno: EMSGSIZE for a payload
// over 65,507 octets (65,527 with IPv6), and on a connected socket what was reported about its datagrams: EHOSTUNREACH if the
// neighbor does not answer, or an [*ICMPError], whose errno is ECONNREFUSED where nobody listens.
type UDPConn struct{ datagramConn }

func (s *Stack) newUDPConn(sock *udp.Socket) *UDPConn {
	c := &UDPConn{datagramConn{stack: s, sock: &sock.Socket, network: "udp", local: s.udpAddr(sock.Local())}}
	if sock.Connected() {
		c.peer = s.udpAddr(sock.Remote())
	}
	return c
}

// Read reads the payload of the next datagram. What does not fit into b is lost.
func (c *UDPConn) Read(b []byte) (int, error) {
	return c.read(b)
}

// Write sends b as one datagram to the remote end of a connected socket. On one that is not connected it fails
// with EDESTADDRREQ.
func (c *UDPConn) Write(b []byte) (int, error) {
	return c.write(b)
}

// ReadFrom is Read, with the sender's address as *net.UDPAddr.
func (c *UDPConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, _, from, err := c.sock.Receive(b)
	if err != nil {
		return 0, nil, c.err("read", err)
	}
	return n, c.stack.udpAddr(from), nil
}

// ReadFromUDPAddrPort is ReadFrom without an allocation.
func (c *UDPConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, _, from, err := c.sock.Receive(b)
	if err != nil {
		return 0, netip.AddrPort{}, c.err("read", err)
	}
	return n, netip.AddrPortFrom(c.stack.netipAddr(from.Addr, from.Scope), from.Port), nil
}

// WriteTo sends b as one datagram to addr, a *net.UDPAddr. On a connected socket it fails with EISCONN.
func (c *UDPConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	a, ok := addr.(*net.UDPAddr)
	if !ok || a == nil {
		return 0, c.err("write", syscall.EINVAL)
	}
	return c.WriteToUDPAddrPort(b, a.AddrPort())
}

// WriteToUDPAddrPort is WriteTo without an allocation.
func (c *UDPConn) WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	if err := c.sendTo(b, addr); err != nil {
		return 0, c.errTo(net.UDPAddrFromAddrPort(addr), err)
	}
	return len(b), nil
}
