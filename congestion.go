package onlink

import "github.com/onlink-go/onlink/internal/tcp"

// What a congestion control of one's own is made of. [TCPConfig.Algorithms] makes it known to a stack, and then it is chosen by
// name as those of the stack are: cubic (RFC 9438) and reno (RFC 5681).
type (
	// CongestionAlgorithm is a congestion control that can be chosen by name, of up to 15 octets.
	CongestionAlgorithm = tcp.Algorithm

	// CongestionControl decides for one connection how many segments may be in flight, and perhaps at what rate they leave. Its
	// methods are called with the connection locked, and must not call the connection; those that do not matter come with
	// embedding [NoCongestionControl]. An algorithm whose Controls method returns true sets Sender.Window and
	// Sender.PacingRate itself, at each ACK, and is told of the delivery rate.
	CongestionControl = tcp.CongestionControl

	// NoCongestionControl has the methods of CongestionControl that many algorithms have no use for.
	NoCongestionControl = tcp.NoControl

	// CongestionSender is a connection as its congestion control sees it: windows in segments, rates in octets a second.
	CongestionSender = tcp.Sender

	// CongestionEvent is something that happens to a connection.
	CongestionEvent = tcp.CongestionEvent

	// RateSample is what an ACK tells of the rate at which the path delivers (draft-ietf-ccwg-bbr, 4.1).
	RateSample = tcp.RateSample

	// LossTaker may be implemented by a CongestionControl, which is then told of each segment that is deemed lost.
	LossTaker = tcp.LossTaker

	// LostSegment is a segment deemed lost.
	LostSegment = tcp.LostSegment

	// RecoveryState is where a connection's loss recovery is.
	RecoveryState = tcp.RecoveryState
)

// The events of CongestionControl.Event.
const (
	EventStart   = tcp.EventStart   // data is sent, and nothing was in flight
	EventRestart = tcp.EventRestart // the window is reduced after an idle time
	EventReduced = tcp.EventReduced // a reduction of the window is complete
	EventTimeout = tcp.EventTimeout // the retransmission timer has expired
	EventCE      = tcp.EventCE      // a segment came with a congestion mark,
	EventNoCE    = tcp.EventNoCE    // and one without
)

// The states of loss recovery; the later, the worse.
const (
	RecoveryOpen     = tcp.RecoveryOpen     // nothing is known to be lost
	RecoveryDisorder = tcp.RecoveryDisorder // there are duplicate ACKs or SACKs, and nothing is known to be lost
	RecoveryCWR      = tcp.RecoveryCWR      // the window is being reduced for a congestion mark
	RecoveryFast     = tcp.RecoveryFast     // fast recovery
	RecoveryLoss     = tcp.RecoveryLoss     // after a retransmission timeout
)

// BBR is the congestion control called bbr, BBRv3 (draft-ietf-ccwg-bbr), for [TCPConfig.Algorithms]. Like a module of Linux, it is
// part of the programs that ask for it.
func BBR() CongestionAlgorithm { return tcp.BBR() }
