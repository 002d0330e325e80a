package dhcp6

import (
	"testing"
	"time"
)

// RFC 8415, 18.2.8: another node has an address.
func TestDecline(t *testing.T) {
	// Of several: the others stay, and the next Renew, which is not left until T1, asks for another.
	b := newBench(t, MachineConfig{}, wantNA, wantPD)
	b.bind(na("2001:db8::5", "2001:db8::6"), pd("2001:db8:500::/56"))
	b.m.Decline(b.now, addr("2001:db8::5"), addr("2001:db8:500::"), addr("2001:db8::99"))
	b.drain()
	if s := b.told(); s != "removed address 2001:db8::5; " {
		t.Error(s)
	}
	decline := b.next(Decline)
	if decline.String()[len("Decline 000000"):] != "; IA_NA 00000001 2001:db8::5" || !decline.ServerID.Equal(serverA) {
		t.Errorf("%v", decline)
	}
	b.want(Bound)
	// "the client does not treat a Reply message with a status of NoBinding in a Decline message exchange as if it indicates an error."
	b.receive(replyTo(decline, NoBinding, Success))
	if s := b.told(); s != "finished Decline; " || b.m.Busy() {
		t.Error(s)
	}
	at := b.now
	renew := b.next(Renew)
	if d := b.now.Sub(at); d > 3*time.Second || renew.IAs[0].String() != "IA_NA 00000001 2001:db8::6" {
		t.Errorf("%v after %v", renew, d)
	}
	b.receive(answer(renew, Reply, na("2001:db8::6", "2001:db8::7"), pd("2001:db8:500::/56")))

	// Of all: it begins anew when the server knows, each time later.
	b = newBench(t, MachineConfig{}, wantNA)
	last := time.Duration(0)
	for n := range 5 {
		b.bind(na("2001:db8::5"))
		b.m.Decline(b.now, addr("2001:db8::5"))
		b.drain()
		b.want(Declining)
		b.receive(answer(b.next(Decline), Reply))
		b.want(Discovering)
		at := b.m.Deadline().Sub(b.now)
		if n > 0 && at < last {
			t.Errorf("after %v, then after %v", last, at)
		}
		last = at
		b.events = nil
	}
	if last < 30*time.Second {
		t.Errorf("the fifth after %v", last)
	}

	// Once one lasts, it is as at first.
	b.bind(na("2001:db8::5"))
	b.receive(answer(b.next(Renew), Reply, na("2001:db8::5")))
	b.m.Decline(b.now, addr("2001:db8::5"))
	b.drain()
	b.receive(answer(b.next(Decline), Reply))
	if d := b.m.Deadline().Sub(b.now); d > 3*time.Second {
		t.Errorf("after %v", d)
	}

	// A server that is gone does not stop it.
	b = newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5"))
	b.m.Decline(b.now, addr("2001:db8::5"))
	b.drain()
	for b.m.Busy() {
		b.sent, b.at = nil, nil
		b.run(time.Second)
	}
	b.want(Discovering)
	if s := b.told(); s != "removed address 2001:db8::5; unanswered Decline; finished Decline; " {
		t.Error(s)
	}
	// What is not ours is not declined.
	b.m.Decline(b.now, addr("2001:db8::77"))
	b.drain()
	if b.m.Busy() {
		t.Error("declined nothing")
	}
}

// RFC 8415, 18.2.7: "The client MUST stop using all of the leases being released before the client begins the Release message exchange
// process." and "the client does not treat a Reply message with a status of NoBinding in a Release message exchange as if it indicates an
// error."
func TestRelease(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA, wantPD)
	b.bind(na("2001:db8::5"), pd("2001:db8:500::/56"))
	b.m.Release(b.now)
	var e Event
	for _, want := range []string{"address 2001:db8::5", "prefix 2001:db8:500::/56"} {
		if !b.m.NextEvent(&e) || e.Kind != LeaseRemoved || e.Lease.String() != want {
			t.Fatalf("%+v", e)
		}
	}
	b.drain()
	release := b.next(Release)
	if release.String()[len("Release 000000"):] != "; IA_NA 00000001 2001:db8::5; IA_PD 00000001 2001:db8:500::/56" {
		t.Errorf("%v", release)
	}
	b.receive(replyTo(release, NoBinding, Success))
	if b.m.Busy() || b.m.State() != Stopped {
		t.Error("it goes on")
	}
	// It can begin again.
	b.m.Start(b.now, []Want{wantNA})
	b.bind(na("2001:db8::5"))

	// Who has nothing, or is still asking, is done at once.
	for _, begin := range []func(b *bench){func(b *bench) {}, func(b *bench) { b.m.Start(b.now, []Want{wantNA}); b.next(Solicit) },
		func(b *bench) { b.m.Start(b.now, nil); b.next(InformationRequest) }} {
		b := newBench(t, MachineConfig{})
		begin(b)
		b.m.Release(b.now)
		b.drain()
		b.silent()
		if s := b.told(); s != "finished Release; " || b.m.Deadline() < 1<<62 {
			t.Errorf("%s; %v is ahead", s, b.m.Deadline())
		}
	}

	// A server that is gone: given up after REL_MAX_RC.
	b = newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5"))
	b.m.Release(b.now)
	b.drain()
	b.run(time.Minute)
	if n := len(b.sent); n != relMaxRC || b.m.Busy() {
		t.Errorf("sent %d times", n)
	}
}

// RFC 8415, 18.2.4: "A client MUST also initiate a Renew/Reply message exchange before time T1 if the client's link-local address used in
// previous interactions with the server is no longer valid and it is willing to receive Reconfigure messages."
func TestAddressChanged(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5"))
	b.m.AddressChanged(b.now)
	b.drain()
	b.want(Renewing)
	b = newBench(t, MachineConfig{NoReconfigure: true}, wantNA)
	b.bind(na("2001:db8::5"))
	b.m.AddressChanged(b.now)
	b.drain()
	b.want(Bound)
}
