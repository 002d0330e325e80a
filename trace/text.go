package trace

import (
	"fmt"
	"strings"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// String tells w as a block of lines: what the packet is, its steps, each with the time since the first, and what became of it.
func (w *Way) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "packet %d", w.Packet)
	if w.Source.IsValid() {
		fmt.Fprintf(&b, "  %v → %v", w.Source, w.Destination)
	}
	if w.What != "" {
		fmt.Fprintf(&b, "  %s", w.What)
	}
	b.WriteByte('\n')
	for i := range w.Steps {
		w.Steps[i].write(&b, w.At)
	}
	fmt.Fprintf(&b, "          ═ %s", w.Outcome)
	if w.Reason != "" {
		fmt.Fprintf(&b, ": %s", w.Reason)
	}
	b.WriteByte('\n')
	return b.String()
}

// A decision begins in column indent. It and its rule share a line if they have no more octets than widest.
const (
	indent = 33
	widest = 90
)

// write writes t as one line, or two, and its details below it.
func (t *Taken) write(b *strings.Builder, began clock.Instant) {
	fmt.Fprintf(b, "%9s %s  %-14s %s", "+"+since(t.At.Sub(began)), t.label(), t.Name, t.Decision)
	for i, h := range t.Hooks {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		fmt.Fprintf(b, "%s%s says %s", sep, h.Name, h.Verdict)
	}
	if t.Waiting > 0 {
		fmt.Fprintf(b, " (%d waiting)", t.Waiting)
	}
	if t.Rule != "" && len(t.Hooks) == 0 {
		if len(t.Decision)+len(t.Rule) > widest {
			fmt.Fprintf(b, "\n%*s", indent, "")
		}
		fmt.Fprintf(b, " ← %s", t.Rule)
	}
	b.WriteByte('\n')
	if t.Entry != "" {
		fmt.Fprintf(b, "%*s ← %s\n", indent, "", t.Entry)
	}
	if len(t.Details) == 1 {
		return // one candidate is no choice
	}
	for _, d := range t.Details {
		fmt.Fprintf(b, "%*s - %s\n", indent, "", d)
	}
}

// label returns the way and the number of t: "in 4", "out 3–7".
func (t *Taken) label() string {
	way := "in "
	if t.Out {
		way = "out"
	}
	switch {
	case t.Number == 0:
		return "       "
	case t.Last != 0:
		return fmt.Sprintf("%s %d–%d", way, t.Number, t.Last)
	}
	return fmt.Sprintf("%s %d  ", way, t.Number)
}

// since writes a short duration with three digits.
func since(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.3gs", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.3gms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3gµs", float64(d)/1e3)
}
