package onlink

import "time"

// TCPInfo is a snapshot of a connection's figures. Windows and amounts of data are in octets.
type TCPInfo struct {
	State    string // as RFC 9293 writes it: "ESTABLISHED"
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

	SegmentsIn, SegmentsOut uint64
	BytesSent               uint64 // first transmissions
	BytesAcked              uint64
	BytesReceived           uint64 // in order
	Retransmits             uint64 // segments
	BytesRetransmitted      uint64
	Timeouts                uint64 // retransmission timer
	FastRecoveries          uint64
}

// Info returns the connection's figures, also after its end.
func (c *TCPConn) Info() TCPInfo {
	i := c.conn.Info()
	return TCPInfo{
		State: i.State.String(), Recovery: i.Recovery, Control: i.Control,
		RTT: i.RTT, RTTVar: i.RTTVar, MinRTT: i.MinRTT, RTO: i.RTO,
		MSS: i.MSS, CongestionWindow: i.CongestionWindow, SlowStartThreshold: i.SlowStartThreshold,
		InFlight: i.InFlight, SendWindow: i.SendWindow, ReceiveWindow: i.ReceiveWindow,
		Unacked: i.Unacked, Unsent: i.Unsent, Unread: i.Unread,
		SegmentsIn: i.SegmentsIn, SegmentsOut: i.SegmentsOut, BytesSent: i.BytesSent, BytesAcked: i.BytesAcked,
		BytesReceived: i.BytesReceived, Retransmits: i.Retransmits, BytesRetransmitted: i.BytesRetransmitted,
		Timeouts: i.Timeouts, FastRecoveries: i.FastRecoveries,
	}
}
