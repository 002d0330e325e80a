package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Remnant is what is left of a connection that only waits: in TIME-WAIT, or in FIN-WAIT-2 after its user has let go.
// It is a machine of a few octets, so that many may wait: TCB.Remnant makes it; Arrive takes a segment, Timeout the
// expiry of Deadline. After Acknowledge the segment is filled in with ACK.
type Remnant struct {
	cfg              *Config
	snd, rcv         Seq // SND.NXT, RCV.NXT
	tsRecent, offset uint32
	room             uint32 // the window, in octets
	wnd              uint16 // as the header has it
	stamped          bool   // timestamps were agreed on
	counts           bool   // Accurate ECN was:
	cep              uint8  // r.cep, modulo 8 (RFC 9768, 3.2)
	state            State  // FinWait2 or TimeWait
	tsAge            clock.Instant
	at               clock.Instant
	answered         clock.Instant
}

// Fate is what a Remnant wants done.
type Fate uint8

// The fates.
const (
	Stay        Fate = iota // nothing
	Acknowledge             // send what ACK fills in
	Delete                  // forget it
	DeleteReset             // answer the segment as ResetFor does, and forget it
	Reopen                  // the segment is a SYN that may open the connection again, if anybody listens; else Acknowledge
)

// Remnant fills in r with what is left of c and returns true, if c only waits. c is then in CLOSED, without its observer
// having been told: for that it is still in the state that r.State tells.
func (c *TCB) Remnant(now clock.Instant, r *Remnant) bool {
	waits := c.state == TimeWait || c.state == FinWait2 && c.released
	if !waits || c.rst.flags != 0 || c.rcv.ackNow || c.timers[timeWaitTimer] == clock.Never {
		return false
	}
	*r = Remnant{cfg: c.cfg, snd: c.snd.nxt, rcv: c.rcv.nxt, tsRecent: c.ts.recent, offset: c.ts.offset, stamped: c.ts.on,
		tsAge: c.ts.age, state: c.state, at: c.timers[timeWaitTimer], answered: now.Add(-answerInterval)}
	r.wnd = c.window()
	if c.ecn.mode == ecnAccurate {
		r.counts, r.cep = true, uint8(c.marks.received.cep)
	}
	r.room = uint32(c.rcv.adv.Sub(c.rcv.nxt))
	c.observer = nil
	c.die(now, 0)
	return true
}

// State returns TimeWait or FinWait2.
func (r *Remnant) State() State { return r.state }

// Deadline returns when Timeout is to be called.
func (r *Remnant) Deadline() clock.Instant { return r.at }

// Timeout: RFC 9293, 3.10.8: "TIME-WAIT TIMEOUT: If the time-wait timeout expires on a connection, delete the TCB, enter
// the CLOSED state, and return."
func (r *Remnant) Timeout(now clock.Instant) Fate {
	if now < r.at {
		return Stay
	}
	return Delete
}

// restart starts the timer: RFC 9293, 3.6.1: "it MUST linger in the TIME-WAIT state for a time 2xMSL".
func (r *Remnant) restart(now clock.Instant) { r.at = now.Add(2 * r.cfg.MSL) }

// Arrive takes a segment of the connection in. rfc1337: a RST does not end TIME-WAIT.
func (r *Remnant) Arrive(now clock.Instant, seg *Segment, rfc1337 bool) Fate {
	stamped := r.stamped && seg.Options.HasTimestamps
	old := stamped && int32(seg.Options.TSVal-r.tsRecent) < 0 && now.Sub(r.tsAge) < tsOutdated && seg.Flags&wire.RST == 0
	if off := seg.Seq.Sub(r.rcv); !old && seg.ECN == CE && seg.Flags&wire.SYN == 0 && off >= 0 && off <= int(r.room) {
		r.cep++
	}
	if r.state == FinWait2 {
		return r.arriveFinWait2(now, seg, stamped, old)
	}
	if !old && seg.Seq == r.rcv && (seg.length() == 0 || seg.Flags&wire.RST != 0) {
		if seg.Flags&wire.RST != 0 && !rfc1337 {
			// RFC 9293, 3.10.7.4, of TIME-WAIT: "If the RST bit is set, then enter the CLOSED state, delete the TCB, and
			// return." RFC 1337, 4: "(F1) Ignore RST segments in TIME-WAIT state."
			return Delete
		}
		if seg.Flags&(wire.RST|wire.SYN) == 0 {
			r.restart(now)
		}
		r.note(now, seg, stamped)
		return Stay
	}
	if r.reopens(now, seg) {
		return Reopen
	}
	if seg.Flags&wire.RST != 0 {
		return Stay
	}
	if old || seg.Flags&wire.ACK != 0 {
		// "TIME-WAIT STATE: The only thing that can arrive in this state is a retransmission of the remote FIN.
		// Acknowledge it, and restart the 2 MSL timeout." A SYN alone may be an old duplicate.
		r.restart(now)
	}
	return r.answer(now, seg)
}

// arriveFinWait2: what the peer still sends nobody reads.
func (r *Remnant) arriveFinWait2(now clock.Instant, seg *Segment, stamped, old bool) Fate {
	n := seg.length()
	off := seg.Seq.Sub(r.rcv)
	acceptable := off == 0 || off < int(r.room) && off+n > 0 || n == 0 && off == int(r.room)
	fresh := seg.Seq.Add(n).Sub(r.rcv) > 0 // it has something beyond RCV.NXT
	switch {
	case old || !acceptable:
		return r.answer(now, seg)
	case seg.Flags&wire.RST != 0:
		if off != 0 {
			return r.challenge(now) // RFC 5961, 3.2
		}
		return Delete
	case seg.Flags&wire.SYN != 0:
		return r.challenge(now) // RFC 5961, 4.2
	case seg.Flags&wire.ACK == 0 || !fresh:
		return Stay
	case len(seg.Payload) > max(-off, 0):
		// RFC 1122, 4.2.2.13: "… if new data is received after CLOSE is called, its TCP SHOULD send a RST to show that data
		// was lost."
		return DeleteReset
	}
	// RFC 9293, 3.10.7.4: "FIN-WAIT-2 STATE: Enter the TIME-WAIT state. Start the time-wait timer, turn off the other timers."
	r.state = TimeWait
	r.rcv++
	r.note(now, seg, stamped)
	r.restart(now)
	return Acknowledge
}

// answer acknowledges a segment that is not acceptable. RFC 9293, 3.10.7.4: "If an incoming segment is not acceptable, an
// acknowledgment should be sent in reply (unless the RST bit is set …)". What has no data is answered within bounds.
func (r *Remnant) answer(now clock.Instant, seg *Segment) Fate {
	if seg.Flags&wire.RST != 0 {
		return Stay
	}
	if len(seg.Payload) == 0 && seg.Flags&wire.FIN == 0 || seg.Flags&wire.SYN != 0 {
		return r.challenge(now)
	}
	return Acknowledge
}

// challenge sends a challenge ACK, within bounds.
func (r *Remnant) challenge(now clock.Instant) Fate {
	if now.Sub(r.answered) < answerInterval {
		return Stay
	}
	r.answered = now
	return Acknowledge
}

func (r *Remnant) note(now clock.Instant, seg *Segment, stamped bool) {
	if stamped && seg.Flags&wire.RST == 0 {
		r.tsRecent, r.tsAge = seg.Options.TSVal, now
	}
}

// reopens reports whether the SYN seg may open the connection anew: RFC 6191, 2.
func (r *Remnant) reopens(now clock.Instant, seg *Segment) bool {
	if seg.Flags&(wire.SYN|wire.ACK|wire.RST|wire.FIN) != wire.SYN {
		return false
	}
	// RFC 9293, 3.6.1: a new SYN may reopen the connection if its sequence number is "larger than the largest
	// sequence number it used on the previous connection incarnation".
	higher := r.rcv.LessEq(seg.Seq)
	stamped := seg.Options.HasTimestamps
	switch {
	case !stamped:
		return higher
	case !r.stamped:
		// "The previous incarnation of the connection did not use Timestamps … If TCP Timestamps would be enabled for
		// the new incarnation of the connection, honor the incoming connection request."
		return true
	case seg.Options.TSVal == r.tsRecent:
		// "… If the TCP Timestamp of the incoming SYN is equal to the last TCP timestamp … and the sequence number of
		// the incoming SYN segment is larger than the last sequence number used".
		return higher
	}
	// "… larger than the last timestamp seen on the previous incarnation of the connection".
	return int32(seg.Options.TSVal-r.tsRecent) > 0 || now.Sub(r.tsAge) >= tsOutdated
}

// NextISS returns the initial sequence number of a connection that takes r's place: RFC 9293, 3.6.1, MAY-2: if it
// "assigns its initial sequence number for the new connection to be larger than the largest sequence number it used on
// the previous connection incarnation". No window reaches so far that was not scaled.
func (r *Remnant) NextISS() Seq { return r.snd + 65535 + 2 }

// MayRedial reports whether an own dial may take r's place. It may where timestamps tell the old incarnation's segments from
// the new one's: the peer finds the SYN's larger than the last it saw (RFC 6191, 2), and PAWS keeps old ones out (RFC
// 7323, 5), once the clocks have ticked.
func (r *Remnant) MayRedial(now clock.Instant) bool {
	return r.state == TimeWait && r.stamped && now.Sub(r.tsAge) > redialAfter
}

// redialAfter is a second, in which the timestamp clocks that RFC 7323, 5.4, allows have ticked.
const redialAfter = 1000 * tsTick

// ACK fills in an acknowledgment: "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>".
func (r *Remnant) ACK(now clock.Instant, seg *Segment) {
	*seg = Segment{Seq: r.snd, Ack: r.rcv, Flags: wire.ACK, Window: r.wnd}
	if r.counts {
		seg.Flags = seg.Flags.WithACE(r.cep)
	}
	if r.stamped {
		o := &seg.Options
		o.HasTimestamps, o.TSVal, o.TSEcr = true, tsClock(now, r.offset), r.tsRecent
	}
}
