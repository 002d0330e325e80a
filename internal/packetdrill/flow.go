package packetdrill

import (
	"net/netip"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/wire"
)

// sockState is how far a socket of the script has come, as far as it matters for saying which packets are its own.
type sockState uint8

const (
	sockNew         sockState = iota // after socket
	sockListening                    // after listen
	sockPassive                      // a packet arrived that a listening socket, or none, is there for
	sockSynAckSent                   // its SYN-ACK has left
	sockSynAckAcked                  // which was acknowledged
	sockRefused                      // which was answered with a RST
	sockConnecting                   // after connect, sendto
	sockSynSent                      // its SYN is expected
	sockSynAcked                     // which was answered
)

// side is what one side of the mapping, script or live, knows of a socket: its addresses and the initial sequence
// numbers. A side's zero AddrPort is not known yet.
type side struct {
	local, remote       netip.AddrPort
	localISN, remoteISN uint32
}

// sock is a socket of the script: the connection that packets of the script belong to. The script's numbers are mapped
// to those on the wire and back: sequence numbers and timestamps that the stack under test chooses, ports and addresses.
// In segments with SYN, sequence numbers are absolute, in others they count from the SYN.
type sock struct {
	state    sockState
	domain   int
	typ      int
	proto    uint8 // on the wire
	fd       int   // of the stack under test; -1: not accepted yet
	scriptFD int

	script, live side

	// The Timestamps option: which live value the stack sent where the script has which, and the first pair.
	tsLive             map[uint32]uint32
	tsSeen             bool
	tsScript0, tsLive0 uint32

	label, liveLabel uint32     // the flow label last expected, and what it was
	cookies          *cookieJar // the script's
	pending          []*live    // packets of this socket that came when another's was expected
}

// cookieJar says which Fast Open cookie the stack gave out where the script has which.
type cookieJar []struct{ script, live string }

// localOffset is what to add to a script's sequence number of the stack under test for the live one.
func (s *sock) localOffset(syn bool) uint32 {
	if syn {
		return s.live.localISN - s.script.localISN
	}
	return s.live.localISN
}

// remoteOffset is the same for the peer's sequence numbers, which the script chooses.
func (s *sock) remoteOffset(syn bool) uint32 {
	if syn {
		return 0
	}
	return s.live.remoteISN
}

// owns reports whether p, which the stack sent, is between the socket's addresses.
func (s *sock) owns(p *live) bool {
	if s.live.local != p.src || s.live.remote != p.dst {
		return false
	}
	return s.proto == p.proto
}

// ownsAddrs is owns for protocols without ports.
func (s *sock) ownsAddrs(p *live) bool {
	return s.live.local.Addr() == p.src.Addr() && s.live.remote.Addr() == p.dst.Addr()
}

// adopts reports whether p is the first packet of a socket that connects, and learns the local address from it.
func (s *sock) adopts(p *live) bool {
	if s.proto != p.proto {
		return false
	}
	switch p.proto {
	case wire.ProtoTCP:
		if s.state != sockSynSent || p.flags&(script.SYN|script.ACK) != script.SYN || p.dst != s.live.remote {
			return false
		}
		s.live.localISN = p.seq
	case wire.ProtoUDP:
		if s.state != sockConnecting || p.dst != s.live.remote {
			return false
		}
	case wire.ProtoICMP, wire.ProtoICMPv6:
		if s.state != sockConnecting || p.dst.Addr() != s.live.remote.Addr() {
			return false
		}
	default:
		return false
	}
	s.live.local = p.src
	return true
}

// liveEcr maps a timestamp the script echoes to the one the stack sent: exactly where the stack sent it, or, where the
// script echoes one that it did not expect, as far from the first as in the script.
func (s *sock) liveEcr(ecr uint32) uint32 {
	if v, ok := s.tsLive[ecr]; ok {
		return v
	}
	if s.tsSeen {
		return ecr - s.tsScript0 + s.tsLive0
	}
	return ecr
}

// sawTS notes that the stack sent the timestamp live where the script has val, and returns live in the script's terms.
func (s *sock) sawTS(val, live uint32) uint32 {
	if s.tsLive == nil {
		s.tsLive = map[uint32]uint32{}
	}
	s.tsLive[val] = live
	if !s.tsSeen {
		s.tsSeen, s.tsScript0, s.tsLive0 = true, val, live
	}
	return live - s.tsLive0 + s.tsScript0
}

// live maps a cookie of the script to the one the stack gave out.
func (j *cookieJar) live(c []byte) []byte {
	for _, p := range *j {
		if p.script == string(c) {
			return []byte(p.live)
		}
	}
	return c
}

// given notes that the stack gave out the cookie live where the script has c, unless one of the two means something
// already, and returns what live is in the script.
func (j *cookieJar) given(c, live []byte) []byte {
	for _, p := range *j {
		if p.live == string(live) {
			return []byte(p.script)
		}
		if p.script == string(c) {
			return live
		}
	}
	*j = append(*j, struct{ script, live string }{string(c), string(live)})
	return c
}
