package tcp

// updateMinRTT is 5.3.4.3, BBRUpdateMinRTT: "to update its ProbeRTT scheduling state (BBR.probe_rtt_min_delay and
// BBR.probe_rtt_min_stamp) and its BBR.min_rtt estimate". What the peer may have delayed does not replace an estimate that is
// due: 5.5.7.2: "the receiver's delayed ack strategy" is noise.
func (b *bbr) updateMinRTT(s *Sender) {
	b.probeRTTExpired = s.Now > b.probeRTTMinStamp.Add(bbrProbeRTTInterval)
	if rtt := b.rs.rtt; rtt >= 0 && (rtt < b.probeRTTMinDelay || b.probeRTTExpired && !b.rs.delayed) {
		b.probeRTTMinDelay, b.probeRTTMinStamp = rtt, s.Now
	}
	expired := s.Now > b.minRTTStamp.Add(bbrMinRTTFilterLen)
	if b.probeRTTMinDelay < b.minRTT || expired {
		b.minRTT, b.minRTTStamp = b.probeRTTMinDelay, b.probeRTTMinStamp
	}
}

// checkProbeRTT is 5.3.4.3, BBRCheckProbeRTT. 5.3.4.1: "if the BBR.probe_rtt_min_delay estimate has not been updated (i.e., by
// getting a lower RTT measurement) for more than ProbeRTTInterval = 5 seconds, then BBR enters ProbeRTT"; 5.3.4.2: "when
// restarting from idle and finding that the BBR.probe_rtt_min_delay has expired, BBR does not enter ProbeRTT; the idleness is
// deemed a sufficient attempt to coordinate to drain the queue."
func (b *bbr) checkProbeRTT(s *Sender) {
	if b.state != bbrProbeRTT && b.probeRTTExpired && !b.idleRestart {
		b.setState(s, bbrProbeRTT)
		b.saveCwnd(s)
		b.probeRTTDoneStamp = 0
		b.ackPhase = acksProbeStopping
		b.startRound(s)
	}
	if b.state == bbrProbeRTT {
		b.handleProbeRTT(s)
	}
	if b.rs.delivered > 0 {
		b.idleRestart = false
	}
}

// handleProbeRTT is BBRHandleProbeRTT: 5.3.4.1: "After maintaining C.inflight at BBR.ProbeRTTCwndGain*BBR.bdp for at least
// BBR.ProbeRTTDuration (200 ms) and at least one packet-timed round trip, BBR leaves ProbeRTT".
func (b *bbr) handleProbeRTT(s *Sender) {
	s.MarkAppLimited() // "Ignore low rate samples during ProbeRTT"
	switch {
	case b.probeRTTDoneStamp == 0 && s.InFlight <= b.probeRTTCwnd(s):
		b.probeRTTDoneStamp = s.Now.Add(bbrProbeRTTDuration)
		b.probeRTTRoundDone = false
		b.startRound(s)
	case b.probeRTTDoneStamp != 0:
		if b.roundStart {
			b.probeRTTRoundDone = true
		}
		if b.probeRTTRoundDone {
			b.checkProbeRTTDone(s)
		}
	}
}

// checkProbeRTTDone is BBRCheckProbeRTTDone.
func (b *bbr) checkProbeRTTDone(s *Sender) {
	if b.probeRTTDoneStamp != 0 && s.Now > b.probeRTTDoneStamp {
		b.probeRTTMinStamp = s.Now // "schedule next ProbeRTT"
		b.restoreCwnd(s)
		b.exitProbeRTT(s)
	}
}

// exitProbeRTT is 5.3.4.4, BBRExitProbeRTT: it begins "the cycle at ProbeBW_DOWN(). But then as an optimization, since the
// connection is exiting ProbeRTT, we know that infligh is already below the estimated BDP, so the connection can proceed
// immediately to ProbeBW_CRUISE."
func (b *bbr) exitProbeRTT(s *Sender) {
	b.resetShortTermModel()
	b.endCycle(s)
	if b.fullBWReached {
		b.startProbeBWDown(s)
		b.startProbeBWCruise(s)
	} else {
		b.enterStartup(s)
	}
}

// handleRestartFromIdle is 5.4.1, BBRHandleRestartFromIdle: "if the flow's BBR.state is ProbeBW, and the flow is application-
// limited, and there are no packets in flight currently, then before the flow sends one or more packets BBR sets C.pacing_rate
// to exactly BBR.bw".
func (b *bbr) handleRestartFromIdle(s *Sender) {
	if s.InFlight > 0 || !s.AppLimited {
		return
	}
	b.idleRestart = true
	b.extraAckedStart = s.Now
	if b.isInAProbeBWState() {
		b.setPacingRateWithGain(s, 100)
	} else if b.state == bbrProbeRTT {
		b.checkProbeRTTDone(s)
	}
}
