package ip

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// chooseSource is step 4: the source address, if it is not given. That it is left unspecified, as in duplicate address
// detection, is the business of the protocols that do so, and they do not come this way.
func (w *way) chooseSource() error {
	if w.src != (wire.Addr{}) {
		w.why.addr(StepSource, "the sender has bound itself to it", "", w.src)
		return w.checkSource()
	}
	if at := w.s.Lookup(w.dst, w.out); at.Kind == netif.Anycast {
		// RFC 6724, 4, has unicast addresses for candidates only.
		return w.sourceAmong(at.If, wire.Addr{})
	}
	if w.local {
		// RFC 6724, 5, rule 1: "Prefer same address. If SA = D, then prefer SA." All of 127/8 is ours, but one
		// address of it is assigned.
		w.src = w.dst
		if w.dst.Is4() && w.dst.IsLoopback() {
			w.src = wire.Loopback4
		}
		w.why.same(w)
		return nil
	}
	out, nextHop := w.outgoing()
	if out == nil {
		w.why.nowhere(w)
		return w.errno
	}
	if w.hop != nil && w.hop.Source != (wire.Addr{}) && w.s.Lookup(w.hop.Source, out.Index).Kind == netif.Unicast {
		w.src = w.hop.Source
		w.why.addr(StepSource, "the route to the destination names it", "", w.src)
		return nil
	}
	return w.sourceAmong(out, nextHop)
}

// sourceAmong chooses among the addresses of out, by which packets leave for nextHop (RFC 6724, 5).
func (w *way) sourceAmong(out *netif.Interface, nextHop wire.Addr) error {
	q := addrsel.Query{Dst: w.dst, NextHop: nextHop, Out: out, Policy: w.l.policy.Load(), Prefer: w.sourcePrefs}
	r := addrsel.Source(w.s.Snapshot, &q)
	w.why.source(w, &q, &r, "by which the packet would leave")
	switch {
	case r.Tentative:
		return ErrTentative
	case r.Addr == (wire.Addr{}):
		return syscall.EADDRNOTAVAIL
	}
	w.src = r.Addr
	return nil
}

// checkSource looks whether a source that is given is ours.
func (w *way) checkSource() error {
	index := w.out
	if index == 0 && w.src.NeedsScope() {
		// The one interface that has it.
		for _, i := range w.s.Interfaces {
			if i.Address(w.src) != nil {
				index = i.Index
			}
		}
	}
	if w.s.Lookup(w.src, index).Kind == netif.Unicast {
		return nil
	}
	for _, i := range w.s.Interfaces {
		if a := i.Address(w.src); a != nil && a.State == netif.Tentative && (index == 0 || i.Index == index) {
			return ErrTentative
		}
	}
	return syscall.EADDRNOTAVAIL
}

// outgoing returns the interface that packets to the destination leave by if the source does not speak against it,
// or nil, and the neighbor they go to first, the zero Addr if that is not known: RFC 6724, 4, wants the candidate
// addresses from there. It is a question only: packets go by what chooseNextHop finds.
func (w *way) outgoing() (out *netif.Interface, nextHop wire.Addr) {
	var r route.Result
	if w.lookup(&r, w.src, 0, true) {
		w.hop = r.Hop
		return w.s.Interface(r.Hop.Out), r.Gateway
	}
	w.errno = r.Errno()
	if w.iface != nil || !w.multicast && !w.broadcast {
		return w.iface, nextHop
	}
	// Groups and 255.255.255.255 need no route. RFC 1112, 6.1: "a default interface should be used, preferably under the
	// control of system management": the order in which interfaces were added is.
	for _, i := range w.s.Interfaces {
		if i.Up && !i.Loopback {
			return i, nextHop
		}
	}
	w.errno = syscall.ENETUNREACH
	return nil, nextHop
}
