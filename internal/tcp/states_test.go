package tcp

import (
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

const (
	fin = wire.FIN
	syn = wire.SYN
	rst = wire.RST
	psh = wire.PSH
	ack = wire.ACK
)

// rig is one TCB whose peer is the test: ISS is 1000 and IRS 5000, so that an established one has SND.NXT 1001 and RCV.NXT
// 5001.
type rig struct {
	t   *testing.T
	now clock.Instant
	c   *TCB
	cfg setup
	syn wire.TCPOptions // of the peer's SYN

	window uint16 // of the peer in the handshake; 0: 60000
}

func newRig(t *testing.T, cfg Config) *rig {
	return &rig{t: t, now: clock.Instant(time.Hour), c: new(TCB), cfg: setup{Config: cfg, MSS: 1460, ISS: 1000}}
}

// segment makes a segment as a peer would send it: payload is so many octets.
func segment(seq, ackno Seq, flags wire.TCPFlags, payload int) *Segment {
	s := &Segment{Seq: seq, Ack: ackno, Flags: flags, Window: 60000, Payload: make([]byte, payload), Len: payload}
	for i := range s.Payload {
		s.Payload[i] = byte(int(seq) + i)
	}
	return s
}

// drain returns what the TCB has to send.
func (r *rig) drain() string {
	r.t.Helper()
	var s []string
	var seg Segment
	for r.c.Next(r.now, &seg) {
		b := make([]byte, seg.Len)
		r.c.Payload(&seg, b)
		s = append(s, brief(&seg))
		if len(s) > 2000 {
			r.t.Fatal("Next does not terminate")
		}
	}
	if msg := checkTCB(r.c); msg != "" {
		r.t.Fatal(msg)
	}
	return strings.Join(s, " ")
}

// brief writes a segment as <SEQ=x><ACK=y><CTL=z>, with the length if it has data.
func brief(seg *Segment) string {
	s := fmt.Sprintf("<SEQ=%d>", seg.Seq)
	if seg.Flags&wire.ACK != 0 {
		s += fmt.Sprintf("<ACK=%d>", seg.Ack)
	}
	s += fmt.Sprintf("<CTL=%s>", flagNames(seg.Flags))
	if seg.Len > 0 {
		s += fmt.Sprintf("<LEN=%d>", seg.Len)
	}
	return s + sackNames(&seg.Options)
}

// arrive gives the TCB a segment and returns what it answers.
func (r *rig) arrive(seq, ackno Seq, flags wire.TCPFlags, payload int) string {
	r.t.Helper()
	return r.arriveSegment(segment(seq, ackno, flags, payload))
}

func (r *rig) arriveSegment(s *Segment) string {
	r.t.Helper()
	r.c.Arrive(r.now, s)
	return r.drain()
}

// pass lets d pass, timers included, and returns what was sent with the time since the beginning of pass.
func (r *rig) pass(d time.Duration) string {
	r.t.Helper()
	var s []string
	start, end := r.now, r.now.Add(d)
	for r.c.Deadline() <= end {
		r.now = max(r.now, r.c.Deadline())
		r.c.Timeout(r.now)
		if out := r.drain(); out != "" {
			s = append(s, fmt.Sprintf("%v %s", r.now.Sub(start), out))
		}
	}
	r.now = end
	return strings.Join(s, "\n")
}

func (r *rig) want(got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Fatalf("sent %q, want %q", got, want)
	}
}

func (r *rig) wantState(s State) {
	r.t.Helper()
	if r.c.State() != s {
		r.t.Fatalf("state %v, want %v", r.c.State(), s)
	}
}

func (r *rig) wantErr(err error) {
	r.t.Helper()
	if r.c.Err() != err {
		r.t.Fatalf("error %v, want %v", r.c.Err(), err)
	}
}

// to brings a new TCB into a state by the ordinary way. The quick ACKs of the beginning are used up.
func (r *rig) to(s State) *rig {
	r.t.Helper()
	switch s {
	case Closed:
		return r
	case SynSent:
		r.c.Connect(r.now, r.cfg.open())
	case SynReceived:
		s := segment(5000, 0, syn, 0)
		s.Options = r.syn
		if r.window > 0 {
			s.Window = r.window
		}
		r.c.Accept(r.now, r.cfg.open(), s)
		r.drain()
	case Established:
		r.to(SynReceived)
		s := segment(5001, 1001, ack, 0)
		if r.window > 0 {
			s.Window = r.window
		}
		r.arriveSegment(s)
		r.c.rcv.quick, r.c.rcv.ato = 0, leastATO
	case FinWait1:
		r.to(Established)
		r.c.Close(r.now)
	case FinWait2:
		r.to(FinWait1)
		r.arrive(5001, 1002, ack, 0)
	case CloseWait:
		r.to(Established)
		r.arrive(5001, 1001, fin|ack, 0)
	case Closing:
		r.to(FinWait1)
		r.arrive(5001, 1001, fin|ack, 0)
	case LastAck:
		r.to(CloseWait)
		r.c.Close(r.now)
	case TimeWait:
		r.to(FinWait2)
		r.arrive(5001, 1002, fin|ack, 0)
	}
	r.drain()
	r.wantState(s)
	return r
}

// event is a row: what happens in a state, and what comes of it.
type event struct {
	state State
	do    func(r *rig) // an event; nil: arrives is one
	seg   *Segment
	want  string
	next  State
	err   error
}

func seg(seq, ackno Seq, flags wire.TCPFlags, payload int) *Segment {
	return segment(seq, ackno, flags, payload)
}

func runEvents(t *testing.T, events []event) {
	for _, e := range events {
		name := e.state.String()
		if e.seg != nil {
			name += " " + brief(e.seg)
		}
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Config{NoTimestamps: true})
			r.to(e.state)
			if e.do != nil {
				e.do(r)
				r.want(r.drain(), e.want)
			} else {
				r.want(r.arriveSegment(e.seg), e.want)
			}
			r.wantState(e.next)
			if e.err != nil || r.c.Err() != nil {
				r.wantErr(e.err)
			}
		})
	}
}

// synchronized are the states of RFC 9293, 3.10.7.4, "Otherwise", with SND.NXT and RCV.NXT as newRig makes them.
var synchronized = []struct {
	s        State
	nxt, rcv Seq
}{
	{Established, 1001, 5001}, {FinWait1, 1002, 5001}, {FinWait2, 1002, 5001}, {CloseWait, 1001, 5002},
	{Closing, 1002, 5002}, {LastAck, 1002, 5002}, {TimeWait, 1002, 5002},
}

// RFC 9293, 3.10.7.1, CLOSED STATE: "all data in the incoming segment is discarded. An incoming segment containing a RST
// is discarded. An incoming segment not containing a RST causes a RST to be sent in response."
func TestArriveClosed(t *testing.T) {
	runEvents(t, []event{
		{Closed, nil, seg(5000, 0, rst, 0), "", Closed, nil},
		{Closed, nil, seg(5000, 77, rst|ack, 0), "", Closed, nil},
		// "If the ACK bit is off, sequence number zero is used, <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>"
		{Closed, nil, seg(5000, 0, syn, 0), "<SEQ=0><ACK=5001><CTL=RST,ACK>", Closed, nil},
		{Closed, nil, seg(5000, 0, syn|fin, 10), "<SEQ=0><ACK=5012><CTL=RST,ACK>", Closed, nil},
		// "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>"
		{Closed, nil, seg(5000, 77, ack, 10), "<SEQ=77><CTL=RST>", Closed, nil},
		{Closed, nil, seg(5000, 77, syn|ack, 0), "<SEQ=77><CTL=RST>", Closed, nil},
	})
}

// RFC 9293, 3.10.7.2, LISTEN STATE.
func TestAccept(t *testing.T) {
	accept := func(s *Segment) func(*rig) { return func(r *rig) { r.c.Accept(r.now, r.cfg.open(), s) } }
	runEvents(t, []event{
		// "First, check for a RST: … An incoming RST should be ignored. Return."
		{Closed, accept(seg(5000, 0, rst|syn, 0)), nil, "", Closed, nil},
		// "Second, check for an ACK: Any acknowledgment is bad if it arrives on a connection still in the LISTEN state. …
		// <SEQ=SEG.ACK><CTL=RST>"
		{Closed, accept(seg(5000, 9, syn|ack, 0)), nil, "<SEQ=9><CTL=RST>", Closed, nil},
		// "Third, check for a SYN: … <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>"
		{Closed, accept(seg(5000, 0, syn, 0)), nil, "<SEQ=1000><ACK=5001><CTL=SYN,ACK>", SynReceived, nil},
		{Closed, accept(seg(5000, 0, syn|fin, 10)), nil, "<SEQ=1000><ACK=5001><CTL=SYN,ACK>", SynReceived, nil},
		// "Fourth, other data or control: This should not be reached. Drop the segment and return."
		{Closed, accept(seg(5000, 0, fin, 10)), nil, "", Closed, nil},
	})
}

// RFC 9293, 3.10.7.3, SYN-SENT STATE.
func TestArriveSynSent(t *testing.T) {
	runEvents(t, []event{
		// "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset (unless the RST bit is set, if so drop the segment and
		// return) <SEQ=SEG.ACK><CTL=RST> and discard the segment. Return."
		{SynSent, nil, seg(5000, 1000, syn|ack, 0), "<SEQ=1000><CTL=RST>", SynSent, nil},
		{SynSent, nil, seg(5000, 1002, syn|ack, 0), "<SEQ=1002><CTL=RST>", SynSent, nil},
		{SynSent, nil, seg(5000, 1002, rst|ack, 0), "", SynSent, nil},
		{SynSent, nil, seg(5000, 900, ack, 10), "<SEQ=900><CTL=RST>", SynSent, nil},
		// "If the ACK was acceptable, then signal to the user "error: connection reset", drop the segment, enter CLOSED
		// state, delete TCB, and return. Otherwise (no ACK), drop the segment and return."
		{SynSent, nil, seg(0, 1001, rst|ack, 0), "", Closed, syscall.ECONNREFUSED},
		{SynSent, nil, seg(0, 0, rst, 0), "", SynSent, nil},
		// "If SND.UNA > ISS (our SYN has been ACKed), change the connection state to ESTABLISHED, form an ACK segment
		// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> and send it."
		{SynSent, nil, seg(5000, 1001, syn|ack, 0), "<SEQ=1001><ACK=5001><CTL=ACK>", Established, nil},
		// "If there are other controls or text in the segment, then continue processing at the sixth step".
		{SynSent, nil, seg(5000, 1001, syn|ack, 10), "<SEQ=1001><ACK=5011><CTL=ACK>", Established, nil},
		{SynSent, nil, seg(5000, 1001, syn|ack|fin, 10), "<SEQ=1001><ACK=5012><CTL=ACK>", CloseWait, nil},
		// "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> and send it."
		{SynSent, nil, seg(5000, 0, syn, 0), "<SEQ=1000><ACK=5001><CTL=SYN,ACK>", SynReceived, nil},
		// "Fifth, if neither of the SYN or RST bits is set, then drop the segment and return."
		{SynSent, nil, seg(5000, 1001, ack, 0), "", SynSent, nil},
		{SynSent, nil, seg(5000, 0, fin, 3), "", SynSent, nil},
	})
}

// RFC 9293, 3.5.1, figure 9: the segment of an old connection is answered with a RST, and the SYN sent again at once; but only
// for the first such segment, which may be forged.
func TestSYNAfterOldConnection(t *testing.T) {
	r := newRig(t, Config{}).to(SynSent)
	r.want(r.arrive(5000, 900, ack, 0), "<SEQ=900><CTL=RST>")
	r.want(r.pass(100*time.Millisecond), "2ms <SEQ=1000><CTL=SYN>")
	r.want(r.arrive(5000, 901, ack, 0), "<SEQ=901><CTL=RST>")
	r.want(r.pass(time.Second), "")
	r.want(r.arrive(7000, 1001, syn|ack, 0), "<SEQ=1001><ACK=7001><CTL=ACK>")
	r.wantState(Established)
}

// RFC 9293, 3.10.7.4, in SYN-RECEIVED.
func TestArriveSynReceived(t *testing.T) {
	active := func(f func(r *rig)) func(*rig) {
		return func(r *rig) {
			r.to(SynSent)
			r.want(r.arrive(5000, 0, syn, 0), "<SEQ=1000><ACK=5001><CTL=SYN,ACK>")
			f(r)
		}
	}
	runEvents(t, []event{
		// "If an incoming segment is not acceptable, an acknowledgment should be sent in reply".
		{SynReceived, nil, seg(4000, 1001, ack, 10), "<SEQ=1001><ACK=5001><CTL=ACK>", SynReceived, nil},
		{SynReceived, nil, seg(4000, 1001, rst, 0), "", SynReceived, nil},
		// The acknowledgment of a SYN that comes again is a SYN,ACK again.
		{SynReceived, nil, seg(5000, 0, syn, 0), "<SEQ=1000><ACK=5001><CTL=SYN,ACK>", SynReceived, nil},
		// "If this connection was initiated with a passive OPEN …, then return this connection to LISTEN state and return.
		// The user need not be informed."
		{SynReceived, nil, seg(5001, 0, rst, 0), "", Closed, syscall.ECONNRESET},
		{SynReceived, nil, seg(5002, 0, rst, 0), "<SEQ=1001><ACK=5001><CTL=ACK>", SynReceived, nil},
		// "If this connection was initiated with an active OPEN …, then the connection was refused; signal the user
		// "connection refused"."
		{Closed, active(func(r *rig) { r.c.Arrive(r.now, segment(5001, 0, rst, 0)) }), nil, "", Closed, syscall.ECONNREFUSED},
		// "Fourth, check the SYN bit: If the connection was initiated with a passive OPEN, then return this connection to the
		// LISTEN state and return. Otherwise, handle per the directions for synchronized states below."
		{SynReceived, nil, seg(5001, 0, syn, 0), "", Closed, syscall.ECONNRESET},
		{Closed, active(func(r *rig) { r.c.Arrive(r.now, segment(5001, 0, syn, 0)) }), nil, "<SEQ=1001><ACK=5001><CTL=ACK>", SynReceived, nil},
		// The SYN again after an active OPEN: it is before the window.
		{Closed, active(func(r *rig) { r.c.Arrive(r.now, segment(5000, 0, syn, 0)) }), nil, "<SEQ=1001><ACK=5001><CTL=ACK>", SynReceived, nil},
		// "if the ACK bit is off, drop the segment and return".
		{SynReceived, nil, seg(5001, 0, 0, 10), "", SynReceived, nil},
		// "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state and continue processing".
		{SynReceived, nil, seg(5001, 1001, ack, 0), "", Established, nil},
		{SynReceived, nil, seg(5001, 1001, ack, 10), "<SEQ=1001><ACK=5011><CTL=ACK>", Established, nil},
		{SynReceived, nil, seg(5001, 1001, ack|fin, 0), "", CloseWait, nil}, // the ACK is delayed
		// "If the segment acknowledgment is not acceptable, form a reset segment <SEQ=SEG.ACK><CTL=RST> and send it."
		{SynReceived, nil, seg(5001, 1000, ack, 0), "<SEQ=1000><CTL=RST>", SynReceived, nil},
		{SynReceived, nil, seg(5001, 1002, ack, 0), "<SEQ=1002><CTL=RST>", SynReceived, nil},
		// Figure 7, line 6: the SYN,ACK of a simultaneous open.
		{Closed, active(func(r *rig) { r.c.Arrive(r.now, segment(5000, 1001, syn|ack, 0)) }), nil, "<SEQ=1001><ACK=5001><CTL=ACK>", Established, nil},
	})
}

// RFC 9293, 3.10.7.4, "First, check sequence number", in all synchronized states.
func TestArriveSequence(t *testing.T) {
	var events []event
	for _, s := range synchronized {
		challenge := fmt.Sprintf("<SEQ=%d><ACK=%d><CTL=ACK>", s.nxt, s.rcv)
		events = append(events,
			// "If an incoming segment is not acceptable, an acknowledgment should be sent in reply (unless the RST bit is set,
			// if so drop the segment and return): <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>"
			event{s.s, nil, seg(s.rcv-100, s.nxt, ack, 50), challenge, s.s, nil},
			event{s.s, nil, seg(s.rcv-100, s.nxt, ack, 0), challenge, s.s, nil},
			event{s.s, nil, seg(s.rcv+2000000, s.nxt, ack, 50), challenge, s.s, nil},
			event{s.s, nil, seg(s.rcv-100, s.nxt, rst, 0), "", s.s, nil},
			event{s.s, nil, seg(s.rcv+2000000, s.nxt, rst, 0), "", s.s, nil},
			// RFC 5961, 3.2: "If the RST bit is set and the sequence number does not exactly match the next expected sequence
			// value, yet is within the current receive window, … TCP MUST send an acknowledgment (challenge ACK)".
			event{s.s, nil, seg(s.rcv+1, 0, rst, 0), challenge, s.s, nil},
			// "… if the SYN bit is set, irrespective of the sequence number, TCP endpoints MUST send a "challenge ACK"".
			event{s.s, nil, seg(s.rcv, s.nxt, syn, 0), challenge, s.s, nil},
			event{s.s, nil, seg(s.rcv-1, s.nxt, syn|ack, 0), challenge, s.s, nil},
			event{s.s, nil, seg(s.rcv+9999999, s.nxt, syn, 0), challenge, s.s, nil},
			// "if the ACK bit is off, drop the segment and return".
			event{s.s, nil, seg(s.rcv, 0, 0, 10), "", s.s, nil},
			event{s.s, nil, seg(s.rcv, 0, fin, 0), "", s.s, nil},
			// "If the ACK acks something not yet sent (SEG.ACK > SND.NXT), then send an ACK, drop the segment, and return."
			event{s.s, nil, seg(s.rcv, s.nxt+1, ack, 10), challenge, s.s, nil},
			// RFC 5961, 5.2: "The ACK value is considered acceptable only if it is in the range of ((SND.UNA - MAX.SND.WND) <= SEG.ACK <=
			// SND.NXT)".
			event{s.s, nil, seg(s.rcv, s.nxt-60002, ack, 10), challenge, s.s, nil},
		)
	}
	runEvents(t, events)
}

// RFC 9293, 3.10.7.4, "Second, check the RST bit": "If the RST bit is set and the sequence number exactly matches the next
// expected sequence number (RCV.NXT), then TCP endpoints MUST reset the connection in the manner prescribed below".
func TestArriveReset(t *testing.T) {
	var events []event
	for _, s := range synchronized {
		// "… any outstanding RECEIVEs and SEND should receive "reset" responses …"
		var err error = syscall.ECONNRESET
		if s.s == CloseWait {
			err = syscall.EPIPE // nothing more can be received; it is sending that fails
		}
		if s.s == Closing || s.s == LastAck || s.s == TimeWait {
			err = nil // "If the RST bit is set, then enter the CLOSED state, delete the TCB, and return."
		}
		events = append(events, event{s.s, nil, seg(s.rcv, 0, rst, 0), "", Closed, err},
			event{s.s, nil, seg(s.rcv, s.nxt, rst|ack, 0), "", Closed, err})
	}
	runEvents(t, events)
}

// RFC 9293, 3.10.7.4, "Fifth, check the ACK field", "Seventh, process the segment text" and "Eighth, check the FIN bit".
func TestArriveTextAndFIN(t *testing.T) {
	runEvents(t, []event{
		// "if the FIN segment is now acknowledged, then enter FIN-WAIT-2".
		{FinWait1, nil, seg(5001, 1002, ack, 0), "", FinWait2, nil},
		{FinWait1, nil, seg(5001, 1001, ack, 0), "", FinWait1, nil},
		// "CLOSING STATE: … if the ACK acknowledges our FIN, then enter the TIME-WAIT state; otherwise, ignore the segment."
		{Closing, nil, seg(5002, 1002, ack, 0), "", TimeWait, nil},
		{Closing, nil, seg(5002, 1001, ack, 0), "", Closing, nil},
		// "LAST-ACK STATE: … If our FIN is now acknowledged, delete the TCB, enter the CLOSED state, and return."
		{LastAck, nil, seg(5002, 1002, ack, 0), "", Closed, nil},
		{LastAck, nil, seg(5002, 1001, ack, 0), "", LastAck, nil},
		// "TIME-WAIT STATE: The only thing that can arrive in this state is a retransmission of the remote FIN. Acknowledge
		// it, and restart the 2 MSL timeout."
		{TimeWait, nil, seg(5001, 1002, fin|ack, 0), "<SEQ=1002><ACK=5002><CTL=ACK>", TimeWait, nil},
		// "Once in the ESTABLISHED state, it is possible to deliver segment data to user RECEIVE buffers." Two segments of the
		// full size are acknowledged at once; the one here is the largest so far, and waits.
		{Established, nil, seg(5001, 1001, ack|psh, 10), "", Established, nil},
		{FinWait1, nil, seg(5001, 1001, ack, 10), "", FinWait1, nil},
		{FinWait2, nil, seg(5001, 1002, ack, 10), "", FinWait2, nil},
		// "CLOSE-WAIT STATE …: This should not occur since a FIN has been received from the remote side. Ignore the segment
		// text."
		{CloseWait, nil, seg(5002, 1001, ack, 10), "", CloseWait, nil},
		{TimeWait, nil, seg(5002, 1002, ack, 10), "<SEQ=1002><ACK=5002><CTL=ACK>", TimeWait, nil},
		// A segment out of order: RFC 5681, 3.2: "an immediate duplicate ACK".
		{Established, nil, seg(5011, 1001, ack, 10), "<SEQ=1001><ACK=5001><CTL=ACK>", Established, nil},
		// "If a segment's contents straddle the boundary between old and new, only the new parts are processed."
		{Established, nil, seg(4991, 1001, ack, 20), "", Established, nil},
		// "SYN-RECEIVED STATE, ESTABLISHED STATE: Enter the CLOSE-WAIT state."
		// Its ACK may wait for what the user says to it: RFC 9293, 3.8.6.3.
		{Established, nil, seg(5001, 1001, fin|ack, 0), "", CloseWait, nil},
		{Established, nil, seg(5001, 1001, fin|ack, 7), "", CloseWait, nil},
		// A FIN out of order waits.
		{Established, nil, seg(5002, 1001, fin|ack, 7), "<SEQ=1001><ACK=5001><CTL=ACK>", Established, nil},
		// "FIN-WAIT-1 STATE: If our FIN has been ACKed (perhaps in this segment), then enter TIME-WAIT, start the time-wait
		// timer, turn off the other timers; otherwise, enter the CLOSING state."
		{FinWait1, nil, seg(5001, 1002, fin|ack, 0), "<SEQ=1002><ACK=5002><CTL=ACK>", TimeWait, nil},
		{FinWait1, nil, seg(5001, 1001, fin|ack, 0), "<SEQ=1002><ACK=5002><CTL=ACK>", Closing, nil},
		// "FIN-WAIT-2 STATE: Enter the TIME-WAIT state."
		{FinWait2, nil, seg(5001, 1002, fin|ack, 9), "<SEQ=1002><ACK=5011><CTL=ACK>", TimeWait, nil},
		// "CLOSE-WAIT STATE: Remain in the CLOSE-WAIT state.", and so on: the FIN again.
		{CloseWait, nil, seg(5001, 1001, fin|ack, 0), "<SEQ=1001><ACK=5002><CTL=ACK>", CloseWait, nil},
		{Closing, nil, seg(5001, 1001, fin|ack, 0), "<SEQ=1002><ACK=5002><CTL=ACK>", Closing, nil},
		{LastAck, nil, seg(5001, 1001, fin|ack, 0), "<SEQ=1002><ACK=5002><CTL=ACK>", LastAck, nil},
	})
}

// RFC 9293, 3.10.4, the CLOSE call.
func TestClose(t *testing.T) {
	do := func(r *rig) { r.c.Close(r.now) }
	sendAndClose := func(r *rig) {
		if n, err := r.c.Send(r.now, make([]byte, 10)); n != 10 || err != nil {
			r.t.Fatalf("Send: %d, %v", n, err)
		}
		r.c.Close(r.now)
		if _, err := r.c.Send(r.now, make([]byte, 10)); err != syscall.EPIPE {
			r.t.Fatalf("Send after Close: %v, want EPIPE", err)
		}
	}
	runEvents(t, []event{
		{Closed, do, nil, "", Closed, nil},
		// "Delete the TCB and return "error: closing" responses to any queued SENDs, or RECEIVEs."
		{SynSent, do, nil, "", Closed, syscall.ECONNABORTED},
		// "… otherwise, queue for processing after entering ESTABLISHED state."
		{SynReceived, func(r *rig) {
			sendAndClose(r)
			r.want(r.drain(), "")
			r.c.Arrive(r.now, segment(5001, 1001, ack, 0))
		}, nil, "<SEQ=1001><ACK=5001><CTL=FIN,PSH,ACK><LEN=10>", FinWait1, nil},
		// "Queue this until all preceding SENDs have been segmentized, then form a FIN segment and send it. In any case,
		// enter FIN-WAIT-1 state."
		{Established, do, nil, "<SEQ=1001><ACK=5001><CTL=FIN,ACK>", FinWait1, nil},
		{Established, sendAndClose, nil, "<SEQ=1001><ACK=5001><CTL=FIN,PSH,ACK><LEN=10>", FinWait1, nil},
		// "An "ok" response would be acceptable, too, as long as a second FIN is not emitted".
		{FinWait1, do, nil, "", FinWait1, nil},
		{FinWait2, do, nil, "", FinWait2, nil},
		// "Queue this request until all preceding SENDs have been segmentized; then send a FIN segment, enter LAST-ACK state."
		{CloseWait, do, nil, "<SEQ=1001><ACK=5002><CTL=FIN,ACK>", LastAck, nil},
		{CloseWait, sendAndClose, nil, "<SEQ=1001><ACK=5002><CTL=FIN,PSH,ACK><LEN=10>", LastAck, nil},
		// "Respond with "error: connection closing"."
		{Closing, do, nil, "", Closing, nil},
		{LastAck, do, nil, "", LastAck, nil},
		{TimeWait, do, nil, "", TimeWait, nil},
	})
}

// RFC 9293, 3.10.5, the ABORT call.
func TestAbort(t *testing.T) {
	do := func(r *rig) {
		if r.c.sending() {
			r.c.Send(r.now, make([]byte, 10))
		}
		r.c.Abort(r.now)
	}
	runEvents(t, []event{
		{Closed, do, nil, "", Closed, nil},
		{SynSent, do, nil, "", Closed, syscall.ECONNABORTED},
		// "Send a reset segment: <SEQ=SND.NXT><CTL=RST>".
		{SynReceived, do, nil, "<SEQ=1001><ACK=5001><CTL=RST,ACK>", Closed, syscall.ECONNABORTED},
		{Established, do, nil, "<SEQ=1001><ACK=5001><CTL=RST,ACK>", Closed, syscall.ECONNABORTED},
		{FinWait1, do, nil, "<SEQ=1002><ACK=5001><CTL=RST,ACK>", Closed, syscall.ECONNABORTED},
		{FinWait2, do, nil, "<SEQ=1002><ACK=5001><CTL=RST,ACK>", Closed, syscall.ECONNABORTED},
		{CloseWait, do, nil, "<SEQ=1001><ACK=5002><CTL=RST,ACK>", Closed, syscall.ECONNABORTED},
		// "Respond with "ok" and delete the TCB, enter CLOSED state, and return."
		{Closing, do, nil, "", Closed, syscall.ECONNABORTED},
		{LastAck, do, nil, "", Closed, syscall.ECONNABORTED},
		{TimeWait, do, nil, "", Closed, syscall.ECONNABORTED},
	})
}

// RFC 9293, 3.10.2 and 3.10.3, the SEND and RECEIVE calls, in each state.
func TestSendReceiveInStates(t *testing.T) {
	for _, tc := range []struct {
		s           State
		send        error // nil: taken
		receive     error // nil: nothing yet
		writeable   bool
		readable    bool
		established bool
	}{
		{Closed, syscall.ENOTCONN, syscall.ENOTCONN, true, true, false},
		// "Queue the data for transmission after entering ESTABLISHED state."
		{SynSent, nil, nil, true, false, false},
		{SynReceived, nil, nil, true, false, false},
		{Established, nil, nil, true, false, true},
		// "Return "error: connection closing" and do not service request."
		{FinWait1, syscall.EPIPE, nil, true, false, true},
		{FinWait2, syscall.EPIPE, nil, true, false, true},
		// "If no text is awaiting delivery, the RECEIVE will get an "error: connection closing" response."
		{CloseWait, nil, io.EOF, true, true, true},
		{Closing, syscall.EPIPE, io.EOF, true, true, true},
		{LastAck, syscall.EPIPE, io.EOF, true, true, true},
		{TimeWait, syscall.EPIPE, io.EOF, true, true, true},
	} {
		t.Run(tc.s.String(), func(t *testing.T) {
			c := newRig(t, Config{}).to(tc.s).c
			if c.Writable() != tc.writeable || c.Readable() != tc.readable || c.Established() != tc.established {
				t.Errorf("writable %v, readable %v, established %v", c.Writable(), c.Readable(), c.Established())
			}
			n, err := c.Send(0, make([]byte, 5))
			if err != tc.send || (err == nil) != (n == 5) {
				t.Errorf("Send: %d, %v, want error %v", n, err, tc.send)
			}
			n, err = c.Receive(0, make([]byte, 5))
			if n != 0 || err != tc.receive {
				t.Errorf("Receive: %d, %v, want error %v", n, err, tc.receive)
			}
		})
	}
	if State(200).String() != "unknown" || TimeWait.String() != "TIME-WAIT" {
		t.Error("state names")
	}
}

// A TCB is opened once.
func TestOpenTwice(t *testing.T) {
	r := newRig(t, Config{}).to(Established)
	r.c.Connect(r.now, r.cfg.open())
	r.c.Accept(r.now, r.cfg.open(), segment(1, 0, syn, 0))
	r.wantState(Established)
	r.want(r.drain(), "")
}
