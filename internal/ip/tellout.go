package ip

import (
	"fmt"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/neigh"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// What is told of a packet's way out. As on the way in, it is called only for packets that somebody follows, and changes nothing.

// What is in packet.Meta.Route: the lower bits of the generation in which the Path was decided, and facts about it.
const (
	routeFirst  = 1 << 31 // it was decided for this packet
	routeGiven  = 1 << 30 // the source was given
	routePinned = 1 << 29 // so was the interface
	routeFacts  = routeFirst | routeGiven | routePinned
)

// routeOf returns what packets that go by the answer to q are noted with.
func routeOf(q *Query, generation uint64) uint32 {
	v := uint32(generation)&^routeFacts | routeFirst
	if !q.Src.IsUnspecified() {
		v |= routeGiven
	}
	if q.Out != 0 {
		v |= routePinned
	}
	return v
}

// noteRoute notes in p's Meta how path was decided, which costs less than to ask whether anybody wants to know.
func (path *Path) noteRoute(p *packet.Buffer) {
	p.Route = path.route.Load()
	if p.Route&routeFirst != 0 {
		path.route.Store(p.Route &^ routeFirst)
	}
}

// beginOut is steps 1 to 7 of a packet of ours, or an ARP packet: they were taken under a lock, and are told here.
func (narration) beginOut(t transmission, p *packet.Buffer) {
	if !t.steps.Begin(p, true) {
		return
	}
	sender, unit := "the stack itself", "message"
	switch b := p.FromNetwork(); {
	case p.EtherType == wire.EtherTypeARP:
	case p.Flags&packet.Foreign != 0:
		sender = "a raw socket"
	case p.Proto == wire.ProtoTCP, p.Proto == wire.ProtoUDP:
		sender = fmt.Sprintf("%s at %s", ProtocolName(p.Proto), hostPort(p.Src, uint16(localPorts(p)>>16)))
		unit = map[uint8]string{wire.ProtoTCP: "segment", wire.ProtoUDP: "datagram"}[p.Proto]
	case isEchoRequest(p.Dst.Is4(), p.Proto, b):
		sender = "a ping"
	}
	t.tell(p, &trace.Event{Step: trace.StepSocket, Decision: sender})
	e := trace.Event{Step: trace.StepSegment, Decision: fmt.Sprintf("%s %s", ProtocolName(p.Proto), unit), What: describe(p)}
	if p.EtherType == wire.EtherTypeARP {
		e.Decision = "ARP message"
	}
	t.tell(p, &e)
	if p.Route == 0 {
		t.tell(p, &trace.Event{Step: trace.StepDestination, Last: trace.StepNextHop, Rule: "the message belongs to the link it goes to",
			Decision: fmt.Sprintf("by %s", t.s.nameOf(p.Out))})
		return
	}
	t.toldDecisions(p)
}

// isEchoRequest reports whether the packet b of ours, from its internet header on, is an echo request.
func isEchoRequest(four bool, proto uint8, b []byte) bool {
	if four {
		h := wire.IPv4(b)
		return proto == wire.ProtoICMP && len(h.Payload()) > 0 && h.Payload()[0] == wire.ICMPv4EchoRequest
	}
	p := wire.IPv6(b).Payload()
	return proto == wire.ProtoICMPv6 && len(p) > 0 && p[0] == wire.ICMPv6EchoRequest
}

// tell tells those who follow p of one step.
func (t *transmission) tell(p *packet.Buffer, e *trace.Event) {
	e.At = t.now
	t.l.cfg.Tracer.Step(p, e)
}

// localPorts returns the ports of a packet of ours, as flow.Key has them; 0: it has none.
func localPorts(p *packet.Buffer) uint32 {
	if p.Dst.Is4() {
		return ports4(p.FromNetwork())
	}
	h := wire.IPv6(p.FromNetwork())
	return portsAt(h.NextHeader(), h.Payload())
}

func hostPort(a wire.Addr, port uint16) string {
	if a.Is4() {
		return fmt.Sprintf("%v:%d", a, port)
	}
	return fmt.Sprintf("[%v]:%d", a, port)
}

// toldDecisions tells of steps 3 to 7: one after the other if they were taken for this packet, together if its path was known.
// The Path does not keep the rules; they are asked for again, without effect on anything.
func (t *transmission) toldDecisions(p *packet.Buffer) {
	decisions := t.decideAgain(p)
	if p.Route&routeFirst != 0 && decisions != nil {
		for _, d := range decisions {
			t.tell(p, &trace.Event{Step: stepOf(d.Step), Decision: d.Result, Rule: d.why(), Entry: d.Entry, Details: d.among()})
		}
		return
	}
	e := trace.Event{Step: trace.StepDestination, Last: trace.StepNextHop,
		Decision: fmt.Sprintf("from %v by %s to %v", p.Src, t.s.nameOf(p.Out), p.NextHop),
		Rule:     fmt.Sprintf("cached path, decided at generation %d", p.Route&^routeFacts)}
	if p.Flags&packet.Loopback != 0 {
		e.Decision = fmt.Sprintf("from %v to ourselves", p.Src)
	}
	for _, d := range decisions {
		text := fmt.Sprintf("%d %v: %s ← %s", d.Step, stepOf(d.Step), d.Result, d.why())
		if d.Entry != "" {
			text += " ← " + d.Entry
		}
		e.Details = append(e.Details, text)
	}
	t.tell(p, &e)
}

// why tells by which rule d was decided, and where that is written.
func (d *Decision) why() string {
	s := d.Rule
	if d.RFC != "" {
		s += " (" + d.RFC + ")"
	}
	return s
}

// among lists the candidates of d, and why each was not chosen.
func (d *Decision) among() (list []string) {
	for _, c := range d.Candidates {
		text := c.Name + ": chosen"
		if !c.Chosen {
			text = c.Name + ": not chosen: " + c.Rule
		}
		if c.Has != "" {
			text += fmt.Sprintf(" (it has %s, the chosen one %s)", c.Has, c.Won)
		}
		list = append(list, text)
	}
	return list
}

func stepOf(s Step) trace.Step { return trace.StepDestination + trace.Step(s-StepDestination) }

// decideAgain returns steps 3 to 7 as they would be decided now, nil if that is not the way p goes: then the configuration has
// changed since.
func (t *transmission) decideAgain(p *packet.Buffer) []Decision {
	var why Explanation
	q := Query{Dst: p.Dst, Why: &why, Flow: Flow{Mark: p.Mark, TrafficClass: p.TrafficClass, Proto: p.Proto, Ports: localPorts(p)}}
	if p.Route&routeGiven != 0 {
		q.Src = p.Src
	}
	if p.Route&routePinned != 0 {
		q.Out = p.Out
	}
	if p.Dst.NeedsScope() || p.Dst.IsMulticast() || p.Dst == wire.Broadcast4 {
		q.Scope = uint32(p.Out)
	}
	q.VRF = t.s.vrfOf(p.Out)
	var path Path
	if t.l.RouteInto(t.now, &q, &path) != nil || path.Src != p.Src || path.If.Index != p.Out || path.NextHop != p.NextHop {
		return nil
	}
	n := 0
	for n < len(why.Decisions) && why.Decisions[n].Step <= StepNextHop {
		if d := &why.Decisions[n]; d.Step == StepSource && p.Route&routeGiven != 0 {
			d.Rule, d.RFC = "the sender names it", ""
		}
		n++
	}
	return why.Decisions[:n]
}

// toldReroute tells that p goes by another way than was decided first.
func (narration) toldReroute(t transmission, p *packet.Buffer, next wire.Addr, why string) {
	e := trace.Event{Step: trace.StepNextHop, Decision: fmt.Sprintf("%v by %s instead", next, t.s.nameOf(p.Out)), Rule: why}
	if p.Flags&packet.Loopback != 0 {
		e.Decision = "to ourselves instead"
	}
	t.tell(p, &e)
}

// toldResolved is step 8 where the link-layer address is known.
func (narration) toldResolved(t transmission, p *packet.Buffer) {
	what, rule := fmt.Sprintf("%v is at %v", p.NextHop, p.LinkDst), "the neighbor cache has it"
	if p.EtherType == wire.EtherTypeARP {
		what = p.LinkDst.String()
	}
	switch {
	case p.LinkDst == wire.BroadcastMAC:
		rule = "all stations"
	case p.LinkDst.IsMulticast():
		rule = "made of the group's address (RFC 2464, 7; RFC 1112, 6.4)"
	case p.EtherType == wire.EtherTypeARP:
		rule = "it is the one who asked"
	}
	t.tell(p, &trace.Event{Step: trace.StepNeighbor, Decision: what, Rule: rule})
}

// toldWaiting is step 8 where the link-layer address is asked for: the packet that was i waits in cache. Control locked.
func (narration) toldWaiting(t transmission, i trace.Identity, cache *neigh.Cache, hop wire.Addr) {
	e := trace.Event{At: t.now, Step: trace.StepNeighbor, Outcome: trace.Queued, Decision: fmt.Sprintf("waits for the link-layer address of %v", hop)}
	e.Rule = "it is not known: ask by Neighbor Solicitation, and queue the packet (RFC 4861, 7.2.2)"
	if hop.Is4() {
		e.Rule = "it is not known: ask by ARP, and queue the packet (RFC 826; RFC 1122, 2.3.2.2)"
	}
	info, _ := cache.Forecast(t.now, hop)
	if info.HeldDown {
		e.Rule = "it has just not answered"
	}
	e.Waiting = info.Queued
	t.l.cfg.Tracer.StepOf(i, &e)
}

// toldFragmented tells that p was cut into parts, of which it is the first, and follows the others.
func (narration) toldFragmented(t transmission, whole trace.Identity, parts packet.Batch, mtu int) {
	n := 0
	for f := parts.Front(); f != nil; f = f.Next() {
		n++
		e := trace.Event{Step: trace.StepSend, Decision: fmt.Sprintf("fragment %d of %d of packet %d, %d octets", n, parts.Len(), whole.ID, f.Len()),
			Rule: fmt.Sprintf("the path takes %d octets", mtu)}
		if n == 1 {
			e.Decision = fmt.Sprintf("cut into %d fragments, this one of %d octets", parts.Len(), f.Len())
		} else {
			t.l.cfg.Tracer.Part(whole, f)
			e.What = describe(f)
		}
		t.tell(f, &e)
	}
}

// toldCut tells that the super-packet whole was cut into the n last packets of b, segments that the link takes, and follows each.
func (narration) toldCut(d *device, now clock.Instant, whole trace.Identity, b *packet.Batch, n int) {
	skip := b.Len() - n
	for p := b.Front(); p != nil; p = p.Next() {
		if skip--; skip >= 0 {
			continue
		}
		e := trace.Event{At: now, Step: trace.StepSend, Decision: fmt.Sprintf("segment %d of %d of packet %d", -skip, n, whole.ID)}
		if skip == -1 {
			e.Decision, e.Rule = fmt.Sprintf("cut into %d segments, this one the first", n), "the link takes them one by one (GSO)"
		} else {
			d.l.cfg.Tracer.Part(whole, p)
		}
		d.l.cfg.Tracer.Step(p, &e)
	}
}

// toldSelf is step 9 of a packet to ourselves.
func (t *transmission) toldSelf(p *packet.Buffer) {
	t.tell(p, &trace.Event{Step: trace.StepSend, Decision: "into our own receive queue"})
}

// toldCopy follows c, a copy of p for our own members of a group.
func (narration) toldCopy(t transmission, p, c *packet.Buffer) {
	t.l.cfg.Tracer.Part(trace.Of(p), c)
	t.tell(p, &trace.Event{Step: trace.StepLocal, Decision: fmt.Sprintf("a copy, packet %d, comes in", c.TraceID), Rule: "we are a member of the group too"})
	t.tell(c, &trace.Event{Step: trace.StepLocal, Decision: fmt.Sprintf("a copy of packet %d", p.TraceID), Rule: "we are a member of the group too"})
}

// inFlight returns who follows the packets that are given to the link, in their order; nil if nobody does any. The caller is the
// goroutine that sends.
func (e *egress) inFlight(steps *trace.Steps) []trace.Identity {
	if steps == nil {
		return nil
	}
	p := e.frames.Front()
	for p != nil && p.Trace == 0 {
		p = p.Next()
	}
	if p == nil {
		return nil
	}
	all := make([]trace.Identity, 0, e.frames.Len())
	for p := e.frames.Front(); p != nil; p = p.Next() {
		all = append(all, trace.Of(p))
	}
	return all
}

// toldSent tells that the link has taken the packets of all.
func (d *device) toldSent(now clock.Instant, all []trace.Identity) {
	for _, i := range all {
		if i.By == 0 {
			continue
		}
		e := trace.Event{At: now, Step: trace.StepSend, Decision: "the link " + d.name + " has it", Outcome: trace.Sent}
		if i.In != 0 {
			e.Outcome = trace.Forwarded
		}
		d.l.cfg.Tracer.StepOf(i, &e)
	}
}

// toldQueued tells that p waits for the link, with n that do, it included.
func (d *device) toldQueued(now clock.Instant, p *packet.Buffer, n int) {
	d.l.cfg.Tracer.Step(p, &trace.Event{At: now, Step: trace.StepSend, Outcome: trace.Queued, Waiting: n, Decision: "waits for the link " + d.name})
}
