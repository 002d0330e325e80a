package ip

import (
	"fmt"
	"slices"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/hook"
	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/route"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// What is told of a packet's way in. All of it is called only for packets that somebody follows: p.Trace is not 0. None
// of it changes anything but what is told.

// beginIn is the first step of a frame, or of a packet that we sent to ourselves.
func (narration) beginIn(q *queue, p *packet.Buffer) {
	if p.Flags&packet.Loopback == 0 {
		p.In = q.d.index
	}
	if p.Trace == 0 && !q.steps.Begin(p, false) {
		return
	}
	e := trace.Event{Step: trace.StepFrame, Decision: fmt.Sprintf("%d octets by %s", p.Len(), q.d.name)}
	if p.Flags&packet.Loopback != 0 {
		e.Decision, e.Rule = fmt.Sprintf("%d octets out of our own receive queue", p.Len()), "it is as if they had come by "+q.nameOf(p.In)
	}
	q.tell(p, &e)
}

// beginAll is beginIn for the frames of a batch, of which first is the first.
func (n narration) beginAll(q *queue, first *packet.Buffer) {
	for p := first; p != nil; p = p.Next() {
		n.beginIn(q, p)
	}
}

// toldJoined tells that part, a segment of TCP, was joined to whole, which came with it.
func (narration) toldJoined(q *queue, whole, part *packet.Buffer) {
	e := trace.Event{Step: trace.StepReassembly, Outcome: trace.Merged, Decision: "it goes on with the segment that came before it (GRO)"}
	if whole.Trace != 0 {
		e.Decision = fmt.Sprintf("it goes on with the segment that came before it, packet %d (GRO)", whole.TraceID)
	}
	q.tell(part, &e)
}

// tell tells those who follow p of one step.
func (q *queue) tell(p *packet.Buffer, e *trace.Event) {
	e.At = q.now
	q.l.cfg.Tracer.Step(p, e)
}

func (q *queue) nameOf(index int32) string { return q.s.nameOf(index) }

// nameOf returns the name of the interface with the given index.
func (s *snapshot) nameOf(index int32) string {
	if i := s.Interface(index); i != nil {
		return i.Name
	}
	return fmt.Sprintf("interface %d", index)
}

// toldLink tells of the link header h.
func (narration) toldLink(q *queue, p *packet.Buffer, h wire.Ethernet) {
	e := trace.Event{Step: trace.StepLink, Decision: fmt.Sprintf("Ethernet from %v to %v, %s", h.Src(), h.Dst(), etherName(h.EtherType()))}
	switch dst := h.Dst(); {
	case dst == wire.BroadcastMAC:
		e.Rule = "a broadcast"
	case dst.IsMulticast():
		e.Rule = "a multicast"
	case dst == q.iface.LinkAddr:
		e.Rule = "the destination is our link-layer address"
	default:
		e.Rule = "the destination is another station's link-layer address"
	}
	q.tell(p, &e)
}

func etherName(typ uint16) string {
	switch typ {
	case wire.EtherTypeIPv4:
		return "IPv4"
	case wire.EtherTypeIPv6:
		return "IPv6"
	case wire.EtherTypeARP:
		return "ARP"
	}
	return fmt.Sprintf("EtherType %#04x", typ)
}

// toldHeader tells that the internet header is good, and what is behind it.
func (narration) toldHeader(q *queue, p *packet.Buffer) {
	e := trace.Event{Step: trace.StepHeader, What: describe(p)}
	switch p.EtherType {
	case wire.EtherTypeIPv4:
		e.Decision, e.Rule = fmt.Sprintf("IPv4, TTL %d, %d octets", p.HopLimit, p.Len()), "version, lengths and checksum are good"
	case wire.EtherTypeIPv6:
		e.Decision, e.Rule = fmt.Sprintf("IPv6, hop limit %d, %d octets", p.HopLimit, p.Len()), "version and lengths are good"
	default:
		e.Decision = "ARP"
	}
	q.tell(p, &e)
}

// toldRoute tells what d says of p, and why.
func (narration) toldRoute(q *queue, p *packet.Buffer, d *decision) {
	e := trace.Event{Step: trace.StepRoute}
	switch d.verdict {
	case ours:
		e.Decision, e.Rule = "ours", q.whyOurs(d)
	case forward:
		e.Decision = fmt.Sprintf("forward to %v by %s", d.hop.nextHop, q.nameOf(d.hop.out))
		why := q.whyForward(d)
		e.Rule, e.Entry, e.Details = why.why(), why.Entry, why.among()
	case unreachable:
		e.Decision, e.Rule = "drop, and tell the source", d.reason.String()
	default:
		e.Decision, e.Rule = "drop", d.reason.String()
		if d.verified {
			e.Decision, e.Rule = "drop, unless it is a Neighbor Advertisement", "the address is being verified (RFC 4862, 5.4)"
		}
	}
	q.tell(p, &e)
}

func (q *queue) whyOurs(d *decision) string {
	name := q.nameOf(d.in)
	if i := q.s.Lookup(d.dst, d.in).If; i != nil {
		name = i.Name
	}
	switch d.kind {
	case netif.Broadcast:
		return "a broadcast address of " + name
	case netif.Group:
		return name + " is a member of the group"
	case netif.Anycast:
		return "an anycast address of " + name
	}
	return "an address of " + name
}

// toldForward is step 7 of the way out of a packet that is not ours.
func (narration) toldForward(q *queue, p *packet.Buffer) {
	name := "the hop limit"
	if p.EtherType == wire.EtherTypeIPv4 {
		name = "the TTL"
	}
	q.tell(p, &trace.Event{Step: trace.StepNextHop, Decision: fmt.Sprintf("%v by %s, and %s is %d now", p.NextHop, q.nameOf(p.Out), name, p.HopLimit),
		Rule: "as the route has it"})
}

// whyForward looks the way of d up again, without effect on anything, and notes the rule and the routes.
func (q *queue) whyForward(d *decision) *Decision {
	query := route.Query{Dst: d.dst, Src: d.src, In: d.in, Mark: d.mark, TrafficClass: d.class, Proto: d.proto, Ports: d.ports,
		FlowLabel: d.label, VRF: q.s.vrfOf(d.in), Dry: true}
	var r route.Result
	q.s.routes.Lookup(&query, &r)
	var e Explanation
	e.asked(&query, &r)
	why := &Decision{Rule: whyText[r.Why], RFC: whyRFC[r.Why]}
	e.routes(why, &r, &way{s: q.s})
	return why
}

// toldFragments tells that p waits, for what is known of its datagram.
func (narration) toldFragments(q *queue, p *packet.Buffer, d *datagram) {
	e := trace.Event{Step: trace.StepReassembly, Outcome: trace.Queued, Waiting: len(d.parts), Decision: fmt.Sprintf("%d octets are here", d.got),
		Rule: "RFC 791, 3.2: it waits for the others"}
	if d.total >= 0 {
		e.Decision = fmt.Sprintf("%d of %d octets are here", d.got, d.total)
	}
	if !p.Dst.Is4() {
		e.Rule = "RFC 8200, 4.5: it waits for the others"
	}
	q.tell(p, &e)
}

// holds reports whether p is among the fragments of d, which may be nil.
func (d *datagram) holds(p *packet.Buffer) bool {
	return d != nil && slices.ContainsFunc(d.parts, func(x part) bool { return x.p == p })
}

// assembled returns what d.assemble does, and tells those who follow its parts. The whole goes on as the first part.
func (q *queue) assembled(d *datagram) *packet.Buffer {
	if followed := d.followed(); followed != 0 {
		return q.l.narrator.toldAssembled(q, d, followed)
	}
	return d.assemble()
}

// followed returns who follows a part of d.
func (d *datagram) followed() (by uint16) {
	for i := range d.parts {
		by |= d.parts[i].p.Trace
	}
	return by
}

func (narration) toldAssembled(q *queue, d *datagram, followed uint16) *packet.Buffer {
	var parts []trace.Identity
	for i := range d.parts {
		parts = append(parts, trace.Of(d.parts[i].p))
	}
	whole := d.assemble()
	if whole.Trace == 0 {
		q.l.cfg.Tracer.Part(trace.Identity{By: followed}, whole)
	}
	for _, i := range parts {
		if i.By != 0 && i.ID != whole.TraceID {
			q.l.cfg.Tracer.StepOf(i, &trace.Event{At: q.now, Step: trace.StepReassembly, Outcome: trace.Merged,
				Decision: fmt.Sprintf("it is part of packet %d now", whole.TraceID)})
		}
	}
	var among []string
	for i := range parts {
		text := fmt.Sprintf("octets %d to %d", d.parts[i].at, d.parts[i].end-1)
		if id := parts[i].ID; id != 0 {
			text += fmt.Sprintf(": packet %d", id)
		}
		among = append(among, text)
	}
	q.tell(whole, &trace.Event{Step: trace.StepReassembly, Details: among,
		What:     describe(whole),
		Decision: fmt.Sprintf("%d octets, of %d fragments", whole.Len(), len(parts)), Rule: "all of them are here"})
	return whole
}

// toldTaken tells that p, though not its buffer, ends here, because the stack itself was its destination.
func (q *queue) toldTaken(p *packet.Buffer, what string) {
	q.tell(p, &trace.Event{Step: trace.StepDelivery, Decision: what, Outcome: trace.Delivered})
}

// Taken ends p, which a transport has dealt with, and tells whoever follows it what came of it.
func (l *Layer) Taken(now clock.Instant, p *packet.Buffer, what string) {
	if p.Trace != 0 {
		l.cfg.Tracer.Step(p, &trace.Event{At: now, Step: trace.StepDelivery, Decision: what, Outcome: trace.Delivered})
	}
	p.Free()
}

// taken ends p, which the stack itself was the destination of.
func (q *queue) taken(p *packet.Buffer, what string) { q.l.Taken(q.now, p, what) }

// runToldHooks is runHooks for a packet that somebody follows.
func (narration) runToldHooks(l *Layer, now clock.Instant, chain hook.Hooks, at hook.Point, p *packet.Buffer) (hook.Verdict, int) {
	id := trace.Of(p)
	e := trace.Event{At: now, Step: trace.StepHooks, Decision: at.String()}
	verdict, last := chain.Run(now, p)
	for i, h := range chain[:min(last+1, len(chain))] {
		v := hook.Continue
		if i == last {
			v = verdict
		}
		e.Hooks = append(e.Hooks, trace.HookVerdict{Name: h.Name, Verdict: v.String()})
	}
	if verdict == hook.Stolen {
		e.Outcome, e.Rule = trace.Stolen, chain[last].Name
	}
	l.cfg.Tracer.StepOf(id, &e)
	return verdict, last
}
