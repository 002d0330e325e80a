package tcp

import (
	"math"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// bbr is BBRv3, the congestion control of draft-ietf-ccwg-bbr-05, whose names its fields and methods have: BBR.full_bw_reached
// is fullBWReached, BBRCheckStartupDone() checkStartupDone. It makes a model of the path, how fast the path delivers and how
// long it takes at least, and sends at that rate (Sender.PacingRate), with a bounded volume in flight (Sender.Window). Loss
// bounds the model, and does not by itself reduce what is sent.
//
// Volumes are in segments, as windows are; rates in octets a second, with each segment counted as MSS octets; gains in
// percent. The parts: the states (bbrstate.go, bbrprobe.go, bbrrtt.go), the model (bbrmodel.go, bbrfilter.go, bbrloss.go),
// and what is made of it (bbrcontrol.go).
//
// What the draft leaves open is done as Linux does it, and where the pseudocode falls behind the text the text counts;
// comments tell where.
//
// ECN: 3.7: "This experimental version of BBR does not specify a specific response to Classic [RFC3168] … ECN. However, …
// the congestion controller response MUST treat any CE marks as congestion." A window with a mark counts as one with more
// loss than is tolerated.
type bbr struct {
	NoControl

	// 2.6: general state.
	state              bbrState
	roundCount         uint64 // packet-timed round trips
	roundStart         bool   // the ACK begins one
	nextRoundDelivered uint64 // what is sent after so much was delivered is of the next one
	idleRestart        bool
	drainStartRound    uint64
	initialCwnd        int  // C.InitialCwnd
	pacingGain         int  // percent
	cwndGain           int  // percent
	timed              bool // the initial pacing rate was computed from a round-trip time
	lots               lots

	// 2.8.1: the model of rate.
	maxBW       uint64
	bwShortterm uint64
	bw          uint64
	maxBWFilter bbrBWFilter

	// 2.8.2: the model of volume.
	minRTT              time.Duration
	extraAcked          int
	maxInflight         int
	inflightLongterm    int
	inflightShortterm   int
	extraAckedFilter    bbrRoundMax
	extraAckedStart     clock.Instant // BBR.extra_acked_interval_start
	extraAckedDelivered int
	priorCwnd           int

	// 2.9: congestion.
	bwLatest           uint64
	inflightLatest     int
	lossRoundDelivered uint64
	lossRoundStart     bool
	lossInRound        bool
	lossEvents         int // discontiguous ranges lost in the round
	lostEnd            Seq // the end of the last one
	undo               bbrUndo
	cycle              bbrCycle
	restraint          bbrRestraint
	longestRTT         time.Duration // since the last probe began, without what the peer may have delayed
	background         float64       // the share of segments that the path loses by itself, as the last cycle has found; at most bbrTolerated

	// 2.12: has the pipe been filled?
	fullBWReached, fullBWNow bool
	fullBW                   uint64
	fullBWCount              int

	// 2.13: least round-trip time, and when to look for it.
	minRTTStamp       clock.Instant
	probeRTTMinDelay  time.Duration
	probeRTTMinStamp  clock.Instant
	probeRTTExpired   bool
	probeRTTDoneStamp clock.Instant // 0: not yet known
	probeRTTRoundDone bool

	// 5.3.3: the cycle of ProbeBW.
	cycleStamp         clock.Instant
	bwProbeWait        time.Duration
	roundsSinceBWProbe int
	ackPhase           bbrACKPhase
	bwProbeSamples     bool
	bwProbeUpRounds    int
	bwProbeUpAcks      int
	probeUpCnt         int

	rs bbrSample // RS
}

// bbrState is BBR.state.
type bbrState uint8

const (
	bbrStartup bbrState = iota
	bbrDrain
	bbrProbeBWDown
	bbrProbeBWCruise
	bbrProbeBWRefill
	bbrProbeBWUp
	bbrProbeRTT
)

var bbrStateNames = [...]string{"Startup", "Drain", "ProbeBW_DOWN", "ProbeBW_CRUISE", "ProbeBW_REFILL", "ProbeBW_UP", "ProbeRTT"}

func (s bbrState) String() string { return bbrStateNames[s] }

// bbrGains are the table of 5.6.1: the pacing gain and the cwnd gain of each state, in percent. The fourth of 2.4:
// "BBR.StartupPacingGain: A constant specifying the minimum gain value for calculating the pacing rate that will allow the
// sending rate to double each round (4 * ln(2) ~= 2.77)".
var bbrGains = [...]struct{ pacing, cwnd int }{
	bbrStartup: {277, 200}, bbrDrain: {50, 200}, bbrProbeBWDown: {90, 200}, bbrProbeBWCruise: {100, 200},
	bbrProbeBWRefill: {100, 200}, bbrProbeBWUp: {125, 225}, bbrProbeRTT: {100, 50},
}

// The constants of 2.7 to 2.13.
const (
	bbrLossThresh       = 2  // percent: "the maximum tolerated per-round-trip packet loss rate when probing for bandwidth"
	bbrBeta             = 70 // percent: "the default multiplicative decrease to make upon each round trip during which the connection detects packet loss"
	bbrHeadroom         = 15 // percent of inflight_longterm: "to try to leave unused in the path"
	bbrMinPipeCwnd      = 4  // segments: "to allow pipelining with endpoints that follow an "ACK every other packet" delayed-ACK policy"
	bbrPacingMargin     = 1  // percent: "The static discount factor of 1% used to scale BBR.bw to produce C.pacing_rate."
	bbrStartupLossCnt   = 6  // 5.3.1.3: "at least BBRStartupFullLossCnt=6 discontiguous sequence ranges lost in that round trip"
	bbrExtraAckedLen    = 10 // round trips: BBR.ExtraAckedFilterLen
	bbrMinRTTFilterLen  = 10 * time.Second
	bbrProbeRTTDuration = 200 * time.Millisecond
	bbrProbeRTTInterval = 5 * time.Second

	bbrInfinite     = math.MaxInt32 // a volume without a bound
	bbrInfiniteBW   = math.MaxUint64
	bbrInfiniteTime = time.Duration(math.MaxInt64)
)

// bbrSample is RS, in the draft's terms.
type bbrSample struct {
	deliveryRate   uint64
	delivered      int
	priorDelivered uint64
	hasData        bool
	rtt            time.Duration // or negative
	delayed        bool
	newlyAcked     int
	txInFlight     int
	lost           int
	isAppLimited   bool
}

func (*bbr) Name() string { return "bbr" }

// Controls: BBR sets window and pacing rate at each ACK.
func (*bbr) Controls() bool { return true }

// Grow is not called: Control takes its place.
func (*bbr) Grow(*Sender, int) {}

// BBR is BBR, for Config.Algorithms: a program that never has it there is not linked with it.
func BBR() Algorithm { return Algorithm{"bbr", func() CongestionControl { return new(bbr) }} }

// Init is 5.2.1, BBROnInit.
func (b *bbr) Init(s *Sender) {
	*b = bbr{lots: lots(s.Seed), minRTT: bbrInfiniteTime, initialCwnd: s.Window}
	if s.RTT > 0 {
		b.minRTT = s.RTT
	}
	b.minRTTStamp = s.Now
	b.probeRTTMinDelay, b.probeRTTMinStamp = b.minRTT, s.Now
	b.extraAckedStart = s.Now
	b.probeUpCnt = bbrInfinite
	b.inflightLongterm = bbrInfinite
	b.resetCongestionSignals()
	b.resetShortTermModel()
	b.nextRoundDelivered = s.Delivered
	b.resetFullBW()
	b.initPacingRate(s)
	b.enterStartup(s)
	b.saveStateUponLoss()
}

// Event is 5.2.2, BBROnTransmit, for a segment sent with nothing in flight.
func (b *bbr) Event(s *Sender, e CongestionEvent) {
	if e == EventStart {
		b.handleRestartFromIdle(s)
	}
}

// Control is 5.2.3, BBRUpdateOnACK.
func (b *bbr) Control(s *Sender, r *RateSample) {
	b.rs = newBBRSample(s, r)
	b.updateModelAndState(s)
	b.updateControlParameters(s)
}

// newBBRSample puts what an ACK tells in BBR's terms.
func newBBRSample(s *Sender, r *RateSample) bbrSample {
	rs := bbrSample{
		delivered: max(r.Delivered, 0), priorDelivered: r.Prior, hasData: r.Prior > 0, rtt: r.RTT, delayed: r.Delayed,
		newlyAcked: r.Acked, txInFlight: r.SentInFlight, lost: r.LostSince, isAppLimited: r.Limited,
	}
	if r.Delivered > 0 && r.Interval > 0 {
		rs.deliveryRate = mulDiv(uint64(r.Delivered)*uint64(s.MSS), uint64(time.Second), uint64(r.Interval))
	}
	return rs
}

func (b *bbr) updateModelAndState(s *Sender) {
	b.updateLatestDeliverySignals(s)
	b.updateCongestionSignals(s)
	b.updateACKAggregation(s)
	b.checkFullBWReached()
	b.checkStartupDone(s)
	b.checkDrainDone(s)
	b.updateProbeBWCyclePhase(s)
	b.updateMinRTT(s)
	b.checkProbeRTT(s)
	b.advanceLatestDeliverySignals()
	b.boundBWForModel()
}

func (b *bbr) updateControlParameters(s *Sender) {
	b.setPacingRate(s)
	b.setCwnd(s)
}

// setState enters a state with its gains.
func (b *bbr) setState(s *Sender, to bbrState) {
	b.noteRestraint(s)
	b.state = to
	b.pacingGain, b.cwndGain = bbrGains[to].pacing, bbrGains[to].cwnd
}
