package tcp

import (
	"math"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// CongestionControl decides how many segments may be in flight (RFC 5681). Loss detection and recovery are not its
// business: it is told of their outcome. It works on the Window, Threshold and Credit of a [Sender]. Embed [NoControl]
// for the methods that an algorithm has no use for.
//
// In slow start and congestion avoidance each ACK calls Grow. When a loss or a congestion mark shows, Reduce is asked for
// the threshold, and proportional rate reduction (RFC 9937) brings the window down to it; if that turns out to have been
// a mistake, Undo is asked for the window to return to.
type CongestionControl interface {
	// Name is what Config.CongestionControl calls the algorithm.
	Name() string
	// Init begins, when the connection is established or the algorithm chosen.
	Init(s *Sender)
	// Reduce returns the threshold (ssthresh) that a loss or a congestion mark leads to.
	Reduce(s *Sender) int
	// Grow takes in that n segments were delivered.
	Grow(s *Sender, n int)
	// Undo returns the window when a reduction is taken back.
	Undo(s *Sender) int
	// StateChanged tells that loss recovery enters another state; Sender.State is the one before.
	StateChanged(s *Sender, to RecoveryState)
	// Event tells of what the events say.
	Event(s *Sender, e CongestionEvent)
	// Sampled tells of an ACK, before the window is changed by it; rtt is of the last segment that it delivered, or negative.
	Sampled(s *Sender, n int, rtt time.Duration)
	// Control, if Controls returns true, is called for each ACK in place of Grow and of proportional rate reduction. What
	// Controls returns does not change.
	Controls() bool
	Control(s *Sender, r *RateSample)
}

// LossTaker is what a CongestionControl may be too: it is told of each segment that is deemed lost, when it is.
type LossTaker interface {
	Lost(s *Sender, l LostSegment)
}

// LostSegment is a segment deemed lost.
type LostSegment struct {
	Seq, End     Seq
	SentInFlight int  // segments in flight when it was last sent, it included
	LostSince    int  // segments deemed lost since, it included
	Limited      bool // the application had too little to send then
}

// CongestionEvent is something that happens to a Sender.
type CongestionEvent uint8

const (
	EventStart   CongestionEvent = iota // data is sent, and nothing was in flight
	EventRestart                        // the window is reduced after an idle time
	EventReduced                        // a reduction of the window is complete
	EventTimeout                        // the retransmission timer has expired
	EventCE                             // a segment came with a congestion mark,
	EventNoCE                           // and one without
)

// RecoveryState is where loss recovery is. The order has a meaning: the later, the worse.
type RecoveryState uint8

const (
	stateOpen     RecoveryState = iota // nothing is known to be lost
	stateDisorder                      // there are duplicate ACKs or SACKs, and nothing is known to be lost
	stateCWR                           // the window is being reduced for a congestion mark
	stateRecovery                      // fast recovery
	stateLoss                          // after a retransmission timeout
)

// The states, for algorithms of users.
const (
	RecoveryOpen     = stateOpen
	RecoveryDisorder = stateDisorder
	RecoveryCWR      = stateCWR
	RecoveryFast     = stateRecovery
	RecoveryLoss     = stateLoss
)

var recoveryNames = [...]string{"open", "disorder", "cwr", "recovery", "loss"}

func (s RecoveryState) String() string { return recoveryNames[s] }

// unlimited is the threshold while there is none: RFC 5681, 3.1: "The initial value of ssthresh SHOULD be set
// arbitrarily high".
const unlimited = math.MaxInt32

// Sender is a connection as its congestion control sees it. Windows are in segments.
type Sender struct {
	Window    int // cwnd; at least 1
	Threshold int // ssthresh
	Credit    int // segments acknowledged in congestion avoidance that have not yet moved Window
	Prior     int // Window before the last reduction
	Clamp     int // Window's upper bound

	// What follows is set before each call.
	Now       clock.Instant
	LastSent  clock.Instant // when data was last sent
	MSS       int           // octets
	InFlight  int
	Una, Next Seq           // SND.UNA, SND.NXT
	RTT       time.Duration // smoothed
	LeastRTT  time.Duration
	Delivered uint64 // segments that have arrived, the SYN included
	Seed      uint64 // the connection's own number, for algorithms that draw lots
	State     RecoveryState
	Limited   bool  // the window is what holds the sender back, or nearly
	ECN       bool  // Reduce: it is for a congestion mark
	ABE       bool  // Config.ABE
	SACK      bool  // the peer sends SACK blocks
	Paced     bool  // segments leave at PacingRate, or at what the user bounds it to
	HyStart   uint8 // Config.HyStart

	AppLimited  bool // the application has too little to send, or had in the last round trip
	markLimited bool
	noted       Path // see note

	SlowStartLimit int32 // Config.SlowStartLimit

	PacingRate uint64 // octets a second

	// What the ACK under way tells of congestion marks: so many segments of ours came with CE, of so many octets. Accurate ECN
	// (RFC 9768) counts them, the octets where the peer sends its option, else they are estimated; RFC 3168 has all count
	// that an ACK with ECE has delivered.
	Marked, MarkedOctets uint32
}

// MarkAppLimited has Control make what is in flight count as limited by the application: its delivery rates tell nothing of
// the path.
func (s *Sender) MarkAppLimited() { s.markLimited = true }

// SlowStart reports whether the window is below the threshold.
func (s *Sender) SlowStart() bool { return s.Window < s.Threshold }

// GrowSlowStart is slow start for n segments: RFC 5681, 3.1, as amended by RFC 9438 and RFC 3465 with L unbounded. It
// returns how many are left for congestion avoidance.
func (s *Sender) GrowSlowStart(n int) int {
	w := min(s.Window+n, s.Threshold)
	n -= w - s.Window
	s.Window = min(w, s.Clamp)
	return n
}

// GrowByOne adds one segment to the window for each w segments acknowledged, of which there are n more.
func (s *Sender) GrowByOne(w, n int) {
	if s.Credit >= w {
		s.Credit = 0 // gathered while w was larger
		s.Window++
	}
	if s.Credit += n; s.Credit >= w {
		s.Window += s.Credit / w
		s.Credit %= w
	}
	s.Window = min(s.Window, s.Clamp)
}

// NoControl implements the methods of CongestionControl that many algorithms have no use for.
type NoControl struct{}

func (NoControl) Init(*Sender)                        {}
func (NoControl) StateChanged(*Sender, RecoveryState) {}
func (NoControl) Event(*Sender, CongestionEvent)      {}
func (NoControl) Sampled(*Sender, int, time.Duration) {}
func (NoControl) Controls() bool                      { return false }
func (NoControl) Control(*Sender, *RateSample)        {}

// Undo goes back to the window before the reduction.
func (NoControl) Undo(s *Sender) int { return max(s.Window, s.Prior) }

// Algorithm is a congestion control that can be chosen by name.
type Algorithm struct {
	Name string
	New  func() CongestionControl // makes one for a connection
}

// algorithms are those that every configuration has, the default first.
var algorithms = []Algorithm{
	{"cubic", func() CongestionControl { return new(cubic) }},
	{"reno", func() CongestionControl { return new(reno) }},
}

// algorithm returns the algorithm called name, the default one for "", or nil.
func (cfg *Config) algorithm(name string) *Algorithm {
	if cfg.Algorithms != nil {
		for i := range *cfg.Algorithms {
			if a := &(*cfg.Algorithms)[i]; a.Name == name {
				return a
			}
		}
	}
	for i := range algorithms {
		if a := &algorithms[i]; a.Name == name || name == "" {
			return a
		}
	}
	return nil
}

// newControl returns an instance of the algorithm called name for c, or nil.
func (c *TCB) newControl(name string) CongestionControl {
	switch a := c.cfg.algorithm(name); a {
	case nil:
		return nil
	case &algorithms[0]:
		c.cubic = cubic{}
		return &c.cubic
	default:
		return a.New()
	}
}

// startControl sets the initial window, when the connection is established, and begins the algorithm. cautious: the
// handshake took more than one retransmission.
func (c *TCB) startControl(now clock.Instant, cautious bool) {
	w := c.initialWindow()
	if cautious {
		// RFC 6928, 3: "more than one SYN or SYN/ACK retransmissions" show true loss, and then RFC 5681, 3.1, has "the
		// initial window … MUST be one segment".
		w = 1
	}
	c.cw = Sender{Window: w, Threshold: unlimited, Clamp: maxBuffer, MSS: c.snd.mss}
	c.cw.Seed = uint64(c.snd.iss)<<32 | uint64(c.ts.offset)
	c.updatePacingRate()
	c.beginControl(now)
}

// initialWindow is RFC 6928, 2: "min (10*MSS, max (2*MSS, 14600))", in segments; or what is set.
func (c *TCB) initialWindow() int {
	if c.cfg.InitialWindow > 0 {
		return c.cfg.InitialWindow
	}
	return min(10, max(2, 14600/c.snd.mss))
}

// sense sets what the congestion control may want to know.
func (c *TCB) sense(now clock.Instant) {
	s := &c.cw
	s.Now, s.LastSent, s.MSS, s.InFlight = now, c.snd.last, c.snd.mss, c.board.pipe()
	s.Una, s.Next = c.snd.una, c.snd.nxt
	s.State, s.ABE = c.recovery.state, c.cfg.ABE
	s.HyStart, s.SlowStartLimit = uint8(c.cfg.HyStart), int32(c.cfg.SlowStartLimit)
	s.RTT, s.LeastRTT = c.rtt.srtt, c.rtt.least()
	s.Delivered, s.Paced = c.stats.delivered, c.pacingRate() > 0
	s.SACK, s.AppLimited = c.sackOK, c.rate.limited > 0
}

// currentThreshold is the threshold that the present window shows to be good.
func (c *TCB) currentThreshold() int {
	if c.reducing() {
		return c.cw.Threshold
	}
	return max(c.cw.Threshold, c.cw.Window*3/4)
}

// updatePacingRate computes the rate at which the window would be sent in a round trip, with some room to grow: in slow
// start, half of which is over at half the threshold, Config.PacingSS percent, else PacingCA percent.
func (c *TCB) updatePacingRate() {
	s := &c.cw
	percent := c.cfg.PacingCA
	if s.Window < s.Threshold/2 {
		percent = c.cfg.PacingSS
	}
	if c.rtt.srtt > 0 {
		octets := float64(c.snd.mss * max(s.Window, c.board.out) * percent) // times 100
		s.PacingRate = uint64(octets * float64(time.Second/100) / float64(c.rtt.srtt))
	}
}
