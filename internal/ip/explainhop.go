package ip

import (
	"fmt"
	"syscall"

	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/wire"
)

// Solicitation is an ARP request or a Neighbor Solicitation, as far as its headers tell.
type Solicitation struct {
	LinkSrc, LinkDst wire.MAC
	Src, Dst         wire.Addr // of an ARP request, Dst is the zero Addr: it is no IP packet
	Target           wire.Addr // who has it?
}

// neighbor is note of step 8. It takes the control lock. The error is that of packets to a neighbor that did not answer.
func (e *Explanation) neighbor(w *way, p pathEnd) {
	d := Decision{Step: StepNeighbor, Result: "none"}
	switch {
	case w.local:
		d.Rule = "packets to ourselves need none"
	case !p.known:
		d.Rule = "the link has no addresses of its own: there is one neighbor only"
	case w.multicast:
		d.Result, d.Rule, d.RFC = p.linkDst.String(), "it is made of the group's address", "RFC 2464, 7"
		if w.dst.Is4() {
			d.RFC = "RFC 1112, 6.4"
		}
	case w.broadcast:
		d.Result, d.Rule, d.RFC = p.linkDst.String(), "it means all stations on the link", "RFC 894"
	default:
		e.cached(&d, w, p.nextHop)
	}
	if p.fixed {
		e.LinkAddr = p.linkDst
	}
	e.note(d)
}

// cached notes what the neighbor cache has of the next hop.
func (e *Explanation) cached(decision *Decision, w *way, hop wire.Addr) {
	l := w.l
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(w.iface.Index)
	if err != nil || d.cache == nil {
		decision.Rule = "the interface was removed meanwhile"
		return
	}
	asks, rfc := "a Neighbor Solicitation", "RFC 4861, 7.2.2"
	if hop.Is4() {
		asks, rfc = "an ARP request", "RFC 826; RFC 1122, 2.3.2.2"
	}
	info, _ := d.cache.Forecast(w.now, hop)
	decision.Entry = fmt.Sprintf("neighbor %v dev %s, %v", hop, w.iface.Name, info.State)
	if info.Known() {
		e.LinkAddr = info.MAC
		decision.Result = info.MAC.String()
		decision.Entry = fmt.Sprintf("neighbor %v dev %s lladdr %v, %v", hop, w.iface.Name, info.MAC, info.State)
	} else {
		decision.Result = "not known yet"
	}
	switch {
	case info.Usable():
		decision.Rule, decision.RFC = "the neighbor cache has it", "RFC 4861, 7.3.3"
	case info.Known():
		decision.Rule, decision.RFC = "the neighbor cache has it, though not confirmed lately", "RFC 4861, 7.3.3"
		decision.Notes = append(decision.Notes, "It is used at once. If nothing confirms within seconds that packets arrive there, "+asks+" asks it whether it is still there.")
	case info.HeldDown:
		decision.Result, decision.Rule, decision.RFC = "it does not answer", "it was asked a moment ago, in vain; for now packets to it fail at once", rfc
		decision.Err = syscall.EHOSTUNREACH
	case info.State == neigh.Incomplete:
		decision.Rule, decision.RFC, e.Waits = "it is being asked for already; the packet waits for the answer", rfc, true
	default:
		decision.Rule, decision.RFC, e.Waits = "the neighbor cache does not have it: "+asks+" goes first, and the packet waits", rfc, true
		decision.Entry = ""
		if info.State == neigh.Failed {
			decision.Entry = fmt.Sprintf("neighbor %v dev %s, %v: it did not answer earlier", hop, w.iface.Name, info.State)
		}
		e.Asks = d.solicitation(&neigh.Action{Target: hop, Source: w.src})
		if e.Asks == nil {
			decision.Notes = append(decision.Notes, "But there is no address on "+w.iface.Name+" to ask from.")
		}
	}
}

// solicitation returns what solicit would send; nil: nothing.
func (d *device) solicitation(a *neigh.Action) *Solicitation {
	src, ok := d.solicitFrom(a)
	if !ok {
		return nil
	}
	s := &Solicitation{LinkSrc: d.info.Addr, Src: src, Target: a.Target}
	if a.Target.Is4() {
		_, s.LinkDst = a.ARP(d.info.Addr, src)
	} else {
		_, s.Dst, s.LinkDst = a.NeighborSolicitation(d.info.Addr)
	}
	return s
}
