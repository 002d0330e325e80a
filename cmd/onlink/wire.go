package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/capture"
	"github.com/onlink-go/onlink/link/impair"
	"github.com/onlink-go/onlink/link/tuntap"
	"github.com/onlink-go/onlink/packet"
)

// wireCmd is `onlink wire`.
type wireCmd struct {
	Tap       []string      `help:"TAP device at an end of the wire; given twice." placeholder:"NAME"`
	Delay     time.Duration `help:"Delay, each way."`
	Jitter    time.Duration `help:"How much the delay varies up and down, without reordering."`
	Rate      rate          `help:"Rate, each way; 0 is unlimited." default:"0"`
	Queue     int           `help:"Frames that wait for the rate at most." default:"1000"`
	Loss      percent       `help:"Share of frames lost, each way." default:"0%"`
	Burst     float64       `help:"Lose in bursts of so many frames in the mean; 0: each by itself." default:"0" placeholder:"FRAMES"`
	Reorder   percent       `help:"Share of frames that overtake others." default:"0%"`
	Duplicate percent       `help:"Share of frames sent twice." default:"0%"`
	Corrupt   percent       `help:"Share of frames with a bit flipped." default:"0%"`
	Seed      uint64        `help:"What the randomness follows from; 0: chosen." default:"0"`
	Pcap      string        `help:"Write all frames to FILE, as pcapng." placeholder:"FILE"`
}

// Run carries frames between the devices until ctx is done.
func (c *wireCmd) Run(ctx context.Context) (err error) {
	switch {
	case len(c.Tap) != 2:
		return usagef("a wire has two ends: give --tap NAME twice")
	case c.Tap[0] == c.Tap[1]:
		return usagef("--tap %s: the ends of a wire are two devices", c.Tap[0])
	case c.Delay < 0 || c.Jitter < 0:
		return usagef("--delay %v --jitter %v: must not be negative", c.Delay, c.Jitter)
	case c.Queue < 1:
		return usagef("--queue %d: must be at least 1", c.Queue)
	}
	way := impair.Path{Delay: c.Delay, Jitter: c.Jitter, Rate: int64(c.Rate), Queue: c.Queue, Loss: float64(c.Loss),
		Reorder: float64(c.Reorder), Duplicate: float64(c.Duplicate), Corrupt: float64(c.Corrupt),
		Burst: c.Burst}
	cfg := impair.Config{Egress: way, Ingress: way, Seed: c.Seed}
	if err := cfg.Check(); err != nil {
		return usagef("%v", err)
	}
	rt := clock.NewReal()
	var ends [2]link.Link
	for i, name := range c.Tap {
		d, err := tuntap.Open(name, tuntap.Config{NoOffload: true})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		ends[i] = d
	}
	if c.Pcap != "" {
		file, err := createCapture(c.Pcap)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		for i, name := range c.Tap {
			ends[i] = capture.New(rt, ends[i], file.Writer, name)
		}
	}
	bad := impair.New(rt, ends[1], cfg)
	gone := make(chan string, len(ends))
	if err := errors.Join(ends[0].Attach(carrier{c.Tap[0], bad, gone}), bad.Attach(carrier{c.Tap[1], ends[0], gone})); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "onlink: wire %s ──── %s: %v%s\n", c.Tap[0], c.Tap[1], c.Delay, c.describe())
	var fault error
	select {
	case <-ctx.Done():
	case name := <-gone:
		fault = goneError{name}
	}
	err = errors.Join(fault, ends[0].Attach(nil), bad.Attach(nil))
	out, in := bad.Stats()
	fmt.Fprintf(os.Stderr, "onlink: %s → %s: %+v\nonlink: %s → %s: %+v\n", c.Tap[0], c.Tap[1], out, c.Tap[1], c.Tap[0], in)
	return err
}

// describe lists what the wire does beside its delay.
func (c *wireCmd) describe() string {
	s := ", " + c.Rate.String()
	for _, p := range [...]struct {
		share percent
		what  string
	}{{c.Loss, "loss"}, {c.Reorder, "reordering"}, {c.Duplicate, "duplication"}, {c.Corrupt, "corruption"}} {
		if p.share > 0 {
			s += fmt.Sprintf(", %v %s", p.share, p.what)
		}
	}
	if c.Burst > 0 {
		s += fmt.Sprintf(", bursts of %v frames", c.Burst)
	}
	return s
}

// carrier sends what comes in on one link out on another.
type carrier struct {
	from string
	to   link.Link
	gone chan<- string // told from if that link is gone
}

// Deliver sends b on. What the other link does not take is lost, as on a wire whose end is full.
func (c carrier) Deliver(q int, b *packet.Batch) {
	c.to.Send(0, b) // an error means the device is gone; the frames are lost, and Changed tells
	b.Free()
}

// Ready does nothing: nothing waits here.
func (c carrier) Ready(int) {}

// Changed tells of a device that went away.
func (c carrier) Changed(i link.Info) {
	if !i.Up {
		select {
		case c.gone <- c.from:
		default: // more than one for each end is not needed
		}
	}
}
