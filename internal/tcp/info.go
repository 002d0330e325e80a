package tcp

import (
	"math"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Info is a snapshot of a connection's figures: RFC 9293, 3.10.6, the STATUS call, with everything that Linux's struct
// tcp_info has (as of Linux 6.18), computed as Linux does; its name there is given where ours differs. Windows and
// amounts of data are in octets; what Linux counts in segments is given in segments too.
type Info struct {
	State    State
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
	PathMTU       int // tcpi_pmtu: the largest packet, in octets, that the path is known to carry; the caller knows

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
	Undos                       uint64  // reductions taken back
	SpuriousTimeouts            uint64  // thereof for timeouts that were not needed
	Reneges                     uint64  // times that the peer discarded what it had reported to hold
	LossProbes, ProbeRecoveries uint64  // tail loss probes sent; losses that they repaired
	Episodes                    uint64  // of recovery, and of answers to congestion marks
	LastEpisode                 Episode // the latest of them, or the one under way

	// What sending waited for: in all while there was data, and thereof for the peer's window and for the user, held up by a
	// full send buffer.
	BusyTime, WindowLimited, BufferLimited time.Duration
}

// Info returns the connection's figures.
func (c *TCB) Info(now clock.Instant) Info {
	s := &c.stats
	i := Info{
		State: c.state, Recovery: c.recovery.state.String(),
		Timestamps: c.ts.on, SACK: c.sackOK, WindowScale: c.scaleOK, SendScale: c.snd.shift, ReceiveScale: c.rcv.shift,
		Unread: c.rcv.in.size, Unsent: c.unsent(), Unacked: c.unacked(),
		InFlight:   min(max(c.board.pipe(), 0)*c.snd.mss, c.unacked()),
		SendWindow: c.snd.wnd, ReceiveWindow: max(c.rcv.adv.Sub(c.rcv.nxt), 0),
		SegmentsIn: s.segsIn, SegmentsOut: s.segsOut, DataSegmentsIn: s.dataIn, DataSegmentsOut: s.dataOut,
		BytesSent: s.bytesSent + s.bytesAgain, BytesRetransmitted: s.bytesAgain, BytesAcked: s.bytesAcked,
		BytesReceived: s.bytesRcvd, Retransmits: s.segsAgain, OutOfOrder: s.outOfOrder,
		Delivered: s.delivered, ReceivedCE: s.receivedCE, DSACKDups: c.recovery.dsacks,
		Reorderings: c.recovery.reordSeen,
		Timeouts:    s.timeouts, TimeoutRecoveries: s.timeoutRuns, FastRecoveries: s.recoveries,
	}
	i.LossProbes = s.probes
	c.infoEpisode(&i)
	if c.fast != nil {
		i.SYNData, i.FastOpenFail = c.fast.acked, c.fast.fail
	}
	if c.cc == nil {
		return i
	}
	c.infoTimes(now, &i)
	c.infoSizes(&i)
	c.infoQueue(&i)
	c.infoWindows(&i)
	return i
}

// infoTimes fills in timers and durations.
func (c *TCB) infoTimes(now clock.Instant, i *Info) {
	i.RTT, i.RTTVar, i.MinRTT = c.rtt.srtt, c.rtt.deviation(), c.rtt.least()
	i.RTO, i.ATO = c.rtt.timeout(c.cfg), c.rcv.ato
	i.Retries, i.Backoff = c.retries, max(int(c.rtt.backoff), int(c.persist))
	i.Probes = max(int(c.probes), int(c.aliveProbes))
	i.ReceiveRTT = c.rcv.rate.rtt / 8
	i.LastDataSent, i.LastDataReceived = now.Sub(c.snd.last), now.Sub(c.rcv.dataAt)
	i.LastACKReceived = now.Sub(c.rcv.heard)
	i.TimeoutTime = c.stats.timeoutTime
	if c.retries > 0 {
		i.TimeoutTime += now.Sub(c.stats.timeoutAt)
	}
	i.BusyTime, i.WindowLimited, i.BufferLimited = c.chrono.read(now)
}

// infoSizes fills in segment sizes.
func (c *TCB) infoSizes(i *Info) {
	i.MSS, i.ReceiveMSS, i.AdvertisedMSS = c.snd.mss, c.rcv.mss, c.takes()
}

// unacked returns how many octets, SYN and FIN among them, are sent and not acknowledged.
func (c *TCB) unacked() int {
	if c.board.empty() {
		return 0
	}
	return c.snd.nxt.Sub(c.snd.una)
}

// infoQueue fills in the counts of the retransmission queue.
func (c *TCB) infoQueue(i *Info) {
	b := &c.board
	i.UnackedSegments, i.SackedSegments, i.LostSegments, i.AgainSegments = b.out, b.sacked, b.lost, b.again
}

// infoWindows fills in congestion and flow control.
func (c *TCB) infoWindows(i *Info) {
	i.Control = c.cc.Name()
	i.CongestionWindowSegments, i.SlowStartThresholdSegments = c.cw.Window, c.cw.Threshold
	i.CongestionWindow, i.SlowStartThreshold = c.cw.Window*c.snd.mss, c.cw.Threshold
	if c.cw.Threshold < unlimited {
		i.SlowStartThreshold *= c.snd.mss
	}
	i.Reordering = c.recovery.reordering
	i.PacingRate, i.MaxPacingRate = math.MaxUint64, math.MaxUint64
	if c.cfg.MaxPacingRate > 0 {
		i.MaxPacingRate = c.cfg.MaxPacingRate
	}
	if c.cw.PacingRate > 0 {
		i.PacingRate = min(c.cw.PacingRate, i.MaxPacingRate)
	}
	i.DeliveryRate, i.AppLimited = c.rate.octets(c.snd.mss), c.rate.ofLimit
	i.ECN, i.ECNSeen, i.AccurateECN = c.ecn.mode != ecnNone, c.ecn.has(ecnSeen), c.ecn.mode == ecnAccurate
	if c.marks != nil {
		c.marks.info(i)
	}
	i.ReceiveThreshold, i.ReceiveSpace = c.rcv.space.ssthresh, c.rcv.rate.space
}

// countArrival counts a segment that has come.
func (c *TCB) countArrival(seg *Segment) {
	c.stats.segsIn++
	if len(seg.Payload) > 0 {
		c.stats.dataIn++
	}
	if seg.ECN == CE {
		c.stats.receivedCE++
	}
}

// countData counts a segment sent with n octets of data, if any.
func (c *TCB) countData(n int) {
	if n > 0 {
		c.stats.dataOut++
	}
}

// noteTimeout counts an expiry of the retransmission timer. Those in a row are a run: one recovery.
func (c *TCB) noteTimeout(now clock.Instant) {
	if c.retries == 0 {
		c.stats.timeoutRuns++
		c.stats.timeoutAt = now
	}
	c.stats.timeouts++
	c.retries++
}

// endTimeouts ends a run of timeouts: the peer has answered.
func (c *TCB) endTimeouts(now clock.Instant) {
	if c.retries > 0 {
		c.stats.timeoutTime += now.Sub(c.stats.timeoutAt)
	}
	c.retries = 0
}
