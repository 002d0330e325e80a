package udp

import (
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// table finds sockets by local port.
type table struct{ flow.Table[*Socket] }

// find returns the socket that matches a datagram to local from remote best, or nil: one connected to
// remote before one bound to the address before a wildcard.
func (t *table) find(local, remote wire.Addr, lport, rport uint16, scope uint32) *Socket {
	var best *Socket
	bestScore := -1
	for _, s := range t.On(lport) {
		if n := s.match(local, remote, rport, scope); n > bestScore {
			best, bestScore = s, n
		}
	}
	return best
}
