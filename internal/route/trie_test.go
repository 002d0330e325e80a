package route

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// longestOf is the longest prefix of at most length bits that a is in, by its definition.
func longestOf(all map[netip.Prefix]*hops, a netip.Addr, length int) (p netip.Prefix, hs *hops) {
	for n := min(a.BitLen(), length); n >= 0; n-- {
		p, err := a.Prefix(n)
		if err != nil {
			panic(err)
		}
		if hs := all[p]; hs != nil {
			return p, hs
		}
	}
	return netip.Prefix{}, nil
}

// A trie holds what a map does, finds the longest prefixes, and stays as it was while others are made of it.
func TestTrieAgainstMap(t *testing.T) {
	for _, four := range []bool{true, false} {
		for seed := range uint64(10) {
			trieAgrees(t, rand.New(rand.NewPCG(seed, 7)), four)
		}
	}
}

func trieAgrees(t *testing.T, rng *rand.Rand, four bool) {
	type version struct {
		trie
		all map[netip.Prefix]*hops
	}
	values := []*hops{new(hops), {list: make([]Hop, 1)}, {list: make([]Hop, 2)}}
	now := version{all: map[netip.Prefix]*hops{}}
	var kept []version
	var there []netip.Prefix // at some time
	edit := uint64(0)
	for step := range 1500 {
		if step%10 == 0 {
			edit++ // some edits are of several prefixes
			if step%100 == 0 {
				kept = append(kept, version{now.trie, maps.Clone(now.all)})
			}
		}
		p, _ := crowd(rng, four)
		if len(there) > 0 && rng.IntN(3) == 0 {
			p = there[rng.IntN(len(there))]
		}
		there = append(there, p)
		old := now.all[p]
		var is *hops
		if rng.IntN(3) > 0 {
			is = values[rng.IntN(len(values))]
			now.all[p] = is
		} else {
			delete(now.all, p)
		}
		now.edit(edit, p, func(was *hops) *hops {
			if was != old {
				t.Fatalf("%v had %p, the trie says %p", p, old, was)
			}
			return is
		})
	}
	for _, v := range append(kept, now) {
		var got []netip.Prefix
		v.root.each(func(n *node) bool {
			p := n.key.prefix(n.bits(), four)
			if got = append(got, p); v.all[p] != n.hops {
				t.Fatalf("%v has %p, want %p", p, n.hops, v.all[p])
			}
			return true
		})
		if want := slices.SortedFunc(maps.Keys(v.all), netip.Prefix.Compare); !slices.Equal(got, want) || v.n != len(want) {
			t.Fatalf("there are %d: %v, want %d: %v", v.n, got, len(want), want)
		}
		for range 300 {
			p, a := crowd(rng, four)
			key, length := prefixBits(p)
			if got := v.root.find(bitsOf(a)); got != second(longestOf(v.all, a.Netip(), hostBits)) {
				t.Fatalf("%v: %p", a, got)
			}
			want, hs := longestOf(v.all, p.Addr(), length)
			if n := v.root.longest(key, length); (n == nil) != (hs == nil) || n != nil && (n.hops != hs || n.key.prefix(n.bits(), four) != want) {
				t.Fatalf("the longest above %v is %v, want %v", p, n, want)
			}
			if above := v.above(key, length, nil); len(above) != countOf(v.all, func(o netip.Prefix) bool { return o.Bits() <= length && o.Contains(p.Addr()) }) {
				t.Fatalf("above %v are %v", p, above)
			}
			below := 0
			v.root.within(key, length).each(func(*node) bool { below++; return true })
			if want := countOf(v.all, func(o netip.Prefix) bool { return o.Bits() >= length && p.Contains(o.Addr()) }); below != want {
				t.Fatalf("%d are within %v, want %d", below, p, want)
			}
		}
	}
}

func second(_ netip.Prefix, hs *hops) *hops { return hs }

func countOf(all map[netip.Prefix]*hops, is func(netip.Prefix) bool) (n int) {
	for p := range all {
		if is(p) {
			n++
		}
	}
	return n
}

// BenchmarkTrie finds addresses in tries of few routes: those that get no digest.
func BenchmarkTrie(b *testing.B) {
	for _, n := range []int{2, 16, 31, 64, 128, 1024, 8191} {
		for _, four := range []bool{true, false} {
			f := New(new(Routers), 1).WithAll(internet(n, four))
			name := "IPv6"
			if four {
				name = "IPv4"
			}
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(1, 2))
				var addrs [4096]wire.Addr
				rs := internet(n, four)
				for i := range addrs {
					addrs[i] = wire.AddrFrom(rs[rng.IntN(n)].Prefix.Addr())
				}
				for i := 0; b.Loop(); i++ {
					f.main.find(addrs[i%len(addrs)])
				}
			})
		}
	}
}
