package impair

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/linktest"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
)

func batch(frames ...*packet.Buffer) *packet.Batch {
	b := new(packet.Batch)
	for _, f := range frames {
		b.Push(f)
	}
	return b
}

func TestConformance(t *testing.T) {
	both := func(p Path) Config { return Config{Egress: p, Ingress: p} }
	for _, tt := range []struct {
		name string
		cfg  Config
	}{
		{"Nothing", both(Path{InFlight: 50})},
		{"Delay", both(Path{Delay: 20 * time.Millisecond, Jitter: 15 * time.Millisecond})},
		{"Rate", both(Path{Rate: 1e9, Queue: 1 << 20, InFlight: 1 << 20})},
		{"Backpressure", Config{Egress: Path{Delay: time.Millisecond, InFlight: 7}, Ingress: Path{Delay: time.Millisecond}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			linktest.Test(t, func(t *testing.T) (a, b link.Link) {
				rt := clock.NewReal()
				x, y := mem.Pair(mem.Config{Runtime: rt, Limit: 20})
				return New(rt, x, tt.cfg), y
			})
		})
	}
}

// pair returns an impaired link and the plain one at its other end, with a receiver that logs what arrives there
// as "number@milliseconds since the bubble began".
func pair(t *testing.T, cfg Config) (l *Link, far *mem.Port, log *[]string) {
	rt := clock.NewReal()
	a, b := mem.Pair(mem.Config{Runtime: rt})
	l = New(rt, a, cfg)
	log = new([]string)
	b.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
		_, seq, _ := linktest.Number(p)
		*log = append(*log, fmt.Sprintf("%d@%g", seq, rt.Now().Duration().Seconds()*1000))
		p.Free()
	}})
	t.Cleanup(func() {
		l.Close()
		b.Close()
	})
	return l, b, log
}

func TestBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, far, log := pair(t, Config{
			Egress:  Path{Delay: 20 * time.Millisecond},
			Ingress: Path{Delay: 30 * time.Millisecond},
		})
		began := time.Now()
		l.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
			if d := time.Since(began); d != 30*time.Millisecond {
				t.Errorf("came in after %v, want 30ms", d)
			}
			p.Free()
		}})
		l.Send(0, batch(linktest.Frame(l.Info(), far.Info(), 0, 0, 64)))
		far.Send(0, batch(linktest.Frame(far.Info(), l.Info(), 0, 0, 64)))
		time.Sleep(time.Second)
		synctest.Wait()
		if want := []string{"0@20"}; !slices.Equal(*log, want) {
			t.Errorf("went out %v, want %v", *log, want)
		}
		e, i := l.Stats()
		if want := (Stats{Frames: 1, Octets: 64}); e != want || i != want {
			t.Errorf("Stats %+v, %+v; want %+v for both", e, i, want)
		}
	})
}

// A frame that skips the delay overtakes those under way and moves the timer forward.
func TestReorderOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// 64 octets take 1 ms on the line, so that the overtaking frame, too, waits for the timer.
		l, far, log := pair(t, Config{Egress: Path{Rate: 512e3, Delay: 20 * time.Millisecond}})
		l.Send(0, batch(linktest.Frame(l.Info(), far.Info(), 0, 0, 64)))
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
		l.egress.line.path.Reorder = 1
		l.Send(0, batch(linktest.Frame(l.Info(), far.Info(), 0, 1, 64)))
		l.egress.line.path.Reorder = 0
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
		l.Send(0, batch(linktest.Frame(l.Info(), far.Info(), 0, 2, 64)))
		time.Sleep(time.Second)
		synctest.Wait()
		if want := []string{"1@6", "0@21", "2@31"}; !slices.Equal(*log, want) {
			t.Errorf("arrived %v, want %v", *log, want)
		}
	})
}

// On the way in nobody can be told to wait.
func TestIngressOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []string
		l, far, _ := pair(t, Config{
			Ingress: Path{Delay: time.Second, InFlight: 3},
			Observe: func(e *Event) {
				_, seq, _ := linktest.Number(e.Packet)
				events = append(events, fmt.Sprintf("%v %v %d", e.Direction, e.Kind, seq))
			},
		})
		var r linktest.Recorder
		l.Attach(&r)
		for seq := range uint32(5) {
			far.Send(0, batch(linktest.Frame(far.Info(), l.Info(), 0, seq, 64)))
		}
		if _, in := l.Stats(); in.InFlight != 3 || in.Overflow != 2 {
			t.Errorf("Stats %+v, want 3 in flight and 2 overflows", in)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		r.Check(t, 3)
		if want := []string{"ingress overflow 3", "ingress overflow 4"}; !slices.Equal(events, want) {
			t.Errorf("events %v, want %v", events, want)
		}
	})
}

// On the real clock, with senders at once: every frame arrives, and each sender's in order.
func TestRealTime(t *testing.T) {
	const senders, each = 4, 500
	rt := clock.NewReal()
	a, b := mem.Pair(mem.Config{Runtime: rt, Limit: senders * each})
	path := Path{Delay: time.Millisecond, Jitter: time.Millisecond, Rate: 1e9, Queue: senders * each}
	l := New(rt, a, Config{Egress: path, Ingress: path})
	var out, in linktest.Recorder
	var left sync.WaitGroup
	left.Add(2 * senders * each)
	arrived := func(_ int, p *packet.Buffer) {
		p.Free()
		left.Done()
	}
	out.OnDeliver, in.OnDeliver = arrived, arrived
	b.Attach(&out)
	l.Attach(&in)
	for s := range uint32(senders) {
		go func() {
			for seq := range uint32(each) {
				l.Send(0, batch(linktest.Frame(l.Info(), b.Info(), s, seq, 64)))
				b.Send(0, batch(linktest.Frame(b.Info(), l.Info(), s, seq, 64)))
			}
		}()
	}
	left.Wait()
	out.Check(t, each, each, each, each)
	in.Check(t, each, each, each, each)
	l.Close()
	b.Close()
	rt.Drain()
}

// broken is a link that dies at its third frame.
type broken struct {
	link.Link
	sent int
}

var errBroken = errors.New("the wire is gone")

func (l *broken) Send(q int, b *packet.Batch) error {
	for !b.Empty() {
		if l.sent == 2 {
			return errBroken
		}
		b.Pop().Free()
		l.sent++
	}
	return nil
}

func TestInnerLinkDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := clock.NewReal()
		a, _ := mem.Pair(mem.Config{Runtime: rt})
		l := New(rt, &broken{Link: a}, Config{Egress: Path{Delay: time.Millisecond}})
		b := batch(frame(0, 60), frame(1, 60), frame(2, 60), frame(3, 60))
		if err := l.Send(0, b); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		b.Push(frame(4, 60))
		if err := l.Send(0, b); !errors.Is(err, errBroken) || b.Len() != 1 {
			t.Errorf("Send = %v with %d frames left, want %v with 1", err, b.Len(), errBroken)
		}
		if e, _ := l.Stats(); e.InFlight != 0 {
			t.Errorf("%d frames still under way", e.InFlight)
		}
		b.Free()
		l.Close()
	})
}

func TestAttachToTakenInner(t *testing.T) {
	rt := clock.NewReal()
	a, _ := mem.Pair(mem.Config{Runtime: rt})
	var other, r linktest.Recorder
	a.Attach(&other)
	l := New(rt, a, Config{})
	if err := l.Attach(&r); !errors.Is(err, link.ErrAttached) {
		t.Errorf("Attach = %v, want ErrAttached", err)
	}
	a.Attach(nil)
	if err := l.Attach(&r); err != nil {
		t.Errorf("Attach = %v once the inner link is free", err)
	}
}

func TestNewRejectsNonsense(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New took a loss of 2")
		}
	}()
	a, _ := mem.Pair(mem.Config{})
	New(clock.NewReal(), a, Config{Egress: Path{Loss: 2}})
}

type sink struct{}

func (sink) Deliver(_ int, b *packet.Batch) { b.Free() }
func (sink) Ready(int)                      {}
func (sink) Changed(link.Info)              {}

func TestAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	rt := clock.NewReal()
	a, b := mem.Pair(mem.Config{Runtime: rt})
	b.Attach(sink{})
	l := New(rt, a, Config{})
	var bt packet.Batch
	if n := testing.AllocsPerRun(1000, func() {
		bt.Push(packet.New(60))
		l.Send(0, &bt)
	}); n != 0 {
		t.Errorf("%v allocations a frame, want 0", n)
	}
}

func BenchmarkLink(b *testing.B) {
	for _, bb := range []struct {
		name string
		path Path
	}{
		{"nothing", Path{}},
		{"loss", Path{Loss: 0.01}},
		{"delay", Path{Delay: time.Millisecond}},
		{"delay,rate,loss,reorder", Path{Delay: time.Millisecond, Rate: 100e9, Queue: 1 << 16, Loss: 0.01, Reorder: 0.01}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			rt := clock.NewReal()
			x, y := mem.Pair(mem.Config{Runtime: rt})
			y.Attach(sink{})
			l := New(rt, x, Config{Egress: bb.path, Seed: 1})
			defer l.Close()
			var bt packet.Batch
			b.ReportAllocs()
			for i := 0; i < b.N; {
				for range 32 {
					bt.Push(packet.New(60))
				}
				l.Send(0, &bt)
				i += 32 - bt.Len()
				bt.Free()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}
