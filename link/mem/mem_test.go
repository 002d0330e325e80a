package mem

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/linktest"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

func batch(frames ...*packet.Buffer) *packet.Batch {
	b := new(packet.Batch)
	for _, f := range frames {
		b.Push(f)
	}
	return b
}

func TestConfigDefaults(t *testing.T) {
	mac := wire.MAC{2, 0, 0, 0, 0, 9}
	a, b := Pair(Config{Addr: []wire.MAC{mac}})
	ia, ib := a.Info(), b.Info()
	if ia.Addr != mac || ia.MTU != 1500 || ia.Medium != link.Ethernet || !ia.Up {
		t.Errorf("Info = %+v", ia)
	}
	if ib.Addr == (wire.MAC{}) || ib.Addr == mac || ib.Addr[0]&3 != 2 {
		t.Errorf("random address %v, want a unicast, locally administered one", ib.Addr)
	}
	queues := 1
	if p := runtime.GOMAXPROCS(0); p > 1 {
		queues = min(32*p, 256)
	}
	if ia.Queues != queues || ia.SendQueues != queues {
		t.Errorf("Info = %+v, want %d queues", ia, queues)
	}
	a, _ = Pair(Config{Runtime: clock.NewReal()})
	if i := a.Info(); i.Queues != 1 || i.SendQueues != 1 {
		t.Errorf("Info = %+v, want one queue in a Runtime of the caller's own", i)
	}
	a, _ = Pair(Config{Medium: link.IP, MTU: 9000})
	if i := a.Info(); i.Addr != (wire.MAC{}) || i.MTU != 9000 {
		t.Errorf("Info = %+v", i)
	}
}

// However a Deliver sends back, the stack does not grow with the number of hops.
func TestStackDepthIsBounded(t *testing.T) {
	rt := clock.NewReal()
	a, b := Pair(Config{Runtime: rt})
	depth, deepest, hops := 0, 0, 0
	done := make(chan struct{})
	var pcs [512]uintptr
	back := func(from *Port) func(int, *packet.Buffer) {
		return func(_ int, p *packet.Buffer) {
			depth = runtime.Callers(0, pcs[:])
			deepest = max(deepest, depth)
			if hops++; hops == 10*quota {
				p.Free()
				close(done)
				return
			}
			from.Send(0, batch(p))
		}
	}
	a.Attach(&linktest.Recorder{OnDeliver: back(a)})
	b.Attach(&linktest.Recorder{OnDeliver: back(b)})
	a.Send(0, batch(linktest.Frame(a.Info(), b.Info(), 0, 0, 64)))
	<-done
	rt.Drain()
	if deepest > 60 {
		t.Errorf("%d frames on the stack after %d hops", deepest, hops)
	}
}

// goroutine returns what tells this goroutine from others.
func goroutine() string {
	b := make([]byte, 64)
	name, _, _ := strings.Cut(string(b[:runtime.Stack(b, false)]), " [")
	return name
}

// After its quota the sender's goroutine leaves.
func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pair(Config{})
		const hops = 3*quota + 5
		var rb linktest.Recorder
		count, own, sender := 0, 0, goroutine()
		rb.OnDeliver = func(_ int, p *packet.Buffer) {
			p.Free()
			if goroutine() == sender {
				own++
			}
			if count++; count < hops {
				a.Send(0, batch(linktest.Frame(a.Info(), b.Info(), 0, uint32(count), 64)))
			}
		}
		b.Attach(&rb)
		a.Send(0, batch(linktest.Frame(a.Info(), b.Info(), 0, 0, 64)))
		synctest.Wait()
		if own != quota {
			t.Errorf("%d frames delivered on the sender's goroutine, want %d", own, quota)
		}
		rb.Check(t, hops)
	})
}

func TestDropped(t *testing.T) {
	frame := func(n int) *packet.Buffer {
		return linktest.Frame(link.Info{}, link.Info{}, 0, 0, n)
	}
	tests := []struct {
		name    string
		cfg     Config
		frame   *packet.Buffer
		prepare func(a, b *Port)
		dropped bool
	}{
		{"largest", Config{MTU: 100}, frame(118), nil, false}, // with a VLAN tag
		{"too long", Config{MTU: 100}, frame(119), nil, true},
		{"largest IP", Config{MTU: 100, Medium: link.IP}, linktest.Frame(link.Info{Medium: link.IP}, link.Info{}, 0, 0, 100), nil, false},
		{"too long IP", Config{MTU: 100, Medium: link.IP}, linktest.Frame(link.Info{Medium: link.IP}, link.Info{}, 0, 0, 101), nil, true},
		{"IP of no version", Config{Medium: link.IP}, packet.From([]byte{0x10}), nil, true},
		{"empty IP", Config{Medium: link.IP}, packet.New(0), nil, true},
		{"carrier cut here", Config{}, frame(64), func(a, b *Port) { a.SetCarrier(false) }, true},
		{"carrier cut there", Config{}, frame(64), func(a, b *Port) { b.SetCarrier(false) }, true},
		{"carrier mended", Config{}, frame(64), func(a, b *Port) { b.SetCarrier(false); b.SetCarrier(true) }, false},
		{"nobody attached", Config{}, frame(64), func(a, b *Port) { b.Attach(nil) }, true},
		{"other end closed", Config{}, frame(64), func(a, b *Port) { b.Close() }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := Pair(tt.cfg)
			var rb linktest.Recorder
			b.Attach(&rb)
			if tt.prepare != nil {
				tt.prepare(a, b)
			}
			if err := a.Send(0, batch(tt.frame)); err != nil {
				t.Fatal(err)
			}
			delivered, dropped := len(rb.Frames()), int(a.Dropped()+b.Dropped())
			want := [2]int{1, 0}
			if tt.dropped {
				want = [2]int{0, 1}
			}
			if delivered != want[0] || dropped != want[1] {
				t.Errorf("delivered %d, dropped %d; want %v", delivered, dropped, want)
			}
		})
	}
}

func TestCarrier(t *testing.T) {
	a, b := Pair(Config{})
	var ra, rb linktest.Recorder
	a.Attach(&ra)
	b.Attach(&rb)
	a.SetCarrier(false)
	a.SetCarrier(false)
	if a.Info().Up || b.Info().Up {
		t.Error("up with the cable cut")
	}
	a.SetCarrier(true)
	for _, r := range []*linktest.Recorder{&ra, &rb} {
		if c := r.Changes(); len(c) != 2 || c[0].Up || !c[1].Up {
			t.Errorf("changes %+v, want down and up", c)
		}
	}
}

// What the sender noted about a packet stays with the sender.
func TestMetaStaysBehind(t *testing.T) {
	for _, tt := range []struct {
		medium link.Medium
		first  byte
		want   uint16
	}{{link.Ethernet, 0x45, 0}, {link.IP, 0x45, 0x0800}, {link.IP, 0x60, 0x86dd}} {
		a, b := Pair(Config{Medium: tt.medium})
		var got packet.Meta
		b.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
			got = p.Meta
			p.Free()
		}})
		p := linktest.Frame(a.Info(), b.Info(), 0, 0, 64)
		p.Bytes()[0] = tt.first
		p.In, p.Out, p.Mark, p.Flags, p.Proto = 3, 4, 5, packet.Loopback, 6
		p.SetTransport()
		a.Send(0, batch(p))
		if want := (packet.Meta{EtherType: tt.want}); got != want {
			t.Errorf("%v: Meta = %+v, want %+v", tt.medium, got, want)
		}
	}
}

func TestCloseFromOtherEndWhileSending(t *testing.T) {
	a, b := Pair(Config{})
	b.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
		p.Free()
		a.Close()
	}})
	a.Send(0, batch(linktest.Frame(a.Info(), b.Info(), 0, 0, 64)))
	if err := a.Send(0, batch()); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Send = %v, want ErrClosed", err)
	}
}

func TestAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	a, b := Pair(Config{})
	b.Attach(sink{})
	var bt packet.Batch
	if n := testing.AllocsPerRun(1000, func() {
		bt.Push(packet.New(60))
		a.Send(0, &bt)
	}); n != 0 {
		t.Errorf("%v allocations a frame, want 0", n)
	}
}

// sink frees what it is given.
type sink struct{}

func (sink) Deliver(_ int, b *packet.Batch) { b.Free() }
func (sink) Ready(int)                      {}
func (sink) Changed(link.Info)              {}

func BenchmarkPair(b *testing.B) {
	for _, n := range []struct {
		name  string
		batch int
	}{{"batch=1", 1}, {"batch=32", 32}} {
		b.Run(n.name, func(b *testing.B) {
			x, y := Pair(Config{})
			y.Attach(sink{})
			var bt packet.Batch
			b.ReportAllocs()
			began := time.Now()
			for i := 0; i < b.N; i += n.batch {
				for range n.batch {
					bt.Push(packet.New(60))
				}
				x.Send(0, &bt)
			}
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "packets/s")
		})
	}
}
