package tcp

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
)

// Unreachable is Failed for an ICMP error which says that a router had no route, or no way to the host: it tells of a
// disruption of connectivity, and that the path up to there was not congested. Then TCP-LCD (RFC 6069) undoes one
// back-off of the retransmission timer, so that the end of the disruption is found out early.
//
// RFC 6069, 3: "we will use, unless explicitly qualified …, the term "ICMP unreachable message" as a synonym for ICMP
// destination unreachable messages of code 0 or code 1 and ICMPv6 destination unreachable messages of code 0."
func (c *TCB) Unreachable(now clock.Instant, errno syscall.Errno, seq Seq) {
	c.Failed(now, errno, seq)
	// 4.2: "The scheme SHOULD NOT be used in SYN-SENT or SYN-RECEIVED states". It "MUST be initiated upon the first timeout of
	// the oldest outstanding segment (SND.UNA) and MUST be stopped upon the arrival of the first acceptable ACK": from one to
	// the other, retries is not zero. "(6) If "SEG.SEQ == SND.UNA" …"; "(4) If "BACKOFF_CNT > 0" …".
	if !c.state.synchronized() || c.retries == 0 || seq != c.snd.una || c.rtt.backoff == 0 || c.board.empty() || c.xmit != xmitRTO {
		return
	}
	// "(7) Undo the last retransmission timer backoff: BACKOFF_CNT := BACKOFF_CNT - 1; RTO := min(RTO_BASE * 2^(BACKOFF_CNT),
	// MAX_RTO)."
	r := &c.rtt
	r.backoff--
	base := r.fresh(c.cfg)
	if !r.sampled && c.snd.synTwice {
		base = max(base, rtoAfterSYNTimeout)
	}
	r.rto = backedOff(base, r.backoff, c.cfg.MaxRTO)
	c.note(now, PathBackoffUndone, 0)
	// "Upon receipt of an ICMP unreachable message that legitimately undoes one backoff, there is the possibility that the
	// shortened retransmission timer has already expired (step (8)). Then, TCP SHOULD retransmit immediately. In case the
	// shortened retransmission timer has not yet expired, TCP MUST wait accordingly."
	at := c.board.first().at.Add(r.rto)
	if at <= now {
		c.clearXmit()
		c.rexmitTimeout(now)
		return
	}
	c.timers[rexmtTimer] = min(c.timers[rexmtTimer], at)
}
