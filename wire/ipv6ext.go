package wire

import "encoding/binary"

// Extension headers (RFC 8200, 4). Hop-by-Hop Options, Destination Options and Routing headers are
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Next Header  |  Hdr Ext Len  |                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//	.                   options, or routing data                    .
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// with Hdr Ext Len in units of 8 octets, not counting the first 8. That of an Authentication Header counts units
// of 4 octets, less 2 (RFC 4302, 2.2). The Fragment header (RFC 8200, 4.5) has no length:
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Next Header  |   Reserved    |      Fragment Offset    |Res|M|
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Identification                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	extMinLen = 8

	fragmentField      = 2
	fragmentOffsetMask = 0xfff8
	fragmentMore       = 1
	fragmentID         = 4
)

// ExtHeader is one extension header of a packet.
type ExtHeader struct {
	Proto  uint8  // what it is
	Next   uint8  // what follows it
	Offset int    // where it begins, in octets from the end of the IPv6 header
	Data   []byte // all of it, from its Next Header field on; at least 8 octets
}

// RoutingType returns the Routing Type of a Routing header (RFC 8200, 4.4).
func (h *ExtHeader) RoutingType() uint8 { return h.Data[2] }

// SegmentsLeft returns how many nodes of a Routing header are still to be visited (RFC 8200, 4.4).
func (h *ExtHeader) SegmentsLeft() uint8 { return h.Data[3] }

// ExtIter goes through the extension headers of a packet; WalkExt makes one.
type ExtIter struct {
	h       ExtHeader
	payload []byte
	next    uint8
	offset  int // of what next names, in payload
	pointer int
	done    bool
	err     error
}

// WalkExt begins with the header numbered next at the first octet of payload, the octets behind an IPv6 header.
// Call Next until it returns false; then Err and Upper tell where it ended.
//
// RFC 8200, 4: "extension headers must be processed strictly in the order they appear in the packet".
func WalkExt(next uint8, payload []byte) ExtIter {
	return ExtIter{payload: payload, next: next, pointer: ipv6NextHeader}
}

// Next steps to the next extension header, which Header then returns. It returns false at the first thing that is
// none: an upper-layer protocol, ESP, No Next Header, a number that is not known here, the inside of a fragment that
// is not the first, or an error.
func (it *ExtIter) Next() bool {
	if it.done {
		return false
	}
	n, ok := it.length()
	if !ok || it.err != nil {
		it.done = true
		return false
	}
	data := it.payload[it.offset : it.offset+n : it.offset+n]
	it.h = ExtHeader{Proto: it.next, Next: data[0], Offset: it.offset, Data: data}
	it.pointer = IPv6Len + it.offset
	it.next = data[0]
	it.offset += n
	if it.h.Proto == ProtoFragment {
		it.done = binary.BigEndian.Uint16(data[fragmentField:])&fragmentOffsetMask != 0
	}
	return true
}

// length returns the length of the extension header at it.offset, or false if there is none or it.err says why not.
func (it *ExtIter) length() (int, bool) {
	unit, first := 8, 8
	switch it.next {
	case ProtoHopByHop:
		// RFC 8200, 4.1: "the Hop-by-Hop Options header [...] is restricted to appear immediately after an IPv6
		// header only".
		if it.offset != 0 {
			it.err = ErrOrder
			return 0, false
		}
	case ProtoRouting, ProtoDestOpts:
	case ProtoFragment:
		unit = 0
	case ProtoAH:
		unit = 4
	default:
		return 0, false
	}
	rest := it.payload[it.offset:]
	if len(rest) < extMinLen {
		it.err = ErrShort
		return 0, false
	}
	n := first + unit*int(rest[1])
	if n > len(rest) {
		it.err = ErrShort
		return 0, false
	}
	return n, true
}

// Header returns the header Next stepped to.
func (it *ExtIter) Header() ExtHeader { return it.h }

// Err returns why the walk ended before something that is not an extension header: ErrShort if a header is cut
// off, ErrOrder if a Hop-by-Hop Options header is not the first, else nil.
func (it *ExtIter) Err() error { return it.err }

// Upper returns what the walk has come to and where it begins, in octets from the end of the IPv6 header: the
// upper-layer protocol once Next has returned false and Err nil. Nothing is said about the octets there: ProtoNoNext
// has none that mean anything, and behind a Fragment header with an offset they continue another packet's.
func (it *ExtIter) Upper() (proto uint8, offset int) { return it.next, it.offset }

// Pointer returns the offset, in the packet from its IPv6 header on, of the Next Header field that names what Upper
// returns: the Pointer of an ICMPv6 Parameter Problem with code 1.
func (it *ExtIter) Pointer() int { return it.pointer }

// FragmentLen is the length of a Fragment header.
const FragmentLen = 8

// Fragment is a Fragment header (RFC 8200, 4.5).
type Fragment struct {
	Next   uint8 // the first header of the fragmentable part
	Offset int   // of the data that follows, in octets; a multiple of 8
	More   bool  // M flag: this is not the last fragment
	ID     uint32
}

// ParseFragment reads the Fragment header at the beginning of b. It returns ErrShort.
func ParseFragment(b []byte) (Fragment, error) {
	if len(b) < FragmentLen {
		return Fragment{}, ErrShort
	}
	field := binary.BigEndian.Uint16(b[fragmentField:])
	return Fragment{
		Next:   b[0],
		Offset: int(field & fragmentOffsetMask), // in units of 8 octets, three bits up: octets
		More:   field&fragmentMore != 0,
		ID:     binary.BigEndian.Uint32(b[fragmentID:]),
	}, nil
}

// Put writes f to the first FragmentLen octets of b.
func (f *Fragment) Put(b []byte) {
	_ = b[FragmentLen-1]
	field := uint16(f.Offset) & fragmentOffsetMask
	if f.More {
		field |= fragmentMore
	}
	b[0], b[1] = f.Next, 0
	binary.BigEndian.PutUint16(b[fragmentField:], field)
	binary.BigEndian.PutUint32(b[fragmentID:], f.ID)
}
