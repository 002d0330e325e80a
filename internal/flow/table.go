package flow

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// Socket is what a Table holds.
type Socket[S any] interface {
	comparable
	// Binding returns what the socket is bound to. The Table gives it its port.
	Binding() *Bound
	// Conflicts reports whether the socket and o, on one port, claim the same packets.
	Conflicts(o S) bool
}

const stripes = 64

// Table finds the sockets of one protocol by local port. Readers take no lock: each stripe's map is immutable and
// replaced by Bind and Unbind. The zero Table is empty.
type Table[S Socket[S]] struct {
	mu     sync.Mutex // Bind and Unbind
	list   []S        // all, in the order they were bound; mu
	shut   bool       // mu
	stripe [stripes]atomic.Pointer[map[uint16][]S]
}

// On returns the sockets of a port, which the caller must not change.
func (t *Table[S]) On(port uint16) []S {
	if m := t.stripe[port%stripes].Load(); m != nil {
		return (*m)[port]
	}
	return nil
}

// publish replaces the sockets of port. t.mu held.
func (t *Table[S]) publish(port uint16, s []S) {
	p := &t.stripe[port%stripes]
	next := make(map[uint16][]S)
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

// Bind adds s under the port its Binding names; port 0 asks for one that e chooses, which is then in the Binding. It
// returns EADDRINUSE if another socket conflicts, or no ephemeral port is free, and ESHUTDOWN after Shut.
func (t *Table[S]) Bind(s S, e *Ephemeral) syscall.Errno {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shut {
		return syscall.ESHUTDOWN
	}
	port := &s.Binding().Local.Port
	if *port != 0 {
		return t.bind(s, *port)
	}
	for try := range e.Bind() {
		if *port = try; t.bind(s, try) == 0 {
			return 0
		}
	}
	*port = 0
	return syscall.EADDRINUSE
}

// bind is Bind to one port. t.mu held.
func (t *Table[S]) bind(s S, port uint16) syscall.Errno {
	old := t.On(port)
	if slices.ContainsFunc(old, s.Conflicts) {
		return syscall.EADDRINUSE
	}
	t.list = append(t.list, s)
	t.publish(port, append(slices.Clip(old), s))
	return 0
}

// Unbind removes s.
func (t *Table[S]) Unbind(s S) {
	t.mu.Lock()
	defer t.mu.Unlock()
	isS := func(o S) bool { return o == s }
	t.list = slices.DeleteFunc(t.list, isS)
	port := s.Binding().Local.Port
	t.publish(port, slices.DeleteFunc(slices.Clone(t.On(port)), isS))
}

// All returns the sockets, in the order they were bound.
func (t *Table[S]) All() []S {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.list)
}

// Shut makes Bind fail from now on, and returns the sockets that are left to close.
func (t *Table[S]) Shut() []S {
	t.mu.Lock()
	t.shut = true
	t.mu.Unlock()
	return t.All()
}
