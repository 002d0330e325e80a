package route

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// crowd returns prefixes of all lengths, and addresses in and near them: crowded enough for digests on all levels.
func crowd(rng *rand.Rand, four bool) (p netip.Prefix, a wire.Addr) {
	b := [16]byte{15: byte(rng.Uint32())}
	for i := range 15 {
		if four || rng.IntN(8) == 0 {
			b[i] = byte(max(0, rng.IntN(6)-3)) << (7 * rng.IntN(2))
		}
	}
	n := netip.AddrFrom16(b)
	if four {
		n = netip.AddrFrom4([4]byte(b[12:]))
	}
	return netip.PrefixFrom(n, rng.IntN(n.BitLen()+1)).Masked(), wire.AddrFrom(n)
}

// A digest says the same as the trie that it is of, while this changes; and one that is kept stays as it is.
func TestDigestAgainstTrie(t *testing.T) {
	for _, four := range []bool{true, false} {
		for seed := range uint64(8) {
			digestAgrees(t, rand.New(rand.NewPCG(seed, 5)), four)
		}
	}
}

func digestAgrees(t *testing.T, rng *rand.Rand, four bool) {
	fib := new(trie)
	edit := uint64(0)
	put := func(p netip.Prefix, hs *hops) {
		edit++
		fib.edit(edit, p, func(*hops) *hops { return hs })
	}
	values := make([]*hops, 5)
	for i := range values {
		values[i] = new(hops)
	}
	agree := func(d *digest, fib *trie) {
		t.Helper()
		for range 200 {
			_, a := crowd(rng, four)
			want := fib.root.find(bitsOf(a))
			if got := d.find(bitsOf(a)); got != want {
				t.Fatalf("%v: %p, the trie has %p", a, got, want)
			}
		}
	}
	var d *digest
	follow := func(p netip.Prefix) {
		if d == nil {
			d = digestOf(fib.root, 0)
		} else {
			key, length := prefixBits(p)
			d = d.changed(fib, key, length, 0)
		}
	}
	var there []netip.Prefix
	for step := range 3000 {
		p, _ := crowd(rng, four)
		if step < 2000 {
			put(p, values[rng.IntN(len(values))])
			there = append(there, p)
		} else {
			i := rng.IntN(len(there))
			p, there[i] = there[i], there[len(there)-1]
			there = there[:len(there)-1]
			put(p, nil)
		}
		follow(p)
		if step%100 == 99 {
			agree(d, fib)
			agree(digestOf(fib.root, 0), fib)
		}
	}
	kept, was := d, *fib
	for _, p := range there {
		put(p, nil)
		follow(p)
	}
	agree(kept, &was)
	if d != nil {
		t.Error("a digest is left of nothing")
	}
}

// A table gets digests when it has many routes, they follow its changes, and they go when few routes are left.
func TestDigestOfTable(t *testing.T) {
	f := New(new(Routers), 1)
	check := func(four, six bool) {
		t.Helper()
		ds := f.main.digests
		if (ds[0] != nil) != four || (ds[1] != nil) != six {
			t.Fatalf("IPv4 %v, IPv6 %v; want %v, %v", ds[0] != nil, ds[1] != nil, four, six)
		}
		for _, r := range append(internet(manyRoutes+9, true), internet(manyRoutes+9, false)...) {
			a := wire.AddrFrom(r.Prefix.Addr())
			want := f.main.tries[family(a)].root.find(bitsOf(a))
			if got := f.main.find(a); got != want {
				t.Fatalf("%v: %v, the trie has %v", a, got, want)
			}
		}
	}
	four, six := internet(manyRoutes+9, true), internet(manyRoutes+9, false)
	f = f.WithAll(four[:manyRoutes/2])
	check(false, false)
	f = f.WithAll(four[manyRoutes/2 : manyRoutes])
	check(true, false)
	f = f.WithAll(six)
	check(true, true)
	f = f.WithAll(four[manyRoutes:])
	check(true, true)
	for i := range four[:manyRoutes/2+20] {
		f = without(f, four[i])
	}
	check(false, true)
	f = f.WithoutAll(func(r Route) bool { return r.Prefix.Addr().Is4() || r.Out == 2 })
	check(false, true)
	f = f.WithoutAll(func(r Route) bool { return r.Out == 3 })
	check(false, false)
}
