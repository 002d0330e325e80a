package tcp

import "time"

// reno is the congestion control of RFC 5681, with HyStart++ (hystart.go), which is about slow start whatever follows: RFC
// 9406, 1: "HyStart++ uses increase in round-trip delay as a signal to exit slow start before potential packet loss occurs as
// a result of overshoot."
type reno struct {
	NoControl
	hystart hystart
}

func (*reno) Name() string { return "reno" }

func (q *reno) Init(s *Sender) { q.hystart.begin(s.Next) }

// Sampled takes a round-trip time in.
func (q *reno) Sampled(s *Sender, n int, rtt time.Duration) {
	if rtt >= 0 && s.HyStart == hystartOn {
		q.hystart.sampled(s, max(rtt, time.Microsecond))
	}
}

// Reduce is RFC 5681, 3.1, equation 4: "ssthresh = max (FlightSize / 2, 2*SMSS)"; the window stands for FlightSize, as it
// is validated.
func (*reno) Reduce(s *Sender) int {
	if s.ECN && s.ABE {
		// RFC 8511, 3.1: "ssthresh = max (FlightSize * beta_{ecn}, 2 * SMSS)", with 3.2's "beta_{ecn}=0.8".
		return max(s.Window*4/5, 2)
	}
	return max(s.Window/2, 2)
}

// Grow is RFC 5681, 3.1: slow start, then "increasing cwnd by 1 full-sized segment per RTT".
func (q *reno) Grow(s *Sender, n int) {
	if !s.Limited {
		return
	}
	if s.SlowStart() {
		if n = q.hystart.grow(s, n); n == 0 {
			return
		}
	}
	s.GrowByOne(s.Window, n)
}
