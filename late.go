package onlink

import (
	"sync"

	"github.com/onlink-go/onlink/dns"
	"github.com/onlink-go/onlink/internal/framesock"
	"github.com/onlink-go/onlink/internal/icmp"
	"github.com/onlink-go/onlink/internal/raw"
	"github.com/onlink-go/onlink/internal/udp"
)

// late is a part of a stack that is made when it is first used, so that programs that do not use it are not linked with it. Its
// type is not named: of a type that can be reached from an interface's, the linker keeps what nobody calls.
type late struct {
	mu     sync.Mutex
	part   closer
	closed bool
}

type closer interface{ Close() }

// made returns the part, which is made the first time.
func made[T closer](l *late, create func() T) T {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.part == nil {
		l.part = create()
		if l.closed {
			l.part.Close()
		}
	}
	return l.part.(T)
}

// close closes the part, or will when it is made.
func (l *late) close() {
	l.mu.Lock()
	l.closed = true
	part := l.part
	l.mu.Unlock()
	if part != nil {
		part.Close()
	}
}

// DNS returns the stack's resolver: the one that looks names up for DialContext and LookupNetIP. It asks NameServers, looks
// names up in SearchDomains, and works in simulation too.
func (s *Stack) DNS() *dns.Resolver { return made(&s.resolver, s.newResolver) }

// udp returns what the stack's UDP sockets are in.
func (s *Stack) udp() *udp.Layer {
	return made(&s.udpSockets, func() *udp.Layer {
		u := udp.New(s.rt, s.ip)
		u.UsePorts(s.tcp.Ports())
		return u
	})
}

// icmp returns what the stack's ping sockets are in.
func (s *Stack) icmp() *icmp.Layer {
	return made(&s.pingSockets, func() *icmp.Layer { return icmp.New(s.rt, s.ip) })
}

// raw returns what the stack's raw sockets are in.
func (s *Stack) raw() *raw.Layer {
	return made(&s.rawSockets, func() *raw.Layer { return raw.New(s.rt, s.ip) })
}

// frames returns what the stack's packet sockets are in.
func (s *Stack) frames() *framesock.Layer {
	return made(&s.frameSockets, func() *framesock.Layer { return framesock.New(s.rt, s.ip) })
}
