package trace

import (
	"fmt"
	"sync"
	"testing"
)

// list is a Sink; two lists with the same contents are not comparable.
type list struct{ got *[]string }

func (l list) Trace(e *Event) { *l.got = append(*l.got, e.Reason) }

// sinkFunc is a Sink that == panics on.
type sinkFunc func(e *Event)

func (f sinkFunc) Trace(e *Event) { f(e) }

func TestTracer(t *testing.T) {
	var tr Tracer
	if tr.Enabled() {
		t.Error("enabled with nobody listening")
	}
	tr.Emit(&Event{Reason: "unheard"})

	var got []string
	removeFirst := tr.Add(list{&got})
	tr.Emit(&Event{Reason: "a"})
	removeSecond := tr.Add(list{&got}) // the same sink again
	tr.Emit(&Event{Reason: "b"})
	removeFirst()
	removeFirst() // does not take the other one's place
	tr.Emit(&Event{Reason: "c"})
	removeFunc := tr.Add(sinkFunc(func(e *Event) { got = append(got, "f:"+e.Reason) }))
	tr.Emit(&Event{Reason: "d"})
	removeSecond()
	tr.Emit(&Event{Reason: "e"})
	removeFunc()
	if tr.Enabled() {
		t.Error("enabled after the last was removed")
	}
	tr.Emit(&Event{Reason: "unheard"})
	if want := "[a b b c d f:d f:e]"; fmt.Sprint(got) != want {
		t.Errorf("heard %v, want %v", got, want)
	}
}

func TestNilTracer(t *testing.T) {
	var tr *Tracer
	if tr.Enabled() {
		t.Error("the nil Tracer is enabled")
	}
	tr.Emit(&Event{})
}

func TestTracerConcurrent(t *testing.T) {
	var tr Tracer
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				n := 0
				remove := tr.Add(sinkFunc(func(*Event) { n++ }))
				remove()
			}
		})
	}
	wg.Wait()
	if tr.Enabled() {
		t.Error("a listener is left")
	}
}

func TestEmitAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var tr Tracer
	n := 0
	tr.Add(sinkFunc(func(*Event) { n++ }))
	e := &Event{}
	if a := testing.AllocsPerRun(100, func() { tr.Emit(e) }); a > 0 {
		t.Errorf("%v allocations", a)
	}
}

func TestKindsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for k := range kinds {
		name := Kind(k).String()
		if name == "" || seen[name] {
			t.Errorf("kind %d is called %q", k, name)
		}
		seen[name] = true
	}
	if ICMPSent.String() != "icmp sent" || PacketDropped.String() != "dropped" {
		t.Error("names and kinds are out of step")
	}
}
