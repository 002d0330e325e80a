package udp

import (
	"net"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Datagram is what there is to say of a datagram besides its payload.
type Datagram struct {
	From, To     flow.Endpoint
	Interface    int32 // it came in by
	HopLimit     uint8 // TTL or hop limit
	TrafficClass uint8
	Len          int // of the payload
	Arrived      clock.Instant
}

func payload(p *packet.Buffer) []byte { return wire.UDP(p.Bytes()).Payload() }

// TryReceive copies the payload of the next datagram into the buffers of b and fills d; what does not fit is lost. With
// peek the datagram stays where it is. It returns how many octets it copied. Errors: EAGAIN, net.ErrClosed.
func (s *Socket) TryReceive(b [][]byte, peek bool, d *Datagram) (int, error) {
	s.in.Lock()
	if s.in.Closed() {
		s.in.Unlock()
		return 0, net.ErrClosed
	}
	p := s.queue.Front()
	if p == nil {
		s.in.Unlock()
		return 0, syscall.EAGAIN
	}
	if peek {
		defer s.in.Unlock()
		return d.take(p, b), nil
	}
	s.queue.Pop()
	s.queued -= blockSize(p)
	s.in.Unlock()
	n := d.take(p, b)
	p.Free()
	return n, nil
}

// take reads the datagram p.
func (d *Datagram) take(p *packet.Buffer, b [][]byte) int {
	h := wire.UDP(p.Bytes())
	rest := h.Payload()
	*d = Datagram{
		From:      flow.Endpoint{Addr: p.Src, Port: h.SrcPort(), Scope: flow.ScopeOf(p.Src, p.In)},
		To:        flow.Endpoint{Addr: p.Dst, Port: h.DstPort(), Scope: flow.ScopeOf(p.Dst, p.In)},
		Interface: p.In, HopLimit: p.HopLimit, TrafficClass: p.TrafficClass, Len: len(rest), Arrived: p.Arrived,
	}
	n := 0
	for _, b := range b {
		k := copy(b, rest)
		rest = rest[k:]
		n += k
	}
	return n
}

// SendOptions are how one datagram is sent.
type SendOptions struct {
	Source       wire.Addr // unspecified: the socket's, or one to be chosen
	Interface    int32     // it must leave by; 0: any
	HopLimit     uint8     // 0: the default
	TrafficClass uint8
	Discover     Discover
	Broadcast    bool                // may go to a broadcast address
	Mark         uint32              // what rules choose a routing table by
	SourcePrefs  addrsel.Preferences // of a source that is to be chosen
}

// TrySend sends the payload in b to to, which may be another end than the one the socket is connected to. Errors:
// net.ErrClosed, EMSGSIZE (*TooBig where it would fit into smaller ones), EAFNOSUPPORT, EACCES for broadcast that is not allowed, those of ip.Route.
func (s *Socket) TrySend(b [][]byte, to flow.Endpoint, o *SendOptions) error {
	e := s.ends.Load()
	if !e.bound.Family.Takes(to.Addr) {
		return syscall.EAFNOSUPPORT
	}
	s.in.Lock()
	closed := s.in.Closed()
	s.in.Unlock()
	n := 0
	for _, b := range b {
		n += len(b)
	}
	switch {
	case closed:
		return net.ErrClosed
	case n > MaxPayload6, to.Addr.Is4() && n > MaxPayload4:
		return syscall.EMSGSIZE
	}
	params := ip.Params{Proto: wire.ProtoUDP, HopLimit: o.HopLimit, TrafficClass: o.TrafficClass}
	if to.Addr.IsMulticast() {
		s.toGroup(&to, o, &params)
	}
	path, err := s.pathTo(e, to, o)
	if err != nil {
		return err
	}
	if path.Broadcast && !o.Broadcast {
		return syscall.EACCES
	}
	if err := s.fit(path, n, o.Discover, &params); err != nil {
		return err
	}
	if !e.connected() {
		s.note(to.Addr, to.Port)
	}
	s.emit(path, to.Port, b, &params)
	return nil
}

// pathTo returns the way to to: the one used last, if it leads there and still holds.
func (s *Socket) pathTo(e *ends, to flow.Endpoint, o *SendOptions) (*ip.Path, error) {
	if o.Interface == 0 {
		o.Interface = s.device.Load()
	}
	src := o.Source
	if src.IsUnspecified() {
		src = e.bound.Local.Addr
	}
	path := s.path.Load()
	if path != nil && path.Dst == to.Addr && path.Scope == to.Scope && s.layer.ip.Valid(path) && o.Interface == path.Pinned() &&
		path.Flow.Mark == o.Mark && path.Flow.TrafficClass == o.TrafficClass && (src.IsUnspecified() && path.SourcePrefs() == o.SourcePrefs || path.Src == src) &&
		(path.Flow.Ports == flow.Ports(s.bound.Local.Port, to.Port) || !s.layer.ip.SpreadsFlows(to.Addr.Is4())) {
		return path, nil
	}
	path, err := s.route(src, to, o)
	if err == nil {
		s.path.Store(path)
	}
	return path, err
}

// PathMTU returns the largest packet, in octets, that the way to the end the socket is connected to takes; 0: it is not
// connected.
func (s *Socket) PathMTU() int {
	if !s.ends.Load().connected() {
		return 0
	}
	n, err := s.PathMTUTo(s.Remote())
	if err != nil {
		return 0
	}
	return n
}

// PathMTUTo returns the largest packet, in octets, that the way to to takes. Errors: those of ip.Route.
func (s *Socket) PathMTUTo(to flow.Endpoint) (int, error) {
	o := s.plain()
	path, err := s.pathTo(s.ends.Load(), to, &o)
	if err != nil {
		return 0, err
	}
	return path.MTU, nil
}
