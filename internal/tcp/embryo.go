package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Embryo is a connection in SYN-RECEIVED that came from LISTEN, in as few octets as it can be: what a SYN may make a
// host remember (RFC 4987, 3.5, a SYN cache). The ACK of its SYN,ACK makes a TCB of it. Like the TCB it is a machine:
//
//   - Open begins it with a SYN; Arrive takes a segment, Timeout the expiry of Deadline. They say what is to be done; after SendSYNACK and SendACK the segment is filled in with SYNACK and ACK;
//   - TCB.Hatch makes a connection of it, which is then given the segment that Arrive found to complete it.
//
// Its settings are the listener's and are given with each event.
type Embryo struct {
	irs, iss           Seq
	tsRecent, tsOffset uint32
	peerMSS, mss       uint16 // announced by the peer (0: not), and by us
	peerWnd, wnd       uint16 // the windows in the SYN and in the SYN,ACK
	peerShift, shift   uint8
	flags              embryoFlags
	ecn                ecnMode       // what the SYN asked for, and gets
	synField           uint8         // the ECN field of the latest SYN
	timeouts           uint8         // how often the timer has expired
	sent               uint8         // SYN,ACKs sent, as far as 255
	at                 clock.Instant // its timer
	sentAt             clock.Instant // when the first SYN,ACK was sent
	answered           clock.Instant // when a segment that is not acceptable was last answered
}

type embryoFlags uint8

const (
	embryoTimestamps embryoFlags = 1 << iota
	embryoSACK
	embryoScale
	embryoACKed  // its ACK has come, and was not taken: by TCP_DEFER_ACCEPT, or for a full queue
	embryoCookie // it has no past: it was made of a SYN cookie
	embryoPlain  // nothing is to be sent with ECT, though ecn would allow it
)

func (e *Embryo) has(f embryoFlags) bool { return e.flags&f != 0 }

// answerInterval is the least time between answers to segments that are not acceptable (Linux's tcp_invalid_ratelimit),
// which keeps two ends that disagree from answering each other for ever.
const answerInterval = 500 * time.Millisecond

// Verdict is what an Embryo wants done.
type Verdict uint8

// The verdicts. After the last four the embryo is to be forgotten.
const (
	Ignore       Verdict = iota // nothing
	Defer                       // nothing: the ACK has come, and data is waited for
	SendSYNACK                  // send what SYNACK fills in
	SendACK                     // send what ACK fills in
	SendReset                   // answer the segment as ResetFor does; the embryo stays
	Complete                    // make a connection: TCB.Hatch, then TCB.Arrive with the segment
	Refused                     // the peer has put an end to it
	Expired                     // the peer has not answered
	Contradicted                // send what Reset fills in: the peer has asked for two kinds of feedback that exclude each other
)

// Open begins e with a SYN, and returns false if the segment is none that opens a connection: RFC 9293, 3.10.7.2. The
// next thing to do is SYNACK.
func (e *Embryo) Open(now clock.Instant, o *Open, syn *Segment) bool {
	if syn.Flags&(wire.SYN|wire.ACK|wire.RST) != wire.SYN {
		return false
	}
	cfg := o.Config
	// "Third, check for a SYN: … Set RCV.NXT to SEG.SEQ+1, IRS is set to SEG.SEQ, and any other control or text should
	// be queued for processing later. ISS should be selected". Text is not kept, nor acknowledged: the peer sends it again.
	*e = Embryo{irs: syn.Seq, iss: Seq(o.ISS), tsOffset: o.TSOffset, peerMSS: syn.Options.MSS,
		mss: uint16(cfg.userMSS(o.announced())), peerWnd: syn.Window}
	e.ecn, e.synField = ecnAgrees(cfg, syn), syn.ECN
	e.take(&syn.Options, cfg, o.Reserved)
	e.offer(cfg)
	e.at = now.Add(e.timeout(cfg))
	e.answered = now.Add(-answerInterval)
	return true
}

// offer decides about the window of the SYN,ACK and its scale.
func (e *Embryo) offer(cfg *Config) {
	e.wnd, e.shift = firstOffer(cfg, int(e.mss), e.has(embryoScale), e.has(embryoTimestamps))
}

// take agrees to the options of the SYN that cfg allows and that there is room for.
func (e *Embryo) take(o *wire.TCPOptions, cfg *Config, reserved int) {
	if o.SACKPermitted && !cfg.NoSACK {
		e.flags |= embryoSACK
	}
	if o.HasTimestamps && !cfg.NoTimestamps && (reserved <= maxWithTimestamps || !e.has(embryoSACK)) {
		e.flags |= embryoTimestamps
		e.tsRecent = o.TSVal
	}
	if o.HasWindowScale && !cfg.NoWindowScale {
		e.flags |= embryoScale
		e.peerShift = min(o.WindowScale, maxWindowShift)
	}
}

// Arrive takes a segment of the connection in: RFC 9293, 3.10.7.4, as for SYN-RECEIVED.
func (e *Embryo) Arrive(now clock.Instant, cfg *Config, seg *Segment) Verdict {
	stamped := e.has(embryoTimestamps) && seg.Options.HasTimestamps
	old := stamped && int32(seg.Options.TSVal-e.tsRecent) < 0 && seg.Flags&wire.RST == 0
	if seg.Seq == e.irs && seg.Flags&(wire.SYN|wire.ACK|wire.RST) == wire.SYN && !old {
		if !e.ecnAgain(cfg, seg) {
			return Contradicted
		}
		// The SYN again. What acknowledges it is the SYN,ACK.
		if !e.mayAnswer(now) {
			return Ignore
		}
		e.at = now.Add(e.timeout(cfg))
		return SendSYNACK
	}
	// RFC 9293, 3.5.2: "2. If the connection is in any non-synchronized state (LISTEN, SYN-SENT, SYN-RECEIVED), and the
	// incoming segment acknowledges something not yet sent (the segment carries an unacceptable ACK) …, a reset is sent."
	if seg.Flags&wire.ACK != 0 && seg.Ack != e.iss+1 {
		return SendReset
	}
	// "First, check sequence number", and RFC 7323, 5.3, R1.
	if old || !e.inWindow(seg) {
		// "If an incoming segment is not acceptable, an acknowledgment should be sent in reply (unless the RST bit is
		// set, if so drop the segment and return)".
		if seg.Flags&wire.RST != 0 || !e.mayAnswer(now) {
			return Ignore
		}
		return SendACK
	}
	if stamped && seg.Seq.LessEq(e.irs+1) && seg.Flags&wire.RST == 0 {
		e.tsRecent = seg.Options.TSVal
	}
	switch {
	case seg.Flags&wire.RST != 0:
		// "Second, check the RST bit: … 3) If the RST bit is set and the sequence number does not exactly match the next
		// expected sequence value, yet is within the current receive window, TCP endpoints MUST send an acknowledgment
		// (challenge ACK)."
		if seg.Seq == e.irs+1 {
			// "If this connection was initiated with a passive OPEN (i.e., came from the LISTEN state), then return this
			// connection to LISTEN state and return. The user need not be informed."
			return Refused
		}
		if e.mayAnswer(now) {
			return SendACK
		}
		return Ignore
	case seg.Flags&wire.SYN != 0 && seg.Seq != e.irs:
		// "Fourth, check the SYN bit: … If the connection was initiated with a passive OPEN, then return this
		// connection to the LISTEN state and return."
		return Refused
	case seg.Flags&wire.ACK == 0:
		// "Fifth, check the ACK field: if the ACK bit is off, drop the segment and return".
		return Ignore
	}
	// TCP_DEFER_ACCEPT: an ACK without data does not make the connection, for as long as that was asked for.
	if int(e.timeouts) < deferral(cfg) && len(seg.Payload) == 0 && seg.Flags&(wire.FIN|wire.SYN) == 0 {
		e.flags |= embryoACKed
		return Defer
	}
	// "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state and continue processing".
	return Complete
}

// inWindow is RFC 9293, 3.10.7.4, table 6, a segment without length at the right edge of the window included.
func (e *Embryo) inWindow(seg *Segment) bool {
	n := seg.length()
	off := seg.Seq.Sub(e.irs + 1)
	if n == 0 {
		return off >= 0 && off <= int(e.wnd)
	}
	return off == 0 || off < int(e.wnd) && off+n > 0
}

// mayAnswer reports whether a segment that is not acceptable may be answered now.
func (e *Embryo) mayAnswer(now clock.Instant) bool {
	if now.Sub(e.answered) < answerInterval {
		return false
	}
	e.answered = now
	return true
}

// Queued tells that the connection could not be made, since the listener's queue is full. The ACK will come again, or
// the peer believes that it is connected and sends data.
func (e *Embryo) Queued() { e.flags |= embryoACKed }

// timeout returns the retransmission timeout: RFC 6298, 5.5: "RTO <- RTO * 2".
func (e *Embryo) timeout(cfg *Config) time.Duration {
	return backedOff(cfg.InitialRTO, e.timeouts, cfg.MaxRTO)
}

// deferral returns for how many timeouts of the SYN,ACK data is waited for: the least number that takes
// cfg.DeferAccept, as Linux counts TCP_DEFER_ACCEPT.
func deferral(cfg *Config) (n int) {
	for left := cfg.DeferAccept; left > 0 && n < 255; n++ {
		left -= backedOff(cfg.InitialRTO, uint8(n), cfg.MaxRTO)
	}
	return n
}

// Deadline returns when Timeout is to be called.
func (e *Embryo) Deadline() clock.Instant { return e.at }

// Timeout is RFC 9293, 3.10.8, of the SYN,ACK. retries is how often it may be sent again.
func (e *Embryo) Timeout(now clock.Instant, cfg *Config, retries int) Verdict {
	n := int(e.timeouts)
	acked := e.has(embryoACKed)
	wait := deferral(cfg)
	if n >= retries && (!acked || n >= wait) {
		return Expired
	}
	e.timeouts++
	e.at = now.Add(e.timeout(cfg))
	if acked && n < wait-1 {
		// The peer waits for nothing. At the end of the time it is sent once more, so that an ACK can make the
		// connection without data.
		return Ignore
	}
	return SendSYNACK
}

// Sent reports whether seq is a sequence number in flight: RFC 5927, 4.1, has the number that an ICMP error quotes
// checked. There is but one.
func (e *Embryo) Sent(seq Seq) bool { return seq == e.iss }

// SYNACK fills in the SYN,ACK: RFC 9293, 3.10.7.2: "<SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>".
func (e *Embryo) SYNACK(now clock.Instant, seg *Segment) {
	*seg = Segment{Seq: e.iss, Ack: e.irs + 1, Flags: wire.SYN | wire.ACK, Window: e.wnd, Retransmit: e.sent > 0}
	e.ecnFlags(seg)
	o := &seg.Options
	o.MSS = e.mss
	o.HasWindowScale, o.WindowScale = e.has(embryoScale), e.shift
	o.SACKPermitted = e.has(embryoSACK)
	e.stamp(now, o)
	if e.sent == 0 {
		e.sentAt = now
	}
	if e.sent < 255 {
		e.sent++
	}
}

// ACK fills in the answer to a segment that is not acceptable: "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>".
func (e *Embryo) ACK(now clock.Instant, seg *Segment) {
	*seg = Segment{Seq: e.iss + 1, Ack: e.irs + 1, Flags: e.counted(wire.ACK), Window: e.wnd >> e.shift}
	e.stamp(now, &seg.Options)
}

// Reset fills in the RST that puts an end to the handshake, acceptable to a peer that has the SYN,ACK and to one that has not.
func (e *Embryo) Reset(seg *Segment) {
	*seg = Segment{Seq: e.iss + 1, Ack: e.irs + 1, Flags: e.counted(wire.RST | wire.ACK)}
}

func (e *Embryo) stamp(now clock.Instant, o *wire.TCPOptions) {
	if e.has(embryoTimestamps) {
		o.HasTimestamps, o.TSVal, o.TSEcr = true, tsClock(now, e.tsOffset), e.tsRecent
	}
}

// SYN fills in the SYN that e was made of, without what an Embryo does not keep.
func (e *Embryo) SYN(seg *Segment) {
	*seg = Segment{Seq: e.irs, Flags: wire.SYN, Window: e.peerWnd}
	seg.Flags |= ecnSYNFlags(e.ecn)
	seg.ECN = e.synField
	o := &seg.Options
	o.MSS = e.peerMSS
	o.HasWindowScale, o.WindowScale = e.has(embryoScale), e.peerShift
	o.SACKPermitted = e.has(embryoSACK)
	o.HasTimestamps, o.TSVal = e.has(embryoTimestamps), e.tsRecent
}

// Hatch makes c, which is new, the connection in SYN-RECEIVED that e stands for. o is as it was for e.Open; its ISS and
// TSOffset do not count.
func (c *TCB) Hatch(now clock.Instant, o Open, e *Embryo) {
	var syn Segment
	e.SYN(&syn)
	o.ISS, o.TSOffset = uint32(e.iss), e.tsOffset
	c.init(now, o)
	c.passive = true
	c.takeSYN(now, &syn)
	// What the SYN,ACK has told the peer holds, though the settings may have changed since.
	c.rcv.shift = e.shift
	c.rcv.adv = c.rcv.nxt.Add(int(e.wnd))
	c.rcv.maxSeg = int(e.mss)
	c.ecn.mode = e.ecn
	c.ecn.set(ecnPlain, e.has(embryoPlain))
	c.startMarks(&syn)
	c.retries = max(int(e.sent)-1, 0)
	c.stats.segsAgain = uint64(c.retries) // as those of a SYN count on the other side
	c.snd.synAt, c.snd.synTwice = e.sentAt, e.sent > 1
	if e.has(embryoCookie) {
		c.snd.synAt = clock.Never
	}
	c.setState(now, SynReceived)
}

// Forget takes back what was agreed to and cannot be remembered, of an Embryo that will be made of a SYN cookie: it is
// called between Open and SYNACK.
func (e *Embryo) Forget() {
	e.flags, e.shift, e.peerShift = 0, 0, 0
	if e.ecn != ecnAccurate {
		e.ecn = ecnNone // of Accurate ECN the ACK tells
	}
}

// Recall is what a SYN cookie and the ACK that brings it tell of a handshake.
type Recall struct {
	ISS, IRS   Seq
	TSOffset   uint32
	MSS        int    // as Open has it
	PeerMSS    uint16 // the largest of those a cookie can tell that is not above the peer's
	Timestamps bool
	TSVal      uint32
	SACK, ECN  bool // RFC 3168's ECN
	HasScale   bool
	Scale      uint8 // the peer's
	ACE        uint8 // the ACE field of the ACK
}

// Recall makes e what it would be, had it been kept, as far as that is known. wnd is the window field of the ACK.
func (e *Embryo) Recall(r *Recall, wnd uint16, cfg *Config) {
	*e = Embryo{irs: r.IRS, iss: r.ISS, tsOffset: r.TSOffset, peerMSS: r.PeerMSS, mss: uint16(cfg.userMSS(boundMSS(r.MSS))),
		peerWnd: wnd, flags: embryoCookie, sent: 1, at: clock.Never}
	if r.Timestamps {
		e.flags |= embryoTimestamps
		e.tsRecent = r.TSVal
	}
	// RFC 9768, 5.1: "if the ACK contains an ACE field with the value 0b010 to 0b111 (decimal 2 to 7), the Server can infer …: the
	// TCP Client has to have requested AccECN support on the SYN; then, even though the Server kept no state, it has to have
	// confirmed that it supported AccECN."
	switch {
	case r.ACE > 1 && cfg.ecnAccepts() == ecnAccurate:
		e.ecn = ecnAccurate
	case r.ECN:
		e.ecn = ecnClassic
	}
	if r.SACK {
		e.flags |= embryoSACK
	}
	if r.HasScale {
		e.flags |= embryoScale
		e.peerShift = r.Scale
	}
	e.offer(cfg)
}
