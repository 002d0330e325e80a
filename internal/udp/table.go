package udp

import (
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// table finds sockets by local port.
type table struct {
	flow.Table[*Socket]
	seed uint64 // of who gets a flow in a group: nobody outside can choose flows that all go to one
}

// find returns the socket that matches a datagram to local from remote best, or nil: one connected to
// remote before one bound to the address before a wildcard. Of equals the one bound last gets it, as with Linux; those
// that share by SO_REUSEPORT each get a part of the flows.
func (t *table) find(local, remote wire.Addr, lport, rport uint16, scope uint32, in int32, apart bool) *Socket {
	var best *Socket
	bestScore, group := -1, uint32(0)
	var hash uint64 // of the flow; 0: not needed so far
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
			if hash == 0 {
				key := flow.Key{Local: local, Remote: remote, Ports: flow.Ports(lport, rport), Scope: scope}
				hash = uint64(key.Hash(t.seed)) | 1<<32
			}
			if uint32(flow.Mix(hash+uint64(group))>>32)%group == 0 {
				best = s
			}
		}
	}
	return best
}
