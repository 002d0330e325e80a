package ip

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// defaultHopLimit is the TTL and hop limit of unicast packets: IANA's recommendation ("IP Parameters").
const defaultHopLimit = 64

// putHeader is the first of step 9: the internet header in front of a transport packet, and what it says in Meta.
func (l *Layer) putHeader(path *Path, pr *Params, options []byte, p *packet.Buffer) {
	hop := l.hopOf(path, pr)
	p.Src, p.Dst, p.Proto = path.Src, path.Dst, pr.Proto
	p.HopLimit, p.TrafficClass = hop, pr.TrafficClass
	n := p.Len()
	if path.Dst.Is4() {
		h := wire.IPv4Header{TrafficClass: pr.TrafficClass, TTL: hop, Protocol: pr.Proto,
			Src: path.Src, Dst: path.Dst, Options: options}
		h.TotalLen = h.Len() + n
		// RFC 1191, 3: a path whose router tells of no usable MTU is sent to without DF.
		if h.DontFragment = pr.DontFragment && !path.fragment; !h.DontFragment {
			// RFC 6864, 4: of a datagram that may be fragmented the ID is unique; of others it means nothing.
			// Each datagram of a super-packet has one.
			h.ID = uint16(l.ids.take(path.Src, path.Dst, pr.Proto, offload.Segments(p, wire.UDPLen)))
		}
		if h.DontFragment {
			p.Flags |= packet.DontFragment
		}
		h.Put(p.Prepend(h.Len()))
		p.EtherType = wire.EtherTypeIPv4
	} else {
		h := wire.IPv6Header{TrafficClass: pr.TrafficClass, FlowLabel: pr.FlowLabel, PayloadLen: n, NextHeader: pr.Proto,
			HopLimit: hop, Src: path.Src, Dst: path.Dst}
		h.Put(p.Prepend(wire.IPv6Len))
		if pr.DontFragment {
			p.Flags |= packet.DontFragment
		}
		p.EtherType = wire.EtherTypeIPv6
	}
	p.SetNetwork()
}

// hopOf returns the TTL or hop limit of packets along path with pr.
func (l *Layer) hopOf(path *Path, pr *Params) uint8 {
	switch {
	case pr.HopLimit != 0:
		return pr.HopLimit
	case pr.HostOnly:
		return 0
	case path.Multicast:
		return 1
	}
	return l.hopLimit(path)
}

// identifiers gives fragments their Identification: for each pair of addresses a sequence that nobody without the
// secret can guess.
//
// RFC 7739, 5.3: "F(Src IP, Dst IP, secret1) + counter[G(Src IP, Dst Pref, secret2)]".
type identifiers struct {
	secret   uint64
	counters [64]atomic.Uint32
}

func (i *identifiers) init(rt clock.Runtime) {
	var b [8]byte
	rt.Entropy(b[:])
	i.secret = binary.BigEndian.Uint64(b[:])
}

// next returns the next identification for packets from src to dst.
func (i *identifiers) next(src, dst wire.Addr, proto uint8) uint32 { return i.take(src, dst, proto, 1) }

// take returns the first of the next n.
func (i *identifiers) take(src, dst wire.Addr, proto uint8, n int) uint32 {
	h := i.secret
	for _, v := range [...]uint64{src.Hi, src.Lo, dst.Hi, dst.Lo, uint64(proto)} {
		h = (h ^ v) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	return uint32(h) + i.counters[h>>58].Add(uint32(n)) - uint32(n) + 1
}
