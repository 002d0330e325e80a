package udp

import (
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// table finds sockets by local port.
type table struct{ flow.Table[*Socket] }

// find returns the socket that matches a datagram to local from remote best, or nil: one connected to
// remote before one bound to the address before a wildcard. Of equals the one bound last gets it, as with Linux; those
// that share by SO_REUSEPORT each get a part of the flows.
func (t *table) find(local, remote wire.Addr, lport, rport uint16, scope uint32, in int32, apart bool) *Socket {
	var best *Socket
	bestScore, group := -1, uint32(0)
	for _, s := range t.On(lport) {
		n := s.Match(local, remote, rport, scope, in, apart)
		switch {
		case n < 0 || n < bestScore:
		case n > bestScore:
			best, bestScore, group = s, n, 1
		case s.sharing&best.sharing&ReusePort == 0:
			best, group = s, 1
		default:
			// Each of a group is chosen with the same probability, and for a flow always the same.
			group++
			key := flow.Key{Local: local, Remote: remote, Ports: flow.Ports(lport, rport), Scope: scope}
			if key.Hash(uint64(group))%group == 0 {
				best = s
			}
		}
	}
	return best
}
