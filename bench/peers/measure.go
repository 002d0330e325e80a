package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
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
	Floor   float64 `json:",omitempty"` // the least processor time, in the column of processor time
	FloorOf string  `json:",omitempty"` // what it is made of

	cpu   string // the column of processor time
	point point
}

// measure has each case's systems do its work in turn, and tells of each case when it is done.
func (o *options) measure(costs prices, tell func(*report)) []*report {
	var all []*report
	for _, c := range o.chosen {
		r := &report{Case: c.name, Columns: c.columns(), cpu: c.unit.cpu, point: c.point}
		for _, s := range c.on {
			r.Results = append(r.Results, &result{System: s.name, Values: map[string][]float64{}})
		}
		rounds := o.rounds
		if c.once {
			rounds = 1
		}
		for range rounds {
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
		if least, how, ok := costs.floor(&c); ok {
			r.Floor, r.FloorOf = least, how
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
		file, fault := os.Create(filepath.Join(o.profile, fileName(c.name+"_"+s.name)+".pprof"))
		if fault != nil {
			return fault
		}
		defer file.Close()
		defer pprof.StopCPUProfile() // where the work failed before its end
		m.profile = func(on bool) {
			if on {
				err = pprof.StartCPUProfile(file)
			} else {
				pprof.StopCPUProfile()
			}
		}
	}
	if fault := c.work(p, m); fault != nil {
		return fault
	}
	if _, done := m.values[c.unit.rate]; !done {
		return fmt.Errorf("nothing was done in %v", o.time)
	}
	for column, v := range m.values {
		r.Values[column] = append(r.Values[column], v)
	}
	return err
}

// fileName makes the name of a file of one with spaces.
func fileName(s string) string { return strings.NewReplacer(" ", "-", "/", "-", ",", "").Replace(s) }
