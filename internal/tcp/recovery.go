package tcp

import "github.com/onlink-go/onlink/clock"

// phase is where loss recovery is.
type phase uint8

const (
	phaseOpen     phase = iota // nothing is known to be lost
	phaseRecovery              // fast recovery (RFC 6675, 5; RFC 6582)
	phaseLoss                  // after a retransmission timeout
)

var phaseNames = [...]string{"open", "recovery", "loss"}

func (p phase) String() string { return phaseNames[p] }

// recovery is the state of loss recovery.
type recovery struct {
	phase   phase
	point   Seq  // RecoveryPoint: SND.NXT when the phase began; when it is acknowledged, the phase ends
	dupACKs int  // without SACK: duplicate ACKs in a row
	rescued bool // RFC 6675, 4, NextSeg rule 4, was used in this phase
}

func (c *TCB) setPhase(now clock.Instant, p phase) {
	from := c.recovery.phase
	c.recovery.phase = p
	if c.observer != nil && from != p {
		c.observer.Recovery(now, from.String(), p.String())
	}
}

// recover decides what an ACK means for loss recovery: it acknowledged n octets, with flight outstanding before, or was a
// duplicate (RFC 5681, 2). The scoreboard has been updated.
func (c *TCB) recover(now clock.Instant, n, flight int, dup bool) {
	r := &c.recovery
	if r.phase != phaseOpen && r.point.LessEq(c.snd.una) {
		// RFC 6675, 5: "An incoming cumulative ACK for a sequence number greater than RecoveryPoint signals the end of
		// loss recovery, and the loss recovery phase MUST be terminated." RFC 6582, 3.2, 3: likewise "full
		// acknowledgments".
		if r.phase == phaseRecovery {
			c.cc.recovered()
		} else {
			c.grow(n, flight)
		}
		r.dupACKs, c.board.reno = 0, 0
		c.setPhase(now, phaseOpen)
		if c.board.lost > 0 {
			c.enterRecovery(now) // losses after RecoveryPoint: of a later window
		}
		return
	}
	if c.sackOK {
		newly := c.board.lost
		c.board.markLost()
		newly = c.board.lost - newly
		if r.phase == phaseOpen && newly > 0 {
			c.enterRecovery(now)
			return
		}
	} else {
		c.countDuplicates(now, n, dup)
	}
	if n > 0 && r.phase != phaseRecovery {
		c.grow(n, flight)
	}
}

// grow lets the congestion window grow for n octets acknowledged, if it was in use.
func (c *TCB) grow(n, flight int) {
	w := c.cc.window()
	if c.snd.limited || w < c.cc.threshold() && w < 2*flight {
		c.cc.acked(n, c.recovery.phase == phaseLoss)
	}
}

// countDuplicates is fast retransmit and fast recovery without SACK: RFC 5681, 3.2, and RFC 6582, 3.2. Where those
// inflate cwnd by a segment for each duplicate ACK, here the estimate of what is in the network sinks.
func (c *TCB) countDuplicates(now clock.Instant, n int, dup bool) {
	r, b := &c.recovery, &c.board
	switch {
	case n > 0 && r.phase == phaseRecovery:
		// RFC 6582, 3.2, 3: "Partial acknowledgments: … retransmit the first unacknowledged segment. Deflate the
		// congestion window by the amount of new data acknowledged by the Cumulative Acknowledgment field. If the
		// partial ACK acknowledges at least one SMSS of new data, then add back SMSS bytes".
		b.reno = max(b.reno-max(n-c.snd.mss, 0), 0)
		c.snd.now = true
		b.loseFirst()
	case n > 0:
		r.dupACKs, b.reno = 0, 0
	case dup && !b.empty():
		r.dupACKs++
		b.reno += c.snd.mss
		// RFC 6582, 3.2, 1 and 2: at the third one, "check … if the Cumulative Acknowledgment field covers more than
		// recover. If so, the value of recover is incremented to the value of the highest sequence number transmitted".
		if r.phase == phaseOpen && r.dupACKs == dupThresh && r.point.Less(c.snd.una) {
			b.loseFirst()
			c.enterRecovery(now)
		}
	}
	if !b.empty() {
		first := 0
		if b.lost == 0 {
			first = b.record(b.head).len() // the one missing has not left the network in any case
		}
		b.reno = min(b.reno, max(b.out-b.lost-first, 0))
	}
}

// enterRecovery begins fast recovery. RFC 6675, 5, 4: "RecoveryPoint = HighData … ssthresh = cwnd = (FlightSize / 2) …
// Retransmit the first data segment presumed dropped".
func (c *TCB) enterRecovery(now clock.Instant) {
	// RFC 5681, 3.2, 2: FlightSize does not count what Limited Transmit has sent.
	c.cc.lost(min(c.board.out, c.cc.window()))
	c.recovery.point, c.recovery.rescued = c.snd.nxt, false
	c.snd.now = true
	c.stats.recoveries++
	c.setPhase(now, phaseRecovery)
}

// enterLoss is what follows from a retransmission timeout: RFC 5681, 3.1; RFC 6675, 5.1.
func (c *TCB) enterLoss(now clock.Instant, again bool) {
	// RFC 5681, 4.3: "Loss in two successive windows of data, or the loss of a retransmission, should be taken as two
	// indications of congestion": ssthresh sinks once for a window.
	c.cc.timedOut(min(c.board.out, c.cc.window()), again || c.recovery.phase != phaseOpen)
	c.board.loseAll()
	c.recovery.point, c.recovery.dupACKs = c.snd.nxt, 0
	c.snd.now = true
	c.setPhase(now, phaseLoss)
}
