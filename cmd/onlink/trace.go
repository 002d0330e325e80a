package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/trace"
)

// traceCmd is `onlink trace`.
type traceCmd struct {
	targetFlags `embed:""`
	Interface   string   `help:"Only packets that come or leave by this interface." short:"i" placeholder:"NAME"`
	Count       int      `help:"End after so many packets." short:"c" placeholder:"N"`
	JSON        bool     `help:"Print one JSON object a packet." name:"json"`
	Expr        []string `arg:"" optional:"" placeholder:"EXPR" help:"Only packets that this filter of tcpdump selects, as \"tcp port 80\" or \"icmp6\"."`

	played *playing // the lab's traffic; nil elsewhere
}

// Run has the command work on the host that the flags say.
func (c *traceCmd) Run(ctx context.Context) error {
	if c.Count < 0 {
		return usagef("-c %d: must not be negative", c.Count)
	}
	return c.target(ctx, c)
}

// run prints the ways of packets as they are over, until it is interrupted or has printed enough; in the lab, until its traffic is
// over.
func (c *traceCmd) run(s *session) error {
	filter, err := newTraceFilter(s.stack, c.Interface, strings.Join(c.Expr, " "))
	if err != nil {
		return err
	}
	p := newTracePrinter(s, c.JSON)
	queue := newTraceQueue(s.stack.Runtime())
	journal := trace.NewJournal(queue.add)
	journal.Now = s.stack.Runtime().Now
	remove, err := s.stack.Tracer().AddSteps(journal, filter)
	if err != nil {
		return err
	}
	defer remove()
	defer s.stack.Runtime().AfterDone(s.ctx, queue.end)()
	if c.played != nil {
		c.played.start(queue.end)
	}
	printed := 0
	for over := false; !over; {
		var ways []*trace.Way
		if ways, over = queue.wait(); over {
			remove()
			journal.Flush() // those that still wait for something are told of as they are
			rest, _ := queue.wait()
			ways = append(ways, rest...)
		}
		for _, w := range ways {
			if err := p.print(w); err != nil {
				return err
			}
			if printed++; printed == c.Count {
				return nil
			}
		}
	}
	if lost := queue.lost; lost > 0 {
		fmt.Fprintf(s.err, "onlink: %d packets were not told of: there were more than could be printed\n", lost)
	}
	return nil
}

// tracePrinter prints ways.
type tracePrinter struct {
	s     *session
	json  bool
	epoch time.Time // the time of day of instant 0
	names map[int32]string
}

func newTracePrinter(s *session, json bool) *tracePrinter {
	rt := s.stack.Runtime()
	return &tracePrinter{s: s, json: json, epoch: rt.Wall().Add(-time.Duration(rt.Now())), names: map[int32]string{0: ""}}
}

func (p *tracePrinter) wall(at clock.Instant) time.Time { return p.epoch.Add(time.Duration(at)) }

// print prints w in one piece.
func (p *tracePrinter) print(w *trace.Way) error {
	if p.json {
		line, err := json.Marshal(struct {
			Time time.Time `json:"time"`
			In   string    `json:"in,omitempty"`
			Out  string    `json:"out,omitempty"`
			*trace.Way
		}{p.wall(w.At), p.name(w.In), p.name(w.Out), w})
		if err != nil {
			return err
		}
		_, err = p.s.out.Write(append(line, '\n'))
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s  %v\n", p.wall(w.At).Format("15:04:05.000000"), w)
	_, err := p.s.out.Write(b.Bytes())
	return err
}

// name returns the name of the interface with the given index, empty for 0.
func (p *tracePrinter) name(index int32) string {
	if name, known := p.names[index]; known {
		return name
	}
	p.names[index] = fmt.Sprint(index) // it was removed before anybody asked
	for _, i := range p.s.stack.Snapshot().Interfaces {
		p.names[int32(i.Index)] = i.Name
	}
	return p.names[index]
}
