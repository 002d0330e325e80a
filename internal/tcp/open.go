package tcp

import (
	"math"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// init fills in what both opens need.
func (c *TCB) init(now clock.Instant, o Open) {
	c.cfg = o.Config.complete()
	c.observer, c.memory = o.Observer, o.Memory
	c.ts.offset = o.TSOffset
	c.reserved = uint8(o.Reserved)
	if o.FastOpen != nil {
		c.fast = &fastOpen{FastOpen: *o.FastOpen}
	}
	c.stopTimers()
	// RFC 9293, 3.10.1: "Set SND.UNA to ISS, SND.NXT to ISS+1".
	c.snd.iss = Seq(o.ISS)
	c.snd.una, c.snd.nxt, c.snd.base = c.snd.iss, c.snd.iss+1, c.snd.iss+1
	c.snd.push = c.snd.base
	// RFC 9293, 3.7.1: "If an MSS Option is not received at connection setup, TCP implementations MUST assume a
	// default send MSS of 536 … for IPv4 or 1220 … for IPv6 (MUST-15)".
	c.snd.peerMSS, c.snd.pathMSS = c.cfg.userMSS(boundMSS(o.DefaultMSS)), boundMSS(o.MSS)
	c.rcv.maxSeg = c.cfg.userMSS(o.announced())
	c.setMSS()
	c.snd.small, c.snd.space.chunk = c.snd.una, c.snd.base
	c.snd.marks.pushed, c.snd.burst.end = c.snd.base, c.snd.base
	c.snd.space.size = c.cfg.WMem[1]
	c.snd.space.fix(c.cfg.SendBuffer)
	c.rcv.shift = c.rcv.space.begin(c.cfg, !c.cfg.NoWindowScale)
	c.rtt.init(c.cfg)
	if c.cc = c.newControl(c.cfg.CongestionControl); c.cc == nil {
		c.cc = c.newControl("")
	}
	c.controls = c.cc.Controls()
	c.recovery = recovery{reordering: c.cfg.Reordering}
	c.startControl(now, false)
	c.stuck, c.snd.last, c.rcv.heard, c.rcv.dataAt = now, now, now, now
}

// announced returns the MSS announced to the peer. RFC 8201, 5.4: "The value sent in the TCP MSS option is independent of the
// PMTU; it is determined by the receiver reassembly limit EMTU_R." RFC 1191, 3.1: "A host MAY send an MSS value derived from
// the MTU of its connected network".
func (o *Open) announced() int {
	if o.Announce > 0 {
		return boundMSS(o.Announce)
	}
	return boundMSS(o.MSS)
}

// Connect opens the connection actively: RFC 9293, 3.10.1: "issue a SYN segment … enter SYN-SENT state". It has no
// effect on a TCB that was opened before.
func (c *TCB) Connect(now clock.Instant, o Open) {
	if c.state != Closed || c.cc != nil {
		return
	}
	c.init(now, o)
	c.rcv.space.align(c.rcv.maxSeg)
	c.snd.syn = true
	c.setState(now, SynSent)
}

// Accept opens the connection passively, with the segment that came to a listener: RFC 9293, 3.10.7.2. If it is not a
// SYN the state stays Closed; a RST may have to be sent. It has no effect on a TCB that was opened before.
func (c *TCB) Accept(now clock.Instant, o Open, syn *Segment) {
	if c.state != Closed || c.cc != nil {
		return
	}
	switch {
	case syn.Flags&wire.RST != 0:
		// "First, check for a RST: … An incoming RST should be ignored. Return."
		return
	case syn.Flags&wire.ACK != 0:
		// "Second, check for an ACK: Any acknowledgment is bad if it arrives on a connection still in the LISTEN
		// state. An acceptable reset segment should be formed for any arriving ACK-bearing segment."
		c.answerReset(syn)
		return
	case syn.Flags&wire.SYN == 0:
		// "Fourth, other data or control: This should not be reached. Drop the segment and return."
		return
	}
	// "Third, check for a SYN: … Set RCV.NXT to SEG.SEQ+1, IRS is set to SEG.SEQ, and any other control or text should
	// be queued for processing later." It is not kept, and so not acknowledged: the peer sends it again.
	c.init(now, o)
	c.passive = true
	c.countArrival(syn)
	c.takeSYN(now, syn)
	c.snd.syn = true
	c.setState(now, SynReceived)
	if c.Early() {
		c.takeSYNData(now, syn)
	}
}

// takeSYN takes in the peer's SYN and its options.
func (c *TCB) takeSYN(now clock.Instant, syn *Segment) {
	c.rcv.irs, c.rcv.nxt = syn.Seq, syn.Seq+1
	c.rcv.acked = c.rcv.nxt
	// RFC 7323, 2.2: "The window field in a segment where the SYN bit is set (i.e., a <SYN> or <SYN,ACK>) MUST NOT be
	// scaled."
	c.snd.wnd = int(syn.Window)
	c.snd.maxWnd = max(c.snd.maxWnd, c.snd.wnd)
	c.snd.wl1, c.snd.wl2 = syn.Seq, syn.Ack
	c.snd.edge = c.snd.nxt.Add(c.snd.wnd)
	o := &syn.Options
	if o.MSS != 0 {
		c.snd.peerMSS = c.cfg.userMSS(max(int(o.MSS), c.cfg.MinSendMSS))
	}
	// RFC 7323, 2.2: "Both sides MUST send Window Scale options in their <SYN> segments to enable window scaling in
	// either direction."
	if c.scaleOK = o.HasWindowScale && !c.cfg.NoWindowScale; c.scaleOK {
		// 2.3: "If a Window Scale option is received with a shift.cnt value larger than 14, the TCP SHOULD log the
		// error but MUST use 14 instead of the specified value."
		c.snd.shift = min(o.WindowScale, maxWindowShift)
	} else {
		c.snd.shift, c.rcv.shift = 0, 0
		c.rcv.space.clamp = min(c.rcv.space.clamp, 65535)
	}
	c.ecnTakeSYN(syn)
	c.sackOK = o.SACKPermitted && !c.cfg.NoSACK
	if c.ts.on = o.HasTimestamps && c.offersTimestamps(); c.ts.on {
		c.ts.recent, c.ts.age = o.TSVal, now
	}
	if c.passive {
		c.rcv.space.align(alignment(c.rcv.maxSeg, c.ts.on))
	}
	c.rcv.adv = c.rcv.nxt.Add(int(c.rcv.space.field(c.cfg)))
	c.setMSS()
}

// establish enters ESTABLISHED.
func (c *TCB) establish(now clock.Instant) {
	c.snd.syn = false
	c.startControl(now, c.retries > 1)
	c.recovery.high = c.snd.nxt
	c.stats.delivered++ // the SYN
	c.rate.limited = math.MaxUint64
	c.rtt.collapse(c.cfg)
	if c.retries > 0 && !c.rtt.sampled {
		// RFC 6298, 5.7: "If the timer expires awaiting the ACK of a SYN segment and the TCP implementation is using
		// an RTO less than 3 seconds, the RTO MUST be re-initialized to 3 seconds when data transmission begins".
		c.rtt.rto = max(c.rtt.rto, rtoAfterSYNTimeout)
	}
	c.endTimeouts(now)
	c.snd.last, c.rcv.dataAt = now, now
	c.softErr = 0
	c.progress = true
	c.timers[rexmtTimer] = clock.Never
	if !c.board.empty() {
		c.rearmRTO(now)
	}
	c.startACKs(now)
	c.startBuffers(now)
	c.startMTUProbe(now)
	c.setState(now, Established)
	c.startKeepAlive(now)
	if c.snd.fin {
		c.setState(now, FinWait1)
	}
}

// synTime takes the handshake's round-trip time, if the SYN was sent once or the echoed timestamp tells.
func (c *TCB) synTime(now clock.Instant, seg *Segment) {
	switch {
	case c.snd.synAt == clock.Never: // not known: a SYN cookie brought the connection about
	case !c.snd.synTwice:
		c.sampleSYN(now, now.Sub(c.snd.synAt))
	default:
		if d, ok := c.echoed(now, seg); ok {
			c.sampleSYN(now, d)
		}
	}
}

// sampleSYN takes the handshake's round-trip time in.
func (c *TCB) sampleSYN(now clock.Instant, d time.Duration) {
	c.rtt.sampleLeast(now, d, c.cfg)
	c.rtt.sample(d, c.snd.una, c.snd.nxt, c.cfg)
}
