package ip

import (
	"testing"

	"github.com/onlink-go/onlink/packet"
)

// A queue remembers more decisions where that helps, and few where hardly one is found again.
func TestDecisionsFollowFlows(t *testing.T) {
	for _, c := range []struct{ flows, most, last int }{
		{10, firstDecisions, firstDecisions},
		{1 << 12, manyDecisions, manyDecisions},
		{1 << 17, manyDecisions, fewDecisions},
	} {
		b := quiet(newBed(t, setup{forwarding: true}))
		q := &b.eth0.r.(*device).queues[0]
		b.in(b.eth0, in4(ip4(peer4, far4, 6, nil))) // the first packet
		p := packet.New(0)
		p.Src, p.In = peer4, q.d.index
		most := 0
		for i := range 1 << 18 {
			p.Dst = far4
			p.Dst.Lo += uint64(i % c.flows)
			if d := q.decide(p); d.verdict != forward || d.dst != p.Dst {
				t.Fatalf("%d flows: %+v", c.flows, d)
			}
			most = max(most, len(q.decisions.slots))
		}
		if last := len(q.decisions.slots); most != c.most || last != c.last {
			t.Errorf("%d flows: %d places, at the most %d; want %d, %d", c.flows, last, most, c.last, c.most)
		}
	}
}
