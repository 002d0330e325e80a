package main

import (
	"fmt"
	"strings"
)

// goal is what ours is to reach in a case: to be so many times as good as the best of the others named, where good is high of a
// rate and low of everything else; or, with no others, a figure.
type goal struct {
	column string
	value  float64
	than   string // how the others' names begin
}

// lower reports whether less is better.
func lower(column string) bool { return !strings.HasSuffix(column, "/s") }

// outcome is how a goal was met.
type outcome struct {
	Goal     string
	Measured float64 // what the goal is compared with: a ratio, or ours
	Share    float64 // of the goal that was reached: met from 1 on
	Missing  string  `json:",omitempty"` // why it is not known
}

func (o *outcome) met() bool { return o.Missing == "" && o.Share >= 1 }

// String tells it as the table does.
func (o *outcome) String() string {
	switch {
	case o.Missing != "":
		return o.Goal + ": not measured: " + o.Missing
	case o.met():
		return fmt.Sprintf("%s: met, %s", o.Goal, number(o.Measured))
	}
	return fmt.Sprintf("%s: not met, %s", o.Goal, number(o.Measured))
}

// none is what an allocation count may be to be no allocation of the work's: the run time has a few of its own.
const none = 0.05

// judge compares what was measured with a goal.
func (g goal) judge(rows []*result) (o outcome) {
	o.Goal = g.String()
	us, ok := best(rows, g.column, "onlink")
	if !ok {
		o.Missing = "no figure of ours"
		return o
	}
	if g.than == "" {
		o.Measured = us
		switch {
		case !lower(g.column):
			o.Share = us / g.value
		case g.value == 0 && us < none:
			o.Share = 1
		case g.value == 0:
			o.Share = none / us
		default:
			o.Share = g.value / us
		}
		return o
	}
	them, ok := best(rows, g.column, g.than)
	if !ok {
		o.Missing = "no figure of " + g.than
		return o
	}
	o.Measured = us / them
	o.Share = o.Measured / g.value
	if lower(g.column) {
		o.Share = 1 / (o.Measured * g.value)
	}
	return o
}

// best returns the best median of the systems whose names begin so.
func best(rows []*result, column, prefix string) (v float64, ok bool) {
	for _, r := range rows {
		if !strings.HasPrefix(r.System, prefix) || len(r.Values[column]) == 0 {
			continue
		}
		m, _ := median(r.Values[column])
		if !ok || (m < v) == lower(column) {
			v, ok = m, true
		}
	}
	return v, ok
}

func (g goal) String() string {
	switch {
	case g.than == "" && lower(g.column):
		return fmt.Sprintf("%s ≤ %s", g.column, limit(g.value))
	case g.than == "":
		return fmt.Sprintf("%s ≥ %s", g.column, limit(g.value))
	case lower(g.column):
		return fmt.Sprintf("%s ≤ %.3g × %s's best", g.column, 1/g.value, g.than)
	}
	return fmt.Sprintf("%s ≥ %.3g × %s's best", g.column, g.value, g.than)
}

// limit writes the figure of a goal.
func limit(v float64) string {
	if v < 1000 {
		return fmt.Sprintf("%g", v)
	}
	return thousands(int(v))
}
