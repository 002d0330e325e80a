package trace

import (
	"errors"
	"math/bits"

	"github.com/onlink-go/onlink/packet"
)

// Step is one step of a packet's way through the stack: in, as far as it is decided for whom it is and who takes it; or out, the nine
// steps. A packet that is forwarded takes the first four of the way in and the last three of the way out; one that is for ourselves takes
// both ways.
type Step uint8

// The steps, and what Event.Decision tells of them.
const (
	StepFrame      Step = 1 + iota // in 1: by which interface a frame came
	StepLink                       // in 2: its link header
	StepHeader                     // in 3: its internet header, which was checked
	StepRoute                      // in 4: ours, to be forwarded, or to be dropped
	StepReassembly                 // in 5: with which fragments it was put together
	StepDelivery                   // in 6: to whom it went
	StepTransport                  // in 7: what that one made of it

	StepSocket      // out 1: who sends
	StepSegment     // out 2: what the transport made of it
	StepDestination // out 3: what kind of destination it is
	StepSource      // out 4: the source address
	StepLocal       // out 5: whether it is for ourselves
	StepInterface   // out 6: the interface that goes with the source
	StepNextHop     // out 7: the neighbor that gets it first
	StepNeighbor    // out 8: that one's link-layer address
	StepSend        // out 9: the queue, and the link

	StepHooks // the hooks of a point, between other steps

	numSteps
)

var steps = [numSteps]string{"", "frame", "link header", "header", "route", "reassembly", "delivery", "transport",
	"socket", "segment", "destination", "source", "to ourselves?", "interface", "next hop", "neighbor", "send", "hooks"}

// String returns the step in a word or two.
func (s Step) String() string { return steps[s] }

// Number returns the step's number on its way, 0 for hooks.
func (s Step) Number() int {
	switch {
	case s >= StepHooks:
		return 0
	case s >= StepSocket:
		return int(s-StepSocket) + 1
	}
	return int(s)
}

// Out reports whether the step is one of the way out.
func (s Step) Out() bool { return s >= StepSocket && s < StepHooks }

// Outcome is what became of a packet.
type Outcome uint8

// The outcomes.
const (
	OnItsWay  Outcome = iota
	Queued            // it waits; more is to come
	Delivered         // somebody on this host has it
	Sent              // a link has it
	Forwarded         // likewise, and it was not ours
	Dropped           // for Event.Reason
	Stolen            // a hook has it
	Merged            // it is part of another packet now
)

var outcomes = [...]string{"on its way", "queued", "delivered", "sent", "forwarded", "dropped", "stolen", "merged"}

// String returns the outcome in words.
func (o Outcome) String() string { return outcomes[o] }

// Final reports whether nothing more comes of the packet.
func (o Outcome) Final() bool { return o >= Delivered }

// HookVerdict is what one hook said.
type HookVerdict struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
}

// Filter says at a packet's first step, and not again, whether its steps are to be told. On the way in, with In, p is the frame as the link
// delivered it. On the way out, with Out, p begins at its internet header, or is an ARP message, and LinkDst is set if it is known already. Where p
// has no link header its EtherType is set, else it is 0. It is called from within the stack as Sink.Trace is, several at a time, and must leave p
// as it is; the room in front of it may be used.
type Filter func(p *packet.Buffer, out bool) bool

// maxSteppers is how many Sinks may hear of steps at once: each has a bit of packet.Meta.Trace.
const maxSteppers = 16

// ErrTooMany is the error of AddSteps when too many listen already.
var ErrTooMany = errors.New("trace: 16 listen to packets' steps already")

// Steps are those who hear of packets' steps at one moment. They do not change.
type Steps struct {
	t   *Tracer
	who [maxSteppers]*stepper
}

type stepper struct {
	sink   Sink
	filter Filter
}

// Steps returns who hears of packets' steps now: nil if nobody does, which is one atomic load.
func (t *Tracer) Steps() *Steps {
	if t == nil {
		return nil
	}
	return t.steps.Load()
}

// AddSteps has s hear of the steps of packets that begin their way from now on and that filter lets through (nil: all): events of
// kind PacketStep, and no others. remove ends that; an event under way may still reach s. Errors: ErrTooMany.
func (t *Tracer) AddSteps(s Sink, filter Filter) (remove func(), err error) {
	one := &stepper{s, filter}
	for {
		old := t.steps.Load()
		next := &Steps{t: t}
		if old != nil {
			next.who = old.who
		}
		i := 0
		for i < maxSteppers && next.who[i] != nil {
			i++
		}
		if i == maxSteppers {
			return nil, ErrTooMany
		}
		next.who[i] = one
		if t.steps.CompareAndSwap(old, next) {
			return func() { t.removeSteps(i, one) }, nil
		}
	}
}

// removeSteps takes one out, which has the bit i, unless it is out.
func (t *Tracer) removeSteps(i int, one *stepper) {
	for {
		old := t.steps.Load()
		if old == nil || old.who[i] != one {
			return
		}
		next := &Steps{t: t, who: old.who}
		next.who[i] = nil
		if next.who == (Steps{}).who {
			next = nil
		}
		if t.steps.CompareAndSwap(old, next) {
			return
		}
	}
}

// Begin asks whether anybody wants to hear of the steps of p, which is at its first, and gives it an identity then. It reports whether
// p.Trace is not 0 now.
func (s *Steps) Begin(p *packet.Buffer, out bool) bool {
	for i, one := range s.who {
		if one != nil && (one.filter == nil || one.filter(p, out)) {
			p.Trace |= 1 << i
		}
	}
	if p.Trace != 0 {
		p.TraceID = s.t.ids.Add(1)
	}
	return p.Trace != 0
}

// Part gives p, which was made of the packet that is followed as whole, an identity of its own.
func (t *Tracer) Part(whole Identity, p *packet.Buffer) {
	p.Trace, p.TraceID = whole.By, t.ids.Add(1)
}

// Identity is who follows a packet, and which it is: what is left to tell of a packet with when it is gone.
type Identity struct {
	By      uint16
	ID      uint32
	In, Out int32
}

// Of returns p's identity.
func Of(p *packet.Buffer) Identity { return Identity{p.Trace, p.TraceID, p.In, p.Out} }

// Step tells those who follow p of e, a step of its way. p.Trace must not be 0.
func (t *Tracer) Step(p *packet.Buffer, e *Event) {
	e.Src, e.Dst, e.Proto, e.Packet = p.Src, p.Dst, p.Proto, p
	t.StepOf(Of(p), e)
}

// StepOf is Step of a packet that is gone.
func (t *Tracer) StepOf(i Identity, e *Event) {
	s := t.Steps()
	if s == nil {
		return // they have left
	}
	e.Kind, e.ID, e.In, e.Out = PacketStep, i.ID, i.In, i.Out
	for by := i.By; by != 0; by &= by - 1 {
		if one := s.who[bits.TrailingZeros16(by)]; one != nil {
			one.sink.Trace(e)
		}
	}
}
