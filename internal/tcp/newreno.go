package tcp

import "math"

// newReno is the congestion control of RFC 5681 with the initial window of RFC 6928.
type newReno struct {
	mss      int // SMSS
	cwnd     int
	ssthresh int
	credit   int // octets acknowledged in congestion avoidance that have not yet moved cwnd (RFC 3465, 2.1)
}

// init begins with segments of mss octets. cautious: the handshake took more than one retransmission.
func (r *newReno) init(mss int, cautious bool) {
	// RFC 5681, 3.1: "The initial value of ssthresh SHOULD be set arbitrarily high".
	*r = newReno{mss: mss, cwnd: initialWindow(mss), ssthresh: math.MaxInt32}
	if cautious {
		// RFC 6928, 3: "more than one SYN or SYN/ACK retransmissions" show true loss, and then RFC 5681, 3.1,
		// has "the initial window … MUST be one segment".
		r.cwnd = mss
	}
}

// initialWindow is RFC 6928, 2: "min (10*MSS, max (2*MSS, 14600))".
func initialWindow(mss int) int { return min(10*mss, max(2*mss, 14600)) }

func (r *newReno) window() int    { return r.cwnd }
func (r *newReno) threshold() int { return r.ssthresh }
func (r *newReno) name() string   { return "reno" }

func (r *newReno) acked(n int, afterTimeout bool) {
	if r.cwnd < r.ssthresh {
		// Slow start, counting octets (RFC 3465, 2.2), without its bound to a burst: RFC 3465, 2.3, keeps the bound of
		// one segment "during slow start phases that follow RTOs".
		if afterTimeout {
			n = min(n, r.mss)
		}
		grow := min(n, r.ssthresh-r.cwnd)
		r.cwnd += grow
		n -= grow
	}
	if n > 0 {
		// RFC 3465, 2.1: "as acknowledgments arrive, … when bytes_acked becomes greater than or equal to the
		// value of the congestion window, bytes_acked is reduced by cwnd, and then cwnd is incremented by a
		// full-sized segment (SMSS)."
		if r.credit += n; r.credit >= r.cwnd {
			r.credit -= r.cwnd
			r.cwnd += r.mss
		}
	}
	r.cwnd = min(r.cwnd, maxBuffer)
}

// half is RFC 5681, 3.1, equation 4: "ssthresh = max (FlightSize / 2, 2*SMSS)".
func (r *newReno) half(flight int) int { return max(flight/2, 2*r.mss) }

func (r *newReno) lost(flight int) {
	// RFC 6675, 5, 4.2: "ssthresh = cwnd = (FlightSize / 2)".
	r.ssthresh = r.half(flight)
	r.cwnd, r.credit = r.ssthresh, 0
}

func (r *newReno) recovered() { r.cwnd, r.credit = min(r.cwnd, r.ssthresh), 0 }

func (r *newReno) timedOut(flight int, again bool) {
	// RFC 5681, 3.1: "the value of ssthresh is held constant" when the segment was already retransmitted by the timer.
	if !again {
		r.ssthresh = r.half(flight)
	}
	// "upon a timeout … cwnd MUST be set to no more than the loss window, LW, which equals 1 full-sized segment".
	r.cwnd, r.credit = r.mss, 0
}

func (r *newReno) idle() {
	// RFC 5681, 4.1: "if the TCP has not sent data in an interval exceeding the retransmission timeout, … set cwnd
	// to no more than RW segments … RW = min(IW,cwnd)".
	r.cwnd, r.credit = min(r.cwnd, initialWindow(r.mss)), 0
}

func (r *newReno) resize(mss int) {
	r.mss = mss
	r.cwnd = max(r.cwnd, mss)
}
