package dhcp4

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
)

// Figure 5 of RFC 2131: what becomes of each message in each state, and which state follows. What is not here is discarded.
func TestEveryStateAndMessage(t *testing.T) {
	type key struct {
		state State
		typ   Type
	}
	type outcome struct {
		state State
		sent  string
		news  string
	}
	acquired, renewed := "acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s", "renewed 192.0.2.7/24 of 192.0.2.1 for 1h0m0s"
	refused := "refused by 192.0.2.1"
	want := map[key]outcome{
		// "DHCPOFFER/Collect replies", "Select offer/send DHCPREQUEST"
		{Selecting, Offer}: {Requesting, "DHCPREQUEST", ""},
		// "DHCPACK/Record lease, set timers T1, T2"
		{Requesting, ACK}: {Bound, "", acquired},
		{Rebooting, ACK}:  {Bound, "", acquired},
		{Renewing, ACK}:   {Bound, "", renewed},
		{Rebinding, ACK}:  {Bound, "", renewed},
		// "DHCPNAK/Discard offer", "DHCPNAK/Restart", "DHCPNAK/Halt network", and "-/Send DHCPDISCOVER" from INIT
		{Requesting, NAK}: {Selecting, "DHCPDISCOVER", "failed: " + refused},
		{Rebooting, NAK}:  {Selecting, "DHCPDISCOVER", "failed: " + refused},
		{Renewing, NAK}:   {Selecting, "DHCPDISCOVER", "lost 192.0.2.7/24: " + refused},
		{Rebinding, NAK}:  {Selecting, "DHCPDISCOVER", "lost 192.0.2.7/24: " + refused},
		{Informing, ACK}:  {Informed, "", "learned of 192.0.2.1"},
	}
	for s := Halted; s <= Informed; s++ {
		for typ := Discover; typ <= Inform; typ++ {
			t.Run(fmt.Sprintf("%v %v", s, typ), func(t *testing.T) {
				r := newRig(t, MachineConfig{}).to(s)
				if r.last == nil {
					r.last = &Message{HardwareAddr: testMAC}
				}
				verdict, w := Unexpected, outcome{state: s}
				if o, ok := want[key{s, typ}]; ok {
					verdict, w = Accepted, o
				}
				deadline := r.Deadline()
				r.gets(r.reply(typ, server1), verdict)
				got := outcome{r.State(), r.tookSent(), r.tookNews()}
				if got != w {
					t.Errorf("%+v, want %+v", got, w)
				}
				if verdict != Accepted && r.Deadline() != deadline {
					t.Error("a message that is discarded changes when something is done")
				}
			})
		}
	}
}

// What makes a message useless in whatever state; nothing comes of it.
func TestUselessMessages(t *testing.T) {
	for _, tt := range []struct {
		name   string
		state  State
		typ    Type
		change func(m *Message)
		want   Verdict
	}{
		// RFC 2131, 4.4.1: "If the 'xid' of an arriving DHCPOFFER message does not match the 'xid' of the most recent DHCPDISCOVER
		// message, the DHCPOFFER message must be silently discarded."
		{"xid", Selecting, Offer, func(m *Message) { m.XID++ }, NotAsked},
		{"xid of an ACK", Renewing, ACK, func(m *Message) { m.XID++ }, NotAsked},
		{"a request", Selecting, Offer, func(m *Message) { m.Op = BootRequest }, NotReply},
		{"chaddr", Selecting, Offer, func(m *Message) { m.HardwareAddr[5]++ }, NotOurs},
		// RFC 6842: that of another client.
		{"client identifier", Selecting, Offer, func(m *Message) { m.Options.Set(OptClientID, 1, 2, 3) }, NotOurs},
		{"no type", Selecting, Offer, func(m *Message) { m.Options.Delete(OptMessageType) }, Malformed},
		{"type of two octets", Selecting, Offer, func(m *Message) { m.Options.Set(OptMessageType, 2, 2) }, Malformed},
		{"type 9", Selecting, Offer, func(m *Message) { m.Options.Set(OptMessageType, 9) }, Malformed},
		// RFC 2131, table 3: "Server identifier MUST MUST MUST".
		{"no server", Selecting, Offer, func(m *Message) { m.Options.Delete(OptServerID) }, Malformed},
		{"no server in ACK", Requesting, ACK, func(m *Message) { m.Options.Delete(OptServerID) }, Malformed},
		{"no server in NAK", Requesting, NAK, func(m *Message) { m.Options.Delete(OptServerID) }, Malformed},
		{"server 0.0.0.0", Selecting, Offer, func(m *Message) { m.Options.SetAddrs(OptServerID, netip.IPv4Unspecified()) }, Malformed},
		{"server of five octets", Selecting, Offer, func(m *Message) { m.Options.Set(OptServerID, 192, 0, 2, 1, 1) }, Malformed},
		// "IP address lease time MUST MUST (DHCPREQUEST)"
		{"no lease time", Selecting, Offer, func(m *Message) { m.Options.Delete(OptLeaseTime) }, Malformed},
		{"no lease time in ACK", Requesting, ACK, func(m *Message) { m.Options.Delete(OptLeaseTime) }, Malformed},
		{"no time at all", Selecting, Offer, func(m *Message) { m.Options.SetSeconds(OptLeaseTime, 0) }, Malformed},
		{"no address", Selecting, Offer, func(m *Message) { m.YourAddr = netip.Addr{} }, Malformed},
		{"a group", Selecting, Offer, func(m *Message) { m.YourAddr = netip.MustParseAddr("224.0.0.1") }, Malformed},
		{"loopback", Selecting, Offer, func(m *Message) { m.YourAddr = netip.MustParseAddr("127.0.0.1") }, Malformed},
		{"broadcast address", Selecting, Offer, func(m *Message) { m.YourAddr = netip.MustParseAddr("192.0.2.255") }, Malformed},
		{"network's address", Selecting, Offer, func(m *Message) { m.YourAddr = netip.MustParseAddr("192.0.2.0") }, Malformed},
		{"mask with a hole", Selecting, Offer, func(m *Message) { m.Options.Set(OptSubnetMask, 255, 0, 255, 0) }, Malformed},
		{"mask of nothing", Selecting, Offer, func(m *Message) { m.Options.Set(OptSubnetMask, 0, 0, 0, 0) }, Malformed},
		{"mask of two octets", Selecting, Offer, func(m *Message) { m.Options.Set(OptSubnetMask, 255, 0) }, Malformed},
		// Another server than the one selected does not speak for it.
		{"ACK of another", Requesting, ACK, func(m *Message) { m.Options.SetAddrs(OptServerID, server2) }, WrongServer},
		{"NAK of another", Requesting, NAK, func(m *Message) { m.Options.SetAddrs(OptServerID, server2) }, WrongServer},
		{"other address than offered", Requesting, ACK, func(m *Message) { m.YourAddr = m.YourAddr.Next() }, WrongAddress},
		{"other address than had", Rebooting, ACK, func(m *Message) { m.YourAddr = m.YourAddr.Next() }, WrongAddress},
		{"other address than held", Renewing, ACK, func(m *Message) { m.YourAddr = m.YourAddr.Next() }, WrongAddress},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, MachineConfig{}).to(tt.state)
			m := r.reply(tt.typ, server1)
			good := *m
			good.Options = slices.Clone(m.Options)
			tt.change(m)
			deadline := r.Deadline()
			r.gets(m, tt.want)
			if r.State() != tt.state || r.Deadline() != deadline || len(r.sent)+len(r.news) > 0 {
				t.Errorf("it led to %v, %v, %v", r.State(), r.sent, r.news)
			}
			if n := r.Stats().Arrived[tt.want]; n != 1 {
				t.Errorf("counted %d times", n)
			}
			r.gets(&good, Accepted) // without the fault
		})
	}
}

// RFC 2131, 4.1: "the delay before the first retransmission SHOULD be 4 seconds randomized by the value of a uniform random number
// chosen from the range -1 to +1." "The retransmission delay SHOULD be doubled with subsequent retransmissions up to a maximum of 64
// seconds."
func TestBackOff(t *testing.T) {
	var first []time.Duration
	for seed := range 50 {
		r := newRig(t, MachineConfig{})
		for range seed {
			r.random32()
		}
		r.Start(0, nil, 0)
		r.collect()
		r.run(6 * time.Minute)
		for i, want := range []time.Duration{4, 8, 16, 32, 64, 64} {
			want *= time.Second
			d := r.sent[i+1].at - r.sent[i].at
			if d < want-time.Second || d > want+time.Second {
				t.Errorf("seed %d: DHCPDISCOVER %d after %v, want %v ± 1s", seed, i+1, d, want)
			}
			if i == 0 {
				first = append(first, d)
			}
		}
		// RFC 2131, table 5: 'secs' is 0, or the seconds since the client began.
		if s := r.sent[2].Message.Secs; time.Duration(s) != r.sent[2].at/time.Second {
			t.Errorf("secs %d at %v", s, r.sent[2].at)
		}
		if !strings.Contains(r.tookNews(), "no server offers anything") {
			t.Error("nobody was told")
		}
	}
	if slices.Min(first) > 3200*time.Millisecond || slices.Max(first) < 4800*time.Millisecond {
		t.Errorf("not spread over 3 to 5 s: %v to %v", slices.Min(first), slices.Max(first))
	}
}

// RFC 2131, 4.4.1: "The client SHOULD wait a random time between one and ten seconds to desynchronize the use of DHCP at startup",
// where so configured.
func TestStartDelay(t *testing.T) {
	r := newRig(t, MachineConfig{StartDelay: 10 * time.Second})
	r.Start(0, nil, 0)
	r.want("state", r.State(), Init)
	if d := r.Deadline().Duration(); d <= 0 || d > 10*time.Second {
		t.Errorf("begins after %v", d)
	}
	r.step()
	r.want("sent", r.tookSent(), "DHCPDISCOVER")
}

// RFC 2131, table 5: which fields and options each message has.
func TestMessages(t *testing.T) {
	cfg := MachineConfig{HostName: "toaster", VendorClass: "onlink", LeaseTime: time.Hour, MaxMessageSize: 1500}
	yes := func(r *rig, codes ...uint8) {
		t.Helper()
		var got []uint8
		for _, o := range r.last.Options {
			got = append(got, o.Code)
		}
		if !slices.Equal(got, codes) {
			t.Errorf("%v has options %v, want %v", r.last.Type(), got, codes)
		}
		if r.last.HardwareAddr != testMAC || r.last.Op != BootRequest || r.last.YourAddr.IsValid() || r.last.RelayAddr.IsValid() || r.last.ServerAddr.IsValid() {
			t.Errorf("%+v", r.last)
		}
	}
	r := newRig(t, cfg).to(Selecting)
	query := []uint8{OptMessageType, OptClientID, OptMaxMessageSize, OptParameters, OptHostName, OptVendorClass, OptLeaseTime}
	yes(r, query...)
	r.want("ciaddr", r.last.ClientAddr, netip.Addr{})

	r = newRig(t, cfg).to(Requesting)
	yes(r, append(slices.Clone(query), OptRequestedAddr, OptServerID)...)
	// RFC 2131, 4.3.2: "Client inserts the address of the selected server in 'server identifier', 'ciaddr' MUST be zero, 'requested IP
	// address' MUST be filled in with the yiaddr value from the chosen DHCPOFFER."
	id, _ := r.last.ServerID()
	asked, _ := r.last.Options.Addr(OptRequestedAddr)
	r.want("server, ciaddr, requested", []any{id, r.last.ClientAddr, asked}, []any{server1, netip.Addr{}, address1})

	// "DHCPREQUEST generated during INIT-REBOOT state: 'server identifier' MUST NOT be filled in, 'requested IP address' option MUST be
	// filled in with client's notion of its previously assigned address. 'ciaddr' MUST be zero."
	r = newRig(t, cfg).to(Rebooting)
	yes(r, append(slices.Clone(query), OptRequestedAddr)...)
	r.want("ciaddr", r.last.ClientAddr, netip.Addr{})

	for _, s := range []State{Renewing, Rebinding} {
		// "'server identifier' MUST NOT be filled in, 'requested IP address' option MUST NOT be filled in, 'ciaddr' MUST be filled in
		// with client's IP address."
		r = newRig(t, cfg).to(s)
		yes(r, query...)
		r.want("ciaddr", r.last.ClientAddr, address1)
	}

	r = newRig(t, cfg).to(Bound)
	r.Conflict(r.now, "02:00:00:00:00:09 has it")
	r.collect()
	yes(r, OptMessageType, OptClientID, OptRequestedAddr, OptServerID, OptMessage)
	r.want("ciaddr", r.last.ClientAddr, netip.Addr{})
	if r.last.XID == 0 || r.last.Secs != 0 {
		t.Errorf("%+v", r.last)
	}

	r = newRig(t, cfg).to(Bound)
	r.Release(r.now)
	r.collect()
	yes(r, OptMessageType, OptClientID, OptServerID)
	r.want("ciaddr", r.last.ClientAddr, address1)

	r = newRig(t, cfg).to(Informing)
	yes(r, query[:len(query)-1]...) // "The client SHOULD NOT request lease time parameters."
	r.want("ciaddr", r.last.ClientAddr, address1)
}

// RFC 2131, 4.4.4: "The DHCP client broadcasts DHCPDISCOVER, DHCPREQUEST and DHCPINFORM messages, unless the client knows the address
// of a DHCP server. The client unicasts DHCPRELEASE messages to the server. Because the client is declining the use of the IP address
// supplied by the server, the client broadcasts DHCPDECLINE messages."
func TestBroadcastAndUnicast(t *testing.T) {
	// 4.1: "DHCP messages broadcast by a client prior to that client obtaining its IP address must have the source address field in
	// the IP header set to 0."
	none := netip.Addr{}
	for s, want := range map[State][2]netip.Addr{
		Selecting: {none, broadcastAddr}, Requesting: {none, broadcastAddr}, Rebooting: {none, broadcastAddr},
		Renewing: {address1, server1}, Rebinding: {address1, broadcastAddr}, Informing: {address1, broadcastAddr},
	} {
		r := newRig(t, MachineConfig{}).to(s)
		for len(r.sent) == 0 { // it is sent again
			r.step()
		}
		o := r.sent[0]
		if o.From != want[0] || o.To != want[1] {
			t.Errorf("%v: %v from %v to %v, want %v", s, o.Message.Type(), o.From, o.To, want)
		}
	}
	for typ, want := range map[Type][2]netip.Addr{Decline: {none, broadcastAddr}, Release: {address1, server1}} {
		r := newRig(t, MachineConfig{}).to(Bound)
		if typ == Decline {
			r.Conflict(r.now, "taken")
		} else {
			r.Release(r.now)
		}
		r.collect()
		if o := r.sent[0]; o.Message.Type() != typ || o.From != want[0] || o.To != want[1] {
			t.Errorf("%v from %v to %v, want %v", o.Message.Type(), o.From, o.To, want)
		}
	}
}

// RFC 2131, 4.2: "the client MUST use the same 'client identifier' in all subsequent messages". RFC 4361, 6.1: "the type of the
// 'client identifier' option is set to 255."
func TestClientIdentifier(t *testing.T) {
	wantDefault := []byte{255, 0, 0, 0, 7, 0, 3, 0, 1, 2, 0, 0, 0, 0, 7}
	for _, tt := range []struct {
		cfg  MachineConfig
		want []byte
	}{
		{MachineConfig{}, wantDefault},
		{MachineConfig{DUID: []byte{0, 4, 9, 9}}, []byte{255, 0, 0, 0, 7, 0, 4, 9, 9}},
		{MachineConfig{ClientID: []byte("\x00me")}, []byte("\x00me")},
		{MachineConfig{ClientID: []byte{}}, nil},
	} {
		r := newRig(t, tt.cfg)
		check := func() {
			for _, o := range r.sent {
				if got, _ := o.Message.Options.Get(OptClientID); string(got) != string(tt.want) {
					t.Errorf("%v has %x, want %x", o.Message.Type(), got, tt.want)
				}
			}
		}
		r.Start(0, nil, 0)
		r.collect()
		r.gets(r.reply(Offer, server1), Accepted)
		r.gets(r.reply(ACK, server1), Accepted)
		r.run(58 * time.Minute)
		r.Conflict(r.now, "taken")
		r.collect()
		check()
		if n := len(r.sent); n < 5 {
			t.Errorf("only %d messages", n)
		}
		// A server may give it back (RFC 6842).
		again := newRig(t, tt.cfg).to(Selecting)
		m := again.reply(Offer, server1)
		if tt.want != nil {
			m.Options.Set(OptClientID, tt.want...)
		}
		again.gets(m, Accepted)
	}
}

// RFC 2131, 3.1: "the DHCPREQUEST message MUST use the same value in the DHCP message header's 'secs' field and be sent to the same IP
// broadcast address as the original DHCPDISCOVER message." 4.4.1: "The DHCPREQUEST message contains the same 'xid' as the DHCPOFFER
// message."
func TestRequestRepeatsDiscover(t *testing.T) {
	r := newRig(t, MachineConfig{}).to(Selecting)
	r.run(5 * time.Second) // it is sent again
	discover := r.last
	r.run(time.Second)
	r.gets(r.reply(Offer, server1), Accepted)
	if discover.Secs == 0 || r.last.Secs != discover.Secs || r.last.XID != discover.XID || r.last.Type() != Request {
		t.Errorf("%+v after %+v", r.last, discover)
	}
}

// RFC 2131, 4.4.1: "The client collects DHCPOFFER messages over a period of time, selects one DHCPOFFER message from the (possibly
// many) incoming DHCPOFFER messages (e.g., the first DHCPOFFER message or the DHCPOFFER message from the previously used server)".
func TestChoosing(t *testing.T) {
	offer := func(r *rig, from netip.Addr, address string) {
		m := answer(r.last, Offer, from)
		grant(m, address, time.Hour)
		r.gets(m, Accepted)
	}
	for _, tt := range []struct {
		name, before string // the address and server of a lease that has ended
		wait         time.Duration
		want         netip.Addr
	}{
		{"the first, at once", "", 0, server1},
		{"the first of several", "", time.Second, server1},
		{"the address we had", "192.0.2.8", time.Second, server2},
		{"the server we had", "192.0.2.99", time.Second, server2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, MachineConfig{OfferWait: tt.wait})
			var before *Lease
			if tt.before != "" {
				before = &Lease{Address: netip.MustParsePrefix(tt.before + "/24"), Server: server2, Duration: time.Hour}
			}
			r.Start(r.now, before, r.now)
			r.collect()
			if a, _ := r.last.Options.Addr(OptRequestedAddr); before != nil && a != before.Address.Addr() {
				t.Errorf("asks for %v", a) // RFC 2131, 4.4.1: "The client MAY suggest a network address"
			}
			offer(r, server1, "192.0.2.7/24")
			if tt.wait != 0 {
				r.want("state", r.State(), Selecting)
				offer(r, server2, "192.0.2.8/24")
				r.run(tt.wait)
			}
			r.want("state", r.State(), Requesting)
			id, _ := r.last.ServerID()
			r.want("server", id, tt.want)
		})
	}
}

// There is a bound to the offers that are kept.
func TestOffersBounded(t *testing.T) {
	r := newRig(t, MachineConfig{OfferWait: time.Minute}).to(Selecting)
	for range 1000 {
		r.gets(r.reply(Offer, server1), Accepted)
	}
	r.want("offers", len(r.offers), maxOffers)
}

// RFC 2131, 3.1: "might retransmit the DHCPREQUEST message four times, for a total delay of 60 seconds, before restarting the
// initialization procedure." "The client SHOULD notify the user that the initialization process has failed and is restarting."
func TestRequestUnanswered(t *testing.T) {
	for _, s := range []State{Requesting, Rebooting} {
		r := newRig(t, MachineConfig{}).to(s)
		r.run(55 * time.Second)
		r.want("sent", r.tookSent(), "DHCPREQUEST DHCPREQUEST DHCPREQUEST")
		r.step()
		r.want("state", r.State(), Selecting)
		r.want("sent", r.tookSent(), "DHCPDISCOVER")
		r.want("news", r.tookNews(), "failed: no server answers the request")
	}
}

// RFC 2131, 4.4.5: "Times T1 and T2 are configurable by the server through options. T1 defaults to (0.5 * duration_of_lease). T2
// defaults to (0.875 * duration_of_lease)." "T1 MUST be earlier than T2, which, in turn, MUST be earlier than the time at which the
// client's lease will expire." "Times T1 and T2 SHOULD be chosen with some random 'fuzz' around a fixed value".
func TestTimes(t *testing.T) {
	const h = time.Hour
	for _, tt := range []struct{ lease, t1, t2, want1, want2 time.Duration }{
		{8 * h, 0, 0, 4 * h, 7 * h},
		{8 * h, 2 * h, 5 * h, 2 * h, 5 * h},
		{8 * h, 6 * h, 5 * h, 5 * h / 7 * 4, 5 * h},
		{8 * h, 2 * h, 9 * h, 2 * h, 7 * h},
		{8 * h, 9 * h, 9 * h, 4 * h, 7 * h},
		{8 * h, Forever, Forever, 4 * h, 7 * h},
		{Forever, 2 * h, 5 * h, Forever, Forever},
	} {
		r := newRig(t, MachineConfig{}).to(Requesting)
		m := r.reply(ACK, server1)
		m.Options.SetSeconds(OptLeaseTime, tt.lease)
		if tt.t1 != 0 {
			m.Options.SetSeconds(OptRenewalTime, tt.t1)
			m.Options.SetSeconds(OptRebindingTime, tt.t2)
		}
		r.gets(m, Accepted)
		l, t1, t2, end := r.Lease()
		if l.Duration != tt.lease || l.T1 != tt.want1 || l.T2 != tt.want2 {
			t.Errorf("%+v: %v, %v, %v", tt, l.Duration, l.T1, l.T2)
		}
		if tt.lease == Forever {
			// RFC 2131, 3.3: "The time value of 0xffffffff is reserved to represent 'infinity'."
			r.want("deadline", r.Deadline(), clock.Never)
			continue
		}
		if t1.Duration() > tt.want1 || t1.Duration() < tt.want1/16*15 || t2.Duration() > tt.want2 || t2 < t1 || t2.Duration() < tt.want2/16*15 || end.Duration() != tt.lease {
			t.Errorf("%+v: at %v, %v, %v", tt, t1, t2, end)
		}
	}
}

// RFC 2131, 4.4.1: "The client records the lease expiration time as the sum of the time at which the original request was sent and the
// duration of the lease from the DHCPACK message."
func TestExpirationCountsFromRequest(t *testing.T) {
	r := newRig(t, MachineConfig{}).to(Requesting)
	asked := r.now
	r.run(20 * time.Second) // sent again meanwhile
	r.gets(r.reply(ACK, server1), Accepted)
	_, _, _, end := r.Lease()
	r.want("end", end, asked.Add(time.Hour))
	// 4.4.5: "the client computes the lease expiration time as the sum of the time at which the client sent the DHCPREQUEST message and
	// the duration of the lease in the DHCPACK message": the one that is answered.
	r.step()
	r.step()
	r.want("state", r.State(), Renewing)
	asked = r.now
	r.run(time.Second)
	r.gets(r.reply(ACK, server1), Accepted)
	_, _, _, end = r.Lease()
	r.want("end", end, asked.Add(time.Hour))
}

// RFC 2131, 4.4.5: "In both RENEWING and REBINDING states, if the client receives no response to its DHCPREQUEST message, the client
// SHOULD wait one-half of the remaining time until T2 (in RENEWING state) and one-half of the remaining lease time (in REBINDING
// state), down to a minimum of 60 seconds, before retransmitting the DHCPREQUEST message." And then: "If the lease expires before the
// client receives a DHCPACK, the client moves to INIT state, MUST immediately stop any other network processing".
func TestServerGone(t *testing.T) {
	r := newRig(t, MachineConfig{}).to(Bound)
	_, t1, t2, end := r.Lease()
	r.run(2 * time.Hour)
	at, until := t1, t2
	for i, o := range r.sent {
		if at >= end {
			if o.Message.Type() != Discover || o.at != end.Duration() {
				t.Errorf("message %d, %v, at %v, when the lease ends at %v", i, o.Message.Type(), o.at, end)
			}
			break
		}
		if o.Message.Type() != Request || o.at != at.Duration() {
			t.Fatalf("message %d, %v, at %v, want it at %v", i, o.Message.Type(), o.at, at)
		}
		if to := map[bool]netip.Addr{true: server1, false: broadcastAddr}[at < t2]; o.To != to {
			t.Errorf("message %d to %v, want %v", i, o.To, to)
		}
		if at == t2 {
			until = end
		}
		at = min(at.Add(max(until.Sub(at)/2, time.Minute)), until)
	}
	if n := len(r.sent); n < 10 {
		t.Errorf("only %d messages", n)
	}
	if !strings.HasPrefix(r.tookNews(), "lost 192.0.2.7/24: the lease has ended") {
		t.Error("nobody was told")
	}
}

// A lease that ends while the link is down is lost, too.
func TestEndWhileHalted(t *testing.T) {
	r := newRig(t, MachineConfig{}).to(Bound)
	r.Halt()
	r.run(2 * time.Hour)
	r.want("news", r.tookNews(), "lost 192.0.2.7/24: the lease has ended")
	r.want("sent", r.tookSent(), "")
	r.Resume(r.now)
	r.collect()
	r.want("sent", r.tookSent(), "DHCPDISCOVER")
	if a, _ := r.last.Options.Addr(OptRequestedAddr); a != address1 {
		t.Errorf("asks for %v", a)
	}
}

// RFC 2131, 3.7: "A client SHOULD use DHCP to reacquire or verify its IP address and network parameters whenever the local network
// parameters may have changed; e.g., at system boot time or after a disconnection from the local network".
func TestResume(t *testing.T) {
	r := newRig(t, MachineConfig{}).to(Bound)
	r.run(time.Minute)
	r.Halt()
	r.run(time.Minute)
	r.Resume(r.now)
	r.collect()
	r.want("state", r.State(), Rebooting)
	r.want("sent", r.tookSent(), "DHCPREQUEST")
	r.gets(r.reply(ACK, server1), Accepted)
	r.want("news", r.tookNews(), "renewed 192.0.2.7/24 of 192.0.2.1 for 1h0m0s")

	// On another link: "If the client receives a DHCPNAK message, it cannot reuse its remembered network address."
	r.Halt()
	r.Resume(r.now)
	r.collect()
	r.gets(r.reply(NAK, server2), Accepted)
	r.want("news", r.tookNews(), "lost 192.0.2.7/24: refused by 192.0.2.2")
	r.want("state", r.State(), Selecting)
	if _, found := r.last.Options.Get(OptRequestedAddr); found {
		t.Error("asks for the address that was refused")
	}
}

// RFC 2131, 3.2: "If the client receives neither a DHCPACK or a DHCPNAK message after employing the retransmission algorithm, the client
// MAY choose to use the previously allocated network address and configuration parameters for the remainder of the unexpired lease."
func TestResumeUnanswered(t *testing.T) {
	r := newRig(t, MachineConfig{}).to(Bound)
	r.Halt()
	r.Resume(r.now)
	r.run(time.Minute + 10*time.Second)
	r.want("state", r.State(), Bound)
	r.want("news", r.tookNews(), "failed: no server confirms the lease, which goes on")
	r.tookSent()
	r.run(time.Hour)
	if s := r.tookSent(); !strings.HasPrefix(s, "DHCPREQUEST") {
		t.Errorf("sent %s", s)
	}
}

// RFC 2131, 3.1: "the client MUST send a DHCPDECLINE message to the server and restarts the configuration process. The client SHOULD
// wait a minimum of ten seconds before restarting the configuration process". RFC 5227, 2.1.1: "if the host experiences
// MAX_CONFLICTS or more address conflicts on a given interface, then the host MUST limit the rate".
func TestDecline(t *testing.T) {
	r := newRig(t, MachineConfig{})
	r.Start(0, nil, 0)
	r.collect()
	for i := range 12 {
		r.gets(r.reply(Offer, server1), Accepted)
		r.gets(r.reply(ACK, server1), Accepted)
		r.tookSent()
		r.tookNews()
		r.Conflict(r.now, "taken")
		r.collect()
		r.want("sent", r.tookSent(), "DHCPDECLINE")
		r.want("news", r.tookNews(), "lost 192.0.2.7/24: taken")
		r.want("state", r.State(), Init)
		want := 10 * time.Second
		if i >= 9 {
			want = time.Minute
		}
		r.want("wait", r.Deadline().Sub(r.now), want)
		r.step()
		r.want("sent", r.tookSent(), "DHCPDISCOVER")
		if _, found := r.last.Options.Get(OptRequestedAddr); found {
			t.Error("asks for the address that another station has")
		}
	}
	r.Conflict(r.now, "nothing is held")
	r.want("state", r.State(), Selecting)
}

// A server that offers and refuses again and again is asked less and less often.
func TestRefusalsSlowDown(t *testing.T) {
	r := newRig(t, MachineConfig{})
	r.Start(0, nil, 0)
	for range 1000 {
		r.collect()
		if r.State() == Init {
			r.step()
		}
		r.gets(r.reply(Offer, server1), Accepted)
		r.gets(r.reply(NAK, server1), Accepted)
		if r.now > clock.Instant(10*time.Minute) {
			break
		}
	}
	if n := r.Stats().Sent[Discover]; n < 5 || n > 20 {
		t.Errorf("%d DHCPDISCOVERs in ten minutes", n)
	}
}

// RFC 2131, 4.4.3: "Once a DHCPACK message with an 'xid' field matching that in the client's DHCPINFORM message arrives from any server,
// the client is initialized. If the client does not receive a DHCPACK within a reasonable period of time (60 seconds or 4 tries if
// using timeout suggested in section 4.1), then it SHOULD display a message informing the user of the problem".
func TestInform(t *testing.T) {
	r := newRig(t, MachineConfig{}).to(Informing)
	r.run(70 * time.Second)
	r.want("news", r.tookNews(), "failed: no server answers")
	m := answer(r.last, ACK, server1)
	m.Options.SetAddrs(OptNameServers, server2)
	r.gets(m, Accepted)
	r.want("news", r.tookNews(), "learned of 192.0.2.1")
	r.want("deadline", r.Deadline(), clock.Never)
	r.Release(r.now)
	r.collect()
	r.want("sent since", strings.Contains(r.tookSent(), "DHCPRELEASE"), false)
}

// RFC 2131, 4.4.5: "A client MAY choose to renew or extend its lease prior to T1."
func TestRenewEarly(t *testing.T) {
	r := newRig(t, MachineConfig{}).to(Bound)
	r.Renew(r.now)
	r.collect()
	r.want("state", r.State(), Renewing)
	r.want("sent", r.tookSent(), "DHCPREQUEST")
}

// RFC 3442: "The Classless Static Routes option code MUST appear in the parameter request list prior to both the Router option code and
// the Static Routes option code, if present." RFC 2131, 4.4.1: "If the client included a list of requested parameters in a DHCPDISCOVER
// message, it MUST include that list in all subsequent messages."
func TestParameters(t *testing.T) {
	i := func(code uint8) int { return slices.Index(parameters, code) }
	if i(OptClasslessRoutes) < 0 || i(OptClasslessRoutes) > i(OptRouters) || i(OptClasslessRoutes) > i(OptStaticRoutes) {
		t.Errorf("%v", parameters)
	}
	for _, s := range []State{Selecting, Requesting, Rebooting, Renewing, Rebinding, Informing} {
		r := newRig(t, MachineConfig{}).to(s)
		if got, _ := r.last.Options.Get(OptParameters); !slices.Equal(got, parameters) {
			t.Errorf("%v: %v", s, got)
		}
	}
}

// A configuration that makes no sense is refused, by the name of its field.
func TestMachineConfigErrors(t *testing.T) {
	long := strings.Repeat("x", 256)
	for want, cfg := range map[string]MachineConfig{
		"HostName": {HostName: "a b"}, "ClientID": {ClientID: []byte{1}}, "DUID": {DUID: []byte{1}}, "VendorClass": {VendorClass: long},
		"Parameters": {Parameters: []byte(long)}, "LeaseTime": {LeaseTime: -1}, "StartDelay": {StartDelay: -1},
		"OfferWait": {OfferWait: -1}, "MaxMessageSize": {MaxMessageSize: 575},
	} {
		cfg.HardwareAddr, cfg.Entropy = testMAC, func([]byte) {}
		if _, err := NewMachine(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for want, cfg := range map[string]MachineConfig{"HardwareAddr": {Entropy: func([]byte) {}}, "Entropy": {HardwareAddr: testMAC}} {
		if _, err := NewMachine(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
