package ip

import (
	"slices"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/addrsel"
	"github.com/onlink-go/onlink/internal/nd"
	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// ChangeOp says what became of a thing.
type ChangeOp uint8

// What becomes of things.
const (
	Added ChangeOp = 1 + iota
	Removed
	Changed
)

// ChangeKind says what kind of thing it is, and which field of a Change has it.
type ChangeKind uint8

// The kinds of things.
const (
	OfInterface ChangeKind = iota // Interface
	OfAddress                     // Address
	OfRoute                       // Route
	OfNeighbor                    // Neighbor
	OfRule                        // Rule; its interfaces are On and Out
	OfPolicy                      // Policy
	OfGroup                       // Group
	OfRouter                      // Router
)

// Change is one change: what the thing is now, or was last if it was removed.
type Change struct {
	At        clock.Instant
	Op        ChangeOp
	Kind      ChangeKind
	On, Out   string // names of interfaces: that the thing is on
	Interface *netif.Interface
	Address   netif.Address
	Route     route.Route
	Neighbor  neigh.Info
	Rule      route.Rule
	Policy    addrsel.Entry
	Group     GroupInfo
	Router    nd.DefaultRouter
}

// state is everything that changes are told of but neighbors, whose changes tell themselves. It is immutable.
type state struct {
	ifs    []interfaceState // by ascending index
	fib    *route.FIB
	policy *addrsel.Policy
}

type interfaceState struct {
	*netif.Interface
	groups  []GroupInfo
	routers []nd.DefaultRouter
}

// present returns the state as it is published now. Control locked.
func (l *Layer) present() state {
	s := l.snap.Load()
	now := state{fib: s.routes, policy: l.policy.Load()}
	for _, d := range l.devices {
		i := interfaceState{Interface: s.Interface(d.index)}
		if i.Interface == nil {
			continue // it is being added
		}
		i.groups = d.groups(i.Interface)
		if d.host != nil {
			i.routers = d.host.Routers()
		}
		now.ifs = append(now.ifs, i)
	}
	return now
}

// find returns the interface with the given index, or nil.
func (s *state) find(index int32) *interfaceState {
	if k, ok := slices.BinarySearchFunc(s.ifs, index, func(i interfaceState, n int32) int { return int(i.Index - n) }); ok {
		return &s.ifs[k]
	}
	return nil
}

// name returns the name of an interface that s or old has.
func (s *state) name(old *state, index int32) string {
	for _, s := range [...]*state{s, old} {
		if i := s.find(index); i != nil {
			return i.Name
		}
	}
	return ""
}

// tellChanges reports how what is published now differs from what was told last. Control locked.
func (l *Layer) tellChanges() {
	if l.watchers != nil {
		l.watchers.compare()
	}
}

func (w *watchers) compare() {
	old, now := w.told, w.l.present()
	w.told = now
	// What is added stands on what was added before it: interfaces first, and last when they go.
	for i := range now.ifs {
		w.tellInterface(old.find(now.ifs[i].Index), &now.ifs[i])
	}
	w.tellRoutes(&old, &now)
	w.tellRules(&old, &now)
	w.tellPolicy(old.policy, now.policy)
	for i := range old.ifs {
		if o := &old.ifs[i]; now.find(o.Index) == nil {
			w.tellContents(o, &interfaceState{Interface: &netif.Interface{}})
			w.report(Change{Op: Removed, Kind: OfInterface, On: o.Name, Interface: o.Interface})
		}
	}
}

// tellInterface reports an interface that is new if old is nil, and what is on it.
func (w *watchers) tellInterface(old, now *interfaceState) {
	switch {
	case old == nil:
		w.report(Change{Op: Added, Kind: OfInterface, On: now.Name, Interface: now.Interface})
		old = &interfaceState{Interface: &netif.Interface{}}
	case old.Interface == now.Interface:
		// What it has is what it had, but for routers.
	case !sameInterface(old.Interface, now.Interface):
		w.report(Change{Op: Changed, Kind: OfInterface, On: now.Name, Interface: now.Interface})
	}
	w.tellContents(old, now)
}

// sameInterface reports whether two interfaces differ in nothing but what is on them.
func sameInterface(a, b *netif.Interface) bool {
	return a.Up == b.Up && a.Down == b.Down && a.MTU == b.MTU && a.MTU6 == b.MTU6 && a.HopLimit == b.HopLimit &&
		a.LinkAddr == b.LinkAddr && a.VRF == b.VRF && a.NoIPv6 == b.NoIPv6 && a.PreferPublic == b.PreferPublic &&
		a.Managed == b.Managed && a.Other == b.Other
}

// tellContents reports the addresses, groups and routers of one interface.
func (w *watchers) tellContents(old, now *interfaceState) {
	on := now.Name
	if on == "" {
		on = old.Name
	}
	differ(old.routers, now.routers, func(r *nd.DefaultRouter) wire.Addr { return r.Addr },
		func(a, b *nd.DefaultRouter) bool { return a.Preference == b.Preference },
		func(op ChangeOp, r *nd.DefaultRouter) { w.report(Change{Op: op, Kind: OfRouter, On: on, Router: *r}) })
	differ(old.Addrs, now.Addrs, func(a *netif.Address) wire.Addr { return a.Addr },
		func(a, b *netif.Address) bool { return *a == *b },
		func(op ChangeOp, a *netif.Address) { w.report(Change{Op: op, Kind: OfAddress, On: on, Address: *a}) })
	differ(old.groups, now.groups, func(g *GroupInfo) wire.Addr { return g.Group },
		func(a, b *GroupInfo) bool {
			return a.Users == b.Users && a.Version == b.Version && a.Filter.Equal(b.Filter)
		},
		func(op ChangeOp, g *GroupInfo) { w.report(Change{Op: op, Kind: OfGroup, On: on, Group: *g}) })
}

// differ reports, by their keys, what is gone from old, and then what is new or not the same in now.
func differ[T any, K comparable](old, now []T, key func(*T) K, same func(a, b *T) bool, tell func(ChangeOp, *T)) {
	find := func(list []T, k K) int { return slices.IndexFunc(list, func(o T) bool { return key(&o) == k }) }
	for i := range old {
		if find(now, key(&old[i])) < 0 {
			tell(Removed, &old[i])
		}
	}
	for i := range now {
		switch k := find(old, key(&now[i])); {
		case k < 0:
			tell(Added, &now[i])
		case !same(&old[k], &now[i]):
			tell(Changed, &now[i])
		}
	}
}

func (w *watchers) tellRoutes(old, now *state) {
	if old.fib == now.fib {
		return
	}
	now.fib.Diff(old.fib, &w.journal, func(gone, there *route.Route) {
		switch {
		case there == nil:
			w.report(Change{Op: Removed, Kind: OfRoute, On: now.name(old, gone.Out), Route: *gone})
		case gone == nil:
			w.report(Change{Op: Added, Kind: OfRoute, On: now.name(old, there.Out), Route: *there})
		default:
			w.report(Change{Op: Changed, Kind: OfRoute, On: now.name(old, there.Out), Route: *there})
		}
	})
}

func (w *watchers) tellRules(old, now *state) {
	before4, before6 := old.fib.Rules()
	after4, after6 := now.fib.Rules()
	differ(slices.Concat(before4, before6), slices.Concat(after4, after6), func(r *route.Rule) route.Rule { return *r },
		func(a, b *route.Rule) bool { return true },
		func(op ChangeOp, r *route.Rule) {
			w.report(Change{Op: op, Kind: OfRule, On: now.name(old, r.In), Out: now.name(old, r.Out), Rule: *r})
		})
}

func (w *watchers) tellPolicy(old, now *addrsel.Policy) {
	if old == now {
		return
	}
	differ(old.Entries(), now.Entries(), func(e *addrsel.Entry) addrsel.Entry { return addrsel.Entry{Prefix: e.Prefix} },
		func(a, b *addrsel.Entry) bool { return *a == *b },
		func(op ChangeOp, e *addrsel.Entry) { w.report(Change{Op: op, Kind: OfPolicy, Policy: *e}) })
}

// tellNeighbor reports a change of an entry of d's neighbor cache, which had the state from. Control locked.
func (d *device) tellNeighbor(_ clock.Instant, from neigh.State, e neigh.Info) {
	if d.l.watchers != nil {
		d.l.watchers.neighborChanged(d.name, from, e)
	}
}

func (w *watchers) neighborChanged(on string, from neigh.State, e neigh.Info) {
	op := Changed
	switch {
	case e.State == neigh.None:
		op = Removed
	case from == neigh.None:
		op = Added
	}
	w.report(Change{Op: op, Kind: OfNeighbor, On: on, Neighbor: e})
}
