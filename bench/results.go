package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"

	"github.com/onlink-go/onlink/sim"
)

// The senders that are compared.
const (
	simulated = "onlink, simulated" // both ends ours, in virtual time
	ours      = "onlink"            // ours to the kernel, through the wire
	kernel    = "linux"             // the kernel to the kernel, through the same wire
)

// run is one transfer.
type run struct {
	Seed     uint64
	Goodput  float64 // Mbit/s of data that arrived in order
	Segments uint64  // with data, sent
	Resent   uint64
	Timeouts uint64 // of the retransmission timer, after the handshake
}

// result is what was measured on a path with one congestion control and one sender.
type result struct {
	Line    sim.Line
	Control string
	Sender  string
	Seconds float64 // of a run
	Runs    []run
}

// results is a file of them.
type results []*result

// of returns the result of j with the sender, nil if there is none.
func (rs results) of(j job, sender string) *result {
	for _, r := range rs {
		if r.Line == j.Line && r.Control == j.Control && r.Sender == sender {
			return r
		}
	}
	return nil
}

// add takes a run in.
func (rs *results) add(j job, sender string, seconds float64, n run) {
	r := rs.of(j, sender)
	if r == nil || r.Seconds != seconds {
		r = &result{Line: j.Line, Control: j.Control, Sender: sender, Seconds: seconds}
		*rs = append(*rs, r)
	}
	n.Goodput = math.Round(n.Goodput*1e4) / 1e4
	i, _ := slices.BinarySearchFunc(r.Runs, n.Seed, func(r run, seed uint64) int {
		if r.Seed < seed {
			return -1
		}
		return 1
	})
	r.Runs = slices.Insert(r.Runs, i, n)
}

// drop forgets what was measured of j with the sender.
func (rs *results) drop(j job, sender string) {
	*rs = slices.DeleteFunc(*rs, func(r *result) bool { return r.Line == j.Line && r.Control == j.Control && r.Sender == sender })
}

// load reads results; a file that is not there has none.
func load(path string) (rs results, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return rs, json.Unmarshal(b, &rs)
}

// save writes results, in the order of the charts, one on a line.
func (rs results) save(path string) error {
	order := map[job]int{}
	for i, j := range jobs(nil) {
		order[j] = i
	}
	slices.SortStableFunc(rs, func(a, b *result) int {
		return order[job{a.Line, a.Control}] - order[job{b.Line, b.Control}]
	})
	var b bytes.Buffer
	for i, r := range rs {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%c\n%s", "[,"[min(i, 1)], line)
	}
	if len(rs) == 0 {
		b.WriteByte('[')
	}
	b.WriteString("\n]\n")
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// goodputs returns those of all runs.
func (r *result) goodputs() (g []float64) {
	if r == nil {
		return nil
	}
	for _, n := range r.Runs {
		g = append(g, n.Goodput)
	}
	return g
}

// mean returns the mean of xs and their standard deviation; NaN if there are none.
func mean(xs []float64) (m, deviation float64) {
	if len(xs) == 0 {
		return math.NaN(), math.NaN()
	}
	for _, x := range xs {
		m += x / float64(len(xs))
	}
	for _, x := range xs {
		deviation += (x - m) * (x - m) / float64(len(xs))
	}
	return m, math.Sqrt(deviation)
}

// median returns the median of xs; NaN if there are none.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	xs = slices.Sorted(slices.Values(xs))
	n := len(xs)
	return (xs[n/2] + xs[(n-1)/2]) / 2
}
