package tcp

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// ecnMarks counts the congestion marks of a connection that has agreed on some form of ECN. In RFC 9768's mode these are its
// counters: r.cep, r.ceb, r.e0b and r.e1b of what has arrived, s.cep, s.ceb, s.e0b and s.e1b of what the peer says has. They
// are wider than what is sent of them. It is apart from the TCB, which most connections keep small.
type ecnMarks struct {
	// Of what arrives.
	received ecnCounters
	before   uint8 // the ECN field of the segment before
	pending  uint8 // CE marks since the last ACK
	synMark  bool  // a SYN,ACK came with CE, which counts once
	skip     bool  // the ACE field of the ACK under way was taken, or is none
	hasTS    bool
	lastTS   uint32 // the latest timestamp, if hasTS
	option   ecnReport

	// Of what is sent.
	delivered ecnCounters
	fail      uint8  // what does not work: Linux's tcpi_accecn_fail_mode
	seen      uint8  // which options came: tcpi_accecn_opt_seen
	deaf      bool   // feedback is not believed, nor answered
	average   uint16 // segments that an ACK acknowledges, in 1/64, smoothed; 0: not known
	atOption  struct {
		cep       uint64 // s.cep and what was delivered, when the last option came
		delivered uint64
	}
}

// ecnCounters are RFC 9768's four counters, r. or s. To be indexed by codepoint less one, the octets are in the order of the
// codepoints: ECT(1), ECT(0), CE.
type ecnCounters struct {
	cep    uint64
	octets [3]uint64
}

// ecnInitial is RFC 9768, 3.2.1: "it initializes its counters to r.cep = 5, r.e0b = r.e1b = 1, and r.ceb = 0."
var ecnInitial = ecnCounters{cep: 5, octets: [3]uint64{ECT1 - 1: 1, ECT0 - 1: 1, CE - 1: 0}}

// Linux's values of tcpi_accecn_fail_mode and tcpi_accecn_opt_seen.
const (
	ecnFailACESend    = 1 << 0 // what we feed back does not arrive
	ecnFailACEReceive = 1 << 1 // what the peer feeds back is not to be relied on
	ecnFailOptSend    = 1 << 2 // segments with our option are lost
	ecnFailOptReceive = 1 << 3 // the peer's option is mangled

	optionUnseen   = 0
	optionEmpty    = 1
	optionCounters = 2
	optionFailed   = 3
)

// startMarks begins to count, where syn, the peer's SYN or SYN,ACK, has led to a form of ECN.
func (c *TCB) startMarks(syn *Segment) {
	if c.ecn.mode == ecnNone {
		c.marks = nil
		return
	}
	if c.marks == nil {
		c.marks = new(ecnMarks)
	}
	m := c.marks
	*m = ecnMarks{received: ecnInitial, delivered: ecnInitial, before: syn.ECN, fail: m.fail}
	m.atOption.cep = m.delivered.cep
	m.lastTS, m.hasTS = syn.Options.TSVal, syn.Options.HasTimestamps
	if c.ecn.mode == ecnAccurate && syn.Flags&wire.ACK != 0 {
		c.markSYNACK(syn)
		m.countOctets(syn)
		c.takeFirstOption(&syn.Options)
		m.option.demand = 2 // the ACK, which may get lost, and the first data
	}
}

// ecnFails notes that something does not work.
func (c *TCB) ecnFails(what uint8) {
	if c.marks == nil {
		c.marks = new(ecnMarks)
	}
	c.marks.fail |= what
}

// markSYNACK counts a CE mark of a SYN,ACK: RFC 9768, 3.2.2.2: "it MUST increment r.cep, but no more than once no matter how
// many CE-marked SYN/ACKs it receives (i.e., incremented from 5 to 6, but no further)."
func (c *TCB) markSYNACK(seg *Segment) {
	if m := c.marks; seg.ECN == CE && !m.synMark {
		m.synMark = true
		m.received.cep++
	}
}

// countMark takes the ECN field of an acceptable segment in, and decides about ACKs for its sake.
//
// RFC 9768, 3.2: "The Data Receiver MUST increment the CE packet counter (r.cep), for every Acceptable packet that it receives
// with the CE code point in the IP-ECN field, including CE-marked control packets and retransmissions but excluding CE on SYN
// packets (SYN=1; ACK=0)."
func (c *TCB) countMark(seg *Segment) {
	m := c.marks
	if m == nil || seg.Flags&wire.SYN != 0 {
		return
	}
	if seg.ECN == CE {
		m.received.cep++
	}
	m.countOctets(seg)
	if c.ecn.mode != ecnAccurate {
		return
	}
	c.ecn.set(ecnSeen, c.ecn.has(ecnSeen) || seg.ECN != NotECT)
	was := m.before
	m.before = seg.ECN
	if was != seg.ECN || seg.ECN == CE {
		m.option.demand = 2 // the second tells what came since the first
	}
	// 3.2.2.5.1: "An AccECN Data Receiver SHOULD emit an ACK whenever a data packet marked CE arrives after the previous packet
	// was not CE." The end of a run of marks is told likewise, so that the peer knows its length.
	if len(seg.Payload) > 0 && (was == CE) != (seg.ECN == CE) {
		c.rcv.ackNow = true
	}
	if seg.ECN != CE {
		return
	}
	// "An AccECN receiver of a packet MUST emit an ACK if 'n' CE marks have arrived since the previous ACK. If there is
	// unacknowledged data at the receiver, 'n' SHOULD be 2. If there is no unacknowledged data at the receiver, 'n' SHOULD be 3 and
	// MUST be no less than 3. In either case, 'n' MUST be no greater than 7." Without SACK the peer could take an ACK of ACKs
	// for a duplicate, so that they are fewer then.
	m.pending++
	n := uint8(3)
	switch {
	case c.rcv.due || len(seg.Payload) > 0:
		n = 2
	case !c.sackOK:
		n = 7
	}
	if m.pending >= n {
		c.rcv.ackNow = true
	}
}

// countOctets counts the octets of data by their mark: 3.2: "A Data Receiver that supports sending of AccECN TCP Options MUST
// increment the r.ceb, r.e0b, or r.e1b byte counters by the number of TCP payload octets in Acceptable packets".
func (m *ecnMarks) countOctets(seg *Segment) {
	n := uint64(len(seg.Payload))
	if seg.ECN == NotECT || n == 0 {
		return
	}
	i := seg.ECN - 1
	was := m.received.octets[i]
	m.received.octets[i] += n
	m.option.changed |= 1 << i
	// 3.2.3.3: "it SHOULD include each counter at least once for every 2^22 bytes incremented".
	if was>>22 != m.received.octets[i]>>22 {
		m.option.demand = max(m.option.demand, 1)
	}
}

// putACE sets the ACE field of a segment that carries an ACK: 3.2.2: "a Data Receiver MUST encode the 3 least significant bits
// of its r.cep counter into the ACE field".
func (c *TCB) putACE(seg *Segment) {
	if c.ecn.mode == ecnAccurate {
		seg.Flags = seg.Flags.WithACE(uint8(c.marks.received.cep))
		c.marks.pending = 0
	}
}

// putHandshakeACE has an ACK by itself tell the ECN field of the SYN,ACK it answers: 3.2.2.1: "If the TCP Client (A) in AccECN
// mode uses a pure ACK with no SACK blocks to acknowledge the SYN/ACK, it MUST use the binary encoding in Table 3 when writing
// the ACE field".
func (c *TCB) putHandshakeACE(seg *Segment) {
	if c.ecn.has(ecnReply) && seg.Options.SACKCount == 0 {
		seg.Flags = seg.Flags.WithACE(ecnSYNACKs[c.ecn.synField&3])
	}
	c.ecn.set(ecnReply, false)
}

// takeThirdACK takes the ACE field of the segment in that ends SYN-RECEIVED: 3.2.2.1, table 4. It returns whether that has to
// be answered as congestion.
func (c *TCB) takeThirdACK(seg *Segment) (marked bool) {
	m := c.marks
	if c.ecn.mode != ecnAccurate || m.skip {
		return false
	}
	c.takeFirstOption(&seg.Options)
	m.option.demand = max(m.option.demand, 1)
	if seg.length() > 0 || seg.Options.SACKCount > 0 {
		return false // it is the counter
	}
	m.skip = true
	ace := seg.Flags.ACE()
	if ace == 0 {
		// "if it receives a value of zero on a pure ACK with SYN=0 and no SACK blocks, for the rest of the connection the Server
		// MUST NOT set ECT on outgoing packets and MUST NOT respond to AccECN feedback."
		m.deaf = true
		c.ecn.set(ecnPlain, true)
		c.ecnFails(ecnFailACEReceive)
		return false
	}
	marked = c.ecnCheckEcho(ace)
	if marked {
		// 3.2.2.2: "it MUST increment s.cep (from 5 to 6). The TCP Server then triggers the congestion control actions".
		m.delivered.cep++
	}
	return marked
}

// takeFeedback takes the ACE field and the option of an ACK in, once it is known what that has delivered: 3.2.2.2. It sets
// ackECE if they tell of congestion.
func (c *TCB) takeFeedback(a *ackEvent, seg *Segment) {
	m := c.marks
	if m == nil {
		return
	}
	n := int(c.stats.delivered - a.delivered)
	if c.ecn.mode == ecnClassic {
		c.cw.Marked = uint32(m.delivered.cep - a.cep)
		c.cw.MarkedOctets = c.cw.Marked * uint32(c.snd.mss)
		return
	}
	skip := m.skip
	m.skip = false
	if !m.fresh(seg, c.snd.una != a.una || n > 0) || m.deaf || skip {
		return
	}
	ceb, valid := c.takeOption(&seg.Options)
	cep := m.takeACE(seg.Flags.ACE(), ecnCovered{segments: n, mss: c.segmentSize(a, n), ceb: ceb, valid: valid})
	if n > 0 {
		m.smooth(n)
	}
	if valid {
		c.checkConsistency(ceb, cep)
	}
	if cep == 0 && ceb == 0 {
		return
	}
	if !valid {
		ceb = cep * c.snd.mss // appendix A.3
	}
	c.cw.Marked, c.cw.MarkedOctets = uint32(cep), uint32(ceb)
	if cep > 0 {
		a.flags |= ackECE
	}
}

// fresh reports whether seg is not superseded by another ACK: appendix A.1: by the acknowledgment number and SACK, or by
// timestamps.
func (m *ecnMarks) fresh(seg *Segment, progress bool) bool {
	o := &seg.Options
	newer := o.HasTimestamps && m.hasTS && int32(o.TSVal-m.lastTS) > 0
	if o.HasTimestamps && (!m.hasTS || newer) {
		m.lastTS, m.hasTS = o.TSVal, true
	}
	return progress || newer
}

// segmentSize returns how large the n segments are that an ACK has delivered, on average, as far as it tells.
func (c *TCB) segmentSize(a *ackEvent, n int) int {
	if acked := c.snd.una.Sub(a.una); n > 0 && acked > 0 && a.sackDelivered == 0 {
		return max(min(acked/n, c.snd.mss), 1)
	}
	return c.snd.mss
}

// ecnCovered is what an ACK covers.
type ecnCovered struct {
	segments int  // delivered
	mss      int  // octets of each
	ceb      int  // by how much s.ceb has grown,
	valid    bool // if the option told
}

// takeACE moves s.cep on, and returns by how much.
func (m *ecnMarks) takeACE(ace uint8, v ecnCovered) int {
	d := int((ace - uint8(m.delivered.cep)) & 7)
	d = m.unwrap(d, v)
	m.delivered.cep += uint64(d)
	return d
}

// unwrap returns by how much s.cep has grown if that is d modulo 8. 3.2.2.5.2: "If the Data Sender has not received AccECN TCP
// Options to give it more dependable information, and it detects that the ACE field could have cycled, it SHOULD deem whether
// it cycled by taking the safest likely case under the prevailing conditions." That is appendix A.2.
func (m *ecnMarks) unwrap(d int, v ecnCovered) int {
	n := v.segments
	if n < 8 {
		return d // "the Data Sender SHOULD consider the ACE counter to be correct"
	}
	safest := max(n-(n-d)&7, d)
	switch {
	case v.valid:
		// The octets tell how many segments there were, and so how often the counter has cycled.
		marked := (v.ceb + v.mss - 1) / v.mss
		cycles := max(marked-d+4, 0) / 8
		return min(d+8*cycles, safest)
	case m.average > acksMany:
		// "it would be reasonable to only use dSafer.cep rather than d.cep if the moving average of newlyAckedPkt was well below
		// 8."
		return d
	}
	return safest
}

// acksMany is how many segments an ACK acknowledges on average where that is no sign of lost ACKs: Linux's limit, in 1/64.
const acksMany = 4 << 6

// smooth takes in that an ACK has delivered n segments.
func (m *ecnMarks) smooth(n int) {
	n = min(n, 1<<9) << 6
	if m.average == 0 {
		m.average = uint16(n)
		return
	}
	m.average = uint16((int(m.average)*63 + n) >> 6)
}

// checkConsistency is 3.2.3.2.5: "If either endpoint detects that the s.ceb counter has increased but the s.cep has not (and by
// testing ACK coverage it is certain how much the ACE field has wrapped), and if there is no explanation other than an invalid
// protocol transition due to some form of feedback mangling, the Data Sender MUST disable sending ECN-capable packets for the
// remainder of the half-connection". ACKs without the option have moved s.cep on too since the last one with it.
func (c *TCB) checkConsistency(ceb, cep int) {
	m := c.marks
	if ceb > 0 && m.delivered.cep == m.atOption.cep && c.stats.delivered-m.atOption.delivered < 8 {
		c.ecn.set(ecnPlain, true)
		c.ecnFails(ecnFailACEReceive)
	}
	m.atOption.cep, m.atOption.delivered = m.delivered.cep, c.stats.delivered
}

// respondToHandshake reduces the window for a CE mark of our SYN or SYN,ACK, of which the peer has told, as for one of data.
func (c *TCB) respondToHandshake(now clock.Instant) {
	c.beginReduction(now, true)
	if !c.controls {
		c.cw.Window = min(c.cw.Window, c.cw.Threshold)
	}
}

// info fills in what Linux's struct tcp_info has of the counters: without their initial values.
func (m *ecnMarks) info(i *Info) {
	d, r := &m.delivered, &m.received
	i.DeliveredCE = d.cep - ecnInitial.cep
	i.DeliveredECT0Bytes, i.DeliveredECT1Bytes, i.DeliveredCEBytes = d.data(ECT0), d.data(ECT1), d.data(CE)
	i.ReceivedECT0Bytes, i.ReceivedECT1Bytes, i.ReceivedCEBytes = r.data(ECT0), r.data(ECT1), r.data(CE)
	i.AccECNFailMode, i.AccECNOptSeen = m.fail, m.seen
}

// data returns the octets counted under a codepoint.
func (n *ecnCounters) data(field uint8) uint64 { return n.octets[field-1] - ecnInitial.octets[field-1] }
