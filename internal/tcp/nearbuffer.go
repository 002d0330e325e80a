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

// receiveLimit returns how large the receive buffer may be tuned: near the peer enough for 80 Gbit/s.
func (c *TCB) receiveLimit() int {
	limit := c.cfg.RMem[2]
	if least, near := c.rtt.near(); near {
		return min(limit, max(nearBuffer, int(least)*fastest))
	}
	return limit
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
