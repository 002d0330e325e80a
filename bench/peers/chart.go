package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The drawing's measures, in pixels.
const (
	chartWidth          = 880
	barsLeft, barsRight = 470, 790
	chartTop            = 84
	barHeight, barPitch = 11, 17
	groupGap            = 27 // a case's name, above its bars
)

// The ends of the axis, which is logarithmic. What is beyond them is at them.
const least, most = 0.1, 10.0

// writeChart draws how much of each goal was reached: a group of bars for each case, a bar for each goal.
func writeChart(all []*report) string {
	height := chartTop + 40
	for _, r := range all {
		if len(r.Goals) > 0 {
			height += groupGap + barPitch*len(r.Goals)
		}
	}
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	const title = "onlink beside gVisor and the Linux kernel: how much of each goal is reached"
	p(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`, chartWidth, height,
		chartWidth, height, title)
	p("<style>\n%s</style>", chartStyle())
	p(`<rect class="page" width="%d" height="%d" rx="6"/>`, chartWidth, height)
	p(`<text class="title" x="24" y="30">%s</text>`, title)
	p(`<rect class="met" x="24" y="44" width="14" height="14" rx="3"/><text x="44" y="56">met</text>`)
	p(`<rect class="missed" x="90" y="44" width="14" height="14" rx="3"/><text x="110" y="56">not met</text>`)
	for _, t := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10} {
		class := "grid"
		if t == 1 {
			class = "goal"
		}
		p(`<line class="%s" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, class, place(t), chartTop-8, place(t), height-32)
		p(`<text class="middle faint" x="%.1f" y="%d">%g</text>`, place(t), height-14, t)
	}
	p(`<text class="middle faint" x="%.1f" y="%d">the goal</text>`, place(1), chartTop-14)
	y := chartTop
	for _, r := range all {
		if len(r.Goals) == 0 {
			continue
		}
		p(`<text class="case" x="24" y="%d">%s</text>`, y+14, html.EscapeString(r.Case))
		y += groupGap - 6
		for _, g := range r.Goals {
			drawGoal(p, y, g)
			y += barPitch
		}
		y += 6
	}
	p(`</svg>`)
	return b.String()
}

// drawGoal draws a bar from the goal to what was reached of it.
func drawGoal(p func(string, ...any), y int, g outcome) {
	p(`<text class="end" x="%d" y="%d">%s</text>`, barsLeft-8, y+10, html.EscapeString(g.Goal))
	if g.Missing != "" {
		p(`<text class="faint" x="%d" y="%d">not measured</text>`, barsLeft+6, y+10)
		return
	}
	class := "missed"
	if g.met() {
		class = "met"
	}
	p(`<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, barsLeft, y, place(g.Share)-barsLeft, barHeight)
	p(`<text x="%d" y="%d">%s</text>`, barsRight+8, y+10, number(g.Measured))
}

// place returns where a share of a goal is on the axis.
func place(share float64) float64 {
	share = min(max(share, least), most)
	return barsLeft + (barsRight-barsLeft)*math.Log(share/least)/math.Log(most/least)
}

// chartStyle returns the style sheet, for light and for dark surroundings.
func chartStyle() string {
	var b strings.Builder
	sheet := func(page, ink, faint, grid, met, missed string) {
		fmt.Fprintf(&b, ".page{fill:%s}text{fill:%s}.faint{fill:%s}.grid{stroke:%s}.goal{stroke:%s}.met{fill:%s}.missed{fill:%s}\n", page, ink, faint, grid, ink,
			met, missed)
	}
	b.WriteString("text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}.title{font-size:17px;font-weight:600}" +
		".case{font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}\n")
	sheet("#ffffff", "#1f2328", "#59636e", "#e3e6ea", "#177a3c", "#c2410c")
	b.WriteString("@media (prefers-color-scheme:dark){\n")
	sheet("#0d1117", "#e6edf3", "#9198a1", "#2a313b", "#5fd38a", "#ff9d5c")
	b.WriteString("}\n")
	return b.String()
}
