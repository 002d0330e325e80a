package tcpsock

import (
	"fmt"
	"strings"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/tcp"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// taken ends p, a segment that TCP has dealt with, and tells whoever follows it who it was for and what came of it.
func (t *Layer) taken(now clock.Instant, p *packet.Buffer, whose, what string) {
	if p.Trace != 0 {
		t.tracer.Step(p, &trace.Event{At: now, Step: trace.StepDelivery, Decision: whose})
		t.tracer.Step(p, &trace.Event{At: now, Step: trace.StepTransport, Decision: what, Outcome: trace.Delivered})
	}
	p.Free()
}

// toldSegment is a segment that somebody follows, and what its connection was like when it came: what the connection made of the
// segment is seen by what it changed.
type toldSegment struct {
	c               *Conn
	was             tcp.State
	acked, expected tcp.Seq
	first           tcp.Seq
	n               int
	fin             bool
}

// tell tells for which connection p, with the segment seg, is. sh locked.
func (c *Conn) tell(now clock.Instant, p *packet.Buffer, seg *tcp.Segment) *toldSegment {
	c.awake()
	c.layer.tracer.Step(p, &trace.Event{At: now, Step: trace.StepDelivery, Rule: "addresses and ports are the connection's",
		Decision: fmt.Sprintf("TCP connection with %s, %v", endpoint(c.key.Remote, c.key.RemotePort()), c.tcb.State())})
	return &toldSegment{c: c, was: c.tcb.State(), acked: c.tcb.AckedTo(), expected: c.tcb.ReceivedTo(), first: seg.Seq, n: seg.Len,
		fin: seg.Flags&wire.FIN != 0}
}

// end tells what came of it. sh locked.
func (s *toldSegment) end(now clock.Instant, p *packet.Buffer) {
	s.c.layer.tracer.Step(p, &trace.Event{At: now, Step: trace.StepTransport, Decision: strings.Join(s.changes(), "; "), Outcome: trace.Delivered})
}

// changes lists what the segment changed.
func (s *toldSegment) changes() (made []string) {
	c := s.c
	is := c.tcb.State()
	if r := c.table().demux.find(&c.key).remnant; r != nil {
		is = r.State() // all that is left of the connection
	}
	if is != s.was {
		made = append(made, fmt.Sprintf("%v → %v", s.was, is))
	}
	if s.was == tcp.SynSent {
		if made == nil {
			made = append(made, "it does not answer our SYN (RFC 9293, 3.10.7.3)")
		}
		return made
	}
	if got := int32(c.tcb.AckedTo() - s.acked); got > 0 {
		made = append(made, fmt.Sprintf("acknowledges %d sequence numbers of ours", got))
	}
	if s.n > 0 {
		switch got := int32(c.tcb.ReceivedTo() - s.expected); {
		case got > 0:
			made = append(made, fmt.Sprintf("its octets are in order: RCV.NXT advances by %d to %d", got, c.tcb.ReceivedTo()))
		case int32(s.first-s.expected) > 0:
			made = append(made, fmt.Sprintf("its octets are kept: those from %d on are missing (RFC 9293, 3.10.7.4)", s.expected))
		default:
			made = append(made, "its octets were here already, or are refused (RFC 9293, 3.10.7.4)")
		}
	}
	if s.fin {
		made = append(made, "the peer says that it sends no more (FIN)")
	}
	if made == nil {
		made = append(made, "nothing new")
	}
	return made
}

func endpoint(a wire.Addr, port uint16) string {
	if a.Is4() {
		return fmt.Sprintf("%v:%d", a, port)
	}
	return fmt.Sprintf("[%v]:%d", a, port)
}

// verdicts tell what a handshake made of a segment.
var verdicts = [...]string{tcp.Ignore: "ignored", tcp.Defer: "acknowledged; the listener waits for data", tcp.SendSYNACK: "SYN again: answered with SYN,ACK again",
	tcp.SendACK: "not acceptable: answered with an ACK", tcp.SendReset: "not acceptable: answered with a RST", tcp.Complete: "the handshake is complete: a connection is made",
	tcp.Refused: "the peer has put an end to it", tcp.Expired: "too late", tcp.Contradicted: "it contradicts what was agreed on: answered with a RST"}

// fates tell what the remnant of a connection made of a segment.
var fates = [...]string{tcp.Stay: "nothing new", tcp.Reopen: "a new SYN", tcp.Acknowledge: "answered with an ACK", tcp.Delete: "it ends TIME-WAIT",
	tcp.DeleteReset: "data that nobody will read: answered with a RST"}
