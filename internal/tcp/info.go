package tcp

import "time"

// Info is a snapshot of a connection's figures. Windows and amounts of data are in octets.
type Info struct {
	State    State
	Recovery string // "open", "recovery" or "loss"
	Control  string // the congestion control's name

	RTT, RTTVar, MinRTT time.Duration // 0 before the first measurement
	RTO                 time.Duration // with its back-off

	MSS                int // largest payload of a segment sent
	CongestionWindow   int
	SlowStartThreshold int
	InFlight           int // sent, and neither acknowledged nor known to have arrived or been lost
	SendWindow         int // what the peer offers
	ReceiveWindow      int // what is offered to the peer
	Unacked            int // sent and not acknowledged
	Unsent             int // written and not sent
	Unread             int // received in order and not read

	Timestamps, SACK, WindowScale bool // agreed on
	SendScale, ReceiveScale       uint8

	SegmentsIn, SegmentsOut  uint64
	BytesSent                uint64 // first transmissions
	BytesAcked               uint64
	BytesReceived            uint64 // in order
	Retransmits              uint64 // segments
	BytesRetransmitted       uint64
	Timeouts, FastRecoveries uint64
}

// Info returns the connection's figures: RFC 9293, 3.10.6, the STATUS call.
func (c *TCB) Info() Info {
	if c.cfg == nil {
		return Info{Recovery: phaseOpen.String()} // it was never opened
	}
	i := Info{
		State: c.state, Recovery: c.recovery.phase.String(),
		RTT: c.rtt.srtt, RTTVar: c.rtt.rttvar, MinRTT: c.rtt.least, RTO: c.rtt.timeout(c.cfg),
		MSS: c.snd.mss, InFlight: max(c.board.pipe(), 0), SendWindow: c.snd.wnd,
		ReceiveWindow: max(c.rcv.adv.Sub(c.rcv.nxt), 0), Unacked: c.board.out, Unsent: c.unsent(), Unread: c.rcv.queued,
		Timestamps: c.ts.on, SACK: c.sackOK, WindowScale: c.scaleOK, SendScale: c.snd.shift, ReceiveScale: c.rcv.shift,
		SegmentsIn: c.stats.segsIn, SegmentsOut: c.stats.segsOut, BytesSent: c.stats.bytesSent,
		BytesAcked: c.stats.bytesAcked, BytesReceived: c.stats.bytesRcvd, Retransmits: c.stats.segsAgain,
		BytesRetransmitted: c.stats.bytesAgain, Timeouts: c.stats.timeouts, FastRecoveries: c.stats.recoveries,
	}
	if c.cc != nil {
		i.Control, i.CongestionWindow, i.SlowStartThreshold = c.cc.name(), c.cc.window(), c.cc.threshold()
	}
	return i
}
