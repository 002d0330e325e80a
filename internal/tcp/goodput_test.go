package tcp

import (
	"fmt"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// line is 50 Mbit/s, a round-trip time of 40 ms, and a queue of one bandwidth-delay product, with random loss of data.
func line(t testing.TB, seed uint64, control string, loss float64) *pair {
	p := newPair(t, seed)
	for i := range p.cfg {
		p.cfg[i].CongestionControl = control
		p.cfg[i].ISS += uint32(seed) << 16 // algorithms draw their lots from it
		p.cfg[i].SendBuffer, p.cfg[i].ReceiveBuffer = 4<<20, 4<<20
		p.chans[i].delay = 20 * time.Millisecond
		p.chans[i].rate = 50e6 / 8
		p.chans[i].queue = 50e6 / 8 * 40 / 1000
	}
	p.connect()
	p.chans[0].loss = loss
	return p
}

// goodput sends for d and returns what arrived, in Mbit/s.
func (p *pair) goodput(d time.Duration) float64 {
	data := make([]byte, 1<<20)
	got := 0
	end := p.now.Add(d)
	for p.now < end {
		for p.send(0, data) > 0 {
		}
		b, _ := p.read(1)
		got += len(b)
		if !p.step() {
			p.t.Fatal("stuck")
		}
	}
	return float64(got) * 8 / d.Seconds() / 1e6
}

// RFC 8985 and 9937 keep the line as busy as the congestion control allows, which is about 1.2 / sqrt(loss) segments in a
// round trip, without a retransmission timeout at 1 % random loss, and hardly one at 3 %. BBR does not take so much loss for
// congestion. Rows are means of three runs.
func TestGoodput(t *testing.T) {
	classic := [...]float64{46, 11, 3, 1.5, 0.6}
	for _, want := range []struct {
		control string
		least   [5]float64 // Mbit/s
	}{{"reno", classic}, {"cubic", classic}, {"bbr", [...]float64{46, 43, 42, 17, 2}}} {
		control, out := want.control, ""
		for k, loss := range [...]float64{0, 0.001, 0.01, 0.03, 0.1} {
			row := struct{ loss, least float64 }{loss, want.least[k]}
			const runs = 3
			g := 0.0
			var i Info
			for seed := range uint64(runs) {
				p := line(t, seed, control, row.loss)
				g += p.goodput(15*time.Second) / runs
				j := p.ends[0].Info(p.now)
				i.Retransmits += j.Retransmits
				i.DataSegmentsOut += j.DataSegmentsOut
				i.FastRecoveries += j.FastRecoveries
				i.Timeouts += j.Timeouts
			}
			out += fmt.Sprintf("  %g %%: %.2f Mbit/s, %d of %d again, %d recoveries, %d timeouts\n", 100*row.loss, g, i.Retransmits,
				i.DataSegmentsOut, i.FastRecoveries, i.Timeouts)
			if g < row.least {
				t.Errorf("%s at %g %% loss: %.2f Mbit/s, want %g", control, 100*row.loss, g, row.least)
			}
			if row.loss <= 0.01 && i.Timeouts > 0 || row.loss <= 0.03 && i.Timeouts > runs {
				t.Errorf("%s at %g %% loss: %d timeouts", control, 100*row.loss, i.Timeouts)
			}
		}
		t.Logf("%s, 50 Mbit/s x 40 ms, 15 s:\n%s", control, out)
	}
}

// RACK finds a lost retransmission as it finds any other loss, and a tail loss probe what nothing follows: data that is lost at
// random, one segment in a hundred, never waits for the retransmission timer.
func TestNoTimeoutAtRandomLoss(t *testing.T) {
	for _, control := range []string{"reno", "cubic", "bbr"} {
		lost := uint64(0)
		for seed := range uint64(10) {
			p := line(t, 100+seed, control, 0.01)
			p.goodput(5 * time.Second)
			i := p.ends[0].Info(p.now)
			lost += i.Retransmits
			if i.Timeouts > 0 {
				t.Errorf("%s, seed %d: %d timeouts", control, 100+seed, i.Timeouts)
			}
		}
		t.Logf("%s: %d segments were lost, and none waited for the timer", control, lost)
	}
}

// SO_MAX_PACING_RATE: what arrives is no more than that, in small bursts.
func TestPacedGoodput(t *testing.T) {
	p := line(t, 1, "cubic", 0)
	change(p.ends[0], p.now, func(cfg *Config) { cfg.MaxPacingRate = 1e6 })
	var last clock.Instant
	n, burst := 0, 0
	p.sent = func(from int, seg *Segment) {
		if from == 0 && seg.Len > 0 {
			if p.now != last {
				n = 0
			}
			n++
			last = p.now
			burst = max(burst, n)
		}
	}
	g := p.goodput(10 * time.Second)
	if g < 7.6 || g > 7.9 || burst > pacerBurst {
		t.Errorf("%.2f Mbit/s, %d segments at once", g, burst)
	}
}
