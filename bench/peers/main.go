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
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"
)

func main() {
	isolate()
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	run, systems  string
	json, profile string
	rounds        int
	time          time.Duration
	connections   int
	list          bool
}

func run(args []string) error {
	var o options
	flags := flag.NewFlagSet("peers", flag.ExitOnError)
	flags.StringVar(&o.run, "run", ".", "cases whose name matches `REGEXP`")
	flags.StringVar(&o.systems, "systems", ".", "systems whose name matches `REGEXP`")
	flags.BoolVar(&o.list, "list", false, "name the cases and their systems, and measure nothing")
	flags.IntVar(&o.rounds, "rounds", 5, "how often each is measured, the systems in turn")
	flags.IntVar(&o.connections, "connections", 100_000, "how many idle connections there are at most, of 1,000 on")
	flags.DurationVar(&o.time, "time", 500*time.Millisecond, "how long each measurement takes")
	flags.StringVar(&o.json, "json", "", "write all measurements to `FILE`")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of each case and system to the folder `DIR`")
	flags.Parse(args)
	cases := slices.Concat(cases, idleCases(o.connections), growthCases())
	match, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	who, err := regexp.Compile(o.systems)
	switch {
	case err != nil:
		return fmt.Errorf("-systems: %w", err)
	case o.rounds < 1:
		return fmt.Errorf("-rounds %d: must be 1 or more", o.rounds)
	case o.connections < 1000 || o.connections > 2_000_000:
		return fmt.Errorf("-connections %d: must be from 1,000 to 2,000,000", o.connections)
	case o.time <= 0:
		return fmt.Errorf("-time %v: must be more than nothing", o.time)
	case flags.NArg() > 0:
		return fmt.Errorf("%q: there are no arguments but flags", flags.Arg(0))
	}
	chosen := slices.DeleteFunc(slices.Clone(cases), func(c benchmark) bool { return !match.MatchString(c.name) })
	if len(chosen) == 0 {
		return fmt.Errorf("-run %s: no case is called so; -list names them", o.run)
	}
	for i, c := range chosen {
		chosen[i].on = slices.DeleteFunc(slices.Clone(c.on), func(s system) bool { return !who.MatchString(s.name) })
	}
	if o.list {
		for _, c := range chosen {
			fmt.Println(c.name)
			for _, s := range c.on {
				fmt.Println("\t" + s.name)
			}
		}
		return nil
	}
	all := o.measure(chosen, func(r *report) { r.writeTable(os.Stdout) })
	lines := trends(all)
	writeTrends(os.Stdout, lines)
	if o.json == "" {
		return nil
	}
	b, err := json.MarshalIndent(map[string]any{"Cases": all, "Series": lines}, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(b, '\n'), 0o644)
}
