package socket

import (
	"math/bits"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/framesock"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// LinkAddr is struct sockaddr_ll: whence a frame came, or where it is to go. The zero LinkAddr is none.
type LinkAddr struct {
	Protocol uint16 // EtherType, in the order of the host
	Ifindex  int
	Hatype   uint16   // ARPHRD_ETHER or ARPHRD_NONE; from Recvmsg
	Pkttype  uint8    // PACKET_HOST, …; from Recvmsg
	Addr     wire.MAC // of the sender; of the destination with Sendmsg on a SOCK_DGRAM
}

// Values of LinkAddr, and protocols of packet sockets.
const (
	ARPHRD_ETHER = 1
	ARPHRD_NONE  = 0xfffe

	PACKET_HOST      = 0
	PACKET_BROADCAST = 1
	PACKET_MULTICAST = 2
	PACKET_OTHERHOST = 3
	PACKET_OUTGOING  = 4

	ETH_P_ALL = 3
)

// packetBuffer is what SO_RCVBUF and SO_SNDBUF read at first: Linux's net.core.rmem_default.
const packetBuffer = 212992

// packetSocket is a packet socket. What waits to be read is lost when it is bound anew.
type packetSocket struct {
	common
	t   *Table
	typ int // SOCK_RAW or SOCK_DGRAM

	// All below: mu.
	proto    uint16 // EtherType, or ETH_P_ALL; 0: nothing is heard
	index    int32  // of the interface; 0: all
	f        *framesock.Socket
	filter   *framesock.Filter
	outgoing bool // PACKET_IGNORE_OUTGOING is not set
	told     framesock.Stats
	opt      options
}

// packetSocket makes one. proto is in network order, as Linux has it.
func (t *Table) packetSocket(typ, proto, flags int) (int, error) {
	if typ != SOCK_RAW && typ != SOCK_DGRAM {
		return -1, syscall.ESOCKTNOSUPPORT
	}
	s := &packetSocket{t: t, typ: typ, outgoing: true}
	s.rt, s.nonblock = t.rt, flags&SOCK_NONBLOCK != 0
	s.opt.init()
	s.opt.rcvbuf, s.opt.sndbuf = packetBuffer, packetBuffer
	if err := s.open(bits.ReverseBytes16(uint16(proto)), 0); err != nil {
		return -1, err
	}
	return t.install(s, flags&SOCK_CLOEXEC != 0)
}

// open makes the socket hear frames of a protocol by an interface. mu locked, or the socket nobody's yet.
func (s *packetSocket) open(proto uint16, index int32) error {
	cfg := framesock.Config{Index: index, EtherType: proto, Network: s.typ == SOCK_DGRAM, Filters: framesock.Same(s.filter), ReceiveBuffer: s.opt.rcvbuf, Watcher: s}
	switch proto {
	case 0:
	case ETH_P_ALL:
		cfg.EtherType, cfg.Directions = 0, framesock.In
		if s.outgoing {
			cfg.Directions |= framesock.Out
		}
	default:
		cfg.Directions = framesock.In // as Linux, which shows outgoing frames to those only who hear all
	}
	f, err := s.t.frames.Open(cfg)
	if err != nil {
		return errno(err)
	}
	if s.f != nil {
		s.f.Close() // fails only if the stack has closed it
	}
	s.f, s.proto, s.index, s.told = f, proto, index, framesock.Stats{}
	return nil
}

// BindLink makes a packet socket hear, and send by, the interface of a; 0: all. Its Protocol, if not 0, is heard from then on.
// Errors: EBADF, ENOTSOCK, EINVAL on another socket, ENODEV.
func (t *Table) BindLink(fd int, a LinkAddr) error {
	s, err := t.socket(fd)
	if err != nil {
		return err
	}
	defer t.put(s)
	p, ok := s.(*packetSocket)
	if !ok || a.Ifindex < 0 {
		return syscall.EINVAL
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.Protocol == 0 {
		a.Protocol = p.proto
	}
	return p.open(a.Protocol, int32(a.Ifindex))
}

// LinkName is Getsockname of a packet socket. Errors: EBADF, ENOTSOCK, EINVAL on another socket.
func (t *Table) LinkName(fd int) (LinkAddr, error) {
	s, err := t.socket(fd)
	if err != nil {
		return LinkAddr{}, err
	}
	defer t.put(s)
	p, ok := s.(*packetSocket)
	if !ok {
		return LinkAddr{}, syscall.EINVAL
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a := LinkAddr{Protocol: p.proto, Ifindex: int(p.index)}
	if i := t.ip.Snapshot().Interface(p.index); i != nil {
		a.Hatype, a.Addr = hatype(i.Medium), i.LinkAddr
	}
	return a, nil
}

func hatype(m link.Medium) uint16 {
	if m == link.Ethernet {
		return ARPHRD_ETHER
	}
	return ARPHRD_NONE
}

func (s *packetSocket) recvmsg(m *Msg, flags int) (int, error) {
	m.Flags, m.Control = 0, m.Control[:0]
	if flags&MSG_ERRQUEUE != 0 {
		return -1, syscall.EAGAIN // nobody reports errors to it
	}
	if flags&^(MSG_PEEK|MSG_DONTWAIT|MSG_TRUNC|MSG_CMSG_CLOEXEC) != 0 {
		return -1, syscall.EINVAL
	}
	s.mu.Lock()
	end := patience(s.rt, !s.nonblock && flags&MSG_DONTWAIT == 0, s.opt.rcvtimeo)
	s.mu.Unlock()
	for {
		turn := s.now()
		s.mu.Lock()
		f := s.f
		s.mu.Unlock()
		p, i, err := f.Try(flags&MSG_PEEK != 0)
		if err == nil {
			return s.received(m, flags, p, &i), nil
		}
		if s.now() != turn {
			continue // bound anew, perhaps
		}
		if err != syscall.EAGAIN {
			return -1, errno(err)
		}
		if !s.wait(turn, end) {
			return -1, syscall.EAGAIN
		}
	}
}

// received copies a frame into m and says whence it is.
func (s *packetSocket) received(m *Msg, flags int, p *packet.Buffer, i *framesock.Info) int {
	defer p.Free()
	b := p.Bytes()
	m.Link = LinkAddr{Protocol: i.EtherType, Ifindex: int(i.Index), Hatype: hatype(i.Medium), Addr: i.Src}
	switch {
	case i.Outgoing:
		m.Link.Pkttype = PACKET_OUTGOING
	case i.Medium == link.Ethernet:
		m.Link.Pkttype = s.pkttype(i.Dst, i.Index)
	}
	n := 0
	for _, to := range m.Buf {
		n += copy(to, b[n:])
	}
	if n < len(b) {
		m.Flags |= MSG_TRUNC
	}
	if flags&MSG_TRUNC != 0 {
		return i.Len
	}
	return n
}

// pkttype says to whom a frame with the destination dst is.
func (s *packetSocket) pkttype(dst wire.MAC, index int32) uint8 {
	i := s.t.ip.Snapshot().Interface(index)
	switch {
	case dst == wire.BroadcastMAC:
		return PACKET_BROADCAST
	case dst.IsMulticast():
		return PACKET_MULTICAST
	case i != nil && dst != i.LinkAddr:
		return PACKET_OTHERHOST
	}
	return PACKET_HOST
}

// sendmsg does not wait, and looks at no flags, as Linux.
func (s *packetSocket) sendmsg(m *Msg, _ int) (int, error) {
	if m.len() > packet.MaxLen-wire.EthernetLen {
		return -1, syscall.EMSGSIZE
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	index, proto := int32(m.Link.Ifindex), m.Link.Protocol
	if m.Link == (LinkAddr{}) {
		index, proto = s.index, s.proto
	}
	if index == 0 {
		return -1, syscall.ENXIO
	}
	i := s.t.ip.Snapshot().Interface(index)
	if i == nil {
		return -1, syscall.ENXIO
	}
	var frame []byte
	if s.typ == SOCK_DGRAM && i.Medium == link.Ethernet {
		if m.Link == (LinkAddr{}) {
			return -1, syscall.EINVAL // to whom?
		}
		frame = make([]byte, wire.EthernetLen, wire.EthernetLen+m.len())
		wire.PutEthernet(frame, m.Link.Addr, i.LinkAddr, proto)
	}
	for _, b := range m.Buf {
		frame = append(frame, b...)
	}
	if err := s.f.Send(index, frame); err != nil {
		return -1, errno(err)
	}
	return m.len(), nil
}

// poll implements file.
func (s *packetSocket) poll() ready.Events {
	s.mu.Lock()
	defer s.mu.Unlock()
	ev := ready.Write | ready.WrBand
	if s.f.Waiting() > 0 {
		ev |= ready.Read
	}
	return ev
}

// release implements file.
func (s *packetSocket) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.f.Close() // fails only if the stack has closed it
	return nil
}

// What only sockets of IP do.

func (s *packetSocket) bind(netip.AddrPort) error    { return syscall.EINVAL }
func (s *packetSocket) listen(int) error             { return syscall.EOPNOTSUPP }
func (s *packetSocket) connect(netip.AddrPort) error { return syscall.EOPNOTSUPP }
func (s *packetSocket) shutdown(int) error           { return syscall.EOPNOTSUPP }

func (s *packetSocket) accept(int) (sock, netip.AddrPort, error) {
	return nil, netip.AddrPort{}, syscall.EOPNOTSUPP
}

func (s *packetSocket) sockname() (netip.AddrPort, error) { return netip.AddrPort{}, syscall.EINVAL }
func (s *packetSocket) peername() (netip.AddrPort, error) {
	return netip.AddrPort{}, syscall.EOPNOTSUPP
}
