package tcp

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// flows are several connections of line whose data goes through one queue.
type flows struct {
	pairs []*pair
	got   []int
	busy  clock.Instant // of the queue that they share
	data  []byte
}

// step makes the next thing happen to the flow whose turn it is, of those that have begun.
func (f *flows) step(t testing.TB, begun int) clock.Instant {
	k := 0
	for i, p := range f.pairs[:begun] {
		if p.next() < f.pairs[k].next() {
			k = i
		}
	}
	p := f.pairs[k]
	p.chans[0].busy = f.busy
	if !p.step() {
		t.Fatal("stuck")
	}
	for p.send(0, f.data) > 0 {
	}
	b, _ := p.read(1)
	f.got[k] += len(b)
	f.busy = p.chans[0].busy
	return p.now
}

// share has flows with the given controls begin one after another, each so long after the one before, and returns what each
// of them got through in the time d that begins warm after the last one.
func share(t testing.TB, seed uint64, begins, warm, d time.Duration, controls ...string) []int {
	f := flows{got: make([]int, len(controls)), data: make([]byte, 1<<18)}
	for k, control := range controls {
		p := line(t, seed+uint64(k)*100, control, 0)
		p.send(0, f.data)
		f.pairs = append(f.pairs, p)
	}
	start := f.pairs[0].now
	for k, p := range f.pairs {
		at := start.Add(time.Duration(k) * begins)
		for p.now = max(p.now, at); f.pairs[0].now < at; {
			f.step(t, k)
		}
	}
	start = f.pairs[len(controls)-1].now.Add(warm)
	for f.step(t, len(f.pairs)) < start {
	}
	clear(f.got)
	for f.step(t, len(f.pairs)) < start.Add(d) {
	}
	return f.got
}

// jain is Jain's index of fairness: 1 if all have the same, 1/n if one has it all.
func jain(got []int) float64 {
	sum, squares := 0.0, 0.0
	for _, g := range got {
		sum += float64(g)
		squares += float64(g) * float64(g)
	}
	return sum * sum / squares / float64(len(got))
}

// draft-ietf-ccwg-bbr-05, 5.1.2: "Share bandwidth with other flows in an approximately fair manner." Flows that begin together do so
// at once; one that finds the path taken gets its share within a minute.
func TestBBRSharesFairly(t *testing.T) {
	for _, row := range []struct{ begins, warm, d time.Duration }{
		{10 * time.Millisecond, 0, 60 * time.Second},
		{3 * time.Second, 40 * time.Second, 20 * time.Second},
	} {
		got := share(t, 1, row.begins, row.warm, row.d, "bbr", "bbr")
		j, sum := jain(got), float64(got[0]+got[1])*8e-6/row.d.Seconds()
		t.Logf("the second begins after %v: %v octets, %.1f Mbit/s, Jain's index %.3f", row.begins, got, sum, j)
		if j < 0.95 || sum < 44 {
			t.Errorf("the second begins after %v: %v octets, %.1f Mbit/s, Jain's index %.3f", row.begins, got, sum, j)
		}
	}
}

// 3.1: "Low queue pressure": the queue is empty most of the time, where loss-based algorithms keep it full.
func TestBBRKeepsQueueShort(t *testing.T) {
	mean := func(control string) time.Duration {
		p := line(t, 1, control, 0)
		var sum time.Duration
		n := 0
		p.sent = func(from int, seg *Segment) {
			if from == 0 && seg.Len > 0 {
				sum += max(p.chans[0].busy.Sub(p.now), 0)
				n++
			}
		}
		p.goodput(30 * time.Second)
		return sum / time.Duration(n)
	}
	bbr, cubic := mean("bbr"), mean("cubic")
	t.Logf("mean wait in the queue: bbr %v, cubic %v", bbr, cubic)
	if bbr > 5*time.Millisecond || cubic < 3*bbr {
		t.Errorf("mean wait in the queue: bbr %v, cubic %v", bbr, cubic)
	}
}

// 5.5.4: "the estimator discards application-limited samples, since by definition they reflect application limits": after a time
// in which the application sends little, and after one in which it sends nothing, the rate is what it was.
func TestBBRAfterAppLimitedPhase(t *testing.T) {
	for _, pause := range []struct {
		name         string
		octets       int
		every, lasts time.Duration
	}{
		{"little", 1000, 10 * time.Millisecond, 20 * time.Second},
		{"requests", 30_000, 500 * time.Millisecond, 20 * time.Second},
		{"nothing", 0, time.Second, 20 * time.Second},
		{"nothing for long", 0, time.Second, 10 * time.Minute},
	} {
		p := line(t, 1, "bbr", 0)
		before := p.goodput(5 * time.Second)
		for p.ends[0].unsent() > 0 || !p.ends[0].board.empty() {
			p.step()
			p.read(1)
		}
		for at := time.Duration(0); at < pause.lasts; at += pause.every {
			if pause.octets > 0 {
				p.send(0, make([]byte, pause.octets))
			}
			p.runFor(pause.every)
			p.read(1)
		}
		after := p.goodput(time.Second)
		t.Logf("%s: %.1f Mbit/s before, %.1f in the first second after", pause.name, before, after)
		if after < 40 {
			t.Errorf("%s: %.1f Mbit/s before, %.1f in the first second after", pause.name, before, after)
		}
	}
}
