package tcp

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// pathObserver notes the paths that recovery takes.
type pathObserver struct {
	observer
	seen *[NumPaths]bool
}

func (o pathObserver) Path(_ clock.Instant, p Path, _ int) { o.seen[p] = true }

// simulatePaths adds to seen the paths that transfers over a path with loss, duplication and reordering take.
func simulatePaths(t *testing.T, seen *[NumPaths]bool, seed uint64, set func(*setup), wire func(*pair)) {
	p := newPair(t, seed)
	for i := range p.cfg {
		set(&p.cfg[i])
		p.cfg[i].Observer = pathObserver{observer{func(State) {}}, seen}
		p.chans[i].delay = 20 * ms
	}
	p.chans[0].rate, p.chans[0].queue = 20e6/8, 100_000
	p.connect()
	wire(p)
	for _, n := range [...]int{300_000, 1460, 4000, 200_000} {
		for data := pattern(n); len(data) > 0; {
			data = data[p.send(0, data):]
			p.runFor(5 * ms)
			p.read(1)
		}
		p.runFor(5 * time.Second)
		p.read(1)
	}
}

// Each path of loss recovery is taken in a simulation: transfers over paths that lose, duplicate and reorder, with the
// settings that the path is about. The test of the same name in internal/packetdrill shows each in a script.
func TestPaths(t *testing.T) {
	var seen [NumPaths]bool
	settings := []func(*setup){
		func(*setup) {},
		func(s *setup) { s.NoSACK, s.CongestionControl = true, "reno" },
		func(s *setup) { s.NoTimestamps, s.HyStart = true, hystartLinux },
		func(s *setup) { s.NoSACK, s.NoTimestamps = true, true },
		func(s *setup) { s.Recovery, s.EarlyRetrans = -1, -1 },
		func(s *setup) { s.ECN, s.ABE, s.MTUProbing = 1, true, mtuProbeAlways },
		func(s *setup) { s.FRTO, s.EarlyRetrans, s.ThinLinear = -1, -1, true },
		func(s *setup) { s.FRTO, s.EarlyRetrans, s.NoTimestamps = -1, -1, true },
	}
	wires := []func(*pair){
		func(p *pair) { p.chans[0].loss, p.chans[1].loss = 0.03, 0.03 },
		func(p *pair) { p.chans[0].delay2, p.chans[0].loss, p.chans[0].duplicate = 0.05, 0.01, 0.02 },
		func(p *pair) { // delays that no timer expects
			p.sent = func(from int, seg *Segment) {
				p.chans[0].delay = 20 * ms
				if from == 0 && p.outs[0]%60 >= 40 {
					p.chans[0].delay = 600 * ms
				}
			}
		},
		func(p *pair) { p.chans[0].loss = 0.3 },
		func(p *pair) { // marks
			p.sent = func(from int, seg *Segment) {
				if from == 0 && seg.ECN == ECT0 && p.outs[0]%50 == 49 {
					seg.ECN = CE
				}
			}
		},
	}
	for i, set := range settings {
		for j, wire := range wires {
			simulatePaths(t, &seen, uint64(10*i+j), set, wire)
		}
	}
	simulateEvents(t, &seen)
	for p := PathNone + 1; p < NumPaths; p++ {
		if !seen[p] && !slices.Contains(scriptsOnly, p) {
			t.Errorf("no simulation takes the path %q", p)
		}
		if seen[p] && slices.Contains(scriptsOnly, p) {
			t.Errorf("a simulation takes the path %q: it is to be said", p)
		}
	}
}

// scriptsOnly are the paths that no simulation comes to: docs/recovery.md names their scripts.
var scriptsOnly = []Path{
	PathReneged, PathRenegingAwaited, // our receiver keeps what it has reported,
	PathWindowTimeout, // and does not shrink its window
	PathDecay,
}

// simulateEvents is what needs more than a bad path: closed windows, ICMP errors, marks, and idle times.
func simulateEvents(t *testing.T, seen *[NumPaths]bool) {
	begin := func(set func(*setup)) *pair {
		p := newPair(t, 99)
		for i := range p.cfg {
			set(&p.cfg[i])
			p.cfg[i].Observer = pathObserver{observer{func(State) {}}, seen}
		}
		return p.connect()
	}
	// Slow start into a deep queue, with jitter or without.
	for i, mode := range [...]int{hystartOn, hystartOn, hystartLinux} {
		p := newPair(t, uint64(i))
		for k := range p.cfg {
			p.cfg[k].HyStart = mode
			p.cfg[k].SendBuffer, p.cfg[k].ReceiveBuffer = 4<<20, 4<<20
			p.cfg[k].Observer = pathObserver{observer{func(State) {}}, seen}
			p.chans[k].delay = 20 * ms
		}
		p.chans[0].rate, p.chans[0].queue = 50e6/8, 4_000_000
		if i == 1 {
			p.chans[0].jitter = 3 * ms
		}
		p.connect().goodput(2 * time.Second)
	}
	// A reader that sleeps, and a path that loses ACKs meanwhile.
	p := begin(func(s *setup) { s.ReceiveBuffer, s.SendBuffer = 20_000, 1<<20 })
	p.send(0, pattern(200_000))
	p.runFor(10 * time.Second)
	// No route for a while; what the router says comes to the sender.
	p = begin(func(*setup) {})
	cut := true
	p.chans[0].drop = func(*Segment) bool { return cut }
	p.send(0, pattern(1000))
	for range 20 {
		p.runFor(500 * ms)
		p.ends[0].Unreachable(p.now, syscall.EHOSTUNREACH, p.ends[0].snd.una)
		p.pump(0)
	}
	cut = false
	p.runFor(time.Minute)
	// The path gets narrower, and tells; another one does not.
	p = begin(func(*setup) {})
	p.send(0, pattern(20_000))
	p.ends[0].SetPathMTU(p.now, 1000)
	p.pump(0)
	p.runFor(time.Second)
	q, _ := narrow(t, 1000, mtuProbeBlack)
	q.ends[0].observer = pathObserver{observer{func(State) {}}, seen}
	q.send(0, pattern(20_000))
	q.runFor(time.Minute)
	q, _ = narrow(t, 1300, mtuProbeAlways)
	q.ends[0].observer = pathObserver{observer{func(State) {}}, seen}
	for range 300 {
		q.send(0, pattern(20_000))
		q.runFor(100 * ms)
		q.read(1)
	}
	// A time in which nothing is sent.
	p = begin(func(*setup) {})
	p.send(0, pattern(500_000))
	p.runFor(2 * time.Second)
	p.read(1)
	p.runFor(10 * time.Second)
	p.send(0, pattern(100_000))
	p.runFor(time.Second)
}
