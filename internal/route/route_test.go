package route

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
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

func addr(s string) wire.Addr {
	if s == "" {
		return wire.Addr{}
	}
	return wire.AddrFrom(netip.MustParseAddr(s))
}

// build returns a FIB of rs.
func build(rs ...Route) *FIB {
	f := New(new(Routers), 1)
	for _, r := range rs {
		f = with(f, r)
	}
	return f
}

func with(f *FIB, r Route) *FIB {
	r, err := r.Check()
	if err != nil {
		panic(err)
	}
	f, ok := f.With(r)
	if !ok {
		panic(r.String() + " is there")
	}
	return f
}

func without(f *FIB, r Route) *FIB {
	r, _ = r.Check()
	f, _, _ = f.Without(r.Table, r.Prefix, func(o Route) bool { return o.Name() == r.Name() })
	return f
}

func some() *FIB {
	return build(
		rt("0.0.0.0/0", "192.0.2.1", 2, 0), rt("0.0.0.0/0", "198.51.100.1", 3, 5), rt("192.0.2.0/24", "", 2, 0),
		rt("198.51.100.0/24", "", 3, 0), rt("198.51.100.128/25", "192.0.2.9", 2, 0),
		rt("::/0", "fe80::1", 2, 0), rt("fe80::/64", "", 2, 0), rt("fe80::/64", "", 3, 0), rt("2001:db8::/64", "", 2, 0),
	)
}

func get(f *FIB, dst string) string {
	var r Result
	if !f.Lookup(&Query{Dst: addr(dst)}, &r) {
		return "none"
	}
	return gatewayOf(&r)
}

func gatewayOf(r *Result) string {
	if r.Gateway == (wire.Addr{}) {
		return ""
	}
	return r.Gateway.Netip().String()
}

func TestLookup(t *testing.T) {
	f := some()
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
		var r Result
		ok := f.Lookup(&Query{Dst: addr(c.dst), Out: c.out, Prefer: c.prefer}, &r)
		if ok != (c.via != 0) || ok && (r.Hop.Out != c.via || r.Gateway != addr(c.gateway)) {
			t.Errorf("%s out %d prefer %d: %+v %v", c.dst, c.out, c.prefer, r, ok)
		}
	}
	if got := get(build(), "::1"); got != "none" {
		t.Error("an empty FIB has an answer")
	}
}

// A route through an interface that is down is passed over.
func TestDown(t *testing.T) {
	f := some().WithDown([]bool{2: true})
	if got := get(f, "8.8.8.8"); got != "198.51.100.1" {
		t.Error(got)
	}
	if n := len(f.Routes(false)); n != 3 {
		t.Errorf("%d routes in use: %v", n, f.Routes(false))
	}
	if got := get(f.WithDown(nil), "8.8.8.8"); got != "192.0.2.1" {
		t.Error(got)
	}
}

// A change makes another FIB and leaves the one before as it is.
func TestPersistent(t *testing.T) {
	a := some()
	before := fmt.Sprint(a.Routes(true))
	b := with(with(a, rt("10.0.0.0/8", "192.0.2.3", 2, 0)), rt("0.0.0.0/0", "192.0.2.8", 2, 0))
	if len(b.Routes(true)) != len(a.Routes(true))+2 {
		t.Error(b.Routes(true))
	}
	if again, _ := rt("0.0.0.0/0", "192.0.2.8", 2, 0).Check(); !b.Has(again) {
		t.Error("not there")
	} else if _, ok := b.With(again); ok {
		t.Error("there twice")
	}
	if got := get(b, "8.8.8.8"); got != "192.0.2.1" {
		t.Error("the one added first stays first")
	}
	c := without(without(without(b, rt("0.0.0.0/0", "192.0.2.1", 2, 0)), rt("10.0.0.0/8", "192.0.2.3", 2, 0)), rt("11.0.0.0/8", "", 2, 0))
	if got := get(c, "8.8.8.8"); got != "192.0.2.8" {
		t.Error(got)
	}
	if got := get(c, "10.1.1.1"); got != "192.0.2.8" {
		t.Error(got)
	}
	if after := fmt.Sprint(a.Routes(true)); after != before {
		t.Errorf("the old FIB changed:\n%s\n%s", before, after)
	}
}

// Many at once are as one by one.
func TestWithAll(t *testing.T) {
	a := some()
	b := New(new(Routers), 1).WithAll(a.Routes(true)).WithAll(a.Routes(true))
	if fmt.Sprint(a.Routes(true)) != fmt.Sprint(b.Routes(true)) {
		t.Errorf("%v\n%v", a.Routes(true), b.Routes(true))
	}
	c := b.WithoutAll(func(r Route) bool { return r.Out == 2 })
	if len(c.Routes(true)) != 3 || len(b.Routes(true)) != 9 {
		t.Error(c.Routes(true))
	}
	if all := c.routers.All(); len(all) != 1 || all[0].Addr != addr("198.51.100.1") {
		t.Errorf("routers of routes that are gone: %v", all)
	}
}

func TestTypes(t *testing.T) {
	drop := func(p string, typ Type) Route { r := rt(p, "", 0, 0); r.Type = typ; return r }
	f := build(rt("0.0.0.0/0", "192.0.2.1", 2, 0), drop("10.0.0.0/8", Blackhole), drop("10.1.0.0/16", Unreachable),
		drop("10.2.0.0/16", Prohibit), drop("10.3.0.0/16", Throw), drop("2001:db8::/32", Prohibit))
	for _, c := range []struct {
		dst   string
		errno syscall.Errno
	}{
		{"10.9.9.9", syscall.EINVAL}, {"10.1.9.9", syscall.EHOSTUNREACH}, {"10.2.9.9", syscall.EACCES},
		{"10.3.9.9", syscall.ENETUNREACH}, {"11.0.0.1", 0}, {"2001:db8::1", syscall.EACCES}, {"2001:db9::1", syscall.ENETUNREACH},
	} {
		var r Result
		ok := f.Lookup(&Query{Dst: addr(c.dst)}, &r)
		if ok != (c.errno == 0) || !ok && r.Errno() != c.errno {
			t.Errorf("%s: %v, want %v", c.dst, r.Errno(), c.errno)
		}
	}
}

func TestCheck(t *testing.T) {
	typed := rt("10.0.0.0/8", "10.0.0.1", 1, 0)
	typed.Type = Blackhole
	local := rt("10.0.0.0/8", "", 1, 0)
	local.Type = Local
	heavy := rt("10.0.0.0/8", "10.0.0.1", 1, 0)
	heavy.Weight = MaxWeight + 1
	for _, c := range []struct {
		r   Route
		err error
	}{
		{Route{}, ErrPrefix},
		{rt("::ffff:10.0.0.0/104", "", 1, 0), ErrPrefix},
		{rt("10.0.0.0/8", "fe80::1", 1, 0), ErrFamily},
		{rt("::/0", "10.0.0.1", 1, 0), ErrFamily},
		{typed, ErrType}, {local, ErrType}, {heavy, ErrValue}, {rt("10.0.0.0/8", "", 1, -1), ErrValue},
	} {
		if _, err := c.r.Check(); !errors.Is(err, c.err) {
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
		t.Error("names")
	}
}

func TestLookupAllocations(t *testing.T) {
	f := some()
	var r Result
	a, b, c := Query{Dst: addr("8.8.8.8")}, Query{Dst: addr("2001:db8::9")}, Query{Dst: addr("198.51.100.200"), Out: 3}
	if n := testing.AllocsPerRun(100, func() { f.Lookup(&a, &r); f.Lookup(&b, &r); f.Lookup(&c, &r) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

// BenchmarkLookup finds a route among a few, and finds that there is none.
func BenchmarkLookup(b *testing.B) {
	only := build(rt("192.0.2.0/24", "", 2, 0), rt("2001:db8::/64", "", 2, 0))
	for _, row := range []struct {
		name, dst string
		f         *FIB
		found     bool
	}{{"hit4", "198.51.100.200", some(), true}, {"hit6", "2001:db9::9", some(), true}, {"miss4", "8.8.8.8", only, false},
		{"miss6", "2001:db9::9", only, false}} {
		b.Run(row.name, func(b *testing.B) {
			q := Query{Dst: addr(row.dst)}
			var r Result
			if row.f.Lookup(&q, &r) != row.found {
				b.Fatal("not what is measured")
			}
			b.ReportAllocs()
			for b.Loop() {
				row.f.Lookup(&q, &r)
			}
		})
	}
}

// Many are taken out at once as one by one, and their routers with them; the table they were in stays as it was.
func TestWithoutMany(t *testing.T) {
	var all []Route
	for i, r := range append(internet(3000, true), internet(3000, false)...) {
		r.Out = int32(1 + i%3)
		other := r
		other.Metric, other.Table = 7, uint32(i%2*50)
		all = append(all, r, other)
	}
	a := New(new(Routers), 1).WithAll(all)
	b := New(new(Routers), 1).WithAll(all)
	before := fmt.Sprint(a.Routes(true))
	match := func(r Route) bool { return r.Out == 2 || r.Table == 50 }
	many, single := a.WithoutAll(match), b
	for _, r := range b.Routes(true) {
		if match(r) {
			single, _, _ = single.Without(r.Table, r.Prefix, func(o Route) bool { return o == r })
		}
	}
	if len(many.Routes(true)) == 0 || fmt.Sprint(many.Routes(true)) != fmt.Sprint(single.Routes(true)) {
		t.Errorf("%d routes are left of %d, one by one %d", len(many.Routes(true)), len(all), len(single.Routes(true)))
	}
	routers := func(f *FIB) string {
		var all []string
		for _, r := range f.routers.All() {
			all = append(all, fmt.Sprint(r.Addr, r.Out))
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	if routers(many) != routers(single) {
		t.Errorf("%d routers are left, one by one %d", len(many.routers.All()), len(single.routers.All()))
	}
	if fmt.Sprint(a.Routes(true)) != before {
		t.Error("the old FIB has changed")
	}
	if none := many.WithoutAll(func(Route) bool { return true }); len(none.Routes(true)) != 0 || len(none.routers.All()) != 0 {
		t.Errorf("%d routes and %d routers are left of none", len(none.Routes(true)), len(none.routers.All()))
	}
}
