package tcp

import (
	"testing"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// emitter is a TCB that has 44 full segments to send, again and again, and is told at once that they have arrived.
type emitter struct {
	*loop
	data, out []byte
	ack       Segment
	runs      bool // NextRun is used
}

const emitted = 44

func newEmitter(runs bool) *emitter {
	e := &emitter{loop: newLoop(Config{InitialWindow: 64}), data: make([]byte, emitted*1448), out: make([]byte, emitted*1448), runs: runs}
	c := &e.a
	c.snd.shift = 14
	e.ack = Segment{Seq: c.rcv.nxt, Flags: wire.ACK, Window: 65535}
	e.ack.Options.HasTimestamps, e.ack.Options.TSVal = true, c.ts.recent
	return e
}

// round sends the segments, and returns how many there were.
func (e *emitter) round() (n int) {
	c := &e.a
	e.now += clock.Instant(1000)
	c.Send(e.now, e.data)
	for seg := &e.loop.out; c.Next(e.now, seg); {
		c.Payload(seg, e.out[:seg.Len])
		n++
		if e.runs {
			k := c.NextRun(e.now, seg, emitted)
			all := Segment{Seq: seg.Seq.Add(seg.Len), Len: k * seg.Len}
			c.Payload(&all, e.out[:all.Len])
			n += k
		}
	}
	e.ack.Ack, e.ack.Options.TSEcr = c.snd.nxt, c.tsNow(e.now)
	c.Arrive(e.now, &e.ack)
	c.cw.Window = 64
	return n
}

// BenchmarkEmit is what a segment of 1448 octets costs that is sent, the copying of its data included: one by one, and as
// super-packets have them made.
func BenchmarkEmit(b *testing.B) {
	for name, runs := range map[string]bool{"one": false, "run": true} {
		b.Run(name, func(b *testing.B) {
			e := newEmitter(runs)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n += e.round()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/segment")
		})
	}
}

func TestEmitDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, runs := range []bool{false, true} {
		e := newEmitter(runs)
		if n := e.round(); n != emitted {
			t.Errorf("runs %t: %d segments, want %d", runs, n, emitted)
		}
		if n := testing.AllocsPerRun(200, func() { e.round() }); n != 0 {
			t.Errorf("runs %t: %v allocations", runs, n)
		}
	}
}
