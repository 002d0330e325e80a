package ip

import (
	"encoding/binary"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// icmpError takes an ICMP error for us, at its header, to the transport of the packet it is about.
//
// RFC 1122, 3.2.2: "In those cases where the Internet layer is required to pass an ICMP error message to the transport
// layer, the IP protocol number MUST be extracted from the original header and used to select the appropriate
// transport protocol entity to handle the error." RFC 4443, 2.4 (d): likewise.
func (q *queue) icmpError(p *packet.Buffer, m wire.ICMP) {
	four := p.Dst.Is4()
	malformed, ignored := mib.Icmp6Malformed, mib.Icmp6Ignored
	if four {
		malformed, ignored = mib.IcmpMalformed, mib.IcmpIgnored
	}
	e := &q.err
	*e = Error{Type: m.Type(), Code: m.Code(), From: p.Src, Message: m, HopLimit: p.HopLimit}
	var quoted []byte
	// A malformed extension structure does not make the error less true.
	quoted, e.Objects, _ = m.Extensions(four)
	size, ok := e.readQuote(four, quoted)
	if !ok && !e.fragment {
		q.drop(p, malformed)
		return
	}
	// Only what we sent can have gone wrong for us.
	if p.Dst.IsMulticast() || q.s.Lookup(e.Src, p.In).Kind != netif.Unicast {
		q.drop(p, ignored)
		return
	}
	e.Scope = flow.ScopeOf(e.Dst, p.In)
	if e.fragment {
		if !q.tooBigFragment(e, m) {
			q.drop(p, ignored)
			return
		}
		q.taken(p, "ICMP: the path of fragments we sent takes less")
		return
	}
	if four {
		e.Errno = errno4(e.Type, e.Code)
	} else {
		e.Errno = errno6(e.Type, e.Code)
	}
	if e.Errno == syscall.EMSGSIZE && !(q.l.vouched(e) && q.packetTooBig(e, m.Rest(), size)) {
		q.drop(p, ignored)
		return
	}
	q.l.tell(q.now, e)
	q.taken(p, "ICMP: the error is told to "+ProtocolName(e.Proto))
}

// packetTooBig takes note of a path MTU. It returns false if the message is nothing to go by.
func (q *queue) packetTooBig(e *Error, rest uint32, size int) bool {
	var changed bool
	if e.Dst.Is4() {
		e.MTU, changed = q.l.pmtu.lower4(q.now, q.l.Settings(), e.Dst, int(rest&0xffff), size)
	} else {
		e.MTU, changed = q.l.pmtu.lower6(q.now, q.l.Settings(), pathKey{e.Dst, e.Scope}, rest, size)
	}
	if changed {
		q.l.pathMTUChanged(q.now)
	}
	return e.MTU != 0
}

// readQuote fills e with the packet that the error is about, and returns its length in octets. It returns false if too
// little of it was quoted, or it is a later fragment, which names no flow.
func (e *Error) readQuote(four bool, b []byte) (size int, ok bool) {
	if four {
		h, err := wire.CheckIPv4Quoted(b)
		if err != nil {
			return 0, false
		}
		e.Src, e.Dst, e.Proto, e.Quote, e.size = h.Src(), h.Dst(), h.Protocol(), h.Payload(), h.TotalLen()
		e.quoteAt = wire.ICMPLen + h.HeaderLen()
		if h.FragmentOffset() != 0 {
			e.fragment, e.fragmentID = true, uint32(h.ID())
			return 0, false
		}
		return e.size, true
	}
	h, err := wire.CheckIPv6Quoted(b)
	if err != nil {
		return 0, false
	}
	e.Src, e.Dst, e.size = h.Src(), h.Dst(), wire.IPv6Len+h.PayloadLen()
	it := wire.WalkExt(h.NextHeader(), h.Payload())
	for it.Next() {
		if x := it.Header(); x.Proto == wire.ProtoFragment {
			if f, _ := wire.ParseFragment(x.Data); f.Offset != 0 {
				e.fragment, e.fragmentID = true, f.ID
				return 0, false
			}
		}
	}
	proto, at := it.Upper()
	if it.Err() != nil {
		return 0, false
	}
	e.Proto, e.Quote, e.quoteAt = proto, h.Payload()[at:], wire.ICMPLen+wire.IPv6Len+at
	return e.size, true
}

// tell gives e to raw sockets, and to its transport under the lock of the flow's shard. No shard may be locked.
func (l *Layer) tell(now clock.Instant, e *Error) {
	if raw := l.raw.Load(); raw != nil {
		(*raw).Error(e)
	}
	t := l.transport(e.Proto)
	if t == nil {
		return
	}
	sh, ok := l.shardOf(e)
	if !ok {
		return
	}
	sh.Lock()
	t.Error(sh, now, e)
	sh.Unlock()
}

// shardOf returns the shard of the flow that e is about, or false if the quotation does not tell.
func (l *Layer) shardOf(e *Error) (*shard.Shard, bool) {
	var p uint32
	switch b := e.Quote; e.Proto {
	case wire.ProtoICMP, wire.ProtoICMPv6:
		request := uint8(wire.ICMPv4EchoRequest)
		if e.Proto == wire.ProtoICMPv6 {
			request = wire.ICMPv6EchoRequest
		}
		if len(b) < wire.ICMPLen || b[0] != request {
			return nil, false
		}
		p = flow.Ports(wire.ICMP(b).ID(), 0)
	case wire.ProtoTCP, wire.ProtoUDP:
		if len(b) < 4 {
			return nil, false
		}
		p = flow.Ports(binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]))
	}
	return l.ShardFor(&flow.Key{Local: e.Src, Remote: e.Dst, Ports: p, Scope: e.Scope, Proto: e.Proto}), true
}

// failed tells the sender of p, a packet of ours at its internet header, that it does not leave for want of a
// neighbor or because it is too big, and drops it.
func (l *Layer) failed(now clock.Instant, p *packet.Buffer, errno syscall.Errno, mtu int, counters *mib.Set, r mib.Reason) {
	e := &Error{Errno: errno, Local: true, MTU: mtu}
	if _, ok := e.readQuote(p.Dst.Is4(), p.FromNetwork()); ok {
		e.From = e.Src
		e.Scope = flow.ScopeOf(e.Dst, p.Out)
		l.tell(now, e)
	}
	counters.Drop(now, p, r)
}

// errno4 returns what a Linux socket reports for an ICMP error; RFC 1122, 3.2.2.1 tells the codes.
func errno4(typ, code uint8) syscall.Errno {
	switch typ {
	case wire.ICMPv4DestUnreachable:
		switch code {
		case wire.ICMPv4NetUnreachable, wire.ICMPv4NetUnknown, wire.ICMPv4NetProhibited, wire.ICMPv4NetUnreachableTOS:
			return syscall.ENETUNREACH
		case wire.ICMPv4ProtoUnreachable:
			return syscall.ENOPROTOOPT
		case wire.ICMPv4PortUnreachable:
			return syscall.ECONNREFUSED
		case wire.ICMPv4FragmentationNeeded:
			return syscall.EMSGSIZE
		case wire.ICMPv4SourceRouteFailed:
			return syscall.EOPNOTSUPP
		case wire.ICMPv4HostUnknown:
			return syscall.EHOSTDOWN
		case wire.ICMPv4SourceHostIsolated:
			return errIsolated
		}
	case wire.ICMPv4ParamProblem:
		return syscall.EPROTO
	}
	return syscall.EHOSTUNREACH
}

// errno6 returns what a Linux socket reports for an ICMPv6 error; RFC 4443, 3 tells the codes.
func errno6(typ, code uint8) syscall.Errno {
	switch typ {
	case wire.ICMPv6DestUnreachable:
		switch code {
		case wire.ICMPv6NoRoute:
			return syscall.ENETUNREACH
		case wire.ICMPv6AdminProhibited, wire.ICMPv6SourcePolicy, wire.ICMPv6RejectRoute:
			return syscall.EACCES
		case wire.ICMPv6PortUnreachable:
			return syscall.ECONNREFUSED
		}
		return syscall.EHOSTUNREACH
	case wire.ICMPv6PacketTooBig:
		return syscall.EMSGSIZE
	case wire.ICMPv6TimeExceeded:
		return syscall.EHOSTUNREACH
	}
	return syscall.EPROTO
}
