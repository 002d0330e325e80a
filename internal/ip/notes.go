package ip

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// Notes take what the steps decide, and by which rule. They are an [Explanation], which the steps do not name, so that a program in
// which nobody asks is not linked with the words.
type Notes interface {
	fail(s Step, err error)
	refuse(rule, rfc string)
	destination(w *way)
	same(w *way)
	source(w *way, q *addrsel.Query, r *addrsel.Result, why string)
	nowhere(w *way)
	route(r *route.Result, w *way)
	neighbor(w *way, p pathEnd)
	asked(q *route.Query, r *route.Result)
	mtu(from string)
	addr(s Step, rule, rfc string, a wire.Addr)
	text(s Step, rule, rfc, result string)
	iface(s Step, rule, rfc string, i *netif.Interface)
}

// asking is Notes, or nil: nobody asks, and that costs a comparison. Notes get copies, since what is given to an interface's method is
// on the heap, and what they are of need not be.
type asking struct{ notes Notes }

// pathEnd is what step 8 finds of a Path.
type pathEnd struct {
	nextHop wire.Addr
	linkDst wire.MAC
	known   bool // the link has addresses
	fixed   bool // linkDst holds
}

// fail notes that a step ended the way with err, which it returns.
func (a asking) fail(s Step, err error) error {
	if a.notes != nil && err != nil {
		a.notes.fail(s, err)
	}
	return err
}

// refuse notes why step 3 ends the way, and returns the error.
func (a asking) refuse(rule, rfc string, err syscall.Errno) error {
	if a.notes != nil {
		a.notes.refuse(rule, rfc)
	}
	return err
}

func (a asking) destination(w *way) {
	if a.notes != nil {
		c := *w
		a.notes.destination(&c)
	}
}

func (a asking) same(w *way) {
	if a.notes != nil {
		c := *w
		a.notes.same(&c)
	}
}

func (a asking) source(w *way, q *addrsel.Query, r *addrsel.Result, why string) {
	if a.notes != nil {
		c, query, result := *w, *q, *r
		a.notes.source(&c, &query, &result, why)
	}
}

func (a asking) nowhere(w *way) {
	if a.notes != nil {
		c := *w
		a.notes.nowhere(&c)
	}
}

func (a asking) route(r *route.Result, w *way) {
	if a.notes != nil {
		c, result := *w, *r
		a.notes.route(&result, &c)
	}
}

func (a asking) neighbor(w *way, p *Path) {
	if a.notes != nil {
		c := *w
		a.notes.neighbor(&c, pathEnd{p.NextHop, p.linkDst, p.known != nil, p.fixed})
	}
}

func (a asking) asked(q *route.Query, r *route.Result) {
	if a.notes != nil {
		query, result := *q, *r
		a.notes.asked(&query, &result)
	}
}

func (a asking) mtu(from string) {
	if a.notes != nil {
		a.notes.mtu(from)
	}
}

func (a asking) addr(s Step, rule, rfc string, addr wire.Addr) {
	if a.notes != nil {
		a.notes.addr(s, rule, rfc, addr)
	}
}

func (a asking) text(s Step, rule, rfc, result string) {
	if a.notes != nil {
		a.notes.text(s, rule, rfc, result)
	}
}

func (a asking) iface(s Step, rule, rfc string, i *netif.Interface) {
	if a.notes != nil {
		a.notes.iface(s, rule, rfc, i)
	}
}
