package dgram

import (
	"fmt"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
)

// takeTold is Take of a packet that somebody follows.
func (s *Socket) takeTold(c *mib.Set, now clock.Instant, p *packet.Buffer) bool {
	id := trace.Of(p)
	local := s.Local()
	what, rule := ip.ProtocolName(s.kind.Protocol(p.Dst))+" socket "+local.Addr.String(), "it is the best match for the destination"
	switch name := s.kind.PortName(); {
	case name == "":
		what, rule = "raw "+what, "each raw socket that a packet fits gets a copy"
	case local.Port != 0:
		what = fmt.Sprintf("%s, %s %d", what, name, local.Port)
	}
	c.Tracer.Step(p, &trace.Event{At: now, Step: trace.StepDelivery, Decision: what, Rule: rule})
	r, ok := s.enqueue(p)
	if !ok {
		c.Drop(now, p, r)
		return false
	}
	n, _ := s.Queued()
	c.Tracer.StepOf(id, &trace.Event{At: now, Step: trace.StepTransport, Decision: "it waits for its reader", Waiting: n, Outcome: trace.Delivered})
	return true
}
