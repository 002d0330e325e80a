package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// tsTick is the timestamp clock's period (RFC 7323, 5.4: "in the range of 1 ms to 1 sec").
const tsTick = time.Millisecond

// tsOutdated is how long TS.Recent is good for: RFC 7323, 5.5, of a clock of 1 ms: "24.8 days"; it says 24.
const tsOutdated = 24 * 24 * time.Hour

// tsNow returns the timestamp clock.
func (c *TCB) tsNow(now clock.Instant) uint32 {
	return c.ts.offset + uint32(now.Duration()/tsTick)
}

func (c *TCB) putTimestamps(now clock.Instant, o *wire.TCPOptions) {
	o.HasTimestamps, o.TSVal, o.TSEcr = true, c.tsNow(now), c.ts.recent
}

// paws reports whether seg is an old duplicate: RFC 7323, 5.3, R1: "If there is a Timestamps option in the arriving
// segment, SEG.TSval < TS.Recent, TS.Recent is valid …, and if the RST bit is not set, then treat the arriving
// segment as not acceptable".
func (c *TCB) paws(now clock.Instant, seg *Segment) bool {
	return int32(seg.Options.TSVal-c.ts.recent) < 0 && now.Sub(c.ts.age) < tsOutdated && seg.Flags&wire.RST == 0
}

// noteTimestamp keeps what is to be echoed: RFC 7323, 4.3: "If: SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent
// then SEG.TSval is copied to TS.Recent; otherwise, it is ignored."
func (c *TCB) noteTimestamp(now clock.Instant, seg *Segment) {
	if seg.Seq.LessEq(c.rcv.acked) && (int32(seg.Options.TSVal-c.ts.recent) >= 0 || now.Sub(c.ts.age) >= tsOutdated) {
		c.ts.recent, c.ts.age = seg.Options.TSVal, now
	}
}

// sampleEcho measures the round-trip time by the timestamp echoed (RFC 7323, 4): it serves where Karn's algorithm
// forbids to use the time of transmission, since the echo tells which transmission was answered.
func (c *TCB) sampleEcho(now clock.Instant, seg *Segment) {
	if !c.ts.on || !seg.Options.HasTimestamps || seg.Options.TSEcr == 0 {
		return
	}
	ticks := int32(c.tsNow(now) - seg.Options.TSEcr)
	// An echo from before the connection, or older than any timeout, is not of anything sent.
	if d := max(time.Duration(ticks), 1) * tsTick; ticks >= 0 && d <= c.cfg.MaxRTO {
		c.rtt.sample(d, c.cfg)
	}
}
