package ip

import (
	"testing"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
)

// nothing is a Sink.
type nothing struct{}

func (nothing) Trace(*trace.Event) {}

// Packets that nobody wants to follow cost no allocation, though somebody follows others.
func TestNotFollowedAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	for name, f := range watched(t, setup{}, notThese) {
		f()
		f()
		if n := testing.AllocsPerRun(100, f); n >= 1 {
			t.Errorf("%s: %.2f allocations for %d packets", name, n, perBatch)
		}
	}
}

func notThese(*packet.Buffer, bool) bool { return false }

// watched returns ways of packets in a layer that somebody with the given filter watches; nil: nobody does.
func watched(t testing.TB, c setup, filter trace.Filter) map[string]func() {
	host, router := c, c
	host.rate, router.forwarding = -1, true
	h, r := quiet(newBed(t, host)), quiet(newBed(t, router))
	for _, b := range []*bed{h, r} {
		if filter != nil {
			if _, err := b.tracer.AddSteps(nothing{}, filter); err != nil {
				t.Fatal(err)
			}
		}
	}
	data := make([]byte, 1400)
	return map[string]func(){
		"deliver4": feeder(h, in4(ip4(peer4, us4, 6, data))),
		"forward6": feeder(r, in6(ip6(peer6, other6, 6, data))),
		"output6":  sender(h, far6, 1400),
		"self":     sender(h, us6, 1400),
	}
}

// BenchmarkTracing is what it costs that packets can be followed: without a Tracer at all, with one that nobody listens to (compare
// these two: it must not be seen), with somebody who follows other packets, and with somebody who follows these.
func BenchmarkTracing(b *testing.B) {
	ways := []string{"deliver4", "forward6", "output6", "self"}
	for _, kind := range []struct {
		name   string
		setup  setup
		filter trace.Filter
	}{{"none", setup{bare: true}, nil}, {"off", setup{}, nil}, {"others", setup{}, notThese},
		{"on", setup{}, func(*packet.Buffer, bool) bool { return true }}} {
		fs := watched(b, kind.setup, kind.filter)
		for _, name := range ways {
			b.Run(name+"/"+kind.name, func(b *testing.B) {
				b.ReportAllocs()
				for range b.N/perBatch + 1 {
					fs[name]()
				}
			})
		}
	}
}
