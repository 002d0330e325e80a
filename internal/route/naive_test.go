package route

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// naive is the FIB as lists to search through.
type naive struct {
	routes []Route
	rules  []Rule
	down   map[int32]bool
}

// lookup is Lookup by its definition, for routes none of which share packets.
func (n *naive) lookup(q *Query) (best *Route, rule *Rule) {
	for i := range n.rules {
		r := &n.rules[i]
		if r.IPv6 == q.Dst.Is4() || !meets(r, q) {
			continue
		}
		if r.Action != ToTable {
			return nil, r
		}
		if best := n.table(r.Table, q); best != nil && best.Type != Throw {
			return best, r
		}
	}
	return nil, nil
}

func meets(r *Rule, q *Query) bool {
	in := func(p netip.Prefix, a wire.Addr) bool {
		return !p.IsValid() || a != (wire.Addr{}) && p.Contains(a.Netip())
	}
	met := in(r.From, q.Src) && in(r.To, q.Dst) && (r.In == 0 || r.In == max(q.In, 1)) && (r.Out == 0 || r.Out == q.Out) &&
		q.Mark&r.Mask == r.Mark&r.Mask && (r.TrafficClass == 0 || r.TrafficClass == q.TrafficClass&0xfc)
	return met != r.Not
}

func (n *naive) table(id uint32, q *Query) (best *Route) {
	for i := range n.routes {
		r := &n.routes[i]
		if r.Table != id || !r.Prefix.Contains(q.Dst.Netip()) || n.down[r.Out] || q.Out != 0 && r.Out != q.Out {
			continue
		}
		if best == nil || r.Prefix.Bits() > best.Prefix.Bits() || r.Prefix.Bits() == best.Prefix.Bits() && r.Metric < best.Metric {
			best = r
		}
	}
	return best
}

// The FIB agrees with a search through all routes and rules, while both change.
func TestAgainstNaive(t *testing.T) {
	for seed := range uint64(40) {
		agree(t, rand.New(rand.NewPCG(seed, 4)))
	}
}

func agree(t *testing.T, rng *rand.Rand) {
	random := func() netip.Addr {
		if rng.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(rng.IntN(4)), byte(rng.IntN(4)), byte(rng.Uint32())})
		}
		return netip.AddrFrom16([16]byte{0x20, 1, byte(rng.IntN(4)), byte(rng.IntN(4)), 15: byte(rng.Uint32())})
	}
	prefix := func(four, may bool) (p netip.Prefix) {
		a := random()
		if may && rng.IntN(2) == 0 || a.Is4() != four {
			return p
		}
		return netip.PrefixFrom(a, rng.IntN(a.BitLen()+1)).Masked()
	}
	tables := []uint32{MainTable, DefaultTable, 7, 8, 1000000}
	n := &naive{down: make(map[int32]bool), rules: append(initialRules(false), initialRules(true)...)}
	f := New(new(Routers), 1)
	for range rng.IntN(400) {
		a := random()
		r := Route{Prefix: netip.PrefixFrom(a, rng.IntN(a.BitLen()+1)), Out: int32(2 + rng.IntN(3)), Metric: rng.IntN(3),
			Table: tables[rng.IntN(len(tables))], Type: Type(rng.IntN(12))}
		if r.Type == Local || r.Type > Throw {
			r.Type = Unicast
		}
		r, err := r.Check()
		if err != nil {
			t.Fatal(err)
		}
		if len(n.routes) > 0 && rng.IntN(4) == 0 {
			i := rng.IntN(len(n.routes))
			gone := n.routes[i]
			n.routes = append(n.routes[:i:i], n.routes[i+1:]...)
			var ok bool
			if f, _, ok = f.Without(gone.Table, gone.Prefix, func(o Route) bool { return o == gone }); !ok {
				t.Fatalf("%v is gone before", gone)
			}
		}
		next, ok := f.With(r)
		if f = next; ok {
			n.routes = append(n.routes, r)
		}
	}
	for range rng.IntN(12) {
		r := Rule{Priority: rng.IntN(3) * 16383, IPv6: rng.IntN(2) == 0, Not: rng.IntN(6) == 0, Action: Action(max(0, rng.IntN(12)-8)),
			In: int32(max(0, rng.IntN(6)-3)), Out: int32(max(0, rng.IntN(8)-4))}
		r.From, r.To = prefix(!r.IPv6, true), prefix(!r.IPv6, true)
		if r.Action == ToTable {
			r.Table = tables[rng.IntN(len(tables))]
		}
		if rng.IntN(2) == 0 {
			r.Mask = rng.Uint32N(8)
			r.Mark = rng.Uint32N(8) & r.Mask
		}
		if rng.IntN(4) == 0 {
			r.TrafficClass = uint8(rng.IntN(2) * 8)
		}
		r, err := r.Check()
		if err != nil {
			t.Fatal(r, err)
		}
		next, ok := f.WithRule(r)
		if f = next; ok {
			n.rules = append(n.rules, r)
			slices.SortStableFunc(n.rules, func(a, b Rule) int { return a.Priority - b.Priority })
		}
	}
	down := make([]bool, 5)
	down[2+rng.IntN(3)] = true
	for i, d := range down {
		n.down[int32(i)] = d
	}
	f = f.WithDown(down)
	for range 500 {
		q := Query{Dst: wire.AddrFrom(random()), Out: int32(max(0, rng.IntN(8)-3)), In: int32(rng.IntN(3)), Mark: rng.Uint32N(8),
			TrafficClass: uint8(rng.IntN(20))}
		if src := random(); rng.IntN(3) > 0 && src.Is4() == q.Dst.Is4() {
			q.Src = wire.AddrFrom(src)
		}
		want, rule := n.lookup(&q)
		var r Result
		ok := f.Lookup(&q, &r)
		switch {
		case ok != (want != nil && want.Type == Unicast):
			t.Fatalf("%+v: %v %+v, want %v by %v", q, ok, r, want, rule)
		case want != nil && (r.Hop == nil || r.Hop.route(want.Prefix, r.Table) != *want || r.Rule != nil && *r.Rule != *rule):
			t.Fatalf("%+v: %+v, want %v by %v", q, r, want, rule)
		case want == nil && rule != nil && (r.Rule == nil || *r.Rule != *rule || r.Errno() != rule.Action.Errno()):
			t.Fatalf("%+v: %+v, want rule %v", q, r, rule)
		}
	}
}
