package ip

import (
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// fragment4 cuts the datagram p, at its header, into fragments of at most mtu octets, which it appends to out. It takes
// p, unless it returns false: then mtu leaves no room for data. p may be a fragment itself.
//
// RFC 791, 3.2, "An Example Fragmentation Procedure"; 2.3: "The data of the long datagram is divided into two portions on
// a 8 octet (64 bit) boundary". RFC 1812, 4.2.2.7 leaves open which way the pieces go; in order.
func fragment4(p *packet.Buffer, mtu int, out *packet.Batch) bool {
	v := wire.IPv4(p.Bytes())
	first := wire.IPv4Header{TrafficClass: v.TrafficClass(), ID: v.ID(), FragmentOffset: v.FragmentOffset(), TTL: v.TTL(),
		Protocol: v.Protocol(), Src: v.Src(), Dst: v.Dst(), Options: v.Options()}
	later := first
	var kept [wire.IPv4MaxLen - wire.IPv4MinLen]byte
	if len(first.Options) > 0 {
		later.Options = copiedOptions(kept[:0], first.Options)
	}
	more := v.MoreFragments()
	data := v.Payload()
	head := v.HeaderLen()
	room := (mtu - head) &^ 7
	if room <= 0 {
		return false
	}
	// The first fragment is p itself, cut short; what is behind the cut is copied before.
	var rest packet.Batch
	for at := room; at < len(data); {
		n := (mtu - later.Len()) &^ 7
		last := len(data)-at <= mtu-later.Len()
		if last {
			n = len(data) - at
		}
		f := packet.New(later.Len() + n)
		f.Meta = p.Meta
		later.FragmentOffset = first.FragmentOffset + at
		later.MoreFragments = more || !last
		later.TotalLen = later.Len() + n
		later.Put(f.Bytes())
		copy(f.Bytes()[later.Len():], data[at:at+n])
		f.SetNetwork()
		rest.Push(f)
		at += n
	}
	first.MoreFragments = true
	first.TotalLen = head + room
	var options [wire.IPv4MaxLen - wire.IPv4MinLen]byte
	first.Options = options[:copy(options[:], first.Options)] // they are where they are written to
	p.Truncate(first.TotalLen)
	first.Put(p.Bytes())
	out.Push(p)
	out.Take(&rest)
	return true
}

// copiedOptions appends those of options to b that go into every fragment.
//
// RFC 791, 3.1: "The copied flag indicates that this option is copied into all fragments on fragmentation."
func copiedOptions(b, options []byte) []byte {
	it := wire.WalkIPv4Options(options)
	for it.Next() {
		if o := it.Option(); o.Copied() {
			b = append(b, o.Data...)
		}
	}
	return b
}

// fragment6 cuts the packet p of ours, at its header and without extension headers, into fragments of at most mtu octets,
// which it appends to out. It takes p, unless it returns false: then mtu leaves no room for data.
//
// RFC 8200, 4.5: the "Per-Fragment headers", here the IPv6 header only, then the Fragment header; "The lengths of the
// fragments must be chosen such that the resulting fragment packets fit within the MTU of the path" and each but the last
// is "an integer multiple of 8 octets long".
func fragment6(p *packet.Buffer, mtu int, id uint32, out *packet.Batch) bool {
	v := wire.IPv6(p.Bytes())
	h := wire.IPv6Header{TrafficClass: v.TrafficClass(), FlowLabel: v.FlowLabel(), NextHeader: wire.ProtoFragment,
		HopLimit: v.HopLimit(), Src: v.Src(), Dst: v.Dst()}
	f := wire.Fragment{Next: v.NextHeader(), ID: id}
	const head = wire.IPv6Len + wire.FragmentLen
	data := v.Payload()
	room := (mtu - head) &^ 7
	if room <= 0 {
		return false
	}
	var rest packet.Batch
	for at := room; at < len(data); at += room {
		n := min(room, len(data)-at)
		q := packet.New(head + n)
		q.Meta = p.Meta
		f.Offset, f.More = at, at+n < len(data)
		h.PayloadLen = wire.FragmentLen + n
		h.Put(q.Bytes())
		f.Put(q.Bytes()[wire.IPv6Len:])
		copy(q.Bytes()[head:], data[at:at+n])
		q.SetNetwork()
		rest.Push(q)
	}
	p.Truncate(wire.IPv6Len + min(room, len(data)))
	f.Offset, f.More = 0, true
	h.PayloadLen = wire.FragmentLen + p.Len() - wire.IPv6Len
	p.TrimFront(wire.IPv6Len)
	b := p.Prepend(head)
	h.Put(b)
	f.Put(b[wire.IPv6Len:])
	p.SetNetwork()
	out.Push(p)
	out.Take(&rest)
	return true
}
