package tcp

import (
	"testing"
	"time"
)

// What sending waits for is clocked: the network, the peer's window, the user.
func TestChrono(t *testing.T) {
	r := newRig(t, Config{SendBuffer: 10000, NoTimestamps: true})
	r.syn.MSS = 1000
	r.to(Established)
	spent := func(busy, window, user time.Duration) {
		t.Helper()
		i := r.c.Info(r.now)
		if i.BusyTime != busy || i.WindowLimited != window || i.BufferLimited != user {
			t.Errorf("busy %v, window %v, buffer %v; want %v, %v, %v", i.BusyTime, i.WindowLimited, i.BufferLimited, busy,
				window, user)
		}
	}
	r.now = r.now.Add(time.Second)
	spent(0, 0, 0)
	r.c.Send(r.now, make([]byte, 300))
	r.drain()
	r.now = r.now.Add(10 * ms)
	spent(10*ms, 0, 0)
	s := segment(5001, 1301, ack, 0)
	s.Window = 500
	r.arriveSegment(s) // nothing is left to send
	r.now = r.now.Add(10 * ms)
	spent(10*ms, 0, 0)
	r.c.Send(r.now, make([]byte, 900))
	r.drain()
	r.now = r.now.Add(20 * ms)
	spent(30*ms, 20*ms, 0)
	r.arrive(5001, 1301, ack, 0) // the window opens
	r.now = r.now.Add(30 * ms)
	spent(60*ms, 20*ms, 0)
	if n, _ := r.c.Send(r.now, make([]byte, 100000)); n != 30000 {
		t.Fatal(n)
	}
	r.drain() // ten segments of the initial window: still the network
	r.now = r.now.Add(5 * ms)
	spent(65*ms, 20*ms, 0)
	r.arrive(5001, 9301, ack, 0)
	r.arrive(5001, 12301, ack, 0) // the window lets all of the rest go
	r.now = r.now.Add(7 * ms)
	spent(72*ms, 20*ms, 7*ms)
	r.c.Abort(r.now)
	r.now = r.now.Add(time.Hour)
	spent(72*ms, 20*ms, 7*ms)
}

// Timeouts in a row are one recovery, whose time ends when something is acknowledged.
func TestTimeoutTime(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	r.c.Send(r.now, make([]byte, 100))
	r.drain()
	start := r.now
	r.pass(2 * time.Second)
	i := r.c.Info(r.now)
	if i.Timeouts < 2 || i.TimeoutRecoveries != 1 || i.Retries != int(i.Timeouts) || i.TimeoutTime <= 0 ||
		i.LastDataSent > time.Second || i.Backoff != i.Retries || i.LostSegments != 1 || i.AgainSegments != 1 {
		t.Errorf("%+v", i)
	}
	first := 2*time.Second - i.TimeoutTime // when the first one was
	r.arrive(5001, 1101, ack, 0)
	j := r.c.Info(r.now)
	if j.TimeoutTime != i.TimeoutTime || j.Retries != 0 || j.UnackedSegments != 0 {
		t.Errorf("%+v", j)
	}
	if at := start.Add(first); at != start.Add(i.RTO>>i.Backoff) {
		t.Errorf("the first timeout at %v", at.Sub(start))
	}
	r.pass(time.Hour)
	if k := r.c.Info(r.now); k.TimeoutTime != j.TimeoutTime || k.LastDataReceived != r.now.Sub(start) {
		t.Errorf("%+v", k)
	}
}

// Of a SYN, data and a FIN, an octet each counts that is acknowledged, as RFC 4898's tcpEStatsAppHCThruOctetsAcked counts.
func TestBytesCounted(t *testing.T) {
	r := newRig(t, Config{}).to(SynSent)
	r.arrive(5000, 1001, syn|ack, 0)
	if i := r.c.Info(r.now); i.BytesAcked != 1 || i.SegmentsIn != 1 || i.SegmentsOut != 2 {
		t.Errorf("%+v", i)
	}
	r.c.Send(r.now, make([]byte, 100))
	r.c.Close(r.now)
	r.drain()
	r.arrive(5001, 1102, ack, 10)
	r.arrive(5031, 1102, ack, 10)
	r.arrive(5011, 1102, ack, 20)
	r.arrive(5041, 1102, fin|ack, 0)
	i := r.c.Info(r.now)
	if i.BytesAcked != 102 || i.BytesSent != 100 || i.BytesReceived != 41 || i.DataSegmentsIn != 3 || i.DataSegmentsOut != 1 ||
		i.OutOfOrder != 1 || i.State != TimeWait || i.BytesRetransmitted != 0 {
		t.Errorf("%+v", i)
	}
}

// Metrics tells what Info does, of what changes.
func TestMetrics(t *testing.T) {
	if m := new(TCB).Metrics(); m != (Metrics{}) {
		t.Errorf("unopened: %+v", m)
	}
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	r.c.Send(r.now, make([]byte, 100))
	r.drain()
	r.pass(2 * time.Second)
	m, i := r.c.Metrics(), r.c.Info(r.now)
	want := Metrics{RTT: i.RTT, RTTVar: i.RTTVar, MinRTT: i.MinRTT, RTO: i.RTO, CongestionWindow: i.CongestionWindow,
		SlowStartThreshold: i.SlowStartThreshold, InFlight: i.InFlight, SegmentsInFlight: 1, Lost: i.LostSegments,
		SendWindow: i.SendWindow, Timeouts: i.Retries, PacingRate: m.PacingRate}
	if m != want || m.Timeouts == 0 || m.InFlight != 100 {
		t.Errorf("%+v, want %+v", m, want)
	}
}
