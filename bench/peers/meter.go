package main

import (
	"runtime"
	"slices"
	"time"
)

// meter takes what a piece of work is measured by.
type meter struct {
	time   time.Duration // how long to measure
	unit   unit
	values map[string]float64 // by column

	profile func(on bool)
	began   time.Time
	cpu     time.Duration
	before  runtime.MemStats
}

// unit says what work is counted in.
type unit struct {
	rate, cpu, allocs string  // the columns' names
	rateOf            float64 // of what is counted, a second, to rate
	cpuOf, allocsOf   float64 // how much of what is counted processor time and allocations are for
}

var (
	octets = unit{"Gbit/s", "CPU s/GB", "allocs/MB", 8e-9, 1e9, 1e6}
	trips  = each("round trips/s")
)

// each is a unit of things that are counted one by one. A CPU second for a million of them is a microsecond for one.
func each(rate string) unit { return unit{rate, "CPU µs", "allocs", 1, 1e6, 1} }

// The columns of latencies.
const p50, p99 = "p50 µs", "p99 µs"

// begin says that all is ready, and the work begins.
func (m *meter) begin() {
	runtime.GC()
	if m.profile != nil {
		m.profile(true)
	}
	runtime.ReadMemStats(&m.before)
	m.cpu, m.began = processorTime(), time.Now()
}

// running reports whether there is time left.
func (m *meter) running() bool { return time.Since(m.began) < m.time }

// end says what work has been done; what comes after it is not measured.
func (m *meter) end(n int64) {
	took, used := time.Since(m.began), processorTime()-m.cpu
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	if m.profile != nil {
		m.profile(false)
	}
	work := float64(n)
	if n == 0 {
		return // the rate is missing: measure says so
	}
	m.values[m.unit.rate] = work / took.Seconds() * m.unit.rateOf
	m.values[m.unit.cpu] = used.Seconds() / work * m.unit.cpuOf
	m.values[m.unit.allocs] = float64(after.Mallocs-m.before.Mallocs) / work * m.unit.allocsOf
}

// latencies takes how long each of something has taken.
func (m *meter) latencies(took []time.Duration) {
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	at := func(share float64) float64 { return float64(took[int(share*float64(len(took)-1))]) / 1e3 }
	m.values[p50], m.values[p99] = at(0.5), at(0.99)
}

// stopwatch is where latencies are noted without an allocation: the first million.
func stopwatch() []time.Duration { return make([]time.Duration, 0, 1<<20) }

func note(took []time.Duration, d time.Duration) []time.Duration {
	if len(took) < cap(took) {
		took = append(took, d)
	}
	return took
}
