package tcp

import "time"

// Where the peer is near, what makes round trips long, and brings much in each, is queues: those of the machine's processors and of
// the links that it is connected to in memory. Congestion windows grow with them, since nothing is lost, and a sender fills whatever
// window there is, until connections have megabytes in flight that no processor's cache has any more when they are read. So there
// the buffers are tuned to nearBuffer, or to what may be needed if there were no queue.

const (
	nearBuffer = 256 << 10 // octets of memory
	near       = time.Millisecond

	// fastest is how many octets of memory a receive buffer has for each nanosecond of the least round-trip time that could be on
	// their way at once, half of them data: those of 80 Gbit/s.
	fastest = 20
)

// near returns the least round-trip time, if that says that the peer is near.
func (r *rttEstimator) near() (least time.Duration, is bool) {
	least = r.least()
	return least, least > 0 && least < near
}

// receiveLimit returns how large the receive buffer may be tuned: near the peer enough for 80 Gbit/s, of which each of the stack's
// connections with near peers has a share. What all of them have in flight is to fit into caches, too.
func (c *TCB) receiveLimit() int {
	limit := c.cfg.RMem[2]
	if least, near := c.rtt.near(); near {
		return min(limit, max(nearBuffer, int(least)*fastest/c.sharers()))
	}
	return limit
}

// sharers returns how many of the stack's connections receive from near peers and have their buffers tuned, c being one of them.
func (c *TCB) sharers() int {
	n := 0
	if !c.rcv.rate.shares {
		c.rcv.rate.shares, n = true, 1
	}
	return c.countSharers(n)
}

// countSharers adds n to what sharers returns, which it returns.
func (c *TCB) countSharers(n int) int {
	if c.memory == nil {
		return 1
	}
	return c.memory.Sharers(n)
}

// shareNoMore has c not counted by sharers any more: nothing more comes, or for now.
func (c *TCB) shareNoMore() {
	if c.rcv.rate.shares {
		c.rcv.rate.shares = false
		c.countSharers(-1)
	}
}

// giveShares makes the receive buffer smaller if there are more sharers than before. What was offered stays so.
func (c *TCB) giveShares() {
	if s := &c.rcv.space; c.rcv.rate.shares && !s.fixed {
		if limit := c.receiveLimit(); s.size > limit {
			s.size = limit
			s.clamp = s.full()
			s.ssthresh = min(s.ssthresh, s.clamp)
		}
	}
}

// sendLimit returns how large the send buffer may be tuned where a full segment takes so much memory: near the peer four times what
// would be in flight at the present rate if there were no queue, which is enough for any rate, and for others in the queue.
func (c *TCB) sendLimit(segment int) int {
	limit := c.cfg.WMem[2]
	if least, near := c.rtt.near(); near && c.rtt.srtt > 0 {
		inFlight := c.board.out * segment
		return min(limit, max(nearBuffer, int(4*time.Duration(inFlight)*least/c.rtt.srtt)))
	}
	return limit
}
