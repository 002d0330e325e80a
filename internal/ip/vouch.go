package ip

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/wire"
)

// sentLately remembers, for the last few, what left this host without a socket that could vouch for it: echo replies, and
// fragments behind the first. An ICMP message about the path MTU of anything else is not believed, since anybody might have made it
// (RFC 8201, 6: "a malicious party sending false Packet Too Big messages to a node"; RFC 5927, 7). Each is a hash in the one place that it leads to.
type sentLately struct {
	slots [1024]atomic.Uint32
}

// hashSent returns what stands for a packet: of the identifier of an echo reply, or of a fragment.
func (l *Layer) hashSent(src, dst wire.Addr, proto uint8, id uint32) uint32 {
	h := l.ids.secret ^ uint64(id)<<8 ^ uint64(proto)
	for _, v := range [...]uint64{src.Hi, src.Lo, dst.Hi, dst.Lo} {
		h = (h ^ v) * 0x9e3779b97f4a7c15
		h ^= h >> 31
	}
	return uint32(h>>32) | 1
}

func (s *sentLately) add(h uint32) { s.slots[h>>1%uint32(len(s.slots))].Store(h) }

func (s *sentLately) has(h uint32) bool { return s.slots[h>>1%uint32(len(s.slots))].Load() == h }

// fragmentProto stands for fragments in hashSent: no fragment header is a transport.
const fragmentProto = wire.ProtoFragment

// noteEcho remembers an echo reply.
func (l *Layer) noteEcho(src, dst wire.Addr, proto uint8, id uint16) {
	l.sent.add(l.hashSent(src, dst, proto, uint32(id)))
}

// noteFragments remembers the fragments of a packet of ours.
func (l *Layer) noteFragments(src, dst wire.Addr, id uint32) {
	l.sent.add(l.hashSent(src, dst, fragmentProto, id))
}

// vouched reports whether this host may just have sent what e, an error about the path MTU, quotes. No shard may be
// locked.
func (l *Layer) vouched(e *Error) bool {
	if e.fragment {
		return l.sent.has(l.hashSent(e.Src, e.Dst, fragmentProto, e.fragmentID))
	}
	if raw := l.raw.Load(); raw != nil && (*raw).Vouches(e) {
		return true
	}
	switch e.Proto {
	case wire.ProtoICMP, wire.ProtoICMPv6:
		reply := uint8(wire.ICMPv4EchoReply)
		if e.Proto == wire.ProtoICMPv6 {
			reply = wire.ICMPv6EchoReply
		}
		if len(e.Quote) >= wire.ICMPLen && e.Quote[0] == reply {
			return l.sent.has(l.hashSent(e.Src, e.Dst, e.Proto, uint32(wire.ICMP(e.Quote).ID())))
		}
	}
	t, ok := l.transport(e.Proto).(Voucher)
	if !ok {
		return false // nothing of that protocol leaves this host
	}
	sh, ok := l.shardOf(e)
	if !ok {
		return false
	}
	sh.Lock()
	defer sh.Unlock()
	return t.Vouches(sh, e)
}

// tooBigFragment takes a Packet Too Big or Fragmentation Needed message that quotes a fragment behind the first, which
// names no flow: only the path's MTU can learn from it. It returns false if the message is nothing to go by.
func (q *queue) tooBigFragment(e *Error, m wire.ICMP) bool {
	four := e.Dst.Is4()
	tooBig := m.Type() == wire.ICMPv6PacketTooBig
	if four {
		tooBig = m.Type() == wire.ICMPv4DestUnreachable && m.Code() == wire.ICMPv4FragmentationNeeded
	}
	return tooBig && q.l.vouched(e) && q.packetTooBig(e, m.Rest(), e.size)
}
