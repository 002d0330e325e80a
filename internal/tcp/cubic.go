package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// cubic is the congestion control of RFC 9438, in the fixed-point arithmetic that Linux does: time in units of 1/1024 s,
// beta_cubic as 717/1024, C as 410/1024.
//
// It starts slowly with HyStart++ (hystart.go), or with Linux's HyStart (hystartclassic.go).
type cubic struct {
	NoControl
	per      int           // segments to acknowledge for one more segment in the window
	max      int           // W_max, the window at the last reduction, after fast convergence
	window   int           // the window when per was last computed,
	computed clock.Instant // and when that was
	origin   int           // W_max, or the window at the start of the stage if larger: where the curve is flat
	k        uint64        // how long it takes to get there, in 1/1024 s
	epoch    clock.Instant // t_epoch, when the stage began, if inEpoch
	inEpoch  bool
	acked    int           // segments that are still to count for reno,
	reno     int           // W_est, the window that Reno would have
	least    time.Duration // least delay seen
	hystart  hystart
	classic  hystartClassic
}

const (
	cubicBeta = 717 // of 1024: RFC 9438, 4.6: "The parameter β__cubic_ SHOULD be set to 0.7"
	cubicC    = 410 // of 1024: RFC 9438, 5: "C … 0.4"
	cubicTick = time.Second / 1024

	// cubicShift turns C*t^3 into segments: 10 bits of C, and 10 for each power of t.
	cubicShift = 40
)

func (*cubic) Name() string { return "cubic" }

func (q *cubic) Init(s *Sender) {
	*q = cubic{}
	q.hystart.begin(s.Next)
	q.classic.reset(s)
}

// Event shifts the curve by the time in which nothing was sent: RFC 9438, 4.2: "The elapsed time _t_ … MUST NOT include
// periods during which _cwnd_ has not been updated due to application-limited behavior".
func (q *cubic) Event(s *Sender, e CongestionEvent) {
	if e != EventStart || !q.inEpoch {
		return
	}
	if idle := s.Now.Sub(s.LastSent); idle > 0 {
		q.epoch = min(q.epoch.Add(idle), s.Now)
	}
}

// Reduce is RFC 9438, 4.6: the threshold is the window times beta_cubic: "Some implementations of CUBIC currently use _cwnd_
// instead of _flight_size_"; and 4.7, fast convergence: "if the current _cwnd_ is less than _W_max_ … this flow can then release
// more bandwidth by reducing _W_max_ further", to the window times (1 + beta_cubic) / 2.
func (q *cubic) Reduce(s *Sender) int {
	q.inEpoch = false
	if s.Window < q.max {
		q.max = s.Window * (1024 + cubicBeta) / 2048
	} else {
		q.max = s.Window
	}
	beta := cubicBeta
	if s.ECN && s.ABE {
		beta = 870 // RFC 8511, 3.2: "CUBIC connections benefit from beta_{ecn} of 0.85"
	}
	return max(s.Window*beta/1024, 2)
}

// StateChanged: RFC 9438, 4.8: after a timeout slow start and the curve begin anew, as if nothing were known.
func (q *cubic) StateChanged(s *Sender, to RecoveryState) {
	if to == stateLoss {
		q.Init(s)
	}
}

// Sampled takes a round-trip time in.
func (q *cubic) Sampled(s *Sender, n int, rtt time.Duration) {
	if rtt < 0 || q.inEpoch && s.Now.Sub(q.epoch) < time.Second {
		return // right after fast recovery delays mean nothing
	}
	rtt = max(rtt, time.Microsecond)
	if q.least == 0 || rtt < q.least {
		q.least = rtt
	}
	switch s.HyStart {
	case hystartLinux:
		q.classic.sample(s, rtt, q.least)
	case hystartOn:
		q.hystart.sampled(s, rtt)
	}
}

// Grow is slow start or congestion avoidance.
func (q *cubic) Grow(s *Sender, n int) {
	if !s.Limited {
		return
	}
	if s.SlowStart() {
		if n = q.hystart.grow(s, n); n == 0 {
			return
		}
	}
	q.update(s, n)
	s.GrowByOne(q.per, n)
}

// update computes how many segments must be acknowledged for the window to grow by one.
func (q *cubic) update(s *Sender, n int) {
	const tick = time.Millisecond
	q.acked += n
	since := s.Now.Sub(q.computed)
	if q.window == s.Window && q.computed != 0 && since <= time.Second/32 {
		return
	}
	if !q.inEpoch || q.computed == 0 || since >= tick {
		q.window, q.computed = s.Window, s.Now
		q.curve(s, n)
	}
	// RFC 9438, 4.3: "the Reno-friendly region": W_est grows by alpha_cubic = 3 * (1 - beta_cubic) / (1 + beta_cubic) per
	// round trip; below is its inverse.
	if per := s.Window * renoInverse / 8; per > 0 && q.acked > per {
		n := (q.acked - 1) / per // only what is beyond counts, as in Linux
		q.reno += n
		q.acked -= n * per
	}
	if q.reno > s.Window {
		q.per = min(q.per, s.Window/(q.reno-s.Window))
	}
	q.per = max(q.per, 2) // one segment for two acknowledged, at most: one and a half windows in a round trip
}

// renoInverse is eight times 1 / alpha_cubic.
const renoInverse = 8 * (1024 + cubicBeta) / 3 / (1024 - cubicBeta)

// curve computes per so that the window follows the curve of RFC 9438, 4.2: W_cubic(t) = C * (t - K)^3 + W_max, where K is
// the cubic root of (W_max - cwnd_epoch) / C. 4.4 and 4.5: each ACK adds (target - cwnd) / cwnd segments, with target =
// W_cubic(t + RTT).
func (q *cubic) curve(s *Sender, n int) {
	if !q.inEpoch {
		q.inEpoch, q.epoch = true, s.Now
		q.acked, q.reno = n, s.Window
		q.k, q.origin = 0, max(q.max, s.Window)
		if q.max > s.Window {
			q.k = cubeRoot(uint64(q.max-s.Window) * (1 << cubicShift / cubicC))
		}
	}
	t := uint64((s.Now.Sub(q.epoch) + q.least) / cubicTick)
	var target int
	if t < q.k {
		target = q.origin - cubed(q.k-t)
	} else {
		target = q.origin + cubed(t-q.k)
	}
	q.per = 100 * s.Window // hardly any growth
	if target > s.Window {
		q.per = s.Window / (target - s.Window)
	}
	if q.max == 0 && q.per > 20 {
		q.per = 20 // the bandwidth is still unknown: at least 5 % a round trip
	}
}

// cubed returns C * t^3 in segments.
func cubed(t uint64) int {
	if t > 1<<17 {
		t = 1 << 17 // two minutes: 900,000 segments a round trip are as good as any
	}
	return int(cubicC * t * t * t >> cubicShift)
}

// cubeRoot returns the integer cube root.
func cubeRoot(v uint64) (r uint64) {
	for bit := uint64(1) << 20; bit > 0; bit >>= 1 {
		if n := r | bit; n*n*n <= v {
			r = n
		}
	}
	return r
}
