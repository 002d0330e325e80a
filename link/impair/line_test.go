package impair

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

const ms = clock.Instant(time.Millisecond)

// frame returns a frame of n octets that begins with its number.
func frame(i, n int) *packet.Buffer {
	p := packet.New(n)
	clear(p.Bytes())
	p.Bytes()[0] = byte(i)
	return p
}

// departures runs the line until it is empty and returns "number@milliseconds" of each frame that leaves.
func departures(l *line) (out []string) {
	for {
		at := l.Next()
		if at == clock.Never {
			return out
		}
		var b packet.Batch
		l.Depart(at-1, &b)
		if !b.Empty() {
			out = append(out, "early")
		}
		l.Depart(at, &b)
		for p := b.Pop(); p != nil; p = b.Pop() {
			out = append(out, fmt.Sprintf("%d@%g", p.Bytes()[0], float64(at)/float64(ms)))
			p.Free()
		}
	}
}

func TestLine(t *testing.T) {
	type arrival struct {
		at clock.Instant
		n  int // octets
	}
	at := func(n int, instants ...clock.Instant) (a []arrival) {
		for _, i := range instants {
			a = append(a, arrival{i, n})
		}
		return a
	}
	tests := []struct {
		name string
		path Path
		in   []arrival
		out  []string
	}{
		{"nothing asked", Path{}, at(100, 0, 1*ms), []string{"0@0", "1@1"}},
		{"delay", Path{Delay: 20 * time.Millisecond}, at(100, 0, 1*ms, 1*ms), []string{"0@20", "1@21", "2@21"}},
		// 1000 octets at 8 Mbit/s take 1 ms.
		{"rate", Path{Rate: 8e6}, at(1000, 0, 0, 0), []string{"0@1", "1@2", "2@3"}},
		{"rate, line idle between", Path{Rate: 8e6}, at(1000, 0, 5*ms, 5*ms), []string{"0@1", "1@6", "2@7"}},
		{"rate and delay", Path{Rate: 8e6, Delay: 10 * time.Millisecond}, at(1000, 0, 0), []string{"0@11", "1@12"}},
		{"queue of two, besides the one being sent", Path{Rate: 8e6, Queue: 2}, at(1000, 0, 0, 0, 0, 0), []string{"0@1", "1@2", "2@3"}},
		{"queue has room again", Path{Rate: 8e6, Queue: 1}, at(1000, 0, 0, 1*ms, 1*ms, 2*ms), []string{"0@1", "1@2", "2@3", "4@4"}},
		{"loss", Path{Loss: 1}, at(100, 0, 0), nil},
		{"a lost frame took its time", Path{Rate: 8e6, Loss: 1}, at(1000, 0, 0), nil},
		{"duplicate", Path{Duplicate: 1, Delay: time.Millisecond}, at(100, 0, 2*ms), []string{"0@1", "0@1", "1@3", "1@3"}},
		{"reordered frames skip the delay", Path{Reorder: 1, Rate: 8e6, Delay: 50 * time.Millisecond}, at(1000, 0, 0), []string{"0@1", "1@2"}},
		{"without delay they are held back", Path{Reorder: 1}, at(100, 0, 5*ms), []string{"0@1", "1@6"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l line
			l.init(tt.path, Egress, 14, 1, nil)
			for i, a := range tt.in {
				l.Arrive(a.at, frame(i, a.n))
			}
			if got := departures(&l); !slices.Equal(got, tt.out) {
				t.Errorf("left %v\nwant %v", got, tt.out)
			}
		})
	}
}

// 100 Mbit/s is exactly that: 12,500 frames of 1000 octets take one second to the nanosecond, and so do frames
// whose time on the line is no whole number of nanoseconds.
func TestLineRateIsExact(t *testing.T) {
	tests := []struct {
		rate      int64
		n, frames int
		want      clock.Instant
	}{
		{100e6, 1000, 12500, clock.Instant(time.Second)},
		{3, 3, 1000, 8000 * clock.Instant(time.Second)}, // 8 s each: 24 bit
		{7e9, 875, 1e6, clock.Instant(time.Second)},     // 1000 ns each
		{3e9, 125, 3e6, clock.Instant(time.Second)},     // 333⅓ ns each
		{999_999_937, 1514, 999_999, 12_111_988_651},    // 12,111,987,888 bits
	}
	for _, tt := range tests {
		var l line
		l.init(Path{Rate: tt.rate, Queue: 1}, Egress, 14, 1, nil)
		var sent clock.Instant
		for range tt.frames {
			var ok bool
			if sent, ok = l.serialise(l.busy, tt.n); !ok {
				t.Fatal("refused by an empty queue")
			}
		}
		if sent != tt.want {
			t.Errorf("%d frames of %d octets at %d bit/s: %d ns, want %d", tt.frames, tt.n, tt.rate, sent, tt.want)
		}
	}
}

// Jitter stays within its bounds, uses them, and does not reorder.
func TestLineJitter(t *testing.T) {
	var l line
	l.init(Path{Delay: 10 * time.Millisecond, Jitter: 4 * time.Millisecond}, Egress, 14, 7, nil)
	var least, most time.Duration = time.Hour, 0
	for i := range 2000 {
		now := clock.Instant(i) * 20 * ms
		l.Arrive(now, frame(0, 60))
		d := l.Next().Sub(now)
		least, most = min(least, d), max(most, d)
		var b packet.Batch
		l.Depart(l.Next(), &b)
		b.Free()
	}
	if least < 6*time.Millisecond || least > 6100*time.Microsecond || most > 14*time.Millisecond || most < 13900*time.Microsecond {
		t.Errorf("delays from %v to %v, want all of 6ms to 14ms", least, most)
	}

	for i := range 200 { // 0.1 ms apart: would overtake
		l.Arrive(clock.Instant(i)*ms/10+40000*20*ms, frame(i, 60))
	}
	var b packet.Batch
	for i := 0; l.Len() > 0; {
		l.Depart(l.Next(), &b)
		for p := b.Pop(); p != nil; p = b.Pop() {
			if int(p.Bytes()[0]) != i {
				t.Fatalf("frame %d left where %d was next", p.Bytes()[0], i)
			}
			i++
			p.Free()
		}
	}

	// More jitter than delay: never before it was sent.
	l.init(Path{Delay: time.Millisecond, Jitter: time.Second}, Egress, 14, 7, nil)
	for i := range 100 {
		now := clock.Instant(i) * 5000 * ms
		l.Arrive(now, frame(0, 60))
		if l.Next() < now {
			t.Fatalf("left at %v, sent at %v", l.Next(), now)
		}
		l.Depart(clock.Never-1, &b)
		b.Free()
	}
}

// Where instants are equal the reordered frame goes first: it overtakes.
func TestLineTie(t *testing.T) {
	var l line
	l.init(Path{Delay: time.Millisecond}, Egress, 14, 1, nil)
	l.Arrive(0, frame(0, 60))
	l.path.Reorder = 1
	l.Arrive(ms, frame(1, 60))
	if got, want := departures(&l), []string{"1@1", "0@1"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
}

// A corrupted frame differs in one bit behind the link header; its copy, if it is duplicated, in none.
func TestLineCorrupt(t *testing.T) {
	var l line
	l.init(Path{Corrupt: 1, Duplicate: 1}, Ingress, 14, 3, nil)
	original := frame(5, 60)
	want := slices.Clone(original.Bytes())
	positions := map[int]bool{}
	for range 3000 {
		p := packet.From(want)
		l.Arrive(0, p)
		var b packet.Batch
		l.Depart(0, &b)
		p, twin := b.Pop(), b.Pop()
		if !bytes.Equal(twin.Bytes(), want) {
			t.Fatal("the copy is damaged")
		}
		flipped := 0
		for i, c := range p.Bytes() {
			if d := c ^ want[i]; d != 0 {
				flipped += bits.OnesCount8(d)
				positions[i*8+bits.TrailingZeros8(d)] = true
				if i < 14 {
					t.Fatalf("octet %d, of the link header, is damaged", i)
				}
			}
		}
		if flipped != 1 {
			t.Fatalf("%d bits flipped, want 1", flipped)
		}
		p.Free()
		twin.Free()
	}
	if len(positions) != (60-14)*8 {
		t.Errorf("%d of %d bits were ever flipped", len(positions), (60-14)*8)
	}
	// Nothing behind the header: nothing to damage.
	l.Arrive(0, frame(0, 14))
	if l.stats.Corrupted != 3000 {
		t.Errorf("%d frames corrupted, want 3000", l.stats.Corrupted)
	}
	original.Free()
}

// The chances are as asked, and the same seed makes the same choices.
func TestLineChances(t *testing.T) {
	path := Path{Loss: 0.05, Reorder: 0.02, Duplicate: 0.01, Corrupt: 0.03, Delay: 5 * time.Millisecond, Jitter: time.Millisecond}
	run := func(seed uint64, dir Direction) (log []string, s Stats) {
		var l line
		l.init(path, dir, 14, seed, func(e *Event) {
			log = append(log, fmt.Sprintf("%v %v %v", e.At, e.Direction, e.Kind))
		})
		for i := range 20000 {
			now := clock.Instant(i) * ms / 10
			l.Arrive(now, frame(i, 60))
			var b packet.Batch
			l.Depart(now, &b)
			for p := b.Pop(); p != nil; p = b.Pop() {
				log = append(log, fmt.Sprint(now, crc32.ChecksumIEEE(p.Bytes())))
				p.Free()
			}
		}
		return log, l.stats
	}
	log, s := run(1, Egress)
	for _, c := range []struct {
		name       string
		got, about uint64
	}{{"lost", s.Lost, 1000}, {"reordered", s.Reordered, 380}, {"duplicated", s.Duplicated, 190}, {"corrupted", s.Corrupted, 570}} {
		if c.got < c.about*4/5 || c.got > c.about*6/5 {
			t.Errorf("%d of 20000 %s, want about %d", c.got, c.name, c.about)
		}
	}
	if again, _ := run(1, Egress); !slices.Equal(log, again) {
		t.Error("the same seed chose differently")
	}
	if other, _ := run(2, Egress); slices.Equal(log, other) {
		t.Error("another seed chose the same")
	}
	if _, other := run(1, Ingress); s == other {
		t.Error("the other direction chose the same")
	}
}

// Losses that come in bursts are as many as asked, and the bursts as long.
func TestLineBursts(t *testing.T) {
	const frames = 400_000
	for _, path := range []Path{{Loss: 0.01, Burst: 1}, {Loss: 0.01, Burst: 4}, {Loss: 0.2, Burst: 10}, {Loss: 0.5, Burst: 1}} {
		var l line
		l.init(path, Egress, 14, 5, nil)
		bursts, lost := 0, false
		for i := range frames {
			before := l.stats.Lost
			l.Arrive(clock.Instant(i), frame(0, 60))
			var b packet.Batch
			l.Depart(clock.Instant(i), &b)
			b.Free()
			now := l.stats.Lost > before
			if now && !lost {
				bursts++
			}
			lost = now
		}
		share, length := float64(l.stats.Lost)/frames, float64(l.stats.Lost)/float64(bursts)
		if share < 0.93*path.Loss || share > 1.07*path.Loss || length < 0.95*path.Burst || length > 1.05*path.Burst {
			t.Errorf("loss %v in bursts of %v: %.4f in bursts of %.2f", path.Loss, path.Burst, share, length)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want string
	}{
		{Config{}, ""},
		{Config{Egress: Path{Loss: 1, Rate: 1e9}}, ""},
		{Config{Egress: Path{Loss: 1.01}}, "impair: egress loss 1.01 is not a probability from 0 to 1"},
		{Config{Ingress: Path{Corrupt: -1}}, "impair: ingress corrupt -1 is not a probability from 0 to 1"},
		{Config{Ingress: Path{Delay: -1}}, "impair: ingress delay is negative"},
		{Config{Egress: Path{Loss: 0.1, Burst: 3}}, ""},
		{Config{Egress: Path{Loss: 0.1, Burst: 0.5}}, "impair: egress loss 0.1 cannot come in bursts of 0.5 frames in the mean"},
		{Config{Egress: Path{Loss: 0.9, Burst: 3}}, "impair: egress loss 0.9 cannot come in bursts of 3 frames in the mean"},
		{Config{Egress: Path{Loss: 1, Burst: 3}}, "impair: egress loss 1 cannot come in bursts of 3 frames in the mean"},
		{Config{Egress: Path{Rate: -1}}, "impair: egress rate is negative"},
	} {
		err := tt.cfg.Check()
		if got := fmt.Sprint(err); got != tt.want && !(err == nil && tt.want == "") {
			t.Errorf("Check = %v, want %v", got, tt.want)
		}
	}
}

func TestLineAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	var l line
	l.init(Path{Rate: 1e9, Delay: time.Millisecond, Jitter: time.Millisecond, Loss: 0.1, Reorder: 0.1, Corrupt: 0.1, Duplicate: 0.1}, Egress, 14, 1, nil)
	now := clock.Instant(0)
	var b packet.Batch
	if n := testing.AllocsPerRun(2000, func() {
		now += ms
		l.Arrive(now, packet.New(60))
		l.Depart(now, &b)
		b.Free()
	}); n != 0 {
		t.Errorf("%v allocations a frame, want 0", n)
	}
}
