package tcp

import "time"

// hystart is HyStart++ (RFC 9406): in the initial slow start it looks, round trip by round trip, for a delay that grows, which
// says that a queue does. Then it goes on in Conservative Slow Start (CSS), at a quarter of the pace: if the delay sinks
// again it was jitter, and slow start resumes; if it does not for five rounds, congestion avoidance begins.
//
// begin starts it; sampled takes in each ACK's round-trip time, and then grow the segments that it acknowledged. Its zero
// value is a slow start whose first round ends with the first ACK.
//
// RFC 9406, 4.3: "An implementation SHOULD use HyStart++ only for the initial slow start (when the ssthresh is at its initial
// value of arbitrarily high per [RFC5681]) and fall back to using standard slow start for the remainder of the connection
// lifetime."
type hystart struct {
	css      bool          // in CSS, else in slow start
	end      Seq           // windowEnd
	last     time.Duration // lastRoundMinRTT; 0: infinity
	current  time.Duration // currentRoundMinRTT; 0: infinity
	samples  int           // rttSampleCount
	baseline time.Duration // cssBaselineMinRtt, in CSS
	rounds   int           // of CSS that are over
	credit   int           // segments acknowledged in CSS that have not yet moved the window
}

// The values of Config.HyStart.
const (
	hystartOff   = iota
	hystartOn    // RFC 9406
	hystartLinux // hystartClassic
)

// RFC 9406, 4.3: "It is RECOMMENDED that a HyStart++ implementation use the following constants".
const (
	hystartMinThreshold = 4 * time.Millisecond  // MIN_RTT_THRESH
	hystartMaxThreshold = 16 * time.Millisecond // MAX_RTT_THRESH
	hystartDivisor      = 8                     // MIN_RTT_DIVISOR
	hystartSamples      = 8                     // N_RTT_SAMPLE
	cssGrowthDivisor    = 4                     // CSS_GROWTH_DIVISOR
	cssRounds           = 5                     // CSS_ROUNDS
)

// hystartThreshold is by how much the delay has to grow over least: RFC 9406, 4.2: "RttThresh = max(MIN_RTT_THRESH,
// min(lastRoundMinRTT / MIN_RTT_DIVISOR, MAX_RTT_THRESH))".
func hystartThreshold(least time.Duration) time.Duration {
	return max(hystartMinThreshold, min(least/hystartDivisor, hystartMaxThreshold))
}

// begin starts over: "Define windowEnd as a sequence number initialized to SND.NXT."
func (h *hystart) begin(next Seq) { *h = hystart{end: next} }

// active reports whether this is the initial slow start.
func (h *hystart) active(s *Sender) bool { return s.HyStart == hystartOn && s.Threshold >= unlimited }

// sampled takes the round-trip time of an ACK in, which must be positive.
func (h *hystart) sampled(s *Sender, rtt time.Duration) {
	if !h.active(s) {
		return
	}
	if h.current == 0 || rtt < h.current {
		h.current = rtt
	}
	h.samples++
	if h.samples >= hystartSamples {
		h.judge(s)
	}
	// "When windowEnd is ACKed, the current round ends and windowEnd is set to SND.NXT."
	if !s.Una.Less(h.end) {
		h.endRound(s)
	}
}

// judge compares the round's delay with what it is to be measured by, once there are enough samples.
func (h *hystart) judge(s *Sender) {
	switch {
	case h.css:
		// "if (currentRoundMinRTT < cssBaselineMinRtt) cssBaselineMinRtt = infinity; resume slow start including HyStart++".
		if h.current < h.baseline {
			h.css, h.baseline, h.rounds, h.credit = false, 0, 0, 0
			s.note(PathCSSResumed)
		}
	case h.last > 0 && h.current >= h.last+hystartThreshold(h.last):
		// "if (currentRoundMinRTT >= (lastRoundMinRTT + RttThresh)) cssBaselineMinRtt = currentRoundMinRTT; exit slow start and
		// enter CSS".
		h.css, h.baseline = true, h.current
		s.note(PathCSS)
	}
}

// endRound begins the next round.
func (h *hystart) endRound(s *Sender) {
	h.end, h.last, h.current, h.samples = s.Next, h.current, 0, 0
	if !h.css {
		return
	}
	// "CSS lasts at most CSS_ROUNDS rounds. If the transition into CSS happens in the middle of a round, that partial round
	// counts towards the limit. If CSS_ROUNDS rounds are complete, enter congestion avoidance by setting the ssthresh to the
	// current cwnd."
	if h.rounds++; h.rounds >= cssRounds {
		h.css, s.Threshold = false, s.Window
		s.note(PathCSSDone)
	}
}

// grow is slow start for n segments acknowledged. It returns how many are left for congestion avoidance.
//
// RFC 9406, 4.2: "cwnd = cwnd + min(N, L * SMSS)", and in CSS "cwnd = cwnd + (min(N, L * SMSS) / CSS_GROWTH_DIVISOR)". 4.3:
// "A paced TCP implementation SHOULD use L = infinity."
func (h *hystart) grow(s *Sender, n int) int {
	if !h.active(s) {
		return s.GrowSlowStart(n)
	}
	if s.SlowStartLimit > 0 && !s.Paced {
		n = min(n, int(s.SlowStartLimit))
	}
	if h.css {
		h.credit += n
		n, h.credit = h.credit/cssGrowthDivisor, h.credit%cssGrowthDivisor
	}
	return s.GrowSlowStart(n)
}
