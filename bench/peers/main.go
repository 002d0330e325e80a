// Peers measures the stack side by side with gVisor's netstack and with the Linux kernel over a veth pair, in turn in one
// run: the same work through package net's interfaces.
//
//	make bench-peers                     in the root of the repository
//	GOWORK=off go run . -h               here
//
// It is a module of its own, outside of the workspace, so that what gVisor depends on stays out of everything else. The kernel's
// part needs root, for network namespaces; without it, it is left out and that is said. Compare what is in one table: those of
// another run were measured on another day.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"time"
)

func main() {
	isolate()
	o, err := parse(os.Args[1:], os.Stderr)
	if err == flag.ErrHelp {
		return
	}
	if err == nil {
		err = o.all(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	chosen        []benchmark
	list          bool
	rounds        int
	time          time.Duration
	json, md, svg string
	profile       string
}

const usage = `Measures onlink side by side with gVisor's netstack and the Linux kernel, in turn in one run, and prints a table
for each case: medians, how far the rest is apart, how many times as good ours is as each of the others, and
whether the goals are met. CPU is the whole process's processor time, the kernel's part included; allocations are
the whole process's, too. It wants root, for network namespaces and devices.

`

// parse reads the flags. The error is one line that names what is wrong.
func parse(args []string, help io.Writer) (*options, error) {
	o := new(options)
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	run := flags.String("run", ".", "cases whose name matches `REGEXP`")
	systems := flags.String("systems", ".", "systems whose name matches `REGEXP`")
	connections := flags.Int("connections", 100_000, "how many idle connections there are at most, of 1,000 on")
	flags.BoolVar(&o.list, "list", false, "name the cases and their systems, and measure nothing")
	flags.IntVar(&o.rounds, "rounds", 5, "how often each is measured, the systems in turn")
	flags.DurationVar(&o.time, "time", 500*time.Millisecond, "how long each measurement takes")
	flags.StringVar(&o.md, "md", "", "write the tables, which are printed, to `FILE` of Markdown, too")
	flags.StringVar(&o.json, "json", "", "write all measurements to `FILE`")
	flags.StringVar(&o.svg, "svg", "", "draw how much of each goal was reached, to `FILE`")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of each case and system to the folder `DIR`")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		fmt.Fprint(help, usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case flags.NArg() > 0:
		return nil, fmt.Errorf("%q: there are no arguments but flags", flags.Arg(0))
	case o.rounds < 1:
		return nil, fmt.Errorf("-rounds %d: must be 1 or more", o.rounds)
	case o.time <= 0:
		return nil, fmt.Errorf("-time %v: must be more than nothing", o.time)
	case *connections < 1000 || *connections > 2_000_000:
		return nil, fmt.Errorf("-connections %d: must be from 1,000 to 2,000,000", *connections)
	}
	match, err := regexp.Compile(*run)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	who, err := regexp.Compile(*systems)
	if err != nil {
		return nil, fmt.Errorf("-systems: %w", err)
	}
	for _, c := range slices.Concat(cases, idleCases(*connections), growthCases()) {
		c.on = slices.DeleteFunc(slices.Clone(c.on), func(s system) bool { return !who.MatchString(s.name) })
		if match.MatchString(c.name) && len(c.on) > 0 {
			o.chosen = append(o.chosen, c)
		}
	}
	if len(o.chosen) == 0 {
		return nil, fmt.Errorf("-run %s -systems %s: there is no such case; -list names them", *run, *systems)
	}
	return o, nil
}

// all does what the flags say.
func (o *options) all(out io.Writer) error {
	if o.list {
		for _, c := range o.chosen {
			fmt.Fprintln(out, c.name)
			for _, s := range c.on {
				fmt.Fprintln(out, "\t"+s.name)
			}
		}
		return nil
	}
	if err := o.writable(); err != nil {
		return err
	}
	var text bytes.Buffer
	out = io.MultiWriter(out, &text)
	fmt.Fprintf(out, "Measured on %s/%s with %s and %d processors, %d rounds of %v.\n", runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.NumCPU(),
		o.rounds, o.time)
	costs := priceAll()
	costs.write(out)
	all := o.measure(costs, func(r *report) { r.writeTable(out) })
	lines := trends(all)
	judgeLosses(all, lines)
	writeTrends(out, lines)
	writeGoals(out, all)
	data, err := json.MarshalIndent(map[string]any{"Cases": all, "Series": lines}, "", "\t")
	if err != nil {
		return err
	}
	return o.save(map[string][]byte{o.md: text.Bytes(), o.json: append(data, '\n'), o.svg: []byte(writeChart(all))})
}

// writable makes the files that are to be written, so that a wrong name is told before minutes of measuring.
func (o *options) writable() error {
	if err := o.save(map[string][]byte{o.md: nil, o.json: nil, o.svg: nil}); err != nil {
		return err
	}
	if o.profile == "" {
		return nil
	}
	return os.MkdirAll(o.profile, 0o777)
}

func (o *options) save(files map[string][]byte) error {
	for name, data := range files {
		if name == "" {
			continue
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}
