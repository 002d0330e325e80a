package route

import (
	"fmt"

	"github.com/onlink-go/onlink/wire"
)

// Contender is a route that a Lookup could have answered with.
type Contender struct {
	Route  Route
	Router *Router // of its gateway; nil without one
	Chosen bool
	Lost   Lost // by what, if it was not chosen

	// Has is what this route has of what Lost compares, Won what the chosen one has. Empty where that says nothing.
	Has, Won string
}

// Lost says why a route was not chosen.
type Lost uint8

// The reasons.
const (
	LostNothing      Lost = iota // it was chosen
	LostShorter                  // a longer prefix was chosen
	LostDown                     // its interface is down
	LostElsewhere                // it does not leave by the interface that the packet must leave by
	LostUnreachable              // its router does not answer
	LostMetric                   // a lower metric was chosen
	LostSource                   // the chosen one leaves by the interface of the source
	LostPreference               // the chosen one's router is preferred (RFC 4191, 2.1)
	LostReachability             // the chosen one's router is known to answer
	LostFlow                     // routes share the flows, and this one fell to the other
	LostHabit                    // packets to the destination go to the other router already
	LostSharing                  // routers share the destinations, and this one fell to the other
	LostTurn                     // no router answers, and it is another one's turn
	LostLater                    // the chosen one was there first
	LostContinue                 // its type is throw: it is no answer
)

// String returns the reason in words.
func (l Lost) String() string {
	return [...]string{"chosen", "a longer prefix goes first", "its interface is down", "it does not leave by the interface asked for",
		"its router does not answer", "the lowest metric goes first", "the interface of the source goes first", "the router's preference",
		"a router that is known to answer goes first", "the flow's hash gives it to another", "packets to this destination go to another router already",
		"destinations are shared among routers, and this one falls to another", "no router answers, and it is another one's turn",
		"the one that was there first", "it ends the search in its table"}[l]
}

// Explain returns the routes of r's table that r, the answer to q, was found among: the longest prefixes first, then as they are
// preferred.
func (f *FIB) Explain(q *Query, r *Result) (all []Contender) {
	id := r.Table
	if id == 0 {
		id = MainTable // nothing was found, wherever it was looked for
	}
	t := f.table(id)
	if t == nil {
		return nil
	}
	chosen := -1
	above := t.tries[family(q.Dst)].above(bitsOf(q.Dst), hostBits, nil)
	for k := range above {
		n := above[len(above)-1-k]
		p := n.key.prefix(n.bits(), q.Dst.Is4())
		for i := range n.hops.list {
			h := &n.hops.list[i]
			if h == r.Hop {
				chosen = len(all)
			}
			all = append(all, Contender{Route: h.route(p, t.id), Router: h.router, Chosen: h == r.Hop})
		}
	}
	for i := range all {
		if i != chosen {
			var won *Contender
			if chosen >= 0 {
				won = &all[chosen]
			}
			f.compare(q, r, &all[i], won)
		}
	}
	return all
}

// compare fills in why c is not what r names, won, which is nil if r names none.
func (f *FIB) compare(q *Query, r *Result, c, won *Contender) {
	two := func(l Lost, format string, has, chosen any) {
		c.Lost, c.Has, c.Won = l, fmt.Sprintf(format, has), fmt.Sprintf(format, chosen)
	}
	dead := c.Router != nil && c.Router.Reach() == NotReachable
	longer := 0
	if won != nil {
		longer = c.Route.Prefix.Bits() - won.Route.Prefix.Bits()
	}
	switch {
	case c.Route.Out != 0 && f.isDown(c.Route.Out):
		c.Lost = LostDown
	case q.Out != 0 && c.Route.Out != q.Out:
		c.Lost = LostElsewhere
	case won == nil && c.Route.Type == Throw:
		c.Lost = LostContinue
	case won == nil:
		c.Lost = LostUnreachable
	case longer < 0:
		two(LostShorter, "/%d", c.Route.Prefix.Bits(), won.Route.Prefix.Bits())
	case r.Why == ByRoundRobin:
		c.Lost = LostTurn
	case dead:
		c.Lost = LostUnreachable
	case q.Prefer != 0 && q.Out == 0 && c.Route.Out != won.Route.Out && won.Route.Out == q.Prefer:
		c.Lost = LostSource
	case c.Route.Metric != won.Route.Metric:
		two(LostMetric, "metric %d", c.Route.Metric, won.Route.Metric)
	case c.Route.Preference != won.Route.Preference:
		two(LostPreference, "%s", PreferenceName(c.Route.Preference), PreferenceName(won.Route.Preference))
	case r.Why == ByFlow:
		two(LostFlow, "weight %d", c.Route.Weight, won.Route.Weight)
	case c.Router != nil && won.Router != nil && c.Router.Reach() < won.Router.Reach():
		two(LostReachability, "%v", c.Router.Reach(), won.Router.Reach())
	case r.Why == ByHabit:
		c.Lost = LostHabit
	case r.Why == ByLoadSharing:
		c.Lost = LostSharing
	default:
		c.Lost = LostLater
	}
}

// PreferenceName returns the name of a router's preference (RFC 4191, 2.1).
func PreferenceName(p int8) string {
	switch {
	case p < 0:
		return "low"
	case p > 0:
		return "high"
	}
	return "medium"
}

// Asked is a rule that a lookup asked, and what it said.
type Asked struct {
	Rule    Rule
	Applies bool // the packets meet its conditions
	Ends    bool // the search ended with it
}

// ExplainRules returns the rules that were asked for r, the answer to q, in their order, and nothing where there are only those
// that a stack begins with.
func (f *FIB) ExplainRules(q *Query, r *Result) (all []Asked) {
	fam := family(q.Dst)
	if f.plain[fam] {
		return nil
	}
	for i := range f.compiled[fam] {
		c := &f.compiled[fam][i]
		if q.VRF != 0 && c.Priority >= VRFPriority {
			break
		}
		ends := r.Rule == &c.Rule
		all = append(all, Asked{Rule: c.Rule, Applies: c.applies(q), Ends: ends})
		if ends {
			break
		}
	}
	return all
}

// RedirectOf returns the redirect there is for dst, or nil.
func (f *FIB) RedirectOf(dst wire.Addr) *Redirection { return f.redirects[dst] }
