// Package icmp is ping sockets: echo (RFC 792; RFC 4443, 4.1) without the rights that a raw socket needs, as Linux's sockets of
// SOCK_DGRAM and IPPROTO_ICMP. A [Socket] sends echo requests, with an identifier that is its alone, and gets what answers
// them: the replies with that identifier, and the errors. [Layer.Echo] is one request by a socket of its own. Answering requests,
// and all other ICMP, is in internal/ip.
package icmp

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

// Layer is the ping sockets of one stack.
type Layer struct {
	host  dgram.Host
	table flow.Table[*Socket] // by identifier, which stands for the port
	ids   *flow.Ephemeral
}

// New returns a Layer and registers it with l for both families.
func New(rt clock.Runtime, l *ip.Layer) *Layer {
	c := &Layer{ids: flow.NewEphemeral(rt)}
	c.host.IP, c.host.Runtime = l, rt
	c.ids.Configure(flow.PortRange{First: 1, Last: 65535}, nil)
	l.Register(transport{c, wire.ProtoICMP})
	l.Register(transport{c, wire.ProtoICMPv6})
	return c
}

// Close closes all sockets, and so ends all requests under way and those to come.
func (c *Layer) Close() {
	for _, s := range c.table.Shut() {
		s.Close() // fails only if its user closed it at the same time
	}
}

// Sockets returns the sockets that are open, in the order they were opened.
func (c *Layer) Sockets() []*Socket { return c.table.All() }

// find returns the socket that a message matches best which answers, or quotes, the request m from local to remote; nil: none. Of
// equals the one bound last gets it, as with Linux.
func (c *Layer) find(m wire.ICMP, local, remote wire.Addr, scope uint32, in int32, apart bool) *Socket {
	var best *Socket
	bestScore := -1
	for _, s := range c.table.On(m.ID()) {
		if s.one && s.seq != m.Seq() {
			continue
		}
		if n := s.MatchAddrs(local, remote, scope, in, apart); n >= max(bestScore, 0) {
			best, bestScore = s, n
		}
	}
	return best
}

// transport is the Layer as ip sees it, once for each family's protocol number.
type transport struct {
	*Layer
	proto uint8
}

// Protocol implements ip.Transport.
func (t transport) Protocol() uint8 { return t.proto }

// Input implements ip.Transport; it gets echo replies only, their checksum verified.
func (t transport) Input(sh *shard.Shard, now clock.Instant, p *packet.Buffer) ip.Disposition {
	m, err := wire.CheckICMP(p.Bytes())
	if err != nil {
		sh.Counters.Drop(now, p, mib.IcmpMalformed)
		return ip.Malformed
	}
	s := t.find(m, p.Dst, p.Src, flow.ScopeOf(p.Src, p.In), p.In, t.host.IP.Apart(p.In))
	if s == nil {
		return ip.NoPort
	}
	s.Take(&sh.Counters, now, p)
	return ip.Delivered
}

// sender returns the socket that sent the request that e is about, or nil.
func (t transport) sender(e *ip.Error) *Socket {
	if len(e.Quote) < wire.ICMPLen {
		return nil
	}
	return t.find(wire.ICMP(e.Quote), e.Src, e.Dst, e.Scope, 0, false)
}

// Vouches implements ip.Voucher: a message about the path MTU is believed if it quotes a request that a socket may have sent.
func (t transport) Vouches(_ *shard.Shard, e *ip.Error) bool {
	s := t.sender(e)
	return s != nil && s.MaySend(e.Dst, 0)
}

// Error implements ip.Transport; it gets errors about our echo requests only.
func (t transport) Error(_ *shard.Shard, _ clock.Instant, e *ip.Error) {
	if s := t.sender(e); s != nil {
		s.Report(e, 0)
	}
}
