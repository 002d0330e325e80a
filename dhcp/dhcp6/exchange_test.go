package dhcp6

import (
	"testing"
	"time"
)

// RFC 8415, 15: "RT for the first message transmission is based on IRT: RT = IRT + RAND*IRT", "RT = 2*RTprev + RAND*RTprev", "if (RT >
// MRT) RT = MRT + RAND*MRT". 18.2 has the parameters of each message.
func TestRetransmission(t *testing.T) {
	within := func(t *testing.T, what string, d, least, most time.Duration) {
		t.Helper()
		if d < least || d > most {
			t.Errorf("%s: %v, want %v to %v", what, d, least, most)
		}
	}
	for _, row := range []struct {
		kind     MessageType
		irt, mrt time.Duration
		sent     int           // times in all; 0: without end
		during   time.Duration // of all that is sent; 0: without end
		begin    func(b *bench)
	}{
		{kind: Solicit, irt: time.Second, mrt: time.Hour, begin: func(b *bench) { b.m.Start(b.now, []Want{wantNA}) }},
		{kind: Request, irt: time.Second, mrt: 30 * time.Second, sent: 10, begin: func(b *bench) {
			b.m.Start(b.now, []Want{wantNA})
			b.receive(answer(b.next(Solicit), Advertise, na("2001:db8::5")))
		}},
		{kind: Renew, irt: 10 * time.Second, mrt: 10 * time.Minute, during: 60 * time.Second, begin: bound},
		{kind: Rebind, irt: 10 * time.Second, mrt: 10 * time.Minute, during: 140 * time.Second, begin: func(b *bench) {
			bound(b)
			b.run(159 * time.Second)
			b.sent, b.at = nil, nil
			b.next(Rebind)
			b.sent = nil
			b.m.lease.sent, b.m.lease.next = 0, b.now // the first is looked at below
		}},
		{kind: Confirm, irt: time.Second, mrt: 4 * time.Second, during: 10 * time.Second, begin: func(b *bench) {
			bound(b)
			b.m.LinkChanged(b.now)
		}},
		{kind: InformationRequest, irt: time.Second, mrt: time.Hour, begin: func(b *bench) { b.m.Start(b.now, nil) }},
		{kind: Release, irt: time.Second, sent: 4, begin: func(b *bench) { bound(b); b.m.Release(b.now) }},
		{kind: Decline, irt: time.Second, sent: 4, begin: func(b *bench) { bound(b); b.m.Decline(b.now, addr("2001:db8::5")) }},
	} {
		t.Run(row.kind.String(), func(t *testing.T) {
			b := newBench(t, MachineConfig{})
			row.begin(b)
			b.drain()
			first := b.next(row.kind)
			began, last, rt, n := b.now, b.now, time.Duration(0), 1
			for n < 30 {
				b.advance()
				if len(b.sent) == 0 || b.sent[0].Message.Type != row.kind || b.sent[0].Message.TransactionID != first.TransactionID {
					break
				}
				m := b.sent[0].Message
				b.sent, b.at = nil, nil
				d := b.now.Sub(last)
				least, most := scale(rt, 1.9), scale(rt, 2.1)
				switch {
				case n == 1:
					least, most = scale(row.irt, 0.9), scale(row.irt, 1.1)
					if row.kind == Solicit {
						least = row.irt + 1 // "strictly greater than IRT"
					}
				case row.mrt > 0 && least > row.mrt:
					least, most = scale(row.mrt, 0.9), scale(row.mrt, 1.1)
				case row.mrt > 0 && most > row.mrt:
					least = scale(row.mrt, 0.9)
				}
				within(t, "RT", d, least, most)
				// "The client MUST update an 'elapsed-time' value within an Elapsed Time option [...] in the retransmitted message."
				if want := min(0xffff, b.now.Sub(began).Milliseconds()/10); int64(m.Elapsed) != want {
					t.Errorf("elapsed %d, want %d", m.Elapsed, want)
				}
				last, rt, n = b.now, d, n+1
			}
			if first.Elapsed != 0 {
				t.Errorf("elapsed at first: %d", first.Elapsed)
			}
			if row.sent > 0 && n != row.sent {
				t.Errorf("sent %d times, want %d", n, row.sent)
			}
			if row.during > 0 {
				within(t, "all of it", b.now.Sub(began), row.during-time.Second, row.during+time.Second)
			}
			if row.sent == 0 && row.during == 0 && n < 30 {
				t.Errorf("gave up after %d", n)
			}
		})
	}
}

// bound leads b to an address.
func bound(b *bench) {
	b.m.Start(b.now, []Want{wantNA})
	b.bind(na("2001:db8::5"))
}

// advance lets time pass until something was sent or the state is another one.
func (b *bench) advance() {
	state := b.m.State()
	for n := 0; len(b.sent) == 0 && b.m.State() == state && n < 100; n++ {
		if b.m.Deadline() > b.now.Add(100*24*time.Hour) {
			return
		}
		b.now = max(b.now, b.m.Deadline())
		b.m.Timeout(b.now)
		b.drain()
	}
}

// RFC 8415, 18.2.1: the first Solicit is "delayed by a random amount of time between 0 and SOL_MAX_DELAY"; 18.2.3 and 18.2.6 say so of
// Confirm and Information-request.
func TestFirstDelay(t *testing.T) {
	for kind, begin := range map[MessageType]func(b *bench){
		Solicit:            func(b *bench) { b.m.Start(b.now, []Want{wantNA}) },
		InformationRequest: func(b *bench) { b.m.Start(b.now, nil) },
		Confirm:            func(b *bench) { bound(b); b.m.LinkChanged(b.now) },
	} {
		b := newBench(t, MachineConfig{})
		begin(b)
		b.drain()
		b.silent()
		from := b.now
		b.next(kind)
		if d := b.now.Sub(from); d <= 0 || d > time.Second {
			t.Errorf("%v after %v", kind, d)
		}
	}
}

// RFC 8415, 14.1: "a DHCP client MUST limit the rate of DHCP messages it transmits or retransmits." A server that goes on to say
// UseMulticast, or to offer what it does not give, does not have it send more.
func TestRateLimit(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA)
	sent, from := 0, b.now
	for b.now.Sub(from) < 200*time.Second {
		b.advance()
		for len(b.sent) > 0 {
			m := b.sent[0].Message
			b.sent, b.at = b.sent[1:], b.at[1:]
			sent++
			reply := answer(m, Reply, na())
			if m.Type == Solicit {
				reply = answer(m, Advertise, na("2001:db8::5"))
				reply.Preference = 255
			} else {
				reply.IAs[0].Status.Code = NoAddrsAvail
			}
			b.receive(reply)
		}
	}
	if sent < 4 || sent > 30 {
		t.Errorf("%d messages in 200 s", sent)
	}

	b = newBench(t, MachineConfig{Burst: 3, Interval: 10 * time.Second})
	from = b.now
	sent = 0
	for range 20 {
		bound := b.m.bucket.take(b.now, 3, 10*time.Second)
		if bound > b.now {
			b.now = bound
			continue
		}
		sent++
	}
	if d := b.now.Sub(from); sent < 4 || d < time.Duration(sent-4)*10*time.Second {
		t.Errorf("%d tokens in %v", sent, d)
	}
}

// RFC 8415, 21.24: "A DHCP client MUST ignore any SOL_MAX_RT option values that are less than 60 or more than 86400." and 18.2.9: "A client
// SHOULD only update its SOL_MAX_RT and INF_MAX_RT values if all received Advertise messages that contained the corresponding option
// specified the same value; otherwise, it should use the default value".
func TestMaxRT(t *testing.T) {
	n := func(v uint32) *uint32 { return &v }
	for _, row := range []struct {
		told []*uint32 // by one Advertise each
		want time.Duration
	}{
		{nil, time.Hour},
		{[]*uint32{n(59)}, time.Hour},
		{[]*uint32{n(86401)}, time.Hour},
		{[]*uint32{n(60)}, time.Minute},
		{[]*uint32{n(86400)}, 24 * time.Hour},
		{[]*uint32{n(60), nil, n(60)}, time.Minute},
		{[]*uint32{n(60), n(61)}, time.Hour},
		{[]*uint32{n(60), n(61), n(60)}, time.Hour},
	} {
		b := newBench(t, MachineConfig{}, wantNA)
		solicit := b.next(Solicit)
		for i, v := range row.told {
			// "even if the message contains a Status Code option [...] indicating a failure"
			m := answer(solicit, Advertise)
			m.Status.Code = NoAddrsAvail
			m.ServerID = append(DUID{0, 3}, byte(i))
			m.SolMaxRT, m.InfMaxRT = v, v
			b.receive(m)
		}
		if b.m.solMaxRT.value != row.want || b.m.infMaxRT.value != row.want {
			t.Errorf("told %d values: %v and %v, want %v", len(row.told), b.m.solMaxRT.value, b.m.infMaxRT.value, row.want)
		}
		// "The client ignoring an Advertise message MUST NOT restart the Solicit retransmission timer."
		at := b.now
		if b.next(Solicit); b.now.Sub(at) > 1100*time.Millisecond {
			t.Errorf("the next Solicit after %v", b.now.Sub(at))
		}
	}
	// A Reply's counts whatever was said before.
	b := newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5"))
	for _, v := range []uint32{120, 180} {
		m := answer(b.next(Renew), Reply, na("2001:db8::5"))
		m.SolMaxRT = &v
		b.receive(m)
		if b.m.solMaxRT.value != time.Duration(v)*time.Second {
			t.Errorf("%v after a Reply with %d", b.m.solMaxRT.value, v)
		}
	}
}
