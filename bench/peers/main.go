// Peers measures the stack side by side with gVisor's netstack and with the Linux kernel over a veth pair, in turn in one
// run: the same work through package net's interfaces.
//
//	make bench-peers                     in the root of the repository
//	GOWORK=off go run . -h               here
//
// It is a module of its own, outside of the workspace, so that what gVisor depends on stays out of everything else. The kernel's
// part needs root, for network namespaces; without it, it is left out and that is said. Compare what is in one row: the rows of
// another run were measured on another day.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

func main() {
	isolate()
	var o options
	flag.StringVar(&o.run, "run", ".", "cases whose name matches `REGEXP`")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each is measured, the systems in turn")
	flag.DurationVar(&o.time, "time", time.Second, "how long each measurement takes")
	flag.StringVar(&o.json, "json", "", "write all measurements to `FILE`")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of each case and system to the folder `DIR`")
	flag.Parse()
	if err := o.measure(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	run, json, profile string
	rounds             int
	time               time.Duration
}

// result is what a system came to in a case.
type result struct {
	Case, System, Unit string
	Rates              []float64 // of each round
	CPU                []float64 // seconds of processor time for each unit of work: a gigabyte, or a million
	Allocs             []float64 // for each operation; of bulk transfers for each megabyte
	Missing            string    `json:",omitempty"` // why there is nothing
}

func (o *options) measure(out io.Writer) error {
	match, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if o.rounds < 1 || o.time <= 0 || flag.NArg() > 0 {
		return fmt.Errorf("-rounds and -time must be positive, and there are no arguments")
	}
	var all []*result
	for _, c := range cases {
		if !match.MatchString(c.name) {
			continue
		}
		rows := make([]*result, len(c.on))
		for i, s := range c.on {
			rows[i] = &result{Case: c.name, System: s.name, Unit: c.unit}
		}
		for range o.rounds {
			for i, s := range c.on {
				if rows[i].Missing != "" {
					continue
				}
				if err := o.once(c, s, rows[i]); err != nil {
					rows[i].Missing = err.Error()
				}
			}
		}
		print(out, c, rows)
		all = append(all, rows...)
	}
	if o.json == "" {
		return nil
	}
	b, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(b, '\n'), 0o644)
}

// once measures one system once.
func (o *options) once(c benchmark, s system, r *result) error {
	pair, err := s.open()
	if err != nil {
		return err
	}
	defer pair.close()
	if o.profile != "" {
		name := strings.NewReplacer(" ", "-", "/", "-", ",", "").Replace(c.name + "_" + s.name + ".pprof")
		f, err := os.Create(filepath.Join(o.profile, name))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, began := processorTime(), time.Now()
	n, err := c.work(pair, o.time)
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	used := processorTime() - cpu
	runtime.ReadMemStats(&after)
	if n == 0 {
		return fmt.Errorf("nothing was done in %v", o.time)
	}
	work := float64(n)
	r.Rates = append(r.Rates, work/took*c.scale)
	r.CPU = append(r.CPU, used.Seconds()/work*c.large)
	r.Allocs = append(r.Allocs, float64(after.Mallocs-before.Mallocs)/work*c.small)
	return nil
}

// median returns the middle of v, and by how much of it the rest lies apart.
func median(v []float64) (m, spread float64) {
	s := slices.Sorted(slices.Values(v))
	m = s[len(s)/2]
	return m, (s[len(s)-1] - s[0]) / m
}

// print writes a table of Markdown.
func print(out io.Writer, c benchmark, rows []*result) {
	fmt.Fprintf(out, "\n### %s\n\n| | %s | spread | %s | %s | ours is |\n|---|---|---|---|---|---|\n", c.name, c.unit, c.cpuUnit, c.allocUnit)
	ours := 0.0
	for _, r := range rows {
		if r.Missing != "" {
			fmt.Fprintf(out, "| %s | – | | | | %s |\n", r.System, r.Missing)
			continue
		}
		m, spread := median(r.Rates)
		cpu, _ := median(r.CPU)
		allocs, _ := median(r.Allocs)
		ratio := ""
		if ours == 0 {
			ours = m
		} else {
			ratio = fmt.Sprintf("%.2f ×", ours/m)
		}
		fmt.Fprintf(out, "| %s | %s | %.0f %% | %s | %s | %s |\n", r.System, number(m), 100*spread, number(cpu), number(allocs), ratio)
	}
}

// number writes three digits that count.
func number(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
