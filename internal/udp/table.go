package udp

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

const stripes = 64

// table finds sockets by local port. Readers take no lock: each stripe's map is immutable and replaced by bind
// and unbind.
type table struct {
	mu     sync.Mutex // bind and unbind
	list   []*Socket  // all, in the order they were bound; mu
	closed bool       // mu
	stripe [stripes]atomic.Pointer[map[uint16][]*Socket]
}

func (t *table) sockets(port uint16) []*Socket {
	m := t.stripe[port%stripes].Load()
	if m == nil {
		return nil
	}
	return (*m)[port]
}

// publish replaces the sockets of port. t.mu held.
func (t *table) publish(port uint16, s []*Socket) {
	p := &t.stripe[port%stripes]
	next := make(map[uint16][]*Socket)
	if old := p.Load(); old != nil {
		next = maps.Clone(*old)
	}
	if len(s) == 0 {
		delete(next, port)
	} else {
		next[port] = s
	}
	p.Store(&next)
}

// find returns the socket that matches a datagram to local from remote best, or nil: one connected to
// remote before one bound to the address before a wildcard.
func (t *table) find(local, remote wire.Addr, lport, rport uint16, scope uint32) *Socket {
	var best *Socket
	bestScore := -1
	for _, s := range t.sockets(lport) {
		if n := s.match(local, remote, rport, scope); n > bestScore {
			best, bestScore = s, n
		}
	}
	return best
}

// bind gives s its local port, or EADDRINUSE. Port 0 asks for an ephemeral one.
func (t *table) bind(s *Socket, port uint16, rt clock.Runtime) syscall.Errno {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return syscall.ESHUTDOWN
	}
	if port != 0 {
		return t.bindLocked(s, port)
	}
	for try := range flow.EphemeralPorts(rt) {
		if t.bindLocked(s, try) == 0 {
			return 0
		}
	}
	return syscall.EADDRINUSE
}

func (t *table) bindLocked(s *Socket, port uint16) syscall.Errno {
	old := t.sockets(port)
	for _, o := range old {
		if o.overlaps(s) {
			return syscall.EADDRINUSE
		}
	}
	s.bound.Local.Port = port
	t.list = append(t.list, s)
	t.publish(port, append(slices.Clip(old), s))
	return 0
}

func (t *table) unbind(s *Socket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	isS := func(o *Socket) bool { return o == s }
	t.list = slices.DeleteFunc(t.list, isS)
	port := s.bound.Local.Port
	t.publish(port, slices.DeleteFunc(slices.Clone(t.sockets(port)), isS))
}

// shut makes bind fail from now on, and returns all sockets.
func (t *table) shut() []*Socket {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return slices.Clone(t.list)
}
