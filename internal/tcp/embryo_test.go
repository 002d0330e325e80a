package tcp

import (
	"testing"
	"time"
	"unsafe"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

// embryoAt returns an Embryo with IRS 5000 and ISS 1000 whose SYN,ACK was sent at now, and its settings.
func embryoAt(t *testing.T, now clock.Instant, cfg Config, options wire.TCPOptions) (*Embryo, *Config) {
	t.Helper()
	full := cfg.Complete()
	syn := segment(5000, 0, wire.SYN, 0)
	syn.Options = options
	var e Embryo
	if !e.Open(now, &Open{Config: full, MSS: 1460, ISS: 1000}, syn) {
		t.Fatal("a SYN is refused")
	}
	var out Segment
	e.SYNACK(now, &out)
	if got := brief(&out); got != "<SEQ=1000><ACK=5001><CTL=SYN,ACK>" || out.Retransmit {
		t.Fatalf("answered with %s", got)
	}
	return &e, full
}

const hour = clock.Instant(time.Hour)

// RFC 9293, 3.10.7.4, for SYN-RECEIVED that came from LISTEN: every kind of segment and what comes of it.
func TestEmbryoArrive(t *testing.T) {
	if n := unsafe.Sizeof(Embryo{}); n > 72 {
		t.Errorf("an Embryo takes %d octets", n)
	}
	for _, row := range []struct {
		name     string
		seq, ack Seq
		flags    wire.TCPFlags
		n        int
		want     Verdict
	}{
		{"the ACK", 5001, 1001, ack, 0, Complete},
		{"the ACK with data", 5001, 1001, ack | psh, 100, Complete},
		{"the ACK with a FIN", 5001, 1001, ack | fin, 0, Complete},
		{"data before the ACK", 5101, 1001, ack, 100, Complete},
		{"the SYN again", 5000, 0, syn, 0, SendSYNACK},
		{"the SYN with an ACK", 5000, 1001, syn | ack, 0, SendACK},
		{"the SYN with an ACK and data", 5000, 1001, syn | ack, 10, Complete},
		// 3.5.2: "… acknowledges something not yet sent …, a reset is sent."
		{"an ACK of too little", 5001, 1000, ack, 0, SendReset},
		{"an ACK of too much", 5001, 1002, ack, 0, SendReset},
		{"a RST with a wrong ACK", 5001, 2000, rst | ack, 0, SendReset}, // ResetFor answers no RST
		// "First, check sequence number".
		{"before the window", 4000, 1001, ack, 10, SendACK},
		{"beyond the window", 5001 + 70000, 1001, ack, 10, SendACK},
		{"a RST beyond the window", 5001 + 70000, 0, rst, 0, Ignore},
		{"a RST before the window", 4000, 0, rst, 0, Ignore},
		{"a keep-alive of nobody", 5000, 1001, ack, 0, SendACK},
		// "Second, check the RST bit".
		{"a RST", 5001, 0, rst, 0, Refused},
		{"a RST with the ACK", 5001, 1001, rst | ack, 0, Refused},
		{"a RST elsewhere in the window", 5010, 0, rst, 0, SendACK},
		// "Fourth, check the SYN bit".
		{"another SYN in the window", 5100, 0, syn, 0, Refused},
		{"another SYN before it", 4000, 0, syn, 0, SendACK},
		// "Fifth, check the ACK field".
		{"nothing", 5001, 0, 0, 10, Ignore},
		{"a FIN without ACK", 5001, 0, fin, 0, Ignore},
	} {
		e, cfg := embryoAt(t, hour, Config{}, wire.TCPOptions{})
		if got := e.Arrive(hour.Add(time.Second), cfg, segment(row.seq, row.ack, row.flags, row.n)); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// What is not acceptable is answered twice a second at most.
func TestEmbryoAnswersWithinBounds(t *testing.T) {
	e, cfg := embryoAt(t, hour, Config{}, wire.TCPOptions{})
	now := hour
	for _, row := range []struct {
		after time.Duration
		seg   *Segment
		want  Verdict
	}{
		{0, segment(5000, 0, syn, 0), SendSYNACK},
		{100 * time.Millisecond, segment(5000, 0, syn, 0), Ignore},
		{300 * time.Millisecond, segment(4000, 1001, ack, 10), Ignore},
		{100 * time.Millisecond, segment(4000, 1001, ack, 10), SendACK},
		{0, segment(5010, 0, rst, 0), Ignore},
	} {
		now = now.Add(row.after)
		if got := e.Arrive(now, cfg, row.seg); got != row.want {
			t.Errorf("at %v %s: %v, want %v", now, brief(row.seg), got, row.want)
		}
	}
	var out Segment
	if e.ACK(now, &out); brief(&out) != "<SEQ=1001><ACK=5001><CTL=ACK>" {
		t.Errorf("answered with %s", brief(&out))
	}
}

// The SYN,ACK is sent again with back-off, and agrees to what the SYN offered and the settings allow.
func TestEmbryoTimeout(t *testing.T) {
	all := wire.TCPOptions{MSS: 1400, HasTimestamps: true, TSVal: 7, SACKPermitted: true, HasWindowScale: true, WindowScale: 15}
	e, cfg := embryoAt(t, 0, Config{}, all)
	var at []time.Duration
	var out Segment
	for {
		now := e.Deadline()
		v := e.Timeout(now, cfg, cfg.SYNACKRetries)
		if v == Expired {
			at = append(at, now.Duration())
			break
		}
		if v != SendSYNACK {
			t.Fatalf("at %v: %v", now, v)
		}
		at = append(at, now.Duration())
		e.SYNACK(now, &out)
		o := &out.Options
		if !out.Retransmit || o.MSS != 1460 || !o.HasTimestamps || o.TSEcr != 7 || o.TSVal != uint32(now.Duration()/time.Millisecond) ||
			!o.SACKPermitted || !o.HasWindowScale {
			t.Errorf("at %v sent %+v", now, out)
		}
	}
	want := []time.Duration{1, 3, 7, 15, 31, 63}
	if len(at) != len(want) {
		t.Fatalf("at %v", at)
	}
	for i := range at {
		if at[i] != want[i]*time.Second {
			t.Errorf("at %v, want %v seconds", at, want)
		}
	}
	e, _ = embryoAt(t, 0, Config{NoTimestamps: true, NoSACK: true, NoWindowScale: true}, all)
	e.SYNACK(0, &out)
	if o := out.Options; o.HasTimestamps || o.SACKPermitted || o.HasWindowScale {
		t.Errorf("agreed to %+v", o)
	}
	if !e.Sent(1000) || e.Sent(1001) {
		t.Error("the number in flight is not the SYN's alone")
	}
	for _, flags := range []wire.TCPFlags{syn | ack, syn | rst, ack, 0} {
		if e.Open(0, &Open{Config: cfg}, segment(1, 1, flags, 0)) {
			t.Errorf("%v opens a connection", flags)
		}
	}
}

// TCP_DEFER_ACCEPT: an ACK without data counts for nothing until the time is over; then the SYN,ACK is sent once more.
func TestEmbryoDefers(t *testing.T) {
	e, cfg := embryoAt(t, 0, Config{DeferAccept: 5 * time.Second}, wire.TCPOptions{}) // three timeouts: 1, 3, 7 s
	if got := e.Arrive(0, cfg, segment(5001, 1001, ack, 0)); got != Defer {
		t.Errorf("the ACK: %v", got)
	}
	for i, want := range []Verdict{Ignore, Ignore, SendSYNACK} {
		if got := e.Timeout(e.Deadline(), cfg, 1); got != want {
			t.Errorf("timeout %d: %v, want %v", i+1, got, want)
		}
	}
	if got := e.Arrive(8e9, cfg, segment(5001, 1001, ack, 0)); got != Complete {
		t.Errorf("the ACK afterwards: %v", got)
	}
	if got := e.Timeout(e.Deadline(), cfg, 1); got != Expired {
		t.Errorf("without another ACK: %v", got)
	}
	e, cfg = embryoAt(t, 0, Config{DeferAccept: 5 * time.Second}, wire.TCPOptions{})
	if got := e.Arrive(0, cfg, segment(5001, 1001, ack, 1)); got != Complete {
		t.Errorf("data: %v", got)
	}
	// Nobody has answered: the SYN,ACK is sent as ever.
	if got := e.Timeout(e.Deadline(), cfg, 5); got != SendSYNACK {
		t.Errorf("without an ACK: %v", got)
	}
	e.Queued()
	if got := e.Timeout(e.Deadline(), cfg, 5); got != Ignore {
		t.Errorf("with a full queue while it defers: %v", got)
	}
}

// RFC 7323, 5.3: an old timestamp makes a segment not acceptable, and a new one is kept.
func TestEmbryoTimestamps(t *testing.T) {
	e, cfg := embryoAt(t, hour, Config{}, wire.TCPOptions{HasTimestamps: true, TSVal: 100})
	old := segment(5001, 1001, ack, 0)
	old.Options = wire.TCPOptions{HasTimestamps: true, TSVal: 99}
	if got := e.Arrive(hour, cfg, old); got != SendACK {
		t.Errorf("an old timestamp: %v", got)
	}
	old.Options.TSVal = 105
	if got := e.Arrive(hour, cfg, old); got != Complete || e.tsRecent != 105 {
		t.Errorf("a new one: %v, TS.Recent %d", got, e.tsRecent)
	}
}

// Hatch makes the connection that the handshake promised; the segment that completed it is then taken as any other.
func TestHatch(t *testing.T) {
	e, cfg := embryoAt(t, hour, Config{}, wire.TCPOptions{MSS: 1000, HasTimestamps: true, TSVal: 100, SACKPermitted: true,
		HasWindowScale: true, WindowScale: 3})
	c := new(TCB)
	now := hour.Add(80 * time.Millisecond)
	c.Hatch(now, Open{Config: cfg, MSS: 1460}, e)
	if c.State() != SynReceived {
		t.Fatalf("in %v", c.State())
	}
	seg := segment(5001, 1001, ack|psh, 10)
	seg.Options = wire.TCPOptions{HasTimestamps: true, TSVal: 110, TSEcr: tsClock(hour, 0)}
	c.Arrive(now, seg)
	i := c.Info(now)
	if i.State != Established || i.MSS != 988 || !i.SACK || !i.Timestamps || i.SendScale != 3 || i.Unread != 10 || i.RTT != 80*time.Millisecond {
		t.Errorf("%+v", i)
	}
}

// A SYN cookie tells what fits into it; what it does not tell is as if it had not been offered. There is no round-trip time.
func TestHatchOfCookie(t *testing.T) {
	cfg := Config{}.Complete()
	var e Embryo
	e.Recall(&Recall{ISS: 1000, IRS: 5000, MSS: 1460, PeerMSS: 1300, Timestamps: true, TSVal: 100, SACK: true, HasScale: true, Scale: 9}, 500, cfg)
	c := new(TCB)
	c.Hatch(hour, Open{Config: cfg, MSS: 1460}, &e)
	seg := segment(5001, 1001, ack, 0)
	seg.Options = wire.TCPOptions{HasTimestamps: true, TSVal: 101, TSEcr: 1}
	c.Arrive(hour, seg)
	i := c.Info(hour)
	if i.State != Established || i.MSS != 1288 || !i.SACK || i.SendScale != 9 || i.RTT != 0 {
		t.Errorf("%+v", i)
	}
	e.Forget()
	if e.has(embryoSACK) || e.has(embryoScale) || e.has(embryoTimestamps) {
		t.Error("not forgotten")
	}
}
