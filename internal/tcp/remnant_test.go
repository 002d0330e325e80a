package tcp

import (
	"testing"
	"time"
	"unsafe"

	"github.com/onlink-go/onlink/wire"
)

// remnantOf takes a TCB to the given state, lets its user go and returns what is left of it: SND.NXT is 1002, and RCV.NXT
// 5002 in TIME-WAIT, 5001 in FIN-WAIT-2. TS.Recent is 100, of an hour.
func remnantOf(t *testing.T, state State, timestamps bool) *Remnant {
	t.Helper()
	e, cfg := embryoAt(t, hour, Config{}, wire.TCPOptions{HasTimestamps: timestamps, TSVal: 100})
	c := new(TCB)
	drain := func() {
		var out Segment
		for c.Next(hour, &out) {
		}
	}
	arrive := func(ackno Seq, flags wire.TCPFlags) {
		seg := segment(5001, ackno, flags, 0)
		seg.Options = wire.TCPOptions{HasTimestamps: timestamps, TSVal: 100}
		c.Arrive(hour, seg)
	}
	c.Hatch(hour, Open{Config: cfg, MSS: 1460}, e)
	arrive(1001, ack)
	c.Release(hour)
	drain()
	if state == TimeWait {
		arrive(1002, ack|fin)
	} else {
		arrive(1002, ack)
	}
	var rest Remnant
	if state == TimeWait && c.Remnant(hour, &rest) {
		t.Error("a remnant before the FIN is acknowledged")
	}
	drain()
	if !c.Remnant(hour, &rest) || rest.State() != state || c.State() != Closed {
		t.Fatalf("in %v: no remnant", c.State())
	}
	if c.Remnant(hour, &rest) {
		t.Error("a second remnant")
	}
	return &rest
}

// RFC 9293, 3.10.7.4, for TIME-WAIT, with RFC 1337 and RFC 6191.
func TestRemnantTimeWait(t *testing.T) {
	if n := unsafe.Sizeof(Remnant{}); n > 72 {
		t.Errorf("a Remnant takes %d octets", n)
	}
	for _, row := range []struct {
		name       string
		seq, ack   Seq
		flags      wire.TCPFlags
		n          int
		ts         uint32 // 0: none
		timestamps bool
		rfc1337    bool
		want       Fate
		restarts   bool
	}{
		{"the FIN again", 5001, 1002, fin | ack, 0, 0, false, false, Acknowledge, true},
		{"old data", 4900, 1002, ack, 50, 0, false, false, Acknowledge, true},
		{"an ACK", 5002, 1002, ack, 0, 0, false, false, Stay, true},
		{"a RST", 5002, 0, rst, 0, 0, false, false, Delete, false},
		{"a RST as RFC 1337 has it", 5002, 0, rst, 0, 0, false, true, Stay, false},
		{"a RST elsewhere", 5003, 0, rst, 0, 0, false, false, Stay, false},
		// RFC 6191, 2.
		{"a SYN above", 5002, 0, syn, 0, 0, false, false, Reopen, false},
		{"a SYN below", 5000, 0, syn, 0, 0, false, false, Acknowledge, false},
		{"a SYN below with timestamps at last", 5000, 0, syn, 0, 5, false, false, Reopen, false},
		{"a SYN below, later", 5000, 0, syn, 0, 101, true, false, Reopen, false},
		{"a SYN below, at the same time", 5000, 0, syn, 0, 100, true, false, Acknowledge, false},
		{"a SYN above, at the same time", 5002, 0, syn, 0, 100, true, false, Reopen, false},
		{"a SYN above, earlier", 6000, 0, syn, 0, 99, true, false, Acknowledge, true},
		{"a SYN above without timestamps", 6000, 0, syn, 0, 0, true, false, Reopen, false},
		{"a SYN with an ACK", 6000, 1002, syn | ack, 0, 101, true, false, Acknowledge, true},
		{"a late ACK", 5002, 1002, ack, 0, 99, true, false, Acknowledge, true},
	} {
		r := remnantOf(t, TimeWait, row.timestamps)
		before := r.Deadline()
		now := hour.Add(5 * time.Second)
		seg := segment(row.seq, row.ack, row.flags, row.n)
		seg.Options.HasTimestamps, seg.Options.TSVal = row.ts != 0, row.ts
		if got := r.Arrive(now, seg, row.rfc1337); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
		if restarted := r.Deadline() > before; restarted != row.restarts {
			t.Errorf("%s: the timer was restarted: %v", row.name, restarted)
		}
	}
	r := remnantOf(t, TimeWait, true)
	var out Segment
	r.ACK(hour, &out)
	if brief(&out) != "<SEQ=1002><ACK=5002><CTL=ACK>" || out.Options.TSEcr != 100 || out.Window == 0 {
		t.Errorf("acknowledges with %+v", out)
	}
	if r.Timeout(r.Deadline()-1) != Stay || r.Timeout(r.Deadline()) != Delete {
		t.Error("does not end in time")
	}
	if r.MayRedial(hour) || !r.MayRedial(hour.Add(1100*time.Millisecond)) || remnantOf(t, TimeWait, false).MayRedial(hour.Add(time.Minute)) {
		t.Error("redialled too early, or without timestamps, or not at all")
	}
	if got := r.NextISS(); got != 1002+65537 {
		t.Errorf("the next ISS is %d", got)
	}
}

// FIN-WAIT-2 without a user: only the FIN is of interest.
func TestRemnantFinWait2(t *testing.T) {
	for _, row := range []struct {
		name  string
		seq   Seq
		flags wire.TCPFlags
		n     int
		want  Fate
		state State
	}{
		{"the FIN", 5001, fin | ack, 0, Acknowledge, TimeWait},
		{"an ACK again", 5001, ack, 0, Stay, FinWait2},
		{"new data", 5001, ack, 10, DeleteReset, FinWait2},
		{"new data with the FIN", 5001, fin | ack, 10, DeleteReset, FinWait2},
		{"old data", 4900, ack, 10, Acknowledge, FinWait2},
		{"a RST", 5001, rst, 0, Delete, FinWait2},
		{"a RST elsewhere in the window", 5010, rst, 0, Acknowledge, FinWait2},
		{"a RST elsewhere", 4000, rst, 0, Stay, FinWait2},
		{"a SYN", 5001, syn, 0, Acknowledge, FinWait2},
		{"a FIN without ACK", 5001, fin, 0, Stay, FinWait2},
	} {
		r := remnantOf(t, FinWait2, false)
		if got := r.Arrive(hour.Add(time.Second), segment(row.seq, 1002, row.flags, row.n), false); got != row.want || r.State() != row.state {
			t.Errorf("%s: %v in %v, want %v in %v", row.name, got, r.State(), row.want, row.state)
		}
	}
	r := remnantOf(t, FinWait2, true)
	if r.MayRedial(hour.Add(time.Minute)) {
		t.Error("redialled")
	}
	seg := segment(4900, 1002, ack, 0)
	if r.Arrive(hour, seg, false) != Acknowledge || r.Arrive(hour, seg, false) != Stay {
		t.Error("answers without bounds")
	}
}
