package ip

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// How long fragments wait for the others, from the first that arrived.
//
// RFC 8200, 4.5: "If insufficient fragments are received to complete reassembly of a packet within 60 seconds of the
// reception of the first-arriving fragment of that packet, reassembly of that packet must be abandoned". RFC 1122, 3.3.2,
// recommends 60 to 120 seconds for IPv4; the 30 of Linux hold the memory, and the identification, half as long.
const (
	reassemblyTime4 = 30 * time.Second
	reassemblyTime6 = 60 * time.Second
)

// fragKey is what fragments of one datagram have in common: RFC 791, 3.2; RFC 8200, 4.5.
type fragKey struct {
	src, dst wire.Addr
	id       uint32
	scope    uint32 // interface index if src is link-local
	proto    uint8  // IPv4 only
}

// reassembler puts fragments together, for both families. It is a machine: add and expire are its events; what they cannot
// use is in lost afterwards. Its memory is bounded; how it is shared is in reassmemory.go.
type reassembler struct {
	memory fragMemory
	m      map[fragKey]*datagram
	lists  [2]datagrams // by family, begun first at the head
	free   *datagram    // for use again, through next
	lost   [numLosses]packet.Batch
}

// loss is why a fragment is of no use.
type loss uint8

const (
	duplicate loss = iota // it is there already
	overlap               // with another: neither is
	mixedECN              // some fragments can tell of congestion, and others cannot
	noRoom                // it made room for others
	numLosses
)

// datagram is one that is not complete.
type datagram struct {
	key        fragKey
	deadline   clock.Instant
	parts      []part // by offset
	total      int    // length of the data; -1: not known yet
	got        int
	ecn        uint8 // the ECN fields of the fragments, a bit for each of the four values
	refused    bool  // fragments overlapped: all of them, and those to come, are discarded
	prev, next *datagram

	owner // of the memory
}

// part is the data of one fragment. p begins with it, and has the headers in front.
type part struct {
	p       *packet.Buffer
	at, end int
}

type datagrams struct{ head, tail *datagram }

func (l *datagrams) push(d *datagram) {
	d.prev, d.next = l.tail, nil
	if l.tail == nil {
		l.head = d
	} else {
		l.tail.next = d
	}
	l.tail = d
}

func (l *datagrams) remove(d *datagram) {
	if d.prev == nil {
		l.head = d.next
	} else {
		d.prev.next = d.next
	}
	if d.next == nil {
		l.tail = d.prev
	} else {
		d.next.prev = d.prev
	}
	d.prev, d.next = nil, nil
}

// maxParts is how many fragments a datagram may have: the most that are needed. RFC 791, 3.2: "Every internet module must be able to
// forward a datagram of 68 octets without further fragmentation", of which 48 are data where there are no options.
const maxParts = 65535/48 + 1

// add takes a fragment whose data are p.Bytes(), from the octet at of the datagram on. If it was the last missing one,
// the datagram is returned, no longer the reassembler's: use assemble and release.
func (r *reassembler) add(now clock.Instant, k fragKey, p *packet.Buffer, at int, more bool) *datagram {
	d := r.m[k]
	if d == nil {
		d = r.open(now, k)
	}
	end := at + p.Len()
	if d.refused {
		r.lost[overlap].Push(p)
		return nil
	}
	i, _ := slices.BinarySearchFunc(d.parts, at, func(x part, at int) int { return x.at - at })
	switch {
	case end == at, // it would be within any that is there or comes
		d.total >= 0 && (end > d.total || !more && end != d.total),
		!more && len(d.parts) > 0 && d.parts[len(d.parts)-1].end > end:
		r.lost[overlap].Push(p)
		r.refuse(d)
		return nil
	case d.has(i, at, end):
		r.lost[duplicate].Push(p)
		return nil
	case i > 0 && d.parts[i-1].end > at, i < len(d.parts) && d.parts[i].at < end:
		r.lost[overlap].Push(p)
		r.refuse(d)
		return nil
	case len(d.parts) >= maxParts:
		r.lost[noRoom].Push(p)
		r.giveUp(d, noRoom)
		return nil
	}
	if !more {
		d.total = end
	}
	d.parts = slices.Insert(d.parts, i, part{p, at, end})
	d.got += end - at
	d.ecn |= 1 << (p.TrafficClass & 3)
	r.memory.take(d, p.Cap())
	if d.got == d.total {
		if mixed(d.ecn) {
			r.giveUp(d, mixedECN)
			return nil
		}
		r.close(d)
		r.memory.prove(now, d)
		return d
	}
	for d := r.memory.heaviest(); d != nil; d = r.memory.heaviest() {
		r.giveUp(d, noRoom)
	}
	return nil
}

// has reports whether the octets from at to end are there already; i is the first part from at on.
//
// RFC 8200, 4.5: "an implementation may choose to detect this case and drop exact duplicate fragments while keeping the other
// fragments belonging to the same packet." Of IPv4, whose fragments are cut anew on the way, Linux takes whatever is there
// already for a duplicate.
func (d *datagram) has(i, at, end int) bool {
	if i < len(d.parts) && d.parts[i].at == at && d.parts[i].end == end {
		return true
	}
	if !d.key.dst.Is4() {
		return false
	}
	if i == len(d.parts) || d.parts[i].at > at {
		i--
	}
	if i < 0 || d.parts[i].end <= at {
		return false
	}
	for d.parts[i].end < end {
		if i++; i == len(d.parts) || d.parts[i].at != d.parts[i-1].end {
			return false
		}
	}
	return true
}

// refuse gives up d, whose fragments overlap.
//
// RFC 8200, 4.5: "If any of the fragments being reassembled overlap with any other fragments being reassembled for the same
// packet, reassembly of that packet must be abandoned and all the fragments that have been received for that packet must be
// discarded, and no ICMP error messages should be sent." RFC 5722, 4: those to come too. RFC 791's way with overlaps has been
// of use to attackers only (RFC 1858, 4), and Linux discards the datagram of IPv4 too; but its Identification, of 16
// bits, may soon be that of another.
func (r *reassembler) refuse(d *datagram) {
	if d.key.dst.Is4() {
		r.giveUp(d, overlap)
		return
	}
	r.empty(d, overlap)
	d.refused = true
}

// mixed reports whether a datagram whose fragments had the ECN fields in ecn must be dropped.
//
// RFC 3168, 5.3: to set CE "MUST NOT occur if any of the other fragments contributing to this reassembly carries the Not-ECT
// codepoint", so that such a datagram is dropped; of a mixture of ECT and Not-ECT it asks for nothing, and Linux drops that
// too.
func mixed(ecn uint8) bool { return ecn&1 != 0 && ecn != 1 }

// congested reports whether a fragment met congestion.
//
// RFC 3168, 5.3: "if any fragment of an IP packet to be reassembled has the CE codepoint set, then … Set the CE codepoint on
// the reassembled packet."
func congested(ecn uint8) bool { return ecn&(1<<3) != 0 }

func (r *reassembler) open(now clock.Instant, k fragKey) *datagram {
	d := r.free
	if d == nil {
		d = new(datagram)
	} else {
		r.free = d.next
	}
	lifetime := reassemblyTime6
	if k.dst.Is4() {
		lifetime = reassemblyTime4
	}
	*d = datagram{key: k, deadline: now.Add(lifetime), parts: d.parts[:0], total: -1}
	if r.m == nil {
		r.m = make(map[fragKey]*datagram)
	}
	r.m[k] = d
	r.lists[family(k.dst)].push(d)
	r.memory.open(now, d)
	return d
}

// close takes d out, with its parts.
func (r *reassembler) close(d *datagram) {
	delete(r.m, d.key)
	r.lists[family(d.key.dst)].remove(d)
	r.memory.close(d)
}

// release frees d, which close took out, for use again. Its parts are the caller's.
func (r *reassembler) release(d *datagram) {
	clear(d.parts)
	d.parts = d.parts[:0]
	d.next = r.free
	r.free = d
}

// empty gives up the parts of d, which stays.
func (r *reassembler) empty(d *datagram, why loss) {
	for i := range d.parts {
		r.memory.take(d, -d.parts[i].p.Cap())
		r.lost[why].Push(d.parts[i].p)
	}
	clear(d.parts)
	d.parts, d.got = d.parts[:0], 0
}

func (r *reassembler) giveUp(d *datagram, why loss) {
	r.empty(d, why)
	r.close(d)
	r.release(d)
}

// flush gives up everything and frees it.
func (r *reassembler) flush() {
	for f := range r.lists {
		for d := r.lists[f].head; d != nil; d = r.lists[f].head {
			r.giveUp(d, noRoom)
		}
	}
	for i := range r.lost {
		r.lost[i].Free()
	}
}

// deadline returns when expire has something to do, or clock.Never.
func (r *reassembler) deadline() clock.Instant {
	at := clock.Never
	for f := range r.lists {
		if d := r.lists[f].head; d != nil {
			at = min(at, d.deadline)
		}
	}
	return at
}

// expired takes out a datagram whose time is over, and returns it; nil if there is none.
func (r *reassembler) expired(now clock.Instant) *datagram {
	for f := range r.lists {
		if d := r.lists[f].head; d != nil && d.deadline <= now {
			r.close(d)
			return d
		}
	}
	return nil
}

// assemble returns the whole datagram, at its internet header, and frees its parts.
func (d *datagram) assemble() *packet.Buffer {
	first := d.parts[0].p
	from := first.FromNetwork()
	head := len(from) - first.Len()
	four := d.key.dst.Is4()
	if !four {
		head -= wire.FragmentLen
	}
	p := packet.New(head + d.total)
	p.Meta = first.Meta
	p.SetNetwork()
	b := p.Bytes()
	copy(b, from[:head])
	for i := range d.parts {
		copy(b[head+d.parts[i].at:], d.parts[i].p.Bytes())
	}
	if four {
		whole4(b, wire.IPv4(from))
	} else {
		whole6(b, from)
	}
	if congested(d.ecn) {
		p.TrafficClass |= 3
		if four {
			v := wire.IPv4(b)
			b[1] |= 3
			v.UpdateChecksum()
		}
	}
	for i := range d.parts {
		d.parts[i].p.Free()
	}
	return p
}

// whole4 makes the header of the first fragment v that of the datagram b.
func whole4(b []byte, v wire.IPv4) {
	h := wire.IPv4Header{TrafficClass: v.TrafficClass(), TotalLen: len(b), ID: v.ID(), TTL: v.TTL(), Protocol: v.Protocol(),
		Src: v.Src(), Dst: v.Dst(), Options: v.Options()}
	h.Put(b)
}

// whole6 makes the headers of the first fragment, at the beginning of b already, those of the packet b.
//
// RFC 8200, 4.5: "The Next Header field of the last header of the Per-Fragment headers is obtained from the Next Header
// field of the first fragment's Fragment header." And: "The Payload Length of the reassembled packet is computed".
func whole6(b, first []byte) {
	v := wire.IPv6(first)
	it := wire.WalkExt(v.NextHeader(), v.Payload())
	named := it.Pointer()
	for it.Next() && it.Header().Proto != wire.ProtoFragment {
		named = it.Pointer()
	}
	b[named] = it.Header().Next
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-wire.IPv6Len))
}
