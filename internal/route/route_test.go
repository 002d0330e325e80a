package route

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

func rt(prefix, gateway string, out int32, metric int) Route {
	r := Route{Prefix: netip.MustParsePrefix(prefix), Out: out, Metric: metric}
	if gateway != "" {
		r.Gateway = netip.MustParseAddr(gateway)
	}
	return r
}

func addr(s string) wire.Addr { return wire.AddrFrom(netip.MustParseAddr(s)) }

func table() *Table {
	return Build([]Route{
		rt("0.0.0.0/0", "192.0.2.1", 2, 0), rt("0.0.0.0/0", "198.51.100.1", 3, 5), rt("192.0.2.0/24", "", 2, 0),
		rt("198.51.100.0/24", "", 3, 0), rt("198.51.100.128/25", "192.0.2.9", 2, 0),
		rt("::/0", "fe80::1", 2, 0), rt("fe80::/64", "", 2, 0), rt("fe80::/64", "", 3, 0), rt("2001:db8::/64", "", 2, 0),
	})
}

func TestLookup(t *testing.T) {
	tab := table()
	for _, c := range []struct {
		dst         string
		out, prefer int32
		gateway     string
		via         int32 // 0: none
	}{
		{"192.0.2.7", 0, 0, "", 2},
		{"8.8.8.8", 0, 0, "192.0.2.1", 2},        // the lower metric
		{"8.8.8.8", 0, 3, "198.51.100.1", 3},     // RFC 1122, 3.3.4.3: the source's interface
		{"8.8.8.8", 3, 0, "198.51.100.1", 3},     // pinned
		{"8.8.8.8", 4, 0, "", 0},                 // pinned, no way
		{"198.51.100.200", 0, 3, "192.0.2.9", 2}, // the longest prefix comes first
		{"198.51.100.200", 3, 0, "", 3},          // pinned: a shorter one
		{"198.51.100.2", 2, 0, "192.0.2.1", 2},   // and the shortest
		{"fe80::5", 3, 0, "", 3},
		{"fe80::5", 2, 0, "", 2},
		{"2001:db8::9", 0, 0, "", 2},
		{"2001:db9::9", 0, 0, "fe80::1", 2},
	} {
		h, ok := tab.Lookup(addr(c.dst), c.out, c.prefer)
		var gateway wire.Addr
		if c.gateway != "" {
			gateway = addr(c.gateway)
		}
		if ok != (c.via != 0) || ok && (h.Out != c.via || h.Gateway != gateway) {
			t.Errorf("%s out %d prefer %d: %+v %v", c.dst, c.out, c.prefer, h, ok)
		}
	}
	if _, ok := Build(nil).Lookup(addr("::1"), 0, 0); ok {
		t.Error("an empty table has an answer")
	}
}

// A change makes another table and leaves the one before as it is.
func TestPersistent(t *testing.T) {
	a := table()
	before := fmt.Sprint(a.Routes())
	b := a.With(rt("10.0.0.0/8", "192.0.2.3", 2, 0)).With(rt("0.0.0.0/0", "192.0.2.8", 2, 0)).With(rt("0.0.0.0/0", "192.0.2.8", 2, 0))
	if len(b.Routes()) != len(a.Routes())+2 {
		t.Error(b.Routes())
	}
	if h, _ := b.Lookup(addr("8.8.8.8"), 0, 0); h.Gateway != addr("192.0.2.1") {
		t.Error("the one added first stays first")
	}
	c := b.Without(rt("0.0.0.0/0", "192.0.2.1", 2, 0)).Without(rt("10.0.0.0/8", "192.0.2.3", 2, 0)).Without(rt("11.0.0.0/8", "", 2, 0))
	if h, _ := c.Lookup(addr("8.8.8.8"), 0, 0); h.Gateway != addr("192.0.2.8") {
		t.Error(h)
	}
	if h, _ := c.Lookup(addr("10.1.1.1"), 0, 0); h.Gateway != addr("192.0.2.8") {
		t.Error(h)
	}
	if after := fmt.Sprint(a.Routes()); after != before {
		t.Errorf("the old table changed:\n%s\n%s", before, after)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		r   Route
		err error
	}{
		{Route{}, ErrPrefix},
		{rt("::ffff:10.0.0.0/104", "", 1, 0), ErrPrefix},
		{rt("10.0.0.0/8", "fe80::1", 1, 0), ErrFamily},
		{rt("::/0", "10.0.0.1", 1, 0), ErrFamily},
	} {
		if _, err := c.r.Check(); err != c.err {
			t.Errorf("%v: %v", c.r, err)
		}
	}
	r, err := rt("10.1.2.3/8", "::ffff:10.0.0.1", 1, 0).Check()
	if err != nil || r.String() != "10.0.0.0/8 via 10.0.0.1 dev 1" {
		t.Error(r, err)
	}
	r, err = rt("2001:db8::1/32", "fe80::1%eth0", 2, 7).Check()
	if err != nil || r.String() != "2001:db8::/32 via fe80::1 dev 2 metric 7" {
		t.Error(r, err)
	}
	if Static.String() != "static" || Redirect.String() != "redirect" || Unicast.String() != "unicast" || Throw.String() != "throw" {
		t.Error("origins")
	}
}

// The table agrees with a search through all routes.
func TestAgainstLinear(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	random := func() netip.Addr {
		if rng.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(rng.IntN(4)), byte(rng.IntN(4)), byte(rng.Uint32())})
		}
		return netip.AddrFrom16([16]byte{0x20, 1, byte(rng.IntN(4)), byte(rng.IntN(4)), 15: byte(rng.Uint32())})
	}
	var rs []Route
	for range 500 {
		a := random()
		r := Route{Prefix: netip.PrefixFrom(a, rng.IntN(a.BitLen()+1)).Masked(), Out: int32(1 + rng.IntN(3)), Metric: rng.IntN(3)}
		rs = append(rs, r)
	}
	tab := Build(rs)
	for range 5000 {
		a := random()
		out := int32(rng.IntN(4))
		best := -1
		for i, r := range rs {
			if r.Prefix.Contains(a) && (out == 0 || r.Out == out) && (best < 0 || r.Prefix.Bits() > rs[best].Prefix.Bits() ||
				r.Prefix.Bits() == rs[best].Prefix.Bits() && r.Metric < rs[best].Metric) {
				best = i
			}
		}
		h, ok := tab.Lookup(wire.AddrFrom(a), out, 0)
		if ok != (best >= 0) || ok && (h.Out != rs[best].Out || h.Metric != rs[best].Metric) {
			t.Fatalf("%v out %d: %+v %v, want %v", a, out, h, ok, best)
		}
	}
}

func TestLookupAllocations(t *testing.T) {
	tab := table()
	a, b := addr("8.8.8.8"), addr("2001:db8::9")
	if n := testing.AllocsPerRun(100, func() { tab.Lookup(a, 0, 0); tab.Lookup(b, 0, 0) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	tab := table()
	dst := addr("2001:db9::9")
	for b.Loop() {
		tab.Lookup(dst, 0, 0)
	}
}
