package tcp

import (
	"fmt"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// loop is two established TCBs whose segments are handed over at once, as an in-memory link does it, without allocating.
type loop struct {
	now      clock.Instant
	a, b     TCB
	out      Segment
	data     [1 << 16]byte
	segments int
}

func newLoop(cfg Config) *loop { return newLoopOf(cfg, 1460) }

// newLoopOf is newLoop with another MSS.
func newLoopOf(cfg Config, mss int) *loop {
	l := &loop{now: clock.Instant(time.Second)}
	o := Open{Config: cfg.Complete(), MSS: mss}
	l.a.Connect(l.now, o)
	l.a.Next(l.now, &l.out)
	o.ISS = 1 << 31
	l.b.Accept(l.now, o, &l.out)
	for l.move(&l.b, &l.a) || l.move(&l.a, &l.b) {
	}
	return l
}

// move hands over what from has to send; false: nothing.
func (l *loop) move(from, to *TCB) bool {
	n := 0
	for from.Next(l.now, &l.out) {
		from.Payload(&l.out, l.data[:l.out.Len])
		l.out.Payload = l.data[:l.out.Len]
		to.Arrive(l.now, &l.out)
		n++
	}
	l.segments += n
	return n > 0
}

// bulk moves b from a to b and reads it there.
func (l *loop) bulk(from, to *TCB, b, into []byte) {
	rest := b
	for read := 0; read < len(b); {
		n, _ := from.Send(l.now, rest)
		rest = rest[n:]
		for l.move(from, to) || l.move(to, from) {
		}
		n, _ = to.Receive(l.now, into)
		read += n
		l.now += 1000
		if n == 0 {
			// A delayed ACK, or the end of a burst.
			l.now = max(l.now, min(from.Deadline(), to.Deadline()))
			from.Timeout(l.now)
			to.Timeout(l.now)
		}
	}
}

// Both directions of an established connection move data without allocating.
func TestBulkDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l := newLoop(Config{})
	b, into := make([]byte, 64<<10), make([]byte, 64<<10)
	round := func() {
		l.bulk(&l.a, &l.b, b, into)
		l.bulk(&l.b, &l.a, b, into)
	}
	for range 64 {
		round()
	}
	l.segments = 0
	if n := testing.AllocsPerRun(200, round); n != 0 {
		t.Errorf("%v allocations in a round of %d segments, want 0", n, l.segments/201)
	}
	if l.segments < 200*2*45 {
		t.Errorf("only %d segments were moved", l.segments)
	}
}

// A request and its answer of a few octets each, with everything acknowledged in between.
func TestPingPongDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l := newLoop(Config{NoDelay: true})
	b, into := make([]byte, 16), make([]byte, 64)
	round := func() {
		l.bulk(&l.a, &l.b, b, into)
		l.bulk(&l.b, &l.a, b, into)
	}
	for range 64 {
		round()
	}
	if n := testing.AllocsPerRun(200, round); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// BenchmarkBulk moves 64 KiB, read as they come.
func BenchmarkBulk(b *testing.B) {
	l := newLoop(Config{})
	data, into := make([]byte, 64<<10), make([]byte, 64<<10)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		l.bulk(&l.a, &l.b, data, into)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(l.segments), "ns/segment")
}

func BenchmarkPingPong(b *testing.B) {
	l := newLoop(Config{NoDelay: true})
	data, into := make([]byte, 1), make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		l.bulk(&l.a, &l.b, data, into)
		l.bulk(&l.b, &l.a, data, into)
	}
}

// BenchmarkIn is a data segment of 1448 octets taken in, with the reading of it and every second ACK.
func BenchmarkIn(b *testing.B) {
	l := newLoop(Config{})
	payload, into := make([]byte, 1448), make([]byte, 64<<10)
	seg := Segment{Seq: l.b.rcv.nxt, Ack: l.b.snd.nxt, Flags: wire.ACK, Window: 65535, Payload: payload, Len: len(payload)}
	seg.Options.HasTimestamps, seg.Options.TSVal = true, l.b.ts.recent
	b.ReportAllocs()
	for b.Loop() {
		l.b.Arrive(l.now, &seg)
		for l.b.Next(l.now, &l.out) {
		}
		seg.Seq = seg.Seq.Add(len(payload))
		if l.b.rcv.in.size > 256<<10 {
			for n := 1; n > 0; {
				n, _ = l.b.Receive(l.now, into)
			}
		}
	}
}

// BenchmarkACK is the cost of an ACK with so many segments in flight, and of sending the two segments that it admits: one
// that acknowledges two segments, and one that besides newly sacks a segment half-way. Segments are small, so that it is not
// the copying of cold data that is measured.
func BenchmarkACK(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("plain/%d", n), func(b *testing.B) { benchmarkACK(b, n, false) })
		b.Run(fmt.Sprintf("sack/%d", n), func(b *testing.B) { benchmarkACK(b, n, true) })
	}
}

func benchmarkACK(b *testing.B, flight int, sack bool) {
	l := newLoopOf(Config{SendBuffer: 1 << 30, InitialWindow: flight}, 64+timestampsLen)
	c := &l.a
	c.snd.wnd, c.snd.maxWnd, c.snd.edge = 1<<30, 1<<30, c.snd.una+1<<30
	mss := c.snd.mss
	data := make([]byte, 16*mss)
	send := func() {
		for c.unsent() < 4*mss {
			c.Send(l.now, data)
		}
		for c.Next(l.now, &l.out) {
		}
	}
	for c.board.out < flight {
		send()
	}
	c.cw.Clamp = flight // neither grow nor shrink
	ack := Segment{Seq: c.rcv.nxt, Flags: wire.ACK, Window: 65535}
	ack.Options.HasTimestamps, ack.Options.TSVal = true, c.ts.recent
	c.snd.shift = 14
	b.ReportAllocs()
	for b.Loop() {
		l.now += 1000
		ack.Ack = c.snd.una.Add(2 * mss)
		ack.Options.TSEcr = c.tsNow(l.now)
		if sack && flight >= 100 {
			at := ack.Ack.Add(flight / 2 / 4 * 4 * mss)
			ack.Options.SACK[0] = wire.SACKBlock{Left: uint32(at), Right: uint32(at.Add(mss))}
			ack.Options.SACKCount = 1
		}
		c.Arrive(l.now, &ack)
		c.cw.Window = flight
		send()
	}
}

// BenchmarkRest writes down a connection over which nothing goes, and makes it again.
func BenchmarkRest(b *testing.B) {
	l := newLoop(Config{})
	l.bulk(&l.a, &l.b, make([]byte, 64<<10), make([]byte, 64<<10))
	l.bulk(&l.b, &l.a, make([]byte, 64<<10), make([]byte, 64<<10))
	c := new(TCB)
	*c = l.a
	c.cc = &c.cubic
	var r Resting
	b.ReportAllocs()
	for b.Loop() {
		if !c.Rest(&r) {
			b.Fatal("it does not rest")
		}
		c.Free()
		c = New()
		r.Wake(c, nil, nil)
	}
}
