package dgram

import (
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Many datagrams of UDP of one size, between the same ends, go through the stack as one super-packet (packet.Meta.GSOSize): a
// program sends them with one call, and the link cuts them apart, or egress does. One that comes is given as it is to
// a program that asked for that; others read its datagrams one by one.

// MaxSegments is how many datagrams one call sends at most: Linux's UDP_MAX_SEGMENTS.
const MaxSegments = 128

// longest returns how many octets of payload the longest datagram has of n that are sent.
func (o *SendOptions) longest(n int) int {
	if o.Segment != 0 {
		return min(n, int(o.Segment))
	}
	return n
}

// SetSegment has Send cut what it is given into datagrams of n octets of payload, the last one as many or fewer (UDP_SEGMENT);
// 0: it sends one.
func (s *Socket) SetSegment(n uint16) { s.segment.Store(uint32(n)) }

// Segment returns that.
func (s *Socket) Segment() uint16 { return uint16(s.segment.Load()) }

// SetCoalesce has datagrams of one size from one sender be received joined, with one call (UDP_GRO).
func (s *Socket) SetCoalesce(on bool) {
	s.in.Lock()
	defer s.in.Unlock()
	if !s.in.Closed() && s.coalesce.Swap(on) != on {
		s.ip.Coalesce(s.bound.Local.Port, on)
	}
}

// Coalesces reports whether they are.
func (s *Socket) Coalesces() bool { return s.coalesce.Load() }

// Datagrams returns how many datagrams of UDP p is, which begins at its transport header.
func Datagrams(p *packet.Buffer) int { return offload.Segments(p, wire.UDPLen) }

// cuts reports whether p is more than one datagram, for readers who want them one by one.
func (s *Socket) cuts(p *packet.Buffer) bool { return p.GSOSize != 0 && !s.coalesce.Load() }

// ReceiveBatch calls each for the datagrams that wait, with what is to say of them and their payload, which is good until each
// returns: at most n, numbered from 0, though not in their order. It returns how many there were, and waits for one if there
// are none, or fails with EAGAIN. each must neither block nor call back. Errors are Receive's.
func (s *Socket) ReceiveBatch(n int, wait bool, each func(i int, d Datagram, payload []byte)) (int, error) {
	cut := !s.coalesce.Load()
	var taken packet.Batch
	n, err := s.takeBatch(&taken, n, wait, cut, each)
	var d Datagram
	i := 0
	for p := taken.Pop(); p != nil; p = taken.Pop() {
		for ; cut && p.GSOSize != 0; i++ {
			payload := d.describeFirst(s.kind, p)
			each(i, d, payload)
			cutFirst(p)
		}
		payload := d.describe(s.kind, p)
		each(i, d, payload)
		i++
		p.Free()
	}
	return n, err
}

// takeBatch takes up to n datagrams: in packets, whose datagrams are to be told later without the lock, and of a last packet that has
// more of them than are wanted, the first ones, which it tells itself.
func (s *Socket) takeBatch(taken *packet.Batch, n int, wait, cut bool, each func(i int, d Datagram, payload []byte)) (int, error) {
	s.in.Lock()
	defer s.in.Unlock() // also where the wait is the end of its goroutine, as in a simulation that stops
	p, err := s.await(wait)
	if err != nil {
		return 0, err
	}
	got := 0
	for ; p != nil && got < n; p = s.queue.Front() {
		k := 1
		if cut {
			k = Datagrams(p)
		}
		if got+k > n {
			break
		}
		taken.Push(s.pop())
		got += k
	}
	var d Datagram
	for ; p != nil && got < n; got++ {
		payload := d.describeFirst(s.kind, p)
		each(got, d, payload)
		s.dropFirst(p)
	}
	return got, nil
}

// cutFirst takes the first datagram off p, a super-packet at its UDP header: what is left begins with a header of its own, which lies
// where the last octets of what was taken off were.
func cutFirst(p *packet.Buffer) {
	b := p.Bytes()
	size := int(p.GSOSize)
	copy(b[size:size+wire.UDPLen], b[:wire.UDPLen])
	p.TrimFront(size)
	rest := wire.UDP(p.Bytes())
	rest.SetLength(len(rest))
	if len(rest)-wire.UDPLen <= size {
		p.GSOSize = 0
	}
}
