package tcp

import "time"

// initPacingRate is 5.6.2, BBRInitPacingRate: "it sets an initial pacing rate based on the transport sender implementation's
// initial congestion window …, the initial C.srtt after the first non-zero RTT sample, and the initial pacing_gain".
func (b *bbr) initPacingRate(s *Sender) {
	rtt := time.Millisecond
	if s.RTT > 0 {
		rtt, b.timed = s.RTT, true
	}
	nominal := mulDiv(uint64(b.initialCwnd)*uint64(s.MSS), uint64(time.Second), uint64(rtt))
	s.PacingRate = percent(nominal, bbrGains[bbrStartup].pacing)
}

// setPacingRate is 5.6.2, BBRSetPacingRate.
func (b *bbr) setPacingRate(s *Sender) {
	if !b.timed && s.RTT > 0 {
		b.initPacingRate(s)
	}
	b.setPacingRateWithGain(s, b.pacingGain)
}

// setPacingRateWithGain is 5.6.2, BBRSetPacingRateWithGain: "on each data ACK BBR updates its pacing rate to be proportional to
// bw, as long as it estimates that it has filled the pipe …, or doing so increases the pacing rate".
func (b *bbr) setPacingRateWithGain(s *Sender, gain int) {
	rate := percent(percent(b.bw, gain), 100-bbrPacingMargin)
	if rate > 0 && (b.fullBWReached || rate > s.PacingRate) {
		s.PacingRate = rate
	}
}

// sendQuantum is 5.6.3, BBRSetSendQuantum, in segments: "C.send_quantum = C.pacing_rate * 1ms", at most 64 KBytes and at least
// two segments. What is sent at once is TCB.burstSize, which is the same.
func (b *bbr) sendQuantum(s *Sender) int { return max(int(min(s.PacingRate/1000, 64<<10))/s.MSS, 2) }

// bdpMultiple is 5.6.4.2, BBRBDPMultiple, for a rate of bw.
func (b *bbr) bdpMultiple(s *Sender, bw uint64, gain int) int {
	if b.minRTT == bbrInfiniteTime {
		return b.initialCwnd // "no valid RTT samples yet"
	}
	octets := octetsIn(bw, b.minRTT) * gain / 100
	return min((octets+s.MSS-1)/s.MSS, bbrInfinite/2)
}

// quantizationBudget is 5.6.4.2, BBRQuantizationBudget, with 5.5.8.1, BBRUpdateOffloadBudget: "BBR.offload_budget = 3 *
// C.send_quantum".
func (b *bbr) quantizationBudget(s *Sender, inflightCap int) int {
	inflightCap = max(inflightCap, 3*b.sendQuantum(s), bbrMinPipeCwnd)
	if b.state == bbrProbeBWUp {
		inflightCap += 2
	}
	return inflightCap
}

// inflight is 5.6.4.2, BBRInflight, for a rate of bw.
func (b *bbr) inflight(s *Sender, bw uint64, gain int) int {
	return b.quantizationBudget(s, b.bdpMultiple(s, bw, gain))
}

// updateMaxInflight is 5.6.4.2, BBRUpdateMaxInflight.
func (b *bbr) updateMaxInflight(s *Sender) {
	b.maxInflight = b.quantizationBudget(s, b.bdpMultiple(s, b.bw, b.cwndGain)+b.extraAcked)
}

// probeRTTCwnd is 5.6.4.5, BBRProbeRTTCwnd.
func (b *bbr) probeRTTCwnd(s *Sender) int {
	return max(b.bdpMultiple(s, b.bw, bbrGains[bbrProbeRTT].cwnd), bbrMinPipeCwnd)
}

// inflightWithHeadroom is 5.3.3.6, BBRInflightWithHeadroom: "Return a volume of data that tries to leave free headroom in the
// bottleneck buffer or link for other flows, for fairness convergence and lower RTTs and loss".
func (b *bbr) inflightWithHeadroom() int {
	if b.inflightLongterm == bbrInfinite {
		return bbrInfinite
	}
	headroom := max(1, b.inflightLongterm*bbrHeadroom/100)
	return max(b.inflightLongterm-headroom, bbrMinPipeCwnd)
}

// setCwnd is 5.6.4.6, BBRSetCwnd: "When C.cwnd is above the BBR.max_inflight derived from BBR's path model, BBR cuts C.cwnd
// immediately to the BBR.max_inflight. When C.cwnd is below BBR.max_inflight, BBR raises C.cwnd gradually and cautiously,
// increasing C.cwnd by no more than the amount of data acknowledged (cumulatively or selectively) upon each ACK."
func (b *bbr) setCwnd(s *Sender) {
	b.updateMaxInflight(s)
	if b.fullBWReached {
		s.Window = min(s.Window+b.rs.newlyAcked, b.maxInflight)
	} else if s.Window < b.maxInflight || s.Delivered < uint64(b.initialCwnd) {
		s.Window += b.rs.newlyAcked
	}
	s.Window = max(s.Window, bbrMinPipeCwnd)
	if b.state == bbrProbeRTT { // 5.6.4.5, BBRBoundCwndForProbeRTT
		s.Window = min(s.Window, b.probeRTTCwnd(s))
	}
	b.boundCwndForModel(s)
	s.Window = min(s.Window, s.Clamp)
}

// boundCwndForModel is 5.6.4.7, BBRBoundCwndForModel: "BBR bounds C.cwnd based on recent congestion, as outlined in the "Volume
// Cap" column of the table".
func (b *bbr) boundCwndForModel(s *Sender) {
	limit := bbrInfinite
	switch {
	case b.state == bbrProbeRTT || b.state == bbrProbeBWCruise:
		limit = b.inflightWithHeadroom()
	case b.isInAProbeBWState():
		limit = b.inflightLongterm
	}
	limit = max(min(limit, b.inflightShortterm), bbrMinPipeCwnd) // "apply BBR.inflight_shortterm (possibly infinite)"
	s.Window = min(s.Window, limit)
}
