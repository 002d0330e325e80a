// Package udp is the User Datagram Protocol (RFC 768; RFC 8200, 8.1): sockets, the table that finds the best
// match for a datagram, and the two ways of an ICMP error: port unreachable for datagrams nobody wants, and
// ECONNREFUSED at the connected socket whose datagram somebody else refused.
//
// What a [Socket] is besides its header and its port is in internal/dgram.
package udp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Layer is the UDP of one stack.
type Layer struct {
	host  dgram.Host
	ip    *ip.Layer
	ports *flow.Ephemeral
	table table
}

// New returns a Layer and registers it with l.
func New(rt clock.Runtime, l *ip.Layer) *Layer {
	u := &Layer{ip: l, ports: flow.NewEphemeral(rt)}
	u.host.IP, u.host.Runtime = l, rt
	u.table.seed = l.FlowSeed()
	l.Register(u)
	return u
}

// UsePorts has the layer choose ephemeral ports with e. It must be called before the first Open.
func (u *Layer) UsePorts(e *flow.Ephemeral) { u.ports = e }

// Close closes all sockets; Open fails with ESHUTDOWN from then on.
func (u *Layer) Close() {
	for _, s := range u.table.Shut() {
		s.Close() // fails only if its user closed it at the same time
	}
}

// Protocol implements ip.Transport.
func (u *Layer) Protocol() uint8 { return wire.ProtoUDP }

// Input implements ip.Transport.
func (u *Layer) Input(sh *shard.Shard, now clock.Instant, p *packet.Buffer) ip.Disposition {
	h, ok := check(sh, now, p)
	if !ok {
		return ip.Malformed
	}
	if p.Dst.IsMulticast() || p.Flags&packet.Broadcast != 0 {
		return u.toAll(sh, now, p, h)
	}
	s := u.table.find(p.Dst, p.Src, h.DstPort(), h.SrcPort(), flow.ScopeOf(p.Src, p.In), p.In, u.ip.Apart(p.In))
	if s == nil {
		return ip.NoPort // ip counts the drop and answers port unreachable (RFC 1122, 4.1.3.1)
	}
	s.take(sh, now, p)
	return ip.Delivered
}

// check takes the padding behind a datagram away and verifies it. If it is malformed, it drops it.
func check(sh *shard.Shard, now clock.Instant, p *packet.Buffer) (h wire.UDP, ok bool) {
	h, err := wire.CheckUDP(p.Bytes())
	if err != nil {
		sh.Counters.Drop(now, p, mib.UdpMalformed)
		return nil, false
	}
	p.Truncate(h.Length())
	if len(h.Payload()) <= int(p.GSOSize) {
		p.GSOSize = 0
	}
	if p.Flags&packet.ChecksumGood == 0 && !checksumOK(p, h) {
		sh.Counters.Drop(now, p, mib.UdpChecksum)
		return nil, false
	}
	return h, true
}

// take gives p to the socket.
func (s *Socket) take(sh *shard.Shard, now clock.Instant, p *packet.Buffer) {
	n := dgram.Datagrams(p) // p is not ours afterwards
	if s.Take(&sh.Counters, now, p) {
		sh.Counters.Add(mib.UdpInDatagrams, uint64(n))
	}
}

// toAll gives a multicast or broadcast datagram to every socket that it matches, to each its own copy.
// That one of them cannot take it does not keep it from the others.
func (u *Layer) toAll(sh *shard.Shard, now clock.Instant, p *packet.Buffer, h wire.UDP) ip.Disposition {
	var last *Socket
	apart := u.ip.Apart(p.In)
	for _, s := range u.table.On(h.DstPort()) {
		if s.Match(p.Dst, p.Src, h.SrcPort(), uint32(p.In), p.In, apart) < 0 || !s.Hears(p) {
			continue
		}
		if last != nil {
			last.take(sh, now, p.Clone())
		}
		last = s
	}
	if last == nil {
		return ip.NoPort
	}
	last.take(sh, now, p)
	return ip.Delivered
}

// checksumOK verifies the checksum of the datagram h, which is all of p.
func checksumOK(p *packet.Buffer, h wire.UDP) bool {
	if h.Checksum() == 0 {
		// RFC 768: "An all zero transmitted checksum value means that the transmitter generated no checksum".
		// RFC 8200, 8.1: "IPv6 receivers must discard UDP packets containing a zero checksum".
		return p.Src.Is4()
	}
	return wire.TransportChecksumOK(p.Bytes(), wire.ProtoUDP, p.Src, p.Dst)
}

// Vouches implements ip.Voucher: a message about the path MTU is believed if it quotes a datagram that a socket may have sent
// lately.
func (u *Layer) Vouches(_ *shard.Shard, e *ip.Error) bool {
	if len(e.Quote) < 4 {
		return false
	}
	q := wire.UDP(e.Quote)
	s := u.table.find(e.Src, e.Dst, q.SrcPort(), q.DstPort(), e.Scope, 0, false)
	return s != nil && s.MaySend(e.Dst, q.DstPort())
}

// Error implements ip.Transport: the error goes to the socket that sent the datagram.
func (u *Layer) Error(sh *shard.Shard, now clock.Instant, e *ip.Error) {
	if len(e.Quote) < 4 {
		return
	}
	q := wire.UDP(e.Quote)
	if s := u.table.find(e.Src, e.Dst, q.SrcPort(), q.DstPort(), e.Scope, 0, false); s != nil {
		s.Report(e, q.DstPort())
	}
}
