package tcp

import "time"

// rttEstimator turns round-trip times into the retransmission timeout (RFC 6298).
type rttEstimator struct {
	srtt    time.Duration // SRTT
	rttvar  time.Duration // RTTVAR
	least   time.Duration // the least round-trip time seen
	rto     time.Duration // RTO before back-off
	backoff uint8         // how often it was doubled
	sampled bool
}

// rtoAfterSYNTimeout is the least RTO that data begins with when the SYN had to be sent again (RFC 6298, 5.7).
const rtoAfterSYNTimeout = 3 * time.Second

// init begins: RFC 6298, 2.1: "Until a round-trip time (RTT) measurement has been made for a segment sent between the
// sender and receiver, the sender SHOULD set RTO <- 1 second".
func (r *rttEstimator) init(cfg *Config) { *r = rttEstimator{rto: cfg.InitialRTO} }

// sample takes a measurement in.
func (r *rttEstimator) sample(d time.Duration, cfg *Config) {
	// 5: "once a new RTT measurement is obtained (which can only happen when new data has been sent and acknowledged), the
	// computations outlined in Section 2 are performed, including the computation of RTO, which may result in "collapsing"
	// RTO back down after it has been subject to exponential back off".
	r.backoff = 0
	if !r.sampled {
		// RFC 6298, 2.2: "SRTT <- R, RTTVAR <- R/2"
		r.sampled = true
		r.srtt, r.rttvar, r.least = d, d/2, d
	} else {
		// RFC 6298, 2.3: "RTTVAR <- (1 - beta) * RTTVAR + beta * |SRTT - R'|, SRTT <- (1 - alpha) * SRTT + alpha
		// * R'", "alpha=1/8 and beta=1/4".
		r.rttvar += ((r.srtt - d).Abs() - r.rttvar) / 4
		r.srtt += (d - r.srtt) / 8
		r.least = min(r.least, d)
	}
	// RFC 6298, 2.3: "RTO <- SRTT + max (G, K*RTTVAR)", K = 4. The floor is put below the second term and not below
	// the sum (2.4), so that a long path has the same allowance for a delayed acknowledgment as a short one.
	r.rto = min(r.srtt+max(cfg.MinRTO, 4*r.rttvar), cfg.MaxRTO)
}

// timeout returns the RTO, backed off.
func (r *rttEstimator) timeout(cfg *Config) time.Duration {
	return backedOff(r.rto, r.backoff, cfg.MaxRTO)
}

// backedOff doubles d n times, up to limit: RFC 6298, 5.5: "The host MUST set RTO <- RTO * 2 ("back off the timer").
// The maximum value discussed in (2.5) above may be used to provide an upper bound".
func backedOff(d time.Duration, n uint8, limit time.Duration) time.Duration {
	for ; n > 0 && d < limit; n-- {
		d *= 2
	}
	return min(d, limit)
}
