package trace

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// heard notes the packets and steps it hears of.
type heard struct{ got *[]string }

func (h heard) Trace(e *Event) {
	*h.got = append(*h.got, fmt.Sprintf("%v %d %v", e.Kind, e.ID, e.Step))
}

func TestStepsGoToThoseWhoAsked(t *testing.T) {
	var tr Tracer
	if tr.Steps() != nil || (*Tracer)(nil).Steps() != nil {
		t.Error("somebody follows packets though nobody asked")
	}
	var plain, all, some []string
	tr.Add(heard{&plain})
	removeAll, err := tr.AddSteps(heard{&all}, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	removeSome, err := tr.AddSteps(heard{&some}, func(p *packet.Buffer, out bool) bool {
		asked++
		return p.Len() == 2 && out
	})
	if err != nil {
		t.Fatal(err)
	}
	if tr.Emit(&Event{Kind: PacketDropped}); len(plain) != 1 || len(all)+len(some) != 0 {
		t.Error("those who listen to steps hear of other events")
	}
	one, two := packet.New(1), packet.New(2)
	for _, p := range []*packet.Buffer{one, two} {
		if !tr.Steps().Begin(p, true) {
			t.Error("not followed")
		}
		tr.Step(p, &Event{Step: StepSocket})
		tr.Step(p, &Event{Step: StepSend})
	}
	if got := strings.Join(all, ", "); got != "step 1 socket, step 1 send, step 2 socket, step 2 send" {
		t.Errorf("all heard %s", got)
	}
	if got := strings.Join(some, ", "); got != "step 2 socket, step 2 send" {
		t.Errorf("some heard %s", got)
	}
	if asked != 2 || len(plain) != 1 {
		t.Errorf("asked %d times, others heard %v", asked, plain)
	}
	removeAll()
	removeAll()
	tr.Step(two, &Event{})
	if len(all) != 4 || len(some) != 3 {
		t.Errorf("after one left: %v, %v", all, some)
	}
	removeSome()
	if tr.Steps() != nil {
		t.Error("somebody is left")
	}
	tr.Step(two, &Event{}) // nobody is there any more
}

// A Part of a packet has a number of its own, and the same followers.
func TestPart(t *testing.T) {
	var tr Tracer
	var got []string
	tr.AddSteps(heard{&got}, nil)
	p, part := packet.New(1), packet.New(1)
	tr.Steps().Begin(p, false)
	tr.Part(Of(p), part)
	tr.Step(part, &Event{Step: StepSend})
	if len(got) != 1 || got[0] != "step 2 send" {
		t.Error(got)
	}
	if c := p.Clone(); c.Trace != 0 || c.TraceID != 0 {
		t.Error("a clone is followed")
	}
}

func TestTooManyFollow(t *testing.T) {
	var tr Tracer
	var removes []func()
	for range maxSteppers {
		remove, err := tr.AddSteps(sinkFunc(func(*Event) {}), nil)
		if err != nil {
			t.Fatal(err)
		}
		removes = append(removes, remove)
	}
	if _, err := tr.AddSteps(sinkFunc(func(*Event) {}), nil); !errors.Is(err, ErrTooMany) {
		t.Errorf("one too many: %v", err)
	}
	removes[3]()
	if _, err := tr.AddSteps(sinkFunc(func(*Event) {}), nil); err != nil {
		t.Errorf("in the place of one who left: %v", err)
	}
	removes[3]() // does not take the new one's place
	if n := len(followers(tr.Steps())); n != maxSteppers {
		t.Errorf("%d follow", n)
	}
}

func followers(s *Steps) (all []*stepper) {
	for _, one := range s.who {
		if one != nil {
			all = append(all, one)
		}
	}
	return all
}

func TestStepsConcurrent(t *testing.T) {
	var tr Tracer
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				remove, err := tr.AddSteps(sinkFunc(func(*Event) {}), nil)
				if err != nil {
					t.Error(err)
					return
				}
				p := packet.New(1)
				if s := tr.Steps(); s != nil && s.Begin(p, false) {
					tr.Step(p, &Event{Outcome: Delivered})
				}
				p.Free()
				remove()
			}
		})
	}
	wg.Wait()
	if tr.Steps() != nil {
		t.Error("somebody is left")
	}
}

func TestStepNames(t *testing.T) {
	for _, row := range []struct {
		s      Step
		number int
		out    bool
		name   string
	}{{StepFrame, 1, false, "frame"}, {StepTransport, 7, false, "transport"}, {StepSocket, 1, true, "socket"},
		{StepNextHop, 7, true, "next hop"}, {StepSend, 9, true, "send"}, {StepHooks, 0, false, "hooks"}} {
		if row.s.Number() != row.number || row.s.Out() != row.out || row.s.String() != row.name {
			t.Errorf("%v is number %d, out %v", row.s, row.s.Number(), row.s.Out())
		}
	}
	for o := range outcomes {
		if Outcome(o).Final() != (Outcome(o) != OnItsWay && Outcome(o) != Queued) {
			t.Errorf("%v is final: %v", Outcome(o), Outcome(o).Final())
		}
	}
	if Merged.String() != "merged" {
		t.Error("names and outcomes are out of step")
	}
}

func TestJournalHasItsOwnTime(t *testing.T) {
	j := NewJournal(func(w *Way) {
		if w.At != 7 || w.Steps[0].At != 7 {
			t.Errorf("at %d and %d", w.At, w.Steps[0].At)
		}
	})
	j.Now = func() clock.Instant { return 7 }
	j.Trace(&Event{Kind: PacketStep, At: 5, ID: 1, Step: StepSend, Outcome: Sent})
}

func TestJournal(t *testing.T) {
	var ways []*Way
	j := NewJournal(func(w *Way) { ways = append(ways, w) })
	src, dst := wire.AddrFrom4([]byte{192, 0, 2, 1}), wire.AddrFrom4([]byte{192, 0, 2, 2})
	step := func(id uint32, s Step, o Outcome) {
		j.Trace(&Event{Kind: PacketStep, At: 5, ID: id, Step: s, Src: src, Dst: dst, Outcome: o, Decision: s.String(), What: "what"})
	}
	j.Trace(&Event{Kind: PacketDropped})
	step(1, StepSocket, OnItsWay)
	step(2, StepFrame, OnItsWay)
	step(1, StepNeighbor, Queued)
	step(2, StepDelivery, Delivered)
	step(3, StepFrame, Queued)
	j.Trace(&Event{Kind: PacketStep, At: 7, ID: 1, Outcome: Dropped, Reason: "why", Rule: "who"})
	if len(ways) != 2 || ways[0].Packet != 2 || ways[1].Packet != 1 {
		t.Fatalf("%d ways", len(ways))
	}
	if w := ways[1]; w.Outcome != "dropped" || w.Reason != "why: who" || len(w.Steps) != 2 || w.Source != src.Netip() || w.What != "what" || w.At != 5 {
		t.Errorf("%+v", w)
	}
	j.Flush()
	if len(ways) != 3 || ways[2].Outcome != "queued" {
		t.Errorf("what still waits: %+v", ways[2:])
	}
}

// A Journal does not keep more than maxOpen ways: the oldest is handed over as it is.
func TestJournalBounded(t *testing.T) {
	var ways []*Way
	j := NewJournal(func(w *Way) { ways = append(ways, w) })
	for id := range uint32(maxOpen + 10) {
		j.Trace(&Event{Kind: PacketStep, ID: id + 1, Step: StepFrame})
	}
	if len(ways) != 10 || ways[0].Packet != 1 || len(j.open) != maxOpen {
		t.Errorf("%d handed over, %d kept", len(ways), len(j.open))
	}
	for id := range uint32(maxOpen + 10) {
		j.Trace(&Event{Kind: PacketStep, ID: id + 1, Step: StepSend, Outcome: Sent})
	}
	if len(j.open) != 0 || len(j.order) > maxOpen+10 {
		t.Errorf("%d kept", len(j.open))
	}
	// Nor the numbers of those that are over, though the first waits.
	j.Trace(&Event{Kind: PacketStep, ID: 1 << 20, Step: StepFrame})
	for id := range uint32(20 * maxOpen) {
		j.Trace(&Event{Kind: PacketStep, ID: 1<<21 + id, Step: StepSend, Outcome: Sent})
	}
	if len(j.open) != 1 || len(j.order) > 4*maxOpen {
		t.Errorf("%d ways and %d numbers kept", len(j.open), len(j.order))
	}
}
