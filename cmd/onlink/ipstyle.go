package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// The commands in the manner of ip(8): an object, a verb, and words; flags before and between them.

// ipFlags are what these commands have in common.
type ipFlags struct {
	runningFlags `embed:""`
	IPv4         bool     `help:"Only IPv4." name:"ipv4" short:"4"`
	IPv6         bool     `help:"Only IPv6." name:"ipv6" short:"6"`
	JSON         bool     `help:"Print JSON, with the names that ip -j has." name:"json" short:"j"`
	Pretty       bool     `help:"Print it in lines." short:"p"`
	Oneline      bool     `help:"Print each thing in one line." short:"o"`
	Brief        bool     `help:"Print the least." short:"b"`
	Stats        bool     `help:"Print counters, too." short:"s"`
	Details      bool     `help:"Print all there is." short:"d"`
	Timestamp    bool     `help:"Print when, with monitor." short:"t"`
	Words        []string `arg:"" optional:"" help:"The verb and what it is about; \"help\" tells."`
}

// object is what a command is about.
type object struct {
	name  string
	usage string // the grammar
	verbs []objectVerb
}

// objectVerb is something that can be done with an object.
type objectVerb struct {
	names   string // separated by spaces; any beginning of one will do
	changes bool   // it changes the stack
	run     func(c *call) error
}

// call is a command of this kind on its way.
type call struct {
	*session
	*ipFlags
	words
	family family
}

// changing is held by who changes a stack, so that what was found is still so when it is changed.
var changing sync.Mutex

// do runs what the words say.
func (f *ipFlags) do(s *session, o *object) error {
	c := &call{session: s, ipFlags: f, words: words{rest: f.Words}}
	switch {
	case f.IPv4 && f.IPv6:
		return usagef("-4 and -6: one of them")
	case f.IPv4:
		c.family = only4
	case f.IPv6:
		c.family = only6
	}
	name, ok := c.next()
	if !ok {
		name = "show"
	}
	if name == "help" {
		_, err := fmt.Fprintln(s.out, o.usage)
		return err
	}
	v := o.find(name)
	if v == nil {
		return usagef("%s: %q is not something to do with it%s (onlink %s help tells more)", o.name, name, didYouMean(name, o.names()), o.name)
	}
	if v.changes {
		changing.Lock()
		defer changing.Unlock()
	}
	return v.run(c)
}

// find returns the verb of the given name: of those that begin so, the first.
func (o *object) find(name string) *objectVerb {
	for _, exact := range [...]bool{true, false} {
		for i := range o.verbs {
			for _, n := range strings.Fields(o.verbs[i].names) {
				if n == name || !exact && strings.HasPrefix(n, name) {
					return &o.verbs[i]
				}
			}
		}
	}
	return nil
}

func (o *object) names() (all []string) {
	for _, v := range o.verbs {
		all = append(all, strings.Fields(v.names)...)
	}
	return all
}

// print prints a list: as JSON, or the text that write makes.
func (c *call) print(list any, write func(b *bytes.Buffer)) error {
	var b bytes.Buffer
	if c.JSON {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if c.Pretty {
			e.SetIndent("", "    ")
		}
		if err := e.Encode(list); err != nil {
			return err
		}
	} else {
		write(&b)
	}
	_, err := c.out.Write(b.Bytes())
	return err
}

// line writes one thing of several lines, or of one if that is wanted, in the manner of ip -o.
func (c *call) line(b *bytes.Buffer, lines ...string) {
	sep := "\n"
	if c.Oneline {
		sep = "\\"
	}
	b.WriteString(strings.Join(lines, sep) + "\n")
}

// The commands.
type (
	addrCmd   struct{ ipFlags }
	linkCmd   struct{ ipFlags }
	routeCmd  struct{ ipFlags }
	neighCmd  struct{ ipFlags }
	ruleCmd   struct{ ipFlags }
	maddrCmd  struct{ ipFlags }
	policyCmd struct{ ipFlags }
)

// Run has the command work on the host that the flags say.
func (c *addrCmd) Run(ctx context.Context) error   { return c.target(ctx, c) }
func (c *linkCmd) Run(ctx context.Context) error   { return c.target(ctx, c) }
func (c *routeCmd) Run(ctx context.Context) error  { return c.target(ctx, c) }
func (c *neighCmd) Run(ctx context.Context) error  { return c.target(ctx, c) }
func (c *ruleCmd) Run(ctx context.Context) error   { return c.target(ctx, c) }
func (c *maddrCmd) Run(ctx context.Context) error  { return c.target(ctx, c) }
func (c *policyCmd) Run(ctx context.Context) error { return c.target(ctx, c) }

func (c *addrCmd) run(s *session) error   { return c.do(s, &addrObject) }
func (c *linkCmd) run(s *session) error   { return c.do(s, &linkObject) }
func (c *routeCmd) run(s *session) error  { return c.do(s, &routeObject) }
func (c *neighCmd) run(s *session) error  { return c.do(s, &neighObject) }
func (c *ruleCmd) run(s *session) error   { return c.do(s, &ruleObject) }
func (c *maddrCmd) run(s *session) error  { return c.do(s, &maddrObject) }
func (c *policyCmd) run(s *session) error { return c.do(s, &policyObject) }
