package tcp

import "time"

// bbrACKPhase tells what an ACK in ProbeBW is of: "Track ACK state and update BBR.max_bw window and BBR.inflight_longterm".
type bbrACKPhase uint8

const (
	acksInit          bbrACKPhase = iota // nothing that probes
	acksRefilling                        // data sent in REFILL
	acksProbeStarting                    // sent before UP, while in UP
	acksProbeFeedback                    // sent in UP
	acksProbeStopping                    // sent in UP, while that is over
)

func (b *bbr) isInAProbeBWState() bool { return b.state >= bbrProbeBWDown && b.state <= bbrProbeBWUp }

// isProbingBW is 5.3.3.6, BBRIsProbingBW.
func (b *bbr) isProbingBW() bool {
	return b.state == bbrStartup || b.state == bbrProbeBWRefill || b.state == bbrProbeBWUp
}

// enterProbeBW is 5.3.3.6, BBREnterProbeBW.
func (b *bbr) enterProbeBW(s *Sender) { b.startProbeBWDown(s) }

// startProbeBWDown is BBRStartProbeBW_DOWN: 5.3.3.1: "to try to send slower than the network is delivering data, to reduce the
// amount of data in flight".
func (b *bbr) startProbeBWDown(s *Sender) {
	b.resetCongestionSignals()
	b.probeUpCnt = bbrInfinite // "not growing BBR.inflight_longterm"
	b.pickProbeWait()
	b.cycleStamp = s.Now
	b.startCycle(s)
	b.ackPhase = acksProbeStopping
	b.startRound(s)
	b.setState(s, bbrProbeBWDown)
}

// startProbeBWCruise is BBRStartProbeBW_CRUISE: 5.3.3.2: "attempting to send at the same rate the network is delivering data".
func (b *bbr) startProbeBWCruise(s *Sender) {
	b.keepDown()
	b.setState(s, bbrProbeBWCruise)
}

// startProbeBWRefill is BBRStartProbeBW_REFILL: 5.3.3.3: "the flow pivots, discarding its short-term model that incorporates
// packet losses caused by cross-traffic and beginning to robustly probe the bottleneck's long-term available bandwidth".
func (b *bbr) startProbeBWRefill(s *Sender) {
	b.resetShortTermModel()
	b.bwProbeUpRounds, b.bwProbeUpAcks = 0, 0
	b.endCycle(s)
	b.ackPhase = acksRefilling
	b.startRound(s)
	b.setState(s, bbrProbeBWRefill)
}

// startProbeBWUp is BBRStartProbeBW_UP: 5.3.3.4: "ProbeBW_UP probes for possible increases in available bandwidth".
func (b *bbr) startProbeBWUp(s *Sender) {
	b.ackPhase = acksProbeStarting
	b.startRound(s)
	b.resetFullBW()
	b.fullBW = b.rs.deliveryRate
	b.longestRTT = 0
	b.setState(s, bbrProbeBWUp)
	b.raiseInflightLongtermSlope(s)
}

// updateProbeBWCyclePhase is 5.3.3.6, BBRUpdateProbeBWCyclePhase: "The core state machine logic for ProbeBW".
func (b *bbr) updateProbeBWCyclePhase(s *Sender) {
	if !b.fullBWReached {
		return // "only handling steady-state behavior here"
	}
	b.adaptLongTermModel(s)
	switch b.state {
	case bbrProbeBWDown:
		if !b.isTimeToProbeBW(s) && b.isTimeToCruise(s) {
			b.startProbeBWCruise(s)
		}
	case bbrProbeBWCruise:
		b.isTimeToProbeBW(s)
	case bbrProbeBWRefill:
		// 5.3.3.3: "The flow exits ProbeBW_REFILL after one packet-timed round trip, and enters ProbeBW_UP."
		if b.roundStart {
			b.bwProbeSamples = true
			b.startProbeBWUp(s)
		}
	case bbrProbeBWUp:
		if b.isTimeToGoDown(s) {
			b.startProbeBWDown(s)
		}
	}
}

// isTimeToCruise is BBRIsTimeToCruise: 5.3.3.1: DOWN ends when "There is free headroom" and "C.inflight is less than or equal
// to BBR.bdp, i.e. the flow estimates that it has drained any queue at the bottleneck".
func (b *bbr) isTimeToCruise(s *Sender) bool {
	return s.InFlight <= b.inflightWithHeadroom() && s.InFlight <= b.inflight(s, b.maxBW, 100)
}

// isTimeToGoDown is BBRIsTimeToGoDown: 5.3.3.4: "Bandwidth saturation: … looking for a plateau in the measured
// RS.delivery_rate. If, during this process, C.inflight is constrained by BBR.inflight_longterm …, then the flow cannot fully
// explore the available bandwidth, and so it resets the "full pipe" estimator".
func (b *bbr) isTimeToGoDown(s *Sender) bool {
	if s.Limited && s.Window >= b.inflightLongterm {
		b.resetFullBW()
		b.fullBW = b.rs.deliveryRate
		return false
	}
	return b.fullBWNow
}

// isTimeToProbeBW is 5.3.3.5.3, BBRIsTimeToProbeBW: "Is it time to transition from DOWN or CRUISE to REFILL?"
func (b *bbr) isTimeToProbeBW(s *Sender) bool {
	if s.Now <= b.cycleStamp.Add(b.bwProbeWait) && !b.isRenoCoexistenceProbeTime(s) {
		return false
	}
	b.startProbeBWRefill(s)
	return true
}

// pickProbeWait is BBRPickProbeWait: "Randomized decision about how long to wait until probing for bandwidth, using round count
// and wall clock": 5.3.3.5.2: "uniformly randomly distributed between 2 and 3 secs", and 62 or 63 round trips.
func (b *bbr) pickProbeWait() {
	b.roundsSinceBWProbe = int(b.lots.draw(2))
	b.bwProbeWait = 2*time.Second + time.Duration(b.lots.draw(uint64(time.Second)))
}

// isRenoCoexistenceProbeTime is BBRIsRenoCoexistenceProbeTime: 5.3.3.5.2: "T_reno = min(reno_bdp, T_reno_bound) round trips".
func (b *bbr) isRenoCoexistenceProbeTime(s *Sender) bool {
	return b.roundsSinceBWProbe >= min(b.targetInflight(s), 63)
}

// targetInflight is BBRTargetInflight: "Our estimated BDP, unless congestion cut C.cwnd."
func (b *bbr) targetInflight(s *Sender) int { return min(b.bdpMultiple(s, b.bw, 100), s.Window) }

// raiseInflightLongtermSlope is BBRRaiseInflightLongtermSlope: 5.3.3.4: "in each successive round trip, BBR.inflight_longterm
// grows by 1, 2, 4, 8, 16, etc, with the increases spread uniformly across the entire round trip".
func (b *bbr) raiseInflightLongtermSlope(s *Sender) {
	growth := 1 << b.bwProbeUpRounds
	b.bwProbeUpRounds = min(b.bwProbeUpRounds+1, 30)
	b.probeUpCnt = max(s.Window/growth, 1)
}

// probeInflightLongtermUpward is BBRProbeInflightLongtermUpward.
func (b *bbr) probeInflightLongtermUpward(s *Sender) {
	if !s.Limited || s.Window < b.inflightLongterm {
		return // "not fully using BBR.inflight_longterm, so don't grow it"
	}
	b.bwProbeUpAcks += b.rs.newlyAcked
	if b.bwProbeUpAcks >= b.probeUpCnt {
		delta := b.bwProbeUpAcks / b.probeUpCnt
		b.bwProbeUpAcks -= delta * b.probeUpCnt
		b.inflightLongterm = min(b.inflightLongterm+delta, bbrInfinite)
	}
	if b.roundStart {
		b.raiseInflightLongtermSlope(s)
	}
}

// adaptLongTermModel is 5.3.3.6, BBRAdaptLongTermModel. 5.5.6: "Each time through the Probe bw cycle, one round trip after
// exiting ProbeBW_UP …, BBR increments BBR.cycle_count": once, so that the phase ends there, and with it, by 5.5.10.2, the
// samples of "data sent in one of the accelerating phases".
func (b *bbr) adaptLongTermModel(s *Sender) {
	if b.ackPhase == acksProbeStarting && b.roundStart {
		b.ackPhase = acksProbeFeedback
	}
	if b.ackPhase == acksProbeStopping && b.roundStart {
		b.bwProbeSamples = false
		b.ackPhase = acksInit
		if b.isInAProbeBWState() && !b.rs.isAppLimited {
			b.maxBWFilter.advance()
		}
	}
	if b.isInflightTooHigh(s) || b.inflightLongterm == bbrInfinite {
		return
	}
	// "Loss rate is safe. Adjust upper bounds upward."
	b.inflightLongterm = max(b.inflightLongterm, b.rs.txInFlight)
	if b.state == bbrProbeBWUp {
		b.probeInflightLongtermUpward(s)
	}
}
