package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// What is asked of two flows that share a line.
const (
	fairJain  = 0.95 // mean Jain index of flows with the same congestion control and round-trip time
	fairShare = 0.10 // CUBIC of ours beside the kernel's: by how much of the fair share each may be off
)

// runFair is `bench fair`.
func runFair(ctx context.Context, args []string) error {
	f := newFlags("fair")
	d := f.Duration("time", 60*time.Second, "how long the flows send together")
	seeds := f.Int("seeds", 0, "runs of each kind; 0: 10 in simulation, 4 in real time")
	real := f.Bool("kernel", false, "in real time: CUBIC of ours beside the kernel's")
	f.Parse(args) // exits if it fails
	switch {
	case f.NArg() > 0 || *d <= 0 || *seeds < 0:
		return errors.New("fair takes -time, -seeds and -kernel, and -time must be positive")
	case *real:
		return fairKernel(ctx, max(*seeds, 4*bit(*seeds == 0)), *d)
	}
	return fairSimulated(ctx, max(*seeds, 10*bit(*seeds == 0)), *d)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// jain returns the index of fairness: 1 if all xs are equal, 1/n if all but one are 0.
func jain(xs ...float64) float64 {
	sum, squares := 0.0, 0.0
	for _, x := range xs {
		sum += x
		squares += x * x
	}
	if squares == 0 {
		return 0
	}
	return sum * sum / float64(len(xs)) / squares
}

// shares is what two flows got, in Mbit/s.
type shares [2]float64

func (s shares) String() string {
	return fmt.Sprintf("%5.2f and %5.2f Mbit/s, Jain %.4f", s[0], s[1], jain(s[:]...))
}

// fairLine is the line that flows share: the one of all measurements, whose delay varies by the time of a frame. Without any
// variation, which of the flows loses at a full queue follows from their phases alone (Floyd and Jacobson, "On Traffic Phase
// Effects in Packet-Switched Gateways", 1992), and it may be the same one again and again.
func fairLine() sim.Line {
	l := base()
	l.Jitter = lineFrame * 8 * time.Second / lineRate
	return l
}

// simulateShares sends two flows, the second of which begins later, and returns what each gets in d, counted from the begin of the
// second.
func simulateShares(control string, seed uint64, later, d time.Duration) (s shares, err error) {
	w := newWorld(seed, fairLine(), onlink.TCPConfig{})
	defer w.Stop()
	w.RunFor(5 * time.Second) // duplicate address detection
	for i := range s {
		w.send(&flow{Control: control, Start: time.Duration(i) * later})
	}
	if err := w.begun(); err != nil {
		return s, err
	}
	before := [2]int64{w.flows[0].Received, w.flows[1].Received}
	w.RunFor(d)
	for i, f := range w.flows {
		s[i] = mbits(f.Received-before[i], d)
	}
	return s, w.fault()
}

// fairSimulated tells how two flows of each control share the line.
func fairSimulated(ctx context.Context, seeds int, d time.Duration) error {
	missed := 0
	for _, control := range controls {
		for _, later := range [...]time.Duration{0, 5 * time.Second} {
			all := make([]shares, seeds)
			err := each(ctx, seeds, 2, func(i int) (err error) {
				all[i], err = simulateShares(control, uint64(i)+1, later, d)
				return err
			})
			if err != nil {
				return err
			}
			least, sum := 1.0, 0.0
			for i, s := range all {
				least = min(least, jain(s[:]...))
				sum += jain(s[:]...)
				fmt.Printf("%-5s second flow %v later, seed %d: %v\n", control, later, i+1, s)
			}
			fmt.Printf("%-5s second flow %v later: Jain %.4f in the mean, %.4f at least\n", control, later, sum/float64(seeds), least)
			missed += bit(sum/float64(seeds) < fairJain)
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d of %d kinds are not fair", missed, 2*len(controls))
	}
	return nil
}

// fairKernel tells how a flow of ours and one of the kernel share a line.
func fairKernel(ctx context.Context, seeds int, d time.Duration) error {
	command, remove, err := buildCommand(ctx)
	if err != nil {
		return err
	}
	defer remove()
	sum := shares{}
	for seed := range seeds {
		s, err := realShares(ctx, command, "cubic", uint64(seed)+1, seed%2 == 1, d)
		if err != nil {
			return err
		}
		for i := range s {
			sum[i] += s[i] / float64(seeds)
		}
		fmt.Printf("cubic, ours and the kernel's, run %d: %v\n", seed+1, s)
	}
	fmt.Printf("cubic, ours and the kernel's, mean: %v\n", sum)
	if off := sum[0]/(sum[0]+sum[1])*2 - 1; off < -fairShare || off > fairShare {
		fmt.Fprintf(os.Stderr, "ours is off its share by %+.0f %%\n", 100*off)
		return errors.New("not fair")
	}
	return nil
}
