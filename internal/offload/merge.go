package offload

import (
	"bytes"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// flows is how many connections a Merger joins segments of in one batch: the first that come.
const flows = 8

// Merger joins the segments of TCP connections that came in one batch (GRO), and datagrams of UDP for ports where that is wanted. Only
// what Split would cut into the very segments that came is joined: in sequence, equal but for lengths and sequence numbers, all of one
// length but the last, unfragmented and with right checksums. (IPv4's Identification apart, which means nothing in datagrams that may
// not be fragmented: RFC 6864, 4.1.) The zero Merger is ready.
type Merger struct {
	// UDP are the ports to which datagrams are joined; nil: none.
	UDP *Ports

	// Joined is told, of packets that somebody follows (packet.Meta.Trace), that part is about to become part of whole.
	Joined func(whole, part *packet.Buffer)

	open [flows]super
	n    int // of open
}

// super is a packet that segments may be joined to.
type super struct {
	p      *packet.Buffer
	layout layout
	size   int    // octets of payload of each segment
	next   uint32 // the sequence number that follows
	joined bool
	push   bool // the last one has PSH
}

// Merge joins what it can of b, whose packets begin with link octets of link header. The order within a flow stays.
func (m *Merger) Merge(b *packet.Batch, link int) {
	var out packet.Batch
	for p := b.Pop(); p != nil; p = b.Pop() {
		m.take(p, link, &out)
	}
	for m.n > 0 {
		m.close(m.n - 1)
	}
	b.Take(&out)
}

// take joins p to one of the open packets, or appends it to out.
func (m *Merger) take(p *packet.Buffer, link int, out *packet.Batch) {
	l, ok := find(p, link)
	if !ok || l.proto == wire.ProtoUDP && !m.wanted(p, &l) {
		out.Push(p)
		return
	}
	i := m.flow(p, &l)
	good := l.mergeable(p)
	if i >= 0 {
		if good && m.open[i].join(p, &l) {
			if p.Trace != 0 && m.Joined != nil {
				m.Joined(m.open[i].p, p)
			}
			if s := &m.open[i]; s.push || p.Len()-l.payload < s.size {
				m.close(i)
			}
			p.Free()
			return
		}
		m.close(i)
	}
	out.Push(p)
	if !good || m.n == flows {
		return
	}
	data := p.Len() - l.payload
	s := super{p: p, layout: l, size: data}
	if l.proto == wire.ProtoTCP {
		h := wire.TCP(p.Bytes()[l.transport:])
		if h.Flags()&wire.PSH != 0 {
			return
		}
		s.next = h.Seq() + uint32(data)
	}
	m.open[m.n] = s
	m.n++
}

// flow returns the index of the open packet that is of the same connection as p, or -1.
func (m *Merger) flow(p *packet.Buffer, l *layout) int {
	b := p.Bytes()
	for i := range m.open[:m.n] {
		s := &m.open[i]
		if s.layout.transport != l.transport || s.layout.four != l.four || s.layout.proto != l.proto {
			continue
		}
		sb := s.p.Bytes()
		from := l.network + 8 // the addresses of IPv6; of IPv4 from
		if l.four {
			from = l.network + 12
		}
		// From the addresses to the ports: they are adjacent, for there are no options here.
		if bytes.Equal(b[from:l.transport+4], sb[from:l.transport+4]) {
			return i
		}
	}
	return -1
}

// mergeable reports whether p is a segment that others may be joined to, or that may be joined: data, with ACK and nothing
// else that matters, whose checksums are right. That of TCP or UDP is not verified again then.
func (l *layout) mergeable(p *packet.Buffer) bool {
	b := p.Bytes()
	if p.GSOSize != 0 || l.payload == len(b) {
		return false
	}
	if l.network == wire.EthernetLen && b[0]&1 != 0 { // to a group
		return false
	}
	if l.four {
		// What may be fragmented on its way has an Identification that means something (RFC 6864, 4).
		h := wire.IPv4(b[l.network:])
		if h.HeaderLen() != wire.IPv4MinLen || !h.DontFragment() || h.TotalLen() != len(b)-l.network || !h.ChecksumOK() {
			return false
		}
	} else if wire.IPv6(b[l.network:]).PayloadLen() != len(b)-l.network-wire.IPv6Len {
		return false
	}
	if l.proto == wire.ProtoUDP {
		// One without a checksum would get one when it is cut off again.
		if h := wire.UDP(b[l.transport:]); h.Length() != len(h) || h.Checksum() == 0 && p.Flags&packet.ChecksumLater == 0 {
			return false
		}
	} else if wire.TCP(b[l.transport:]).Flags()&^(wire.PSH|wire.ACE) != wire.ACK {
		return false
	}
	if p.Flags&packet.ChecksumGood == 0 {
		src, dst := l.addresses(b)
		if !wire.TransportChecksumOK(b[l.transport:], l.proto, src, dst) {
			return false
		}
		p.Flags |= packet.ChecksumGood
	}
	return true
}

// join appends the data of p, of the same connection, if it follows and Split would cut it off again as it is.
func (s *super) join(p *packet.Buffer, l *layout) bool {
	b, sb := p.Bytes(), s.p.Bytes()
	data := b[l.payload:]
	if l.payload != s.layout.payload || len(data) > s.size || len(sb)+len(data) > s.most() ||
		!s.layout.same(sb, b) || l.proto == wire.ProtoTCP && wire.TCP(b[l.transport:]).Seq() != s.next {
		return false
	}
	if !s.joined {
		s.grow()
	}
	copy(s.p.Extend(len(data)), data)
	if l.proto == wire.ProtoTCP {
		s.next += uint32(len(data))
		s.push = wire.TCP(b[l.transport:]).Flags()&wire.PSH != 0
	}
	return true
}

// same reports whether the headers of the segments a and b are equal but for what Split makes anew.
func (l *layout) same(a, b []byte) bool {
	equal := func(from, to int) bool { return bytes.Equal(a[from:to], b[from:to]) }
	ip, tcp := l.network, l.transport
	if !equal(0, ip) || !equal(tcp, tcp+4) {
		return false
	}
	if l.proto == wire.ProtoTCP {
		if !equal(tcp+8, tcp+13) || !equal(tcp+14, tcp+16) || !equal(tcp+18, l.payload) {
			return false
		}
		if (wire.TCP(a[tcp:]).Flags()^wire.TCP(b[tcp:]).Flags())&^wire.PSH != 0 {
			return false
		}
	}
	if l.four {
		return equal(ip, ip+2) && equal(ip+6, ip+10) && equal(ip+12, tcp)
	}
	return equal(ip, ip+4) && equal(ip+6, tcp)
}

// grow gives the first segment's buffer room for all that may follow. The Buffer stays the same, since it is in a batch.
func (s *super) grow() {
	s.joined = true
	s.p.Grow(s.most() - s.p.Len())
}

// most returns how many octets s.p may have at last.
func (s *super) most() int {
	n := MaxLen + s.layout.network
	if s.layout.proto == wire.ProtoUDP {
		n = min(n, s.layout.payload+maxDatagrams*s.size)
	}
	return n
}

// close finishes the ith of the open packets and forgets it.
func (m *Merger) close(i int) {
	if s := &m.open[i]; s.joined {
		b := s.p.Bytes()
		s.layout.setLength(b)
		if s.layout.four {
			wire.IPv4(b[s.layout.network:]).UpdateChecksum()
		}
		if s.push {
			h := wire.TCP(b[s.layout.transport:])
			h.SetFlags(h.Flags() | wire.PSH)
		}
		if s.layout.proto == wire.ProtoUDP {
			s.p.Shrink() // it waits for its reader as it is
		} else if wire.TCP(b[s.layout.transport:]).Flags()&wire.CWR != 0 {
			s.p.Flags |= packet.KeepCWR
		}
		s.p.GSOSize = uint16(s.size)
	}
	m.n--
	copy(m.open[i:], m.open[i+1:m.n+1])
	m.open[m.n] = super{}
}
