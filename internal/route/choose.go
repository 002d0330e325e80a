package route

import (
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// Why says by which rule a route was chosen.
type Why uint8

// The rules.
const (
	ByNothing         Why = iota
	ByLongestPrefix       // it was the only one of the longest prefix
	ByMetric              // it had the lowest metric, or came first
	BySourceInterface     // it leaves by the interface that has the source (RFC 1122, 3.3.4.3)
	ByReachability        // others did not answer (RFC 4861, 6.3.6)
	ByPreference          // its router said so (RFC 4191, 3.2)
	ByHabit               // packets to this destination go there already (RFC 4861, 5.2)
	ByLoadSharing         // routers are as good as each other, and destinations are spread (RFC 4311)
	ByFlow                // of several with a weight, by the flow
	ByRoundRobin          // nobody answers: each is tried in turn (RFC 4861, 6.3.6)
	ByRedirect            // a router sent us there (RFC 4861, 8.3; RFC 1122, 3.2.2.2)
	ByRule                // a rule ends it
)

// String returns the rule in words.
func (w Why) String() string {
	return [...]string{"no route", "longest prefix", "lowest metric", "interface of the source", "reachable router", "router preference",
		"router in use", "load sharing", "multipath", "round robin", "redirect", "rule"}[w]
}

// choose finds the hop of one prefix that q's packets take: one through the interface that q prefers if there is one, else
// one of the lowest metric of which one answers. It returns false if none answers, or none can be used.
func (f *FIB) choose(list []Hop, q *Query, r *Result) bool {
	if q.Prefer != 0 && q.Out == 0 && len(list) > 1 {
		pinned := *q
		pinned.Out = q.Prefer
		if f.chooseByMetric(list, &pinned, r) {
			if r.Why == ByMetric {
				r.Why = BySourceInterface
			}
			return true
		}
	}
	return f.chooseByMetric(list, q, r)
}

func (f *FIB) chooseByMetric(list []Hop, q *Query, r *Result) bool {
	for i := 0; i < len(list); {
		end := i + 1
		for end < len(list) && list[end].Metric == list[i].Metric {
			end++
		}
		if f.chooseEqual(list[i:end], q, r) {
			for k := range list[:i] { // a lower metric, and passed over
				if h := &list[k]; h.router != nil && f.usable(h, q) {
					r.Why = ByReachability
					if !q.Dry {
						h.router.miss()
					}
				}
			}
			return true
		}
		i = end
	}
	return false
}

// chooseEqual finds the hop among those of one prefix and metric.
//
// RFC 4191, 3.2: a host "primarily prefers reachable routers over non-reachable routers and secondarily uses the router
// preference values. If the host has no information about the router's reachability, then the host assumes the router is
// reachable." Among those of one preference the reachable come before the unknown: RFC 4861, 6.3.6.
func (f *FIB) chooseEqual(list []Hop, q *Query, r *Result) bool {
	var best *Hop
	bestReach, n, dead := NotReachable, 0, 0
	first := true
	for i := range list {
		h := &list[i]
		if !f.usable(h, q) {
			continue
		}
		reach := Reachable
		if h.router != nil {
			if reach = h.router.Reach(); reach == NotReachable {
				dead++
				continue
			}
		}
		if best != nil && (h.Preference < best.Preference || h.Preference == best.Preference && reach < bestReach && h.Weight == 0) {
			if first = false; h.Preference < best.Preference && r.Why == ByMetric {
				r.Why = ByPreference
			}
			continue
		}
		switch {
		case best == nil || h.Preference > best.Preference:
			r.Why = ByMetric
			if best != nil || !first {
				r.Why = ByPreference
			}
			best, bestReach, n = h, reach, 1
		case reach > bestReach && h.Weight == 0:
			r.Why = ByReachability
			best, bestReach, n = h, reach, 1
		default:
			n++
		}
	}
	if best == nil {
		return false
	}
	if dead > 0 {
		f.missDead(list, best, q)
		if r.Why == ByMetric {
			r.Why = ByReachability
		}
	}
	r.Hop = best
	if n > 1 {
		f.share(list, best, bestReach, q, r)
	}
	return true
}

// missDead notes which routers would have been as good as best, or better, if they answered.
func (f *FIB) missDead(list []Hop, best *Hop, q *Query) {
	if q.Dry {
		return
	}
	for i := range list {
		if h := &list[i]; h.router != nil && h.Preference >= best.Preference && h.router.Reach() == NotReachable && f.usable(h, q) {
			h.router.miss()
		}
	}
}

// share chooses among several hops that are as good as best: those with a weight by the flow; default routers by the
// destination. Others are in the order in which they were configured: best is the first.
func (f *FIB) share(list []Hop, best *Hop, reach Reach, q *Query, r *Result) {
	switch {
	case best.Weight > 0:
		f.spread(list, best, q, r)
	case best.Origin == RouterAdvertisement:
		f.loadShare(list, best, reach, q, r)
	}
}

// equal reports whether h is as good as best, whose reachability is reach.
func (f *FIB) equal(h, best *Hop, reach Reach, q *Query) bool {
	return h.Preference == best.Preference && f.usable(h, q) && (h.router == nil && reach == Reachable || h.router != nil && h.router.Reach() >= reach)
}

// loadShare spreads destinations over default routers.
//
// RFC 4311, 2: "When a host chooses from multiple equivalent routers, it SHOULD support choosing using some method that distributes
// load for different destinations among the equivalent routers rather than always choosing the same router". A destination
// keeps its router: RFC 4861, 6.3.6: "with subsequent traffic for that destination using the same router". And it moves to
// another one only if that is new, or its own is gone: the router that scores best with it has it (RFC 2992's
// criterion, met by highest random weight).
func (f *FIB) loadShare(list []Hop, best *Hop, reach Reach, q *Query, r *Result) {
	var top uint64
	r.Why = ByLoadSharing
	for i := range list {
		h := &list[i]
		if h.Origin != RouterAdvertisement || !f.equal(h, best, reach, q) {
			continue
		}
		if q.Habit != (wire.Addr{}) && h.Gateway == q.Habit {
			r.Hop, r.Why = h, ByHabit
			return
		}
		if score := flow.Mix(flow.Mix(f.seed^q.Dst.Hi^flow.Mix(q.Dst.Lo)) ^ h.Gateway.Lo ^ flow.Mix(h.Gateway.Hi^uint64(h.Out))); score >= top {
			top, r.Hop = score, h
		}
	}
}

// spread gives each hop with a weight its share of flows. A flow keeps its hop while the others stay as they are.
func (f *FIB) spread(list []Hop, best *Hop, q *Query, r *Result) {
	total := uint64(0)
	for i := range list {
		if h := &list[i]; f.shares(h, best, q) {
			total += uint64(h.Weight)
		}
	}
	at := uint64(f.FlowHash(q)) * total >> 32
	for i := range list {
		h := &list[i]
		if !f.shares(h, best, q) {
			continue
		}
		if at < uint64(h.Weight) {
			r.Hop, r.Why = h, ByFlow
			return
		}
		at -= uint64(h.Weight)
	}
}

func (f *FIB) shares(h, best *Hop, q *Query) bool {
	return h.Weight > 0 && f.equal(h, best, Unknown, q)
}

// roundRobin chooses among hops whose routers do not answer.
//
// RFC 4861, 6.3.6: "When no routers on the list are known to be reachable or probably reachable, routers SHOULD be selected
// in a round-robin fashion, so that subsequent requests for a default router do not return the same router until all other
// routers have been selected." So each is asked again.
func (f *FIB) roundRobin(list []Hop, q *Query, r *Result) {
	n := 0
	for i := range list {
		if f.usable(&list[i], q) {
			n++
		}
	}
	turn := 0
	if n > 1 {
		next := f.turn.Load() + 1
		if !q.Dry {
			next = f.turn.Add(1)
		}
		turn = int(next % uint32(n))
	}
	for i := range list {
		h := &list[i]
		if !f.usable(h, q) {
			continue
		}
		if turn == 0 {
			r.Hop, r.Why = h, ByRoundRobin
			return
		}
		turn--
	}
}
