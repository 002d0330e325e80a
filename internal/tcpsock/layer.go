// Package tcpsock puts TCP's machine (internal/tcp) into the stack: it finds the connection a segment belongs
// to, runs its TCB under its shard's lock, turns the segments the TCB emits into packets, keeps its timer,
// and blocks and wakes the callers of Read, Write, Accept and Dial.
//
// A [Conn] belongs to the shard its flow hashes to, and everything in it is guarded by that shard's lock. A
// [Listener]'s accept queue has a leaf lock of its own, since its connections are spread over all shards.
package tcpsock

import (
	"sync"
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/internal/tcpauth"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// Layer is the TCP of one stack.
type Layer struct {
	ip         *ip.Layer
	rt         clock.Runtime
	tracer     *trace.Tracer
	settings   settings
	secret     [16]byte // of initial sequence numbers and timestamp offsets
	tables     []table  // one for each shard
	challenges challengeLimit
	memory     memory
	cookies    cookies
	ports      *flow.Ephemeral
	hosts      hostCache

	fastOpenOnce sync.Once
	fastOpenKey  [1]FastOpenKey // made at random, unless the settings have one
	fastDisabled clock.Instant  // no data in SYNs until then; hosts.mu
	fastFailures int            // how often that was set; hosts.mu
	waiting      atomic.Int64   // remnants
	embryos      atomic.Int64
	orphans      atomic.Int64 // connections that their users have let go of
	listen       listeners
	binding      sync.Mutex // of Bind and Listen; above the shards
	claims       flow.Table[*Claim]
	closing      atomic.Bool
}

// table holds the connections of one shard. Guarded by the shard's lock.
type table struct {
	demux        demux
	first        *Conn       // the connections as a list, the youngest first
	firstRemnant *remnant    // likewise
	path         ip.Path     // scratch, as seg is
	seg          tcp.Segment // scratch: an arriving or a leaving segment, so that none is allocated
	gather       gather      // scratch, likewise
	freeEmbryos  freeList[embryo]
	freeRemnants freeList[remnant]
	awakened     awakened
	stalled      stalled
	withheld     withheld
	spare        *waiting // for waiters
	changed      waiters  // for Layer.Close: some connection changed its state
}

// New returns a Layer over shards and registers it with l. s holds its first settings.
func New(rt clock.Runtime, l *ip.Layer, shards int, s Settings, tracer *trace.Tracer) *Layer {
	t := &Layer{ip: l, rt: rt, tracer: tracer, tables: make([]table, shards)}
	s.setDefaults()
	t.settings.publish(s)
	t.memory.limits = func() *[3]int { return &t.Settings().Mem }
	t.ports = flow.NewEphemeral(rt)
	t.ports.Configure(s.Limits.LocalPorts, s.Limits.ReservedPorts)
	rt.Entropy(t.secret[:])
	for i := range t.tables {
		t.tables[i].demux.init(l.FlowSeed() + uint64(i))
		t.tables[i].awakened.init(shards)
		t.tables[i].withheld.release = func() { t.release(i) }
	}
	l.Register(t)
	l.OnRoom(t.goOn)
	return t
}

// Ports returns what chooses ephemeral ports, which other transports may share.
func (t *Layer) Ports() *flow.Ephemeral { return t.ports }

// Protocol implements ip.Transport.
func (t *Layer) Protocol() uint8 { return wire.ProtoTCP }

// Input implements ip.Transport: RFC 9293, 3.10.7, as far as finding whose segment it is.
func (t *Layer) Input(sh *shard.Shard, now clock.Instant, p *packet.Buffer) ip.Disposition {
	sh.Counters.Inc(mib.TcpInSegs)
	h, err := wire.CheckTCP(p.Bytes())
	if err != nil {
		sh.Counters.Drop(now, p, mib.TcpMalformed)
		return ip.Malformed
	}
	// RFC 9293, 3.1: "The sender MUST generate it (MUST-2) and the receiver MUST check it (MUST-3)".
	if p.Flags&packet.ChecksumGood == 0 && !wire.TransportChecksumOK(p.Bytes(), wire.ProtoTCP, p.Src, p.Dst) {
		sh.Counters.Drop(now, p, mib.TcpChecksum)
		return ip.Malformed
	}
	tab := &t.tables[sh.Index]
	seg := &tab.seg
	*seg = tcp.Segment{Seq: tcp.Seq(h.Seq()), Ack: tcp.Seq(h.Ack()), Flags: h.Flags(), Window: h.Window(),
		Urgent: h.Urgent(), Payload: h.Payload(), ECN: p.TrafficClass & ecnField}
	seg.Len = len(seg.Payload)
	// RFC 9293, 3.1: "TCP implementations MUST be prepared to handle an illegal option length (e.g., zero); a suggested
	// procedure is to reset the connection and log the error cause (MUST-7)." As Linux, we take what comes before such an
	// option, and the segment: to reset would help whoever forges one.
	if err := wire.ParseTCPOptions(h.Options(), &seg.Options); err != nil {
		sh.Counters.Inc(mib.TcpInErrs)
	}
	key := flow.Key{Local: p.Dst, Remote: p.Src, Ports: flow.Ports(h.DstPort(), h.SrcPort()),
		Scope: flow.ScopeOf(p.Src, p.In), Proto: wire.ProtoTCP}
	is := tab.demux.find(&key)
	if c := is.conn; c != nil && c.header.by(p.In) {
		if p.HopLimit < c.header.MinHopLimit {
			sh.Counters.Drop(now, p, mib.TcpMinHopLimit)
			return ip.Delivered
		}
		if !authentic(sh, now, p, c.auth, seg) {
			return ip.Delivered
		}
		var told *toldSegment
		if p.Trace != 0 {
			told = c.tell(now, p, seg)
		}
		if 2*seg.Len >= p.Cap() {
			seg.Owner = p // less would hold much memory for little
		}
		var kept bool
		if size := int(p.GSOSize); size > 0 && seg.Len > size {
			kept = c.arriveAll(now, seg, size, p.Flags&packet.KeepCWR != 0)
		} else {
			kept = c.arrive(now, seg)
		}
		if told != nil {
			told.end(now, p)
		}
		c.bury()
		if !kept {
			p.Free()
		}
		return ip.Delivered
	}
	return t.inputOther(sh, now, p, &is, &key, seg)
}

// inputOther takes a segment that belongs to no connection there is: it may be of a handshake or of what is left of a
// connection, which is has, or for a listener. sh locked.
func (t *Layer) inputOther(sh *shard.Shard, now clock.Instant, p *packet.Buffer, is *found, key *flow.Key,
	seg *tcp.Segment) ip.Disposition {
	if is.embryo != nil && t.inputEmbryo(sh, now, p, is.embryo, seg) {
		return ip.Delivered
	}
	if p.Flags&(packet.LinkMulticast|packet.Broadcast) != 0 || p.Dst.IsMulticast() {
		// RFC 9293, 3.9.2.3: "A TCP implementation MUST silently discard an incoming SYN segment that is
		// addressed to a broadcast or multicast address (MUST-57)". So for the others: no RST either.
		sh.Counters.Drop(now, p, mib.TcpMalformed)
		return ip.Malformed
	}
	l := t.listen.find(key, p.In, t.ip.Apart(p.In))
	var auth *tcpauth.Conn
	if l != nil && seg.Flags&(wire.SYN|wire.ACK|wire.RST) == wire.SYN {
		// RFC 5925, 7.5: "TCP-AO checks MUST be performed for all incoming SYNs to avoid accepting SYNs lacking TCP-AO
		// where required."
		if auth = l.auth(key); !authentic(sh, now, p, auth, seg) {
			return ip.Delivered
		}
	}
	iss, done := t.inputRemnant(sh, now, p, is.remnant, seg, l != nil)
	whose, what := "TCP: there is a listener", "it begins a handshake, and is answered with SYN,ACK"
	switch {
	case done:
		return ip.Delivered
	case l == nil, seg.Flags&wire.RST != 0:
		t.refuse(sh, now, key, seg, t.answering(p.In))
		whose, what = "TCP: no connection and no listener", "answered with a RST"
		if seg.Flags&wire.RST != 0 {
			what = "a RST is not answered"
		}
	case !l.near(key, p):
		sh.Counters.Drop(now, p, mib.TcpMinHopLimit)
		return ip.Delivered
	case seg.Flags&(wire.SYN|wire.ACK) == wire.SYN:
		if why := l.open(sh, now, key, seg, iss, auth); why != 0 {
			sh.Counters.Inc(mib.TcpExtListenDrops)
			sh.Counters.Drop(now, p, why)
			return ip.Delivered
		}
		t.saveSYN(sh, key, p, seg)
	case seg.Flags&(wire.SYN|wire.ACK) == wire.ACK && l.takeCookie(sh, now, key, seg):
		what = "its SYN cookie is good: a connection is made"
	default:
		what = "no SYN: not answered"
		// RFC 9293, 3.10.7.2: "Any acknowledgment is bad if it arrives on a connection still in the LISTEN state. An
		// acceptable reset segment should be formed for any arriving ACK-bearing segment."
		if seg.Flags&wire.ACK != 0 {
			t.refuse(sh, now, key, seg, t.answering(p.In))
			what = "no SYN: answered with a RST"
		}
	}
	t.taken(now, p, whose, what)
	return ip.Delivered
}

// refuse answers a segment that belongs to no connection with a RST (RFC 9293, 3.10.7.1). sh locked.
func (t *Layer) refuse(sh *shard.Shard, now clock.Instant, key *flow.Key, seg *tcp.Segment, h Header) {
	var rst tcp.Segment
	if !tcp.ResetFor(seg, &rst) {
		return
	}
	sh.Counters.Inc(mib.TcpOutRsts)
	t.send(sh, now, key, &rst, h, nil)
}

// answering returns what a segment is sent with that answers for no socket: out of a VRF nothing leads.
func (t *Layer) answering(in int32) (h Header) {
	if t.ip.Apart(in) {
		h.Interface = in
	}
	return h
}

// send sends a segment without data that belongs to no connection, and reports whether there is a way. sh locked.
func (t *Layer) send(sh *shard.Shard, now clock.Instant, key *flow.Key, seg *tcp.Segment, h Header,
	auth *tcpauth.Conn) bool {
	path := t.route(sh, now, key, &h)
	if path == nil {
		return false
	}
	t.emit(sh, path, key, seg, h, auth)
	return true
}

// route returns the way to key's remote end, or nil: there is none. It is good until the next call. sh locked.
func (t *Layer) route(sh *shard.Shard, now clock.Instant, key *flow.Key, h *Header) *ip.Path {
	q := t.query(key, h, nil)
	if path := t.ip.Shared(&q); path != nil {
		return path
	}
	path := &t.tables[sh.Index].path
	if t.ip.RouteInto(now, &q, path) != nil {
		return nil
	}
	return path
}

// ecnField is the part of the traffic class that is TCP's own: RFC 3168, 5.
const ecnField = 3

// emit makes a packet of seg, which has no payload, signed by auth if that is not nil, and stages it. sh locked.
func (t *Layer) emit(sh *shard.Shard, path *ip.Path, key *flow.Key, seg *tcp.Segment, chosen Header, auth *tcpauth.Conn) {
	p, _ := t.build(key, seg, auth, nil, nil, 0)
	sh.Counters.Inc(mib.TcpOutSegs)
	t.leave(sh, path, key, chosen, seg.ECN, p)
}

// build makes a packet of seg, from its TCP header on, whose first octets are headers and whose payload is c's, with room for
// more behind it; or puts the header in front of p, if that is not nil: the payload where it lies.
func (t *Layer) build(key *flow.Key, seg *tcp.Segment, auth *tcpauth.Conn, c *Conn, p *packet.Buffer, room int) (_ *packet.Buffer, headers int) {
	h := wire.TCPHeader{SrcPort: key.LocalPort(), DstPort: key.RemotePort(), Seq: uint32(seg.Seq),
		Ack: uint32(seg.Ack), Flags: seg.Flags, Window: seg.Window, Urgent: seg.Urgent, Options: seg.Options}
	options := h.Len()
	headers = options + auth.OptionLen()
	if p != nil {
		p.Prepend(headers)
	} else {
		p = packet.New(headers + seg.Len + room)
		p.Truncate(headers + seg.Len)
		if seg.Len > 0 {
			c.tcb.Payload(seg, p.Bytes()[headers:])
		}
	}
	b := p.Bytes()
	h.Put(b[:options])
	if headers > options {
		sign(auth, b, options)
	}
	return p, headers
}

// leave sends p, which begins with its TCP header, by path. Its checksum is left to the link. sh locked.
func (t *Layer) leave(sh *shard.Shard, path *ip.Path, key *flow.Key, chosen Header, ecn uint8, p *packet.Buffer) {
	params := t.params(key, &chosen)
	params.TrafficClass = chosen.TrafficClass&^ecnField | ecn
	p.Flags |= packet.ChecksumLater
	t.ip.Output(path, &params, p)
	sh.Stage(p)
}

// mss returns the largest segment, options included, that a path of the given MTU carries to dst.
func mss(dst wire.Addr, mtu int) int {
	if dst.Is4() {
		return mtu - wire.IPv4MinLen - wire.TCPMinLen
	}
	return mtu - wire.IPv6Len - wire.TCPMinLen
}
