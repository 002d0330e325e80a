package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"sync"
	"weak"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
)

// nstatCmd is `onlink nstat`: counters as nstat(8) prints them.
type nstatCmd struct {
	runningFlags `embed:""`
	Absolute     bool     `help:"Print how much it is since the host is up, not since the last time." name:"ignore" short:"a"`
	Zeros        bool     `help:"Print counters that are zero, too." short:"z"`
	NoUpdate     bool     `help:"The next time, print how much it is since the last time, not since now." name:"noupdate" short:"s"`
	NoOutput     bool     `help:"Print nothing, but remember this as the last time." name:"nooutput" short:"n"`
	Reset        bool     `help:"Forget the last time." short:"r"`
	JSON         bool     `help:"Print JSON." name:"json" short:"j"`
	Pretty       bool     `help:"Print it in lines." short:"p"`
	Patterns     []string `arg:"" optional:"" help:"Only counters whose names are like one of these: Tcp*, Ip6InDiscards." name:"pattern"`
}

// Run has the command work on the host that the flags say.
func (c *nstatCmd) Run(ctx context.Context) error { return c.target(ctx, c) }

// lastCounters is what the counters of a stack were when they were last asked for.
var lastCounters struct {
	sync.Mutex
	stack  weak.Pointer[onlink.Stack]
	values mib.Values
}

// since returns the counters, and what they were the last time.
func (c *nstatCmd) since(s *onlink.Stack) (now, was mib.Values) {
	now = s.Snapshot().Counters
	last := &lastCounters
	last.Lock()
	defer last.Unlock()
	if last.stack.Value() == s && !c.Absolute && !c.Reset {
		was = last.values
	}
	if !c.NoUpdate {
		last.stack, last.values = weak.Make(s), now
	}
	return now, was
}

func (c *nstatCmd) run(s *session) error {
	c.Patterns = withoutShow(c.Patterns)
	for _, p := range c.Patterns {
		if _, err := path.Match(p, ""); err != nil {
			return usagef("%s: not a pattern, like Tcp*: %w", p, err)
		}
	}
	now, was := c.since(s.stack)
	if c.NoOutput {
		return nil
	}
	var counters, drops []namedCount
	for i := range now.Counters {
		counters = c.count(counters, mib.Counter(i).String(), now.Counters[i]-was.Counters[i])
	}
	for i := range now.Drops {
		drops = c.count(drops, mib.Reason(i).String(), now.Drops[i]-was.Drops[i])
	}
	var b bytes.Buffer
	if c.JSON {
		c.writeJSON(&b, counters, drops)
	} else {
		b.WriteString("#onlink\n")
		for _, n := range counters {
			fmt.Fprintf(&b, "%-32s%-16d%6.1f\n", n.name, n.value, 0.0) // nstat's third column is a rate, which nobody measures here
		}
		for _, n := range drops {
			fmt.Fprintf(&b, "%-32s%-16d # %s\n", "Dropped", n.value, n.name)
		}
	}
	_, err := s.out.Write(b.Bytes())
	return err
}

// namedCount is a counter.
type namedCount struct {
	name  string
	value uint64
}

// count appends a counter, if it is asked for.
func (c *nstatCmd) count(list []namedCount, name string, value uint64) []namedCount {
	if value == 0 && !c.Zeros || len(c.Patterns) > 0 && !c.asked(name) {
		return list
	}
	return append(list, namedCount{name, value})
}

func (c *nstatCmd) asked(name string) bool {
	for _, p := range c.Patterns {
		if ok, _ := path.Match(p, name); ok {
			return true
		}
	}
	return false
}

// writeJSON writes the counters in the order they have, under the key that nstat has, and what was dropped for which reason.
func (c *nstatCmd) writeJSON(b *bytes.Buffer, counters, drops []namedCount) {
	object := func(key string, list []namedCount) {
		fmt.Fprintf(b, "%q:{", key)
		for i, n := range list {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, "%q:%d", n.name, n.value)
		}
		b.WriteByte('}')
	}
	b.WriteByte('{')
	object("kernel", counters)
	b.WriteByte(',')
	object("drops", drops)
	b.WriteString("}\n")
	if c.Pretty {
		var p bytes.Buffer
		if json.Indent(&p, b.Bytes(), "", "    ") == nil {
			*b = p
		}
	}
}
