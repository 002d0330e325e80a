package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// example is a report with whatever a report may have.
func example() *report {
	rows := []*result{
		{System: "onlink", Values: map[string][]float64{"Gbit/s": {9, 10, 12}, p99: {5, 6, 7}, "allocs": {0, 0, 0.01}}},
		{System: "onlink, other", Values: map[string][]float64{"Gbit/s": {4, 4, 4}, p99: {1, 2, 9}}},
		{System: "gVisor", Values: map[string][]float64{"Gbit/s": {2, 2, 3}, p99: {50, 60, 80}}},
		{System: "Linux", Values: map[string][]float64{}, Missing: "needs root"},
	}
	r := &report{Case: "Bulk & <more>", Columns: []string{"Gbit/s", p99}, Results: rows}
	for _, g := range []goal{{"Gbit/s", 4, "gVisor"}, {"Gbit/s", 6, "gVisor"}, {p99, 30, "gVisor"}, {p99, 10, "gVisor"}, {"Gbit/s", 1, "Linux"},
		{"allocs", 0, ""}, {p99, 1, ""}, {"Gbit/s", 20, ""}} {
		r.Goals = append(r.Goals, g.judge(rows))
	}
	return r
}

func TestGoals(t *testing.T) {
	want := []string{
		"Gbit/s ≥ 4 × gVisor's best: met, 5.00",
		"Gbit/s ≥ 6 × gVisor's best: not met, 5.00",
		"p99 µs ≤ 0.0333 × gVisor's best: met, 0.03", // 2 of ours, the median of the other configuration, to 60
		"p99 µs ≤ 0.1 × gVisor's best: met, 0.03",
		"Gbit/s ≥ 1 × Linux's best: not measured: no figure of Linux",
		"allocs ≤ 0: met, 0.00",
		"p99 µs ≤ 1: not met, 2.00",
		"Gbit/s ≥ 20: not met, 10.0",
	}
	for i, g := range example().Goals {
		if g.String() != want[i] {
			t.Errorf("goal %d: %s; want %s", i, &g, want[i])
		}
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	example().writeTable(&b)
	for _, want := range []string{
		"\n### Bulk & <more>\n\n| | Gbit/s | ± | p99 µs | ours is |\n|---|---|---|---|---|\n",
		"| onlink | 10.0 | 15 % | 6.00 |  |\n",
		"| gVisor | 2.00 | 25 % | 60.0 | 5.00 × |\n",
		"| Linux | – | | | needs root |\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	columns := 0
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		n := strings.Count(line, "|")
		if columns == 0 {
			columns = n
		}
		if n != columns {
			t.Errorf("%d bars in a table of %d: %s", n, columns, line)
		}
	}
}

func TestChart(t *testing.T) {
	r := example()
	r.Goals = append(r.Goals, outcome{Goal: "far off", Share: 1e-9}, outcome{Goal: "far beyond", Share: 1e9})
	text := writeChart([]*report{{Case: "without goals"}, r})
	d := xml.NewDecoder(strings.NewReader(text))
	bars := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			bars++
		}
	}
	// The page, two keys, and a bar for each goal that is known.
	if want := 1 + 2 + len(r.Goals) - 1; bars != want {
		t.Errorf("%d rectangles, not %d", bars, want)
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") || strings.Contains(text, "without goals") {
		t.Error(text)
	}
}

func TestTrends(t *testing.T) {
	at := func(x, y float64, loss bool) *report {
		return &report{point: point{series: "S", column: "c", x: x, loss: loss}, Results: []*result{{System: "onlink", Values: map[string][]float64{"c": {y}}}}}
	}
	lines := trends([]*report{at(1, 103, false), at(10, 130, false), at(100, 400, false)})
	if len(lines) != 1 || lines[0].Slope < 2.99 || lines[0].Slope > 3.01 || lines[0].Off > 0.01 {
		t.Errorf("%+v", lines[0])
	}
	all := []*report{at(1, 50, true), at(10, 100, true), at(100, 75, true)}
	lines = trends(all)
	judgeLosses(all, lines)
	if lines[0].Loss != 0.25 || len(all[2].Goals) != 1 || all[2].Goals[0].met() {
		t.Errorf("%+v %+v", lines[0], all[2].Goals)
	}
}

func TestFlags(t *testing.T) {
	for _, bad := range []string{"-rounds 0", "-time 0s", "-run (", "-systems [", "-run nothing", "-connections 7", "word", "-bad", "-time soon"} {
		o, err := parse(strings.Fields(bad), io.Discard)
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v", bad, o, err)
		}
	}
	o, err := parse(strings.Fields("-run UDP.*64 -systems onlink$"), io.Discard)
	if err != nil || len(o.chosen) != 1 || len(o.chosen[0].on) != 1 {
		t.Errorf("%+v, %v", o, err)
	}
	o, err = parse([]string{"-md", "/nowhere/to/be/found"}, io.Discard)
	if err != nil || o.all(io.Discard) == nil {
		t.Errorf("a file that cannot be written: %v", err)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0.00", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234: "1234", 12345: "12,345", 1234567: "1,234,567"} {
		if number(v) != want {
			t.Errorf("%v is %s, not %s", v, number(v), want)
		}
	}
}
