package ip

import (
	"fmt"
	"strings"

	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// route is note of step 7.
func (e *Explanation) route(r *route.Result, w *way) {
	d := Decision{Step: StepNextHop, Rule: whyText[r.Why], RFC: whyRFC[r.Why], Result: "no route leads there"}
	if r.Drop() != route.Unicast {
		d.Result = "nowhere: " + r.Drop().String()
	}
	e.routes(&d, r, w)
	if r.Hop != nil && r.Drop() == route.Unicast {
		if d.Result = fmt.Sprintf("%v on %s", w.nextHop, w.iface.Name); w.nextHop == w.dst {
			d.Result += ", the destination itself"
		} else if r.Why != route.ByRedirect {
			d.Result += ", a router"
		}
	}
	if r.Hop != nil && r.Gateway != (wire.Addr{}) && linkLocal4(w.src, w.dst) {
		d.Notes = append(d.Notes, "The route has a router, but what is from or to 169.254/16 goes to none: it stays on its link (RFC 3927, 2.6.2).")
	}
	if r.Why == route.ByRedirect {
		if to := w.s.routes.RedirectOf(w.dst); to != nil {
			d.Notes = append(d.Notes, fmt.Sprintf("The route leads to %v, which has told us, by a redirect, that %v is the better first hop.", to.From, to.To))
		}
	}
	e.note(d)
}

// nowhere is note of a step 4 that finds no route.
func (e *Explanation) nowhere(w *way) {
	d := Decision{Step: StepSource, Result: "none", Rule: "no route leads there, so there is no interface whose addresses to choose among", RFC: "RFC 6724, 4"}
	if t := e.result.Drop(); t != route.Unicast {
		d.Rule = "packets to there end here, by a route or rule of type " + t.String() + ", so there is no interface whose addresses to choose among"
	}
	e.routes(&d, &e.result, w)
	e.note(d)
}

// chosenRoute writes the route that was found last, if there was one.
func (e *Explanation) chosenRoute(w *way) string {
	for _, c := range w.s.routes.Explain(&e.query, &e.result) {
		if c.Chosen {
			return w.named(c.Route)
		}
	}
	return ""
}

// routes notes which routes r was found among, and by which rules.
func (e *Explanation) routes(d *Decision, r *route.Result, w *way) {
	for _, c := range w.s.routes.Explain(&e.query, r) {
		o := Candidate{Name: w.named(c.Route), Chosen: c.Chosen, Has: c.Has, Won: c.Won}
		if c.Router != nil {
			o.Router = c.Router.Reach().String()
		}
		if c.Chosen {
			d.Entry = "route " + o.Name + " (" + c.Route.Origin.String() + "), table " + tableName(r.Table)
			if o.Router != "" {
				d.Entry += ", router " + o.Router
			}
		} else {
			o.Rule, o.RFC = c.Lost.String(), lostRFC[c.Lost]
		}
		d.Candidates = append(d.Candidates, o)
	}
	e.rules(d, r, w)
}

// rules notes which rules of policy routing were asked for the table.
func (e *Explanation) rules(d *Decision, r *route.Result, w *way) {
	for _, a := range w.s.routes.ExplainRules(&e.query, r) {
		text := "rule " + w.namedRule(a.Rule) + ": "
		switch {
		case !a.Applies:
			text += "not for this packet"
		case a.Ends && a.Rule.Action == route.ToTable:
			text += "its table has the route"
		case a.Ends:
			text += "it ends here"
		default:
			text += "its table has no route, the next rule is asked"
		}
		d.Notes = append(d.Notes, text)
	}
	if r.Rule != nil && r.Rule.Action != route.ToTable {
		d.Entry = "rule " + w.namedRule(*r.Rule)
	}
	if q := &e.query; q.VRF != 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("The packet stays in the VRF of table %d: no other table is asked.", q.VRF))
	}
}

// whyText says why a route is taken.
var whyText = [...]string{
	route.ByNothing: "no table has a route for it", route.ByLongestPrefix: "its prefix is the longest that covers the destination",
	route.ByMetric: "of those with the longest prefix its metric is the lowest, or it was there first", route.BySourceInterface: "it leaves by the interface that has the source",
	route.ByReachability: "its router answers, and others do not, or are not known to", route.ByPreference: "its router says that it is to be preferred",
	route.ByHabit: "packets to this destination go there already", route.ByLoadSharing: "the routers are as good as each other, and share the destinations",
	route.ByFlow: "several routes share the flows, and this flow falls to it", route.ByRoundRobin: "no router answers, so each is tried in turn",
	route.ByRedirect: "a router has sent us there, by a redirect", route.ByRule: "a rule ends the search"}

// whyRFC says where the reasons for a route are written, lostRFC those against one.
var whyRFC = [...]string{
	route.ByNothing: "", route.ByLongestPrefix: "RFC 4861, 5.2; RFC 1122, 3.3.1.1", route.ByMetric: "", route.BySourceInterface: "RFC 1122, 3.3.4.3",
	route.ByReachability: "RFC 4861, 6.3.6; RFC 1122, 3.3.1.4", route.ByPreference: "RFC 4191, 3.2", route.ByHabit: "RFC 4861, 6.3.6",
	route.ByLoadSharing: "RFC 4311, 2", route.ByFlow: "RFC 2992", route.ByRoundRobin: "RFC 4861, 6.3.6", route.ByRedirect: "RFC 4861, 8.3; RFC 1122, 3.2.2.2",
	route.ByRule: ""}

var lostRFC = map[route.Lost]string{route.LostShorter: "RFC 4861, 5.2", route.LostUnreachable: "RFC 4861, 6.3.6", route.LostSource: "RFC 1122, 3.3.4.3",
	route.LostPreference: "RFC 4191, 3.2", route.LostReachability: "RFC 4861, 6.3.6", route.LostFlow: "RFC 2992", route.LostHabit: "RFC 4861, 6.3.6",
	route.LostSharing: "RFC 4311, 2", route.LostTurn: "RFC 4861, 6.3.6"}

// tableName returns how ip(8) calls a table.
func tableName(id uint32) string {
	switch id {
	case route.MainTable:
		return "main"
	case route.DefaultTable:
		return "default"
	}
	return fmt.Sprint(id)
}

// named writes r with the name of its interface.
func (w *way) named(r route.Route) string {
	i := w.s.Interface(r.Out)
	if r.Table != 0 {
		r.Table = route.MainTable // it is told elsewhere
	}
	s := r.String()
	if r.Prefix.Bits() == 0 {
		s = strings.Replace(s, r.Prefix.String(), "default ("+r.Prefix.String()+")", 1)
	}
	if i != nil {
		s = strings.Replace(s, fmt.Sprintf(" dev %d", r.Out), " dev "+i.Name, 1)
	}
	return s
}

// namedRule writes r with the names of its interfaces and its table.
func (w *way) namedRule(r route.Rule) string {
	s := r.String()
	for _, f := range [...]struct {
		word  string
		index int32
	}{{"iif", r.In}, {"oif", r.Out}} {
		if i := w.s.Interface(f.index); i != nil {
			s = strings.Replace(s, fmt.Sprintf(" %s %d", f.word, f.index), " "+f.word+" "+i.Name, 1)
		}
	}
	if r.Action == route.ToTable {
		s = strings.TrimSuffix(s, fmt.Sprint(r.Table)) + tableName(r.Table)
	}
	return s
}
