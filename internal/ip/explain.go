package ip

import (
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// Step is one of the nine steps of a packet's way out; output.go has the list.
type Step uint8

// The steps that Route decides.
const (
	StepDestination Step = 3 + iota
	StepSource
	StepLocal
	StepInterface
	StepNextHop
	StepNeighbor
)

// String returns what the step decides.
func (s Step) String() string {
	if s < StepDestination || s > StepNeighbor {
		return "send"
	}
	return [...]string{"destination", "source", "to ourselves", "interface", "next hop", "neighbor"}[s-StepDestination]
}

// Decision is what one step decided.
type Decision struct {
	Step       Step
	Rule       string   // by which it decided
	Result     string   // an address, or the name of an interface
	Candidates []string // among which it chose, if there were several
}

// Explanation is what the steps decided, in their order. A nil *Explanation takes no notes, and costs nothing.
type Explanation struct{ Decisions []Decision }

// note adds what a step decided.
func (e *Explanation) note(s Step, rule, result string, candidates []string) {
	e.Decisions = append(e.Decisions, Decision{s, rule, result, candidates})
}

// addr is note of a step that decided on an address, iface of one that decided on an interface.
func (e *Explanation) addr(s Step, rule string, a wire.Addr) {
	if e != nil {
		e.note(s, rule, a.String(), nil)
	}
}

func (e *Explanation) iface(s Step, rule string, i *netif.Interface) {
	if e != nil {
		e.note(s, rule, i.Name, nil)
	}
}

// route is note of step 7.
func (e *Explanation) route(r *route.Result, w *way) {
	if e == nil {
		return
	}
	rule, result := r.Why.String(), r.Drop().String()
	if r.Rule != nil {
		rule += " (rule " + r.Rule.String() + ")"
	}
	if r.Hop != nil && r.Drop() == route.Unicast {
		result = w.nextHop.String() + " dev " + w.iface.Name
	}
	var among []string
	for _, c := range w.s.routes.Candidates(r.Table, w.dst) {
		among = append(among, c.String())
	}
	e.note(StepNextHop, rule, result, among)
}
