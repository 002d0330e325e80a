package tcp

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// RFC 9293, 3.8.6.2.1: "… or if the override timeout occurs." A corked connection sends full segments, the rest when it
// is uncorked, closed, or after a retransmission timeout.
func TestCork(t *testing.T) {
	corked := func(r *rig, on bool) { change(r.c, r.now, func(cfg *Config) { cfg.Cork = on }) }
	write := func(r *rig, n int) string { r.c.Send(r.now, make([]byte, n)); return r.drain() }
	r := receiver(t, Config{NoDelay: true, Cork: true})
	r.want(write(r, 100), "")
	r.want(write(r, 1500), "<SEQ=1001><ACK=5001><CTL=ACK><LEN=1460>")
	r.want(r.pass(100*ms), "")
	corked(r, false)
	r.want(r.drain(), "<SEQ=2461><ACK=5001><CTL=PSH,ACK><LEN=140>")

	r = receiver(t, Config{Cork: true})
	r.want(write(r, 100), "")
	out := r.pass(2 * time.Second)
	if !strings.Contains(out, "<SEQ=1001><ACK=5001><CTL=PSH,ACK><LEN=100>") {
		t.Errorf("after the override timeout: %s", out)
	}

	r = receiver(t, Config{Cork: true})
	r.want(write(r, 100), "")
	r.c.Close(r.now)
	r.want(r.drain(), "<SEQ=1001><ACK=5001><CTL=FIN,PSH,ACK><LEN=100>")
}

// Nagle's algorithm is turned off for what is queued too, even under a cork, which stays on for what comes then.
func TestNoDelayPushes(t *testing.T) {
	r := receiver(t, Config{Cork: true})
	r.c.Send(r.now, make([]byte, 100))
	r.want(r.drain(), "")
	r.c.setNoDelay(r.now, true)
	r.want(r.drain(), "<SEQ=1001><ACK=5001><CTL=PSH,ACK><LEN=100>")
	r.c.Send(r.now, make([]byte, 50))
	r.want(r.drain(), "")
}

// RFC 9293, 3.8.3: R2 as a time: as long as so many retransmissions take that begin with the least timeout.
func TestBackoffTime(t *testing.T) {
	for _, c := range []struct {
		least, most time.Duration
		n           int
		want        time.Duration
	}{
		{200 * ms, 120 * time.Second, 0, 200 * ms},
		{200 * ms, 120 * time.Second, 3, 3 * time.Second},
		{200 * ms, 120 * time.Second, 8, 102200 * ms}, // "The value of R2 SHOULD correspond to at least 100 seconds (SHLD-11)."
		{200 * ms, 120 * time.Second, 9, 204600 * ms},
		{200 * ms, 120 * time.Second, 15, 924600 * ms},
		{time.Second, time.Second, 5, 6 * time.Second},
		{time.Hour, time.Second, 1, 2 * time.Second},
	} {
		if got := backoffTime(c.least, max(c.least, c.most), c.n); got != c.want && c.least <= c.most {
			t.Errorf("%v: %v", c, got)
		}
	}
	if d := backoffTime(time.Hour, 1000*time.Hour, 1<<40); d < 1e6*time.Hour {
		t.Errorf("it overflows: %v", d)
	}
}

// dies runs r until its connection ends and returns how long that took.
func dies(r *rig, within time.Duration) time.Duration {
	r.t.Helper()
	start := r.now
	for r.c.State() != Closed && r.now.Sub(start) < within {
		at := r.c.Deadline()
		if at == clock.Never {
			r.t.Fatal("no timer")
		}
		r.now = max(r.now, at)
		r.c.Timeout(r.now)
		r.drain()
	}
	return r.now.Sub(start)
}

// "An application MUST (MUST-21) be able to set the value for R2 for a particular connection."
func TestRetries(t *testing.T) {
	for _, c := range []struct {
		retries  int
		released bool
		orphan   int
		from, to time.Duration
	}{
		{15, false, 0, 924 * time.Second, 1100 * time.Second},
		{5, false, 0, 12 * time.Second, 26 * time.Second},
		{3, false, 0, 3 * time.Second, 7 * time.Second},
		{15, true, 0, 102 * time.Second, 210 * time.Second},
		{15, true, 3, 3 * time.Second, 7 * time.Second},
	} {
		r := receiver(t, Config{Retries: c.retries, OrphanRetries: c.orphan})
		r.c.Send(r.now, make([]byte, 10))
		r.drain()
		if c.released {
			r.c.Release(r.now)
		}
		if d := dies(r, time.Hour); d < c.from || d > c.to || r.c.Err() != syscall.ETIMEDOUT {
			t.Errorf("%+v: %v after %v", c, r.c.Err(), d)
		}
	}
	// What an ICMP error told is the reason.
	r := receiver(t, Config{Retries: 3})
	r.c.Send(r.now, make([]byte, 10))
	r.drain()
	r.c.Failed(r.now, syscall.EHOSTUNREACH, r.c.snd.una)
	if dies(r, time.Hour); r.c.Err() != syscall.EHOSTUNREACH {
		t.Error(r.c.Err())
	}
}

// "When the number of transmissions of the same segment reaches or exceeds threshold R1, pass negative advice … to the
// IP layer", "R1 SHOULD correspond to at least 3 retransmissions, at the current RTO (SHLD-10)".
func TestDoubtful(t *testing.T) {
	r := receiver(t, Config{})
	r.c.Send(r.now, make([]byte, 10))
	r.drain()
	for i := 1; ; i++ {
		r.now = r.c.Deadline()
		r.c.Timeout(r.now)
		r.drain()
		if !r.c.Doubtful() {
			continue
		}
		if i < 4 {
			t.Errorf("R1 at timeout %d", i)
		}
		if r.c.Doubtful() {
			t.Error("it tells twice")
		}
		break
	}
	r = newRig(t, Config{}).to(SynSent)
	r.pass(time.Second)
	if r.c.Doubtful() {
		t.Error("the first SYN lost")
	}
	r.pass(2 * time.Second)
	if !r.c.Doubtful() {
		t.Error("the second SYN lost")
	}
}

// A handshake has a limit of its own (FreeBSD's net.inet.tcp.keepinit).
func TestConnectTimeout(t *testing.T) {
	r := newRig(t, Config{ConnectTimeout: 5 * time.Second}).to(SynSent)
	if d := dies(r, time.Hour); d > 8*time.Second || r.c.Err() != syscall.ETIMEDOUT {
		t.Errorf("%v after %v", r.c.Err(), d)
	}
}

// RFC 5482, 1: the user timeout "specifies the maximum amount of time that transmitted data may remain unacknowledged before
// TCP will forcefully close the corresponding connection". It may change while data is unacknowledged.
func TestUserTimeoutChanges(t *testing.T) {
	for _, first := range []time.Duration{0, time.Minute} {
		r := receiver(t, Config{UserTimeout: first})
		r.c.Send(r.now, make([]byte, 10))
		r.drain()
		r.pass(4 * time.Second)
		change(r.c, r.now, func(cfg *Config) { cfg.UserTimeout = 10 * time.Second })
		if d := dies(r, time.Hour); d != 6*time.Second || r.c.Err() != syscall.ETIMEDOUT {
			t.Errorf("%v: %v after %v more", first, r.c.Err(), d)
		}
	}
}

// tcp_thin_linear_timeouts: a few segments in flight are repeated six times without back-off.
func TestThinLinear(t *testing.T) {
	for _, on := range []bool{false, true} {
		r := receiver(t, Config{ThinLinear: on, EarlyRetrans: -1})
		r.c.cw.Threshold = 10
		r.c.Send(r.now, make([]byte, 10))
		r.drain()
		n := strings.Count(r.pass(3500*ms), "SEQ")
		if on && n < 6 || !on && n > 4 {
			t.Errorf("%v: %d retransmissions", on, n)
		}
	}
}

// FIN-WAIT-2 without a user: Linux's tcp_fin_timeout and TCP_LINGER2.
func TestFinWait2(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, FinWait2: 10 * time.Second}).to(FinWait2)
	r.want(r.pass(time.Hour), "")
	r.wantState(FinWait2) // its user still waits
	r.c.Release(r.now)
	if d := dies(r, time.Hour); d != 10*time.Second {
		t.Errorf("it lasted %v", d)
	}
	r = newRig(t, Config{NoTimestamps: true, FinWait2: time.Millisecond}).to(FinWait2)
	rto := r.c.rtt.timeout(r.c.cfg)
	r.c.Release(r.now)
	if d := dies(r, time.Hour); d != rto*7/2 {
		t.Errorf("it lasted %v with a timeout of %v", d, rto)
	}
	// A negative time: the connection is reset as soon as FIN-WAIT-2 is reached.
	r = newRig(t, Config{NoTimestamps: true, FinWait2: -1}).to(FinWait2)
	r.c.Release(r.now)
	r.want(r.drain(), "<SEQ=1002><ACK=5001><CTL=RST,ACK>")
	r.wantState(Closed)
	r = newRig(t, Config{NoTimestamps: true, FinWait2: -1}).to(Established)
	r.c.Release(r.now)
	r.drain()
	r.want(r.arrive(5001, 1002, ack, 0), "<SEQ=1002><CTL=RST>")
	// It changes while it runs.
	r = newRig(t, Config{NoTimestamps: true}).to(FinWait2)
	r.c.Release(r.now)
	change(r.c, r.now, func(cfg *Config) { cfg.FinWait2 = 7 * time.Second })
	if d := dies(r, time.Hour); d != 7*time.Second {
		t.Errorf("it lasted %v", d)
	}
}

// Keep-alive set on a live connection: from now on if it was off, from the last segment if its time changes.
func TestKeepAliveChanges(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true}).to(Established)
	r.pass(30 * time.Second)
	change(r.c, r.now, func(cfg *Config) { cfg.KeepAlive, cfg.KeepAliveIdle = true, time.Minute })
	if d := r.c.timers[keepAliveTimer].Sub(r.now); d != time.Minute {
		t.Errorf("turned on: %v", d)
	}
	change(r.c, r.now, func(cfg *Config) { cfg.KeepAliveIdle = 40 * time.Second })
	if d := r.c.timers[keepAliveTimer].Sub(r.now); d != 10*time.Second {
		t.Errorf("shortened: %v", d)
	}
	change(r.c, r.now, func(cfg *Config) { cfg.KeepAliveInterval = time.Second })
	if d := r.c.timers[keepAliveTimer].Sub(r.now); d != 10*time.Second {
		t.Errorf("interval: %v", d)
	}
	change(r.c, r.now, func(cfg *Config) { cfg.KeepAliveIdle = 5 * time.Second })
	r.want(r.pass(0), "0s <SEQ=1000><ACK=5001><CTL=ACK>")
	change(r.c, r.now, func(cfg *Config) { cfg.KeepAlive = false })
	r.want(r.pass(time.Hour), "")
}

// A complete Config means what it says; in another one a zero is the default, and a negative number is 0.
func TestComplete(t *testing.T) {
	c := Config{Retries1: -1, Retries: 3}.Complete()
	if c.Retries1 != 0 || c.Retries != 3 || c.SYNRetries != 7 || c.KeepAliveIdle != 2*time.Hour {
		t.Errorf("%+v", c)
	}
	again := *c
	again.SYNRetries = 0
	if d := again.Complete(); d.SYNRetries != 0 || d.Retries1 != 0 {
		t.Errorf("%+v", d)
	}
	if (*Config)(nil).complete().SYNRetries != 7 || c.complete() != c {
		t.Error("complete")
	}
}

// TCP_MAXSEG before the handshake: RFC 9293, 3.7.1: the MSS that it announces and what it sends are bounded.
func TestMaxSeg(t *testing.T) {
	r := newRig(t, Config{NoTimestamps: true, MaxSeg: 700})
	r.syn.MSS = 1460
	r.c.Connect(r.now, r.cfg.open())
	var syn Segment
	r.c.Next(r.now, &syn)
	if syn.Options.MSS != 700 {
		t.Errorf("announced %d", syn.Options.MSS)
	}
	for _, c := range []struct{ user, peer, want int }{{700, 1460, 700}, {700, 600, 600}, {0, 1460, 1460}, {300, 0, 300}} {
		r := newRig(t, Config{NoTimestamps: true, MaxSeg: c.user})
		r.syn.MSS = uint16(c.peer)
		r.to(Established)
		if r.c.snd.mss != c.want {
			t.Errorf("%+v: %d", c, r.c.snd.mss)
		}
	}
}

// TCP_NOTSENT_LOWAT: the user writes no more when enough waits.
func TestNotSentLowWater(t *testing.T) {
	r := receiver(t, Config{NotSentLowWater: 5000})
	if !r.c.Writable() {
		t.Error("not writable at first")
	}
	r.c.Send(r.now, make([]byte, 4000)) // not sent yet: the caller has not asked for segments
	if n, err := r.c.Send(r.now, make([]byte, 4000)); n != 4000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	// What is gathered in one piece is not cut short: whole segments, up to half of the peer's window.
	if n, err := r.c.Send(r.now, make([]byte, 50000)); n != 30000/1460*1460-8000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := r.c.Send(r.now, make([]byte, 1)); n != 0 || err != nil || r.c.Writable() {
		t.Errorf("%d, %v", n, err)
	}
	r.drain()
	r.arrive(5001, 1001+14600, ack, 0)
	if !r.c.Writable() {
		t.Error("not writable when it was sent")
	}
}

// SO_RCVLOWAT: a connection is readable with so many octets, or at the end.
func TestReceiveLowWater(t *testing.T) {
	r := receiver(t, Config{ReceiveLowWater: 1000})
	r.arrive(5001, 1001, ack, 999)
	if r.c.Readable() {
		t.Error("readable with 999 octets")
	}
	r.arrive(6000, 1001, ack, 1)
	if !r.c.Readable() {
		t.Error("not readable with 1000 octets")
	}
	r.c.Receive(r.now, make([]byte, 1000))
	r.arrive(6001, 1001, fin|ack, 1)
	if !r.c.Readable() {
		t.Error("not readable at the end")
	}
}

// TCP_CONGESTION on a live connection: another algorithm goes on from the window there is.
func TestControlChanges(t *testing.T) {
	r := receiver(t, Config{})
	first := new(Config).Controls()[0]
	r.c.cw.Window = 37
	for _, name := range []string{"reno", "no such", first} {
		change(r.c, r.now, func(cfg *Config) { cfg.CongestionControl = name })
		if name == "no such" {
			name = "reno"
		}
		if i := r.c.Info(r.now); i.Control != name || r.c.cw.Window != 37 {
			t.Errorf("%s: %s, window %d", name, i.Control, r.c.cw.Window)
		}
	}
}
