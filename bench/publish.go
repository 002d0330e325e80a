package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// publish draws the charts into the directory imgs and writes the table into the page.
func (rs results) publish(page, imgs string) error {
	if err := os.MkdirAll(imgs, 0o755); err != nil {
		return err
	}
	for _, g := range groups() {
		c := rs.chart(g)
		if err := os.WriteFile(filepath.Join(imgs, "goodput-"+g.Name+".svg"), []byte(c.svg()), 0o644); err != nil {
			return err
		}
	}
	return replaceBetween(page, "bench paths", rs.table())
}

// chart returns the chart of a group.
func (rs results) chart(g group) *chart {
	c := &chart{title: g.Title + ": goodput on 50 Mbit/s × 40 ms", x: g.Axis, y: "goodput, Mbit/s", log: g.Log,
		ticks: []float64{0, 10, 20, 30, 40, 50}, limit: lineUsable, limitName: "what the line carries of data"}
	if g.Log {
		c.ticks = []float64{0.2, 0.5, 1, 2, 5, 10, 20, 50}
	}
	for _, p := range g.Points {
		c.at = append(c.at, p.At)
	}
	for _, style := range []struct{ sender, style string }{{kernel, "dashed"}, {simulated, "solid"}, {ours, "marks"}} {
		for k, control := range controls {
			s := series{color: control, style: style.style, shift: float64(k-1) * 9}
			for _, p := range g.Points {
				all := rs.of(job{p.Line, control}, style.sender).goodputs()
				m, _ := mean(all)
				if style.sender != simulated {
					m = median(all)
				} else if len(all) > 0 {
					s.least, s.most = append(s.least, slices.Min(all)), append(s.most, slices.Max(all))
				}
				s.values = append(s.values, m)
			}
			if slices.ContainsFunc(s.values, func(v float64) bool { return !math.IsNaN(v) }) {
				if len(s.least) < len(s.values) {
					s.least, s.most = nil, nil
				}
				c.series = append(c.series, s)
			}
		}
	}
	if g.Log {
		c.trim()
	}
	return c
}

// goal is the share of the kernel's goodput below which the table shows a ratio in bold.
const goal = 0.95

// table returns the table of all results, as Markdown.
func (rs results) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| path |")
	for _, c := range controls {
		fmt.Fprintf(&b, " %s: simulated | onlink : Linux | ratio |", c)
	}
	fmt.Fprintf(&b, "\n|---|%s\n", strings.Repeat("---|---|---|", len(controls)))
	for _, g := range groups() {
		for _, p := range g.Points {
			fmt.Fprintf(&b, "| %s %s |", g.Name, p.At)
			for _, c := range controls {
				j := job{p.Line, c}
				fmt.Fprintf(&b, " %s | %s |", cell(rs.of(j, simulated)), compare(rs.of(j, ours), rs.of(j, kernel)))
			}
			fmt.Fprintln(&b)
		}
	}
	return b.String()
}

// cell returns mean and standard deviation of what was simulated.
func cell(r *result) string {
	m, deviation := mean(r.goodputs())
	switch {
	case math.IsNaN(m):
		return "–"
	case m < 10:
		return fmt.Sprintf("%.2f ± %.2f", m, deviation)
	}
	return fmt.Sprintf("%.1f ± %.1f", m, deviation)
}

// compare returns the medians of ours and the kernel's, and their ratio.
func compare(a, b *result) string {
	x, y := median(a.goodputs()), median(b.goodputs())
	if math.IsNaN(x) || math.IsNaN(y) {
		return "– | –"
	}
	ratio := fmt.Sprintf("%.2f", x/y)
	if x/y < goal {
		ratio = "**" + ratio + "**"
	}
	return fmt.Sprintf("%.3g : %.3g | %s", x, y, ratio)
}

// replaceBetween replaces what is between the markers of that name in a page.
func replaceBetween(page, name, text string) error {
	b, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	begin, end := []byte("<!-- "+name+" -->\n"), []byte("<!-- end of "+name+" -->\n")
	i, j := bytes.Index(b, begin), bytes.Index(b, end)
	if i < 0 || j < i {
		return fmt.Errorf("%s: there are no markers %s…%s", page, begin, end)
	}
	i += len(begin)
	return os.WriteFile(page, slices.Concat(b[:i], []byte(text), b[j:]), 0o644)
}
