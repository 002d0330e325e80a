package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// piece is something that a case cannot do without, whoever does it.
type piece string

const (
	copying    piece = "copy of 64 KiB in the cache"
	waking     piece = "goroutine woken"
	largeWrite piece = "write of 64 KiB to a TUN"
	largeRead  piece = "read of 64 KiB from a TUN"
	smallWrite piece = "write of a short packet to a TUN"
	smallRead  piece = "read of a short packet from a TUN"
	fullWrite  piece = "write of 1500 octets to a TUN"
	fullRead   piece = "read of 1500 octets from a TUN"
)

// part is how many of a piece 64 KiB of a bulk transfer take, or one of what else is counted.
type part struct {
	n    int
	what piece
}

// prices are what pieces cost here.
type prices map[piece]time.Duration

// priceAll measures all pieces.
func priceAll() prices {
	p := prices{copying: priceCopy(), waking: priceWake()}
	for what, cost := range priceDevice() {
		p[what] = cost
	}
	return p
}

// repeats is how often a piece is measured.
const repeats = 2000

// typical returns the median of how long f takes.
func typical(f func()) time.Duration {
	took := make([]time.Duration, repeats)
	for i := range took {
		began := time.Now()
		f()
		took[i] = time.Since(began)
	}
	return middle(took)
}

func middle(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func priceCopy() time.Duration {
	from, to := make([]byte, chunk), make([]byte, chunk)
	return typical(func() { copy(to, from) })
}

// priceWake has two goroutines wake each other in turn.
func priceWake() time.Duration {
	var mu sync.Mutex
	turn := sync.NewCond(&mu)
	theirs, done := false, false
	var other sync.WaitGroup
	other.Go(func() {
		mu.Lock()
		defer mu.Unlock()
		for {
			for !theirs && !done {
				turn.Wait()
			}
			if done {
				return
			}
			theirs = false
			turn.Broadcast()
		}
	})
	cost := typical(func() {
		mu.Lock()
		theirs = true
		turn.Broadcast()
		for theirs {
			turn.Wait()
		}
		mu.Unlock()
	})
	mu.Lock()
	done = true
	turn.Broadcast()
	mu.Unlock()
	other.Wait()
	return cost / 2
}

// write tells what the pieces cost.
func (p prices) write(out io.Writer) {
	fmt.Fprintf(out, "\n### What nobody does without\n\n| | µs |\n|---|---|\n")
	for _, what := range []piece{copying, waking, largeWrite, largeRead, fullWrite, fullRead, smallWrite, smallRead} {
		if cost, ok := p[what]; ok {
			fmt.Fprintf(out, "| %s | %s |\n", what, number(cost.Seconds()*1e6))
		}
	}
}

// floor returns the least processor time that a case can take, in its own column, and how it comes about. There is none if the
// price of a part is not known.
func (p prices) floor(c *benchmark) (least float64, how string, ok bool) {
	var sum time.Duration
	var words []string
	for _, part := range c.floor {
		cost, known := p[part.what]
		if !known {
			return 0, "", false
		}
		sum += time.Duration(part.n) * cost
		words = append(words, fmt.Sprintf("%d × %s", part.n, part.what))
	}
	count := 1.0
	if c.unit == octets {
		count = chunk
	}
	return sum.Seconds() / count * c.unit.cpuOf, strings.Join(words, ", "), len(words) > 0
}

// writeFloor tells how far our best is from the floor.
func (r *report) writeFloor(out io.Writer) {
	us, ok := best(r.Results, r.cpu, "onlink")
	if r.Floor == 0 || !ok {
		return
	}
	fmt.Fprintf(out, "- floor: %s: %s %s; ours is %s ×\n", r.FloorOf, r.cpu, number(r.Floor), number(us/r.Floor))
}
