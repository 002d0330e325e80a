package tcp

import (
	"math"
	"time"
)

// What of loss, and of a rate, is no sign of a full path. 3.1: "The full throughput (or approximate fair share thereof) available to
// a flow" is to be "Achieved with average packet loss rates of up to 1%". With the pseudocode alone it is not, where a path loses one
// segment in a hundred at random, whatever is sent:
//
//   - a round trip of one or two hundred segments has more than BBRLossThresh of loss now and then by chance, and a probe that
//     sees it bounds inflight_longterm;
//   - each round trip of CRUISE takes a percent off bw_shortterm, which nothing gives back before the next probe;
//   - a loss in DOWN, or soon after DOWN or ProbeRTT, sets bw_shortterm to the rate that the flow itself had chosen then.

// bbrTolerated is the loss rate of 3.1.
const bbrTolerated = 0.01

// beyondChance reports whether lost segments of n are more than a path makes them that loses a share p at random: more than
// three standard deviations above the mean, which one round trip in a hundred or fewer has. With p of 1 % and n of 900 or more,
// BBRLossThresh is more than that.
func beyondChance(lost, n int, p float64) bool {
	mean := float64(n) * p
	return float64(lost) > mean+3*math.Sqrt(mean)
}

// bbrCycle is what ProbeBW's cycle has seen since its last probe, or since ProbeRTT.
type bbrCycle struct {
	delivered uint64 // C.delivered when it began
	lost      int
	quiet     int           // of which in round trips without a queue
	marked    bool          // a congestion mark was echoed: whatever is lost, there is congestion (3.7)
	rttLatest time.Duration // the longest round-trip time of the loss round, as bw_latest is its largest rate
	lostRound int           // lost when the loss round began
}

func (b *bbr) startCycle(s *Sender) { b.cycle = bbrCycle{delivered: s.Delivered} }

// quiet reports whether most loss of the cycle was in round trips without a queue, on a path where a queue would be seen: a probe
// makes one, and if it has made none that is longer than noQueue, what the path has is too short, and loss is all that tells of it.
func (b *bbr) quiet() bool {
	return !b.cycle.marked && b.cycle.quiet*2 > b.cycle.lost && !b.noQueue(b.longestRTT)
}

// noQueue reports whether segments with round-trip times up to rtt have not waited in a queue to speak of.
func (b *bbr) noQueue(rtt time.Duration) bool { return rtt <= b.minRTT+max(b.minRTT/16, bbrQueueFloor) }

// noteLossRound takes in that a loss round ends.
func (b *bbr) noteLossRound() {
	c := &b.cycle
	if b.noQueue(c.rttLatest) {
		c.quiet += c.lost - c.lostRound
	}
	c.lostRound = c.lost
}

// sentInCycle is how many segments of the cycle have come to an end, good or bad.
func (b *bbr) sentInCycle(s *Sender) int { return int(s.Delivered-b.cycle.delivered) + b.cycle.lost }

// endCycle keeps what the cycle has found: the next probe may find the same without being its cause.
func (b *bbr) endCycle(s *Sender) {
	b.background = 0
	if n := b.sentInCycle(s); n > 0 && b.quiet() {
		b.background = min(float64(b.cycle.quiet)/float64(n), bbrTolerated)
	}
}

// lossIsBackground reports whether the round trip's loss, of which there is some, is taken to be neither of the flow's making nor
// of a shared queue's. All of this has to hold:
//
//   - the flow sends less already, by the loss rate that is tolerated, than what it has found the path to carry: so much loss due to
//     sending too much, to a policer or into a queue of a few segments, would have ended with that;
//   - the loss since the probe is not beyond what is tolerated;
//   - no segment of the round trip has waited in a queue to speak of, as where a competitor fills one, and most of the loss since
//     the probe was without a queue too.
func (b *bbr) lossIsBackground(s *Sender) bool {
	return b.quiet() && float64(b.bwShortterm) <= float64(b.maxBW)*(1-bbrTolerated) &&
		!beyondChance(b.cycle.lost, b.sentInCycle(s), bbrTolerated) &&
		b.noQueue(b.cycle.rttLatest)
}

// bbrQueueFloor is the least wait that tells of a queue: bursts of a millisecond (BBRSetSendQuantum) make one of their own.
const bbrQueueFloor = 2 * time.Millisecond

// queueStands reports whether the latest segment has waited in a queue for longer than what DOWN drains in a round trip, which
// is a tenth of it.
func (b *bbr) queueStands() bool { return b.rs.rtt > b.minRTT+b.minRTT/8+bbrQueueFloor }

// bbrRestraint is how much less than bw the flow has sent by its own choice, in DOWN (gain 0.9) and ProbeRTT (half the window).
type bbrRestraint struct {
	gain  int    // percent
	until uint64 // the rate of what was sent before so much was delivered shows it
}

// restrainedGain is the share of bw that the flow sends at in the present state by its own choice, in percent.
func (b *bbr) restrainedGain() int {
	switch b.state {
	case bbrProbeBWDown:
		return bbrGains[bbrProbeBWDown].pacing
	case bbrProbeRTT:
		return bbrGains[bbrProbeRTT].cwnd
	}
	return 100
}

// noteRestraint takes in that a state is left. What is in flight was sent as that state has it, and so the rates of the next round
// trip show it too.
func (b *bbr) noteRestraint(s *Sender) {
	gain := b.restrainedGain()
	if s.Delivered < b.restraint.until {
		gain = min(gain, b.restraint.gain)
	}
	if gain < 100 {
		b.restraint = bbrRestraint{gain, s.Delivered + uint64(s.InFlight)}
	}
}

// unrestrained returns what a rate of the loss round that ends would be, had the flow not sent less by its own choice: 5.3.3.5.3:
// "the steady-state (non-bandwidth-probing) BBR response to a non-application-limited round trip with X% packet loss is to reduce
// the sending rate by X%", and not by the pacing margin or the gain too. Where the path has not been found to lose by itself, or a queue
// stands after DOWN, the rate is as much the competitors' doing.
func (b *bbr) unrestrained(rate uint64) uint64 {
	gain := b.restrainedGain()
	if b.background == 0 {
		gain = 100
	} else if gain == 100 && b.rs.priorDelivered < b.restraint.until && !b.queueStands() {
		gain = b.restraint.gain
	}
	return mulDiv(rate, 100*100, uint64(gain)*(100-bbrPacingMargin))
}

// keepDown is for the end of DOWN. The queue that DOWN has drained may have been the flow's own; where one stands yet, others fill
// it, and loss in DOWN has the flow go on at DOWN's rate.
func (b *bbr) keepDown() {
	if b.state == bbrProbeBWDown && b.background > 0 && b.bwShortterm != bbrInfiniteBW && b.queueStands() {
		b.bwShortterm = percent(b.bwShortterm, bbrGains[bbrProbeBWDown].pacing)
	}
}
