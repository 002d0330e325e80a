package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The same seed gives the same run, and the line is well used where nothing is wrong with it.
func TestSimulate(t *testing.T) {
	if raceEnabled {
		t.Skip("simulations have no goroutine, and would take minutes")
	}
	for _, g := range groups() {
		if p := g.Points[0]; p.Line == base() {
			continue
		}
		for _, control := range controls {
			j := job{g.Points[len(g.Points)-1].Line, control}
			a, err := simulate(j, 1, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := simulate(j, 1, time.Second); err != nil || a != b {
				t.Errorf("%s: %+v, then %+v, %v", name(j), a, b, err)
			}
		}
	}
	for _, control := range controls {
		r, err := simulate(job{base(), control}, 1, 5*time.Second)
		if err != nil || r.Goodput < 0.85*lineUsable || r.Goodput > lineUsable || r.Timeouts > 0 {
			t.Errorf("%s: %+v, %v", control, r, err)
		}
	}
}

// Points that are the same path are measured once, and every point of a chart is measured.
func TestJobs(t *testing.T) {
	all := jobs(nil)
	for i, j := range all {
		if slices.Contains(all[:i], j) {
			t.Errorf("%s %s is measured twice", j.Control, name(j))
		}
	}
	for _, g := range groups() {
		for _, p := range g.Points {
			if !slices.Contains(all, job{p.Line, "bbr"}) {
				t.Errorf("%s %s is not measured", g.Name, p.At)
			}
		}
	}
	if n := len(jobs(map[string]bool{"loss": true})); n != 15 {
		t.Errorf("%d measurements for the chart of losses", n)
	}
}

// example returns results of all senders at all points.
func example() (rs results) {
	for i, j := range jobs(nil) {
		for k, sender := range []string{simulated, kernel, ours} {
			for seed := uint64(3); seed > 0; seed-- {
				rs.add(j, sender, 20, run{Seed: seed, Goodput: float64(1+i%40) + 0.1*float64(seed) - 0.5*float64(k)})
			}
		}
	}
	return rs
}

func TestResults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	if rs, err := load(path); rs != nil || err != nil {
		t.Fatalf("a file that is not there: %v, %v", rs, err)
	}
	rs := example()
	if err := rs.save(path); err != nil {
		t.Fatal(err)
	}
	back, err := load(path)
	if err != nil || len(back) != len(rs) {
		t.Fatalf("%d results came back, of %d: %v", len(back), len(rs), err)
	}
	j := jobs(nil)[5]
	r := back.of(j, kernel)
	if r == nil || len(r.Runs) != 3 || r.Runs[0].Seed != 1 || r.Runs[2].Seed != 3 {
		t.Fatalf("%+v", r)
	}
	if m := median(r.goodputs()); math.Abs(m-(6+0.2-0.5)) > 1e-9 {
		t.Errorf("the median is %v", m)
	}
	if m, d := mean(r.goodputs()); math.Abs(m-5.7) > 1e-9 || math.Abs(d-math.Sqrt(0.02/3)) > 1e-9 {
		t.Errorf("the mean is %v ± %v", m, d)
	}
	back.drop(j, kernel)
	if back.of(j, kernel) != nil || back.of(j, ours) == nil || !math.IsNaN(median(back.of(j, kernel).goodputs())) {
		t.Error("not what was to be dropped")
	}
}

// The charts are well-formed, and have a line or marks of each sender and control.
func TestCharts(t *testing.T) {
	for _, rs := range []results{example(), nil} {
		for _, g := range groups() {
			text := rs.chart(g).svg()
			d := xml.NewDecoder(strings.NewReader(text))
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s: %v\n%s", g.Name, err, text)
				}
			}
			if strings.Contains(text, "NaN") || strings.Contains(text, "%!") {
				t.Errorf("%s: %s", g.Name, text)
			}
			lines, marks := strings.Count(text, `<path class="line `), strings.Count(text, `<path class="mark `)
			if want := len(controls); rs != nil && (lines != 2*want || marks != want*len(g.Points)) || rs == nil && lines+marks > 0 {
				t.Errorf("%s: %d lines and %d marks", g.Name, lines, marks)
			}
		}
	}
}

// What a value is on the axes.
func TestAxes(t *testing.T) {
	c := chart{at: []string{"a", "b"}, ticks: []float64{1, 10, 100}, log: true}
	if c.height(1) != plotBottom || c.height(100) != plotTop || math.Abs(c.height(10)-(plotTop+plotBottom)/2) > 1e-9 || c.height(0.1) != plotBottom {
		t.Error("a logarithmic axis is wrong")
	}
	c.series = []series{{values: []float64{math.NaN(), 20}, least: []float64{math.NaN(), 10}}}
	if c.trim(); len(c.ticks) != 2 || c.ticks[0] != 10 {
		t.Errorf("the axis is trimmed to %v", c.ticks)
	}
	c.ticks, c.log = []float64{1, 10, 100}, false
	if c.height(1) != plotBottom || c.height(100) != plotTop || math.Abs(c.height(50.5)-(plotTop+plotBottom)/2) > 1e-9 {
		t.Error("a linear axis is wrong")
	}
	if a, b := c.place(0), c.place(1); a <= plotLeft || b >= plotRight || a >= b {
		t.Errorf("points at %v and %v", a, b)
	}
}

// What is between the markers is replaced, and nothing else.
func TestPublish(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.md")
	const before, after = "before\n<!-- bench paths -->\n", "<!-- end of bench paths -->\nafter\n"
	if err := os.WriteFile(page, []byte(before+"old\n"+after), 0o644); err != nil {
		t.Fatal(err)
	}
	rs := example()
	rs.of(job{base(), "bbr"}, kernel).Runs[1].Goodput = 1e6
	for range 2 {
		if err := rs.publish(page, filepath.Join(dir, "img")); err != nil {
			t.Fatal(err)
		}
		b, _ := os.ReadFile(page)
		text, ok := strings.CutPrefix(string(b), before)
		text, ends := strings.CutSuffix(text, after)
		if !ok || !ends || strings.Contains(text, "old") {
			t.Fatalf("%s", b)
		}
		if !strings.Contains(text, "| loss 0 % | 1.20 ± 0.08 | 0.2 : 0.7 | **0.29** |") {
			t.Errorf("%s", text)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "img", "goodput-*.svg")); len(files) != len(groups()) {
		t.Errorf("%d charts", len(files))
	}
	os.WriteFile(page, []byte("no markers\n"), 0o644)
	if err := rs.publish(page, dir); err == nil {
		t.Error("a page without markers was taken")
	}
}

func TestJain(t *testing.T) {
	for _, row := range []struct {
		xs   []float64
		want float64
	}{{[]float64{3, 3}, 1}, {[]float64{1, 0}, 0.5}, {[]float64{2, 1}, 0.9}, {[]float64{0, 0}, 0}} {
		if got := jain(row.xs...); math.Abs(got-row.want) > 1e-9 {
			t.Errorf("jain(%v) = %v, want %v", row.xs, got, row.want)
		}
	}
}

// Two flows with the same control share the line.
func TestShares(t *testing.T) {
	if raceEnabled {
		t.Skip("simulations have no goroutine, and would take minutes")
	}
	for _, control := range controls {
		s, err := simulateShares(control, 1, 0, 30*time.Second)
		if err != nil || jain(s[:]...) < 0.9 || s[0]+s[1] < 0.9*lineUsable {
			t.Errorf("%s: %v, %v", control, s, err)
		}
	}
}
