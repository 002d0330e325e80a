package ip

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// sharedPaths remembers the answers to the last questions for ways to neighbors, so that connections with one host share a Path,
// and the next one need not ask again. An answer is found by its destination, of which one is kept in each place.
type sharedPaths [64]atomic.Pointer[sharedPath]

// sharedPath is an answer, and what it answers.
type sharedPath struct {
	q    Query // without the ports and the flow label
	path *Path
}

func (s *sharedPaths) at(dst wire.Addr) *atomic.Pointer[sharedPath] {
	return &s[flow.Mix(dst.Hi^dst.Lo)%uint64(len(s))]
}

// Share is Route for those who do not change the Path: others may have it too.
func (l *Layer) Share(now clock.Instant, q Query) (*Path, error) {
	p, shared := l.shared(&q)
	if p != nil {
		return p, nil
	}
	p, err := l.Route(now, q)
	if err == nil && shared && p.NextHop == p.Dst && !p.Multicast && !p.Broadcast {
		q.Flow.Ports, q.Flow.FlowLabel = 0, 0
		l.paths.at(q.Dst).Store(&sharedPath{q, p})
	}
	return p, err
}

// Shared returns what Share has remembered of q, or nil.
func (l *Layer) Shared(q *Query) *Path {
	p, _ := l.shared(q)
	return p
}

// shared returns the Path that is remembered of q, or nil, and whether one may be. None may be of a destination to which flows go
// different ways, or by a router, whose turn may pass to another (RFC 4861, 6.3.6); nor where somebody follows packets, and
// wants to know when their way was decided.
func (l *Layer) shared(q *Query) (p *Path, may bool) {
	if q.Why != nil || q.Habit != (wire.Addr{}) || l.cfg.Tracer.Steps() != nil || l.SpreadsFlows(q.Dst.Is4()) {
		return nil, false
	}
	s := l.paths.at(q.Dst).Load()
	if s == nil || !l.Valid(s.path) {
		return nil, true
	}
	known := s.q
	known.Flow.Ports, known.Flow.FlowLabel = q.Flow.Ports, q.Flow.FlowLabel
	if known != *q {
		return nil, true
	}
	return s.path, true
}
