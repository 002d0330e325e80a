package hook

import (
	"strings"
	"sync"
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// called returns a hook that notes its name and answers with v.
func called(log *[]string, name string, v Verdict) Func {
	return func(clock.Instant, *packet.Buffer) Verdict {
		*log = append(*log, name)
		return v
	}
}

func TestOrder(t *testing.T) {
	var table Table
	if table.Active() != nil || (*Table)(nil).Active() != nil {
		t.Error("hooks in an empty table")
	}
	c := table.Chain(Forward)
	var log []string
	c.Add(0, "b", called(&log, "b", Continue))
	removeC := c.Add(0, "c", called(&log, "c", Continue))
	c.Add(-5, "a", called(&log, "a", Continue))
	c.Add(7, "d", called(&log, "d", Continue))
	run := func() (Verdict, int, string) {
		log = nil
		v, last := table.Active()[Forward].Run(0, nil)
		return v, last, strings.Join(log, "")
	}
	if v, last, got := run(); v != Continue || last != 4 || got != "abcd" {
		t.Errorf("%v, %d, called %q", v, last, got)
	}
	held := table.Active()
	removeC()
	removeC()
	if _, _, got := run(); got != "abd" {
		t.Errorf("without c: called %q", got)
	}
	if len(held[Forward]) != 4 {
		t.Error("what a batch holds has changed")
	}
	var names []string
	for _, h := range c.Hooks() {
		names = append(names, h.Name)
	}
	if strings.Join(names, "") != "abd" || len(table.Chain(Input).Hooks()) != 0 {
		t.Errorf("lists %v", names)
	}
}

func TestVerdictsEndTheChain(t *testing.T) {
	for _, v := range []Verdict{Drop, Stolen, Verdict(9)} {
		var table Table
		var log []string
		c := table.Chain(Egress)
		c.Add(1, "a", called(&log, "a", Continue))
		c.Add(2, "b", called(&log, "b", v))
		remove := c.Add(3, "c", called(&log, "c", Continue))
		got, last := c.Hooks().Run(0, nil)
		if got != v || last != 1 || strings.Join(log, "") != "ab" {
			t.Errorf("%v: %v by %d, called %v", v, got, last, log)
		}
		remove()
	}
	if s := Verdict(9).String(); s != "drop" {
		t.Errorf("an unknown verdict is %q", s)
	}
}

func TestLastOneRemovedLeavesNothing(t *testing.T) {
	var table Table
	a := table.Chain(Input).Add(0, "a", nil)
	b := table.Chain(Output).Add(0, "b", nil)
	a()
	if table.Active() == nil {
		t.Error("b is gone too")
	}
	b()
	if table.Active() != nil {
		t.Error("the empty table is looked at")
	}
}

func TestChangesAtOnce(t *testing.T) {
	var table Table
	var wg sync.WaitGroup
	for _, at := range Points() {
		wg.Go(func() {
			for range 300 {
				remove := table.Chain(at).Add(int(at), at.String(), func(clock.Instant, *packet.Buffer) Verdict { return Continue })
				if a := table.Active(); a == nil || len(a[at]) != 1 {
					t.Errorf("%v: the hook is not there", at)
				}
				remove()
			}
		})
	}
	wg.Wait()
	if table.Active() != nil {
		t.Error("hooks are left")
	}
}

func TestNames(t *testing.T) {
	if len(Points()) != int(numPoints) || Egress.String() != "Egress" || Ingress.String() != "Ingress" || numPoints.String() != "unknown" {
		t.Error("names and points are out of step")
	}
	defer func() {
		if recover() == nil {
			t.Error("a chain at no point")
		}
	}()
	new(Table).Chain(numPoints)
}
