package tcp

// bbrUndo is what 5.5.11.1 has kept "in case a loss episode is later declared spurious".
type bbrUndo struct {
	state                               bbrState
	bwShortterm                         uint64
	inflightShortterm, inflightLongterm int
}

// Reduce is 5.6.4.4, BBROnEnterFastRecovery and BBROnEnterRTO: the window is kept, to be restored; there is no threshold.
func (b *bbr) Reduce(s *Sender) int {
	b.saveCwnd(s)
	b.saveStateUponLoss()
	if s.ECN {
		b.handleMark(s)
	}
	return s.Threshold
}

// handleMark takes in that a congestion mark was echoed, of which there is one in a round trip: like loss in it, and where
// BBR probes for bandwidth like too much of it.
func (b *bbr) handleMark(s *Sender) {
	b.cycle.marked = true
	b.noteLoss(s)
	if b.state == bbrStartup && !b.fullBWReached {
		b.leaveStartupForCongestion(s)
	}
	if b.bwProbeSamples {
		b.handleInflightTooHigh(s, max(b.rs.txInFlight, s.InFlight), s.AppLimited)
	}
}

// StateChanged is 5.6.4.4: "Upon exiting loss recovery (RTO recovery or Fast Recovery), either by repairing all losses or undoing
// recovery, BBR restores the best-known cwnd value we had upon entering loss recovery".
func (b *bbr) StateChanged(s *Sender, to RecoveryState) {
	if s.State >= stateRecovery && to < stateRecovery {
		b.restoreCwnd(s)
	}
	if to == stateLoss && !b.isProbingBW() && b.inflightShortterm == bbrInfinite {
		// The window that the timeout leaves says nothing of the path, and must not become what BBRInitLowerBounds begins with.
		b.inflightShortterm = max(s.Window, b.priorCwnd)
	}
}

// Undo is 5.5.11.2, BBRHandleSpuriousLossDetection: "BBR restores aspects of its state to their previously saved values".
func (b *bbr) Undo(s *Sender) int {
	b.lossInRound = false
	b.resetFullBW()
	b.bwShortterm = max(b.bwShortterm, b.undo.bwShortterm)
	b.inflightShortterm = max(b.inflightShortterm, b.undo.inflightShortterm)
	b.inflightLongterm = max(b.inflightLongterm, b.undo.inflightLongterm)
	// "If flow was probing bandwidth, return to that state".
	if b.state != bbrProbeRTT && b.state != b.undo.state {
		if b.undo.state == bbrStartup {
			b.fullBWReached = false
			b.enterStartup(s)
		} else if b.undo.state == bbrProbeBWUp {
			b.startProbeBWUp(s)
		}
	}
	b.restoreCwnd(s)
	return s.Window
}

// saveStateUponLoss is 5.5.11.1, BBRSaveStateUponLoss.
func (b *bbr) saveStateUponLoss() {
	b.undo = bbrUndo{b.state, b.bwShortterm, b.inflightShortterm, b.inflightLongterm}
}

// saveCwnd is 5.6.4.4, BBRSaveCwnd: "the latest C.cwnd unmodulated by loss recovery or ProbeRTT".
func (b *bbr) saveCwnd(s *Sender) {
	if s.State < stateRecovery && b.state != bbrProbeRTT {
		b.priorCwnd = s.Window
	} else {
		b.priorCwnd = max(b.priorCwnd, s.Window)
	}
}

// restoreCwnd is 5.6.4.4, BBRRestoreCwnd.
func (b *bbr) restoreCwnd(s *Sender) { s.Window = max(s.Window, b.priorCwnd) }

// Lost is 5.5.10.2, BBRHandleLostPacket.
func (b *bbr) Lost(s *Sender, l LostSegment) {
	if b.lossEvents == 0 || l.Seq != b.lostEnd {
		b.lossEvents++
	}
	b.lostEnd = l.End
	b.cycle.lost++
	b.noteLoss(s)
	if !b.bwProbeSamples {
		return // "not a packet sent while probing bandwidth"
	}
	if b.tooHigh(s, l.LostSince, l.SentInFlight) {
		b.handleInflightTooHigh(s, inflightAtLoss(l.LostSince, l.SentInFlight), l.Limited)
	}
}

// noteLoss is 5.5.10.2, BBRNoteLoss.
func (b *bbr) noteLoss(s *Sender) {
	if !b.lossInRound { // "first loss in this round trip?"
		b.lossRoundDelivered = s.Delivered
		b.saveStateUponLoss()
	}
	b.lossInRound = true
}

// isInflightTooHigh is 5.5.10.2, IsInflightTooHigh: "Do loss signals suggest C.inflight was too high?"
func (b *bbr) isInflightTooHigh(s *Sender) bool { return b.tooHigh(s, b.rs.lost, b.rs.txInFlight) }

func (b *bbr) tooHigh(s *Sender, lost, txInFlight int) bool {
	return lost*100 > txInFlight*bbrLossThresh && beyondChance(lost, txInFlight, b.background) || lost > 0 && !s.SACK
}

// inflightAtLoss is 5.5.10.2, BBRInflightAtLoss, for a segment that was one of txInFlight: "At what prefix of packet did losses
// exceed BBR.LossThresh?"
func inflightAtLoss(lost, txInFlight int) int {
	inflightPrev, lostPrev := txInFlight-1, lost-1
	lostPrefix := (bbrLossThresh*inflightPrev - 100*lostPrev) / (100 - bbrLossThresh)
	return inflightPrev + max(lostPrefix, 0)
}

// handleInflightTooHigh is 5.5.10.2, BBRHandleInflightTooHigh: "the flow estimates that the volume of data it allowed in flight
// exceeded what matches the current delivery process on the path, and reduces BBR.inflight_longterm". "the BBR.Beta (0.7x)
// bound is to try to ensure that BBR does not react more dramatically than CUBIC's 0.7x multiplicative decrease factor".
func (b *bbr) handleInflightTooHigh(s *Sender, txInFlight int, appLimited bool) {
	b.bwProbeSamples = false // "only react once per bw probe"
	if !appLimited {
		b.inflightLongterm = max(txInFlight, b.targetInflight(s)*bbrBeta/100)
	}
	if b.state == bbrProbeBWUp {
		b.startProbeBWDown(s)
	}
}

// updateCongestionSignals is 5.5.10.3, BBRUpdateCongestionSignals.
func (b *bbr) updateCongestionSignals(s *Sender) {
	b.updateMaxBW(s)
	if !b.lossRoundStart {
		return // "wait until end of round trip"
	}
	b.noteLossRound()
	b.adaptLowerBoundsFromCongestion(s)
	b.lossInRound = false
}

// adaptLowerBoundsFromCongestion is 5.5.10.3, BBRAdaptLowerBoundsFromCongestion: "When encountering packet loss when the flow is
// not probing for bandwidth, the strategy is to gradually adapt to the current measured delivery process".
func (b *bbr) adaptLowerBoundsFromCongestion(s *Sender) {
	if b.isProbingBW() || !b.lossInRound || b.lossIsBackground(s) {
		return
	}
	// BBRInitLowerBounds: "Handle the first congestion episode in this cycle".
	if b.bwShortterm == bbrInfiniteBW {
		b.bwShortterm = b.maxBW
	}
	if b.inflightShortterm == bbrInfinite {
		b.inflightShortterm = s.Window
	}
	// BBRLossLowerBounds: "Adjust model once per round based on loss". The pacing margin is part of why bw_latest is less than
	// bw, and not the path's doing: 5.3.3.5.3: "the steady-state (non-bandwidth-probing) BBR response to a non-application-limited
	// round trip with X% packet loss is to reduce the sending rate by X%", and not by the margin too.
	latest := min(b.unrestrained(b.bwLatest), max(b.bwShortterm, b.bwLatest))
	b.bwShortterm = max(latest, percent(b.bwShortterm, bbrBeta))
	b.inflightShortterm = max(b.inflightLatest, b.inflightShortterm*bbrBeta/100)
}

// resetCongestionSignals is 5.5.10.3, BBRResetCongestionSignals.
func (b *bbr) resetCongestionSignals() { b.lossInRound, b.bwLatest, b.inflightLatest = false, 0, 0 }

// resetShortTermModel is 5.5.10.3, BBRResetShortTermModel.
func (b *bbr) resetShortTermModel() { b.bwShortterm, b.inflightShortterm = bbrInfiniteBW, bbrInfinite }
