package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// tsTick is the timestamp clock's period (RFC 7323, 5.4: "in the range 1 ms to 1 sec").
const tsTick = time.Millisecond

// tsOutdated is how long TS.Recent is good for: RFC 7323, 5.5, of a clock of 1 ms: "24.8 days"; it says 24.
const tsOutdated = 24 * 24 * time.Hour

// offersTimestamps reports whether the connection's SYN may carry timestamps.
func (c *TCB) offersTimestamps() bool { return !c.cfg.NoTimestamps && c.reserved <= maxWithTimestamps }

// tsNow returns the timestamp clock.
func (c *TCB) tsNow(now clock.Instant) uint32 { return tsClock(now, c.ts.offset) }

// tsClock returns the timestamp clock of a connection with the given offset (RFC 7323, 5.4).
func tsClock(now clock.Instant, offset uint32) uint32 { return offset + uint32(now.Duration()/tsTick) }

func (c *TCB) putTimestamps(now clock.Instant, o *wire.TCPOptions) {
	o.HasTimestamps, o.TSVal, o.TSEcr = true, c.tsNow(now), c.ts.recent
}

// paws reports whether seg is an old duplicate: RFC 7323, 5.3, R1: "If there is a Timestamps option in the arriving
// segment, SEG.TSval < TS.Recent, TS.Recent is valid …, and if the RST bit is not set, then treat the arriving
// segment as not acceptable". TS.Recent is not valid when it is too old (5.5), nor while it is 0: some hosts send that in
// their SYN and a true clock later.
func (c *TCB) paws(now clock.Instant, seg *Segment) bool {
	return int32(seg.Options.TSVal-c.ts.recent) < 0 && now.Sub(c.ts.age) < tsOutdated && c.ts.recent != 0 &&
		seg.Flags&wire.RST == 0 && !c.reorderedACK(seg)
}

// reorderedACK reports whether seg, with a timestamp that is too old, is a duplicate ACK of late. A sequence number
// protects data and not an ACK by itself: several of the same number and of different timestamps are in the network
// when it reorders, each of them good for counting (RFC 5681, 3.2), and none can do harm that moves nothing and is no older
// than a retransmission could be.
func (c *TCB) reorderedACK(seg *Segment) bool {
	wnd := int(seg.Window) << c.snd.shift
	return seg.length() == 0 && seg.Flags&wire.ACK != 0 && seg.Seq == c.rcv.nxt && seg.Ack == c.snd.una && wnd == c.snd.wnd &&
		time.Duration(c.ts.recent-seg.Options.TSVal)*tsTick <= c.rtt.rto
}

// noteTimestamp keeps what is to be echoed: RFC 7323, 4.3: "If: SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent
// then SEG.TSval is copied to TS.Recent; otherwise, it is ignored." Not from a RST: 5.2: "information from the Timestamps
// option MUST NOT be used to update connection state information."
func (c *TCB) noteTimestamp(now clock.Instant, seg *Segment) {
	if seg.Seq.LessEq(c.rcv.acked) && (int32(seg.Options.TSVal-c.ts.recent) >= 0 || now.Sub(c.ts.age) >= tsOutdated) {
		c.ts.recent, c.ts.age = seg.Options.TSVal, now
	}
}

// echoed measures the round-trip time by the timestamp echoed (RFC 7323, 4): it serves where Karn's algorithm forbids to
// use the time of transmission, since the echo tells which transmission was answered.
func (c *TCB) echoed(now clock.Instant, seg *Segment) (time.Duration, bool) {
	if !c.ts.on || !seg.Options.HasTimestamps || seg.Options.TSEcr == 0 {
		return 0, false
	}
	ticks := int32(c.tsNow(now) - seg.Options.TSEcr)
	// An echo from before the connection, or older than any timeout, is not of anything sent.
	d := max(time.Duration(ticks), 1) * tsTick
	return d, ticks >= 0 && d <= c.cfg.MaxRTO
}
