// Package packet holds packets while the stack works on them: a [Buffer] is one packet in one contiguous
// block, a [Batch] is a list of them.
//
// A packet has one owner. Passing it on (to Deliver, to Send, into a Batch) gives it away; whoever holds it
// last calls Free. There are no reference counts, but one exception: a packet may be on loan (Lend), its octets in another's
// block, and then nobody may change its payload before [Buffer.Own].
package packet

import (
	"sync"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Headroom is the space in front of a new packet's data, for the headers that lower layers prepend.
const Headroom = 256

// The size classes of the blocks, in octets, headroom included.
const (
	small  = 2 << 10
	medium = 10 << 10
	large  = 66 << 10
)

// MaxLen is the largest packet a Buffer can hold behind its Headroom: one of 65,535 octets and its link header fit.
const MaxLen = large - Headroom

// Buffer is one packet. Its bytes are Bytes(); Meta is what the stack knows about it.
type Buffer struct {
	Meta
	block      []byte
	start, end int
	next       *Buffer // in a Batch
	loan
}

// Meta is what the stack knows about a packet beside its octets. Offsets count from the beginning of Bytes at
// the time the packet came in, and move with TrimFront and Prepend.
type Meta struct {
	In, Out   int32 // interface indices; 0: not known yet
	EtherType uint16
	Flags     Flags
	Trace     uint16 // who follows its steps, a bit each: package trace; 0: nobody
	GSOSize   uint16 // payload octets of each segment of a super-packet, the last apart; 0: an ordinary packet
	FlowHash  uint32
	Mark      uint32
	Arrived   clock.Instant

	// What the internet header said, joined for both families; valid once IP input has checked it.
	Src, Dst     wire.Addr
	Proto        uint8    // of the transport header: behind the extension headers
	HopLimit     uint8    // TTL or hop limit
	TrafficClass uint8    // TOS or traffic class
	LinkSrc      wire.MAC // who sent the frame it came in; zero on a link without link-layer addresses
	TraceID      uint32   // with Trace: which packet it is
	network      int      // block offsets of the network and transport headers
	transport    int

	// Where it goes next; valid once IP output has decided it.
	NextHop wire.Addr
	LinkDst wire.MAC // meaningful with Resolved
	PathMTU uint16   // octets of the largest packet its way takes; 0: the interface's MTU
	Route   uint32   // when that was decided, for traces only: internal/ip; 0: it was not
}

// Flags are facts about a packet that are yes or no.
type Flags uint16

// The flags.
const (
	Resolved      Flags = 1 << iota // LinkDst is known
	ChecksumGood                    // the transport checksum was verified, or vouched for by the link
	LinkMulticast                   // came in a link-layer multicast or broadcast frame
	Loopback                        // we sent it to ourselves
	Broadcast                       // to an IPv4 broadcast address of the interface
	DontFragment                    // IPv4 DF, or IPv6 output that must not be fragmented
	CopyToSelf                      // output to a group or broadcast address that is ours too; then, the copy
	Unreachable                     // output whose neighbor did not answer: ip tells the sender and drops it
	Departed                        // output that was counted, and passed the hooks of Output and Postrouting
	Foreign                         // output that a raw socket's user made: its checksums may be wrong
	ChecksumLater                   // output whose transport checksum is yet to be made: by the link, or before it
	KeepCWR                         // a super-packet whose CWR is in every segment, not in the first alone (RFC 9768, 3.2.2)
)

var pools = [3]sync.Pool{
	{New: func() any { return &Buffer{block: make([]byte, small)} }},
	{New: func() any { return &Buffer{block: make([]byte, medium)} }},
	{New: func() any { return &Buffer{block: make([]byte, large)} }},
}

func class(size int) int {
	switch {
	case size <= small:
		return 0
	case size <= medium:
		return 1
	}
	return 2
}

// New returns a packet of n octets behind Headroom free ones. The octets are not cleared. It panics if n is
// over MaxLen: the caller bounds what it builds.
func New(n int) *Buffer {
	if n > MaxLen {
		panic("packet: longer than MaxLen")
	}
	p := pools[class(Headroom+n)].Get().(*Buffer)
	p.start, p.end = Headroom, Headroom+n
	return p
}

// From returns a packet with a copy of b.
func From(b []byte) *Buffer {
	p := New(len(b))
	copy(p.Bytes(), b)
	return p
}

// freed is the start of a packet that is in the pool.
const freed = -1

// Free gives the packet's block back. The packet must not be used afterwards; freeing it again panics if
// nobody has it yet.
func (p *Buffer) Free() {
	if p.next != nil {
		panic("packet: freed while in a batch")
	}
	if p.start == freed {
		panic("packet: freed twice")
	}
	switch {
	case p.lender != nil:
		p.giveBack()
	case !p.waits():
		p.recycle()
	}
}

// recycle puts p, which nobody has, into its pool.
func (p *Buffer) recycle() {
	p.Meta = Meta{}
	c := class(len(p.block))
	p.start, p.end = freed, 0
	pools[c].Put(p)
}

// Bytes returns the octets of the packet. The slice is good until the packet is passed on or freed.
func (p *Buffer) Bytes() []byte { return p.block[p.start:p.end:p.end] }

// Len returns the number of octets.
func (p *Buffer) Len() int { return p.end - p.start }

// Prepend adds n octets in front, with whatever they contained, and returns them. It panics if there are
// fewer than n octets of headroom.
func (p *Buffer) Prepend(n int) []byte {
	p.start -= n
	return p.block[p.start : p.start+n : p.start+n]
}

// TrimFront consumes n octets in front and returns them. It panics if the packet is shorter.
func (p *Buffer) TrimFront(n int) []byte {
	if n > p.Len() {
		panic("packet: TrimFront past the end")
	}
	b := p.block[p.start : p.start+n : p.start+n]
	p.start += n
	return b
}

// Truncate shortens the packet to its first n octets. It panics if the packet is shorter.
func (p *Buffer) Truncate(n int) {
	if n < 0 || n > p.Len() {
		panic("packet: Truncate past the end")
	}
	p.end = p.start + n
}

// Extend adds n octets at the end, with whatever they contained, and returns them. It panics if the block
// has no room for them.
func (p *Buffer) Extend(n int) []byte {
	b := p.block[p.end : p.end+n : p.end+n]
	p.end += n
	return b
}

// Tailroom returns how many octets Extend can add.
func (p *Buffer) Tailroom() int {
	if p.lender != nil {
		return 0
	}
	return len(p.block) - p.end
}

// Grow makes room for Extend to add n octets, by moving the packet to a larger block if need be. Slices that Bytes returned
// before are not the packet's any more. It panics if no block has that room.
func (p *Buffer) Grow(n int) {
	if p.Tailroom() >= n {
		return
	}
	if p.end+n > large {
		panic("packet: longer than MaxLen")
	}
	p.move(p.end + n)
}

// move moves the packet to a block of at least size octets.
func (p *Buffer) move(size int) {
	q := pools[class(size)].Get().(*Buffer)
	copy(q.block[:p.end], p.block[:p.end])
	p.block, q.block = q.block, p.block
	q.start, q.end = freed, 0
	if p.lender != nil {
		p.lender, q.lender = nil, p.lender
		q.giveBack()
		return
	}
	pools[class(len(q.block))].Put(q)
}

// Cap returns the length of the packet's block, in octets: the memory it holds.
func (p *Buffer) Cap() int { return len(p.block) }

// Shrink moves the packet to a smaller block, if one holds it. Slices that Bytes returned before are not the packet's any more.
func (p *Buffer) Shrink() {
	if class(p.end) < class(len(p.block)) {
		p.move(p.end)
	}
}

// Headroom returns how many octets Prepend can add.
func (p *Buffer) Headroom() int { return p.start }

// SetNetwork notes that the network header begins at the first octet of Bytes now.
func (p *Buffer) SetNetwork() { p.network = p.start }

// SetTransport notes that the transport header begins at the first octet of Bytes now.
func (p *Buffer) SetTransport() { p.transport = p.start }

// FromNetwork returns the octets from the network header to the packet's end, also after TrimFront has consumed
// that header. It is meaningful after SetNetwork.
func (p *Buffer) FromNetwork() []byte { return p.block[p.network:p.end:p.end] }

// FromTransport is FromNetwork for the transport header.
func (p *Buffer) FromTransport() []byte { return p.block[p.transport:p.end:p.end] }

// RestoreNetwork makes Bytes begin at the network header again.
func (p *Buffer) RestoreNetwork() { p.start = p.network }

// Clone returns a deep copy, Meta included: for taps, multicast, and quoting in ICMP errors only. It is another packet:
// nobody follows its steps.
func (p *Buffer) Clone() *Buffer {
	// The headers already consumed stay reachable: FromNetwork must work on the copy too.
	q := pools[class(len(p.block))].Get().(*Buffer)
	q.Meta, q.start, q.end = p.Meta, p.start, p.end
	q.Trace, q.TraceID = 0, 0
	copy(q.block[:p.end], p.block[:p.end])
	return q
}
