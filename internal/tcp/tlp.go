package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// tlp is the state of the tail loss probe (RFC 8985, 7): when the last segments of a flight are lost no ACK tells of it; a
// probe after two round-trip times brings one, long before the retransmission timer expires.
type tlp struct {
	on    bool // a probe is in flight
	end   Seq  // TLP.end_seq: SND.NXT when it was sent
	again bool // TLP.is_retrans
}

// tlpWithout is the timeout without a measurement: RFC 8985, 7.2: "when there is no SRTT estimate available, the PTO SHOULD
// be 1 second".
const tlpWithout = time.Second

// minTimeout is what timers that depend on the round-trip time add to it: the clock's granularity, generously.
const minTimeout = 2 * time.Millisecond

// scheduleProbe sets the timer to the probe, if one may be sent; else it returns false. restart: the retransmission timer
// would begin now; else, it counts from when the first segment was sent.
//
// RFC 8985, 7.2: "The sender SHOULD start or restart a loss probe PTO timer after transmitting new data (that was not itself
// a loss probe) or upon receiving an ACK that cumulatively acknowledges new data unless it is already in fast recovery,
// RTO recovery, or segments have been SACKed".
func (c *TCB) scheduleProbe(now clock.Instant, restart bool) bool {
	if (c.cfg.EarlyRetrans != 3 && c.cfg.EarlyRetrans != 4) || !c.sackOK || c.board.empty() || c.snd.wnd == 0 ||
		c.recovery.state != stateOpen && c.recovery.state != stateCWR {
		return false
	}
	pto := tlpWithout
	if c.rtt.sampled {
		// "the default PTO interval is 2*SRTT … when the FlightSize is one segment, the sender MAY inflate the PTO by
		// TLP.max_ack_delay": here the floor of the retransmission timeout.
		pto = 2 * c.rtt.srtt
		if c.board.out == 1 {
			pto += c.cfg.MinRTO
		} else {
			pto += minTimeout
		}
	}
	// "if the time at which an RTO would fire … is sooner than the computed time for the PTO, then the sender schedules a TLP
	// to be sent at that RTO time."
	rto := c.rtt.timeout(c.cfg)
	if !restart {
		rto = c.board.first().at.Add(rto).Sub(now)
	}
	if rto > 0 {
		pto = min(pto, rto)
	}
	c.setXmit(now, xmitProbe, pto)
	return true
}

// probeTimeout is RFC 8985, 7.3, TLP_send_probe: Next sends the probe, and then sets the timer.
func (c *TCB) probeTimeout(now clock.Instant) {
	if c.recovery.tlp.on { // "at any given time, the sender has at most one additional packet in flight"
		c.rearmRTO(now)
		return
	}
	c.recovery.rexmit = rexmitProbe
}

// probed notes that the probe was sent; again: it was a retransmission. RFC 8985, 7.3: "the sender MUST re-arm the RTO
// timer, not the PTO timer": from now.
func (c *TCB) probed(now clock.Instant, again bool) {
	c.recovery.tlp = tlp{on: true, end: c.snd.nxt, again: again}
	c.recovery.rexmit = rexmitNone
	c.xmit = xmitNone
	c.stats.probes++
	path := PathProbeNewData
	if again {
		path = PathProbeAgain
	}
	c.note(now, path, 1)
	c.rearmRTO(now)
}

// ackProbe is RFC 8985, 7.4.2, TLP_process_ack.
func (c *TCB) ackProbe(now clock.Instant, a *ackEvent) {
	t := &c.recovery.tlp
	switch {
	case c.snd.una.Less(t.end):
	case !t.again:
		t.on = false // "TLP of new data delivered"
	case a.flags&ackDSACKProbe != 0:
		c.note(now, PathProbeSuperfluous, 0)
		t.on = false // "If the TLP retransmission is spurious, a receiver that uses DSACK would return an ACK … (Case 1)"
	case t.end.Less(c.snd.una):
		// "Repaired the single loss": "the sender should presume that at least one of its data segments was lost."
		c.note(now, PathProbeRepaired, 1)
		c.beginReduction(now, false)
		c.setRecovery(now, stateCWR)
		c.endReduction(now)
		c.keepOpen(now)
		c.history().probeRecoveries++
	case a.flags&(ackAdvanced|ackNotDup|ackSacked) == 0:
		c.note(now, PathProbeSuperfluous, 0)
		t.on = false // "ACK is a DupAck without any SACK option … Case 2"
	}
}
