package tcp

import (
	"slices"

	"github.com/onlink-go/onlink/clock"
)

// Controls returns the names that CongestionControl may be, the default first: of the algorithms there are, which
// are Linux's names, and then of those of cfg.Algorithms.
func (cfg *Config) Controls() []string {
	var names []string
	for _, a := range algorithms {
		names = append(names, a.Name)
	}
	if cfg.Algorithms != nil {
		for _, a := range *cfg.Algorithms {
			if !slices.Contains(names, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	return names
}

// Control returns the name of the congestion control that cfg asks for.
func (cfg *Config) Control() string {
	if cfg.CongestionControl == "" {
		return algorithms[0].Name
	}
	return cfg.CongestionControl
}

// switchControl has another congestion control take over, with the window as it is.
func (c *TCB) switchControl(now clock.Instant) {
	cc := c.newControl(c.cfg.CongestionControl)
	if cc == nil {
		return
	}
	c.cc, c.controls = cc, cc.Controls()
	c.beginControl(now)
}

// beginControl initializes the congestion control.
func (c *TCB) beginControl(now clock.Instant) {
	c.sense(now)
	c.cc.Init(&c.cw)
	if c.controls && c.rate.told == nil {
		c.rate.told = new(RateSample)
	}
	c.board.taker = nil
	if _, ok := c.cc.(LossTaker); ok {
		c.board.taker = c
	}
}

// segmentLost tells the congestion control of a segment that is deemed lost.
func (c *TCB) segmentLost(r *sent) {
	c.cc.(LossTaker).Lost(&c.cw, LostSegment{
		Seq: r.seq, End: r.end, SentInFlight: int(r.inFlight), LostSince: int(c.board.losses - r.losses),
		Limited: r.flags&sentLimited != 0,
	})
}
