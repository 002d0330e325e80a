package tcp

// congestionControl decides how many octets may be in flight (RFC 5681). Loss detection and recovery are not its
// business: it is told of their outcome. Windows are in octets.
type congestionControl interface {
	// window returns cwnd, threshold ssthresh.
	window() int
	threshold() int
	// acked: n octets were newly acknowledged outside fast recovery, while the window was what held the sender
	// back; afterTimeout, while what a timeout deemed lost is repaired.
	acked(n int, afterTimeout bool)
	// lost: fast recovery begins, with flight octets outstanding.
	lost(flight int)
	// recovered: fast recovery has ended.
	recovered()
	// timedOut: the retransmission timer has expired; again: it had before, for the same segment.
	timedOut(flight int, again bool)
	// idle: nothing was sent for longer than the retransmission timeout.
	idle()
	// resize: segments are now of mss octets.
	resize(mss int)
	// name of the algorithm.
	name() string
}
