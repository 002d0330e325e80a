package tcp

// enterStartup is 5.3.1.1, BBREnterStartup: "in Startup BBR uses the minimum gain values that will allow the sending rate to
// double each round".
func (b *bbr) enterStartup(s *Sender) { b.setState(s, bbrStartup) }

// checkStartupDone is 5.3.1.1, BBRCheckStartupDone.
func (b *bbr) checkStartupDone(s *Sender) {
	b.checkStartupHighLoss(s)
	if b.state == bbrStartup && b.fullBWReached {
		b.enterDrain(s)
	}
}

// resetFullBW is 5.3.1.2, BBRResetFullBW, "Upon starting a full pipe detection process".
func (b *bbr) resetFullBW() { b.fullBW, b.fullBWCount, b.fullBWNow = 0, 0, false }

// checkFullBWReached is 5.3.1.2, BBRCheckFullBWReached: "if BBR counts several (three) non-application-limited rounds where
// attempts to significantly increase the delivery rate actually result in little increase (less than 25 percent), then it
// estimates that it has fully utilized the per-flow available bandwidth".
func (b *bbr) checkFullBWReached() {
	if b.fullBWNow || !b.roundStart || b.rs.isAppLimited || b.rs.deliveryRate == 0 {
		return
	}
	if b.rs.deliveryRate >= percent(b.fullBW, 125) {
		b.resetFullBW() // "bw is still growing, so reset"
		b.fullBW = b.rs.deliveryRate
		return
	}
	b.fullBWCount++ // "another round w/o much growth"
	if b.fullBWNow = b.fullBWCount >= 3; b.fullBWNow {
		b.fullBWReached = true
	}
}

// checkStartupHighLoss is 5.3.1.3: BBRCheckStartupHighLoss "exits Startup based on packet loss if the following criteria are
// all met: The connection has been in fast recovery for at least one full packet-timed round trip. The loss rate over the
// time scale of a single full round trip exceeds BBR.LossThresh (2%). There are at least BBRStartupFullLossCnt=6
// discontiguous sequence ranges lost in that round trip." Without SACK: "if any packet loss is detected during fast recovery".
func (b *bbr) checkStartupHighLoss(s *Sender) {
	if b.state != bbrStartup || b.fullBWReached {
		return
	}
	high := !s.SACK && b.lossEvents > 0
	if b.lossRoundStart {
		high = high || b.lossEvents >= bbrStartupLossCnt && b.isInflightTooHigh(s)
		b.lossEvents = 0
	}
	if high && s.State == stateRecovery {
		b.leaveStartupForCongestion(s)
	}
}

// leaveStartupForCongestion: "First, it sets BBR.full_bw_reached = true. Then it sets BBR.inflight_longterm to …
// max(BBR.bdp, BBR.inflight_latest) … Finally, it exits Startup and enters Drain."
func (b *bbr) leaveStartupForCongestion(s *Sender) {
	b.fullBWReached = true
	b.inflightLongterm = max(b.bdpMultiple(s, b.bw, 100), b.inflightLatest)
}

// enterDrain is 5.3.2, BBREnterDrain: "BBR aims to quickly drain any queue at the bottleneck link that was created in Startup".
func (b *bbr) enterDrain(s *Sender) {
	b.setState(s, bbrDrain)
	b.drainStartRound = b.roundCount
}

// checkDrainDone is 5.3.2, BBRCheckDrainDone: "when the amount of data in flight is less than or equal to the estimated BDP, …
// then BBR exits Drain and enters ProbeBW", or "after 3 round-trips".
func (b *bbr) checkDrainDone(s *Sender) {
	if b.state == bbrDrain && (s.InFlight <= b.inflight(s, b.bw, 100) || b.roundCount > b.drainStartRound+3) {
		b.enterProbeBW(s)
	}
}
