package route

import (
	"net/netip"
	"slices"

	"github.com/onlink-go/onlink/wire"
)

// hops are the routes of one prefix: by metric, those of one metric as they were added. They are immutable, and prefixes
// with equal ones share them: a million routes through a few gateways hold a few of them.
type hops struct{ list []Hop }

// table is a forwarding table. It is immutable once its FIB is published.
type table struct {
	id      uint32
	tries   [2]trie    // IPv4, IPv6
	digests [2]*digest // of these; nil: there are few routes
}

// size returns how many prefixes t has.
func (t *table) size() int { return t.tries[0].n + t.tries[1].n }

// each calls f for all prefixes, in order, IPv4's first, until it returns false.
func (t *table) each(f func(netip.Prefix, *hops) bool) {
	for fam := range t.tries {
		if !t.tries[fam].root.each(func(n *node) bool { return f(n.key.prefix(n.bits(), fam == 0), n.hops) }) {
			return
		}
	}
}

// edit has the hops of a prefix be what change makes of them, as the edit with the given number.
func (t *table) edit(number uint64, p netip.Prefix, change func(*hops) *hops) {
	t.tries[familyOf(p)].edit(number, p, change)
}

func familyOf(p netip.Prefix) int {
	if p.Addr().Is4() {
		return 0
	}
	return 1
}

// find returns the routes of the longest prefix that a is in, nil if there is none.
func (t *table) find(a wire.Addr) *hops {
	key, fam := bitsOf(a), family(a)
	if d := t.digests[fam]; d != nil {
		return d.find(key)
	}
	return t.tries[fam].root.find(key)
}

// get returns the routes of a prefix.
func (t *table) get(p netip.Prefix) []Hop {
	key, length := prefixBits(p)
	if n := t.tries[familyOf(p)].root.longest(key, length); n != nil && n.bits() == length {
		return n.hops.list
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
	var room [16]*node
	above := t.tries[family(q.Dst)].above(bitsOf(q.Dst), hostBits, room[:0])
	for i := range above {
		hs := above[len(above)-1-i].hops
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

// hostBits is at least the length of any prefix.
const hostBits = 128
