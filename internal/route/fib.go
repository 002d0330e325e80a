package route

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// FIB is tables, the rules that choose among them, and redirects. It is immutable. The zero FIB is not usable: New.
type FIB struct {
	tables    []*table  // by ascending number
	rules     [2][]Rule // IPv4, IPv6
	compiled  [2][]compiled
	initial   [2]bool // the rules are those of the beginning
	plain     [2]bool // and so the main table is all there is
	main      *table
	depends   [2]selectors
	redirects map[wire.Addr]*Redirection // by destination; not written to once it is here
	down      []bool                     // by interface index
	hashL4    [2]bool
	*shared
}

// shared is what all FIBs that came of one have in common.
type shared struct {
	routers *Routers
	intern  interner
	edits   uint64 // of tries
	seed    uint64
	turn    atomic.Uint32 // of roundRobin
	journal *Journal      // nil: nobody wants to know
}

// New returns a FIB without routes. seed makes how flows and destinations are spread unpredictable.
func New(routers *Routers, seed uint64) *FIB {
	f := &FIB{shared: &shared{routers: routers, seed: seed}}
	f.rules = [2][]Rule{initialRules(false), initialRules(true)}
	f.compile()
	return f
}

// Query is what is known of packets whose next hop is asked for.
type Query struct {
	Dst, Src     wire.Addr // Src zero: not chosen yet
	In           int32     // interface they came in by; 0: they are ours
	Out          int32     // interface they must leave by; 0: any
	Prefer       int32     // interface they had better leave by; 0: any
	VRF          uint32    // table of the VRF they are in; 0: none
	Mark         uint32
	FlowLabel    uint32
	Ports        uint32 // source port in the upper half; both 0 where there are none
	TrafficClass uint8
	Proto        uint8
	Habit        wire.Addr // gateway that packets to Dst have been going to; zero: none
	Dry          bool      // nobody sends: nothing is noted of the lookup
}

// host reports whether the packets are a host's own.
func (q *Query) host() bool { return q.In == 0 || q.In == ownPackets }

// Result is where packets go, and by which rules. The zero Result: there is no route.
type Result struct {
	Hop     *Hop
	Gateway wire.Addr // Hop's, or where a redirect leads; the zero Addr: the destination is on-link
	Router  *Router   // of Gateway, if it is one; not that of a redirect
	Rule    *Rule     // that led to the table, or ended the search; nil: only the initial rules are there
	Table   uint32
	Why     Why
	drop    Type
}

// Drop returns Blackhole, Unreachable or Prohibit if the packets go nowhere because a route or rule says so, else Unicast.
func (r *Result) Drop() Type {
	if r.Hop != nil {
		return r.Hop.Type
	}
	return r.drop
}

// Errno returns what a sender gets: 0 if packets can go.
func (r *Result) Errno() syscall.Errno {
	switch {
	case r.Hop != nil:
		return r.Hop.Type.Errno()
	case r.Rule != nil && r.Rule.Action != ToTable:
		return r.Rule.Action.Errno()
	}
	return syscall.ENETUNREACH
}

// Lookup finds where q's packets go. It returns whether they go anywhere.
func (f *FIB) Lookup(q *Query, r *Result) bool {
	*r = Result{}
	fam := family(q.Dst)
	if f.plain[fam] && q.VRF == 0 {
		if !f.in(f.main, q, r) {
			return false
		}
		r.Table = MainTable
	} else if !f.byRules(fam, q, r) {
		return false
	}
	r.Gateway, r.Router = r.Hop.Gateway, r.Hop.router
	if r.Hop.Type != Unicast {
		return false
	}
	f.redirect(q, r)
	return true
}

func family(a wire.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// byRules asks the rules in their order.
func (f *FIB) byRules(fam int, q *Query, r *Result) bool {
	rules := f.compiled[fam]
	for i := range rules {
		c := &rules[i]
		if q.VRF != 0 && c.Priority >= VRFPriority {
			break
		}
		if !c.applies(q) {
			continue
		}
		if c.Action != ToTable {
			*r = Result{Rule: &c.Rule, drop: c.Action.drops(), Why: ByRule}
			return false
		}
		if f.in(f.table(c.Table), q, r) {
			r.Rule, r.Table = &c.Rule, c.Rule.Table
			return true
		}
	}
	if q.VRF == 0 {
		return false
	}
	r.Table = q.VRF
	return f.in(f.table(q.VRF), q, r)
}

// in looks q's packets up in t. A route of type Throw is no answer.
func (f *FIB) in(t *table, q *Query, r *Result) bool {
	if t != nil && f.lookup(t, q, r) && r.Hop.Type != Throw {
		return true
	}
	r.Hop, r.Why = nil, ByNothing
	return false
}

func (f *FIB) table(id uint32) *table {
	i, ok := f.tableIndex(id)
	if !ok {
		return nil
	}
	return f.tables[i]
}

func (f *FIB) tableIndex(id uint32) (int, bool) {
	return slices.BinarySearchFunc(f.tables, id, func(t *table, id uint32) int {
		switch {
		case t.id < id:
			return -1
		case t.id > id:
			return 1
		}
		return 0
	})
}

func (f *FIB) isDown(out int32) bool { return int(out) < len(f.down) && out >= 0 && f.down[out] }

// compile prepares the rules for Lookup.
func (f *FIB) compile() {
	for fam := range f.rules {
		f.depends[fam] = selectors{flow: f.depends[fam].flow}
		cs := make([]compiled, 0, len(f.rules[fam]))
		for _, r := range f.rules[fam] {
			cs = append(cs, compiled{r, matchOf(r.From), matchOf(r.To)})
			s := r.selectors()
			f.depends[fam].mark = f.depends[fam].mark || s.mark
			f.depends[fam].class = f.depends[fam].class || s.class
		}
		f.compiled[fam], f.initial[fam] = cs, slices.Equal(f.rules[fam], initialRules(fam == 1))
	}
	f.retable()
}

// retable follows a change of tables.
func (f *FIB) retable() {
	f.main = f.table(MainTable)
	f.plain = [2]bool{f.initial[0] && f.table(DefaultTable) == nil, f.initial[1]}
}

// Depends reports which fields of a Query besides addresses and interfaces answers for a family depend on.
func (f *FIB) Depends(four bool) (mark, class, flow bool) {
	d := &f.depends[1]
	if four {
		d = &f.depends[0]
	}
	return d.mark, d.class, d.flow
}

// HashPorts makes the flows that multipath routes spread those of RFC 6438's five-tuple, by family: Linux's
// fib_multipath_hash_policy 1; without, they are pairs of addresses.
func (f *FIB) HashPorts(four, six bool) *FIB {
	c := *f
	c.hashL4 = [2]bool{four, six}
	return &c
}

// FlowHash returns the hash by which q's packets are spread over multipath routes. It is the same for all packets of a flow.
func (f *FIB) FlowHash(q *Query) uint32 {
	h := flow.Mix(f.seed ^ q.Dst.Hi)
	h = flow.Mix(h ^ q.Dst.Lo)
	h = flow.Mix(h ^ q.Src.Hi)
	h = flow.Mix(h ^ q.Src.Lo)
	fam := family(q.Dst)
	switch {
	case f.hashL4[fam]:
		h = flow.Mix(h ^ uint64(q.Ports)<<8 ^ uint64(q.Proto))
	case fam == 1:
		// Linux's policy 0 for IPv6: "source and destination addresses plus flow label" and next header.
		h = flow.Mix(h ^ uint64(q.FlowLabel)<<8 ^ uint64(q.Proto))
	}
	return uint32(h >> 32)
}

// Routes returns the routes of all tables, by table, prefix, and then in the order they are preferred. Routes through
// interfaces that are down are left out unless all.
func (f *FIB) Routes(all bool) []Route {
	var rs []Route
	for _, t := range f.tables {
		t.each(func(p netip.Prefix, hs *hops) bool {
			for i := range hs.list {
				if h := &hs.list[i]; all || !f.isDown(h.Out) {
					rs = append(rs, h.route(p, t.id))
				}
			}
			return true
		})
	}
	return rs
}

// Len returns how many prefixes there are in all tables.
func (f *FIB) Len() (n int) {
	for _, t := range f.tables {
		n += t.size()
	}
	return n
}

// Rules returns the rules of both families in the order they are asked. It must not be changed.
func (f *FIB) Rules() (four, six []Rule) { return f.rules[0], f.rules[1] }

// Prefixes returns the routes of one prefix in a table.
func (f *FIB) Prefix(id uint32, p netip.Prefix) (rs []Route) {
	if t := f.table(id); t != nil {
		for i, list := 0, t.get(p); i < len(list); i++ {
			rs = append(rs, list[i].route(p, id))
		}
	}
	return rs
}

// Candidates returns the routes of the longest prefix in a table that dst is in.
func (f *FIB) Candidates(id uint32, dst wire.Addr) (rs []Route) {
	t := f.table(id)
	if t == nil {
		return nil
	}
	if n := t.tries[family(dst)].root.longest(bitsOf(dst), hostBits); n != nil {
		for i := range n.hops.list {
			rs = append(rs, n.hops.list[i].route(n.key.prefix(n.bits(), dst.Is4()), id))
		}
	}
	return rs
}
