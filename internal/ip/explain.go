package ip

import (
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
	Result     string      // what: an address, the name of an interface, …
	Rule       string      // by which it decided
	RFC        string      // where that is written: "RFC 6724, 5"; empty: nowhere
	Entry      string      // what it was read from: a route, a neighbor's entry, …; empty: no table was read
	Notes      []string    // what else there is to know
	Candidates []Candidate // among which it chose
	Err        error       // why packets go no further
}

// Candidate is one of several that a step chose among.
type Candidate struct {
	Name   string // an address, or a route or rule as ip(8) writes it
	Chosen bool
	Rule   string // by which it was not chosen
	RFC    string // where that is written; empty: nowhere
	// Has is what this one has of what Rule compares, Won what the chosen one has; empty where that says nothing.
	Has, Won string

	// What is known of it: an address of an interface, or the class of a route's router.
	Addr   *netif.Address
	If     *netif.Interface
	Router string
}

// Explanation is what the steps decided, in their order. It takes the Notes.
type Explanation struct {
	Decisions []Decision
	LinkAddr  wire.MAC      // of the next hop, as step 8 found it; zero: there is none, or it must be asked for
	Asks      *Solicitation // what is sent first, to ask for LinkAddr; nil: nothing is
	Waits     bool          // the packet is queued until LinkAddr is known
	MTU       string        // where Path.MTU is from

	query  route.Query // the last one
	result route.Result
}

// note adds what a step decided.
func (e *Explanation) note(d Decision) { e.Decisions = append(e.Decisions, d) }

// fail notes that a step ended the way with err.
func (e *Explanation) fail(s Step, err error) {
	if n := len(e.Decisions); n == 0 || e.Decisions[n-1].Step != s {
		e.note(Decision{Step: s})
	}
	e.Decisions[len(e.Decisions)-1].Err = err
}

// refuse notes why step 3 ends the way.
func (e *Explanation) refuse(rule, rfc string) {
	e.note(Decision{Step: StepDestination, Result: "no", Rule: rule, RFC: rfc})
}

// asked remembers what the FIB was asked, and what it said.
func (e *Explanation) asked(q *route.Query, r *route.Result) {
	e.query, e.result = *q, *r
}

// mtu remembers where the path's MTU is from.
func (e *Explanation) mtu(from string) {
	e.MTU = from
}

// addr is note of a step that decided on an address, text of one that decided on something else, iface of one that decided on
// an interface.
func (e *Explanation) addr(s Step, rule, rfc string, a wire.Addr) {
	e.note(Decision{Step: s, Rule: rule, RFC: rfc, Result: a.String()})
}

func (e *Explanation) text(s Step, rule, rfc, result string) {
	e.note(Decision{Step: s, Rule: rule, RFC: rfc, Result: result})
}

func (e *Explanation) iface(s Step, rule, rfc string, i *netif.Interface) {
	e.note(Decision{Step: s, Rule: rule, RFC: rfc, Result: i.Name})
}

// destination is note of step 3.
func (e *Explanation) destination(w *way) {
	d := Decision{Step: StepDestination, Result: "a unicast address, not one of ours", Rule: "none of our interfaces has it", RFC: "RFC 4291, 2.5"}
	switch {
	case w.multicast:
		d.Result, d.Rule, d.RFC = "a multicast group", "its first bits say so", "RFC 4291, 2.7"
		if w.dst.Is4() {
			d.RFC = "RFC 1112, 4"
		}
	case w.broadcast:
		d.Result, d.Rule, d.RFC = "the limited broadcast address", "it means everybody on the link", "RFC 919, 7"
	case w.local:
		d.Result, d.Rule = "one of our own addresses", "an interface of ours has it"
		if w.dst.IsLoopback() {
			d.Rule = "it is the loopback address, which means the machine itself"
			d.RFC = "RFC 4291, 2.5.3"
			if w.dst.Is4() {
				d.RFC = "RFC 1122, 3.2.1.3 (g)"
			}
		}
	case w.dst.NeedsScope():
		d.Result, d.Rule, d.RFC = "a link-local address on "+w.iface.Name, "its zone, or what the socket is bound to, names the link", "RFC 4007, 6"
	case w.dst.Is4():
		d.RFC = "RFC 1122, 3.2.1.3"
	}
	e.note(d)
}

// same is note of step 4 of a packet to ourselves, which comes from the very address.
func (e *Explanation) same(w *way) {
	on := w.s.Lookup(w.dst, w.out).If
	if q := (addrsel.Query{Dst: w.dst, Out: on, Policy: w.l.policy.Load()}); w.src == w.dst && !on.Loopback {
		e.source(w, &q, &addrsel.Result{Addr: w.src, Rule: addrsel.SameAddress}, "which has the destination")
		return
	}
	e.addr(StepSource, addrsel.SameAddress.String(), "RFC 6724, 5", w.src)
}

// source is note of step 4 where RFC 6724 chose among the addresses of q.Out; why says why among these.
func (e *Explanation) source(w *way, q *addrsel.Query, r *addrsel.Result, why string) {
	d := Decision{Step: StepSource, Result: r.Addr.String(), Rule: r.Rule.String(), RFC: "RFC 6724, 5"}
	if r.Addr == (wire.Addr{}) {
		d.Result, d.Rule, d.RFC = "none", "there is no address of the family", "RFC 6724, 4"
	}
	if r.Tentative {
		d.Rule, d.RFC = "better ones are still being verified", "RFC 4862, 5.4"
	}
	from := "Candidates are the addresses of " + q.Out.Name + ", " + why
	if name := e.chosenRoute(w); name != "" {
		from += ": the route " + name + " says so"
	}
	d.Notes = append(d.Notes, from+" (RFC 6724, 4).")
	for _, c := range addrsel.Candidates(w.s.Snapshot, q) {
		o := Candidate{Name: c.Addr.Addr.String(), Addr: c.Addr, If: c.If}
		switch {
		case c.Barred != "":
			o.Rule = c.Barred
		case c.Rule == addrsel.NoRule:
			o.Chosen = c.Addr.Addr == r.Addr
		default:
			o.Rule, o.RFC, o.Has, o.Won = c.Rule.String(), "RFC 6724, 5", c.Has, c.Chosen
		}
		d.Candidates = append(d.Candidates, o)
	}
	e.note(d)
}
