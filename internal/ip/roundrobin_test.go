package ip

import (
	"testing"

	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/wire"
)

// RFC 4861, 6.3.6: "When no routers on the list are known to be reachable or probably reachable, routers SHOULD be selected in
// a round-robin fashion, so that subsequent requests for a default router do not return the same router until all other
// routers have been selected." That choosing a source asks for the way too is no request of its own, nor is Explain.
func TestDeadRoutersTakeTurns(t *testing.T) {
	b := newBed(t, setup{})
	b.route("::/0", "2001:db8::f")
	for _, r := range b.l.routers.All() {
		r.SetReach(route.NotReachable)
	}
	var went []wire.Addr
	for range 4 {
		explained, err := b.l.Route(0, Query{Dst: far6, Why: new(Explanation)})
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.l.Route(0, Query{Dst: far6})
		if err != nil {
			t.Fatal(err)
		}
		if explained.NextHop != p.NextHop {
			t.Errorf("explained %v, went to %v", explained.NextHop, p.NextHop)
		}
		went = append(went, p.NextHop)
	}
	if went[0] == went[1] || went[0] != went[2] || went[1] != went[3] {
		t.Errorf("packets went to %v", went)
	}
}

// A question that nobody sends by, as of a connection before its port is known, does not pass the turn on either.
func TestDryQuestions(t *testing.T) {
	b := newBed(t, setup{})
	b.route("::/0", "2001:db8::f")
	for _, r := range b.l.routers.All() {
		r.SetReach(route.NotReachable)
	}
	first, err := b.l.Route(0, Query{Dst: far6, Dry: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if p, err := b.l.Route(0, Query{Dst: far6, Dry: true}); err != nil || p.NextHop != first.NextHop {
			t.Errorf("%v, %v, and first %v", p.NextHop, err, first.NextHop)
		}
	}
	if p, err := b.l.Route(0, Query{Dst: far6}); err != nil || p.NextHop != first.NextHop {
		t.Errorf("%v, %v, and it was to be %v", p.NextHop, err, first.NextHop)
	}
}
