package route

import "github.com/onlink-go/onlink/wire"

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

type redirected = Redirection

// redirect has r follow a redirect, if there was one.
func (f *FIB) redirect(q *Query, r *Result) {
	if f.redirects.Size() == 0 || r.Gateway == (wire.Addr{}) {
		return
	}
	e, ok := f.redirects.Get(host(q.Dst))
	if !ok || e.From != r.Gateway || e.Out != r.Hop.Out {
		return
	}
	r.Gateway, r.Router, r.Why = e.To, nil, ByRedirect
	if e.To == q.Dst {
		r.Gateway = wire.Addr{}
	}
}
