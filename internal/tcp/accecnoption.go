package tcp

import (
	"math/bits"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// ecnReport is what is to be told in the option of Accurate ECN (RFC 9768, 3.2.3.3).
type ecnReport struct {
	changed uint8         // counters that have moved since the last option: bits by codepoint less one
	demand  uint8         // how many of the next segments carry it at least
	due     bool          // the next segment does
	first   bool          // the first data has carried it
	sent    clock.Instant // when it was last sent
}

// Config.ECNOption, which is Linux's tcp_ecn_option.
const (
	ecnOptionNever  = 0
	ecnOptionSpare  = 1 // where a counter has begun to move, and so often in a round-trip time
	ecnOptionAlways = 2
)

// ecnOrders are which counters the fields are, by codepoint: 3.2.3, table 5.
var ecnOrders = [2][3]uint8{{ECT0, CE, ECT1}, {ECT1, CE, ECT0}}

// planOption decides, ahead of the next segments, whether they carry the option.
func (c *TCB) planOption(now clock.Instant) {
	m := c.marks
	if c.ecn.mode != ecnAccurate {
		return
	}
	r := &m.option
	switch {
	case m.fail&ecnFailOptSend != 0:
		r.due = false
	case c.cfg.ECNOption == ecnOptionSpare:
		// The beacon: Config.ECNOptionBeacon times in a round-trip time.
		r.due = r.demand > 0 || c.cfg.ECNOptionBeacon > 0 && now.Sub(r.sent) >= c.rtt.srtt/time.Duration(c.cfg.ECNOptionBeacon)
	default:
		r.due = c.cfg.ECNOption >= ecnOptionAlways
	}
}

// optionRoom divides what is left for options, beside those that every segment has, between SACK blocks and the option: it
// returns how many of blocks fit, and with how many fields in which order the option goes beside them; fields is negative if
// it does not.
//
// 3.2.3.3: "AccECN is for congestion control, which implementations SHOULD generally prioritize over other TCP Options". But: "If
// SACK has been negotiated …, and the smallest recommended AccECN Option would leave insufficient space for two SACK blocks on
// a particular ACK, the Data Receiver MUST give precedence to the SACK option (total 18 octets)".
func (c *TCB) optionRoom(blocks int) (fit, fields int, order uint8) {
	if c.ecn.mode != ecnAccurate || !c.marks.option.due {
		return blocks, -1, 0
	}
	room := maxOptionsLen - c.optionsLen()
	for fields = 3; fields >= 0; fields-- {
		for _, order = range [...]uint8{1, 0} { // Linux's order first
			if !c.marks.option.tells(fields, order) {
				continue
			}
			left := room - wire.AccECNLen(fields)
			fit = min(blocks, max((left-4)/8, 0))
			if left >= 0 && fit >= min(blocks, 2) {
				return fit, fields, order
			}
		}
	}
	return blocks, -1, 0
}

// tells reports whether so many fields in the given order have all that is new: "an AccECN TCP Option MAY be truncated to omit
// one or two fields from the end of the option, …, provided that the counter(s) that have changed since the previous AccECN TCP
// Option are not omitted."
func (r *ecnReport) tells(fields int, order uint8) bool {
	told := uint8(0)
	for _, field := range ecnOrders[order][:fields] {
		told |= 1 << (field - 1)
	}
	return r.changed&^told == 0
}

// optionLen returns the octets of the option that the next segment with data has beside blocks.
func (c *TCB) optionLen(blocks int) int {
	if _, fields, _ := c.optionRoom(blocks); fields >= 0 {
		return wire.AccECNLen(fields)
	}
	return 0
}

// putOption adds the option to a segment that has its SACK blocks already.
func (c *TCB) putOption(now clock.Instant, seg *Segment) {
	_, fields, order := c.optionRoom(int(seg.Options.SACKCount))
	if fields < 0 {
		return
	}
	m := c.marks
	seg.Options.AccECN = ecnOption(fields, order, &m.received)
	r := &m.option
	r.changed, r.sent = 0, now
	if r.demand > 0 {
		r.demand--
	}
	if c.cfg.ECNOption == ecnOptionSpare && r.demand == 0 {
		r.due = false
	}
	if seg.Len > 0 && seg.Seq == c.snd.iss+1 {
		r.first = true
	}
}

// ecnOption makes the option: 3.2.3.1: "it MUST encode the 24 least significant bits of the current value of the associated
// counter into the field".
func ecnOption(fields int, order uint8, from *ecnCounters) wire.AccECNOption {
	o := wire.AccECNOption{Present: true, Order: order, Fields: uint8(fields)}
	for i, field := range ecnOrders[order][:fields] {
		o.Counter[i] = uint32(from.octets[field-1]) & wire.AccECNMask
	}
	return o
}

// ecnSYNACKOption adds the option to a SYN,ACK, with as many fields as there is room for: 3.2.3.2.1: a server "SHOULD include an
// AccECN TCP Option on the SYN/ACK", which "MAY" be left out "because of insufficient option space".
func ecnSYNACKOption(o *wire.TCPOptions, reserved int) {
	left := maxOptionsLen - reserved - o.Len()
	for fields := 3; fields >= 0; fields-- {
		if wire.AccECNLen(fields) <= left {
			o.AccECN = ecnOption(fields, 1, &ecnInitial)
			return
		}
	}
}

// takeFirstOption looks at whether the peer's first segment has the option, and whether it came as it was sent. 3.2.3.2.4: "the
// initial value of the EE0B field or EE1B field … ought to be non-zero. … If it runs a test and either initial value is zero,
// the Server will switch into a mode that ignores AccECN Options for this half-connection."
func (c *TCB) takeFirstOption(o *wire.TCPOptions) {
	m, a := c.marks, &o.AccECN
	if !a.Present || m.seen >= optionCounters {
		return
	}
	m.seen = optionEmpty
	for i, v := range a.Counter[:a.Fields] {
		if m.seen != optionFailed {
			m.seen = optionCounters
		}
		if v == 0 && ecnOrders[a.Order][i] != CE {
			m.seen = optionFailed
			c.ecnFails(ecnFailOptReceive)
		}
	}
}

// takeOption takes the counters of an option in. It returns by how much s.ceb has grown, and whether that is known.
func (c *TCB) takeOption(o *wire.TCPOptions) (ceb int, valid bool) {
	m, a := c.marks, &o.AccECN
	if !a.Present {
		return 0, false
	}
	if m.seen == optionUnseen {
		// 3.2.3.2.3: "If a host is in the mode that assumes incoming AccECN Options are not available, but it receives an AccECN
		// Option at any later point during the connection, …, the AccECN endpoint MAY switch out of the mode". Not where the
		// counters may have cycled.
		if c.stats.bytesSent >= 1<<23 {
			return 0, false
		}
		c.takeFirstOption(o)
	}
	if m.seen == optionFailed {
		return 0, false
	}
	var grown [3]uint32
	for i, v := range a.Counter[:a.Fields] {
		field := ecnOrders[a.Order][i] - 1
		// 3.2.3.1: "it takes the least significant 24 bits of its associated local counter … and subtracts them from the counter in
		// the associated field of the incoming AccECN Option".
		grown[field] = (v - uint32(m.delivered.octets[field])) & wire.AccECNMask
		if bits.Len32(grown[field]) == 24 {
			return 0, false // no counter grows that much between two options: it is behind ours, or mangled
		}
	}
	if a.Fields > 0 {
		m.seen = optionCounters
	}
	for field, n := range grown {
		m.delivered.octets[field] += uint64(n)
	}
	return int(grown[CE-1]), a.Fields > 1 // what is left out has not changed since an option that may be lost
}

// lostOption takes in that the first data was not acknowledged in time. 3.2.3.2.2: "If the TCP Client detects that the first
// data segment it sent with an AccECN Option was lost, …, it SHOULD fall back to no AccECN Option on the retransmission." And of
// either: "in which case it SHOULD disable the sending of AccECN Options for this half-connection."
func (c *TCB) lostOption() {
	if m := c.marks; m != nil && m.option.first && c.snd.una == c.snd.iss+1 && !c.cfg.NoECNFallback {
		c.ecnFails(ecnFailOptSend)
		m.option.due = false
	}
}
