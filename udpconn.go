package onlink

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/udp"
)

// UDPConn is a UDP socket. It implements both [net.Conn] and [net.PacketConn]; one from DialContext is
// connected, one from ListenPacket is not. All methods may be called at once from several goroutines.
//
// Errors are *net.OpError around [net.ErrClosed], [os.ErrDeadlineExceeded], or an errno: EMSGSIZE for a payload
// over 65,507 octets (65,527 with IPv6), and on a connected socket what was reported about its datagrams: EHOSTUNREACH if the
// neighbor does not answer, or an [*ICMPError], whose errno is ECONNREFUSED where nobody listens.
type UDPConn struct {
	stack *Stack
	sock  *udp.Socket
	local *net.UDPAddr
	peer  *net.UDPAddr // nil: not connected
	asked atomic.Bool  // SetReceiveErrors
}

func (s *Stack) newUDPConn(sock *udp.Socket) *UDPConn {
	c := &UDPConn{stack: s, sock: sock, local: s.udpAddr(sock.Local())}
	if r := sock.Remote(); r.Port != 0 {
		c.peer = s.udpAddr(r)
	}
	return c
}

func (c *UDPConn) err(op string, err error) error {
	if err == nil {
		return nil
	}
	return opError(op, "udp", c.local, c.RemoteAddr(), sizeError(c.reported(err)))
}

// Read reads the payload of the next datagram. What does not fit into b is lost.
func (c *UDPConn) Read(b []byte) (int, error) {
	n, _, _, err := c.sock.Receive(b)
	return n, c.err("read", err)
}

// Write sends b as one datagram to the remote end of a connected socket. On one that is not connected it fails
// with EDESTADDRREQ.
func (c *UDPConn) Write(b []byte) (int, error) {
	if err := c.sock.Send(b, flow.Endpoint{}); err != nil {
		return 0, c.err("write", err)
	}
	return len(b), nil
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
	to, err := c.stack.endpoint(addr)
	if err == nil {
		err = c.stack.settled(context.Background(), c.sock.Local().Addr, to, c.sock.Interface(), func() error { return c.sock.Send(b, to) })
	}
	if err != nil {
		return 0, opError("write", "udp", c.local, net.UDPAddrFromAddrPort(addr), sizeError(c.reported(err)))
	}
	return len(b), nil
}

// Close closes the socket; calls under way return [net.ErrClosed].
func (c *UDPConn) Close() error { return c.err("close", c.sock.Close()) }

// LocalAddr and RemoteAddr return the socket's ends, as *net.UDPAddr. RemoteAddr is nil if it is not connected.
func (c *UDPConn) LocalAddr() net.Addr { return c.local }
func (c *UDPConn) RemoteAddr() net.Addr {
	if c.peer == nil {
		return nil
	}
	return c.peer
}

// SetDeadline sets both deadlines. The zero time means none.
func (c *UDPConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets the time after which reads fail with [os.ErrDeadlineExceeded].
func (c *UDPConn) SetReadDeadline(t time.Time) error {
	return c.err("set", c.sock.SetReadDeadline(c.stack.deadline(t)))
}

// SetWriteDeadline sets the time after which writes fail with [os.ErrDeadlineExceeded].
func (c *UDPConn) SetWriteDeadline(t time.Time) error {
	return c.err("set", c.sock.SetWriteDeadline(c.stack.deadline(t)))
}

// SetReadBuffer sets how many octets the socket holds for its reader, counted with the blocks around them.
func (c *UDPConn) SetReadBuffer(bytes int) error {
	c.sock.SetReceiveBuffer(bytes)
	return nil
}

// SetHopLimit sets the TTL or hop limit of the datagrams sent (1-255); 0 restores the default.
func (c *UDPConn) SetHopLimit(n uint8) error { c.sock.SetHopLimit(n); return nil }

// SetTrafficClass sets the TOS or traffic class of the datagrams sent.
func (c *UDPConn) SetTrafficClass(n uint8) error { c.sock.SetTrafficClass(n); return nil }

// SetMark sets what rules choose a routing table by for the datagrams sent.
func (c *UDPConn) SetMark(mark uint32) error { c.sock.SetMark(mark); return nil }
