package dhcp6

import (
	"crypto/hmac"
	"crypto/md5"
	"slices"
	"strings"
	"testing"
)

// RFC 8415, 16: which messages a client discards, each in each state; what it has stays as it is.
func TestValidation(t *testing.T) {
	states := map[string]func(b *bench){
		"stopped":     func(b *bench) {},
		"discovering": func(b *bench) { b.m.Start(b.now, []Want{wantNA}); b.next(Solicit) },
		"requesting": func(b *bench) {
			b.m.Start(b.now, []Want{wantNA})
			b.receive(answer(b.next(Solicit), Advertise, na("2001:db8::5")))
			b.next(Request)
		},
		"bound":      bound,
		"renewing":   func(b *bench) { bound(b); b.next(Renew) },
		"confirming": func(b *bench) { bound(b); b.m.LinkChanged(b.now); b.next(Confirm) },
		"informing":  func(b *bench) { b.m.Start(b.now, nil); b.next(InformationRequest) },
		"releasing":  func(b *bench) { bound(b); b.m.Release(b.now); b.drain(); b.next(Release) },
		"declining":  func(b *bench) { bound(b); b.m.Decline(b.now, addr("2001:db8::5")); b.drain(); b.next(Decline) },
	}
	good := func(kind MessageType) *Message {
		m := answer(&Message{}, kind, na("2001:db8::5"))
		m.RapidCommit, m.ReconfigureMessage = true, map[MessageType]MessageType{Reconfigure: Renew}[kind]
		return m
	}
	edit := func(m *Message, f func(*Message)) *Message { f(m); return m }
	const anyone = 1 << 24 // the transaction ID of what is under way
	for _, row := range []struct {
		m     *Message
		fault string
	}{
		// "Clients MUST discard any received Solicit messages." 16.4 to 16.9 and 16.12 say so of the others.
		{good(Solicit), "it is for servers"}, {good(Request), "it is for servers"}, {good(Confirm), "it is for servers"},
		{good(Renew), "it is for servers"}, {good(Rebind), "it is for servers"}, {good(Decline), "it is for servers"},
		{good(Release), "it is for servers"}, {good(InformationRequest), "it is for servers"},
		// "A client or server MUST discard any received DHCP messages with an unknown message type."
		{good(0), "its type is not known"}, {good(14), "its type is not known"}, {good(255), "its type is not known"},

		{edit(good(Advertise), func(m *Message) { m.ServerID, m.TransactionID = nil, anyone }), noServerID},
		{edit(good(Advertise), func(m *Message) { m.ClientID, m.TransactionID = nil, anyone }), noClientID},
		{edit(good(Advertise), func(m *Message) { m.ClientID, m.TransactionID = serverB, anyone }), otherClient},
		{edit(good(Advertise), func(m *Message) { m.TransactionID = 0x123456 }), noExchange},

		{edit(good(Reply), func(m *Message) { m.ServerID, m.TransactionID = nil, anyone }), noServerID},
		{edit(good(Reply), func(m *Message) { m.ClientID, m.TransactionID = nil, anyone }), noClientID},
		{edit(good(Reply), func(m *Message) { m.ClientID, m.TransactionID = serverB, anyone }), otherClient},
		{edit(good(Reply), func(m *Message) { m.TransactionID = 0x123456 }), noExchange},

		{edit(good(Reconfigure), func(m *Message) { m.ServerID = nil }), noServerID},
		{edit(good(Reconfigure), func(m *Message) { m.ClientID = nil }), noClientID},
		{edit(good(Reconfigure), func(m *Message) { m.ClientID = serverB }), otherClient},
		{edit(good(Reconfigure), func(m *Message) { m.ReconfigureMessage = 0 }), badReconfMsg},
		{edit(good(Reconfigure), func(m *Message) { m.ReconfigureMessage = Request }), badReconfMsg},
		{good(Reconfigure), noKey},
	} {
		for name, reach := range states {
			b := newBench(t, MachineConfig{})
			reach(b)
			b.events = nil
			state, leases, deadline, informing := b.m.State(), b.leases(), b.m.Deadline(), b.m.Informing()
			m := *row.m
			if m.TransactionID == anyone {
				m.TransactionID = max(b.m.lease.id, b.m.info.id)
				for _, e := range b.m.giving {
					m.TransactionID = e.id
				}
			}
			b.receive(&m)
			if s := b.told(); s != "discarded "+m.Type.String()+": "+row.fault+"; " {
				t.Errorf("%s, %v: %s, want %s", name, &m, s, row.fault)
			}
			if b.m.State() != state || b.leases() != leases || b.m.Deadline() != deadline || b.m.Informing() != informing || len(b.sent) > 0 {
				t.Errorf("%s, %v: it changed something", name, &m)
			}
		}
	}
	// An Advertise that answers no Solicit, and a Reply of a server that was not asked.
	b := newBench(t, MachineConfig{})
	bound(b)
	renew := b.next(Renew)
	b.receive(answer(renew, Advertise, na("2001:db8::5")))
	other := answer(renew, Reply, na("2001:db8::5"))
	other.ServerID = serverB
	b.receive(other)
	if s := b.told(); s != "discarded Advertise: "+noExchange+"; discarded Reply: "+otherServer+"; " {
		t.Error(s)
	}
	// Any server may answer a Rebind.
	for b.m.State() != Rebinding {
		b.sent, b.at = nil, nil
		b.advance()
	}
	other.TransactionID = b.sent[len(b.sent)-1].Message.TransactionID
	b.receive(other)
	b.sent, b.at = nil, nil
	b.want(Bound)
	if m := b.next(Renew); !m.ServerID.Equal(serverB) {
		t.Errorf("renewed with %v", m.ServerID)
	}
}

// sign gives a Reconfigure its digest.
func sign(m *Message, key []byte, replay uint64) []byte {
	m.Auth = &Auth{Protocol: 3, Algorithm: 1, Replay: replay, Info: append([]byte{2}, make([]byte, 16)...)}
	raw := m.Append(nil)
	at := strings.Index(string(raw), string(m.Auth.append(nil))) + 12
	h := hmac.New(md5.New, key)
	h.Write(raw)
	copy(raw[at:], h.Sum(nil))
	return raw
}

// RFC 8415, 18.2.11 and 20.4: Reconfigure messages, and what makes them believed.
func TestReconfigure(t *testing.T) {
	key := []byte("0123456789abcdef")
	give := func(m *Message, replay uint64) *Message {
		m.ReconfigureAccept = true
		m.Auth = &Auth{Protocol: 3, Algorithm: 1, Replay: replay, Info: append([]byte{1}, key...)}
		return m
	}
	ready := func(t *testing.T, cfg MachineConfig) *bench {
		b := newBench(t, cfg, wantNA)
		b.receive(answer(b.next(Solicit), Advertise, na("2001:db8::5")))
		b.receive(give(answer(b.next(Request), Reply, na("2001:db8::5")), 100))
		b.want(Bound)
		b.events = nil
		return b
	}
	ask := func(want MessageType) *Message {
		m := answer(&Message{TransactionID: 0xabcdef}, Reconfigure)              // "The client ignores the 'transaction-id' field"
		m.ReconfigureMessage, m.Other = want, []Option{{9999, []byte("behind")}} // the digest is of what comes after it, too
		return m
	}
	for want, state := range map[MessageType]State{Renew: Renewing, Rebind: Rebinding, InformationRequest: Bound} {
		b := ready(t, MachineConfig{})
		b.receiveRaw(sign(ask(want), key, 101), true)
		if s := b.told(); s != "reconfigured "+want.String()+"; " {
			t.Error(s)
		}
		b.want(state)
		m := b.next(want) // at once
		// 18.2.6: "When responding to a Reconfigure, the client includes a Server Identifier option [...] with the identifier from the
		// Reconfigure message to which the client is responding."
		if (m.ServerID != nil) != (want != Rebind) {
			t.Errorf("%v to %v", m.Type, m.ServerID)
		}
		// "While the transaction is in progress, the client discards any Reconfigure messages it receives."
		b.receiveRaw(sign(ask(want), key, 102), true)
		if s := b.told(); s != "discarded Reconfigure: an exchange is under way; " {
			t.Error(s)
		}
		b.receive(give(answer(m, Reply, na("2001:db8::5")), 103))
		b.want(Bound)
		b.told()
		// And then again.
		b.receiveRaw(sign(ask(want), key, 104), true)
		if s := b.told(); s != "reconfigured "+want.String()+"; " {
			t.Error(s)
		}
	}
	for name, row := range map[string]struct {
		cfg   MachineConfig
		raw   []byte
		group bool
		fault string
	}{
		"to a group":       {raw: sign(ask(Renew), key, 101), group: true, fault: fromGroup},
		"other key":        {raw: sign(ask(Renew), []byte("0123456789abcdeX"), 101), fault: notAuthentic},
		"no digest":        {raw: ask(Renew).Append(nil), fault: notAuthentic},
		"not accepted":     {cfg: MachineConfig{NoReconfigure: true}, raw: sign(ask(Renew), key, 101), fault: notAccepted},
		"replayed":         {raw: sign(ask(Renew), key, 100), fault: replayed},
		"older":            {raw: sign(ask(Renew), key, 1), fault: replayed},
		"changed since":    {raw: flip(sign(ask(Renew), key, 101), 3), fault: notAuthentic},
		"changed behind":   {raw: flip(sign(ask(Renew), key, 101), -1), fault: notAuthentic},
		"other protocol":   {raw: proto(sign(ask(Renew), key, 101)), fault: notAuthentic},
		"a key for digest": {raw: give(ask(Renew), 101).Append(nil), fault: notAuthentic},
	} {
		b := ready(t, row.cfg)
		b.receiveRaw(row.raw, !row.group)
		if s := b.told(); s != "discarded Reconfigure: "+row.fault+"; " {
			t.Errorf("%s: %s", name, s)
		}
		b.want(Bound)
		b.silent()
	}
	// The counter goes on modulo 2^64.
	s := &server{}
	for _, row := range []struct {
		replay uint64
		fresh  bool
	}{{1<<64 - 2, true}, {1<<64 - 1, true}, {1<<64 - 1, false}, {0, true}, {1<<64 - 1, false}, {5, true}} {
		if s.fresh(&Auth{Replay: row.replay}) != row.fresh {
			t.Errorf("%x: fresh is not %v", row.replay, row.fresh)
		}
	}
	// 21.20: "In the absence of this option, the default behavior is that the client is unwilling to accept Reconfigure messages."
	b := newBench(t, MachineConfig{}, wantNA)
	b.receive(answer(b.next(Solicit), Advertise, na("2001:db8::5")))
	reply := give(answer(b.next(Request), Reply, na("2001:db8::5")), 100)
	reply.ReconfigureAccept = false
	b.receive(reply)
	b.events = nil
	b.receiveRaw(sign(ask(Renew), key, 101), true)
	if s := b.told(); s != "discarded Reconfigure: "+noKey+"; " {
		t.Error(s)
	}
}

// flip changes an octet of a message; the last ones have negative numbers.
func flip(raw []byte, at int) []byte {
	if at < 0 {
		at += len(raw)
	}
	raw[at] ^= 1
	return raw
}

// proto changes the protocol of the Authentication option.
func proto(raw []byte) []byte {
	return flip(raw, strings.Index(string(raw), "\x00\x0b\x00\x1c\x03\x01")+4)
}

// A client remembers a few servers, and not those that anybody makes up.
func TestServersBounded(t *testing.T) {
	b := newBench(t, MachineConfig{}, wantNA)
	b.bind(na("2001:db8::5"))
	for i := range 100 {
		m := answer(&Message{}, Reconfigure)
		m.ServerID, m.ReconfigureMessage = append(slices.Clone(serverB), byte(i)), Renew
		b.receive(m)
	}
	for i := range 20 {
		b.m.serverOf(append(slices.Clone(serverB), byte(i)))
	}
	if n := len(b.m.servers); n > mostServers || b.m.remembered(serverA) == nil {
		t.Errorf("%d servers remembered", n)
	}
}
