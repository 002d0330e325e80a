package dgram

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/wire"
)

// destinations are those that an unconnected socket sent to last, hashed, each in the one place that it leads to. They tell
// whether an ICMP message about the path MTU can be about a datagram of the socket: RFC 8201, 6, warns of forged ones.
type destinations [64]atomic.Uint32

func hashDestination(a wire.Addr, port uint16) uint32 {
	h := (a.Hi^uint64(port))*0x9e3779b97f4a7c15 ^ a.Lo
	h = (h ^ h>>32) * 0xbf58476d1ce4e5b9
	return uint32(h>>32) | 1
}

// note remembers that the socket sends to a.
func (s *Socket) note(a wire.Addr, port uint16) {
	d := s.sent.Load()
	if d == nil {
		d = new(destinations)
		if !s.sent.CompareAndSwap(nil, d) {
			d = s.sent.Load()
		}
	}
	h := hashDestination(a, port)
	d[h>>1%uint32(len(d))].Store(h)
}

// MaySend reports whether the socket may just have sent a datagram to the given end: it is connected, or sent there lately.
func (s *Socket) MaySend(a wire.Addr, port uint16) bool { return s.Connected() || s.sentTo(a, port) }

// sentTo reports whether the socket sent to a lately.
func (s *Socket) sentTo(a wire.Addr, port uint16) bool {
	d := s.sent.Load()
	if d == nil {
		return false
	}
	h := hashDestination(a, port)
	return d[h>>1%uint32(len(d))].Load() == h
}
