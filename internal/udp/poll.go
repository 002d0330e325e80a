package udp

import (
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/ready"
)

// Watcher is told what happens to a socket by those who wait on more than one thing. Its methods are called with locks
// held: they may lock only leaves, and must neither block nor call back.
type Watcher interface {
	ready.Notifier // of datagrams that come
	// Error takes an ICMP error about a datagram of the socket to port, in place of the socket's own calls. e is good
	// until it returns.
	Error(e *ip.Error, port uint16)
}

// Queued returns how many datagrams wait to be received, and how long the payload of the first is.
func (s *Socket) Queued() (n, first int) {
	s.in.Lock()
	defer s.in.Unlock()
	if p := s.queue.Front(); p != nil {
		first = len(payload(p))
	}
	return s.queue.Len(), first
}
