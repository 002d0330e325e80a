package onlink

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/socket"
	"github.com/onlink-go/onlink/wire"
)

// ControlMessage is what there is to say of one datagram besides its payload (RFC 3542, 6). Of one that was read, it is how it came;
// of one to be written, how it is to go: what is zero is as the socket is set.
type ControlMessage struct {
	Src          netip.Addr // who sent it; writing: the address to send from, which must be ours
	Dst          netip.Addr // reading: the address it was sent to, which may be a group
	Interface    int        // index: it came in by, or is to leave by
	HopLimit     uint8      // TTL or hop limit
	TrafficClass uint8      // TOS or traffic class, with ECN
	FlowLabel    uint32     // of IPv6, 20 bits
	Mark         uint32     // writing: what rules choose a routing table by
	SegmentSize  int        // UDP: octets of payload of each datagram, the last one as many or fewer, if it is several; see [UDPConn.SetSegmentSize]
	Len          int        // reading: octets of payload, which may be more than were read

	Arrived clock.Instant // reading: when it came, in the time of the stack's Runtime
}

// fill has m say what d says.
func (m *ControlMessage) fill(s *Stack, d *dgram.Datagram) {
	*m = ControlMessage{Src: s.netipAddr(d.From.Addr, d.From.Scope), Dst: s.netipAddr(d.To.Addr, d.To.Scope), Interface: int(d.Interface),
		HopLimit: d.HopLimit, TrafficClass: d.TrafficClass, FlowLabel: d.FlowLabel, SegmentSize: int(d.Segment), Len: d.Len, Arrived: d.Arrived}
}

// apply has o say what m says. Errors: EINVAL.
func (m *ControlMessage) apply(o *dgram.SendOptions) error {
	if m == nil {
		return nil
	}
	if m.FlowLabel >= uint32(ip.NoLabel) || m.Interface < 0 || m.SegmentSize < 0 || m.SegmentSize > maxSegmentSize {
		return syscall.EINVAL
	}
	if m.Src.IsValid() {
		o.Source = wire.AddrFrom(m.Src.Unmap())
	}
	if m.Interface != 0 {
		o.Interface = int32(m.Interface)
	}
	if m.HopLimit != 0 {
		o.HopLimit = m.HopLimit
	}
	if m.TrafficClass != 0 {
		o.TrafficClass = m.TrafficClass
	}
	if m.FlowLabel != 0 {
		o.FlowLabel = ip.FlowLabel(m.FlowLabel)
	}
	if m.Mark != 0 {
		o.Mark = m.Mark
	}
	if m.SegmentSize != 0 {
		o.Segment = uint16(m.SegmentSize)
	}
	return nil
}

// readMsg reads the next datagram into b, and what there is to say of it into m, which may be nil.
func (c *datagramConn) readMsg(b []byte, m *ControlMessage) (int, flow.Endpoint, error) {
	var d dgram.Datagram
	n, err := c.sock.ReceiveMessage(b, &d)
	if err != nil {
		return 0, flow.Endpoint{}, c.err("read", err)
	}
	if m != nil {
		m.fill(c.stack, &d)
	}
	return n, d.From, nil
}

// readOOB is readMsg with control messages in Linux's format. flags are those of recvmsg.
func (c *datagramConn) readOOB(b, oob []byte) (n, oobn, flags int, from flow.Endpoint, err error) {
	var d dgram.Datagram
	if n, err = c.sock.ReceiveMessage(b, &d); err != nil {
		return 0, 0, 0, from, c.err("read", err)
	}
	if len(oob) > 0 {
		oobn, flags = socket.PutControl(oob, &d)
	}
	if n < d.Len {
		flags |= socket.MSG_TRUNC
	}
	return n, oobn, flags, d.From, nil
}

// writeMsg sends b to addr, which is not valid if the socket is connected, as m and the control messages of oob say.
func (c *datagramConn) writeMsg(b, oob []byte, m *ControlMessage, addr netip.AddrPort) error {
	var to flow.Endpoint
	if addr.IsValid() {
		var err error
		if to, err = c.stack.endpoint(addr); err != nil {
			return err
		}
	}
	o, err := c.options(to, m, oob)
	if err != nil {
		return err
	}
	asked := o
	return c.stack.settled(context.Background(), o.Source, to, o.Interface, func() error {
		o = asked
		return c.sock.SendMessage(b, to, &o)
	})
}

// options returns how a datagram to the given end, zero: that which the socket is connected to, goes as m, which may be nil, and
// the control messages of oob say.
func (c *datagramConn) options(to flow.Endpoint, m *ControlMessage, oob []byte) (dgram.SendOptions, error) {
	o := c.sock.Options(to)
	err := m.apply(&o)
	if err == nil && len(oob) > 0 {
		dst := to.Addr
		if to == (flow.Endpoint{}) {
			dst = c.sock.Remote().Addr
		}
		err = socket.ParseControl(oob, dst, &o)
	}
	return o, err
}

// written returns what a method that sent b to addr with writeMsg does.
func (c *datagramConn) written(b []byte, addr net.Addr, err error) (int, error) {
	switch {
	case err == nil:
		return len(b), nil
	case addr == nil:
		return 0, c.err("write", err)
	}
	return 0, c.errTo(addr, err)
}

// ReadMsg is ReadFromUDPAddrPort that also tells in m, which may be nil, how the datagram came. It does not allocate.
func (c *UDPConn) ReadMsg(b []byte, m *ControlMessage) (int, netip.AddrPort, error) {
	n, from, err := c.readMsg(b, m)
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	return n, c.stack.addrPort(from), nil
}

// WriteMsg sends b to addr, or with the zero AddrPort to the end that the socket is connected to, as m, which may be nil, says. It
// does not allocate. Errors are those of WriteTo, EADDRNOTAVAIL for a source that is not ours, ENODEV, and EINVAL.
func (c *UDPConn) WriteMsg(b []byte, m *ControlMessage, addr netip.AddrPort) (int, error) {
	if err := c.writeMsg(b, nil, m, addr); err != nil {
		return c.written(b, netAddr(net.UDPAddrFromAddrPort, addr), err)
	}
	return len(b), nil
}

// netAddr returns a as net has it, nil if it is not valid.
func netAddr[A any](of func(netip.AddrPort) *A, a netip.AddrPort) net.Addr {
	if !a.IsValid() {
		return nil
	}
	addr, _ := any(of(a)).(net.Addr)
	return addr
}

// ReadMsgUDPAddrPort is ReadMsg with control messages in Linux's format: of IP_PKTINFO, IP_TTL and IP_TOS, or IPV6_PKTINFO,
// IPV6_HOPLIMIT, IPV6_TCLASS and IPV6_FLOWINFO; and of UDP_GRO if they are several datagrams. flags are MSG_TRUNC and MSG_CTRUNC.
func (c *UDPConn) ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error) {
	n, oobn, flags, from, err := c.readOOB(b, oob)
	if err != nil {
		return 0, 0, 0, addr, err
	}
	return n, oobn, flags, c.stack.addrPort(from), nil
}

// ReadMsgUDP is ReadMsgUDPAddrPort with net's address.
func (c *UDPConn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	n, oobn, flags, from, err := c.ReadMsgUDPAddrPort(b, oob)
	if err != nil {
		return 0, 0, 0, nil, err
	}
	return n, oobn, flags, net.UDPAddrFromAddrPort(from), nil
}

// WriteMsgUDPAddrPort is WriteMsg with control messages in Linux's format, those that ReadMsgUDPAddrPort writes, but
// UDP_SEGMENT for UDP_GRO.
func (c *UDPConn) WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error) {
	if err := c.writeMsg(b, oob, nil, addr); err != nil {
		n, err = c.written(b, netAddr(net.UDPAddrFromAddrPort, addr), err)
		return n, 0, err
	}
	return len(b), len(oob), nil
}

// WriteMsgUDP is WriteMsgUDPAddrPort with net's address, nil if the socket is connected.
func (c *UDPConn) WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (n, oobn int, err error) {
	if addr == nil {
		return c.WriteMsgUDPAddrPort(b, oob, netip.AddrPort{})
	}
	return c.WriteMsgUDPAddrPort(b, oob, addr.AddrPort())
}

// ReadMsg is Read that also tells who sent the packet and, in m, which may be nil, how it came. It does not allocate.
func (c *IPConn) ReadMsg(b []byte, m *ControlMessage) (int, netip.Addr, error) {
	n, from, err := c.readMsg(b, m)
	if err != nil {
		return 0, netip.Addr{}, err
	}
	return n, c.stack.netipAddr(from.Addr, from.Scope), nil
}

// WriteMsg sends b to addr, or with the zero Addr to the end that the socket is connected to, as m, which may be nil, says. It does
// not allocate. Errors are as those of UDPConn.WriteMsg.
func (c *IPConn) WriteMsg(b []byte, m *ControlMessage, addr netip.Addr) (int, error) {
	if err := c.writeMsg(b, nil, m, netip.AddrPortFrom(addr, 0)); err != nil {
		return c.written(b, netAddr(ipAddrOf, netip.AddrPortFrom(addr, 0)), err)
	}
	return len(b), nil
}

func ipAddrOf(a netip.AddrPort) *net.IPAddr { return ipAddr(a.Addr()) }

// ReadMsgIP is ReadMsg with control messages in Linux's format, as UDPConn.ReadMsgUDPAddrPort has them. The header of IPv4 is there.
func (c *IPConn) ReadMsgIP(b, oob []byte) (n, oobn, flags int, addr *net.IPAddr, err error) {
	n, oobn, flags, from, err := c.readOOB(b, oob)
	if err != nil {
		return 0, 0, 0, nil, err
	}
	return n, oobn, flags, ipAddr(c.stack.netipAddr(from.Addr, from.Scope)), nil
}

// WriteMsgIP is WriteMsg with control messages in Linux's format. addr is nil if the socket is connected.
func (c *IPConn) WriteMsgIP(b, oob []byte, addr *net.IPAddr) (n, oobn int, err error) {
	to := netip.AddrPortFrom(addrFromIP(addr), 0)
	if err := c.writeMsg(b, oob, nil, to); err != nil {
		n, err = c.written(b, netAddr(ipAddrOf, to), err)
		return n, 0, err
	}
	return len(b), len(oob), nil
}

// ReadMsg is Read that also tells who sent the reply and, in m, which may be nil, how it came. It does not allocate.
func (c *PingConn) ReadMsg(b []byte, m *ControlMessage) (int, netip.Addr, error) {
	n, from, err := c.readMsg(b, m)
	if err != nil {
		return 0, netip.Addr{}, err
	}
	return n, c.stack.netipAddr(from.Addr, from.Scope), nil
}

// WriteMsg is IPConn.WriteMsg of an echo request.
func (c *PingConn) WriteMsg(b []byte, m *ControlMessage, addr netip.Addr) (int, error) {
	if err := c.writeMsg(b, nil, m, netip.AddrPortFrom(addr, 0)); err != nil {
		return c.written(b, netAddr(ipAddrOf, netip.AddrPortFrom(addr, 0)), err)
	}
	return len(b), nil
}
