package ip

import (
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// Those who ask the same get the same Path, whatever their ports, as long as it holds.
func TestShare(t *testing.T) {
	b := newBed(t, setup{})
	share := func(q Query) *Path {
		t.Helper()
		p, err := b.l.Share(b.sim.Now(), q)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := b.l.Route(b.sim.Now(), q); err != nil || p.Src != want.Src || p.NextHop != want.NextHop || !b.l.Valid(p) {
			t.Errorf("%+v, want %+v, %v", p, want, err)
		}
		return p
	}
	q := Query{Dst: peer4, Flow: Flow{Ports: 1, Proto: wire.ProtoTCP}}
	if b.l.Shared(&q) != nil {
		t.Error("something is shared from the beginning")
	}
	first := share(q)
	if q.Flow.Ports, q.Flow.FlowLabel = 2, 7; share(q) != first || b.l.Shared(&q) != first {
		t.Error("other ports have another Path")
	}
	marked := q
	marked.Flow.Mark = 1
	if share(marked) == first {
		t.Error("another mark has the same Path")
	}
	from := q
	from.Src = us4
	if p := share(from); p == first || share(from) != p {
		t.Error("a given source has the same Path as a chosen one, or another one each time")
	}
	first = share(q)
	b.route("203.0.113.0/24", "192.0.2.9")
	if b.l.Shared(&q) != nil || share(q) == first {
		t.Error("what does not hold any more is shared")
	}
	// By a router each is one's own: the turn may pass to another.
	far := Query{Dst: far4}
	if first := share(far); share(far) == first {
		t.Error("a Path by a router is shared")
	}
	if _, err := b.l.Share(b.sim.Now(), Query{Dst: wire.Unspecified4}); err == nil {
		t.Error("a way to nowhere")
	}
	// Where packets are followed, each has its way decided anew.
	first = share(q)
	remove, err := b.tracer.AddSteps(&b.events, nil)
	if err != nil {
		t.Fatal(err)
	}
	if share(q) == first {
		t.Error("shared though packets are followed")
	}
	remove()
	if share(q) != first {
		t.Error("not shared any more")
	}
}
