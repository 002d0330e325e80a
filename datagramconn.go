package onlink

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
)

// datagramConn is what UDP, raw and ping sockets have in common.
type datagramConn struct {
	stack   *Stack
	sock    *dgram.Socket
	network string // in errors
	local   net.Addr
	peer    net.Addr    // nil: not connected
	asked   atomic.Bool // SetReceiveErrors
}

func (c *datagramConn) err(op string, err error) error {
	if err == nil {
		return nil
	}
	return opError(op, c.network, c.local, c.peer, sizeError(c.reported(err)))
}

// errTo is err of a write to addr.
func (c *datagramConn) errTo(addr net.Addr, err error) error {
	return opError("write", c.network, c.local, addr, sizeError(c.reported(err)))
}

// read reads the payload of the next datagram.
func (c *datagramConn) read(b []byte) (int, error) {
	n, _, _, err := c.sock.Receive(b)
	return n, c.err("read", err)
}

// write sends b to the remote end.
func (c *datagramConn) write(b []byte) (int, error) {
	if err := c.sock.Send(b, flow.Endpoint{}); err != nil {
		return 0, c.err("write", err)
	}
	return len(b), nil
}

// sendTo sends b to addr. While the only fitting source addresses are still in duplicate address detection, it waits.
func (c *datagramConn) sendTo(b []byte, addr netip.AddrPort) error {
	to, err := c.stack.endpoint(addr)
	if err != nil {
		return err
	}
	return c.stack.settled(context.Background(), c.sock.Local().Addr, to, c.sock.Interface(), func() error { return c.sock.Send(b, to) })
}

// Close closes the socket; calls under way return [net.ErrClosed].
func (c *datagramConn) Close() error { return c.err("close", c.sock.Close()) }

// LocalAddr and RemoteAddr return the socket's ends, in the address type of its network. RemoteAddr is nil if it is not
// connected.
func (c *datagramConn) LocalAddr() net.Addr  { return c.local }
func (c *datagramConn) RemoteAddr() net.Addr { return c.peer }

// SetDeadline sets both deadlines. The zero time means none.
func (c *datagramConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets the time after which reads fail with [os.ErrDeadlineExceeded].
func (c *datagramConn) SetReadDeadline(t time.Time) error {
	return c.err("set", c.sock.SetReadDeadline(c.stack.deadline(t)))
}

// SetWriteDeadline sets the time after which writes fail with [os.ErrDeadlineExceeded].
func (c *datagramConn) SetWriteDeadline(t time.Time) error {
	return c.err("set", c.sock.SetWriteDeadline(c.stack.deadline(t)))
}

// SetReadBuffer sets how many octets the socket holds for its reader, counted with the blocks around them.
func (c *datagramConn) SetReadBuffer(bytes int) error {
	c.sock.SetReceiveBuffer(bytes)
	return nil
}

// SetWriteBuffer does nothing: what is written is sent, or dropped, before Write returns. It is there since [net.UDPConn] has it.
func (c *datagramConn) SetWriteBuffer(int) error { return nil }

// SetHopLimit sets the TTL or hop limit of the datagrams sent (1-255); 0 restores the default.
func (c *datagramConn) SetHopLimit(n uint8) error { c.sock.SetHopLimit(n); return nil }

// SetTrafficClass sets the TOS or traffic class of the datagrams sent.
func (c *datagramConn) SetTrafficClass(n uint8) error { c.sock.SetTrafficClass(n); return nil }

// SetMark sets what rules choose a routing table by for the datagrams sent.
func (c *datagramConn) SetMark(mark uint32) error { c.sock.SetMark(mark); return nil }

// SetFlowLabel sets the flow label of what is sent with IPv6: 20 bits (RFC 6437). 0 has one made for each flow, as
// Sysctl net.ipv6.auto_flowlabels says. The error is EINVAL.
func (c *datagramConn) SetFlowLabel(label uint32) error {
	if label >= uint32(ip.NoLabel) {
		return c.err("set", syscall.EINVAL)
	}
	c.sock.SetFlowLabel(ip.FlowLabel(label))
	return nil
}

// SetInterface has the socket hear by and send by an interface alone (SO_BINDTODEVICE), in its VRF; nil: by all.
func (c *datagramConn) SetInterface(ifi *Interface) error {
	index := int32(0)
	if ifi != nil {
		index = ifi.i.Index
	}
	c.sock.SetInterface(index)
	return nil
}
