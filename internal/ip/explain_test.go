package ip

import (
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// Nobody who does not ask why pays for it: a decision allocates nothing.
func TestRouteAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := quiet(newBed(t, setup{}))
	p := new(Path)
	for _, q := range []Query{{Dst: peer4}, {Dst: peer6}, {Dst: us4}, {Dst: us6}, {Dst: peer4, Src: us4}} {
		if n := testing.AllocsPerRun(200, func() {
			if err := b.l.RouteInto(0, &q, p); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("to %v: %v allocations", q.Dst, n)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	bed := quiet(newBed(b, setup{}))
	p := new(Path)
	for name, q := range map[string]Query{"4": {Dst: peer4}, "6": {Dst: peer6}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := bed.l.RouteInto(0, &q, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("explained", func(b *testing.B) {
		for b.Loop() {
			if err := bed.l.RouteInto(0, &Query{Dst: peer6, Why: new(Explanation)}, p); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What step 8 found, as a value.
func TestExplainLinkAddr(t *testing.T) {
	b := newBed(t, setup{})
	for _, c := range []struct {
		dst  wire.Addr
		want wire.MAC
	}{{peer6, peerMAC}, {far4, peerMAC}, {a4("224.0.0.5"), wire.MAC{1, 0, 0x5e, 0, 0, 5}}, {a4("192.0.2.255"), wire.BroadcastMAC},
		{a6("2001:db8::77"), wire.MAC{}}, {us4, wire.MAC{}}} {
		var why Explanation
		if _, err := b.l.Route(0, Query{Dst: c.dst, Why: &why}); err != nil || why.LinkAddr != c.want {
			t.Errorf("to %v: %v, %v, want %v", c.dst, why.LinkAddr, err, c.want)
		}
	}
}
