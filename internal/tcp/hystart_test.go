package tcp

import (
	"testing"
	"time"
)

// Linux's HyStart ends slow start when the delay has grown by an eighth, or when a train of ACKs is half as long as it.
func TestClassicHyStart(t *testing.T) {
	var q cubic
	s := Sender{HyStart: hystartLinux, Window: 20, Threshold: unlimited, Clamp: 1 << 20, Limited: true, Now: at(0), Next: 20000}
	q.Init(&s)
	round := func(rtt, spacing time.Duration, n int) {
		s.Next += 20000
		s.Now = s.Now.Add(rtt)
		s.Una = q.classic.end + 1
		for range n {
			s.Now = s.Now.Add(spacing)
			q.Sampled(&s, 1, rtt)
		}
	}
	round(80*ms, 3*ms, 10)
	round(85*ms, 3*ms, 10)
	if !s.SlowStart() {
		t.Fatal("ended by 5 ms")
	}
	round(91*ms, 3*ms, 8)
	if !s.SlowStart() {
		t.Fatal("ended by 8 samples")
	}
	if round(91*ms, 3*ms, 9); s.SlowStart() || s.Threshold != 20 {
		t.Fatalf("threshold %d", s.Threshold)
	}
	// The train.
	q.Init(&s)
	s.Threshold = unlimited
	round(80*ms, ms, 10)
	if !s.SlowStart() {
		t.Fatal("ended by a short train")
	}
	if round(80*ms, ms, 42); s.SlowStart() {
		t.Fatal("not ended by a train of half the delay")
	}
	// Not below 16 segments.
	q.Init(&s)
	s.Window, s.Threshold = 15, unlimited
	if round(80*ms, ms, 60); !s.SlowStart() {
		t.Error("ended below the least window")
	}
}

// hystartRig drives HyStart++ through rounds.
type hystartRig struct {
	h hystart
	s Sender
}

func newHyStartRig() *hystartRig {
	r := &hystartRig{s: Sender{HyStart: hystartOn, Window: 20, Threshold: unlimited, Clamp: 1 << 20, Limited: true, Una: 1, Next: 1}}
	r.h.begin(r.s.Next)
	r.s.Next = 10001
	r.ack(80*ms, 1) // ends the round before the first
	return r
}

// ack is n ACKs of one segment each, with their round-trip time.
func (r *hystartRig) ack(rtt time.Duration, n int) {
	for range n {
		r.h.sampled(&r.s, rtt)
		r.h.grow(&r.s, 1)
	}
}

// round is a round of n ACKs, the last of which acknowledges windowEnd.
func (r *hystartRig) round(rtt time.Duration, n int) {
	r.s.Next = r.s.Next.Add(1000 * n)
	r.ack(rtt, n-1)
	r.s.Una = r.h.end
	r.ack(rtt, 1)
}

// RFC 9406, 4.2: CSS is entered when a round's least delay exceeds that of the round before by RttThresh, with 8 samples; the
// window then grows by a quarter of what is acknowledged; after CSS_ROUNDS rounds ssthresh is the window.
func TestHyStart(t *testing.T) {
	r := newHyStartRig()
	r.round(80*ms, 10)
	r.round(89*ms, 10) // RttThresh is 80 ms / 8
	if r.h.css || r.s.Window != 41 {
		t.Fatalf("9 ms: %+v, window %d", r.h, r.s.Window)
	}
	r.round(105*ms, 7)
	if r.h.css {
		t.Fatal("seven samples")
	}
	r.round(80*ms, 8)
	r.s.Next += 20000
	if r.ack(97*ms, 8); !r.h.css {
		t.Fatalf("not in CSS: %+v", r.h)
	}
	w := r.s.Window
	r.ack(90*ms, 3) // with that of the eighth sample
	if r.s.Window != w+1 {
		t.Errorf("window %d, want %d and a quarter of 4", r.s.Window, w)
	}
	for i := range cssRounds {
		if r.s.Threshold != unlimited {
			t.Fatalf("over after %d rounds", i)
		}
		r.round(90*ms, 8)
	}
	if r.s.Threshold != r.s.Window || r.h.css {
		t.Errorf("threshold %d, window %d", r.s.Threshold, r.s.Window)
	}
	// 4.3: "only for the initial slow start".
	r.s.Threshold = 1000
	w = r.s.Window
	r.round(80*ms, 8)
	r.round(180*ms, 8)
	if r.h.css || r.s.Window != w+16 {
		t.Errorf("a later slow start is not standard: %+v", r.h)
	}
}

// RFC 9406, 4.2: "if (currentRoundMinRTT < cssBaselineMinRtt) … resume slow start including HyStart++".
func TestHyStartResumes(t *testing.T) {
	r := newHyStartRig()
	r.round(80*ms, 10)
	r.round(95*ms, 10)
	if !r.h.css {
		t.Fatal("not in CSS")
	}
	r.round(94*ms, 7) // too few to tell
	if !r.h.css {
		t.Fatal("resumed by seven samples")
	}
	if r.round(94*ms, 8); r.h.css || r.h.rounds != 0 {
		t.Fatalf("not resumed: %+v", r.h)
	}
	w := r.s.Window
	r.round(94*ms, 8)
	if r.s.Window != w+8 {
		t.Error("not slow start")
	}
	if r.round(107*ms, 8); !r.h.css {
		t.Error("CSS is not entered again")
	}
}

// RFC 9406, 4.3: RttThresh lies between 4 and 16 ms; L bounds what an ACK adds, without pacing.
func TestHyStartBounds(t *testing.T) {
	for least, want := range map[time.Duration]time.Duration{ms: 4 * ms, 32 * ms: 4 * ms, 80 * ms: 10 * ms, 500 * ms: 16 * ms} {
		if got := hystartThreshold(least); got != want {
			t.Errorf("RttThresh of %v: %v, want %v", least, got, want)
		}
	}
	for _, row := range []struct {
		limit int32
		paced bool
		want  int
	}{{0, false, 30}, {8, false, 18}, {8, true, 30}} {
		r := newHyStartRig()
		r.s.Window, r.s.SlowStartLimit, r.s.Paced = 10, row.limit, row.paced
		if r.h.grow(&r.s, 20); r.s.Window != row.want {
			t.Errorf("L %d, paced %v: window %d, want %d", row.limit, row.paced, r.s.Window, row.want)
		}
	}
}

// The initial slow start over several paths: how much it loses, and that jitter does not end it early. Rows compare the
// settings of Config.HyStart.
func TestSlowStarts(t *testing.T) {
	type path struct {
		name   string
		rate   int
		rtt    time.Duration
		queue  float64 // of the bandwidth-delay product
		jitter time.Duration
	}
	for _, row := range []path{
		{"50 Mbit/s x 40 ms, queue 1 BDP", 50e6 / 8, 40 * ms, 1, 0},
		{"50 Mbit/s x 40 ms, queue 4 BDP", 50e6 / 8, 40 * ms, 4, 0},
		{"50 Mbit/s x 40 ms, queue 16 BDP", 50e6 / 8, 40 * ms, 16, 0},
		{"50 Mbit/s x 40 ms, queue 1 BDP, jitter 3 ms", 50e6 / 8, 40 * ms, 1, 3 * ms},
		{"50 Mbit/s x 200 ms, queue 1 BDP", 50e6 / 8, 200 * ms, 1, 0},
	} {
		var again [3]uint64
		for mode := range again {
			p := newPair(t, 1)
			for i := range p.cfg {
				p.cfg[i].HyStart = mode
				if mode == hystartOff {
					p.cfg[i].HyStart = -1
				}
				p.cfg[i].SendBuffer, p.cfg[i].ReceiveBuffer = 32<<20, 32<<20
				p.chans[i].delay = row.rtt / 2
			}
			bdp := float64(row.rate) * row.rtt.Seconds()
			p.chans[0].rate, p.chans[0].queue, p.chans[0].jitter = row.rate, int(row.queue*bdp), row.jitter
			p.connect()
			g := p.goodput(3 * time.Second)
			i := p.ends[0].Info(p.now)
			again[mode] = i.Retransmits
			t.Logf("%s, HyStart %d: %.1f Mbit/s in the first 3 s, %d segments again, threshold %d of %.0f, %d timeouts", row.name, mode, g,
				i.Retransmits, i.SlowStartThresholdSegments, bdp/1448, i.Timeouts)
			if i.Timeouts > 0 {
				t.Errorf("%s, HyStart %d: %d timeouts", row.name, mode, i.Timeouts)
			}
			// Half of what the link carries, less what doubling takes from ten segments on.
			if least := float64(row.rate) * 8 / 1e6 / 2; mode == hystartOn && g < least {
				t.Errorf("%s: %.1f Mbit/s, want %.1f", row.name, g, least)
			}
		}
		if again[hystartOn] > again[hystartOff] {
			t.Errorf("%s: HyStart++ loses more: %d, without %d", row.name, again[hystartOn], again[hystartOff])
		}
	}
}
