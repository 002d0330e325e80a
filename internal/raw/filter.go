package raw

import (
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Filter is the types of ICMP or ICMPv6 messages that a socket does not want: bit t%32 of word t/32 is type t's. It is
// Linux's struct icmp6_filter, and its first word struct icmp_filter.
type Filter [8]uint32

// Blocks reports whether messages of type t are not wanted.
func (f *Filter) Blocks(t uint8) bool { return f[t>>5]>>(t&31)&1 != 0 }

// Block and Pass change that.
func (f *Filter) Block(t uint8) { f[t>>5] |= 1 << (t & 31) }
func (f *Filter) Pass(t uint8)  { f[t>>5] &^= 1 << (t & 31) }

// SetFilter has the socket not hear messages that f blocks.
func (s *Socket) SetFilter(f Filter) { s.filter.Store(&f) }

// Filter returns what the socket does not hear.
func (s *Socket) Filter() Filter {
	if f := s.filter.Load(); f != nil {
		return *f
	}
	return Filter{}
}

// filtered reports whether p is an ICMP message that the socket's filter blocks. Of IPv4 types from 32 on are not filtered, as
// with Linux; a message without a type passes no filter that there is.
func (s *Socket) filtered(p *packet.Buffer) bool {
	four := p.Dst.Is4()
	if !(four && p.Proto == wire.ProtoICMP || !four && p.Proto == wire.ProtoICMPv6) {
		return false
	}
	f := s.filter.Load()
	switch b := p.Bytes(); {
	case f == nil:
		return false
	case len(b) < wire.ICMPLen:
		return true
	default:
		return !(four && b[0] >= 32) && f.Blocks(b[0])
	}
}
