// Package framesock is packet sockets: they read the frames of an interface, or of all, as they come from the link and as
// they are given to it, chosen by a classic BPF program, and send frames as they are. What the protocols make of the
// frames does not change by it.
package framesock

import (
	"slices"
	"sync"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
)

// Layer is the packet sockets of one stack.
type Layer struct {
	ip *ip.Layer
	rt clock.Runtime

	mu      sync.Mutex
	sockets []*Socket // in the order they were opened
	opened  uint32    // so far
	closed  bool
}

// New returns a Layer over l.
func New(rt clock.Runtime, l *ip.Layer) *Layer { return &Layer{rt: rt, ip: l} }

// Sockets returns the sockets that are open, in the order they were opened.
func (f *Layer) Sockets() []*Socket {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sockets)
}

// Close closes all sockets; Open fails with ESHUTDOWN from then on.
func (f *Layer) Close() {
	f.mu.Lock()
	all := f.sockets
	f.sockets, f.closed = nil, true
	f.mu.Unlock()
	for _, s := range all {
		s.Close() // fails only if its user closed it at the same time
	}
}

// add gives s its place and the shard of its deadline.
func (f *Layer) add(s *Socket) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return syscall.ESHUTDOWN
	}
	f.opened++
	s.in.Init(f.ip.ShardFor(&flow.Key{Ports: f.opened}))
	f.sockets = append(f.sockets, s)
	return nil
}

func (f *Layer) remove(s *Socket) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sockets = slices.DeleteFunc(f.sockets, func(o *Socket) bool { return o == s })
}
