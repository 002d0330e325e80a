package tcp

import "math/bits"

// bbrBWFilter is BBR.max_bw_filter: the largest delivery rate of two cycles, 2.10: "the current cycle and the previous full
// cycle".
type bbrBWFilter struct{ previous, current uint64 }

// update takes a sample in and returns the largest one.
func (f *bbrBWFilter) update(v uint64) uint64 {
	f.current = max(f.current, v)
	return max(f.previous, f.current)
}

// advance begins another cycle: 5.5.6, BBRAdvanceMaxBwFilter. Where the one that ends had no samples, those before are kept, as
// a windowed filter forgets only when there is something new.
func (f *bbrBWFilter) advance() {
	if f.current > 0 {
		f.previous, f.current = f.current, 0
	}
}

// bbrRoundMax is BBR.extra_acked_filter: the largest of the samples of the last round trips, by Kathleen Nichols' algorithm,
// which keeps the best sample and the best of what came after it, twice.
type bbrRoundMax struct{ best [3]rounded }

// rounded is a sample and the round trip it is of.
type rounded struct {
	round uint64
	v     int
}

// update takes a sample in and returns the largest of window round trips.
func (f *bbrRoundMax) update(round uint64, v int, window uint64) int {
	s, b := rounded{round, v}, &f.best
	if v >= b[0].v || round-b[2].round > window {
		*b = [3]rounded{s, s, s}
		return v
	}
	if v >= b[1].v {
		b[1], b[2] = s, s
	} else if v >= b[2].v {
		b[2] = s
	}
	switch age := round - b[0].round; {
	case age > window:
		b[0], b[1], b[2] = b[1], b[2], s
		if round-b[0].round > window {
			b[0], b[1], b[2] = b[1], b[2], s
		}
	case b[1].round == b[0].round && age > window/4:
		b[1], b[2] = s, s
	case b[2].round == b[1].round && age > window/2:
		b[2] = s
	}
	return b[0].v
}

// lots draws numbers that are random enough to keep flows apart, from a seed (splitmix64).
type lots uint64

// draw returns a number below n.
func (l *lots) draw(n uint64) uint64 {
	*l += 0x9e3779b97f4a7c15
	z := uint64(*l)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	hi, _ := bits.Mul64(z^z>>31, n)
	return hi
}

// mulDiv returns a * b / c, or the largest number if that is more.
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return 1<<64 - 1
	}
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// percent returns so many percent of v.
func percent(v uint64, gain int) uint64 { return mulDiv(v, uint64(gain), 100) }
