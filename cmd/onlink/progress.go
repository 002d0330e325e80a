package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress is a reader that shows on a terminal how far it is.
type progress struct {
	r     io.Reader
	out   *os.File // nil: not a terminal
	total int64    // octets; -1: not known
	read  int64
	began time.Time
	shown time.Time
}

func newProgress(out *os.File, r io.Reader, total int64) *progress {
	p := &progress{r: r, total: total, began: time.Now()}
	if fi, err := out.Stat(); err == nil && fi.Mode()&os.ModeCharDevice != 0 {
		p.out = out
	}
	return p
}

// Read reads on, and now and then redraws the line.
func (p *progress) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.read += int64(n)
	if p.out != nil && time.Since(p.shown) > 100*time.Millisecond {
		p.shown = time.Now()
		fmt.Fprint(p.out, "\r", p.line(), "\x1b[K")
	}
	return n, err
}

const barWidth = 40

// line returns what to show.
func (p *progress) line() string {
	perSecond := float64(p.read) / max(time.Since(p.began).Seconds(), 1e-3)
	text := fmt.Sprintf("%8.2f MiB  %8.2f MiB/s", float64(p.read)/(1<<20), perSecond/(1<<20))
	if p.total <= 0 {
		return text
	}
	full := int(barWidth * p.read / p.total)
	return fmt.Sprintf("[%s%s] %3d%%  %s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), 100*p.read/p.total, text)
}

// finish ends the line.
func (p *progress) finish() {
	if p.out != nil {
		fmt.Fprint(p.out, "\r", p.line(), "\x1b[K\n")
	}
}
