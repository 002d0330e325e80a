package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// rttEstimator turns round-trip times into the retransmission timeout: RFC 6298, with Linux's care for the variance. It
// takes the largest mean deviation of each round trip, which rises at once and sinks slowly, and the floor is put below
// four times it and not below the sum, so that a long path has the same allowance for a delayed acknowledgment as a
// short one.
type rttEstimator struct {
	srtt    time.Duration // SRTT
	mdev    time.Duration // four times the smoothed mean deviation
	mdevMax time.Duration // its maximum in this round trip
	rttvar  time.Duration // four times RTTVAR, never less than the floor
	rto     time.Duration // RTO, with its back-off
	round   Seq           // SND.NXT when the round trip began
	backoff uint8         // how often rto was doubled
	sampled bool
	minimum minFilter
}

// rtoAfterSYNTimeout is the least RTO that data begins with when the SYN had to be sent again (RFC 6298, 5.7).
const rtoAfterSYNTimeout = 3 * time.Second

// init begins: RFC 6298, 2.1: "Until a round-trip time (RTT) measurement has been made for a segment sent between the
// sender and receiver, the sender SHOULD set RTO <- 1 second".
func (r *rttEstimator) init(cfg *Config) {
	*r = rttEstimator{rto: cfg.InitialRTO, mdev: cfg.InitialRTO}
}

// least returns the least round-trip time of late.
func (r *rttEstimator) least() time.Duration { return r.minimum.get() }

// sampleLeast takes a measurement in for the least round-trip time only.
func (r *rttEstimator) sampleLeast(now clock.Instant, d time.Duration, cfg *Config) {
	if d <= 0 {
		d = time.Millisecond // less than the clock tells
	}
	r.minimum.add(now, d, cfg.MinRTTWindow)
}

// sample takes a measurement in, with SND.UNA and SND.NXT as they are.
func (r *rttEstimator) sample(d time.Duration, una, nxt Seq, cfg *Config) {
	if !r.sampled {
		// RFC 6298, 2.2: "SRTT <- R, RTTVAR <- R/2".
		r.sampled = true
		r.srtt, r.mdev = d, 2*d
		r.rttvar = max(r.mdev, cfg.MinRTO)
		r.mdevMax, r.round = r.rttvar, nxt
	} else {
		// RFC 6298, 2.3: "RTTVAR <- (1 - beta) * RTTVAR + beta * |SRTT - R'|, SRTT <- (1 - alpha) * SRTT + alpha
		// * R'", "alpha=1/8 and beta=1/4".
		err := d - r.srtt
		r.srtt += err / 8
		r.deviate(err)
		r.mdevMax = max(r.mdevMax, r.mdev)
		r.rttvar = max(r.rttvar, r.mdevMax)
		if r.round.Less(una) {
			if r.mdevMax < r.rttvar {
				r.rttvar -= (r.rttvar - r.mdevMax) / 4
			}
			r.round, r.mdevMax = nxt, cfg.MinRTO
		}
	}
	// 5: "once a new RTT measurement is obtained (which can only happen when new data has been sent and acknowledged), the
	// computations outlined in Section 2 are performed, including the computation of RTO, which may result in "collapsing"
	// RTO back down after it has been subject to exponential back off".
	r.backoff = 0
	r.rto = r.fresh(cfg)
}

// deviate moves the mean deviation by the error of a prediction. One that is too large by so much that the deviation
// would rise though the path got faster counts an eighth: it is no sign of trouble.
func (r *rttEstimator) deviate(err time.Duration) {
	if err >= 0 {
		r.mdev += err - r.mdev/4
		return
	}
	if d := -err - r.mdev/4; d > 0 {
		r.mdev += d / 8
	} else {
		r.mdev += d
	}
}

// fresh returns the RTO without back-off: RFC 6298, 2.3: "RTO <- SRTT + max (G, K*RTTVAR)", K = 4.
func (r *rttEstimator) fresh(cfg *Config) time.Duration {
	if !r.sampled {
		return cfg.InitialRTO
	}
	if cfg.FreeBSD {
		return min(max(r.srtt+r.mdev, cfg.MinRTO)+cfg.RTOSlop, cfg.MaxRTO)
	}
	return min(r.srtt+r.rttvar, cfg.MaxRTO)
}

// timeout returns the RTO, backed off.
func (r *rttEstimator) timeout(cfg *Config) time.Duration { return min(r.rto, cfg.MaxRTO) }

// backOff is RFC 6298, 5.5: "The host MUST set RTO <- RTO * 2 ("back off the timer"). The maximum value discussed in
// (2.5) above may be used to provide an upper bound".
func (r *rttEstimator) backOff(cfg *Config) {
	if r.backoff < 255 {
		r.backoff++
	}
	r.rto = min(2*r.rto, cfg.MaxRTO)
}

// collapse takes the back-off back.
func (r *rttEstimator) collapse(cfg *Config) {
	if r.backoff > 0 {
		r.backoff = 0
		r.rto = r.fresh(cfg)
	}
}

// deviation returns RTTVAR as Linux tells it: the smoothed mean deviation.
func (r *rttEstimator) deviation() time.Duration { return r.mdev / 4 }

// backedOff doubles d n times, up to limit.
func backedOff(d time.Duration, n uint8, limit time.Duration) time.Duration {
	for ; n > 0 && d < limit; n-- {
		d *= 2
	}
	return min(d, limit)
}
