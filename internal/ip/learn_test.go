package ip

import (
	"net/netip"
	"syscall"
	"testing"

	"github.com/onlink-go/onlink/internal/route"
)

// What routers taught is a route like others, until they teach something else or the interface is gone.
func TestLearn(t *testing.T) {
	b := newBed(t, setup{})
	if err := b.l.RemoveRoute(route.Route{Prefix: netip.MustParsePrefix("::/0"), Gateway: peer6.Netip()}); err != nil {
		t.Fatal(err)
	}
	any6 := netip.MustParsePrefix("::/0")
	learn := func(rs ...route.Route) {
		b.l.control.Lock()
		b.l.learn(2, rs)
		b.l.control.Unlock()
	}
	q := Query{Dst: a6("2001:db8:ffff::1")}
	if _, err := b.l.Route(0, q); err != syscall.ENETUNREACH {
		t.Fatal(err)
	}
	learn(route.Route{Prefix: any6, Gateway: peerLL.Netip(), Metric: 1024})
	if p, err := b.l.Route(0, q); err != nil || p.NextHop != peerLL || p.If.Index != 2 {
		t.Fatal(p, err)
	}
	generation := b.l.generation.Load()
	learn(route.Route{Prefix: any6, Gateway: peerLL.Netip(), Metric: 1024})
	if b.l.generation.Load() != generation {
		t.Error("nothing new, and yet a change")
	}
	learn(route.Route{Prefix: netip.MustParsePrefix("2001:db8:ffff::/64"), Metric: 256})
	if p, err := b.l.Route(0, q); err != nil || p.NextHop != q.Dst {
		t.Fatal(p, err)
	}
	learn()
	if _, err := b.l.Route(0, q); err != syscall.ENETUNREACH {
		t.Fatal(err)
	}
}
