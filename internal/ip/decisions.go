package ip

import "github.com/onlink-go/onlink/wire"

// decisions is what a queue remembers of them, each in the one place that its addresses hash to.
//
// To make a decision anew takes several times as long as the rest of forwarding, if there are many routes. So there are more
// places where packets of many flows are forwarded; but few where these are so many that hardly one is found again, since it is
// the routes that the processor's cache is then needed for.
type decisions struct {
	slots    []decision // as many as a power of two
	found    int        // decisions that were there, since the slots are as many as they are
	lost     int        // good ones that made room for others
	patience int        // how many may be lost until there is another number of slots
	most     int        // slots: the queues of a device share what one of them would have
}

const (
	firstDecisions = 1 << 4  // 1.75 KiB: there are many queues, and most hosts have few neighbors
	fewDecisions   = 1 << 8  // 28 KiB
	manyDecisions  = 1 << 14 // 1.75 MiB
	longPatience   = 1 << 20 // once more slots were no help
)

func newDecisions(queues int) decisions {
	c := decisions{most: max(manyDecisions/queues, fewDecisions)}
	c.resize(firstDecisions, 4*firstDecisions)
	return c
}

func (c *decisions) resize(slots, patience int) {
	c.slots, c.patience = make([]decision, slots), patience
	c.found, c.lost = 0, 0
}

// of returns the place of decisions about packets from src to dst.
func (c *decisions) of(src, dst wire.Addr) *decision {
	return &c.slots[slot(src, dst)&uint64(len(c.slots)-1)]
}

// crowded notes that a good decision is about to make room for another. It returns true if there are other slots now, and all
// empty.
func (c *decisions) crowded() bool {
	if c.lost++; c.lost < c.patience {
		return false
	}
	switch n := 4 * len(c.slots); {
	case c.found < 8*c.lost && n <= c.most:
		c.resize(n, 4*n)
		return true
	case c.found < c.lost:
		c.resize(fewDecisions, longPatience)
		return true
	}
	c.found, c.lost = 0, 0
	return false
}

// slot spreads pairs of addresses. Who fills one slot with many pairs slows down his own packets only.
func slot(a, b wire.Addr) uint64 {
	h := (a.Hi^a.Lo)*0x9e3779b97f4a7c15 + (b.Hi ^ b.Lo)
	h *= 0xbf58476d1ce4e5b9
	return h >> 40
}
