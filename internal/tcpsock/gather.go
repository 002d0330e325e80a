package tcpsock

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// gather joins segments that a TCB emits one after the other to a super-packet: TCP counts, paces and repairs segments of one
// MSS, and all below it handles many at once. A shard has one, since its lock is held from the first segment to the last.
type gather struct {
	p       *packet.Buffer // as far as it is built: header and data; nil: there is none
	path    *ip.Path       // that it leaves by
	header  Header         // what the user has chosen of its internet header
	first   tcp.Segment    // that others may be joined to
	headers int            // octets in front of the data
	lies    int            // octets of data that lie together, if p is on loan
	next    tcp.Seq        // behind the last one
	last    wire.TCPFlags  // of the last one
	full    bool           // the last one is as long as the first: another may follow
}

// maxData is the most octets of data in a super-packet, whatever its headers.
const maxData = offload.MaxLen - wire.IPv6Len - wire.TCPMaxLen

// joinable are the control bits that segments which are joined may have.
const joinable = wire.ACK | wire.PSH | wire.FIN | wire.ACE

// start begins a packet with seg, which may be the last: more is how many octets may follow it.
func (g *gather) start(c *Conn, seg *tcp.Segment, more int) {
	room := 0
	if g.full = seg.Len > 0 && seg.Flags&^joinable == 0 && seg.Flags&(wire.PSH|wire.FIN) == 0 && c.auth == nil &&
		!c.path.If.Whole && !(c.header.MayFragment && c.key.Remote.Is4()); g.full {
		room = max(min(more, maxData-seg.Len), 0)
	}
	lent, lies := c.lend(seg, room)
	g.p, g.headers = c.layer.build(&c.key, seg, c.auth, c, lent, room)
	g.lies = lies
	g.path, g.header, g.first = c.path, c.header, *seg
	g.next, g.last = seg.Seq.Add(seg.Len), seg.Flags
}

// room returns how many octets of data may be appended.
func (g *gather) room() int {
	data := g.p.Len() - g.headers
	if g.p.Lent() {
		return min(g.lies, maxData) - data
	}
	return min(g.p.Tailroom(), maxData-data)
}

// extend appends the data of seg, for which there must be room.
func (g *gather) extend(c *Conn, seg *tcp.Segment) {
	if g.p.Lent() {
		g.p.Reveal(seg.Len)
		return
	}
	c.tcb.Payload(seg, g.p.Extend(seg.Len))
}

// join appends seg, if it goes on where the packet ends and differs in nothing that a device would not make anew.
func (g *gather) join(c *Conn, seg *tcp.Segment) bool {
	f := &g.first
	if g.p == nil || !g.full || seg.Seq != g.next || seg.Len == 0 || seg.Len > f.Len || seg.Len > g.room() ||
		(seg.Flags^f.Flags)&^(wire.PSH|wire.FIN) != 0 || seg.Ack != f.Ack ||
		seg.Window != f.Window || seg.ECN != f.ECN || seg.Options != f.Options || c.path != g.path {
		return false
	}
	g.extend(c, seg)
	g.next, g.last = seg.Seq.Add(seg.Len), seg.Flags
	g.full = seg.Len == f.Len && seg.Flags&(wire.PSH|wire.FIN) == 0
	return true
}

// run appends the segments that the TCB sends at once after seg, with which the packet was just begun.
func (g *gather) run(now clock.Instant, c *Conn, seg *tcp.Segment) {
	if !g.full || seg.Len == 0 {
		return
	}
	k := c.tcb.NextRun(now, seg, g.room()/seg.Len)
	if k == 0 {
		return
	}
	c.sh.Counters.Add(mib.TcpOutSegs, uint64(k))
	all := tcp.Segment{Seq: g.next, Len: k * seg.Len}
	g.extend(c, &all)
	g.next = g.next.Add(all.Len)
}

// whole reports whether the packet is as long as c's may be.
func (g *gather) whole(c *Conn) bool { return g.p.Len()-g.headers >= c.tcb.SuperPacket() }

// flush stages the packet, if there is one.
func (g *gather) flush(c *Conn) {
	p := g.p
	if p == nil {
		return
	}
	g.p = nil
	if p.Len()-g.headers > g.first.Len {
		p.GSOSize = uint16(g.first.Len)
		wire.TCP(p.Bytes()).SetFlags(g.last)
		// RFC 9768, 3.2.2: CWR is a bit of the ACE field there, and so the same in all segments.
		if g.last&wire.CWR != 0 {
			p.Flags |= packet.KeepCWR
		}
	}
	c.layer.leave(c.sh, g.path, &c.key, g.header, g.first.ECN, p)
}

// arriveAll is arrive of a super-packet, whose segments have size octets of data each, the last apart: the TCB gets them as a run
// if it can take them so, else one by one, and answers all of them at once. sh locked.
func (c *Conn) arriveAll(now clock.Instant, seg *tcp.Segment, size int, keepCWR bool) (kept bool) {
	tcb, data, flags, owner := c.awake(), seg.Payload, seg.Flags, seg.Owner
	for len(data) > size {
		if seg.Payload, seg.Len, seg.Flags, seg.Owner = data, len(data), flags, owner; tcb.ArriveRun(now, seg, size) {
			c.sh.Counters.Add(mib.TcpInSegs, uint64((len(data)-1)/size))
			kept = owner != nil && seg.Owner == nil
			c.answer(now)
			return kept
		}
		// One of several segments does not own the packet.
		seg.Payload, seg.Len, seg.Flags, seg.Owner = data[:size], size, flags&^(wire.PSH|wire.FIN), nil
		c.take(now, seg)
		c.sh.Counters.Inc(mib.TcpInSegs)
		data, seg.Seq = data[size:], seg.Seq.Add(size)
		if !keepCWR {
			flags &^= wire.CWR
		}
	}
	seg.Payload, seg.Len, seg.Flags = data, len(data), flags
	return c.arrive(now, seg)
}
