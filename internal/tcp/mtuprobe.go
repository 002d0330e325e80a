package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// mtuProbe finds out what the path carries without the help of ICMP: packetization layer path MTU discovery (RFC 4821), as
// Linux does it. Sizes are payloads of a segment without options, as Open.MSS is: the path's MTU less 40 or 60.
//
// RFC 4821, 7.1: "eff_pmtu: The effective PMTU for this flow. This is the largest non-probe packet permitted by PLPMTUD for
// the path. … When probing upward, eff_pmtu always equals search_low. … For initial conditions when there is no information
// about the path, eff_pmtu may be greater than search_low."
type mtuProbe struct {
	on         bool
	low, high  int           // search_low and search_high
	effective  int           // eff_pmtu
	size       int           // of the probe in flight; 0: there is none
	start, end Seq           // which octets it carries
	next       clock.Instant // not to be sent before
	began      clock.Instant // when the search did
}

// The values of Config.MTUProbing.
const (
	mtuProbeNever  = iota
	mtuProbeBlack  // when a black hole is suspected
	mtuProbeAlways // from the beginning, and begin small
)

// startMTUProbe begins the search, when the handshake has told what the peer takes.
func (c *TCB) startMTUProbe(now clock.Instant) {
	p := &c.mtu
	*p = mtuProbe{on: c.cfg.MTUProbing == mtuProbeAlways, high: min(c.snd.peerMSS, c.snd.pathMSS), began: now}
	p.low = min(c.cfg.BaseMSS+c.optionsLen(), p.high)
	// Who was connected to knows that the SYN,ACK got through, and little else; it takes the peer's word, as Linux does.
	p.effective = p.low
	if c.passive {
		p.effective = p.high
	}
	c.setMSS()
}

// pathLimit returns the payload without options that the path is known to carry.
func (c *TCB) pathLimit() int {
	if c.mtu.on {
		return min(c.snd.pathMSS, c.mtu.effective)
	}
	return c.snd.pathMSS
}

// nextMTUProbe sends a segment larger than the others, if it is time to. wait: it would be, and new data is to wait for it.
func (c *TCB) nextMTUProbe(now clock.Instant, seg *Segment, unsent, usable int) (sent, wait bool) {
	p := &c.mtu
	// RFC 4821, 7.4: "Before sending a probe, the flow MUST meet at least the following conditions: It has no outstanding
	// probes or losses. If the last probe failed or was inconclusive, then the probe timeout has expired".
	if !p.on || p.size > 0 || c.recovery.state != stateOpen || c.cw.Window < 11 || c.sackBlocks() > 0 ||
		c.recovery.rexmit != rexmitNone || now < p.next {
		return false, false
	}
	// 7.3: "A simple strategy might be to do a binary search halving the probe size range with each probe." And: "Each
	// Packetization Layer MUST determine when probing has converged".
	size := (p.low + p.high) / 2
	if size > p.high || p.high-p.low < c.cfg.ProbeThreshold {
		c.reprobeMTU(now)
		return false, false
	}
	n := size - c.optionsLen()
	needed := n + (c.recovery.reordering+1)*c.snd.mss
	// 7.4: "the sender SHOULD have enough data queued and sufficient receiver window to send the probe plus at least
	// Tcprexmtthresh … additional segments."
	switch {
	case unsent < needed, c.snd.wnd < needed:
		return false, false
	case usable < needed:
		return false, true
	case c.board.pipe()+2 > c.cw.Window:
		return false, c.board.pipe() > 0
	case c.held(now):
		return false, true
	}
	c.cw.Window-- // it is nearly two segments
	p.size, p.start, p.end = size, c.snd.nxt, c.snd.nxt.Add(n)
	c.emit(now, seg, n, n, 0, c.takeMarks(p.end))
	return true, false
}

// mtuProbeAcked takes note of what is acknowledged: RFC 4821, 7.6.1: "When the probe is delivered, it is an indication that
// the Path MTU is at least as large as the probe size. Set search_low to the probe size. If the probe size is larger than
// the eff_pmtu, raise eff_pmtu to the probe size."
func (c *TCB) mtuProbeAcked(now clock.Instant) {
	p := &c.mtu
	if p.size == 0 || c.snd.una.Less(p.end) {
		return
	}
	c.note(now, PathMTUDelivered, 0)
	// The window stays what it was in octets.
	before := c.snd.mss
	p.low, p.effective, p.size = p.size, p.size, 0
	c.setMSS()
	c.cw.Window = max(c.cw.Window*(before+headersLen)/(c.snd.mss+headersLen), 1)
	c.cw.Threshold = c.currentThreshold()
}

// headersLen is what Linux reckons of headers beside a segment's payload where it converts windows.
const headersLen = 40

// mtuProbeLost reports whether what is deemed lost is just the probe, and then has it sent again in segments of the usual
// size.
//
// RFC 4821, 7.6.2: "When only the probe is lost, it is treated as an indication that the Path MTU is smaller than the probe
// size. In this case alone, the loss SHOULD NOT be interpreted as congestion signal. In the absence of other indications,
// set search_high to the probe size minus one."
func (c *TCB) mtuProbeLost(now clock.Instant) bool {
	p := &c.mtu
	if p.size == 0 || c.recovery.state > stateDisorder || c.snd.una != p.start {
		return false
	}
	c.note(now, PathMTULost, 1)
	p.high, p.effective, p.size = p.size-1, p.low, 0
	c.setMSS()
	c.cw.Window++
	// "PLPMTUD MUST NOT probe again until an interval that is larger than the expected interval between congestion control
	// events. … The simplest estimate of the interval to the next congestion event is the same number of round trips as
	// the current congestion window in packets."
	p.next = now.Add(time.Duration(c.cw.Window) * c.rtt.srtt)
	c.resegment(now)
	return true
}

// cutMTUProbe cuts record id, which is to be sent again, into segments of the usual size if it is the probe, and returns the
// first of them. RFC 4821, 7.6.4: "The presence of other losses near the loss of the probe may indicate that the probe was
// lost due to congestion … the same-sized probe SHOULD be attempted again as soon as the probing preconditions are met".
func (c *TCB) cutMTUProbe(now clock.Instant, id uint32) uint32 {
	p := &c.mtu
	if p.size == 0 || c.board.record(id).seq != p.start {
		return id
	}
	c.note(now, PathMTUInconclusive, 1)
	p.size = 0
	c.board.resegment(c.snd.mss, !c.sackOK)
	for id = c.board.head; c.board.record(id).seq != p.start; id++ {
	}
	return id
}

// suspectBlackHole makes segments smaller when retransmissions have reached R1 in vain.
//
// RFC 4821, 7.7: "If there is a full-stop timeout and there was not an ICMP message indicating a reason …, the RECOMMENDED
// first recovery action is to treat this as a detected ICMP black hole … If eff_pmtu is larger than search_low, set
// eff_pmtu to search_low. … Upon additional successive timeouts, search_low and eff_pmtu SHOULD be halved".
func (c *TCB) suspectBlackHole(now clock.Instant) {
	p := &c.mtu
	if c.cfg.MTUProbing == mtuProbeNever || !c.state.synchronized() {
		return
	}
	if !p.on {
		p.on, p.began = true, now
	} else {
		payload := min((p.low-c.optionsLen())/2, c.cfg.BaseMSS)
		p.low = max(payload, c.cfg.MTUProbeFloor, c.cfg.MinSendMSS) + c.optionsLen()
	}
	c.note(now, PathMTUBlackHole, 0)
	p.effective = p.low
	before := c.snd.mss
	if c.setMSS(); c.snd.mss < before && !c.board.empty() {
		c.board.resegment(c.snd.mss, !c.sackOK)
	}
}

// reprobeMTU begins the search anew after a while. RFC 4821, 7.3: "When the timer expires, search_high should be reset to
// its initial value … so that probing can resume."
func (c *TCB) reprobeMTU(now clock.Instant) {
	p := &c.mtu
	if c.cfg.ProbeInterval <= 0 || now.Sub(p.began) < c.cfg.ProbeInterval {
		return
	}
	p.low, p.high, p.began = c.snd.mss+c.optionsLen(), min(c.snd.peerMSS, c.snd.pathMSS), now
}
