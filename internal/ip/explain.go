package ip

import (
	"fmt"

	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// Step is one of the nine steps of a packet's way out; output.go has the list.
type Step uint8

// The steps that are taken here.
const (
	StepDestination Step = 3 + iota
	StepSource
	StepLocal
	StepInterface
	StepNextHop
	StepNeighbor
	StepSend
)

// String returns what the step decides.
func (s Step) String() string {
	if s < StepDestination || s > StepSend {
		return "transport"
	}
	return [...]string{"destination", "source", "to ourselves", "interface", "next hop", "neighbor", "send"}[s-StepDestination]
}

// Decision is what one step decided.
type Decision struct {
	Step       Step
	Rule       string   // by which it decided
	Result     string   // what: an address, the name of an interface, …
	Candidates []string // among which it chose
	Err        error    // why packets go no further
}

// Explanation is what the steps decided, in their order. A nil *Explanation takes no notes, and costs nothing.
type Explanation struct {
	Decisions []Decision
	LinkAddr  wire.MAC // of the next hop, as step 8 found it; zero: there is none, or it must be asked for
}

// note adds what a step decided. Of a nil Explanation it must not be called, so that nothing is made for it.
func (e *Explanation) note(s Step, rule, result string, candidates []string) {
	e.Decisions = append(e.Decisions, Decision{Step: s, Rule: rule, Result: result, Candidates: candidates})
}

// fail notes that a step ended the way with err, which it returns.
func (e *Explanation) fail(s Step, err error) error {
	if e == nil || err == nil {
		return err
	}
	if n := len(e.Decisions); n == 0 || e.Decisions[n-1].Step != s {
		e.note(s, "", "", nil)
	}
	e.Decisions[len(e.Decisions)-1].Err = err
	return err
}

// addr is note of a step that decided on an address, iface of one that decided on an interface.
func (e *Explanation) addr(s Step, rule string, a wire.Addr) {
	if e != nil {
		e.note(s, rule, a.String(), nil)
	}
}

// text is note of a step that decided on something else.
func (e *Explanation) text(s Step, rule, result string) {
	if e != nil {
		e.note(s, rule, result, nil)
	}
}

func (e *Explanation) iface(s Step, rule string, i *netif.Interface) {
	if e != nil {
		e.note(s, rule, i.Name, nil)
	}
}

// destination is note of step 3.
func (e *Explanation) destination(w *way) {
	if e == nil {
		return
	}
	kind, rule := "a unicast address, not one of ours", "it is no address of our interfaces"
	switch {
	case w.local && w.multicast, w.multicast:
		kind, rule = "a multicast group", "its first bits say so (RFC 4291, 2.7; RFC 1112, 4)"
	case w.broadcast:
		kind, rule = "the limited broadcast address", "RFC 919, 7"
	case w.local:
		kind, rule = "one of our own addresses", "an interface of ours has it"
	case w.dst.NeedsScope():
		kind, rule = "a link-local address on "+w.iface.Name, "its zone names the link (RFC 4007, 6)"
	}
	e.note(StepDestination, rule, kind, nil)
}

// source is note of step 4 where RFC 6724 chose.
func (e *Explanation) source(w *way, q *addrsel.Query, r *addrsel.Result) {
	if e == nil {
		return
	}
	var among []string
	for _, c := range addrsel.Candidates(w.s.Snapshot, q) {
		why := "chosen"
		if c.Rule != addrsel.NoRule {
			why = "not by " + c.Rule.String()
		}
		among = append(among, fmt.Sprintf("%v on %s: %s", c.Addr.Addr, c.If.Name, why))
	}
	rule := r.Rule.String()
	if r.Addr == (wire.Addr{}) {
		rule = "no address of the family is assigned"
		if r.Tentative {
			rule = "the addresses are being verified (RFC 4862, 5.4)"
		}
	}
	e.note(StepSource, rule, r.Addr.String(), among)
}

// route is note of step 7.
func (e *Explanation) route(r *route.Result, w *way) {
	if e == nil {
		return
	}
	chosen, all, routers := w.s.routes.Explain(r, w.dst)
	rule, result := r.Why.String(), r.Drop().String()
	if r.Hop == nil {
		result = "no route"
	} else {
		rule += fmt.Sprintf("; route %v", w.named(chosen))
	}
	if r.Table != 0 && r.Table != route.MainTable {
		rule += fmt.Sprintf("; table %d", r.Table)
	}
	if r.Rule != nil {
		rule += "; rule " + r.Rule.String()
	}
	if r.Hop != nil && r.Drop() == route.Unicast {
		result = w.nextHop.String() + " on " + w.iface.Name
		if w.nextHop == w.dst {
			result += ", the destination itself"
		}
	}
	var among []string
	for i := range all {
		text := w.named(all[i])
		if routers[i] != nil {
			text += ", router " + routers[i].Reach().String()
			if p := all[i].Preference; p != 0 {
				text += ", preference " + map[int8]string{-1: "low", 1: "high"}[p]
			}
		}
		if o := w.s.Interface(all[i].Out); o != nil && !o.Up {
			text += ", interface down"
		}
		among = append(among, text)
	}
	e.note(StepNextHop, rule, result, among)
}

// named writes r with the name of its interface.
func (w *way) named(r route.Route) string {
	i := w.s.Interface(r.Out)
	if i == nil {
		return r.String()
	}
	r.Out = 0
	typ := r.Type
	r.Type = route.Local // so that no number stands for the interface
	s := r.String()[len(route.Local.String()+" "):]
	if typ != route.Unicast {
		s = typ.String() + " " + s
	}
	return s + " dev " + i.Name
}

// neighbor is note of steps 8 and 9. It takes the control lock.
func (e *Explanation) neighbor(w *way, p *Path) {
	if e == nil {
		return
	}
	from := w.iface.LinkAddr
	switch {
	case w.local:
		e.note(StepNeighbor, "packets to ourselves need none", "none", nil)
		e.note(StepSend, "packets to ourselves go into our own receive queue", fmt.Sprintf("lo, packets of up to %d octets", p.MTU), nil)
		return
	case p.known == nil:
		e.note(StepNeighbor, "the link has no link-layer addresses", "none", nil)
		e.note(StepSend, "the internet header goes in front", fmt.Sprintf("%s, packets of up to %d octets", w.iface.Name, p.MTU), nil)
		return
	case w.multicast:
		e.link("made of the group's address (RFC 2464, 7; RFC 1112, 6.4)", p.linkDst)
	case w.broadcast:
		e.link("all stations", p.linkDst)
	default:
		e.cached(w, p.NextHop)
	}
	e.note(StepSend, "Ethernet from "+from.String(), fmt.Sprintf("%s, packets of up to %d octets", w.iface.Name, p.MTU), nil)
}

// link is note of a step 8 that found a link-layer address.
func (e *Explanation) link(rule string, mac wire.MAC) {
	e.note(StepNeighbor, rule, mac.String(), nil)
	e.LinkAddr = mac
}

// cached notes what the neighbor cache has of the next hop.
func (e *Explanation) cached(w *way, hop wire.Addr) {
	l := w.l
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(w.iface.Index)
	if err != nil || d.cache == nil {
		e.note(StepNeighbor, "the interface was removed meanwhile", "none", nil)
		return
	}
	asks, solicit := "ARP", "ask by ARP, and queue the packet (RFC 826; RFC 1122, 2.3.2.2)"
	if !hop.Is4() {
		asks, solicit = "Neighbor Solicitation", "ask by Neighbor Solicitation, and queue the packet (RFC 4861, 7.2.2)"
	}
	info, ok := d.cache.Peek(hop)
	switch {
	case !ok:
		e.note(StepNeighbor, "not in the neighbor cache: "+solicit, "not known", nil)
	case info.Usable():
		e.link("the neighbor cache has it, "+info.State.String(), info.MAC)
	case info.Known():
		e.link("the neighbor cache has it, "+info.State.String()+": it is used, and confirmed by "+asks+" if nothing else does (RFC 4861, 7.3.3)", info.MAC)
	default:
		e.note(StepNeighbor, "the neighbor cache has it as "+info.State.String()+": "+solicit, "not known", nil)
	}
}
