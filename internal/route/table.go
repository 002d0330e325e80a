package route

import (
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/onlink-go/onlink/wire"
)

// hops are the routes of one prefix: by metric, those of one metric as they were added. They are immutable, and prefixes
// with equal ones share them: a million routes through a few gateways hold a few of them.
type hops struct{ list []Hop }

// table is a forwarding table. It is immutable once its FIB is published.
type table struct {
	id      uint32
	fib     *bart.Fast[*hops]
	digests [2]*digest // IPv4, IPv6; nil: there are few routes
}

func newTable(id uint32) *table { return &table{id: id, fib: new(bart.Fast[*hops])} }

// find returns the routes of the longest prefix that a is in, nil if there is none.
func (t *table) find(a wire.Addr) *hops {
	if d := t.digests[family(a)]; d != nil {
		if hs, said := d.find(a); said {
			return hs
		}
	}
	hs, _ := t.fib.Lookup(a.Netip())
	return hs
}

// get returns the routes of a prefix.
func (t *table) get(p netip.Prefix) []Hop {
	if hs, ok := t.fib.Get(p); ok {
		return hs.list
	}
	return nil
}

// interner finds the one copy of equal hops. It forgets all when it has seen too many: what is shared already stays so.
type interner struct{ lone map[Hop]*hops }

const maxInterned = 1 << 14

func (n *interner) intern(list []Hop) *hops {
	if len(list) != 1 {
		return &hops{list: list}
	}
	if hs := n.lone[list[0]]; hs != nil {
		return hs
	}
	if n.lone == nil || len(n.lone) >= maxInterned {
		n.lone = make(map[Hop]*hops)
	}
	hs := &hops{list: list}
	n.lone[list[0]] = hs
	return hs
}

// withHop returns a copy of list with h in its place: by metric, then as added.
func withHop(list []Hop, h Hop) []Hop {
	i, _ := slices.BinarySearchFunc(list, h.Metric+1, func(o Hop, m int) int { return o.Metric - m })
	c := make([]Hop, 0, len(list)+1)
	return append(append(append(c, list[:i]...), h), list[i:]...)
}

// withoutHop returns a copy of list without its i-th.
func withoutHop(list []Hop, i int) []Hop {
	return slices.Delete(slices.Clone(list), i, i+1)
}

// lookup finds the hop that q's packets take by t. It returns nil if t has none.
//
// RFC 4191, 3.2: a host "searches its routing table to find the route with the longest prefix that matches the
// destination, using route preference values as a tie-breaker if multiple matching routes have the same prefix length.
// If the best route points to a non-reachable router, this router is remembered …, and the next best route is consulted.
// This check is repeated until a matching route is found that points to a reachable router, or no matching routes remain."
//
// That is for hosts; a router, and IPv4, have no other prefix stand in: where a default route leads is no place for what
// a more specific one was made for.
func (f *FIB) lookup(t *table, q *Query, r *Result) bool {
	hs := t.find(q.Dst)
	if hs == nil {
		return false
	}
	if len(hs.list) == 1 { // the common case by far: nothing to choose
		if h := &hs.list[0]; f.usable(h, q) && (h.router == nil || h.router.Reach() != NotReachable) {
			r.Hop, r.Why = h, ByLongestPrefix
			return true
		}
	}
	if f.choose(hs.list, q, r) {
		return true
	}
	var asleep *hops // of the longest prefix with routers that could be used, of which none answers
	for _, hs := range t.fib.Supernets(host(q.Dst)) {
		if f.choose(hs.list, q, r) {
			missAll(asleep, f, q)
			return true
		}
		if asleep == nil && hs.anyUsable(f, q) {
			if asleep = hs; q.Dst.Is4() || !q.host() {
				break
			}
		}
	}
	if asleep == nil {
		return false
	}
	f.roundRobin(asleep.list, q, r)
	return true
}

// anyUsable reports whether there is a hop that q's packets could take if it answered.
func (hs *hops) anyUsable(f *FIB, q *Query) bool {
	for i := range hs.list {
		if f.usable(&hs.list[i], q) {
			return true
		}
	}
	return false
}

// missAll notes that packets would have gone to the routers of hs if they answered.
func missAll(hs *hops, f *FIB, q *Query) {
	if hs == nil || q.Dry {
		return
	}
	for i := range hs.list {
		if h := &hs.list[i]; h.router != nil && f.usable(h, q) {
			h.router.miss()
		}
	}
}

// usable reports whether q's packets can take h, whether its router answers or not.
func (f *FIB) usable(h *Hop, q *Query) bool {
	if h.Out == 0 {
		return q.Out == 0
	}
	return (q.Out == 0 || h.Out == q.Out) && !f.isDown(h.Out)
}

// netip returns a's prefix of full length.
func host(a wire.Addr) netip.Prefix {
	n := a.Netip()
	return netip.PrefixFrom(n, n.BitLen())
}
