package tcp

import "time"

// Metrics are the figures of a connection that change as it goes, for a log. Amounts are in octets.
type Metrics struct {
	RTT, RTTVar, MinRTT, RTO time.Duration
	CongestionWindow         int
	SlowStartThreshold       int // math.MaxInt32: none
	InFlight                 int
	SegmentsInFlight         int
	Lost                     int // segments deemed lost and not sent again or acknowledged
	SendWindow               int
	PacingRate               uint64 // octets a second; 0: not paced
	Timeouts                 int    // of the retransmission timer, in a row
}

// Metrics returns the figures as they are now. It is cheaper than Info.
func (c *TCB) Metrics() Metrics {
	if c.cc == nil {
		return Metrics{}
	}
	var i Info
	c.infoWindows(&i)
	c.infoQueue(&i)
	m := Metrics{
		RTT: c.rtt.srtt, RTTVar: c.rtt.deviation(), MinRTT: c.rtt.least(), RTO: c.rtt.timeout(c.cfg),
		CongestionWindow: i.CongestionWindow, SlowStartThreshold: i.SlowStartThreshold,
		InFlight:         min(max(c.board.pipe(), 0)*c.snd.mss, c.unacked()),
		SegmentsInFlight: max(c.board.pipe(), 0), Lost: i.LostSegments, SendWindow: c.snd.wnd, Timeouts: c.retries,
	}
	if i.PacingRate < 1<<63 {
		m.PacingRate = i.PacingRate
	}
	return m
}
