package onlink

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/raw"
)

// IPConn is a raw socket: it hears every packet of its IP protocol that is for the host, beside whoever else takes that, and
// sends packets of the protocol. It implements both [net.Conn] and [net.PacketConn], with the methods of [net.IPConn]; one from
// DialContext is connected, one from ListenPacket is not. All methods may be called at once from several goroutines.
//
// As with Linux, packets of IPv4 are read with their internet header, but for ReadFrom and ReadFromIP, which leave it out as
// [net.IPConn] does; of IPv6 the headers before the protocol's own are never read (RFC 3542, 3). With ICMPv6 the checksum is set and
// verified.
//
// Errors are as those of [UDPConn].
type IPConn struct {
	datagramConn
	raw *raw.Socket
}

func (s *Stack) newIPConn(n network, sock *raw.Socket) *IPConn {
	c := &IPConn{datagramConn{stack: s, sock: &sock.Socket, network: n.name}, sock}
	l := sock.Local()
	c.local = ipAddr(s.netipAddr(l.Addr, l.Scope))
	if sock.Connected() {
		r := sock.Remote()
		c.peer = ipAddr(s.netipAddr(r.Addr, r.Scope))
	}
	return c
}

// Read reads the next packet. What does not fit into b is lost.
func (c *IPConn) Read(b []byte) (int, error) { return c.read(b) }

// Write sends b to the remote end of a connected socket. On one that is not connected it fails with EDESTADDRREQ.
func (c *IPConn) Write(b []byte) (int, error) { return c.write(b) }

// ReadFrom is Read without the header of IPv4, with the sender's address as *net.IPAddr.
func (c *IPConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromIP(b)
	if err != nil {
		return n, nil, err
	}
	return n, from, nil
}

// ReadFromIP is ReadFrom with the address's own type.
func (c *IPConn) ReadFromIP(b []byte) (int, *net.IPAddr, error) {
	n, from, err := c.ReadFromAddr(b)
	if err != nil {
		return n, nil, err
	}
	return n, ipAddr(from), nil
}

// ReadFromAddr is ReadFrom without an allocation.
func (c *IPConn) ReadFromAddr(b []byte) (int, netip.Addr, error) {
	n, _, from, err := c.sock.Receive(b)
	if err != nil {
		return 0, netip.Addr{}, c.err("read", err)
	}
	if from.Addr.Is4() {
		n = stripIPv4(b, n)
	}
	return n, c.stack.netipAddr(from.Addr, from.Scope), nil
}

// stripIPv4 takes the header away that the n octets of b begin with, as far as they are there, and returns what is left.
func stripIPv4(b []byte, n int) int {
	head := 0
	if n > 0 {
		head = int(b[0]&0xf) * 4
	}
	return copy(b, b[min(head, n):n])
}

// WriteTo sends b to addr, a *net.IPAddr. On a connected socket it fails with EISCONN.
func (c *IPConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	a, ok := addr.(*net.IPAddr)
	if !ok {
		return 0, c.err("write", syscall.EINVAL)
	}
	return c.WriteToIP(b, a)
}

// WriteToIP is WriteTo with the address's own type.
func (c *IPConn) WriteToIP(b []byte, addr *net.IPAddr) (int, error) {
	if addr == nil {
		return 0, c.err("write", syscall.EINVAL)
	}
	return c.WriteToAddr(b, addrFromIP(addr))
}

// WriteToAddr is WriteTo without an allocation.
func (c *IPConn) WriteToAddr(b []byte, addr netip.Addr) (int, error) {
	if err := c.sendTo(b, netip.AddrPortFrom(addr, 0)); err != nil {
		return 0, c.errTo(ipAddr(addr), err)
	}
	return len(b), nil
}

// SetHeaderIncluded says that what is written begins with its internet header (IP_HDRINCL). Of IPv4 the total length and
// the checksum are filled in, and the source and the identification if they are zero; of IPv6 nothing is. Such packets are not
// fragmented: one larger than the interface takes fails with EMSGSIZE.
func (c *IPConn) SetHeaderIncluded(on bool) error {
	c.raw.SetHeaderIncluded(on)
	return nil
}

// SetICMPFilter has a socket of ICMP or ICMPv6 read messages of the given types only (RFC 3542, 3.2); with none, of all. With
// IPv4, types from 32 on are always read, as with Linux.
func (c *IPConn) SetICMPFilter(types ...uint8) error {
	var f raw.Filter
	if len(types) > 0 {
		for i := range f {
			f[i] = ^uint32(0)
		}
	}
	for _, t := range types {
		f.Pass(t)
	}
	c.raw.SetFilter(f)
	return nil
}

// SetChecksumOffset has a checksum be put at the given offset of what is written with IPv6, in octets, and be verified in
// what is read (IPV6_CHECKSUM: RFC 3542, 3.1); a negative one: none. The error is EINVAL for an odd offset, and with ICMPv6.
func (c *IPConn) SetChecksumOffset(offset int) error { return c.err("set", c.raw.SetChecksum(offset)) }
