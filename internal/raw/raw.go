// Package raw is raw sockets: each gets a copy of every packet of its IP protocol that is for this host, beside whoever else
// takes that, and sends packets of the protocol, with or without an internet header of its own. It is as with Linux: what
// is read with IPv4 begins with the internet header, with IPv6 behind all headers of IPv6 (RFC 3542, 3); ICMP and ICMPv6 are read
// through a filter of types.
//
// What a [Socket] has in common with other sockets of datagrams is in internal/dgram.
package raw

import (
	"sync"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
)

// Layer is the raw sockets of one stack.
type Layer struct {
	host  dgram.Host
	table flow.Table[*Socket] // by protocol number, which stands for the port

	mu    sync.Mutex // Open and Unbind
	count int        // sockets
}

// New returns a Layer. l hears of it when there is a socket.
func New(rt clock.Runtime, l *ip.Layer) *Layer {
	r := new(Layer)
	r.host.IP, r.host.Runtime = l, rt
	return r
}

// Close closes all sockets; Open fails with ESHUTDOWN from then on.
func (l *Layer) Close() {
	for _, s := range l.table.Shut() {
		s.Close() // fails only if its user closed it at the same time
	}
}

// Sockets returns the sockets that are open, in the order they were opened.
func (l *Layer) Sockets() []*Socket { return l.table.All() }

// Input implements ip.Raw.
func (l *Layer) Input(c *mib.Set, now clock.Instant, p *packet.Buffer) bool {
	heard := false
	for _, s := range l.table.On(uint16(p.Proto)) {
		if !s.matches(p) {
			continue
		}
		heard = true
		if !s.Hears(p) || s.filtered(p) {
			continue
		}
		q := p.Clone()
		q.GSOSize = 0 // its reader gets it whole
		if !s.verified(q) {
			c.Drop(now, q, mib.RawChecksum)
			continue
		}
		s.Take(c, now, q)
	}
	return heard
}

// matches reports whether p is for the socket: from its remote end, to its address, by its interface.
func (s *Socket) matches(p *packet.Buffer) bool {
	apart, scope := s.layer.host.IP.Apart(p.In), flow.ScopeOf(p.Src, p.In)
	if s.MatchAddrs(p.Dst, p.Src, scope, p.In, apart) >= 0 {
		return true
	}
	// Who is bound to an address hears the groups that he joined, too, as with Linux: with IPv6 only.
	return !p.Dst.Is4() && s.Joined(p) && s.MatchAddrs(s.Local().Addr, p.Src, scope, p.In, apart) >= 0
}

// Error implements ip.Raw: all sockets that may have sent the packet are told.
func (l *Layer) Error(e *ip.Error) {
	for _, s := range l.table.On(uint16(e.Proto)) {
		if s.MatchAddrs(e.Src, e.Dst, e.Scope, 0, false) >= 0 {
			s.Report(e, 0)
		}
	}
}

// Vouches implements ip.Raw.
func (l *Layer) Vouches(e *ip.Error) bool {
	for _, s := range l.table.On(uint16(e.Proto)) {
		if s.MatchAddrs(e.Src, e.Dst, e.Scope, 0, false) >= 0 && s.MaySend(e.Dst, 0) {
			return true
		}
	}
	return false
}
