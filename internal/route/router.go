package route

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Reach is what is known of whether a router answers (RFC 4861, 6.3.6).
type Reach uint32

// The classes, the best last. RFC 4861, 6.3.6: "Routers that are reachable or probably reachable (i.e., in any state
// other than INCOMPLETE) SHOULD be preferred over routers whose reachability is unknown or suspect".
const (
	NotReachable Reach = iota // it did not answer when last asked
	Unknown                   // nobody asked, or it is being asked for the first time
	Reachable                 // its link-layer address is known, and nothing speaks against it
)

// String returns the class's name.
func (r Reach) String() string { return [...]string{"unreachable", "unknown", "reachable"}[r] }

// Router is a gateway on the link of an interface. It belongs to all routes through it.
type Router struct {
	Addr wire.Addr
	Out  int32

	reach  atomic.Uint32
	missed atomic.Bool

	// The caller's lock.
	Asked clock.Instant // when it was last asked whether it is back
	uses  int           // routes through it
}

// Reach returns what is known of the router.
func (r *Router) Reach() Reach { return Reach(r.reach.Load()) }

// SetReach notes what was found out, and returns what was known before.
func (r *Router) SetReach(to Reach) (was Reach) { return Reach(r.reach.Swap(uint32(to))) }

// Missed reports whether, since the last call, packets have gone another way for want of this router.
//
// RFC 4191, 3.5: "A host MUST NOT probe a router's reachability in the absence of useful traffic that the host would have
// sent to the router if it were reachable."
func (r *Router) Missed() bool { return r.missed.Load() && r.missed.Swap(false) }

func (r *Router) miss() {
	if !r.missed.Load() {
		r.missed.Store(true)
	}
}

// Routers knows the gateways of all routes there are. It is changed along with FIBs, under its caller's lock.
type Routers struct {
	// Added and Removed are called with a gateway's first route and after its last. Either may be nil.
	Added, Removed func(*Router)

	known map[routerKey]*Router
	order []*Router // as they came
}

type routerKey struct {
	addr wire.Addr
	out  int32
}

// Find returns the router, or nil.
func (rs *Routers) Find(addr wire.Addr, out int32) *Router { return rs.known[routerKey{addr, out}] }

// All returns the routers, in the order in which they came. The slice must not be changed.
func (rs *Routers) All() []*Router { return rs.order }

// use returns the router for one more route.
func (rs *Routers) use(addr wire.Addr, out int32) *Router {
	k := routerKey{addr, out}
	r := rs.known[k]
	if r == nil {
		r = &Router{Addr: addr, Out: out}
		r.reach.Store(uint32(Unknown))
		if rs.known == nil {
			rs.known = make(map[routerKey]*Router)
		}
		rs.known[k] = r
		rs.order = append(rs.order, r)
		if rs.Added != nil {
			rs.Added(r)
		}
	}
	r.uses++
	return r
}

// release is use undone.
func (rs *Routers) release(r *Router) {
	if r == nil {
		return
	}
	if r.uses--; r.uses > 0 {
		return
	}
	delete(rs.known, routerKey{r.Addr, r.Out})
	for i, o := range rs.order {
		if o == r {
			// A copy: a reader may have the slice.
			rs.order = append(append([]*Router(nil), rs.order[:i]...), rs.order[i+1:]...)
			break
		}
	}
	if rs.Removed != nil {
		rs.Removed(r)
	}
}
