package dhcp6

import (
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// replyTo makes an answer with a status, at the top or in the IA_NA.
func replyTo(to *Message, top, inIA StatusCode, ias ...IA) *Message {
	m := answer(to, Reply, ias...)
	m.Status.Code = top
	if inIA != Success {
		m.IAs = []IA{{Kind: Addresses, ID: 1, Status: Status{Code: inIA}}}
	}
	return m
}

// Each status in a Reply, in each state that has one (RFC 8415, 18.2.10): the state that follows, the message that leaves at once, and
// what there is then.
func TestStatuses(t *testing.T) {
	const had = "address 2001:db8::5; "
	reach := map[State]func(b *bench) *Message{
		Requesting: func(b *bench) *Message {
			b.m.Start(b.now, []Want{wantNA})
			b.receive(answer(b.next(Solicit), Advertise, na("2001:db8::5")))
			return b.next(Request)
		},
		Renewing: func(b *bench) *Message { bound(b); return b.next(Renew) },
		Rebinding: func(b *bench) *Message {
			bound(b)
			for b.m.State() != Rebinding {
				b.sent, b.at = nil, nil
				b.advance()
			}
			for len(b.sent) > 1 {
				b.sent, b.at = b.sent[1:], b.at[1:]
			}
			return b.next(Rebind)
		},
		Confirming: func(b *bench) *Message { bound(b); b.m.LinkChanged(b.now); return b.next(Confirm) },
	}
	for _, row := range []struct {
		in      State
		top, ia StatusCode
		state   State
		sends   MessageType // at once; 0: nothing
		leases  string
	}{
		{Requesting, Success, Success, Bound, 0, had},
		// "the server is indicating that it was unable to process the client's message due to an unspecified failure condition."
		{Requesting, UnspecFail, Success, Requesting, 0, ""},
		{Renewing, UnspecFail, Success, Renewing, 0, had},
		{Rebinding, UnspecFail, Success, Rebinding, 0, had},
		// "the client may either try another server (perhaps restarting the DHCP server discovery process)"
		{Requesting, NoAddrsAvail, Success, Discovering, 0, ""},
		{Requesting, Success, NoAddrsAvail, Discovering, 0, ""},
		{Requesting, Success, UnspecFail, Discovering, 0, ""},
		{Requesting, Success, NoBinding, Discovering, 0, ""},
		// "the client can either reissue the message without specifying any addresses or restart the DHCP server discovery process"
		{Requesting, NotOnLink, Success, Requesting, Request, ""},
		{Requesting, Success, NotOnLink, Requesting, Request, ""},
		// It was multicast.
		{Requesting, UseMulticast, Success, Requesting, 0, ""},
		// "Sends a Request message to the server that responded if any of the IAs in the Reply message contain the NoBinding status code."
		{Renewing, Success, NoBinding, Requesting, Request, had},
		{Rebinding, Success, NoBinding, Requesting, Request, had},
		{Renewing, NoBinding, Success, Requesting, Request, had},
		{Renewing, Success, Success, Bound, 0, had},
		{Rebinding, Success, Success, Bound, 0, had},
		// Nothing is said of what there is: as if the Reply had not come.
		{Renewing, Success, NoAddrsAvail, Renewing, 0, had},
		{Rebinding, Success, NoAddrsAvail, Rebinding, 0, had},
		{Renewing, NoAddrsAvail, Success, Renewing, 0, had},
		// 18.2.10.3: "If the client receives any Reply messages that indicate a status of Success (explicit or implicit), the client can use
		// the addresses in the IA and ignore any messages that indicate a NotOnLink status."
		{Confirming, Success, Success, Bound, 0, had},
		{Confirming, NotOnLink, Success, Confirming, 0, had},
		{Confirming, UnspecFail, Success, Confirming, 0, had},
	} {
		name := row.in.String() + " " + row.top.String() + " " + row.ia.String()
		b := newBench(t, MachineConfig{})
		asked := reach[row.in](b)
		b.receive(replyTo(asked, row.top, row.ia, na("2001:db8::5")))
		if b.m.State() != row.state || b.leases() != row.leases {
			t.Errorf("%s: %v with %q, want %v with %q", name, b.m.State(), b.leases(), row.state, row.leases)
		}
		if row.sends == 0 && len(b.sent) > 0 || row.sends != 0 && (len(b.sent) == 0 || b.sent[0].Message.Type != row.sends) {
			t.Errorf("%s: sent %v, want %v", name, b.sent, row.sends)
		}
		if row.sends == Request && row.in == Requesting {
			if m := b.next(Request); len(m.IAs) != 1 || len(m.IAs[0].Leases) != 0 {
				t.Errorf("%s: %v: with addresses", name, m)
			}
		}
	}
}

// A NotOnLink to a Confirm counts if no server says Success in the time there is for it.
func TestConfirm(t *testing.T) {
	b := newBench(t, MachineConfig{})
	bound(b)
	b.m.LinkChanged(b.now)
	confirm := b.next(Confirm)
	b.receive(replyTo(confirm, NotOnLink, Success))
	solicit := b.next(Solicit)
	if s := b.told(); s != "refused NotOnLink; removed address 2001:db8::5; " {
		t.Error(s)
	}
	b.bind2(solicit, na("2001:db8:2::5"))

	b.m.LinkChanged(b.now)
	confirm = b.next(Confirm)
	b.receive(replyTo(confirm, NotOnLink, Success))
	b.receive(replyTo(confirm, Success, Success))
	b.want(Bound)

	// 18.2.3: "If the client receives no responses before the message transmission process terminates [...] the client SHOULD continue to
	// use any leases, using the last known lifetimes".
	b.m.LinkChanged(b.now)
	for b.m.State() == Confirming {
		b.advance()
		b.sent, b.at = nil, nil
	}
	if b.want(Bound); b.leases() != "address 2001:db8:2::5; " {
		t.Error(b.leases())
	}

	// 18.2.12: "If the client has any valid delegated prefixes obtained from the DHCP server, the client MUST initiate a Rebind/Reply
	// message exchange [...] with the exception that the retransmission parameters should be set as for the Confirm message".
	b = newBench(t, MachineConfig{}, wantNA, wantPD)
	b.bind(na("2001:db8::5"), pd("2001:db8:500::/56"))
	b.m.LinkChanged(b.now)
	rebind := b.next(Rebind)
	if len(rebind.IAs) != 2 {
		t.Errorf("%v", rebind)
	}
	began := b.now
	for b.m.State() == Confirming {
		b.advance()
		b.sent, b.at = nil, nil
	}
	if d := b.now.Sub(began); b.m.State() != Bound || d != 10*time.Second {
		t.Errorf("%v after %v", b.m.State(), d)
	}
	b.m.LinkChanged(b.now)
	rebind = b.next(Rebind)
	gone := pd("2001:db8:500::/56")
	gone.Leases[0].Preferred, gone.Leases[0].Valid = 0, 0
	b.receive(answer(rebind, Reply, na("2001:db8::5"), gone))
	if b.want(Bound); b.leases() != "address 2001:db8::5; " {
		t.Error(b.leases())
	}

	// Who looks for a server does so anew.
	b = newBench(t, MachineConfig{}, wantNA)
	id := b.next(Solicit).TransactionID
	b.m.LinkChanged(b.now)
	if b.next(Solicit).TransactionID == id {
		t.Error("the Solicit is the same")
	}
}

// bind2 is bind after the Solicit.
func (b *bench) bind2(solicit *Message, ias ...IA) {
	b.Helper()
	b.receive(answer(solicit, Advertise, ias...))
	b.receive(answer(b.next(Request), Reply, ias...))
	b.want(Bound)
	b.events = nil
}

// RFC 8415, 18.2.10: "The client resends the original message using multicast", where it was unicast because the server said so.
func TestUnicast(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA)
	offered := answer(b.next(Solicit), Advertise, na("2001:db8::5"))
	offered.Unicast = addr("2001:db8::547")
	b.receive(offered)
	b.advance()
	o := b.sent[0]
	if o.Unicast != offered.Unicast {
		t.Errorf("to %v", o.Unicast)
	}
	request := b.next(Request)
	b.receive(replyTo(request, UseMulticast, Success))
	if len(b.sent) != 1 || b.sent[0].Unicast.IsValid() || b.sent[0].Message.TransactionID != request.TransactionID {
		t.Fatalf("sent %v", b.sent)
	}
	reply := answer(b.next(Request), Reply, na("2001:db8::5"))
	reply.Unicast = offered.Unicast
	b.receive(reply)
	b.advance()
	if b.sent[0].Unicast.IsValid() {
		t.Error("the server has to say it again")
	}
	for _, a := range []string{"ff02::1", "::"} {
		if s := (&server{unicast: addr(a)}); s.address().IsValid() {
			t.Errorf("%s is an address to send to", a)
		}
	}
}

// RFC 8415, 18.2.10.1: what becomes of leases.
func TestLeases(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5", "2001:db8::6", "2001:db8::7"))
	lasts := func(want time.Duration) {
		t.Helper()
		l := b.m.Leases()[0]
		if l.Valid.Sub(b.now) != want {
			t.Errorf("%v for %v, want %v", l, l.Valid.Sub(b.now), want)
		}
	}
	lasts(300 * time.Second)
	renew := b.next(Renew)
	// "Add any new leases", "Update lifetimes for any leases", "Discard any leases from the IA, as recorded by the client, that have a valid
	// lifetime of 0", "Leave unchanged any information about leases the client has recorded in the IA but that were not included".
	a := na("2001:db8::5", "2001:db8::6", "2001:db8::8")
	a.Leases[1].Preferred, a.Leases[1].Valid = 0, 0
	a.Leases[0].Valid = 1000
	b.receive(answer(renew, Reply, a))
	if s := b.told(); s != "changed address 2001:db8::5; removed address 2001:db8::6; added address 2001:db8::8; " {
		t.Error(s)
	}
	if s := b.leases(); s != "address 2001:db8::5; address 2001:db8::7; address 2001:db8::8; " {
		t.Error(s)
	}
	lasts(1000 * time.Second)
	if at := b.m.Leases()[1].Valid.Sub(b.now); at != 200*time.Second {
		t.Errorf("the one that was left out lasts %v", at)
	}
	// What is over is not asked for. 18.2.4: "The client MUST NOT include addresses and prefixes in any IA option that [...] are no longer
	// valid".
	b.m.Release(b.now)
	b.drain()
	b.sent = nil

	// 18.2.5: with the last lease the discovery begins.
	b = newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5"))
	start := b.now
	for b.m.State() != Discovering {
		b.sent, b.at = nil, nil
		b.advance()
	}
	if s := b.told(); s != "removed address 2001:db8::5; " || b.now.Sub(start) != 300*time.Second {
		t.Errorf("%s after %v", s, b.now.Sub(start))
	}
	b.sent, b.at = nil, nil
	b.next(Solicit)

	// All is taken back.
	b = newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5"))
	a = na("2001:db8::5")
	a.Leases[0].Preferred, a.Leases[0].Valid = 0, 0
	b.receive(answer(b.next(Renew), Reply, a))
	if b.want(Discovering); b.leases() != "" {
		t.Error(b.leases())
	}

	// A NoBinding that is followed by other leases ends those the server did not know.
	b = newBench(t, MachineConfig{}, wantNA, wantPD)
	b.bind(na("2001:db8::5"), pd("2001:db8:500::/56"))
	b.receive(answer(b.next(Renew), Reply, IA{Kind: Addresses, ID: 1, Status: Status{Code: NoBinding}}, pd("2001:db8:500::/56")))
	b.receive(answer(b.next(Request), Reply, na("2001:db8::6"), pd("2001:db8:500::/56")))
	if b.want(Bound); b.leases() != "address 2001:db8::6; prefix 2001:db8:500::/56; " {
		t.Error(b.leases())
	}
	// And from then on nothing that it only does not mention.
	b.receive(answer(b.next(Renew), Reply, na("2001:db8::6", "2001:db8::7"), pd("2001:db8:500::/56")))
	b.receive(answer(b.next(Renew), Reply, na("2001:db8::7"), pd("2001:db8:500::/56")))
	if b.want(Bound); b.leases() != "address 2001:db8::6; address 2001:db8::7; prefix 2001:db8:500::/56; " {
		t.Error(b.leases())
	}
}

// Of the leases of an association the one that is deprecated first says when to renew, if the server does not (RFC 8415, 21.4).
func TestShortestLease(t *testing.T) {
	for _, first := range []int{0, 1} {
		b := newBench(t, MachineConfig{}, wantNA)
		a := na("2001:db8::5", "2001:db8::6")
		a.T1, a.T2 = 0, 0
		a.Leases[first].Preferred = 100
		b.bind(a)
		if t1, t2 := b.m.t1().Sub(b.now), b.m.t2().Sub(b.now); t1 != 50*time.Second || t2 != 80*time.Second {
			t.Errorf("T1 %v, T2 %v", t1, t2)
		}
	}
}

// RFC 8415, 7.7, 14.2, 18.2.4 and 21.4: when a client renews and rebinds.
func TestT1T2(t *testing.T) {
	second := func(n int) clock.Instant {
		if n < 0 {
			return clock.Never
		}
		return clock.Instant(n) * 1e9
	}
	type lifetimes struct{ t1, t2, preferred, valid uint32 }
	for name, row := range map[string]struct {
		all    []lifetimes // an IA_NA and an IA_PD
		t1, t2 int         // negative: never
	}{
		"as the server says": {[]lifetimes{{100, 160, 200, 300}}, 100, 160},
		// "The client MUST select T1 and T2 times from all IA options that will guarantee [...] not later than at the T1/T2 times associated
		// with any of the client's bindings (earliest T1/T2)."
		"earliest": {[]lifetimes{{100, 500, 600, 900}, {200, 300, 600, 900}}, 100, 300},
		// "the renew and rebind times are left to the discretion of the client"
		"ours":                {[]lifetimes{{0, 0, 200, 300}}, 100, 160},
		"T1 ours":             {[]lifetimes{{0, 160, 200, 300}}, 100, 160},
		"T1 ours, T2 earlier": {[]lifetimes{{0, 50, 200, 300}}, 50, 50},
		"T2 ours":             {[]lifetimes{{100, 0, 200, 300}}, 100, 160},
		"T2 ours, T1 later":   {[]lifetimes{{190, 0, 200, 300}}, 190, 190},
		"deprecated":          {[]lifetimes{{0, 0, 0, 300}}, 150, 240},
		// "it MUST NOT transmit immediately."
		"short": {[]lifetimes{{0, 0, 1, 2}}, 10, 16},
		// "A client will never attempt to extend the lifetimes of any addresses in an IA with T1 set to 0xffffffff."
		"infinite":               {[]lifetimes{{Infinity, Infinity, Infinity, Infinity}}, -1, -1},
		"infinite, ours":         {[]lifetimes{{0, 0, Infinity, Infinity}}, -1, -1},
		"rebound only":           {[]lifetimes{{Infinity, 0, 200, 300}}, -1, -1},
		"one is infinite":        {[]lifetimes{{Infinity, Infinity, 200, 300}, {100, 160, 200, 300}}, 100, 160},
		"never renewed, rebound": {[]lifetimes{{0, Infinity, 200, 300}}, 100, -1},
	} {
		wants := []Want{wantNA, wantPD}[:len(row.all)]
		b := newBench(t, MachineConfig{}, wants...)
		ias := []IA{na("2001:db8::5"), pd("2001:db8:500::/56")}[:len(row.all)]
		for i, l := range row.all {
			ias[i].T1, ias[i].T2, ias[i].Leases[0].Preferred, ias[i].Leases[0].Valid = l.t1, l.t2, l.preferred, l.valid
		}
		b.bind(ias...)
		since := func(at clock.Instant) clock.Instant {
			if at == clock.Never {
				return at
			}
			return clock.Instant(at.Sub(b.now))
		}
		if t1, t2 := since(b.m.t1()), since(b.m.t2()); t1 != second(row.t1) || t2 != second(row.t2) {
			t.Errorf("%s: T1 %v, T2 %v, want %v and %v", name, t1, t2, row.t1, row.t2)
		}
	}
}

// RFC 8415, 18.2.10.1: a Renew whose Reply leaves out an association that has leases: "the client MUST rate-limit its transmissions [...]
// and MAY just wait for the normal retransmission time (as if the Reply message had not been received). The client continues to use other
// bindings for which the server did return information."
func TestAssociationLeftOut(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA, wantPD)
	b.bind(na("2001:db8::5"), pd("2001:db8:500::/56"))
	renew := b.next(Renew)
	at := b.now
	b.receive(answer(renew, Reply, na("2001:db8::5")))
	b.want(Renewing)
	if s := b.told(); s != "changed address 2001:db8::5; " {
		t.Error(s)
	}
	if b.next(Renew); b.now.Sub(at) < 9*time.Second {
		t.Errorf("again after %v", b.now.Sub(at))
	}
	b.sent, b.at = nil, nil
	for b.m.State() != Rebinding {
		b.sent, b.at = nil, nil
		b.advance()
	}
	// The prefix is over in its time, and the address stays.
	for len(b.m.Leases()) > 1 {
		for _, o := range b.sent {
			if o.Message.Type == Rebind {
				b.receive(answer(o.Message, Reply, na("2001:db8::5")))
			}
		}
		b.sent, b.at = nil, nil
		b.advance()
	}
	if s := b.leases(); s != "address 2001:db8::5; " {
		t.Error(s)
	}
}
