package route

import (
	"maps"

	"github.com/onlink-go/onlink/wire"
)

// Redirection is an entry of the Destination Cache that a redirect made (RFC 4861, 5.1 and 8.3).
//
// It holds for packets that would go to the router that sent it. So one that says nothing of the routes there are now,
// because they changed or the router is no longer chosen, has no effect.
type Redirection struct {
	Dst  wire.Addr
	From wire.Addr // the router that sent us elsewhere
	Out  int32     // the link
	To   wire.Addr // the better first hop; Dst itself: it is on-link
}

// redirect has r follow a redirect, if there was one.
func (f *FIB) redirect(q *Query, r *Result) {
	if len(f.redirects) == 0 || r.Gateway == (wire.Addr{}) {
		return
	}
	e := f.redirects[q.Dst]
	if e == nil || e.From != r.Gateway || e.Out != r.Hop.Out {
		return
	}
	r.Gateway, r.Router, r.Why = e.To, nil, ByRedirect
	if e.To == q.Dst {
		r.Gateway = wire.Addr{}
	}
}

// Redirected returns f in which packets to a destination that would go to the router from, on the link out, go to another
// neighbor there: RFC 4861, 8.3; RFC 1122, 3.2.2.2.
func (f *FIB) Redirected(to Redirection) *FIB {
	c := *f
	c.redirects = maps.Clone(f.redirects)
	if c.redirects == nil {
		c.redirects = make(map[wire.Addr]*Redirection)
	}
	c.redirects[to.Dst] = &to
	return &c
}

// NotRedirected returns f without the redirections of packets to some destinations.
func (f *FIB) NotRedirected(gone []Redirection) *FIB {
	c := *f
	c.redirects = maps.Clone(f.redirects)
	for i := range gone {
		delete(c.redirects, gone[i].Dst)
	}
	return &c
}
