package dgram

import (
	"net"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Datagram is what there is to say of a datagram besides its payload.
type Datagram struct {
	From, To     flow.Endpoint
	Interface    int32 // it came in by
	HopLimit     uint8 // TTL or hop limit
	TrafficClass uint8
	FlowLabel    uint32 // of IPv6
	Len          int    // of the payload
	Segment      uint16 // it is several datagrams, each of so many octets of payload, the last one as many or fewer; 0: one
	Arrived      clock.Instant
}

// describe fills d with what is to say of p, and returns the payload.
func (d *Datagram) describe(k Kind, p *packet.Buffer) []byte {
	b, from, to := k.Payload(p)
	*d = Datagram{
		From:      flow.Endpoint{Addr: p.Src, Port: from, Scope: flow.ScopeOf(p.Src, p.In)},
		To:        flow.Endpoint{Addr: p.Dst, Port: to, Scope: flow.ScopeOf(p.Dst, p.In)},
		Interface: p.In, HopLimit: p.HopLimit, TrafficClass: p.TrafficClass, Len: len(b),
		Segment: p.GSOSize, Arrived: p.Arrived,
	}
	if !p.Dst.Is4() {
		d.FlowLabel = wire.IPv6(p.FromNetwork()).FlowLabel()
	}
	return b
}

// describeFirst is describe of the first datagram of p, a super-packet.
func (d *Datagram) describeFirst(k Kind, p *packet.Buffer) []byte {
	b := d.describe(k, p)[:p.GSOSize]
	d.Len, d.Segment = len(b), 0
	return b
}

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
	if s.cuts(p) {
		defer s.in.Unlock()
		n := Scatter(b, d.describeFirst(s.kind, p))
		if !peek {
			s.dropFirst(p)
		}
		return n, nil
	}
	if peek {
		defer s.in.Unlock()
		return Scatter(b, d.describe(s.kind, p)), nil
	}
	s.pop()
	s.in.Unlock()
	n := Scatter(b, d.describe(s.kind, p))
	p.Free()
	return n, nil
}

// Scatter copies what fits of rest into the buffers of b, and returns how much that was.
func Scatter(b [][]byte, rest []byte) int {
	n := 0
	for _, b := range b {
		k := copy(b, rest)
		rest = rest[k:]
		n += k
	}
	return n
}
