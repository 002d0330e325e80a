package impair

import (
	"math/rand/v2"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// holdBack is how long a reordered frame waits where there is no delay that it could skip.
const holdBack = time.Millisecond

// line is the machine of one direction: a tail-drop queue, a serialising line, and the way behind it.
//
//	Arrive(now, p)      a frame comes; the line owns it
//	Depart(now, out)    the frames whose instant has come, in the order of their instants
//	Next()              when Depart will have something
//
// The instant at which a frame leaves is settled when it arrives, and noted in its Meta.Arrived. There are two lists,
// first in, first out: one of the frames in order, where one whose instant comes before that of the frame in front
// leaves right behind it; and one of the frames out of order, which all skip (or wait) the same time.
type line struct {
	path    Path
	dir     Direction
	header  int // octets of link header, which corruption spares
	rng     *rand.Rand
	observe func(*Event)
	stats   Stats

	ordered packet.Batch
	strays  packet.Batch // reordered; they go first where instants are equal

	bad      bool            // Burst: the line loses what it is given
	busy     clock.Instant   // when the line will have sent what it was given
	fraction uint64          // of a nanosecond, in units of 1/Rate, that busy is late by
	starts   []clock.Instant // ring: when each waiting frame's sending begins
	first, n int             // of starts
}

// init readies the line; the zero values of the Path become its defaults.
func (l *line) init(path Path, dir Direction, header int, seed uint64, observe func(*Event)) {
	if path.Queue == 0 {
		path.Queue = DefaultQueue
	}
	if path.InFlight == 0 {
		path.InFlight = DefaultInFlight
	}
	l.path, l.dir, l.header, l.observe = path, dir, header, observe
	l.rng = rand.New(rand.NewPCG(seed, uint64(dir)))
	if path.Rate > 0 {
		l.starts = make([]clock.Instant, path.Queue)
	}
}

// Len returns how many frames are under way.
func (l *line) Len() int { return l.ordered.Len() + l.strays.Len() }

// Full reports whether as many frames are under way as may be.
func (l *line) Full() bool { return l.Len() >= l.path.InFlight }

// Arrive takes p, decides how it fares, and sends it on its way.
func (l *line) Arrive(now clock.Instant, p *packet.Buffer) {
	l.stats.Frames++
	l.stats.Octets += uint64(p.Len())
	sent, ok := l.serialise(now, p.Len())
	if !ok {
		l.give(now, p, QueueFull, &l.stats.QueueFull)
		p.Free()
		return
	}
	if l.loses() {
		l.give(now, p, Lost, &l.stats.Lost)
		p.Free()
		return
	}
	var twin *packet.Buffer
	if l.chance(l.path.Duplicate) {
		twin = p.Clone()
		l.give(now, p, Duplicated, &l.stats.Duplicated)
	}
	if l.chance(l.path.Corrupt) && p.Len() > l.header {
		bit := l.rng.IntN((p.Len() - l.header) * 8)
		p.Own()
		p.Bytes()[l.header+bit/8] ^= 1 << (bit % 8)
		l.give(now, p, Corrupted, &l.stats.Corrupted)
	}
	list, at := &l.ordered, sent.Add(l.delay())
	if l.chance(l.path.Reorder) {
		list, at = &l.strays, sent
		if l.path.Delay == 0 && l.path.Jitter == 0 {
			at = sent.Add(holdBack)
		}
		l.give(now, p, Reordered, &l.stats.Reordered)
	}
	p.Arrived = at
	list.Push(p)
	if twin != nil {
		twin.Arrived = at
		list.Push(twin)
	}
}

// Overflow loses p because too many frames are under way.
func (l *line) Overflow(now clock.Instant, p *packet.Buffer) {
	l.stats.Frames++
	l.stats.Octets += uint64(p.Len())
	l.give(now, p, Overflow, &l.stats.Overflow)
	p.Free()
}

// serialise returns when the line will have sent a frame of n octets, or false if the queue is full.
func (l *line) serialise(now clock.Instant, n int) (sent clock.Instant, ok bool) {
	if l.path.Rate == 0 {
		return now, true
	}
	for l.n > 0 && l.starts[l.first] <= now {
		l.first = (l.first + 1) % len(l.starts)
		l.n--
	}
	start := now
	if l.busy > now {
		if l.n == len(l.starts) {
			return 0, false
		}
		start = l.busy
		l.starts[(l.first+l.n)%len(l.starts)] = start
		l.n++
	} else if l.busy < now {
		l.fraction = 0
	}
	rate := uint64(l.path.Rate)
	t := uint64(n)*8*uint64(time.Second) + l.fraction // below 2^50 for the longest frame
	l.fraction = t % rate
	l.busy = start.Add(time.Duration(t / rate))
	return l.busy, true
}

// delay chooses how long the next frame takes behind the line.
func (l *line) delay() time.Duration {
	d := l.path.Delay
	if j := l.path.Jitter; j > 0 {
		d += time.Duration(l.rng.Int64N(2*int64(j)+1)) - j
	}
	return max(d, 0)
}

// loses reports whether the line loses the next frame. A bad line gets good again with probability 1/Burst at each frame; how
// often a good one gets bad follows from that, for it is bad for the share Loss of all frames.
func (l *line) loses() bool {
	if l.path.Burst == 0 {
		return l.chance(l.path.Loss)
	}
	change := 1 / l.path.Burst
	if !l.bad {
		change *= l.path.Loss / (1 - l.path.Loss)
	}
	l.bad = l.bad != l.chance(change)
	return l.bad
}

// chance is true with probability p. What is never asked of a Path takes nothing from its random numbers.
func (l *line) chance(p float64) bool { return p > 0 && l.rng.Float64() < p }

// give counts and tells that p fares as kind says.
func (l *line) give(now clock.Instant, p *packet.Buffer, kind Kind, count *uint64) {
	*count++
	if l.observe != nil {
		l.observe(&Event{At: now, Direction: l.dir, Kind: kind, Packet: p})
	}
}

// Depart appends to out the frames whose instant has come.
func (l *line) Depart(now clock.Instant, out *packet.Batch) {
	for {
		list, at := l.earliest()
		if list == nil || at > now {
			return
		}
		p := list.Pop()
		p.Arrived = 0
		out.Push(p)
	}
}

// Next returns when the next frame's instant comes, or Never.
func (l *line) Next() clock.Instant {
	_, at := l.earliest()
	return at
}

// earliest returns the list whose first frame is next, and its instant; nil and Never if nothing is under way.
func (l *line) earliest() (*packet.Batch, clock.Instant) {
	o, s := l.ordered.Front(), l.strays.Front()
	switch {
	case o == nil && s == nil:
		return nil, clock.Never
	case o == nil || s != nil && s.Arrived <= o.Arrived:
		return &l.strays, s.Arrived
	}
	return &l.ordered, o.Arrived
}
