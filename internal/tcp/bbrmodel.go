package tcp

import "time"

// updateRound is 5.5.1, BBRUpdateRound: BBR "counts packet-timed round trips by recording state about a sentinel packet, and
// waiting for an ACK of any data packet that was sent after that sentinel packet".
func (b *bbr) updateRound(s *Sender) {
	b.roundStart = b.rs.hasData && b.rs.priorDelivered >= b.nextRoundDelivered
	if b.roundStart {
		b.startRound(s)
		b.roundCount++
		b.roundsSinceBWProbe++
	}
}

// startRound is 5.5.1, BBRStartRound.
func (b *bbr) startRound(s *Sender) { b.nextRoundDelivered = s.Delivered }

// updateMaxBW is 5.5.5, BBRUpdateMaxBw. 5.5.4: "By default, the estimator discards application-limited samples, since by
// definition they reflect application limits. However, the estimator does use application-limited samples if the measured
// delivery rate happens to be larger than the current BBR.max_bw estimate".
func (b *bbr) updateMaxBW(s *Sender) {
	b.updateRound(s)
	if r := b.rs.deliveryRate; r > 0 && (r >= b.maxBW || !b.rs.isAppLimited) {
		b.maxBW = b.maxBWFilter.update(r)
	}
}

// updateACKAggregation is 5.5.9, BBRUpdateACKAggregation: "For each ACK, the algorithm computes a sample of the estimated extra
// ACKed data beyond the amount of data that the sender expected to be ACKed over the timescale of a round-trip, given the
// BBR.bw."
func (b *bbr) updateACKAggregation(s *Sender) {
	expected := octetsIn(b.bw, s.Now.Sub(b.extraAckedStart)) / s.MSS
	if b.extraAckedDelivered <= expected { // "Reset interval if ACK rate is below expected rate"
		b.extraAckedDelivered, b.extraAckedStart, expected = 0, s.Now, 0
	}
	b.extraAckedDelivered += b.rs.newlyAcked
	extra := min(b.extraAckedDelivered-expected, s.Window)
	length := uint64(1) // "in Startup, just remember 1 round"
	if b.fullBWReached {
		length = bbrExtraAckedLen
	}
	b.extraAcked = b.extraAckedFilter.update(b.roundCount, extra, length)
}

// updateLatestDeliverySignals is 5.5.10.3, BBRUpdateLatestDeliverySignals: "Near start of ACK processing".
func (b *bbr) updateLatestDeliverySignals(s *Sender) {
	b.lossRoundStart = false
	b.bwLatest = max(b.bwLatest, b.rs.deliveryRate)
	b.inflightLatest = max(b.inflightLatest, b.rs.delivered)
	b.cycle.rttLatest = max(b.cycle.rttLatest, b.rs.rtt)
	if !b.rs.delayed {
		b.longestRTT = max(b.longestRTT, b.rs.rtt)
	}
	if b.rs.hasData && b.rs.priorDelivered >= b.lossRoundDelivered {
		b.lossRoundDelivered = s.Delivered
		b.lossRoundStart = true
	}
}

// advanceLatestDeliverySignals is BBRAdvanceLatestDeliverySignals: "Near end of ACK processing".
func (b *bbr) advanceLatestDeliverySignals() {
	if b.lossRoundStart {
		b.bwLatest, b.inflightLatest, b.cycle.rttLatest = b.rs.deliveryRate, b.rs.delivered, b.rs.rtt
	}
}

// boundBWForModel is 5.5.10.3, BBRBoundBWForModel.
func (b *bbr) boundBWForModel() { b.bw = min(b.maxBW, b.bwShortterm) }

// octetsIn returns how much a rate makes in d.
func octetsIn(rate uint64, d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int(min(mulDiv(rate, uint64(d), uint64(time.Second)), 1<<50))
}
