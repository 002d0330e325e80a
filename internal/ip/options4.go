package ip

import (
	"encoding/binary"
	"time"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// maxOptions4 is the most room that options have, in octets.
const maxOptions4 = wire.IPv4MaxLen - wire.IPv4MinLen

// options4 does what the options of a datagram ask for, which is for us or, with out, to be sent on by that interface. It
// returns false if they ended the datagram's way; then p is gone.
//
// RFC 1122, 3.2.1.8: "The IP and transport layer MUST each interpret those IP options that they understand and
// silently ignore the others."
func (q *queue) options4(p *packet.Buffer, h wire.IPv4, out int32) bool {
	r := recorder4{s: q.s, addr: q.recordedAs(p, out), time: q.l.timestamp(), wrong: -1}
	it := wire.WalkIPv4Options(h.Options())
	for it.Next() {
		o := it.Option()
		switch o.Type {
		case wire.IPv4LooseSource, wire.IPv4StrictSource:
			q.sourceRouted(p, &o, out)
			return false
		case wire.IPv4RouterAlert:
			// RFC 2113, 2: "Length: 4". That a router looks at such packets more closely is asked for by protocols that
			// are not here.
			if len(o.Data) < 4 {
				r.wrong = 1
			}
		default:
			r.option(o.Data)
		}
		if r.wrong >= 0 {
			return q.badOption4(p, o.Offset+r.wrong)
		}
	}
	if it.Err() != nil {
		return q.badOption4(p, it.Option().Offset)
	}
	if r.changed {
		h.UpdateChecksum()
	}
	return true
}

// badOption4 refuses a datagram for the octet at offset of its header. It returns false.
//
// RFC 1122, 3.2.2.5: "A host SHOULD generate Parameter Problem messages." RFC 792: "the pointer identifies the octet of the
// original datagram's header where the error was detected".
func (q *queue) badOption4(p *packet.Buffer, offset int) bool {
	q.reject(p, complaint{wire.ICMPv4ParamProblem, wire.ICMPv4PointerIndicates, uint32(offset) << 24}, mib.Ip4Option)
	return false
}

// sourceRouted refuses a datagram with a source route: RFC 7126, 4.3.5, has everybody do so unless configured otherwise,
// as do Linux and this.
//
// RFC 1122, 3.3.5: "If a host receives a datagram with an incomplete source route but does not forward it for some reason,
// the host SHOULD return an ICMP Destination Unreachable (code 5, Source Route Failed) message". RFC 791, 3.1: it is
// incomplete until "the pointer is greater than the length".
func (q *queue) sourceRouted(p *packet.Buffer, o *wire.IPv4Option, out int32) {
	switch {
	case len(o.Data) < 3:
		q.badOption4(p, o.Offset+1)
	case o.Data[2] < 4:
		q.badOption4(p, o.Offset+2)
	case out == 0 && int(o.Data[2]) <= len(o.Data):
		q.reject(p, complaint{wire.ICMPv4DestUnreachable, wire.ICMPv4SourceRouteFailed, 0}, mib.Ip4SourceRoute)
	default:
		q.drop(p, mib.Ip4SourceRoute)
	}
}

// recordedAs returns the address that we enter into a datagram that records its way.
//
// RFC 791, 3.1: "its own internet address as known in the environment into which this datagram is being forwarded".
func (q *queue) recordedAs(p *packet.Buffer, out int32) wire.Addr {
	i := q.iface
	if out != 0 {
		i = q.s.Interface(out)
	} else if q.s.Lookup(p.Dst, p.In).Kind == netif.Unicast {
		return p.Dst
	}
	for k := range i.Addrs {
		if a := i.Addrs[k].Addr; a.Is4() {
			return a
		}
	}
	return wire.Unspecified4
}

// timestamp returns the time as the Timestamp option and message have it.
//
// RFC 791, 3.1: "a right-justified, 32-bit timestamp in milliseconds since midnight UT".
func (l *Layer) timestamp() uint32 {
	t := l.rt.Wall().UTC()
	return uint32(t.Sub(t.Truncate(24*time.Hour)) / time.Millisecond)
}

// recorder4 enters us into the options that record a datagram's way.
type recorder4 struct {
	s       *snapshot
	addr    wire.Addr
	time    uint32
	reply   bool // the option is one that we send
	route   bool // there was a Record Route already
	stamps  bool // and a Timestamp
	changed bool
	wrong   int // offset in the option of what is wrong with it; -1: nothing
}

// option takes an option that is there completely.
func (r *recorder4) option(o []byte) {
	r.wrong = -1
	switch o[0] {
	case wire.IPv4RecordRoute:
		r.recordRoute(o)
	case wire.IPv4Timestamp:
		r.stamp(o)
	}
}

// recordRoute enters our address.
//
// RFC 791, 3.1: "If the route data area is already full (the pointer exceeds the length) the datagram is forwarded without
// inserting the address into the recorded route. If there is some room but not enough room for a full address to be
// inserted, the original datagram is considered to be in error and is discarded." It "Appears at most once in a datagram."
func (r *recorder4) recordRoute(o []byte) {
	switch {
	case r.route:
		r.wrong = 0
	case len(o) < 3:
		r.wrong = 1
	case o[2] < 4:
		r.wrong = 2
	case int(o[2]) > len(o): // full
	case int(o[2])+3 > len(o):
		r.wrong = 2
	default:
		r.addr.Put4(o[o[2]-1:])
		o[2] += 4
		r.changed = true
	}
	r.route = true
}

// The flags of a Timestamp option (RFC 791, 3.1).
const (
	stampOnly         = 0 // "time stamps only, stored in consecutive 32-bit words"
	stampAndAddress   = 1 // "each timestamp is preceded with internet address of the registering entity"
	stampPrespecified = 3 // "An IP module only registers its timestamp if it matches its own address with the next specified"
)

// stamp enters our time.
//
// RFC 791, 3.1: "The smallest legal value is 5. The timestamp area is full when the pointer is greater than the length." Then
// "the datagram is forwarded without inserting the timestamp, but the overflow count is incremented by one. If there is some
// room but not enough room for a full timestamp to be inserted, or the overflow count itself overflows, the original
// datagram is considered to be in error and is discarded." Like Record Route, it appears once.
func (r *recorder4) stamp(o []byte) {
	switch {
	case r.stamps:
		r.wrong = 0
		return
	case len(o) < 4:
		r.wrong = 1
		return
	case o[2] < 5:
		r.wrong = 2
		return
	}
	r.stamps = true
	at, flag := int(o[2])-1, o[3]&15
	if at >= len(o) {
		r.overflow(o)
		return
	}
	n := 4
	if flag != stampOnly {
		n = 8
	}
	if at+n > len(o) {
		r.wrong = 2
		return
	}
	switch flag {
	case stampAndAddress:
		r.addr.Put4(o[at:])
	case stampPrespecified:
		if r.s.Lookup(wire.AddrFrom4(o[at:]), 0).Kind != netif.Unicast {
			return // somebody else is to enter the next
		}
	case stampOnly:
	default:
		return
	}
	binary.BigEndian.PutUint32(o[at+n-4:], r.time)
	o[2] += uint8(n)
	r.changed = true
}

// overflow counts that there was no room for our time.
func (r *recorder4) overflow(o []byte) {
	switch {
	case r.reply || o[3]&15 == stampPrespecified:
	case o[3]>>4 == 15:
		r.wrong = 3
	default:
		o[3] += 1 << 4
		r.changed = true
	}
}

// echoOptions4 appends to b the options of a datagram that its answer has too, with us in them once more.
//
// RFC 1122, 3.2.2.6: "If a Record Route and/or Time Stamp option is received in an ICMP Echo Request, this option (these
// options) SHOULD be updated to include the current host and included in the IP header of the Echo Reply message, without
// 'truncation'." Linux has them in errors too.
func (l *Layer) echoOptions4(s *snapshot, b, options []byte, src wire.Addr) []byte {
	r := recorder4{s: s, addr: src, time: l.timestamp(), reply: true, wrong: -1}
	it := wire.WalkIPv4Options(options)
	for it.Next() {
		o := it.Option()
		if o.Type != wire.IPv4RecordRoute && o.Type != wire.IPv4Timestamp {
			continue
		}
		n := len(b)
		b = append(b, o.Data...)
		r.option(b[n:])
	}
	return b
}
