package main

import (
	"fmt"
	"io"
	"math"
)

// point says that a case is one of a series of cases that differ in a number.
type point struct {
	series, column string // what it is about, and the column that is looked at
	x              float64
	loss           bool // it is told what is lost from the second to the last, not the slope of a line
}

// lossGoal is the share of a rate that may be lost on the way from few to many.
const lossGoal = 0.2

// trend is what a system came to over a series.
type trend struct {
	Series, System string
	X, Y           []float64
	Slope          float64 `json:",omitempty"` // of a straight line: Y for one more X
	Off            float64 `json:",omitempty"` // how far Y is from the line at most, as a share of the last
	Loss           float64 `json:",omitempty"` // the share of Y that is lost from the second to the last
	loss           bool
}

// trends collects the series of all reports, which are in order.
func trends(all []*report) []*trend {
	var found []*trend
	for _, r := range all {
		if r.point.series == "" {
			continue
		}
		for _, s := range r.Results {
			y := s.Values[r.point.column]
			if len(y) == 0 {
				continue
			}
			var t *trend
			for _, f := range found {
				if f.Series == r.point.series && f.System == s.System {
					t = f
				}
			}
			if t == nil {
				t = &trend{Series: r.point.series, System: s.System, loss: r.point.loss}
				found = append(found, t)
			}
			m, _ := median(y)
			t.X, t.Y = append(t.X, r.point.x), append(t.Y, m)
		}
	}
	for _, t := range found {
		switch {
		case t.loss && len(t.Y) > 2:
			t.Loss = 1 - t.Y[len(t.Y)-1]/t.Y[1]
		case !t.loss && len(t.Y) > 1:
			t.Slope, t.Off = slope(t.X, t.Y)
		}
	}
	return found
}

// slope fits a straight line to y at x: what y grows by for one more x, and how far y is from the line at most, as a share.
func slope(x, y []float64) (per, off float64) {
	var mx, my, sxy, sxx float64
	for i := range x {
		mx += x[i] / float64(len(x))
		my += y[i] / float64(len(x))
	}
	for i := range x {
		sxy += (x[i] - mx) * (y[i] - my)
		sxx += (x[i] - mx) * (x[i] - mx)
	}
	per = sxy / sxx
	for i := range x {
		off = max(off, math.Abs(y[i]-(my+per*(x[i]-mx)))/math.Abs(y[len(y)-1]))
	}
	return per, off
}

// writeTrends tells of them in tables of Markdown.
func writeTrends(out io.Writer, all []*trend) {
	last := ""
	for _, t := range all {
		if t.Series != last {
			fmt.Fprintf(out, "\n### %s\n\n| | at | %s |\n|---|---|---|\n", t.Series, map[bool]string{true: "lost from the second to the last",
				false: "straight line"}[t.loss])
			last = t.Series
		}
		line := fmt.Sprintf("%s for one more, %.0f %% off at most", number(t.Slope), 100*t.Off)
		if t.loss {
			line = fmt.Sprintf("%.0f %%", 100*t.Loss)
			if ours(t.System) && len(t.Y) > 2 {
				line += map[bool]string{true: ": at most 20 %: met", false: ": at most 20 %: not met"}[t.Loss <= lossGoal]
			}
		}
		at := ""
		for i, x := range t.X {
			at += fmt.Sprintf("%s: %s; ", plainNumber(x), number(t.Y[i]))
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", t.System, at, line)
	}
}
