package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// readRate measures how much the user reads in a round-trip time, by which the receive buffer grows: twice that is
// enough for a sender that doubles its rate in each round trip (dynamic right-sizing; Linux's tcp_rcv_space_adjust).
type readRate struct {
	space int           // octets read in a round trip, the most so far
	at    clock.Instant // when the present measurement began
	seq   Seq           // what was read then

	until Seq           // the present measurement of the round-trip time ends here
	since clock.Instant // when it began
	rtt   time.Duration // eight times the round-trip time as the receiver sees it; 0: unknown
	echo  uint32        // the last timestamp echoed that was used
	begun bool

	shares bool // counted by sharers
}

// startBuffers begins the tuning of both buffers, when the connection is established (tcp_init_buffer_space).
func (c *TCB) startBuffers(now clock.Instant) {
	c.expandSendBuffer()
	s := &c.rcv.space
	s.establish(c.takes(), c.cfg.AppWindow)
	if s.plain {
		s.roundUp(min(c.rcv.maxSeg, c.snd.peerMSS))
	}
	c.rcv.rate.seq, c.rcv.rate.at = c.unreadSeq(), now
	c.rcv.rate.space = min(s.ssthresh, c.known(), 10*c.takes())
}

// noteReceiveRTT takes a measurement of the round-trip time. Those by the window are at least so long, and only shorten
// the estimate.
func (c *TCB) noteReceiveRTT(d time.Duration, byWindow bool) {
	r := &c.rcv.rate
	switch {
	case r.rtt == 0 || 8*d < r.rtt:
		r.rtt = 8 * d
	case byWindow || c.rcv.in.size > 0:
	default:
		r.rtt += d - r.rtt/8
	}
}

// measureReceiveRTT measures without timestamps: a window's worth of data takes at least a round trip to come.
func (c *TCB) measureReceiveRTT(now clock.Instant) {
	r := &c.rcv.rate
	if r.begun {
		if c.rcv.nxt.Less(r.until) {
			return
		}
		c.noteReceiveRTT(max(now.Sub(r.since), time.Microsecond), true)
	}
	r.begun, r.until, r.since = true, c.rcv.nxt.Add(c.rcv.adv.Sub(c.rcv.acked)), now
}

// measureEchoRTT measures by the timestamp that a full segment echoes: what we sent has brought it forth.
func (c *TCB) measureEchoRTT(now clock.Instant, seg *Segment) {
	r := &c.rcv.rate
	o := &seg.Options
	if !c.ts.on || !o.HasTimestamps || o.TSEcr == 0 || o.TSEcr == r.echo {
		return
	}
	r.echo = o.TSEcr
	if len(seg.Payload) < c.rcv.mss {
		return
	}
	if ticks := int32(c.tsNow(now) - o.TSEcr); ticks >= 0 {
		c.noteReceiveRTT(time.Duration(max(ticks, 1))*tsTick, false)
	}
}

// tuneReceiveBuffer lets the buffer grow after the user has read, once a round trip.
func (c *TCB) tuneReceiveBuffer(now clock.Instant) {
	r := &c.rcv.rate
	if c.state == Closed || r.rtt == 0 || now.Sub(r.at) < r.rtt/8 {
		return
	}
	read := c.unreadSeq()
	if copied := read.Sub(r.seq) - c.rcv.in.size; copied > r.space {
		c.growReceiveBuffer(copied)
	}
	c.giveShares()
	r.seq, r.at = read, now
}

// growReceiveBuffer makes the buffer large enough for copied octets a round trip, and more if that has grown.
func (c *TCB) growReceiveBuffer(copied int) {
	r, s := &c.rcv.rate, &c.rcv.space
	before := max(r.space, 1)
	r.space = copied
	if c.cfg.NoReceiveTuning || s.fixed || c.pressed() {
		return
	}
	window := 2 * copied
	window += window * (copied - before) / before * 2
	if n := len(c.rcv.ranges); n > 0 {
		window += c.rcv.ranges[n-1].to.Sub(c.rcv.nxt)
	}
	if size := min(s.memory(min(window, maxBuffer)), c.receiveLimit()); size > s.size {
		s.size = size
		s.clamp = s.full()
	}
}
