package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// writeTable tells of a case in a table of Markdown.
func (r *report) writeTable(out io.Writer) {
	fmt.Fprintf(out, "\n### %s\n\n| | %s | ± | %s | ours is |\n|---|%s\n", r.Case, r.Columns[0], strings.Join(r.Columns[1:], " | "),
		strings.Repeat("---|", len(r.Columns)+2))
	main := r.Columns[0]
	us, known := best(r.Results, main, "onlink")
	for _, s := range r.Results {
		if len(s.Values[main]) == 0 {
			fmt.Fprintf(out, "| %s | – |%s %s |\n", s.System, strings.Repeat(" |", len(r.Columns)), s.Missing)
			continue
		}
		m, spread := median(s.Values[main])
		fmt.Fprintf(out, "| %s | %s | %.0f %% |", s.System, number(m), 50*spread)
		for _, column := range r.Columns[1:] {
			if len(s.Values[column]) == 0 {
				fmt.Fprint(out, " – |")
				continue
			}
			v, _ := median(s.Values[column])
			fmt.Fprintf(out, " %s |", number(v))
		}
		ratio := s.Missing
		if known && !ours(s.System) {
			ratio = strings.TrimSpace(number(us/m) + " × " + ratio)
		}
		fmt.Fprintf(out, " %s |\n", ratio)
	}
	if len(r.Goals) > 0 || r.Floor > 0 {
		fmt.Fprintln(out)
	}
	for _, g := range r.Goals {
		fmt.Fprintf(out, "- %s\n", &g)
	}
	r.writeFloor(out)
}

// median returns the middle of v, and by how much of it the rest lies apart.
func median(v []float64) (m, spread float64) {
	s := slices.Sorted(slices.Values(v))
	m = s[len(s)/2]
	if m == 0 {
		return 0, 0
	}
	return m, (s[len(s)-1] - s[0]) / m
}

// number writes three digits that count.
func number(v float64) string {
	switch {
	case v >= 10_000:
		return thousands(int(v + 0.5))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// thousands writes a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// writeGoals sums up all goals in a table of Markdown.
func writeGoals(out io.Writer, all []*report) {
	met, known := 0, 0
	var rows strings.Builder
	for _, r := range all {
		for _, g := range r.Goals {
			if g.Missing != "" {
				fmt.Fprintf(&rows, "| %s | %s | – | – | not measured |\n", r.Case, g.Goal)
				continue
			}
			known++
			word := "not met"
			if g.met() {
				met++
				word = "met"
			}
			fmt.Fprintf(&rows, "| %s | %s | %s | %.0f %% | %s |\n", r.Case, g.Goal, number(g.Measured), 100*g.Share, word)
		}
	}
	if known == 0 {
		return
	}
	fmt.Fprintf(out, "\n### Goals: %d of %d met\n\n| case | goal | ours | reached | |\n|---|---|---|---|---|\n%s", met, known, &rows)
}
