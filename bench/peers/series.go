package main

import (
	"fmt"
	"io"
	"math"
	"strings"
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

// judgeLosses adds to the last case of each series what ours lost on the way to it, of its best configuration.
func judgeLosses(all []*report, lines []*trend) {
	for _, r := range all {
		for _, t := range lines {
			if !t.loss || !ours(t.System) || t.Series != r.point.series || len(t.X) < 3 || t.X[len(t.X)-1] != r.point.x {
				continue
			}
			o := outcome{Goal: fmt.Sprintf("≤ %.0f %% lost from %s to %s", 100*lossGoal, thousands(int(t.X[1])), thousands(int(r.point.x))),
				Measured: 100 * t.Loss, Share: most}
			if t.Loss > 0 {
				o.Share = lossGoal / t.Loss
			}
			r.Goals = append(r.Goals, o)
		}
	}
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
		line := "–"
		switch {
		case t.loss && len(t.Y) > 2:
			line = fmt.Sprintf("%.0f %%", 100*t.Loss)
		case !t.loss && len(t.Y) > 1:
			line = fmt.Sprintf("%s for one more, %.1f %% off at most", number(t.Slope), 100*t.Off)
		}
		at := make([]string, len(t.X))
		for i, x := range t.X {
			at[i] = thousands(int(x)) + ": " + number(t.Y[i])
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", t.System, strings.Join(at, "; "), line)
	}
}
