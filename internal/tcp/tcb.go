package tcp

import (
	"syscall"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// TCB is one connection: RFC 9293's transmission control block. Its zero value is in Closed; Connect or Accept opens
// it, once. Its methods must not be called at once from several goroutines, and it must not be copied.
type TCB struct {
	state       State
	passive     bool     // it came from LISTEN
	released    bool     // the user has let go of it
	progress    bool     // see Progress
	doubtful    bool     // see Doubtful
	sackOK      bool     // both ends sent SACK-Permitted
	scaleOK     bool     // both ends sent a window scale
	controls    bool     // cc.Controls()
	reserved    uint8    // see Open.Reserved
	xmit        xmitKind // what rexmtTimer is for
	persist     uint8    // back-off of the persist timer
	probes      uint8    // window probes sent in a row without an answer
	aliveProbes int32    // keep-alive probes unanswered
	err         syscall.Errno
	softErr     syscall.Errno // what an ICMP error said that may pass (RFC 5461)
	pending     syscall.Errno // see TakePending
	cfg         *Config       // complete, not changed any more, and shared with others
	observer    Observer
	memory      Memory // of the stack; may be nil
	charged     int    // blocks that memory knows of
	timers      [numTimers]clock.Instant

	snd struct {
		una, nxt Seq    // SND.UNA, SND.NXT
		iss      Seq    // ISS
		wl1, wl2 Seq    // SND.WL1, SND.WL2
		edge     Seq    // right-most edge of the window the peer has ever offered
		wnd      int    // SND.WND, scaled
		maxWnd   int    // the largest SND.WND seen (MAX.SND.WND of RFC 5961)
		peerMSS  int    // what the peer announced (SendMSS)
		pathMSS  int    // what the path carries
		mss      int    // Eff.snd.MSS less options: the largest payload sent
		cuts     []Seq  // ends of records, which no segment goes beyond (EndRecord)
		push     Seq    // data before it is not held back
		base     Seq    // sequence number of pipe's first octet
		out      outbox // data from base on, sent and not sent
		fin      bool   // the user has closed: a FIN follows the data
		awaited  bool   // see AwaitData
		finSent  bool   // SND.NXT is behind the FIN
		syn      bool   // a SYN is to be sent
		synTwice bool   // it was sent before
		force    bool   // the persist timer has expired: send what fits, or a probe
		told     bool   // the urgent pointer went ahead of the probe
		more     bool   // the user has announced more data (SendMore)
		shift    uint8  // Snd.Wind.Shift
		small    Seq    // the end of the last segment sent that was not full (Snd.sml of Minshall's amendment)
		space    sendSpace
		marks    pushMarks
		burst    burst
		alive    bool // a keep-alive probe is to be sent
		limited  bool // the congestion window has held something back
		stalled  bool // the link has
		withhold bool // see Withhold
		withheld bool
		room     room
		synAt    clock.Instant
		last     clock.Instant // when data was last sent
	}
	rcv struct {
		nxt       Seq           // RCV.NXT
		irs       Seq           // IRS
		adv       Seq           // right edge of the window as far as it was ever offered
		acked     Seq           // the last RCV.NXT sent (Last.ACK.sent of RFC 7323)
		in        inbox         // what has come in order and is not read
		buf       pipe          // from RCV.NXT on: what has come out of order
		ranges    rangeset      // what has come out of order
		fin       Seq           // the FIN's sequence number, if hasFIN
		hasFIN    bool          // it has come, perhaps out of order
		eof       bool          // it has been processed: RCV.NXT is behind it
		shut      bool          // the user does not read any more
		read      bool          // the user has read since the last segment sent
		ackNow    bool          // an ACK must be sent
		challenge bool          // it answers a segment that may be forged, and nothing else
		shift     uint8         // Rcv.Wind.Shift
		maxSeg    int           // the MSS announced to the peer (RecvMSS)
		heard     clock.Instant // when an acceptable segment last came
		space     recvSpace
		rate      readRate
		ackPolicy
		sackReport
	}
	ts struct {
		on     bool          // Snd.TS.OK
		offset uint32        // of the clock (RFC 7323, 5.4)
		recent uint32        // TS.Recent
		age    clock.Instant // when recent was set
	}
	urg urgent

	board    scoreboard
	rtt      rttEstimator
	recovery recovery
	episodes *episodes // nil: there was none
	mtu      mtuProbe
	marks    *ecnMarks // nil: there is no form of ECN
	cc       CongestionControl
	cubic    cubic  // cc, if that is the one chosen
	cw       Sender // what cc works on
	use      usage
	rate     rateSampler
	pace     pacer

	retries    int           // retransmissions of the first segment in flight by the timer
	stuck      clock.Instant // since when nothing was acknowledged of what is in flight
	firstRexmt clock.Instant // when the timer first did so
	aliveAt    clock.Instant // when the last one was sent
	challenges limiter
	rst        reply // a RST to send, if its flags are not zero
	ecn        ecnState
	stats      stats
	chrono     chrono
	fast       *fastOpen // nil: without Fast Open
}

// reply is a segment without window or data.
type reply struct {
	seq, ack Seq
	flags    wire.TCPFlags
	window   uint16
}

// stats are the counts Info gives.
type stats struct {
	segsIn, segsOut, dataIn, dataOut  uint64
	bytesSent                         uint64 // first transmissions
	bytesAcked, bytesRcvd, bytesAgain uint64
	segsAgain, recoveries             uint64
	delivered                         uint64
	receivedCE, outOfOrder            uint64
	probes                            uint64
	timeouts, timeoutRuns             uint64
	timeoutTime                       time.Duration // of runs that are over
	timeoutAt                         clock.Instant // when the run under way began, if retries is not 0
}

// Retries returns how often in a row the retransmission timer has expired.
func (c *TCB) Retries() int { return c.retries }

// State returns the connection's state.
func (c *TCB) State() State { return c.state }

// Established reports whether the handshake is over and the connection not closed.
func (c *TCB) Established() bool { return c.state.synchronized() }

// Err returns what the connection died of: ECONNREFUSED, ECONNRESET, ETIMEDOUT, ECONNABORTED after Abort, or what an
// ICMP error said (EHOSTUNREACH, …); nil while it lives and after an orderly end.
func (c *TCB) Err() error {
	if c.err == 0 {
		return nil
	}
	return c.err
}

// Progress reports, once, whether the peer has acknowledged something new since the last call: the path works
// (RFC 4861, 7.3.1).
func (c *TCB) Progress() bool {
	p := c.progress
	c.progress = false
	return p
}

// setState makes a transition.
func (c *TCB) setState(now clock.Instant, s State) {
	from := c.state
	c.state = s
	if s != Established {
		c.shareNoMore()
	}
	if c.observer != nil && from != s {
		c.observer.StateChanged(now, from, s)
	}
}

// die enters CLOSED. What is to be sent is discarded; what has been received in order can still be read, unless the
// user has let go.
func (c *TCB) die(now clock.Instant, err syscall.Errno) {
	if c.state == Closed {
		return
	}
	c.err = err
	c.stopTimers()
	c.endTimeouts(now)
	c.chrono.enter(now, waitNothing)
	c.dropSend()
	c.dropOutOfOrder()
	if c.released {
		c.dropUnread()
	}
	c.snd.syn, c.rcv.ackNow, c.rcv.read = false, false, false
	c.setState(now, Closed)
}

// dropSend frees what is to be sent or acknowledged.
func (c *TCB) dropSend() {
	c.snd.out.release()
	c.board.reset()
	c.snd.force, c.snd.told, c.snd.alive = false, false, false
	c.recovery.rexmit = rexmitNone
}

// dropOutOfOrder forgets what was received out of order.
func (c *TCB) dropOutOfOrder() {
	c.rcv.ranges = nil
	c.rcv.buf.release()
}

// dropUnread frees everything received.
func (c *TCB) dropUnread() {
	c.rcv.in.release()
}

// reset sends a RST for the connection and kills it with err.
//
// RFC 9293, 3.10.5: "Send a reset segment: <SEQ=SND.NXT><CTL=RST>". Acknowledgment and window are added, which every
// other segment of the connection has too.
func (c *TCB) reset(now clock.Instant, err syscall.Errno) {
	flags := wire.RST | wire.ACK
	if c.ecn.mode == ecnAccurate {
		flags = flags.WithACE(uint8(c.marks.received.cep))
	}
	c.rst = reply{c.acceptableSeq(), c.rcv.nxt, flags, c.window()}
	c.die(now, err)
}

// answerReset sends the RST that answers seg, if there is one. The state stays.
func (c *TCB) answerReset(seg *Segment) {
	var rst Segment
	if ResetFor(seg, &rst) {
		c.rst = reply{seq: rst.Seq, ack: rst.Ack, flags: rst.Flags}
	}
}
