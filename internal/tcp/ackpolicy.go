package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// ackPolicy decides when what has come is acknowledged, in Linux's way. A connection begins with quick ACKs: each
// segment is acknowledged at once, since the peer's congestion window needs acknowledgments to grow. When the user
// answers what comes, the connection is interactive (pingpong), and acknowledgments wait for the answers. In any case
// they wait for no longer than the delay, which adapts to the time between segments (ato).
type ackPolicy struct {
	quick    uint8         // how many more segments are acknowledged at once
	pingpong uint8         // answers that have followed data at once
	due      bool          // something has come that is not acknowledged
	fresh    bool          // a segment has come since it was last decided
	pushed   uint8         // small or pushed segments since the last ACK, up to 2
	ato      time.Duration // the delay; 0: nothing has come yet
	lastSize int           // of a segment smaller than mss (last_seg_size)
	mss      int           // estimate of the peer's segment size (rcv_mss)
	dataAt   clock.Instant // when data last came

	// SACKs that join others (tcp_comp_sack_nr).
	dups       uint8 // sent at once since RCV.NXT was dupsAt
	compressed uint8 // waiting
	scattered  bool  // the last segment is in another range than those before it
	dupsAt     Seq
}

const (
	maxQuickACKs = 16
	nextTick     = time.Millisecond       // of a FIN before any data, whose delay of 0 ends with the kernel's tick
	leastATO     = 40 * time.Millisecond  // TCP_ATO_MIN
	mostATO      = 200 * time.Millisecond // TCP_DELACK_MAX, of an interactive connection or a pushed segment
	mostDelay    = 500*time.Millisecond - 1
	leastMSS     = 88  // TCP_MIN_MSS
	leastGrowth  = 128 // octets of a segment that the window grows for
	fastDups     = 3   // duplicate ACKs that trigger fast retransmit (RFC 5681, 3.2)
)

// startACKs begins the policy, when the windows of the handshake are known.
func (c *TCB) startACKs(now clock.Instant) {
	p := &c.rcv.ackPolicy
	p.mss = max(min(c.rcv.maxSeg, c.snd.mss, c.rcv.adv.Sub(c.rcv.nxt)/2, defaultMSS), leastMSS)
	p.dataAt = now
}

// noteData takes in that seg has brought data (tcp_event_data_recv). size is the memory it takes.
func (c *TCB) noteData(now clock.Instant, seg *Segment, size int) {
	c.noteText(now, seg, size)
	if n := len(seg.Payload); n >= leastGrowth {
		c.growWindow(n, size)
	}
}

// noteText is noteData as far as the acknowledgment is concerned.
func (c *TCB) noteText(now clock.Instant, seg *Segment, size int) {
	p := &c.rcv.ackPolicy
	p.due, p.fresh = true, true
	c.measureSegment(seg, size)
	c.measureReceiveRTT(now)
	switch m := now.Sub(p.dataAt); {
	case c.cfg.FreeBSD:
		p.ato = c.cfg.DelayedACK
	case p.ato == 0:
		c.moreQuickACKs(maxQuickACKs)
		p.ato = leastATO
	case m <= leastATO/2:
		p.ato = p.ato/2 + leastATO/2
	case m < p.ato:
		p.ato = min(p.ato/2+m, c.rtt.timeout(c.cfg))
	case m > c.rtt.timeout(c.cfg):
		// The sender begins again with a small window after so long a pause.
		c.moreQuickACKs(maxQuickACKs)
	}
	p.dataAt = now
}

// growWindow lets the window grow for a segment of n octets that takes size octets of memory (tcp_grow_window).
func (c *TCB) growWindow(n, size int) {
	switch {
	case c.pressed():
		c.pressWindow()
	case c.rcv.space.grow(n, size, c.rcv.maxSeg, c.rcv.mss, c.cfg.RMem[2]):
		c.rcv.quick |= 1
	}
}

// measureSegment estimates the peer's segment size, which is the largest seen, or one of two of the same size in a row
// that are large enough or not pushed (tcp_measure_rcv_mss).
func (c *TCB) measureSegment(seg *Segment, size int) {
	p, n := &c.rcv.ackPolicy, len(seg.Payload)
	last := p.lastSize
	p.lastSize = 0
	if n >= p.mss {
		if n != p.mss {
			c.rcv.space.measure(n, size, c.rcv.adv.Sub(c.rcv.acked))
			c.rcv.rate.space = min(c.rcv.rate.space, c.rcv.space.clamp)
		}
		p.mss = min(n, c.rcv.maxSeg)
		if seg.Flags&wire.PSH != 0 {
			p.pushed = max(p.pushed, 1)
		}
		return
	}
	const remnant = wire.FIN | wire.URG | wire.SYN | wire.PSH
	if n >= defaultMSS || n >= leastMSS && seg.Flags&remnant == 0 {
		p.lastSize = n
		if n == last {
			p.mss = n
			return
		}
	}
	p.pushed = min(p.pushed+1, 2)
}

// moreQuickACKs has the next segments acknowledged at once: as many as are in half of the window, up to limit.
func (c *TCB) moreQuickACKs(limit int) {
	n := c.rcv.adv.Sub(c.rcv.acked) / (2 * c.rcv.mss)
	if n <= 0 {
		n = 2
	}
	c.rcv.quick = max(c.rcv.quick, uint8(min(n, limit)))
}

// enterQuick is moreQuickACKs for a connection that is not interactive any more, after something unexpected has come.
func (c *TCB) enterQuick() {
	c.moreQuickACKs(maxQuickACKs)
	c.rcv.pingpong, c.rcv.ato = 0, leastATO
}

// interactive reports whether the user answers what comes at once.
func (c *TCB) interactive() bool { return int(c.rcv.pingpong) >= max(c.cfg.PingPongThreshold, 1) }

// enterInteractive has ACKs wait for the user's answers.
func (c *TCB) enterInteractive() { c.rcv.pingpong = uint8(min(max(c.cfg.PingPongThreshold, 1), 255)) }

// noteAnswer takes in that data is sent: shortly after some has come, it is an answer.
func (c *TCB) noteAnswer(now clock.Instant) {
	if now.Sub(c.rcv.dataAt) < c.rcv.ato && c.rcv.pingpong < 255 {
		c.rcv.pingpong++
	}
}

// decideACK decides whether what has come is acknowledged now, or starts the timer (__tcp_ack_snd_check). Every segment
// that is sent carries the ACK, so this comes after whatever else there was to send.
//
// RFC 9293, 3.8.6.3: "An ACK SHOULD be generated for at least every second full-sized segment or 2*RMSS bytes of new data"
// (SHLD-19), where the window can move; otherwise the ACK would say nothing but "stop", and the user's reading, or the
// timer, brings it.
func (c *TCB) decideACK(now clock.Instant) {
	p := &c.rcv.ackPolicy
	if !p.due || !p.fresh || c.rcv.ackNow {
		p.fresh = false
		return
	}
	p.fresh = false
	if c.cfg.FreeBSD {
		c.decidePlain(now)
		return
	}
	full := c.rcv.nxt.Sub(c.rcv.acked) > p.mss &&
		(c.rcv.in.size < c.cfg.ReceiveLowWater || c.selectWindow() >= c.rcv.adv.Sub(c.rcv.acked))
	switch {
	case full, p.quick > 0 && !c.interactive():
		c.rcv.ackNow = true
	case len(c.rcv.ranges) > 0:
		c.decideSACK(now)
	default:
		c.delayACK(now)
	}
}

// decideSACK decides when data is acknowledged while some is missing before it.
//
// RFC 5681, 4.2: "Out-of-order data segments SHOULD be acknowledged immediately, in order to accelerate loss recovery."
// Beyond the three that trigger fast retransmit, ACKs that follow each other closely are joined, as long as each carries all
// SACK blocks that matter: for at most a 20th of the round-trip time, and 1 ms (tcp_comp_sack_delay_ns). Where segments
// come in more ranges than that, which is so when a queue overflows, joined ACKs would not tell of most of them, and the peer
// would take what has arrived for lost.
func (c *TCB) decideSACK(now clock.Instant) {
	p := &c.rcv.ackPolicy
	if p.dupsAt != c.rcv.nxt {
		p.dupsAt, p.dups = c.rcv.nxt, 0
	}
	scattered := p.scattered
	p.scattered = false
	if !c.sackOK || int(p.compressed) >= c.cfg.CompSACKCount || p.dups < fastDups || scattered {
		p.dups = min(p.dups+1, fastDups)
		c.rcv.ackNow = true
		return
	}
	rtt := c.rcv.rate.rtt / 8
	if c.rtt.srtt > 0 && c.rtt.srtt < rtt {
		rtt = c.rtt.srtt
	}
	delay := min(c.cfg.CompSACKDelay, rtt/20)
	if delay <= 0 {
		c.rcv.ackNow = true
		return
	}
	if p.compressed++; p.compressed == 1 {
		c.timers[delackTimer] = min(c.timers[delackTimer], now.Add(delay))
	}
}

// delayACK starts the timer of the delayed ACK (tcp_send_delayed_ack). RFC 9293, 3.8.6.3: "the delay MUST be less than 0.5
// seconds (MUST-40)".
func (c *TCB) delayACK(now clock.Instant) {
	p := &c.rcv.ackPolicy
	ato := max(p.ato, nextTick)
	if ato > leastATO {
		limit := mostDelay
		if c.interactive() || p.pushed > 0 {
			limit = mostATO
		}
		if c.rtt.srtt > 0 {
			limit = min(limit, max(c.rtt.srtt, leastATO))
		}
		ato = min(ato, limit)
	}
	ato = min(ato, c.cfg.DelayedACK, mostDelay)
	// It is not worth while to wait for a timer that is about to expire.
	if c.timers[delackTimer] <= now.Add(ato/4) {
		c.rcv.ackNow = true
		return
	}
	c.timers[delackTimer] = min(c.timers[delackTimer], now.Add(ato))
	if ato <= 0 {
		c.rcv.ackNow = true
	}
}

// delackTimeout sends the ACK that has waited. That no answer came in time makes the connection less interactive, or the
// delay longer.
func (c *TCB) delackTimeout() {
	p := &c.rcv.ackPolicy
	if !p.due || p.compressed > 0 {
		c.rcv.ackNow = p.due || p.compressed > 0
		return
	}
	if c.cfg.FreeBSD {
		c.rcv.ackNow = true
		return
	}
	if c.interactive() {
		p.pingpong, p.ato = 0, leastATO
	} else {
		p.ato = min(2*p.ato, c.rtt.timeout(c.cfg))
	}
	c.rcv.ackNow = true
}

// decideRead decides whether the user's reading is told the peer (tcp_cleanup_rbuf): if an ACK is due for more than a
// segment, if all of a small or pushed segment is read and no answer is expected, or if the window has opened.
func (c *TCB) decideRead() {
	p := &c.rcv.ackPolicy
	if c.rcv.ackNow {
		return
	}
	if p.due && !c.cfg.FreeBSD {
		drained := c.rcv.in.size == 0 && len(c.rcv.ranges) == 0
		c.rcv.ackNow = c.rcv.nxt.Sub(c.rcv.acked) > p.mss ||
			drained && (p.pushed == 2 || p.pushed == 1 && !c.interactive())
	}
	c.rcv.ackNow = c.rcv.ackNow || c.updateDue()
}

// noteACK notes that RCV.NXT is acknowledged.
func (c *TCB) noteACK() {
	p := &c.rcv.ackPolicy
	if p.quick > 0 && p.due {
		if p.quick--; p.quick == 0 {
			p.ato = leastATO
		}
	}
	p.due, p.fresh, p.pushed, p.compressed = false, false, 0, 0
	c.rcv.acked = c.rcv.nxt
	c.rcv.ackNow, c.rcv.challenge, c.rcv.read = false, false, false
	c.timers[delackTimer] = clock.Never
}

// SetQuickACK is Linux's TCP_QUICKACK: 0 has ACKs wait for answers, as in an interactive connection; others have them
// not wait, and even ones only this once. It is a state, not a setting: what comes changes it.
func (c *TCB) SetQuickACK(now clock.Instant, v int) {
	if c.cfg == nil {
		return
	}
	if v == 0 {
		c.enterInteractive()
		return
	}
	c.rcv.pingpong = 0
	if (c.state == Established || c.state == CloseWait) && c.rcv.due {
		c.rcv.pushed = max(c.rcv.pushed, 1)
		c.decideRead()
		if v&1 == 0 {
			c.enterInteractive()
		}
	}
}

// QuickACK reports whether ACKs do not wait for answers.
func (c *TCB) QuickACK() bool { return c.cfg == nil || !c.interactive() }
