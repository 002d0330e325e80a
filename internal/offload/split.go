package offload

import (
	"encoding/binary"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// SegmentLen returns the octets of the longest segment of p, counted as p.Bytes are, which begin with link octets of link
// header: those of p itself, if it is no super-packet.
func SegmentLen(p *packet.Buffer, link int) int {
	if p.GSOSize == 0 {
		return p.Len()
	}
	l, ok := find(p, link)
	if !ok {
		return p.Len()
	}
	return min(p.Len(), l.payload+int(p.GSOSize))
}

// Segments returns how many segments p is on the wire, 1 if it is no super-packet. headers is what its Bytes have in front of
// the payload.
func Segments(p *packet.Buffer, headers int) int {
	size := int(p.GSOSize)
	if size == 0 || p.Len() <= headers {
		return 1
	}
	return (p.Len() - headers + size - 1) / size
}

// Fit makes the segments of p, a super-packet of TCP, so short that none is longer than mtu octets from its internet header on,
// where p.Bytes begin. It returns false if no payload would have room.
func Fit(p *packet.Buffer, mtu int) bool {
	l, ok := find(p, 0)
	if !ok || l.proto != wire.ProtoTCP || l.payload >= mtu {
		return false
	}
	p.GSOSize = uint16(min(int(p.GSOSize), mtu-l.payload))
	return true
}

// Finish makes the transport checksum of p, whose Bytes begin with link octets of link header, if that was left to the link.
func Finish(p *packet.Buffer, link int) {
	if p.Flags&packet.ChecksumLater == 0 {
		return
	}
	p.Flags &^= packet.ChecksumLater
	if l, ok := find(p, link); ok {
		l.finish(p.Bytes())
	}
}

// Split cuts the super-packet p, whose Bytes begin with link octets of link header, into its segments, which it appends to out
// in their order, with all checksums made. It owns p. A packet that is no super-packet, or needs no cutting, is appended as
// it is, with its checksum made.
func Split(p *packet.Buffer, link int, out *packet.Batch) {
	if p.GSOSize == 0 && p.Flags&packet.ChecksumLater == 0 {
		out.Push(p)
		return
	}
	l, ok := find(p, link)
	if size := int(p.GSOSize); size > 0 && ok && p.Len()-l.payload > size {
		l.split(p, size, out)
		p.Free()
		return
	}
	p.GSOSize = 0
	if ok && p.Flags&packet.ChecksumLater != 0 {
		l.finish(p.Bytes())
	}
	p.Flags &^= packet.ChecksumLater | packet.KeepCWR
	out.Push(p)
}

// split is Split of a packet of more than one segment.
func (l *layout) split(p *packet.Buffer, size int, out *packet.Batch) {
	b := p.Bytes()
	headers, data := b[:l.payload], b[l.payload:]
	for i := 0; len(data) > 0; i++ {
		part := data[:min(size, len(data))]
		data = data[len(part):]
		s := packet.New(len(headers) + len(part))
		s.Meta = p.Meta
		s.GSOSize = 0
		s.Flags &^= packet.ChecksumLater | packet.KeepCWR
		sb := s.Bytes()
		copy(sb, headers)
		copy(sb[len(headers):], part)
		s.TrimFront(l.network)
		s.SetNetwork()
		s.Prepend(l.network)
		l.setLength(sb)
		l.number(sb, i, i*size, len(data) == 0, p.Flags&packet.KeepCWR != 0)
		l.finish(sb)
		out.Push(s)
	}
}

// number makes b, which has the headers of the first segment, the ith one, whose data begins at octets into the payload.
func (l *layout) number(b []byte, i, at int, last, keepCWR bool) {
	if l.four {
		h := wire.IPv4(b[l.network:])
		// RFC 6864, 4.1: of a datagram that is not fragmented the ID means nothing. One that may be gets the next.
		if id := h.ID(); id != 0 || !h.DontFragment() {
			h.SetID(id + uint16(i))
		}
		h.UpdateChecksum()
	}
	if l.proto != wire.ProtoTCP {
		return
	}
	h := wire.TCP(b[l.transport:])
	h.SetSeq(h.Seq() + uint32(at))
	flags := h.Flags()
	if !last {
		flags &^= wire.FIN | wire.PSH
	}
	if i > 0 && !keepCWR {
		// RFC 3168, 6.1.2: CWR is in "the first new data packet sent after the window reduction".
		flags &^= wire.CWR
	}
	h.SetFlags(flags)
}

// Work is what is left to do of a packet, in the terms of those who do it: octets of Bytes.
type Work struct {
	SumFrom int // where the checksum begins: at the transport header
	SumAt   int // where it goes, from there
	Data    int // where the data begins
	TCP     bool
	Four    bool // IPv4
	CWR     bool
}

// Leave prepares p, whose Bytes begin with link octets of link header, for a device that makes its checksum: the field gets the
// sum of the pseudo header. It returns false for what is neither TCP nor UDP.
func Leave(p *packet.Buffer, link int) (w Work, ok bool) {
	l, ok := find(p, link)
	if !ok {
		return w, false
	}
	b := p.Bytes()
	src, dst := l.addresses(b)
	w = Work{SumFrom: l.transport, SumAt: checksumAt(l.proto), Data: l.payload, TCP: l.proto == wire.ProtoTCP, Four: l.four}
	binary.BigEndian.PutUint16(b[w.SumFrom+w.SumAt:], wire.PseudoHeader(src, dst, l.proto, len(b)-l.transport))
	w.CWR = w.TCP && wire.TCP(b[l.transport:]).Flags()&wire.CWR != 0
	return w, true
}
