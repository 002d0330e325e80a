package main

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/sim"
)

// The path that all points are variations of.
const (
	lineRate   = 50e6                                // bit/s
	lineDelay  = 20 * time.Millisecond               // each way
	lineFrame  = 1514                                // octets of a full frame
	lineBDP    = int(lineRate / 8 * 40 / 1000)       // octets in a round-trip time
	lineQueue  = (lineBDP + lineFrame/2) / lineFrame // frames
	lineUsable = lineRate / 1e6 * 1448 / lineFrame   // Mbit/s that can be data
)

// controls are the congestion controls, in the order of tables.
var controls = [...]string{"reno", "cubic", "bbr"}

// point is a path, as a point of a chart.
type point struct {
	At   string // on the chart's x axis
	Line sim.Line
}

// group is the points of one chart.
type group struct {
	Name, Title, Axis string
	Log               bool // goodput is drawn on a logarithmic scale
	Points            []point
}

// base is the path without impairments.
func base() sim.Line { return sim.Line{Delay: lineDelay, Rate: lineRate, Queue: lineQueue} }

// groups returns all points. Impairments are the same in both directions, as those of `onlink wire` are.
func groups() []group {
	vary := func(change func(l *sim.Line, x float64), format string, xs ...float64) (ps []point) {
		for _, x := range xs {
			l := base()
			change(&l, x)
			ps = append(ps, point{fmt.Sprintf(format, x), l})
		}
		return ps
	}
	return []group{
		{"loss", "Random loss", "frames lost", true, vary(func(l *sim.Line, x float64) { l.Loss = x / 100 }, "%g %%", 0, 0.1, 1, 3, 10)},
		{"burst", "1 % of loss in bursts", "mean length of a burst, frames (1: each by itself)", true, vary(func(l *sim.Line, x float64) {
			l.Loss = 0.01
			if x > 1 {
				l.Burst = x
			}
		}, "%g", 1, 2, 4, 8, 16)},
		{"reorder", "Reordering", "frames that skip the delay of 20 ms", false,
			vary(func(l *sim.Line, x float64) { l.Reorder = x / 100 }, "%g %%", 0, 1, 2, 5, 10)},
		{"jitter", "Jitter", "delay of each frame varies by ±, in order", false,
			vary(func(l *sim.Line, x float64) { l.Jitter = time.Duration(x * 1e6) }, "%g ms", 0, 1, 2, 5, 10, 20)},
		{"queue", "Queue in front of the line", "bandwidth-delay products", false,
			vary(func(l *sim.Line, x float64) { l.Queue = int(x*float64(lineBDP)/lineFrame + 0.5) }, "%g", 0.1, 0.25, 0.5, 1, 2, 4)},
	}
}

// job is a point to be measured with a congestion control. Points of several groups that are the same path are one job.
type job struct {
	Line    sim.Line
	Control string
}

// jobs returns what there is to measure at the points whose group is in only; nil: all.
func jobs(only map[string]bool) (all []job) {
	seen := map[job]bool{}
	for _, g := range groups() {
		for _, p := range g.Points {
			for _, c := range controls {
				j := job{p.Line, c}
				if !seen[j] && (len(only) == 0 || only[g.Name]) {
					seen[j] = true
					all = append(all, j)
				}
			}
		}
	}
	return all
}
