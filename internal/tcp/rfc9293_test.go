package tcp

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// RFC 9293, 3.10, event by event: one row for each state and event, with the sentence that tells what comes of it. A TCB is
// never in LISTEN: Accept is that state's SEGMENT ARRIVES, in TestAccept.

// rule is a row for one event: what it does in some states.
type rule struct {
	states string // by their letters in stateLetters, in that order
	says   string // the sentence
	want   string // what is sent, without SEQ, ACK and LEN where they are SND.NXT, RCV.NXT and none; "" for nothing
	next   State  // Listen: the state stays
	err    error  // what the user's call returns, or the connection dies of
}

// happening is an event and its rules.
type happening struct {
	event string
	do    func(r *rig) error
	rules []rule
}

// stateLetters name the states in a rule: Closed, Sent, Received, Established, Fin-wait-1, fin-wait-2 (G), close-Wait, closIng,
// Last-ack, Time-wait.
const stateLetters = "CSREFGWILT"

var lettered = map[rune]State{'C': Closed, 'S': SynSent, 'R': SynReceived, 'E': Established, 'F': FinWait1, 'G': FinWait2,
	'W': CloseWait, 'I': Closing, 'L': LastAck, 'T': TimeWait}

// stay is the next state of who stays.
const stay = Listen

// arriving returns an event: a segment that comes, made for the TCB as it is.
func arriving(make func(c *TCB) *Segment) func(r *rig) error {
	return func(r *rig) error {
		r.c.Arrive(r.now, make(r.c))
		return r.c.Err()
	}
}

// in returns an event: a segment without text, of these flags, off octets behind RCV.NXT, that acknowledges up to ackOff
// octets behind SND.NXT.
func in(flags wire.TCPFlags, off, ackOff, text int) func(r *rig) error {
	return arriving(func(c *TCB) *Segment {
		return segment(c.rcv.nxt.Add(off), c.snd.nxt.Add(ackOff), flags, text)
	})
}

var happenings = []happening{
	// 3.10.1
	{"OPEN", func(r *rig) error { r.c.Connect(r.now, r.cfg.open()); return r.c.Err() }, []rule{
		{"C", "issue a SYN segment … A SYN segment of the form <SEQ=ISS><CTL=SYN> is sent. … enter SYN-SENT state", "<SEQ=1000><CTL=SYN>", SynSent, nil},
		{"SREFGWILT", "Return \"error: connection already exists\".", "", stay, nil},
	}},
	// 3.10.2
	{"SEND", func(r *rig) error { _, err := r.c.Send(r.now, []byte("text")); return err }, []rule{
		{"C", "return \"error: connection does not exist\"", "", stay, syscall.ENOTCONN},
		{"SR", "Queue the data for transmission after entering ESTABLISHED state.", "", stay, nil},
		{"EW", "Segmentize the buffer and send it with a piggybacked acknowledgment (acknowledgment value = RCV.NXT).", "<CTL=PSH,ACK><LEN=4>", stay, nil},
		{"FGILT", "Return \"error: connection closing\" and do not service request.", "", stay, syscall.EPIPE},
	}},
	// 3.10.3
	{"RECEIVE", func(r *rig) error { _, err := r.c.Receive(r.now, make([]byte, 4)); return err }, []rule{
		{"C", "return \"error: connection does not exist\"", "", stay, syscall.ENOTCONN},
		{"SR", "Queue for processing after entering ESTABLISHED state.", "", stay, nil},
		{"EFG", "If insufficient incoming segments are queued to satisfy the request, queue the request.", "", stay, nil},
		{"W", "If no text is awaiting delivery, the RECEIVE will get an \"error: connection closing\" response.", "", stay, io.EOF},
		{"ILT", "Return \"error: connection closing\".", "", stay, io.EOF},
	}},
	// 3.10.4
	{"CLOSE", func(r *rig) error { r.c.Close(r.now); return r.c.Err() }, []rule{
		{"C", "return \"error: connection does not exist\"", "", stay, nil},
		{"S", "Delete the TCB and return \"error: closing\" responses to any queued SENDs, or RECEIVEs.", "", Closed, syscall.ECONNABORTED},
		{"R", "queue for processing after entering ESTABLISHED state", "", stay, nil},
		{"E", "Queue this until all preceding SENDs have been segmentized, then form a FIN segment and send it. In any case, enter FIN-WAIT-1 state.", "<CTL=FIN,ACK>", FinWait1, nil},
		{"FG", "An \"ok\" response would be acceptable, too, as long as a second FIN is not emitted", "", stay, nil},
		{"W", "Queue this request until all preceding SENDs have been segmentized; then send a FIN segment, enter LAST-ACK state.", "<CTL=FIN,ACK>", LastAck, nil},
		{"ILT", "Respond with \"error: connection closing\".", "", stay, nil},
	}},
	// 3.10.5
	{"ABORT", func(r *rig) error { r.c.Abort(r.now); return r.c.Err() }, []rule{
		{"C", "return \"error: connection does not exist\"", "", stay, nil},
		{"S", "All queued SENDs and RECEIVEs should be given \"connection reset\" notification. Delete the TCB, enter CLOSED state, and return.", "", Closed, syscall.ECONNABORTED},
		{"REFGW", "Send a reset segment: <SEQ=SND.NXT><CTL=RST>", "<CTL=RST,ACK>", Closed, syscall.ECONNABORTED},
		{"ILT", "Respond with \"ok\" and delete the TCB, enter CLOSED state, and return.", "", Closed, syscall.ECONNABORTED},
	}},
	// 3.10.6
	{"STATUS", func(r *rig) error {
		if i := r.c.Info(r.now); i.State != r.c.State() {
			return fmt.Errorf("state = %v", i.State)
		}
		return nil
	}, []rule{
		{"C", "return \"error: connection does not exist\"", "", stay, nil},
		{"SREFGWILT", "Return \"state = … and the TCB pointer.", "", stay, nil},
	}},
	// 3.10.7.1, 3.10.7.3, 3.10.7.4, first
	{"a segment before the window", in(ack, -50, 0, 10), []rule{
		{"C", "An incoming segment not containing a RST causes a RST to be sent in response.", "<SEQ=0><CTL=RST>", stay, nil},
		{"S", "if neither of the SYN or RST bits is set, then drop the segment and return", "", stay, nil},
		{"REFGWILT", "If an incoming segment is not acceptable, an acknowledgment should be sent in reply", "<CTL=ACK>", stay, nil},
	}},
	{"a segment behind the window", in(ack, 1<<21, 0, 10), []rule{
		{"C", "An incoming segment not containing a RST causes a RST to be sent in response.", "<SEQ=0><CTL=RST>", stay, nil},
		{"S", "if neither of the SYN or RST bits is set, then drop the segment and return", "", stay, nil},
		{"REFGWILT", "If an incoming segment is not acceptable, an acknowledgment should be sent in reply", "<CTL=ACK>", stay, nil},
	}},
	// second
	{"RST outside the window", in(rst, 1<<21, 0, 0), []rule{
		{"C", "An incoming segment containing a RST is discarded.", "", stay, nil},
		{"S", "Otherwise (no ACK), drop the segment and return.", "", stay, nil},
		{"REFGWILT", "If the RST bit is set and the sequence number is outside the current receive window, silently drop the segment.", "", stay, nil},
	}},
	{"RST in the window", in(rst, 1, 0, 0), []rule{
		{"C", "An incoming segment containing a RST is discarded.", "", stay, nil},
		{"S", "Otherwise (no ACK), drop the segment and return.", "", stay, nil},
		{"REFGWILT", "If the RST bit is set and the sequence number does not exactly match the next expected sequence value, yet is within the current receive window, TCP endpoints MUST send an acknowledgment (challenge ACK)", "<CTL=ACK>", stay, nil},
	}},
	{"RST", in(rst|ack, 0, 0, 0), []rule{
		{"C", "An incoming segment containing a RST is discarded.", "", stay, nil},
		{"S", "If the ACK was acceptable, then signal to the user \"error: connection reset\", drop the segment, enter CLOSED state, delete TCB, and return.", "", Closed, syscall.ECONNREFUSED},
		{"R", "If this connection was initiated with a passive OPEN (i.e., came from the LISTEN state), then return this connection to LISTEN state and return.", "", Closed, syscall.ECONNRESET},
		{"EFG", "any outstanding RECEIVEs and SEND should receive \"reset\" responses", "", Closed, syscall.ECONNRESET},
		{"W", "any outstanding RECEIVEs and SEND should receive \"reset\" responses", "", Closed, syscall.EPIPE},
		{"ILT", "If the RST bit is set, then enter the CLOSED state, delete the TCB, and return.", "", Closed, nil},
	}},
	{"RST with text", in(rst|ack, 0, 0, 30), []rule{
		{"C", "An incoming segment containing a RST is discarded.", "", stay, nil},
		{"S", "If the ACK was acceptable, then signal to the user \"error: connection reset\"", "", Closed, syscall.ECONNREFUSED},
		{"R", "return this connection to LISTEN state and return", "", Closed, syscall.ECONNRESET},
		{"EFG", "TCP implementations SHOULD allow a received RST segment to include data (SHLD-2).", "", Closed, syscall.ECONNRESET},
		{"W", "TCP implementations SHOULD allow a received RST segment to include data (SHLD-2).", "", Closed, syscall.EPIPE},
		{"ILT", "TCP implementations SHOULD allow a received RST segment to include data (SHLD-2).", "", Closed, nil},
	}},
	// fourth
	{"SYN in the window", in(syn, 0, 0, 0), []rule{
		{"C", "If the ACK bit is off, sequence number zero is used, <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>", "<SEQ=0><ACK=1><CTL=RST,ACK>", stay, nil},
		{"S", "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> and send it.", "<SEQ=1000><ACK=1><CTL=SYN,ACK>", SynReceived, nil},
		{"R", "If the connection was initiated with a passive OPEN, then return this connection to the LISTEN state and return.", "", Closed, syscall.ECONNRESET},
		{"EFGWILT", "if the SYN bit is set, irrespective of the sequence number, TCP endpoints MUST send a \"challenge ACK\" to the remote peer", "<CTL=ACK>", stay, nil},
	}},
	{"SYN outside the window", in(syn, -9999, 0, 0), []rule{
		{"C", "<SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>", "<SEQ=0><ACK=4294957298><CTL=RST,ACK>", stay, nil},
		{"S", "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> and send it.", "<SEQ=1000><ACK=4294957298><CTL=SYN,ACK>", SynReceived, nil},
		{"R", "If an incoming segment is not acceptable, an acknowledgment should be sent in reply", "<CTL=ACK>", stay, nil},
		{"EFGWILT", "if the SYN bit is set, irrespective of the sequence number, TCP endpoints MUST send a \"challenge ACK\" to the remote peer", "<CTL=ACK>", stay, nil},
	}},
	{"SYN,ACK", in(syn|ack, 0, 0, 0), []rule{
		{"C", "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>", "<SEQ=0><CTL=RST>", stay, nil},
		{"S", "If SND.UNA > ISS (our SYN has been ACKed), change the connection state to ESTABLISHED, form an ACK segment <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> and send it.", "<ACK=1><CTL=ACK>", Established, nil},
		{"R", "return this connection to the LISTEN state and return", "", Closed, syscall.ECONNRESET},
		{"EFGWILT", "TCP endpoints MUST send a \"challenge ACK\" to the remote peer", "<CTL=ACK>", stay, nil},
	}},
	// fifth
	{"no ACK", in(0, 0, 0, 10), []rule{
		{"C", "If the ACK bit is off, sequence number zero is used", "<SEQ=0><ACK=10><CTL=RST,ACK>", stay, nil},
		{"S", "if neither of the SYN or RST bits is set, then drop the segment and return", "", stay, nil},
		{"REFGWILT", "if the ACK bit is off, drop the segment and return", "", stay, nil},
	}},
	{"ACK of what was not sent", in(ack, 0, 1, 0), []rule{
		{"C", "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>", "<SEQ=1><CTL=RST>", stay, nil},
		{"S", "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset", "<SEQ=1002><CTL=RST>", stay, nil},
		{"R", "If the segment acknowledgment is not acceptable, form a reset segment <SEQ=SEG.ACK><CTL=RST>", "<SEQ=1002><CTL=RST>", stay, nil},
		{"EFGWILT", "If the ACK acks something not yet sent (SEG.ACK > SND.NXT), then send an ACK, drop the segment, and return.", "<CTL=ACK>", stay, nil},
	}},
	{"ACK of long ago", in(ack, 0, -60100, 0), []rule{
		{"C", "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>", "<SEQ=4294907196><CTL=RST>", stay, nil},
		{"SR", "<SEQ=SEG.ACK><CTL=RST>", "<SEQ=4294908197><CTL=RST>", stay, nil},
		{"EFGWILT", "All incoming segments whose ACK value doesn't satisfy the above condition MUST be discarded and an ACK sent back.", "<CTL=ACK>", stay, nil},
	}},
	{"duplicate ACK", in(ack, 0, -1, 0), []rule{
		{"C", "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>", "<SEQ=4294967295><CTL=RST>", stay, nil},
		{"SR", "<SEQ=SEG.ACK><CTL=RST>", "<SEQ=1000><CTL=RST>", stay, nil},
		{"FGILT", "If the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be ignored.", "", stay, nil},
		// Our own SYN is a number that no later ACK may stand before.
		{"EW", "the ACK value is acceptable only if it is in the range of ((SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT)", "<CTL=ACK>", stay, nil},
	}},
	{"ACK of all", in(ack, 0, 0, 0), []rule{
		{"C", "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>", "<SEQ=0><CTL=RST>", stay, nil},
		{"S", "if neither of the SYN or RST bits is set, then drop the segment and return", "", stay, nil},
		{"R", "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state and continue processing", "", Established, nil},
		{"EGW", "If the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be ignored.", "", stay, nil},
		{"F", "if the FIN segment is now acknowledged, then enter FIN-WAIT-2 and continue processing in that state", "", FinWait2, nil},
		{"I", "if the ACK acknowledges our FIN, then enter the TIME-WAIT state; otherwise, ignore the segment", "", TimeWait, nil},
		{"L", "If our FIN is now acknowledged, delete the TCB, enter the CLOSED state, and return.", "", Closed, nil},
		{"T", "The only thing that can arrive in this state is a retransmission of the remote FIN.", "", stay, nil},
	}},
	// sixth
	{"URG", arriving(func(c *TCB) *Segment {
		s := segment(c.rcv.nxt, c.snd.nxt, ack|wire.URG, 0)
		s.Urgent = 5
		return s
	}), []rule{
		{"C", "If the ACK bit is on, <SEQ=SEG.ACK><CTL=RST>", "<SEQ=0><CTL=RST>", stay, nil},
		{"S", "if neither of the SYN or RST bits is set, then drop the segment and return", "", stay, nil},
		{"R", "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state and continue processing", "", Established, nil},
		{"EG", "If the URG bit is set, RCV.UP <- max(RCV.UP,SEG.UP), and signal the user", "", stay, nil},
		{"F", "If the URG bit is set, RCV.UP <- max(RCV.UP,SEG.UP), and signal the user", "", FinWait2, nil},
		{"WT", "This should not occur since a FIN has been received from the remote side. Ignore the URG.", "", stay, nil},
		{"I", "Ignore the URG.", "", TimeWait, nil},
		{"L", "Ignore the URG.", "", Closed, nil},
	}},
	// seventh
	{"text", in(ack, 0, 0, 3000), []rule{
		{"C", "all data in the incoming segment is discarded", "<SEQ=0><CTL=RST>", stay, nil},
		{"S", "if neither of the SYN or RST bits is set, then drop the segment and return", "", stay, nil},
		{"R", "Send an acknowledgment of the form: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>", "<ACK=+3000><CTL=ACK>", Established, nil},
		{"EG", "advances RCV.NXT over the data accepted", "<ACK=+3000><CTL=ACK>", stay, nil},
		{"F", "advances RCV.NXT over the data accepted", "<ACK=+3000><CTL=ACK>", FinWait2, nil},
		{"W", "This should not occur since a FIN has been received from the remote side. Ignore the segment text.", "", stay, nil},
		{"T", "This should not occur since a FIN has been received from the remote side. Ignore the segment text.", "<CTL=ACK>", stay, nil},
		{"I", "if the ACK acknowledges our FIN, then enter the TIME-WAIT state", "", TimeWait, nil},
		{"L", "If our FIN is now acknowledged, delete the TCB, enter the CLOSED state, and return.", "", Closed, nil},
	}},
	{"text out of order", in(ack, 10, 0, 10), []rule{
		{"C", "all data in the incoming segment is discarded", "<SEQ=0><CTL=RST>", stay, nil},
		{"S", "if neither of the SYN or RST bits is set, then drop the segment and return", "", stay, nil},
		{"R", "Segments with higher beginning sequence numbers SHOULD be held for later processing (SHLD-31).", "<CTL=ACK>", Established, nil},
		{"EG", "A TCP implementation MAY send an ACK segment acknowledging RCV.NXT when a valid segment arrives that is in the window but not at the left window edge (MAY-13).", "<CTL=ACK>", stay, nil},
		{"F", "Segments with higher beginning sequence numbers SHOULD be held for later processing (SHLD-31).", "<CTL=ACK>", FinWait2, nil},
		{"W", "Ignore the segment text.", "", stay, nil},
		{"T", "Ignore the segment text.", "<CTL=ACK>", stay, nil},
		{"I", "if the ACK acknowledges our FIN, then enter the TIME-WAIT state", "", TimeWait, nil},
		{"L", "If our FIN is now acknowledged, delete the TCB, enter the CLOSED state, and return.", "", Closed, nil},
	}},
	// eighth
	{"FIN", in(fin|ack, 0, 0, 0), []rule{
		{"C", "Do not process the FIN if the state is CLOSED, LISTEN, or SYN-SENT since the SEG.SEQ cannot be validated; drop the segment and return.", "<SEQ=0><CTL=RST>", stay, nil},
		{"S", "Do not process the FIN if the state is CLOSED, LISTEN, or SYN-SENT since the SEG.SEQ cannot be validated; drop the segment and return.", "", stay, nil},
		// 3.8.6.3: "A TCP endpoint SHOULD implement a delayed ACK (SHLD-18)": the user's last words may carry it.
		{"RE", "Enter the CLOSE-WAIT state.", "", CloseWait, nil},
		{"FG", "If our FIN has been ACKed (perhaps in this segment), then enter TIME-WAIT, start the time-wait timer, turn off the other timers", "<ACK=+1><CTL=ACK>", TimeWait, nil},
		// A second FIN, behind the first, is nothing that a peer sends.
		{"W", "Remain in the CLOSE-WAIT state.", "", stay, nil},
		{"T", "Remain in the TIME-WAIT state.", "<CTL=ACK>", stay, nil},
		{"I", "if the ACK acknowledges our FIN, then enter the TIME-WAIT state", "", TimeWait, nil},
		{"L", "If our FIN is now acknowledged, delete the TCB, enter the CLOSED state, and return.", "", Closed, nil},
	}},
	{"the FIN again", in(fin|ack, -1, -1, 0), []rule{
		{"C", "Do not process the FIN if the state is CLOSED, LISTEN, or SYN-SENT", "<SEQ=4294967295><CTL=RST>", stay, nil},
		{"S", "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset", "<SEQ=1000><CTL=RST>", stay, nil},
		{"REFG", "If an incoming segment is not acceptable, an acknowledgment should be sent in reply", "<CTL=ACK>", stay, nil},
		{"W", "Remain in the CLOSE-WAIT state.", "<CTL=ACK>", stay, nil},
		{"I", "Remain in the CLOSING state.", "<CTL=ACK>", stay, nil},
		{"L", "Remain in the LAST-ACK state.", "<CTL=ACK>", stay, nil},
		{"T", "Remain in the TIME-WAIT state. Restart the 2 MSL time-wait timeout.", "<CTL=ACK>", stay, nil},
	}},
	// 3.10.8
	{"USER TIMEOUT", func(r *rig) error {
		if r.c.cfg == nil {
			return nil
		}
		change(r.c, r.now, func(cfg *Config) { cfg.UserTimeout = 30 * time.Second })
		r.c.Send(r.now, []byte("text"))
		r.drain()
		for end := r.now.Add(40 * time.Second); r.c.Deadline() < end; r.drain() {
			r.now = r.c.Deadline()
			r.c.Timeout(r.now)
		}
		return r.c.Err()
	}, []rule{
		{"C", "(there is no TCB)", "", stay, nil},
		{"SREFWIL", "if the user timeout expires, flush all queues, signal the user \"error: connection aborted due to user timeout\" in general and for any outstanding calls, delete the TCB, enter the CLOSED state, and return", "", Closed, syscall.ETIMEDOUT},
		{"GT", "(nothing is outstanding)", "", stay, nil},
	}},
	{"RETRANSMISSION TIMEOUT", func(r *rig) error {
		if d := r.c.Deadline(); d != clock.Never && !r.c.board.empty() || !r.c.state.synchronized() && d != clock.Never {
			r.now = max(r.now.Add(time.Second), d)
			r.c.Timeout(r.now)
			if r.c.timers[rexmtTimer] == clock.Never {
				return fmt.Errorf("the timer is off")
			}
		}
		return r.c.Err()
	}, []rule{
		{"C", "(there is no TCB)", "", stay, nil},
		{"S", "send the segment at the front of the retransmission queue again, reinitialize the retransmission timer, and return", "<SEQ=1000><CTL=SYN>", stay, nil},
		{"R", "send the segment at the front of the retransmission queue again", "<SEQ=1000><CTL=SYN,ACK>", stay, nil},
		{"FIL", "send the segment at the front of the retransmission queue again", "<SEQ=-1><CTL=FIN,ACK>", stay, nil},
		{"EGWT", "(nothing is in flight)", "", stay, nil},
	}},
	{"TIME-WAIT TIMEOUT", func(r *rig) error {
		if r.c.State() == TimeWait {
			r.pass(2 * 30 * time.Second)
		}
		return r.c.Err()
	}, []rule{
		{"CSREFGWIL", "(it does not run)", "", stay, nil},
		{"T", "If the time-wait timeout expires on a connection, delete the TCB, enter the CLOSED state, and return.", "", Closed, nil},
	}},
}

func TestRFC9293(t *testing.T) {
	for _, h := range happenings {
		states := ""
		for _, rule := range h.rules {
			states += rule.states
			for _, letter := range rule.states {
				s := lettered[letter]
				t.Run(h.event+"/"+s.String(), func(t *testing.T) { rule.check(t, h.do, s) })
			}
		}
		for _, letter := range stateLetters {
			if strings.Count(states, string(letter)) != 1 {
				t.Errorf("%s in %v: %d rows", h.event, lettered[letter], strings.Count(states, string(letter)))
			}
		}
	}
}

// check has the event happen in state s.
func (rule *rule) check(t *testing.T, do func(r *rig) error, s State) {
	r := newRig(t, Config{NoTimestamps: true}).to(s)
	nxt, rcv := r.c.snd.nxt, r.c.rcv.nxt
	err := do(r)
	if got := relative(r.drain(), nxt, rcv); got != rule.want {
		t.Errorf("%q: sent %q, want %q", rule.says, got, rule.want)
	}
	next := rule.next
	if next == stay {
		next = s
	}
	if r.c.State() != next || err != rule.err {
		t.Errorf("%q: %v, %v, want %v, %v", rule.says, r.c.State(), err, next, rule.err)
	}
}

var fields = regexp.MustCompile("<(SEQ|ACK)=([0-9]+)>")

// relative writes segments as rules do: SEQ is left out if it is SND.NXT as it was before, and is -1 for the FIN before it;
// ACK is left out if it is RCV.NXT, and told by how much it is behind.
func relative(s string, nxt, rcv Seq) string {
	return fields.ReplaceAllStringFunc(s, func(f string) string {
		var n uint32
		fmt.Sscanf(f[5:], "%d", &n)
		off := Seq(n).Sub(rcv)
		if f[1] == 'S' {
			off = Seq(n).Sub(nxt)
		}
		switch {
		case f[1] == 'S' && nxt == 0, f[1] == 'A' && rcv == 0: // there was none
		case off == 0:
			return ""
		case f[1] == 'S' && off == -1 && nxt == 1002, f[1] == 'A' && off > 0:
			return fmt.Sprintf("<%s=%+d>", f[1:4], off)
		}
		return f
	})
}
