package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// chart is a line chart over points that stand side by side.
type chart struct {
	title, x, y string
	at          []string  // the points' names
	ticks       []float64 // of the y axis, ascending; its ends are the first and the last
	log         bool      // the y axis is logarithmic
	limit       float64   // a line across: more cannot be
	limitName   string
	series      []series
}

// series is one line of a chart, or the marks of one.
type series struct {
	color  string    // a name of palette's
	style  string    // solid, dashed, marks
	values []float64 // by point; NaN: none
	least  []float64 // by point, with most: drawn as a bar; nil: none
	most   []float64
	shift  float64 // of marks and bars to the right, so that they do not hide each other; pixels
}

// palette holds the colours of series, in light and dark.
var palette = []struct{ name, light, dark string }{
	{"reno", "#0b62c4", "#6cb2ff"},
	{"cubic", "#c2410c", "#ff9d5c"},
	{"bbr", "#177a3c", "#5fd38a"},
}

// The drawing's measures, in pixels.
const (
	chartWidth, chartHeight = 760, 420
	plotLeft, plotRight     = 62, 740
	plotTop, plotBottom     = 86, 356
	markRadius              = 3
)

// svg draws the chart.
func (c *chart) svg() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`,
		chartWidth, chartHeight, chartWidth, chartHeight, html.EscapeString(c.title))
	p("<style>\n%s</style>", style())
	p(`<rect class="page" width="%d" height="%d" rx="6"/>`, chartWidth, chartHeight)
	p(`<text class="title" x="%d" y="26">%s</text>`, plotLeft, html.EscapeString(c.title))
	c.axes(p)
	for _, s := range c.series {
		c.draw(p, s)
	}
	c.legend(p)
	p(`</svg>`)
	return b.String()
}

// style returns the style sheet, for light and for dark surroundings.
func style() string {
	var b strings.Builder
	sheet := func(page, ink, faint, grid string, dark bool) {
		fmt.Fprintf(&b, ".page{fill:%s}text{fill:%s}.faint{fill:%s}.grid{stroke:%s}.axis{stroke:%s}.limit{stroke:%s}.key{stroke:%s}.keymark{stroke:%s}\n",
			page, ink, faint, grid, faint, faint, ink, ink)
		for _, c := range palette {
			color := c.light
			if dark {
				color = c.dark
			}
			fmt.Fprintf(&b, ".%s{stroke:%s}.fill-%[1]s{fill:%s}\n", c.name, color, color)
		}
	}
	b.WriteString("text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}.title{font-size:17px;font-weight:600}" +
		".line{fill:none;stroke-width:2}.dashed{stroke-dasharray:7 5}.limit{stroke-dasharray:1 4}.bar{stroke-width:1.2;opacity:.7}" +
		".mark{fill:none;stroke-width:1.8}.key,.keymark{stroke-width:2;fill:none}.end{text-anchor:end}.middle{text-anchor:middle}\n")
	sheet("#ffffff", "#1f2328", "#59636e", "#e3e6ea", false)
	b.WriteString("@media (prefers-color-scheme:dark){\n")
	sheet("#0d1117", "#e6edf3", "#9198a1", "#2a313b", true)
	b.WriteString("}\n")
	return b.String()
}

// axes draws grid, axes and their labels.
func (c *chart) axes(p func(string, ...any)) {
	for _, t := range c.ticks {
		y := c.height(t)
		p(`<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, plotLeft, y, plotRight, y)
		p(`<text class="end faint" x="%d" y="%.1f">%g</text>`, plotLeft-8, y+4.5, t)
	}
	if c.limit > 0 {
		y := c.height(c.limit)
		p(`<line class="limit" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, plotLeft, y, plotRight, y)
		p(`<text class="end faint" x="%d" y="%.1f">%s</text>`, plotRight, y-6, html.EscapeString(c.limitName))
	}
	p(`<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d"/>`, plotLeft, plotBottom, plotRight, plotBottom)
	for i, name := range c.at {
		p(`<text class="middle" x="%.1f" y="%d">%s</text>`, c.place(i), plotBottom+21, html.EscapeString(name))
	}
	p(`<text class="middle faint" x="%d" y="%d">%s</text>`, (plotLeft+plotRight)/2, plotBottom+46, html.EscapeString(c.x))
	p(`<text class="middle faint" transform="translate(18 %d) rotate(-90)">%s</text>`, (plotTop+plotBottom)/2, html.EscapeString(c.y))
}

// trim drops ticks at the lower end of the y axis that no value needs.
func (c *chart) trim() {
	low := c.ticks[len(c.ticks)-1]
	for _, s := range c.series {
		for _, v := range slices.Concat(s.values, s.least) {
			if v < low { // which NaN is not
				low = v
			}
		}
	}
	for len(c.ticks) > 2 && c.ticks[1] <= low {
		c.ticks = c.ticks[1:]
	}
}

// place returns where a point is on the x axis.
func (c *chart) place(i int) float64 {
	return plotLeft + (float64(i)+0.5)*(plotRight-plotLeft)/float64(len(c.at))
}

// height returns where a value is on the y axis; what is beyond its ends is at them.
func (c *chart) height(v float64) float64 {
	low, high := c.ticks[0], c.ticks[len(c.ticks)-1]
	v = min(max(v, low), high)
	share := (v - low) / (high - low)
	if c.log {
		share = math.Log(v/low) / math.Log(high/low)
	}
	return plotBottom - share*(plotBottom-plotTop)
}

// draw draws a series.
func (c *chart) draw(p func(string, ...any), s series) {
	var path strings.Builder
	pen := "M"
	for i, v := range s.values {
		if math.IsNaN(v) {
			pen = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", pen, c.place(i)+s.shift, c.height(v))
		pen = "L"
	}
	if s.style != "marks" && path.Len() > 0 {
		p(`<path class="line %s %s" d="%s"/>`, s.style, s.color, &path)
	}
	for i, v := range s.values {
		if math.IsNaN(v) {
			continue
		}
		x, y := c.place(i)+s.shift, c.height(v)
		if s.least != nil {
			p(`<line class="bar %s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, s.color, x, c.height(s.least[i]), x, c.height(s.most[i]))
		}
		switch s.style {
		case "solid":
			p(`<circle class="fill-%s" cx="%.1f" cy="%.1f" r="%d"/>`, s.color, x, y, markRadius)
		case "marks":
			p(`<path class="mark %s" d="M%.1f %.1fl10 10m0 -10l-10 10"/>`, s.color, x-5, y-5)
		}
	}
}

// legend tells which colour is which congestion control, and which line which sender.
func (c *chart) legend(p func(string, ...any)) {
	used := map[string]bool{}
	for _, s := range c.series {
		used[s.style], used[s.color] = true, true
	}
	x := plotLeft
	for _, color := range palette {
		if used[color.name] {
			p(`<rect class="fill-%s" x="%d" y="43" width="14" height="14" rx="3"/>`, color.name, x)
			p(`<text x="%d" y="55">%s</text>`, x+20, color.name)
			x += 70
		}
	}
	x += 8
	for _, k := range []struct {
		style, name string
		width       int
	}{{"solid", "onlink, simulated", 156}, {"marks", "onlink, real time", 158}, {"dashed", "Linux, real time", 0}} {
		switch {
		case !used[k.style]:
			continue
		case k.style == "marks":
			p(`<path class="keymark" d="M%d 45l10 10m0 -10l-10 10"/>`, x+9)
		default:
			p(`<line class="key %s" x1="%d" y1="50" x2="%d" y2="50"/>`, k.style, x, x+28)
		}
		p(`<text x="%d" y="55">%s</text>`, x+36, k.name)
		x += k.width
	}
}
