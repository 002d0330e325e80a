package sim_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

const server6 = "2001:db8:2::9"

// advertised runs f with routers that advertise themselves with the given preferences.
func advertised(t *testing.T, f func(r *routed), preferences ...int) {
	t.Helper()
	r := newRouted(t, len(preferences))
	for i, p := range preferences {
		r.advertise(t, i, &onlink.RouterAdvertisement{Preference: p})
	}
	r.RunFor(20 * time.Second)
	r.client.Go("client", func() { f(r) })
	run(t, r.Network)
}

// A router that advertises itself dies.
func TestFailoverOfAdvertisers(t *testing.T) {
	advertised(t, func(r *routed) {
		k := r.talk(t, onlink.Dialer{}, server6)
		first := k.exchange()
		if first < 0 {
			t.Fatalf("by router %d", first)
		}
		r.kill(first, true)
		k.want("it is dead", 1-first)
		r.kill(1-first, true)
		r.kill(first, false)
		k.want("it is back, and the other is dead", first)
		k.Close()
	}, 0, 0)
}

// A router says that it is a default router no more, or is not heard for its lifetime, or becomes a host: connections go on
// by another one at once, though it would still forward. RFC 4861, 6.3.5: "Whenever the Lifetime of an entry in the Default
// Router List expires, that entry is discarded. When removing a router from the Default Router list, the node MUST update
// the Destination Cache in such a way that all entries using the router perform next-hop determination again".
func TestRouterLeaves(t *testing.T) {
	for _, c := range []struct {
		name  string
		leave func(r *routed) // and waits no longer than it may take
	}{
		{"lifetime 0", func(r *routed) {
			r.advertise(t, 0, nil)
			r.client.Sleep(10 * time.Millisecond)
		}},
		{"lifetime ends", func(r *routed) {
			r.advertise(t, 0, &onlink.RouterAdvertisement{Preference: 1, MaxInterval: 4 * time.Second, Lifetime: 40 * time.Second})
			r.client.Sleep(5 * time.Second)
			r.near[1].Filter(func(_ *sim.Node, frame []byte) bool {
				b := frame[wire.EthernetLen:]
				return !isND(b) || b[wire.IPv6Len] != wire.ICMPv6RouterAdvertisement
			})
			r.client.Sleep(41 * time.Second)
		}},
		{"not a router", func(r *routed) {
			if err := r.routers[0].SetSysctl("net.ipv6.conf.all.forwarding", "0"); err != nil {
				t.Error(err)
			}
			r.client.Sleep(10 * time.Millisecond)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			advertised(t, func(r *routed) {
				// The way back is another one from the beginning.
				if err := r.server.RemoveRoute(onlink.Route{Prefix: netip.MustParsePrefix("::/0"), Gateway: netip.MustParseAddr("2001:db8:2::1")}); err != nil {
					t.Error(err)
				}
				k := r.talk(t, onlink.Dialer{}, server6)
				k.want("it prefers", 0)
				c.leave(r)
				k.want("it left", 1)
				if l := r.client.Snapshot().Interfaces[1].Learned.Routers; len(l) != 1 {
					t.Errorf("routers: %+v", l)
				}
				k.Close()
			}, 1, 0)
		})
	}
}

// Routers change what they say of themselves, and a connection follows (RFC 4191, 3.2 and 3.3): the higher preference, the
// more specific route, and, above both, whether the router answers: a host "primarily prefers reachable routers over
// non-reachable routers and secondarily uses the router preference values".
func TestPreferenceMovesTraffic(t *testing.T) {
	advertised(t, func(r *routed) {
		k := r.talk(t, onlink.Dialer{}, server6)
		k.want("medium and low", 0)
		change := func(what string, i int, ra onlink.RouterAdvertisement, want int) {
			r.advertise(t, i, &ra)
			r.client.Sleep(20 * time.Second)
			k.want(what, want)
		}
		change("the second is high", 1, onlink.RouterAdvertisement{Preference: 1}, 1)
		special := []onlink.AdvertisedRoute{{Prefix: netip.MustParsePrefix("2001:db8:2::/64"), Preference: -1}}
		change("the first has a more specific route", 0, onlink.RouterAdvertisement{Preference: -1, Routes: special}, 0)
		if got := r.tell(t, nobody("IPv6", 1)); got != 1 {
			t.Errorf("elsewhere by router %d", got)
		}
		change("and the second too, and a better one", 1, onlink.RouterAdvertisement{Preference: -1,
			Routes: []onlink.AdvertisedRoute{{Prefix: special[0].Prefix, Preference: 1}}}, 1)
		r.kill(1, true)
		k.want("it is dead", 0)
		k.Close()
	}, 0, -1)
}

// RFC 4311, 2: "When a host chooses from multiple equivalent routers, it SHOULD support choosing using some method that distributes load
// for different destinations among the equivalent routers rather than always choosing the same router". A destination stays
// with its router, and only those of a router that dies go to others.
func TestLoadSharing(t *testing.T) {
	advertised(t, func(r *routed) {
		const hosts = 300
		where := func() (to [hosts]int, each [3]int) {
			for i := range to {
				if to[i] = r.tell(t, nobody("IPv6", i)); to[i] < 0 {
					t.Fatalf("host %d by router %d", i, to[i])
				}
				each[to[i]]++
			}
			return to, each
		}
		before, each := where()
		for i, n := range each {
			if n < hosts/3-40 || n > hosts/3+40 {
				t.Errorf("router %d has %d of %d", i, n, hosts)
			}
		}
		if again, _ := where(); again != before {
			t.Error("destinations changed their router")
		}
		r.kill(1, true)
		for range 2 {
			where()
			r.client.Sleep(30 * time.Second)
		}
		after, each := where()
		if each[1] != 0 || each[0] < hosts/2-50 || each[2] < hosts/2-50 {
			t.Errorf("one is dead, and they have %v", each)
		}
		for i := range after {
			if before[i] != 1 && after[i] != before[i] {
				t.Errorf("host %d went from a living router %d to %d", i, before[i], after[i])
			}
		}
	}, 0, 0, 0)
}
