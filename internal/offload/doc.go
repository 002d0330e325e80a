// Package offload does in software what network devices do with super-packets: it cuts one that TCP or UDP has made
// into the segments that go on the wire (GSO), joins segments that came in to one that goes through the stack once (GRO),
// and makes the checksums that were left to the device.
//
// A super-packet is a packet whose Meta.GSOSize is set. Its headers are those of the first of its segments, but for the
// lengths, which count all of it, and for what only the last segment has: FIN and PSH. Each segment has GSOSize octets of
// payload, the last one as many or fewer. Behind the internet header, which has no options or extension headers that
// differ between segments, is TCP or UDP.
package offload

import (
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// MaxLen is the most octets a super-packet has from its internet header on: what an IPv4 header can count.
const MaxLen = 65535

// layout is where the headers of a packet end, in octets of Bytes.
type layout struct {
	network   int // where the internet header begins
	transport int // where the transport header begins
	payload   int // where the data begins
	proto     uint8
	four      bool
}

// find returns the layout of p, whose Bytes begin with link octets of link header. It returns false unless p is a whole IPv4
// datagram, or an IPv6 one without extension headers, of TCP or UDP.
func find(p *packet.Buffer, link int) (l layout, ok bool) {
	b := p.Bytes()
	if len(b) <= link {
		return l, false
	}
	l.network = link
	switch b[link] >> 4 {
	case 4:
		h, err := wire.CheckIPv4(b[link:])
		if err != nil || h.IsFragment() {
			return l, false
		}
		l.four, l.proto, l.transport = true, h.Protocol(), link+h.HeaderLen()
	case 6:
		h, err := wire.CheckIPv6(b[link:])
		if err != nil {
			return l, false
		}
		l.proto, l.transport = h.NextHeader(), link+wire.IPv6Len
	default:
		return l, false
	}
	switch l.proto {
	case wire.ProtoTCP:
		h, err := wire.CheckTCP(b[l.transport:])
		if err != nil {
			return l, false
		}
		l.payload = l.transport + h.HeaderLen()
	case wire.ProtoUDP:
		if l.payload = l.transport + wire.UDPLen; l.payload > len(b) {
			return l, false
		}
	default:
		return l, false
	}
	return l, true
}

// addresses returns source and destination of the packet b.
func (l *layout) addresses(b []byte) (src, dst wire.Addr) {
	if l.four {
		h := wire.IPv4(b[l.network:])
		return h.Src(), h.Dst()
	}
	h := wire.IPv6(b[l.network:])
	return h.Src(), h.Dst()
}

// setLength makes the internet header of b, and a UDP header, count b's octets.
func (l *layout) setLength(b []byte) {
	if l.four {
		wire.IPv4(b[l.network:]).SetLength(len(b) - l.network)
	} else {
		wire.IPv6(b[l.network:]).SetPayloadLen(len(b) - l.network - wire.IPv6Len)
	}
	if l.proto == wire.ProtoUDP {
		wire.UDP(b[l.transport:]).SetLength(len(b) - l.transport)
	}
}

// checksumAt is where the transport header has its checksum.
func checksumAt(proto uint8) int {
	if proto == wire.ProtoUDP {
		return wire.UDPChecksumOffset
	}
	return wire.TCPChecksumOffset
}

// finish makes the transport checksum of b.
func (l *layout) finish(b []byte) {
	src, dst := l.addresses(b)
	wire.FinishChecksum(b[l.transport:], checksumAt(l.proto), l.proto, src, dst)
}
