package onlink

import (
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
)

// TCPInfo is a snapshot of a connection's figures: RFC 9293, 3.10.6, the STATUS call, with everything that Linux's struct
// tcp_info has (as of Linux 6.18), computed as Linux does; its name there is given where ours differs. Windows and amounts of
// data are in octets; what Linux counts in segments is given in segments too.
type TCPInfo struct {
	State    string // as RFC 9293 writes it: "ESTABLISHED"
	Recovery string // tcpi_ca_state: "open", "disorder", "cwr", "recovery" or "loss"
	Control  string // the congestion control's name (TCP_CONGESTION)

	// What the handshake agreed on: tcpi_options.
	Timestamps, SACK, WindowScale bool
	ECN                           bool  // RFC 3168 or RFC 9768
	AccurateECN                   bool  // RFC 9768
	ECNSeen                       bool  // a segment came with an ECN mark
	SYNData                       bool  // data in the SYN was acknowledged (RFC 7413)
	SendScale, ReceiveScale       uint8 // tcpi_snd_wscale, tcpi_rcv_wscale
	FastOpenFail                  uint8 // tcpi_fastopen_client_fail: 1 no cookie, 2 data not acknowledged, 3 SYN again

	// Timers.
	RTO     time.Duration // with its back-off
	ATO     time.Duration // how long an acknowledgment is delayed at present
	Retries int           // tcpi_retransmits: how often the timer has expired since something was acknowledged
	Probes  int           // window and keep-alive probes without an answer
	Backoff int           // how often the timeout, or the interval of window probes, has been doubled

	// Segment sizes: payload of a segment, options not counted.
	MSS           int // tcpi_snd_mss: the largest payload of a segment sent
	ReceiveMSS    int // tcpi_rcv_mss: of those received, an estimate
	AdvertisedMSS int // tcpi_advmss: what we take, options of each segment counted off
	PathMTU       int // tcpi_pmtu: the largest packet, in octets, that the path is known to carry

	// The retransmission queue.
	Unacked         int // octets sent and not acknowledged
	InFlight        int // octets sent, and neither acknowledged nor known to have arrived or been lost
	UnackedSegments int // tcpi_unacked
	SackedSegments  int // tcpi_sacked: arrived, as selective or duplicate acknowledgments say
	LostSegments    int // deemed lost
	AgainSegments   int // tcpi_retrans: retransmitted and in flight
	Unsent          int // tcpi_notsent_bytes: written and not sent
	Unread          int // received in order and not read

	// How long ago; since the beginning if never.
	LastDataSent, LastDataReceived, LastACKReceived time.Duration

	// Round-trip times; 0 before the first measurement.
	RTT, RTTVar time.Duration // smoothed, and its mean deviation
	MinRTT      time.Duration
	ReceiveRTT  time.Duration // as the receiver sees it

	// Congestion control. The threshold is math.MaxInt32 while there is none, in segments too.
	CongestionWindow           int
	CongestionWindowSegments   int // tcpi_snd_cwnd
	SlowStartThreshold         int
	SlowStartThresholdSegments int    // tcpi_snd_ssthresh
	Reordering                 int    // segments of reordering that are not taken for loss
	PacingRate, MaxPacingRate  uint64 // octets a second; math.MaxUint64: unbounded
	DeliveryRate               uint64 // octets a second, the latest sample; 0: none yet
	AppLimited                 bool   // tcpi_delivery_rate_app_limited: that sample is of an application with little to send

	// Flow control.
	SendWindow       int // tcpi_snd_wnd: what the peer offers
	ReceiveWindow    int // tcpi_rcv_wnd: what is offered to the peer
	ReceiveThreshold int // tcpi_rcv_ssthresh: what the offer may grow to at present
	ReceiveSpace     int // what the user read in a round trip, for sizing the buffer

	// Sums since the beginning. As RFC 4898 and Linux count, a SYN of ours and a FIN are an octet each of BytesAcked, and
	// the peer's FIN is one of BytesReceived.
	SegmentsIn, SegmentsOut         uint64
	DataSegmentsIn, DataSegmentsOut uint64
	BytesSent                       uint64 // data, retransmissions included
	BytesRetransmitted              uint64 // tcpi_bytes_retrans
	BytesAcked                      uint64
	BytesReceived                   uint64 // in order
	Retransmits                     uint64 // tcpi_total_retrans: segments
	Delivered, DeliveredCE          uint64 // segments that arrived at the peer; those of which with a congestion mark
	ReceivedCE                      uint64 // segments that came with a congestion mark
	// Accurate ECN (RFC 9768): octets of data that arrived with ECT(0), ECT(1) and CE: ours, as the peer's option says, and
	// the peer's.
	DeliveredECT0Bytes, DeliveredECT1Bytes, DeliveredCEBytes uint64
	ReceivedECT0Bytes, ReceivedECT1Bytes, ReceivedCEBytes    uint64
	AccECNFailMode                                           uint8  // tcpi_accecn_fail_mode: 2 the peer's counter, 4 our option, 8 the peer's option are not used
	AccECNOptSeen                                            uint8  // tcpi_accecn_opt_seen: the peer's option: 0 none, 1 without counters, 2 with, 3 mangled
	DSACKDups                                                uint64 // segments that the peer says it got twice (RFC 2883)
	Reorderings                                              uint64 // tcpi_reord_seen: how often segments were found reordered
	OutOfOrder                                               uint64 // tcpi_rcv_ooopack: segments that came out of order
	Rehashes                                                 uint64 // how often the flow label was changed for lack of progress
	FastRecoveries                                           uint64
	Timeouts                                                 uint64        // tcpi_total_rto: of the retransmission timer
	TimeoutRecoveries                                        uint64        // tcpi_total_rto_recoveries: timeouts in a row count once
	TimeoutTime                                              time.Duration // tcpi_total_rto_time: from the first of a row until something was acknowledged

	// What the congestion window's reductions came to.
	Undos                       uint64          // reductions taken back
	SpuriousTimeouts            uint64          // thereof for timeouts that were not needed
	Reneges                     uint64          // times that the peer discarded what it had reported to hold
	LossProbes, ProbeRecoveries uint64          // tail loss probes sent; losses that they repaired
	Episodes                    uint64          // of recovery, and of answers to congestion marks
	LastEpisode                 RecoveryEpisode // the latest of them, or the one under way

	// What sending waited for: in all while there was data, and thereof for the peer's window and for the user, held up by a
	// full send buffer.
	BusyTime, WindowLimited, BufferLimited time.Duration
}

// RecoveryEpisode is what loss recovery, or the answer to a congestion mark, came to: what was lost, how that was detected, and
// what took the reduction of the congestion window back, if it was a mistake.
type RecoveryEpisode = tcp.Episode

// RecoveryPath is something that recovery can come to do. docs/recovery.md lists them.
type RecoveryPath = tcp.Path

// Info returns the connection's figures, also after its end.
func (c *TCPConn) Info() TCPInfo { return newTCPInfo(c.conn.Info()) }

func newTCPInfo(i tcp.Info) TCPInfo {
	return TCPInfo{
		State:    i.State.String(),
		Recovery: i.Recovery, Control: i.Control, Timestamps: i.Timestamps, SACK: i.SACK,
		WindowScale: i.WindowScale, ECN: i.ECN, AccurateECN: i.AccurateECN, ECNSeen: i.ECNSeen, SYNData: i.SYNData,
		SendScale:    i.SendScale,
		ReceiveScale: i.ReceiveScale, FastOpenFail: i.FastOpenFail, RTO: i.RTO, ATO: i.ATO, Retries: i.Retries,
		Probes: i.Probes, Backoff: i.Backoff, MSS: i.MSS, ReceiveMSS: i.ReceiveMSS,
		AdvertisedMSS: i.AdvertisedMSS, PathMTU: i.PathMTU, Unacked: i.Unacked, InFlight: i.InFlight,
		UnackedSegments: i.UnackedSegments, SackedSegments: i.SackedSegments, LostSegments: i.LostSegments,
		AgainSegments: i.AgainSegments, Unsent: i.Unsent, Unread: i.Unread, LastDataSent: i.LastDataSent,
		LastDataReceived: i.LastDataReceived, LastACKReceived: i.LastACKReceived, RTT: i.RTT, RTTVar: i.RTTVar,
		MinRTT: i.MinRTT, ReceiveRTT: i.ReceiveRTT, CongestionWindow: i.CongestionWindow,
		CongestionWindowSegments: i.CongestionWindowSegments, SlowStartThreshold: i.SlowStartThreshold,
		SlowStartThresholdSegments: i.SlowStartThresholdSegments, Reordering: i.Reordering,
		PacingRate: i.PacingRate, MaxPacingRate: i.MaxPacingRate, DeliveryRate: i.DeliveryRate,
		AppLimited: i.AppLimited, SendWindow: i.SendWindow, ReceiveWindow: i.ReceiveWindow,
		ReceiveThreshold: i.ReceiveThreshold, ReceiveSpace: i.ReceiveSpace, SegmentsIn: i.SegmentsIn,
		SegmentsOut: i.SegmentsOut, DataSegmentsIn: i.DataSegmentsIn, DataSegmentsOut: i.DataSegmentsOut,
		BytesSent: i.BytesSent, BytesRetransmitted: i.BytesRetransmitted, BytesAcked: i.BytesAcked,
		BytesReceived: i.BytesReceived, Retransmits: i.Retransmits, Delivered: i.Delivered,
		DeliveredCE: i.DeliveredCE, ReceivedCE: i.ReceivedCE, DeliveredECT0Bytes: i.DeliveredECT0Bytes,
		DeliveredECT1Bytes: i.DeliveredECT1Bytes, DeliveredCEBytes: i.DeliveredCEBytes, ReceivedECT0Bytes: i.ReceivedECT0Bytes,
		ReceivedECT1Bytes: i.ReceivedECT1Bytes, ReceivedCEBytes: i.ReceivedCEBytes, AccECNFailMode: i.AccECNFailMode,
		AccECNOptSeen: i.AccECNOptSeen, DSACKDups: i.DSACKDups, Reorderings: i.Reorderings,
		OutOfOrder: i.OutOfOrder, Rehashes: i.Rehashes, FastRecoveries: i.FastRecoveries, Timeouts: i.Timeouts,
		TimeoutRecoveries: i.TimeoutRecoveries, TimeoutTime: i.TimeoutTime, BusyTime: i.BusyTime,
		Undos: i.Undos, SpuriousTimeouts: i.SpuriousTimeouts, Reneges: i.Reneges, LossProbes: i.LossProbes, ProbeRecoveries: i.ProbeRecoveries,
		Episodes: i.Episodes, LastEpisode: i.LastEpisode,
		WindowLimited: i.WindowLimited, BufferLimited: i.BufferLimited,
	}
}
