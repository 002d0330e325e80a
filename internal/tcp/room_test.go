package tcp

import (
	"testing"
	"time"
)

// segmentsWith returns how many segments a, which has 40 of them to send, emits when it is told of so much room, and hands them
// over.
func segmentsWith(l *loop, octets int, full bool) (n int) {
	l.a.SetRoom(octets, full)
	for l.a.Next(l.now, &l.out) {
		n += 1 + l.a.NextRun(l.now, &l.out, 4)
	}
	return n
}

// New data waits for room on the link; what has nothing in flight does not wait for the room of others, unless there is none for
// anybody; an ACK never does.
func TestRoom(t *testing.T) {
	l := newLoop(Config{InitialWindow: 40})
	l.a.SetRoom(0, true)
	if n, err := l.a.Send(l.now, make([]byte, 40*1448)); n != 40*1448 || err != nil {
		t.Fatalf("sent %d, %v", n, err)
	}
	for i, row := range []struct {
		octets int
		full   bool
		want   int
	}{
		{1 << 20, true, 0}, // the queue is full
		{0, false, 1},      // nothing is in flight
		{-500, false, 0},   // something is
		{10 * 1448, false, 10},
		{10*1448 + 1, false, 11}, // the last one may go beyond it
		{7*1448 - 1, false, 7},
		{1 << 40, false, 11},
	} {
		n := segmentsWith(l, row.octets, row.full)
		left := l.a.Unsent() > 0
		if n != row.want || l.a.Stalled() != left {
			t.Errorf("step %d, room %d, full %t: %d segments, want %d; stalled: %t", i, row.octets, row.full, n, row.want, l.a.Stalled())
		}
	}
	l.b.SetRoom(0, true)
	l.b.rcv.due, l.b.rcv.ackNow = true, true
	if !l.b.Next(l.now, &l.out) || l.b.Stalled() {
		t.Error("an ACK has to wait for room")
	}
}

// To a peer that is near, the send buffer does not follow a congestion window that grows with the queues; farther away it does.
func TestSendBufferNear(t *testing.T) {
	for name, row := range map[string]struct {
		least, srtt time.Duration
		out         int // segments in flight
		want        int
	}{
		"far":                {time.Millisecond, 20 * time.Millisecond, 100, 4 << 20},
		"not known":          {0, 0, 0, 4 << 20},
		"near, a long queue": {10 * time.Microsecond, 5 * time.Millisecond, 100, 256 << 10},
		"near, no queue":     {500 * time.Microsecond, 500 * time.Microsecond, 200, 4 * 200 * 4352}, // which a segment of 1460 octets takes with all that is kept of it,
		"near, the most":     {500 * time.Microsecond, 500 * time.Microsecond, 2000, 4 << 20},
	} {
		l := newLoop(Config{})
		l.a.rtt.minimum.best[0].d, l.a.rtt.srtt = row.least, row.srtt
		l.a.cw.Window, l.a.board.out = 5000, row.out
		l.a.expandSendBuffer()
		if got := l.a.SendBuffer(); got != row.want {
			t.Errorf("%s: %d octets, want %d", name, got, row.want)
		}
	}
}
