package onlink

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/net/ipv4"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/socket"
)

// Message is a datagram of [UDPConn.ReadBatch] and [UDPConn.WriteBatch]: its payload, which may be in several buffers, control
// messages in Linux's format, and the other end's address, a *net.UDPAddr. It is the one that golang.org/x/net's ipv4 and ipv6
// have, so that programs made for their batches take a UDPConn.
type Message = ipv4.Message

// ReadBatch waits for a datagram and reads those that are there, at most len(ms). It returns how many they are, and in each
// message N, the octets that were read of the payload, NN, those of OOB, Addr and Flags: [UDPConn.ReadMsgUDP] tells of what.
// flags may be MSG_DONTWAIT: then it fails with EAGAIN rather than wait. Other errors are those of Read, and EOPNOTSUPP for other flags.
//
// An Addr that is right already is left as it is, so that who gives it the same messages again gets no garbage.
func (c *UDPConn) ReadBatch(ms []Message, flags int) (int, error) {
	if flags&^(socket.MSG_DONTWAIT|waitForOne) != 0 {
		return 0, c.err("read", syscall.EOPNOTSUPP)
	}
	if len(ms) == 0 {
		return 0, nil
	}
	n, err := c.sock.ReceiveBatch(len(ms), flags&socket.MSG_DONTWAIT == 0, func(i int, d dgram.Datagram, payload []byte) {
		c.fill(&ms[i], &d, payload)
	})
	return n, c.err("read", err)
}

// waitForOne is recvmmsg's MSG_WAITFORONE: what ReadBatch does anyway.
const waitForOne = 0x10000

// fill has m hold a datagram.
func (c *UDPConn) fill(m *Message, d *dgram.Datagram, payload []byte) {
	m.N, m.NN, m.Flags = dgram.Scatter(m.Buffers, payload), 0, 0
	if len(m.OOB) > 0 {
		m.NN, m.Flags = socket.PutControl(m.OOB, d)
	}
	if m.N < d.Len {
		m.Flags |= socket.MSG_TRUNC
	}
	from := c.stack.addrPort(d.From)
	if a, ok := m.Addr.(*net.UDPAddr); !ok || a == nil || a.AddrPort() != from {
		m.Addr = net.UDPAddrFromAddrPort(from)
	}
}

// WriteBatch sends the datagrams of ms, each to its Addr, which is nil if the socket is connected, and as its control messages say. It
// returns how many it has sent, and sets their N and NN. If one cannot be sent, neither are those behind it; the error, which is
// that of WriteMsgUDP, is returned if that is the first. flags are as ReadBatch has them: it does not wait.
//
// Datagrams of one size in a row, to one Addr and without control messages, take their way as one packet, as with [UDPConn.SetSegmentSize].
func (c *UDPConn) WriteBatch(ms []Message, flags int) (int, error) {
	if flags&^socket.MSG_DONTWAIT != 0 {
		return 0, c.err("write", syscall.EOPNOTSUPP)
	}
	if err := c.sock.MayWrite(); err != nil {
		return 0, c.err("write", err)
	}
	var out packet.Batch
	n := 0
	var err error
	var r run
	for joins := len(ms) > 1 && c.joins(); n < len(ms); {
		if joins {
			if k := c.composeRun(&r, ms[n:], &out); k > 0 {
				n += k
				continue
			}
		}
		if err = c.compose(&ms[n], &out); err != nil {
			break
		}
		n++
	}
	c.sock.SendAll(&out)
	if n > 0 || err == nil {
		return n, nil
	}
	return c.written(nil, ms[0].Addr, err)
}

// compose appends the packet to out that sends m.
func (c *UDPConn) compose(m *Message, out *packet.Batch) error {
	var to flow.Endpoint
	if m.Addr != nil {
		a, ok := m.Addr.(*net.UDPAddr)
		if !ok || a == nil {
			return syscall.EINVAL
		}
		var err error
		if to, err = c.stack.endpoint(a.AddrPort()); err != nil {
			return err
		}
	}
	o, err := c.options(to, nil, m.OOB)
	if err != nil {
		return err
	}
	asked := o
	err = c.stack.settled(context.Background(), o.Source, to, o.Interface, func() error {
		o = asked
		p, err := c.sock.Compose(m.Buffers, to, &o)
		if p != nil {
			out.Push(p)
		}
		return err
	})
	if err != nil {
		return err
	}
	m.N, m.NN = octetsOf(m.Buffers), len(m.OOB)
	return nil
}
