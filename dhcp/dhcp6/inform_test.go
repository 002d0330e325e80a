package dhcp6

import (
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// RFC 8415, 18.2.6 and 21.23: who asks for information alone, and when again.
func TestInformation(t *testing.T) {
	n := func(v uint32) *uint32 { return &v }
	for _, row := range []struct {
		told *uint32
		want time.Duration // 0: never
	}{
		// "If the Reply to an Information-request message does not contain this option, the client MUST behave as if the option with the
		// value IRT_DEFAULT was provided."
		{nil, 24 * time.Hour},
		// "A client MUST use the refresh time IRT_MINIMUM if it receives the option with a value less than IRT_MINIMUM."
		{n(0), 10 * time.Minute},
		{n(599), 10 * time.Minute},
		{n(601), 601 * time.Second},
		// "the value 0xffffffff is taken to mean 'infinity'"
		{n(Infinity), 0},
	} {
		b := newBench(t, MachineConfig{})
		b.m.Start(b.now, nil)
		reply := answer(b.next(InformationRequest), Reply)
		reply.RefreshTime = row.told
		reply.DNS = []netip.Addr{addr("2001:db8::53"), addr("ff02::1"), addr("::")}
		reply.Search = []string{"example.org"}
		b.receive(reply)
		if i := b.m.Information(); len(i.DNS) != 1 || len(i.Search) != 1 || !i.Server.Equal(serverA) {
			t.Errorf("%+v", i)
		}
		at := b.now
		if row.want == 0 {
			if b.m.Deadline() != clock.Never {
				t.Errorf("%v is ahead", b.m.Deadline())
			}
			continue
		}
		// "the client MUST delay sending the first Information-request by a random amount of time between 0 and INF_MAX_DELAY."
		again := b.next(InformationRequest)
		if d := b.now.Sub(at); d <= row.want || d > row.want+time.Second {
			t.Errorf("again after %v, want %v and some", d, row.want)
		}
		// 18.2.10: "[if] the requested option is not present in the Reply, the client SHOULD stop using the previously received configuration
		// information."
		b.events = nil
		b.receive(answer(again, Reply))
		if i := b.m.Information(); len(i.DNS) != 0 || len(i.Search) != 0 || b.told() != "informed; " {
			t.Errorf("%+v", i)
		}
	}

	// What failed is asked again, as if it had not been answered.
	b := newBench(t, MachineConfig{})
	b.m.Start(b.now, nil)
	b.receive(replyTo(b.next(InformationRequest), UnspecFail, Success))
	if !b.m.Informing() {
		t.Error("given up")
	}
	b.receive(answer(b.next(InformationRequest), Reply))

	// 18.2.12: "If the client has only obtained network information using Information-request/Reply message exchanges, the client MUST
	// initiate an Information-request/Reply message exchange".
	b.m.LinkChanged(b.now)
	b.receive(answer(b.next(InformationRequest), Reply))

	// Who may have an address after all asks for it.
	b.m.Start(b.now, []Want{wantNA})
	b.bind(na("2001:db8::5"))
	if b.m.refreshAt != clock.Never {
		t.Error("information comes with leases now")
	}
}

// A server that has no leases may have name servers.
func TestInformationWithoutLeases(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA)
	none := answer(b.next(Solicit), Advertise)
	none.Status.Code = NoAddrsAvail
	b.receive(none)
	inform := b.next(InformationRequest)
	reply := answer(inform, Reply)
	reply.DNS = []netip.Addr{addr("2001:db8::53")}
	b.receive(reply)
	b.want(Discovering)
	if i := b.m.Information(); len(i.DNS) != 1 || b.m.Informing() {
		t.Errorf("%+v", i)
	}
	// Once is enough, and leases are taken when there are some.
	solicit := b.next(Solicit)
	none.TransactionID = solicit.TransactionID
	b.receive(none)
	if b.m.Informing() {
		t.Error("asked again")
	}
	b.bind2(b.next(Solicit), na("2001:db8::5"))
}

// RFC 8415, 18.2.12: "a client SHOULD initiate a Renew/Reply exchange (as if the T1 time expired) [...] or an Information-request/Reply
// exchange [...] if the client detects a significant change regarding the prefixes available on the link [...] However, a client MUST
// rate-limit such attempts".
func TestPrefixesChanged(t *testing.T) {
	b := newBench(t, MachineConfig{})
	bound(b)
	at := b.now
	for range 5 {
		b.m.PrefixesChanged(b.now)
		b.drain()
		b.silent()
	}
	renew := b.next(Renew)
	if d := b.now.Sub(at); d > 31*time.Second || d < 25*time.Second {
		t.Errorf("after %v", d)
	}
	b.receive(answer(renew, Reply, na("2001:db8::5")))
	b.run(40 * time.Second)
	b.m.PrefixesChanged(b.now)
	b.drain()
	at = b.now
	if b.next(Renew); b.now != at {
		t.Errorf("after %v", b.now.Sub(at))
	}

	b = newBench(t, MachineConfig{})
	b.m.Start(b.now, nil)
	b.receive(answer(b.next(InformationRequest), Reply))
	at = b.now
	b.m.PrefixesChanged(b.now)
	b.next(InformationRequest)
	if d := b.now.Sub(at); d > 32*time.Second || d < 25*time.Second {
		t.Errorf("after %v", d)
	}
}

// More or less may be wanted than before.
func TestWants(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5"))
	b.m.Start(b.now, []Want{wantNA})
	b.drain()
	b.silent()
	b.m.Start(b.now, []Want{wantNA, wantPD})
	b.drain()
	renew := b.next(Renew)
	if len(renew.IAs) != 2 || renew.IAs[1].Leases[0].Prefix.String() != "::/56" {
		t.Errorf("%v", renew)
	}
	b.receive(answer(renew, Reply, na("2001:db8::5"), pd("2001:db8:500::/56")))
	if s := b.leases(); s != "address 2001:db8::5; prefix 2001:db8:500::/56; " {
		t.Error(s)
	}
	b.m.Start(b.now, []Want{wantPD})
	b.drain()
	if s := b.leases(); s != "prefix 2001:db8:500::/56; " {
		t.Error(s)
	}
	b.m.Start(b.now, nil)
	b.drain()
	b.want(Stopped)
	if b.leases() != "" || !b.m.Informing() {
		t.Error(b.leases())
	}
}
