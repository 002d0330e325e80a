package trace

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// Way is what is known of one packet's way.
type Way struct {
	Packet      uint32        `json:"packet"` // counts up from 1
	At          clock.Instant `json:"at"`     // of the first step
	In          int32         `json:"-"`      // interface indices; 0: it did not come in, or did not get as far as to leave
	Out         int32         `json:"-"`
	Source      netip.Addr    `json:"source,omitzero"`
	Destination netip.Addr    `json:"destination,omitzero"`
	What        string        `json:"what,omitempty"` // what it carries
	Steps       []Taken       `json:"steps"`
	Outcome     string        `json:"outcome"`
	Reason      string        `json:"reason,omitempty"` // why it was dropped
}

// Taken is one step that was taken.
type Taken struct {
	At       clock.Instant `json:"at"`
	Number   int           `json:"number,omitempty"` // on its way; 0: hooks
	Last     int           `json:"last,omitempty"`   // of several steps that were taken at once
	Out      bool          `json:"out,omitempty"`    // it is one of the way out
	Name     string        `json:"name"`
	Decision string        `json:"decision"`
	Rule     string        `json:"rule,omitempty"`
	Entry    string        `json:"entry,omitempty"` // of the table that the decision was read from
	Details  []string      `json:"details,omitempty"`
	Hooks    []HookVerdict `json:"hooks,omitempty"`
	Waiting  int           `json:"waiting,omitempty"` // packets in the queue that it waits in, itself included
}

// maxOpen is how many ways a Journal follows at once: packets that wait for long make room for others, and are told of as they are.
const maxOpen = 4096

// Journal gathers the steps of packets and hands over each packet's way when it is over. It is a Sink for AddSteps. Make one with
// NewJournal.
type Journal struct {
	// Now, if it is not nil, tells when steps are taken. Else they have the time of the batch that their packet is in, since the stack
	// reads the clock once a batch. It must be set before the first step.
	Now func() clock.Instant

	done func(*Way)

	mu    sync.Mutex
	open  map[uint32]*Way
	order []uint32 // of open, and of some that are over, as they began
}

// NewJournal returns a Journal that hands ways to done, which is called as Sink.Trace is, one call at a time, and may keep them.
func NewJournal(done func(*Way)) *Journal { return &Journal{done: done, open: make(map[uint32]*Way)} }

// Trace takes a step.
func (j *Journal) Trace(e *Event) {
	if e.Kind != PacketStep {
		return
	}
	at := e.At
	if j.Now != nil {
		at = j.Now()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	w := j.open[e.ID]
	if w == nil {
		w = &Way{Packet: e.ID, At: at, Outcome: OnItsWay.String()}
		j.makeRoom()
		j.open[e.ID] = w
		j.order = append(j.order, e.ID)
	}
	w.add(e, at)
	if e.Outcome.Final() {
		delete(j.open, e.ID)
		j.done(w)
	}
}

// makeRoom hands over the oldest way if too many are followed, and forgets the numbers of those that are over.
func (j *Journal) makeRoom() {
	for len(j.order) > 0 && (len(j.open) >= maxOpen || j.open[j.order[0]] == nil) {
		if w := j.open[j.order[0]]; w != nil {
			delete(j.open, w.Packet)
			j.done(w)
		}
		j.order = j.order[1:]
	}
	if len(j.order) >= 4*maxOpen { // one that waits for long is in front of many that do not
		j.order = slices.DeleteFunc(j.order, func(id uint32) bool { return j.open[id] == nil })
	}
}

// Flush hands over the ways that are not over, in the order they began.
func (j *Journal) Flush() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, id := range j.order {
		if w := j.open[id]; w != nil {
			delete(j.open, id)
			j.done(w)
		}
	}
	j.order = nil
}

// add takes a step into w.
func (w *Way) add(e *Event, at clock.Instant) {
	if e.In != 0 {
		w.In = e.In
	}
	if e.Out != 0 {
		w.Out = e.Out
	}
	if e.Dst != (wire.Addr{}) {
		w.Source, w.Destination = e.Src.Netip(), e.Dst.Netip()
	}
	if w.What == "" || e.What != "" && e.Step == StepReassembly {
		w.What = e.What
	}
	if e.Outcome != OnItsWay || w.Outcome == Queued.String() {
		w.Outcome = e.Outcome.String()
	}
	if e.Outcome == Dropped {
		w.Reason = e.Reason
		if e.Rule != "" {
			w.Reason += ": " + e.Rule
		}
	}
	if e.Step == 0 {
		return
	}
	t := Taken{At: at, Number: e.Step.Number(), Out: e.Step.Out(), Name: e.Step.String(), Decision: e.Decision, Rule: e.Rule,
		Entry: e.Entry, Details: e.Details, Hooks: e.Hooks, Waiting: e.Waiting}
	if e.Last != 0 {
		t.Last, t.Name = e.Last.Number(), "decisions"
	}
	w.Steps = append(w.Steps, t)
}
