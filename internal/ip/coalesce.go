package ip

import (
	"sync"
	"sync/atomic"

	"github.com/onlink-go/onlink/internal/offload"
)

// coalesced are the ports of UDP to which datagrams are joined as they come (GRO), since a socket asked for it. Where they turn out to be for
// somebody else, they are cut again: by the socket, or on their way out.
type coalesced struct {
	ports atomic.Pointer[offload.Ports] // nil: nobody has ever asked

	mu      sync.Mutex // a leaf
	sockets map[uint16]int
}

// Coalesce notes that one more socket of a port of UDP wants its datagrams joined, or one less.
func (l *Layer) Coalesce(port uint16, on bool) {
	c := &l.coalesced
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sockets == nil {
		c.sockets = make(map[uint16]int)
		c.ports.Store(new(offload.Ports))
	}
	if on {
		c.sockets[port]++
	} else if c.sockets[port]--; c.sockets[port] == 0 {
		delete(c.sockets, port)
	}
	c.ports.Load().Set(port, c.sockets[port] > 0)
}
