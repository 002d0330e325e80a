package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// pathsFlags are the flags of `bench paths`.
type pathsFlags struct {
	time       time.Duration
	seeds      int
	first      uint64
	only       map[string]bool
	control    string
	kernel     bool
	atOnce     int
	file       string
	write      bool
	keep       bool
	page, imgs string
}

func parsePaths(args []string) (*pathsFlags, error) {
	c := &pathsFlags{only: map[string]bool{}}
	f := newFlags("paths")
	f.DurationVar(&c.time, "time", 20*time.Second, "how long each flow sends")
	f.IntVar(&c.seeds, "seeds", 0, "runs of each point; 0: 8 in simulation, 3 in real time")
	f.Uint64Var(&c.first, "seed", 1, "the first seed")
	only := f.String("only", "", "groups of points, with commas between; empty: all")
	f.StringVar(&c.control, "control", "", "one congestion control; empty: all")
	f.BoolVar(&c.kernel, "kernel", false, "in real time, the kernel's TCP and ours")
	f.IntVar(&c.atOnce, "parallel", 2, "runs at once")
	f.StringVar(&c.file, "file", "bench/paths.json", "where results are kept")
	f.BoolVar(&c.keep, "keep", false, "add to what the file has of a point, do not replace it")
	f.BoolVar(&c.write, "write", false, "measure nothing: draw the charts and write the table from the file")
	f.StringVar(&c.page, "page", "docs/tcp.md", "the page with the table")
	f.StringVar(&c.imgs, "charts", "docs/img", "the directory of the charts")
	f.Parse(args) // exits if it fails
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q is too much", f.Arg(0))
	}
	if c.seeds == 0 {
		c.seeds = 8
		if c.kernel {
			c.seeds = 3
		}
	}
	names := map[string]bool{}
	for _, g := range groups() {
		names[g.Name] = true
	}
	for _, name := range strings.FieldsFunc(*only, func(r rune) bool { return r == ',' }) {
		if !names[name] {
			return nil, fmt.Errorf("-only %s: there is no such group", name)
		}
		c.only[name] = true
	}
	if c.time <= 0 || c.seeds < 1 || c.atOnce < 1 {
		return nil, errors.New("-time, -seeds and -parallel must be positive")
	}
	return c, nil
}

// runPaths is `bench paths`.
func runPaths(ctx context.Context, args []string) error {
	c, err := parsePaths(args)
	if err != nil {
		return err
	}
	rs, err := load(c.file)
	if err != nil {
		return err
	}
	if c.write {
		return rs.publish(c.page, c.imgs)
	}
	senders, measure := []string{simulated}, func(_ context.Context, j job, _ string, seed uint64) (run, error) {
		return simulate(j, seed, c.time)
	}
	if c.kernel {
		command, remove, err := buildCommand(ctx)
		if err != nil {
			return err
		}
		defer remove()
		// Our stacks share this process with each other and with what the kernels' connections read and write; they are to
		// wait for the machine's scheduler alone.
		runtime.GOMAXPROCS(4 * c.atOnce)
		debug.SetGCPercent(1000)
		senders, measure = []string{kernel, ours}, func(ctx context.Context, j job, sender string, seed uint64) (run, error) {
			return realTime(ctx, command, j, sender, seed, c.time)
		}
	}
	return c.measure(ctx, &rs, senders, measure)
}

// task is one run to be made.
type task struct {
	job
	seed uint64
}

// measure makes all runs, those of the senders at a point one after the other with the same seed, and saves as it goes.
func (c *pathsFlags) measure(ctx context.Context, rs *results, senders []string,
	measure func(context.Context, job, string, uint64) (run, error)) error {
	var tasks []task
	for i := range c.seeds {
		for _, j := range jobs(c.only) {
			if c.control == "" || c.control == j.Control {
				tasks = append(tasks, task{j, c.first + uint64(i)})
			}
		}
	}
	var mu sync.Mutex
	fresh := map[job]bool{}
	err := each(ctx, len(tasks), c.atOnce, func(i int) error {
		t := tasks[i]
		runs := make([]run, len(senders))
		for k, sender := range senders {
			var err error
			if runs[k], err = measure(ctx, t.job, sender, t.seed); err != nil {
				return fmt.Errorf("%s %+v seed %d: %w", t.Control, t.Line, t.seed, err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		line := fmt.Sprintf("%4d/%d %-5s %-20s seed %d", i+1, len(tasks), t.Control, name(t.job), t.seed)
		for k, sender := range senders {
			if !c.keep && !fresh[t.job] {
				rs.drop(t.job, sender)
			}
			rs.add(t.job, sender, c.time.Seconds(), runs[k])
			line += fmt.Sprintf("  %s %.2f (%d timeouts)", sender, runs[k].Goodput, runs[k].Timeouts)
		}
		fresh[t.job] = true
		fmt.Fprintln(os.Stderr, line)
		return rs.save(c.file)
	})
	return err
}

// name returns the first point's name that j is at.
func name(j job) string {
	for _, g := range groups() {
		for _, p := range g.Points {
			if p.Line == j.Line {
				return g.Name + " " + p.At
			}
		}
	}
	return fmt.Sprintf("%+v", j.Line)
}
