package dgram

import (
	"net"
	"os"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// SendOptions are how one datagram is sent.
type SendOptions struct {
	Source       wire.Addr // unspecified: the socket's, or one to be chosen
	Interface    int32     // it must leave by; 0: any
	HopLimit     uint8     // 0: the default
	TrafficClass uint8
	FlowLabel    ip.FlowLabel
	Discover     Discover
	Segment      uint16              // of UDP: what is sent goes in datagrams of so many octets of payload; 0: in one
	Broadcast    bool                // may go to a broadcast address
	Mark         uint32              // what rules choose a routing table by
	SourcePrefs  addrsel.Preferences // of a source that is to be chosen
	// HeaderIncluded is of raw sockets: what is sent begins with its internet header.
	HeaderIncluded bool
}

// Send sends b to the socket's remote end, or to to if it is not connected. Errors: net.ErrClosed,
// os.ErrDeadlineExceeded, EMSGSIZE, EDESTADDRREQ, EISCONN, EAFNOSUPPORT, those of ip.Route, and a pending one as
// Receive returns it.
func (s *Socket) Send(b []byte, to flow.Endpoint) error {
	o := s.Options(to)
	return s.SendMessage(b, to, &o)
}

// SendMessage is Send as o says.
func (s *Socket) SendMessage(b []byte, to flow.Endpoint, o *SendOptions) error {
	if err := s.MayWrite(); err != nil {
		return err
	}
	p, err := s.Compose([][]byte{b}, to, o)
	if p != nil {
		s.stage(p)
	}
	return err
}

// MayWrite returns why what the user sends is not even looked at: net.ErrClosed, os.ErrDeadlineExceeded, or a pending error.
func (s *Socket) MayWrite() error {
	s.in.Lock()
	defer s.in.Unlock()
	switch {
	case s.in.Closed():
		return net.ErrClosed
	case s.writeable != clock.Never && s.rt.Now() >= s.writeable:
		return os.ErrDeadlineExceeded
	}
	return s.takeError()
}

// Compose makes the packet that sends the payload in b, as o says, to the end that the socket is connected to, or to to if it is
// not: for SendAll. It is nil if there is nobody to get it. Errors are Send's. o is changed.
func (s *Socket) Compose(b [][]byte, to flow.Endpoint, o *SendOptions) (*packet.Buffer, error) {
	e := s.ends.Load()
	switch {
	case e.connected() && to != (flow.Endpoint{}):
		return nil, syscall.EISCONN
	case e.connected():
		to = e.remote
	case to == (flow.Endpoint{}):
		return nil, syscall.EDESTADDRREQ
	}
	return s.compose(b, e, to, o)
}

// SendAll sends the packets of b, which Compose made, and leaves it empty.
func (s *Socket) SendAll(b *packet.Batch) {
	s.home.Lock()
	s.home.StageAll(b)
	s.home.Unlock()
}

// TrySend sends the payload in b to to, which may be another end than the one the socket is connected to. Errors:
// net.ErrClosed, EMSGSIZE (*TooBig where it would fit into smaller ones), EAFNOSUPPORT, EACCES for broadcast that is not
// allowed, those of ip.Route and of the socket's kind.
func (s *Socket) TrySend(b [][]byte, to flow.Endpoint, o *SendOptions) error {
	s.in.Lock()
	closed := s.in.Closed()
	s.in.Unlock()
	if closed {
		return net.ErrClosed
	}
	p, err := s.compose(b, s.ends.Load(), to, o)
	if p != nil {
		s.stage(p)
	}
	return err
}

// compose makes the packet that sends the payload in b to to; nil: there is nobody to get it. o is changed.
func (s *Socket) compose(b [][]byte, e *ends, to flow.Endpoint, o *SendOptions) (*packet.Buffer, error) {
	if !s.bound.Family.Takes(to.Addr) {
		return nil, syscall.EAFNOSUPPORT
	}
	n := 0
	for _, b := range b {
		n += len(b)
	}
	if n > s.maxPayload(to.Addr, o) {
		return nil, syscall.EMSGSIZE
	}
	params := ip.Params{Proto: s.kind.Protocol(to.Addr), HopLimit: o.HopLimit, TrafficClass: o.TrafficClass}
	if to.Addr.IsMulticast() {
		s.toGroup(&to, o, &params)
	}
	path, err := s.pathTo(e, to, o)
	if err != nil {
		return nil, err
	}
	if path.Broadcast && !o.Broadcast {
		return nil, syscall.EACCES
	}
	if o.HeaderIncluded {
		return s.sendIncluded(path, b, n, &params)
	}
	if err := s.fit(path, s.kind.HeaderLen()+o.longest(n), o, &params); err != nil {
		return nil, err
	}
	if o.Segment != 0 && (n > MaxSegments*int(o.Segment) || s.kind.HeaderLen() != wire.UDPLen) {
		return nil, syscall.EINVAL // too many, or of a protocol that nobody cuts
	}
	if !to.Addr.Is4() {
		key := s.key(path, params.Proto, to.Port)
		params.FlowLabel = s.ip.FlowLabel(&key, o.FlowLabel)
	}
	if !e.connected() {
		s.note(to.Addr, to.Port)
	}
	return s.emit(path, to.Port, b, n, o.Segment, &params)
}

// maxPayload returns the most that the user can send to dst in one piece: 65,535 octets less the headers that the length
// fields count.
func (s *Socket) maxPayload(dst wire.Addr, o *SendOptions) int {
	n := 65535
	if !o.HeaderIncluded {
		n -= s.kind.HeaderLen()
		if dst.Is4() {
			n -= wire.IPv4MinLen
		}
	}
	return n
}

// emit makes the packet that sends the payload in b, of n octets, to the given port at the end of path, in datagrams of segment
// octets; nil: there is nobody to get it.
func (s *Socket) emit(path *ip.Path, port uint16, b [][]byte, n int, segment uint16, params *ip.Params) (*packet.Buffer, error) {
	if !path.Leaves(params) {
		return nil, nil
	}
	head := s.kind.HeaderLen()
	p := packet.New(head + n)
	gather(p.Bytes()[head:], b)
	if err := s.kind.Finish(path, port, p); err != nil {
		p.Free()
		return nil, err
	}
	if segment != 0 && n > int(segment) {
		p.GSOSize = segment
	}
	s.kind.Sent(&s.home.Counters, path, p)
	s.ip.Output(path, params, p)
	return p, nil
}

// gather copies the buffers of b into to.
func gather(to []byte, b [][]byte) {
	at := 0
	for _, b := range b {
		at += copy(to[at:], b)
	}
}

func (s *Socket) stage(p *packet.Buffer) {
	s.home.Lock()
	s.home.Stage(p)
	s.home.Unlock()
}

// SetWriteDeadline sets the instant after which Send fails; clock.Never for none. Send does not wait, so that no timer
// is needed. Errors: net.ErrClosed.
func (s *Socket) SetWriteDeadline(at clock.Instant) error {
	s.in.Lock()
	defer s.in.Unlock()
	if s.in.Closed() {
		return net.ErrClosed
	}
	s.writeable = at
	return nil
}

// PathMTU returns the largest packet, in octets, that the way to the end the socket is connected to takes; 0: it is not
// connected.
func (s *Socket) PathMTU() int {
	if !s.Connected() {
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
	o := s.Options(to)
	path, err := s.pathTo(s.ends.Load(), to, &o)
	if err != nil {
		return 0, err
	}
	return path.MTU, nil
}
