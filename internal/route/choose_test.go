package route

import (
	"fmt"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// advertised returns the default route of a router that advertises itself: fe80::i on the link of interface 2.
func advertised(i int, preference int8) Route {
	r := rt("::/0", fmt.Sprintf("fe80::%x", i), 2, 1024)
	r.Origin, r.Preference = RouterAdvertisement, preference
	return r
}

// reach sets what is known of router fe80::i.
func (f *FIB) reach(i int, to Reach) {
	f.routers.Find(addr(fmt.Sprintf("fe80::%x", i)), 2).SetReach(to)
}

// choice returns where f sends q's packets, and by which rule.
func (f *FIB) choice(t *testing.T, q Query) (string, Why) {
	t.Helper()
	var r Result
	if !f.Lookup(&q, &r) {
		t.Fatalf("%v: no route", q.Dst)
	}
	return gatewayOf(&r), r.Why
}

func dest(i int) wire.Addr { return wire.Addr{Hi: 0x20010db8_000f0000, Lo: uint64(i)} }

// RFC 4191, 3.2: a host "primarily prefers reachable routers over non-reachable routers and secondarily uses the router
// preference values. If the host has no information about the router's reachability, then the host assumes the router is
// reachable."
func TestRouterPreference(t *testing.T) {
	for _, c := range []struct {
		name  string
		prefs [3]int8
		reach [3]Reach
		want  string
		why   Why
	}{
		{"high", [3]int8{0, 1, -1}, [3]Reach{Reachable, Reachable, Reachable}, "fe80::2", ByPreference},
		{"high comes first", [3]int8{1, 0, -1}, [3]Reach{Reachable, Reachable, Reachable}, "fe80::1", ByPreference},
		{"high is unknown", [3]int8{0, 1, -1}, [3]Reach{Reachable, Unknown, Reachable}, "fe80::2", ByPreference},
		{"high is dead", [3]int8{0, 1, -1}, [3]Reach{Unknown, NotReachable, Reachable}, "fe80::1", ByPreference},
		{"only low lives", [3]int8{0, 1, -1}, [3]Reach{NotReachable, NotReachable, Unknown}, "fe80::3", ByReachability},
	} {
		f := build(advertised(1, c.prefs[0]), advertised(2, c.prefs[1]), advertised(3, c.prefs[2]))
		for i, to := range c.reach {
			f.reach(i+1, to)
		}
		if got, why := f.choice(t, Query{Dst: dest(1)}); got != c.want || why != c.why {
			t.Errorf("%s: %s by %v, want %s by %v", c.name, got, why, c.want, c.why)
		}
	}
}

// RFC 4191, 3.2: "it searches its routing table to find the route with the longest prefix that matches the destination, using
// route preference values as a tie-breaker if multiple matching routes have the same prefix length. If the best route points
// to a non-reachable router, this router is remembered for the algorithm described in Section 3.5 below, and the next best
// route is consulted."
func TestSpecificBeforePreference(t *testing.T) {
	special := advertised(2, -1)
	special.Prefix = rt("2001:db8:f::/48", "", 2, 0).Prefix
	f := build(advertised(1, 1), special)
	if got, _ := f.choice(t, Query{Dst: dest(1)}); got != "fe80::2" {
		t.Errorf("by %s", got)
	}
	f.reach(2, NotReachable)
	if got, _ := f.choice(t, Query{Dst: dest(1)}); got != "fe80::1" {
		t.Errorf("the specific one is dead, and packets go by %s", got)
	}
}

// RFC 4191, 3.5: "A host MUST NOT probe a router's reachability in the absence of useful traffic that the host would have sent
// to the router if it were reachable." So it is noted which routers those are.
func TestMissedRouters(t *testing.T) {
	f := build(advertised(1, 1), advertised(2, 0), advertised(3, -1))
	f.reach(1, NotReachable)
	f.reach(3, NotReachable)
	missed := func(i int) bool { return f.routers.Find(addr(fmt.Sprintf("fe80::%d", i)), 2).Missed() }
	if missed(1) || missed(3) {
		t.Error("there was no traffic")
	}
	f.choice(t, Query{Dst: dest(1)})
	if !missed(1) || missed(3) {
		t.Error("the better one is missed, and the worse one not")
	}
	if missed(1) {
		t.Error("it is told once")
	}
}

// RFC 4861, 6.3.6: "When no routers on the list are known to be reachable or probably reachable, routers SHOULD be selected in a
// round-robin fashion, so that subsequent requests for a default router do not return the same router until all other
// routers have been selected."
func TestRoundRobin(t *testing.T) {
	f := build(advertised(1, 1), advertised(2, 0), advertised(3, 0))
	for i := 1; i <= 3; i++ {
		f.reach(i, NotReachable)
	}
	for round := range 3 {
		seen := map[string]bool{}
		for range 3 {
			got, why := f.choice(t, Query{Dst: dest(1)})
			if why != ByRoundRobin {
				t.Errorf("by %v", why)
			}
			seen[got] = true
		}
		if len(seen) != 3 {
			t.Errorf("round %d: %v", round, seen)
		}
	}
}

// RFC 4311, 2: "When a host chooses from multiple equivalent routers, it SHOULD support choosing using some method that distributes load
// for different destinations among the equivalent routers rather than always choosing the same router".
func TestLoadShare(t *testing.T) {
	const hosts = 3000
	where := func(f *FIB) (to [hosts]string, each map[string]int) {
		each = map[string]int{}
		for i := range to {
			to[i], _ = f.choice(t, Query{Dst: dest(i)})
			each[to[i]]++
		}
		return to, each
	}
	f := build(advertised(1, 0), advertised(2, 0), advertised(3, 0), advertised(4, -1))
	for i := 1; i <= 4; i++ {
		f.reach(i, Reachable)
	}
	before, each := where(f)
	if len(each) != 3 {
		t.Fatalf("not the equivalent ones, but %v", each)
	}
	for gw, n := range each {
		if n < hosts/3-150 || n > hosts/3+150 {
			t.Errorf("%s has %d of %d", gw, n, hosts)
		}
	}
	// A destination moves only from a router that is gone, or to one that is new. RFC 4861, 6.3.6: those that are unknown
	// are not equivalent to those that answer.
	for _, state := range []Reach{NotReachable, Unknown} {
		f.reach(2, state)
		after, each := where(f)
		if each["fe80::2"] != 0 {
			t.Errorf("%v: it has %d", state, each["fe80::2"])
		}
		for i := range after {
			if before[i] != "fe80::2" && after[i] != before[i] {
				t.Fatalf("%v: %v went from %s to %s", state, dest(i), before[i], after[i])
			}
		}
	}
	f.reach(2, Reachable)
	if again, _ := where(f); again != before {
		t.Error("it is back, and not all is as before")
	}
	f = with(f, advertised(5, 0))
	f.reach(5, Reachable)
	after, each := where(f)
	if n := each["fe80::5"]; n < hosts/4-150 || n > hosts/4+150 {
		t.Errorf("a new router has %d of %d", n, hosts)
	}
	for i := range after {
		if after[i] != before[i] && after[i] != "fe80::5" {
			t.Fatalf("a new router, and %v went from %s to %s", dest(i), before[i], after[i])
		}
	}
	// RFC 4861, 6.3.6: "with subsequent traffic for that destination using the same router" as long as it is as good as others.
	q := Query{Dst: dest(1), Habit: addr("fe80::1")}
	for i := range 20 {
		q.Dst = dest(i)
		if got, why := f.choice(t, q); got != "fe80::1" || why != ByHabit {
			t.Errorf("by %s, %v", got, why)
		}
	}
	q.Habit = addr("fe80::4") // low
	if got, why := f.choice(t, q); got == "fe80::4" || why != ByLoadSharing {
		t.Errorf("by %s, %v", got, why)
	}
}

// Two hosts do not choose alike, or the routers of a large link would be loaded by the same destinations.
func TestLoadShareDiffers(t *testing.T) {
	const hosts = 1000
	same := 0
	a, b := build(advertised(1, 0), advertised(2, 0)), build(advertised(1, 0), advertised(2, 0))
	b.seed = a.seed + 1
	for i := range hosts {
		x, _ := a.choice(t, Query{Dst: dest(i)})
		y, _ := b.choice(t, Query{Dst: dest(i)})
		if x == y {
			same++
		}
	}
	if same < hosts/2-100 || same > hosts/2+100 {
		t.Errorf("%d of %d destinations by the same router", same, hosts)
	}
}

// Routes with a weight have its part of the flows, a flow stays, and those of a gateway that does not answer go to the others.
func TestSpread(t *testing.T) {
	weighted := func(i, weight int) Route {
		r := rt("::/0", fmt.Sprintf("fe80::%x", i), 2, 0)
		r.Weight = weight
		return r
	}
	const flows = 7000
	f := build(weighted(1, 1), weighted(2, 2), weighted(3, 4)).HashPorts(false, true)
	flow := func(i int) Query {
		return Query{Dst: dest(1), Src: dest(2), Proto: wire.ProtoTCP, Ports: uint32(i)<<16 | 80}
	}
	where := func() (to [flows]string, each map[string]int) {
		each = map[string]int{}
		for i := range to {
			got, why := f.choice(t, flow(i))
			if why != ByFlow {
				t.Fatalf("by %v", why)
			}
			to[i] = got
			each[got]++
		}
		return to, each
	}
	near := func(what string, n, want int) {
		if n < want-200 || n > want+200 {
			t.Errorf("%s has %d, want about %d", what, n, want)
		}
	}
	before, each := where()
	near("1 of 7", each["fe80::1"], 1000)
	near("2 of 7", each["fe80::2"], 2000)
	near("4 of 7", each["fe80::3"], 4000)
	if again, _ := where(); again != before {
		t.Error("flows moved")
	}
	// One that nobody has asked counts: weights are configured.
	f.reach(1, Unknown)
	f.reach(2, Reachable)
	f.reach(3, NotReachable)
	_, each = where()
	near("1 of 3", each["fe80::1"], flows/3)
	near("2 of 3", each["fe80::2"], 2*flows/3)
	if each["fe80::3"] != 0 {
		t.Errorf("a dead one has %d", each["fe80::3"])
	}
	// Without HashPorts a flow is a pair of hosts with a flow label (net.ipv6.fib_multipath_hash_policy 0).
	f.reach(3, Reachable)
	f = f.HashPorts(false, false)
	first, _ := f.choice(t, flow(0))
	labels := map[string]bool{}
	for i := range 100 {
		if got, _ := f.choice(t, flow(i)); got != first {
			t.Fatal("ports count")
		}
		q := flow(0)
		q.FlowLabel = uint32(i)
		got, _ := f.choice(t, q)
		labels[got] = true
	}
	if len(labels) != 3 {
		t.Error("flow labels do not count")
	}
}
