package dgram

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// ways are the paths to the destinations that a socket sends to in turn, as one with many peers does: hashed, each in the one place that
// it leads to. A socket with one peer has but the path that it used last.
type ways [64]atomic.Pointer[ip.Path]

// way returns the place of a destination.
func (w *ways) way(a wire.Addr) *atomic.Pointer[ip.Path] {
	return &w[hashDestination(a, 0)>>1%uint32(len(w))]
}

// pathTo returns the way to to: the one used last, or lately, if it leads there and still holds.
func (s *Socket) pathTo(e *ends, to flow.Endpoint, o *SendOptions) (*ip.Path, error) {
	if o.Interface == 0 {
		o.Interface = s.device.Load()
	}
	src := o.Source
	if src.IsUnspecified() {
		src = e.bound.Local.Addr
	}
	last, w := s.path.Load(), s.ways.Load()
	if s.leads(last, src, to, o) {
		return last, nil
	}
	if w != nil {
		if path := w.way(to.Addr).Load(); s.leads(path, src, to, o) {
			return path, nil
		}
	}
	path, err := s.route(src, to, o)
	if err != nil {
		return nil, err
	}
	if w == nil && last != nil && last.Dst != to.Addr {
		w = new(ways)
		s.ways.Store(w) // that another goroutine has made one, too, is no harm
	}
	if w != nil {
		w.way(to.Addr).Store(path)
	}
	s.path.Store(path)
	return path, nil
}

// leads reports whether path, which may be nil, is what Route would find from src to to, for what is sent as o says.
func (s *Socket) leads(path *ip.Path, src wire.Addr, to flow.Endpoint, o *SendOptions) bool {
	switch {
	case path == nil, path.Dst != to.Addr, path.Scope != to.Scope, !s.ip.Valid(path), path.Pinned() != o.Interface:
		return false
	case path.Flow.Mark != o.Mark, path.Flow.TrafficClass != o.TrafficClass:
		return false
	case path.Src != src && !(src.IsUnspecified() && path.SourcePrefs() == o.SourcePrefs):
		return false
	}
	return path.Flow.Ports == flow.Ports(s.bound.Local.Port, to.Port) || !s.ip.SpreadsFlows(to.Addr.Is4())
}
