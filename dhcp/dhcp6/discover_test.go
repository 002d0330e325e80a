package dhcp6

import (
	"net/netip"
	"testing"
	"time"
)

// What must be in each message, and what must not (RFC 8415, 18.2.1 to 18.2.8 and 21).
func TestMessages(t *testing.T) {
	has := func(m *Message, c OptionCode) bool {
		for _, o := range m.Requested {
			if o == c {
				return true
			}
		}
		return false
	}
	check := func(t *testing.T, m *Message, server, oro, accept bool) {
		t.Helper()
		switch {
		// "The client MUST include a Client Identifier option [...] to identify itself to the server."
		case !m.ClientID.Equal(clientID):
			t.Errorf("%v: client %v", m.Type, m.ClientID)
		case (m.ServerID != nil) != server:
			t.Errorf("%v: server %v", m.Type, m.ServerID)
		case (len(m.Requested) > 0) != oro:
			t.Errorf("%v: requests %v", m.Type, m.Requested)
		case m.ReconfigureAccept != accept:
			t.Errorf("%v: Reconfigure Accept %v", m.Type, m.ReconfigureAccept)
		case m.RapidCommit != (m.Type == Solicit):
			t.Errorf("%v: Rapid Commit %v", m.Type, m.RapidCommit)
		// "A DHCP client MUST include the SOL_MAX_RT option code in any Option Request option [...] it sends in a Solicit message."
		case oro && has(m, OptionSolMaxRT) != (m.Type != InformationRequest), oro && !has(m, OptionDNSServers):
			t.Errorf("%v: requests %v", m.Type, m.Requested)
		// "A DHCP client MUST request this option [Information Refresh Time] [...] when sending Information-request messages. A client MUST
		// NOT request this option in the Option Request option in any other messages."
		case has(m, OptionInformationTime) != (m.Type == InformationRequest), has(m, OptionInfMaxRT) != (m.Type == InformationRequest):
			t.Errorf("%v: requests %v", m.Type, m.Requested)
		}
		for _, a := range m.IAs {
			if a.T1 != 0 || a.T2 != 0 {
				t.Errorf("%v: T1 %d, T2 %d", m.Type, a.T1, a.T2) // "the T1 and T2 fields SHOULD be set to 0"
			}
			for _, l := range a.Leases {
				if l.Preferred != 0 || l.Valid != 0 { // "the preferred-lifetime and valid-lifetime fields SHOULD be set to 0"
					t.Errorf("%v: %+v", m.Type, l)
				}
			}
		}
	}
	b := newBench(t, MachineConfig{}, wantNA, wantPD)
	solicit := b.next(Solicit)
	check(t, solicit, false, true, true)
	b.receive(answer(solicit, Advertise, na("2001:db8::5"), pd("2001:db8:500::/56")))
	request := b.next(Request)
	check(t, request, true, true, true)
	if request.IAs[0].Leases[0].Prefix.Addr() != addr("2001:db8::5") || request.IAs[1].Leases[0].Prefix.String() != "2001:db8:500::/56" {
		t.Errorf("%v", request) // what was offered
	}
	b.receive(answer(request, Reply, na("2001:db8::5"), pd("2001:db8:500::/56")))
	renew := b.next(Renew)
	check(t, renew, true, true, true)
	b.run(59 * time.Second) // T2 is 160 s
	b.sent, b.at = nil, nil
	rebind := b.next(Rebind)
	check(t, rebind, false, true, true)
	b.receive(answer(rebind, Reply, na("2001:db8::5"), pd()))
	b.m.Decline(b.now, addr("2001:db8::5"))
	b.drain()
	decline := b.next(Decline)
	check(t, decline, true, false, false)
	if len(decline.IAs) != 1 || decline.IAs[0].Kind != Addresses {
		t.Errorf("%v", decline) // "the client MUST NOT include IA_PD options"
	}

	b = newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5"))
	b.m.LinkChanged(b.now)
	check(t, b.next(Confirm), false, false, false)
	b.m.Release(b.now)
	b.drain()
	check(t, b.next(Release), true, false, false)

	b = newBench(t, MachineConfig{})
	b.m.Start(b.now, nil)
	inform := b.next(InformationRequest)
	check(t, inform, false, true, true)
	if len(inform.IAs) > 0 { // RFC 8415, 16.12
		t.Errorf("%v", inform)
	}

	b = newBench(t, MachineConfig{NoRapidCommit: true, NoReconfigure: true, Options: []OptionCode{56}, FQDN: &FQDN{ServerUpdates, "host"}}, wantNA)
	if m := b.next(Solicit); m.RapidCommit || m.ReconfigureAccept || !has(m, 56) || !has(m, OptionFQDN) || m.FQDN == nil || m.FQDN.Name != "host" {
		t.Errorf("%v %+v", m, m)
	}
}

// offer is an Advertise of a server.
func offer(to *Message, server DUID, preference uint8, ias ...IA) *Message {
	m := answer(to, Advertise, ias...)
	m.ServerID, m.Preference = server, preference
	return m
}

// RFC 8415, 18.2.1 and 18.2.9: which server is asked, and when.
func TestServerChoice(t *testing.T) {
	one, both := []IA{na("2001:db8::a")}, []IA{na("2001:db8::b"), pd("2001:db8:b00::/56")}
	named := func(m *Message) *Message {
		m.DNS = []netip.Addr{addr("2001:db8::53")}
		return m
	}
	for name, row := range map[string]struct {
		a, b *Message
		want DUID
	}{
		// "Those Advertise messages with the highest server preference value SHOULD be preferred over all other Advertise messages."
		"preference":        {offer(&Message{}, serverA, 0, both...), offer(&Message{}, serverB, 1, one...), serverB},
		"what is offered":   {offer(&Message{}, serverA, 0, one...), offer(&Message{}, serverB, 0, both...), serverB},
		"name servers":      {offer(&Message{}, serverA, 0, one...), named(offer(&Message{}, serverB, 0, one...)), serverB},
		"the first":         {offer(&Message{}, serverA, 0, one...), offer(&Message{}, serverB, 0, one...), serverA},
		"the first, though": {offer(&Message{}, serverA, 7, one...), offer(&Message{}, serverB, 7, one...), serverA},
	} {
		b := newBench(t, MachineConfig{}, wantNA, wantPD)
		solicit := b.next(Solicit)
		at := b.now
		row.a.TransactionID, row.b.TransactionID = solicit.TransactionID, solicit.TransactionID
		b.receive(row.a)
		b.receive(row.b)
		b.silent()
		if m := b.next(Request); !m.ServerID.Equal(row.want) || b.now.Sub(at) <= time.Second {
			t.Errorf("%s: server %v after %v, want %v after the first RT", name, m.ServerID, b.now.Sub(at), row.want)
		}
		// RFC 8415, 18.2.2: "Select another server from a list of servers known to the client".
		other := map[string]DUID{string(serverA): serverB, string(serverB): serverA}[string(row.want)]
		for len(b.sent) == 0 || b.sent[0].Message.ServerID.Equal(row.want) {
			b.sent, b.at = nil, nil
			b.advance()
			if b.m.State() != Requesting {
				t.Fatalf("%s: %v", name, b.m.State())
			}
		}
		if m := b.next(Request); !m.ServerID.Equal(other) {
			t.Errorf("%s: then %v, want %v", name, m.ServerID, other)
		}
	}

	// "If the client receives a valid Advertise message that includes a Preference option with a preference value of 255, the client
	// immediately begins a client-initiated message exchange".
	b := newBench(t, MachineConfig{}, wantNA)
	solicit := b.next(Solicit)
	at := b.now
	b.receive(offer(solicit, serverA, 254, one...))
	b.silent()
	b.receive(offer(solicit, serverB, 255, one...))
	if m := b.next(Request); !m.ServerID.Equal(serverB) || b.now != at {
		t.Errorf("server %v after %v", m.ServerID, b.now.Sub(at))
	}

	// "The client terminates the retransmission process as soon as it receives any valid Advertise message, and the client acts on the
	// received Advertise message without waiting for any additional Advertise messages."
	b = newBench(t, MachineConfig{}, wantNA)
	b.next(Solicit)
	solicit = b.next(Solicit)
	at = b.now
	b.receive(offer(solicit, serverA, 0, one...))
	if b.next(Request); b.now != at {
		t.Errorf("after %v", b.now.Sub(at))
	}
}

// RFC 8415, 18.2.9: "The client MUST ignore any Advertise message that contains no addresses [...] and no delegated prefixes".
func TestUselessAdvertise(t *testing.T) {
	failing := func(code StatusCode, ias ...IA) *Message {
		m := offer(&Message{}, serverA, 255, ias...)
		m.Status.Code = code
		return m
	}
	lease := func(edit func(*IALease)) IA {
		a := na("2001:db8::5")
		edit(&a.Leases[0])
		return a
	}
	noAddrs, late := na("2001:db8::5"), na("2001:db8::5")
	noAddrs.Status.Code = NoAddrsAvail
	late.T1, late.T2 = 161, 160
	foreign := na("2001:db8::5")
	foreign.ID = 7
	for name, m := range map[string]*Message{
		"nothing":        failing(Success),
		"an empty IA":    failing(Success, na()),
		"NoAddrsAvail":   failing(NoAddrsAvail, na("2001:db8::5")),
		"IA without any": failing(Success, noAddrs),
		"another's IA":   failing(Success, foreign),
		// "If a client receives an IA_NA with T1 greater than T2 and both T1 and T2 are greater than 0, the client discards the IA_NA".
		"T1 after T2": failing(Success, late),
		// "The client MUST discard any addresses for which the preferred lifetime is greater than the valid lifetime."
		"preferred beyond valid": failing(Success, lease(func(l *IALease) { l.Preferred = 301 })),
		"no lifetime":            failing(Success, lease(func(l *IALease) { l.Preferred, l.Valid = 0, 0 })),
		"status of the address":  failing(Success, lease(func(l *IALease) { l.Status.Code = UnspecFail })),
		"multicast":              failing(Success, na("ff02::1")),
		"unspecified":            failing(Success, na("::")),
		"loopback":               failing(Success, na("::1")),
		"link-local":             failing(Success, na("fe80::1")),
	} {
		b := newBench(t, MachineConfig{}, wantNA)
		m.TransactionID = b.next(Solicit).TransactionID
		b.receive(m)
		if b.want(Discovering); len(b.m.offers) > 0 {
			t.Errorf("%s: taken", name)
		}
		b.next(Solicit)
	}
	// What was not offered is requested all the same, as long as it is to be.
	b := newBench(t, MachineConfig{}, wantNA, wantPD)
	b.receive(answer(b.next(Solicit), Advertise, na("2001:db8::5")))
	if a := b.next(Request).IAs[1]; len(a.Leases) != 1 || a.Leases[0].Prefix.String() != "::/56" {
		t.Errorf("requested %v", a)
	}
	// WPD-6 of RFC 7084: a prefix alone is taken, though addresses were asked for as well.
	b = newBench(t, MachineConfig{}, wantNA, wantPD)
	b.bind(noAddrs, pd("2001:db8:500::/56"))
	if s := b.leases(); s != "prefix 2001:db8:500::/56; " {
		t.Error(s)
	}
	// RFC 8415, 18.2.10.1: "The client MAY include the IAs for which it received the NoAddrsAvail or NoPrefixAvail status code, with no
	// addresses or prefixes, in subsequent Renew and Rebind messages".
	renew := b.next(Renew)
	if len(renew.IAs) != 2 || len(renew.IAs[0].Leases) != 0 {
		t.Errorf("%v", renew)
	}
	b.receive(answer(renew, Reply, na("2001:db8::5"), pd("2001:db8:500::/56")))
	if s := b.leases(); s != "address 2001:db8::5; prefix 2001:db8:500::/56; " {
		t.Error(s)
	}
}

// RFC 8415, 18.2.1: Rapid Commit.
func TestRapidCommit(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA)
	solicit := b.next(Solicit)
	// "The client will discard any Reply messages that do not contain the Rapid Commit option."
	b.receive(answer(solicit, Reply, na("2001:db8::5")))
	b.want(Discovering)
	if s := b.told(); s != "discarded Reply: "+noCommit+"; " {
		t.Error(s)
	}
	b.receive(offer(solicit, serverB, 0, na("2001:db8::6")))
	reply := answer(solicit, Reply, na("2001:db8::5"))
	reply.RapidCommit = true
	b.receive(reply)
	b.want(Bound)
	if s := b.leases(); s != "address 2001:db8::5; " {
		t.Error(s)
	}
	if m := b.next(Renew); !m.ServerID.Equal(serverA) {
		t.Errorf("%v", m.ServerID)
	}

	// One that comes when another server has been requested is discarded.
	b = newBench(t, MachineConfig{}, wantNA)
	solicit = b.next(Solicit)
	b.receive(offer(solicit, serverB, 255, na("2001:db8::6")))
	request := b.next(Request)
	reply.TransactionID = solicit.TransactionID
	b.receive(reply)
	b.want(Requesting)
	last := answer(request, Reply, na("2001:db8::6"))
	last.ServerID = serverB
	b.receive(last)
	if b.want(Bound); b.leases() != "address 2001:db8::6; " {
		t.Error(b.leases())
	}

	// A client that did not ask for it does not take it.
	b = newBench(t, MachineConfig{NoRapidCommit: true}, wantNA)
	reply.TransactionID = b.next(Solicit).TransactionID
	b.receive(reply)
	b.want(Discovering)
}
