package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
)

// result is what a system came to in a case.
type result struct {
	System  string
	Values  map[string][]float64 // by column, of each round
	Missing string               `json:",omitempty"` // why there is nothing, or not all
}

// report is a case and what all systems came to in it.
type report struct {
	Case    string
	Columns []string
	Results []*result
	Goals   []outcome
	point   point
}

// measure has each case's systems do its work in turn, and tells of each case when it is done.
func (o *options) measure(chosen []benchmark, tell func(*report)) []*report {
	var all []*report
	for _, c := range chosen {
		r := &report{Case: c.name, Columns: c.columns(), point: c.point}
		for _, s := range c.on {
			r.Results = append(r.Results, &result{System: s.name, Values: map[string][]float64{}})
		}
		for range o.rounds {
			for i, s := range c.on {
				if r.Results[i].Missing != "" {
					continue
				}
				if err := o.once(c, s, r.Results[i]); err != nil {
					r.Results[i].Missing = err.Error()
				}
			}
		}
		for _, g := range c.goals {
			r.Goals = append(r.Goals, g.judge(r.Results))
		}
		tell(r)
		all = append(all, r)
	}
	return all
}

// once measures one system once.
func (o *options) once(c benchmark, s system, r *result) (err error) {
	f := c.family
	if f == 0 {
		f = v4
	}
	p, err := s.open(f)
	if err != nil {
		return err
	}
	defer p.close()
	m := &meter{time: o.time, unit: c.unit, values: map[string]float64{}}
	if o.profile != "" {
		file, err := os.Create(filepath.Join(o.profile, fileName(c.name+"_"+s.name)+".pprof"))
		if err != nil {
			return err
		}
		defer file.Close()
		m.profile = func(on bool) {
			if on {
				err = errors.Join(err, pprof.StartCPUProfile(file))
			} else {
				pprof.StopCPUProfile()
			}
		}
	}
	if err := c.work(p, m); err != nil {
		return err
	}
	if len(m.values) == 0 {
		return fmt.Errorf("nothing was done in %v", o.time)
	}
	for column, v := range m.values {
		r.Values[column] = append(r.Values[column], v)
	}
	return err
}

// fileName makes the name of a file of one with spaces.
func fileName(s string) string { return strings.NewReplacer(" ", "-", "/", "-", ",", "").Replace(s) }

// median returns the middle of v, and by how much of it the rest lies apart.
func median(v []float64) (m, spread float64) {
	s := slices.Sorted(slices.Values(v))
	m = s[len(s)/2]
	if m == 0 {
		return 0, 0
	}
	return m, (s[len(s)-1] - s[0]) / m
}

// writeTable tells of a case in a table of Markdown.
func (r *report) writeTable(out io.Writer) {
	fmt.Fprintf(out, "\n### %s\n\n| | %s | ± | %s | ours is |\n|---|%s\n", r.Case, r.Columns[0], strings.Join(r.Columns[1:], " | "),
		strings.Repeat("---|", len(r.Columns)+2))
	main := r.Columns[0]
	us, known := best(r.Results, main, "onlink")
	for _, s := range r.Results {
		if len(s.Values[main]) == 0 {
			fmt.Fprintf(out, "| %s | – |%s %s |\n", s.System, strings.Repeat(" |", len(r.Columns)), s.Missing)
			continue
		}
		m, spread := median(s.Values[main])
		fmt.Fprintf(out, "| %s | %s | %.0f %% |", s.System, number(m), 50*spread)
		for _, column := range r.Columns[1:] {
			if len(s.Values[column]) == 0 {
				fmt.Fprint(out, " – |")
				continue
			}
			v, _ := median(s.Values[column])
			fmt.Fprintf(out, " %s |", number(v))
		}
		ratio := s.Missing
		if known && !ours(s.System) {
			ratio = strings.TrimSpace(number(us/m) + " × " + ratio)
		}
		fmt.Fprintf(out, " %s |\n", ratio)
	}
	if len(r.Goals) > 0 {
		fmt.Fprintln(out)
	}
	for _, g := range r.Goals {
		fmt.Fprintf(out, "- %s\n", &g)
	}
}

// number writes three digits that count.
func number(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// plainNumber writes a goal's figure.
func plainNumber(v float64) string { return fmt.Sprintf("%.0f", v) }
