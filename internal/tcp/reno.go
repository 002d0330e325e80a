package tcp

// reno is the congestion control of RFC 5681.
type reno struct{ NoControl }

func (reno) Name() string { return "reno" }

// Reduce is RFC 5681, 3.1, equation 4: "ssthresh = max (FlightSize / 2, 2*SMSS)"; the window stands for FlightSize, as it
// is validated.
func (reno) Reduce(s *Sender) int {
	if s.ECN && s.ABE {
		// RFC 8511, 3.1: "ssthresh = max (FlightSize * beta_{ecn}, 2 * SMSS)", with 3.2's "beta_{ecn}=0.8".
		return max(s.Window*4/5, 2)
	}
	return max(s.Window/2, 2)
}

// Grow is RFC 5681, 3.1: slow start, then "increasing cwnd by 1 full-sized segment per RTT".
func (reno) Grow(s *Sender, n int) {
	if !s.Limited {
		return
	}
	if s.SlowStart() {
		if n = s.GrowSlowStart(n); n == 0 {
			return
		}
	}
	s.GrowByOne(s.Window, n)
}
