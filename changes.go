package onlink

import (
	"context"
	"time"

	"github.com/onlink-go/onlink/internal/ip"
)

// ChangeOp says what became of a thing.
type ChangeOp uint8

// What becomes of things.
const (
	Added   = ChangeOp(ip.Added)
	Removed = ChangeOp(ip.Removed)
	Changed = ChangeOp(ip.Changed)
)

// String returns "added", "removed" or "changed".
func (o ChangeOp) String() string {
	return map[ChangeOp]string{Added: "added", Removed: "removed", Changed: "changed"}[o]
}

// MarshalText returns the String.
func (o ChangeOp) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Change is one change of a stack's state: Op, and the thing as it is now, or was last if it was removed. One of the pointers
// is set. A thing is told from others of its kind by: an interface, its Index; an address, its interface and address; a
// route, its Prefix, Table, Type, Gateway, Interface and Metric; a neighbor or group, its interface and address; a rule, all
// of it; a line of the policy table, its Prefix; a router, its Addr.
type Change struct {
	Time time.Duration // since the stack's Runtime began
	Op   ChangeOp
	On   string `json:",omitempty"` // the name of the interface, but for rules and policy

	// Interface is without its addresses and what it learned, which have changes of their own, but for Learned.Managed and Other.
	Interface *InterfaceState `json:",omitempty"`
	Address   *AddressState   `json:",omitempty"`
	Route     *Route          `json:",omitempty"` // that it is in use, not only configured
	Neighbor  *Neighbor       `json:",omitempty"`
	Rule      *Rule           `json:",omitempty"`
	Policy    *PolicyEntry    `json:",omitempty"`
	Group     *GroupState     `json:",omitempty"`
	Router    *RouterState    `json:",omitempty"` // a default router
}

// ErrOverrun is what Next returns when changes were lost, because more waited than the subscription holds. Who keeps a copy of
// the state takes a new Snapshot then, and goes on with Next.
var ErrOverrun = ip.ErrOverrun

// Subscription delivers a stack's changes in the order they happen.
type Subscription struct {
	stack *Stack
	s     *ip.Subscription
}

// Subscribe has all changes of the stack's state from now on queued for Next: of interfaces, addresses, routes, neighbors,
// rules, the policy table, groups and default routers. That a lifetime was renewed is not a change of a route or router.
//
// Who wants to keep a copy of the state subscribes first, takes a Snapshot then, and applies the changes to it: one that
// happened between is applied twice, which does no harm, since a Change has all of the thing. The queue holds 8192.
func (s *Stack) Subscribe() *Subscription { return &Subscription{s, s.ip.Subscribe(0)} }

// Next returns the next change, and waits for it. Errors: ErrOverrun; net.ErrClosed after Close, or when the stack was closed
// and all is told; ctx's.
func (s *Subscription) Next(ctx context.Context) (Change, error) {
	c, err := s.s.Next(ctx)
	if err != nil {
		return Change{}, err
	}
	return s.stack.change(&c), nil
}

// Notify has f called, on another goroutine or in simulation later at this instant, when a change comes and none waited for Next,
// and when the subscription ends; at once if there is something to take already. It is for those who wait for other things too:
// f must not block, and Next with a context that is done takes what there is.
func (s *Subscription) Notify(f func()) { s.s.Notify(f) }

// Close ends the subscription; who waits in Next gets net.ErrClosed.
func (s *Subscription) Close() error {
	s.s.Close()
	return nil
}

// change converts c.
func (s *Stack) change(c *ip.Change) Change {
	o := Change{Time: c.At.Duration(), Op: ChangeOp(c.Op), On: c.On}
	switch c.Kind {
	case ip.OfInterface:
		i := newInterfaceState(c.Interface)
		o.Interface = &i
	case ip.OfAddress:
		a := addressState(c.At, &c.Address)
		o.Address = &a
	case ip.OfRoute:
		r := newRoute(c.At, &c.Route, c.On)
		o.Route = &r
	case ip.OfNeighbor:
		n := newNeighbor(c.On, c.Neighbor)
		o.Neighbor = &n
	case ip.OfRule:
		r := newRule(&c.Rule, c.On, c.Out)
		o.Rule, o.On = &r, ""
	case ip.OfPolicy:
		p := PolicyEntry(c.Policy)
		o.Policy = &p
	case ip.OfGroup:
		g := newGroupState(&c.Group)
		o.Group = &g
	case ip.OfRouter:
		r := RouterState{c.Router.Addr.Netip().WithZone(c.On), int(c.Router.Preference), remaining(c.At, c.Router.Until)}
		o.Router = &r
	}
	return o
}

// String writes the change in the manner of ip-monitor(8): "Deleted 192.0.2.2 dev eth0 lladdr 02:00:00:00:00:02 STALE".
func (c Change) String() string {
	s := map[ChangeOp]string{Removed: "Deleted "}[c.Op]
	switch {
	case c.Interface != nil:
		return s + c.Interface.Line()
	case c.Address != nil:
		return s + c.On + " " + c.Address.String()
	case c.Route != nil:
		return s + c.Route.String()
	case c.Neighbor != nil:
		return s + c.Neighbor.String()
	case c.Rule != nil:
		return s + c.Rule.String()
	case c.Policy != nil:
		return s + c.Policy.String()
	case c.Group != nil:
		return s + c.Group.String()
	case c.Router != nil:
		return s + c.Router.String()
	}
	return s
}
