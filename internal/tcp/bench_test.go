package tcp

import (
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

func newLoop(cfg Config) *loop {
	l := &loop{now: clock.Instant(time.Second)}
	o := Open{Config: cfg.Complete(), MSS: 1460}
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
		if l.b.rcv.queued > 256<<10 {
			for n := 1; n > 0; {
				n, _ = l.b.Receive(l.now, into)
			}
		}
	}
}

// BenchmarkACK is the cost of an ACK that acknowledges two segments, newly sacks one, or does both, with so many in flight.
func BenchmarkACK(b *testing.B) {
	for _, bc := range []struct {
		name   string
		flight int
	}{{"10", 10}, {"1000", 1000}, {"100000", 100000}} {
		b.Run("sack/"+bc.name, func(b *testing.B) {
			var board scoreboard
			seq, una := Seq(0), Seq(0)
			for range bc.flight {
				board.push(sent{seq: seq, end: seq + 1000})
				seq += 1000
			}
			b.ReportAllocs()
			for b.Loop() {
				// Every second segment is lost; the one before the last is sacked, and the first two are acknowledged.
				board.push(sent{seq: seq, end: seq + 1000})
				board.push(sent{seq: seq + 1000, end: seq + 2000})
				board.sack(seq+1000-8000, seq+2000-8000)
				board.markLost()
				for board.pending > 0 {
					_, r := board.nextPending()
					board.sentOnceMore(r, 0)
				}
				una += 2000
				board.ackTo(una)
				seq += 2000
			}
		})
	}
}
