package dhcp4

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/wire"
)

func newPool(t *testing.T, change func(c *PoolConfig)) *Pool {
	t.Helper()
	cfg := PoolConfig{Server: netip.MustParsePrefix("192.0.2.1/24"), First: netip.MustParseAddr("192.0.2.50"), Last: netip.MustParseAddr("192.0.2.52")}
	if change != nil {
		change(&cfg)
	}
	p, err := NewPool(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// says returns what a client sends: its number, its message, and the address that it wants or has.
func says(client byte, typ Type, address string, change ...func(m *Message)) *Message {
	m := &Message{Op: BootRequest, XID: uint32(client), HardwareAddr: wire.MAC{2, 0, 0, 0, 0, client}}
	m.Options.Set(OptMessageType, byte(typ))
	if a, err := netip.ParseAddr(address); err == nil {
		m.Options.SetAddrs(OptRequestedAddr, a)
	}
	for _, f := range change {
		f(m)
	}
	return m
}

// to names the server that a message is for.
func to(server netip.Addr) func(m *Message) {
	return func(m *Message) { m.Options.SetAddrs(OptServerID, server) }
}

// has moves the address that is wanted to 'ciaddr'.
func has(m *Message) {
	m.ClientAddr, _ = m.Options.Addr(OptRequestedAddr)
	m.Options.Delete(OptRequestedAddr)
}

// Conversations with a server of three addresses. RFC 2131, 4.3: what it answers to each message.
func TestPool(t *testing.T) {
	type turn struct {
		at   time.Duration
		m    *Message
		want string // the answer's type and address; empty: none
	}
	s := time.Second
	long := func(n byte) []turn { // client n gets an address
		a := fmt.Sprintf("192.0.2.%d", 49+n)
		return []turn{{0, says(n, Discover, ""), "DHCPOFFER " + a}, {0, says(n, Request, a, to(server1)), "DHCPACK " + a}}
	}
	other := netip.MustParseAddr("192.0.2.2")
	for name, tt := range map[string]struct {
		turns  []turn
		change func(c *PoolConfig)
	}{
		"one after the other": {append(append(long(1), long(2)...), long(3)...), nil},
		// 4.3.1: "The client's current address as recorded in the client's current binding, ELSE"
		"again": {append(long(1), turn{9 * s, says(1, Discover, "192.0.2.52"), "DHCPOFFER 192.0.2.50"}), nil},
		// "The client's previous address as recorded in the client's (now expired or released) binding"
		"after its end": {append(long(1), turn{2 * time.Hour, says(1, Discover, ""), "DHCPOFFER 192.0.2.50"}), nil},
		// "The address requested in the 'Requested IP Address' option, if that address is valid and not already allocated, ELSE"
		"a wish":                         {[]turn{{0, says(1, Discover, "192.0.2.52"), "DHCPOFFER 192.0.2.52"}}, nil},
		"a wish for another's":           {append(long(1), turn{0, says(2, Discover, "192.0.2.50"), "DHCPOFFER 192.0.2.51"}), nil},
		"a wish for what is not given":   {[]turn{{0, says(1, Discover, "192.0.2.9"), "DHCPOFFER 192.0.2.50"}}, nil},
		"none left":                      {append(append(append(long(1), long(2)...), long(3)...), turn{0, says(4, Discover, ""), ""}), nil},
		"those that ended, oldest first": {append(append(append(long(2)[:0], long(1)...), turn{s, says(2, Discover, ""), "DHCPOFFER 192.0.2.51"}, turn{2 * s, says(3, Discover, ""), "DHCPOFFER 192.0.2.52"}), turn{2 * time.Hour, says(4, Discover, ""), "DHCPOFFER 192.0.2.51"}), nil},
		// "the server SHOULD NOT reuse the selected network address before the client responds to the server's DHCPOFFER message."
		"an offer is kept": {[]turn{{0, says(1, Discover, ""), "DHCPOFFER 192.0.2.50"}, {s, says(2, Discover, ""), "DHCPOFFER 192.0.2.51"}}, nil},
		// 3.1: "Those servers not selected by the DHCPREQUEST message use the message as notification that the client has declined that
		// server's offer."
		"not selected": {[]turn{{0, says(1, Discover, ""), "DHCPOFFER 192.0.2.50"}, {0, says(1, Request, "192.0.2.99", to(other)), ""},
			{s, says(2, Discover, "192.0.2.50"), "DHCPOFFER 192.0.2.50"}}, nil},
		"selected without an offer": {[]turn{{0, says(1, Request, "192.0.2.50", to(server1)), "DHCPNAK invalid IP"}}, nil},
		"selected with another":     {[]turn{{0, says(1, Discover, ""), "DHCPOFFER 192.0.2.50"}, {0, says(1, Request, "192.0.2.51", to(server1)), "DHCPNAK invalid IP"}}, nil},
		// 4.3.2, INIT-REBOOT
		"rebooting":            {append(long(1), turn{s, says(1, Request, "192.0.2.50"), "DHCPACK 192.0.2.50"}), nil},
		"rebooting after long": {append(long(1), turn{2 * time.Hour, says(1, Request, "192.0.2.50"), "DHCPACK 192.0.2.50"}), nil},
		// "If the DHCP server has no record of this client, then it MUST remain silent"
		"rebooting, unknown": {[]turn{{0, says(1, Request, "192.0.2.50"), ""}}, nil},
		// "If the DHCP server detects that the client is on the wrong net … then the server SHOULD send a DHCPNAK message to the client."
		"rebooting, wrong net":          {[]turn{{0, says(1, Request, "198.51.100.9"), "DHCPNAK invalid IP"}}, nil},
		"rebooting, wrong net, shy":     {[]turn{{0, says(1, Request, "198.51.100.9"), ""}}, func(c *PoolConfig) { c.Shy = true }},
		"rebooting with what is wrong":  {append(long(1), turn{s, says(1, Request, "192.0.2.51"), "DHCPNAK invalid IP"}), nil},
		"renewing":                      {append(long(1), turn{time.Hour / 2, says(1, Request, "192.0.2.50", has), "DHCPACK 192.0.2.50"}), nil},
		"renewing, unknown":             {[]turn{{0, says(1, Request, "192.0.2.50", has), "DHCPNAK invalid IP"}}, nil},
		"renewing, unknown, shy":        {[]turn{{0, says(1, Request, "192.0.2.50", has), ""}}, func(c *PoolConfig) { c.Shy = true }},
		"renewing what another has now": {append(append(append(long(1), long(2)...), long(3)...), turn{2 * time.Hour, says(4, Discover, "192.0.2.50"), "DHCPOFFER 192.0.2.50"}, turn{2 * time.Hour, says(1, Request, "192.0.2.50", has), "DHCPNAK invalid IP"}), nil},
		"wants nothing":                 {[]turn{{0, says(1, Request, ""), ""}}, nil},
		// 4.3.3: "The server MUST mark the network address as not available".
		"declined": {append(long(1), turn{s, says(1, Decline, "192.0.2.50", to(server1)), ""}, turn{s, says(1, Discover, "192.0.2.50"), "DHCPOFFER 192.0.2.51"},
			turn{s, says(2, Discover, "192.0.2.50"), "DHCPOFFER 192.0.2.52"}, turn{s + declineTime, says(3, Discover, "192.0.2.50"), "DHCPOFFER 192.0.2.50"}), nil},
		"declined by another":       {append(long(1), turn{s, says(2, Decline, "192.0.2.50", to(server1)), ""}, turn{s, says(1, Request, "192.0.2.50", has), "DHCPACK 192.0.2.50"}), nil},
		"declined at another":       {append(long(1), turn{s, says(1, Decline, "192.0.2.50", to(other)), ""}, turn{s, says(1, Request, "192.0.2.50", has), "DHCPACK 192.0.2.50"}), nil},
		"released":                  {append(long(1), turn{s, says(1, Release, "192.0.2.50", has, to(server1)), ""}, turn{s, says(2, Discover, "192.0.2.50"), "DHCPOFFER 192.0.2.50"}), nil},
		"released, and there again": {append(long(1), turn{s, says(1, Release, "192.0.2.50", has, to(server1)), ""}, turn{2 * s, says(1, Discover, ""), "DHCPOFFER 192.0.2.50"}), nil},
		"released by another":       {append(long(1), turn{s, says(2, Release, "192.0.2.50", has, to(server1)), ""}, turn{s, says(2, Discover, "192.0.2.50"), "DHCPOFFER 192.0.2.51"}), nil},
		// 4.3.5: "The server MUST NOT send a lease expiration time to the client and SHOULD NOT fill in 'yiaddr'."
		"information": {[]turn{{0, says(1, Inform, "192.0.2.7", has), "DHCPACK invalid IP"}}, nil},
		"reserved": {[]turn{{0, says(1, Discover, ""), "DHCPOFFER 192.0.2.51"}, {0, says(9, Discover, "192.0.2.52"), "DHCPOFFER 192.0.2.50"},
			{0, says(9, Request, "192.0.2.50", to(server1)), "DHCPACK 192.0.2.50"}}, func(c *PoolConfig) {
			c.Reserved = map[wire.MAC]netip.Addr{{2, 0, 0, 0, 0, 9}: netip.MustParseAddr("192.0.2.50")}
		}},
		"a reply":     {[]turn{{0, says(1, Discover, "", func(m *Message) { m.Op = BootReply }), ""}}, nil},
		"an offer":    {[]turn{{0, says(1, Offer, ""), ""}}, nil},
		"other relay": {[]turn{{0, says(1, Discover, "", func(m *Message) { m.RelayAddr = netip.MustParseAddr("198.51.100.1") }), ""}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, tt.change)
			for i, turn := range tt.turns {
				a, ok := p.Arrive(clock.Instant(turn.at), turn.m.Append(nil))
				got := ""
				if ok {
					got = fmt.Sprint(a.Message.Type(), " ", a.Message.YourAddr)
				}
				if got != turn.want {
					t.Errorf("turn %d, %v: %q, want %q", i, turn.m.Type(), got, turn.want)
				}
				if !ok {
					continue
				}
				m, r := turn.m, a.Message
				if server, _ := r.ServerID(); r.XID != m.XID || r.HardwareAddr != m.HardwareAddr || r.Op != BootReply || server != server1 {
					t.Errorf("turn %d: %+v", i, r)
				}
				if _, times := r.Options.Seconds(OptLeaseTime); times != (r.YourAddr.IsValid()) {
					t.Errorf("turn %d: a lease time, %v", i, times)
				}
			}
			if n := len(p.Lent()); n > 4 || len(p.byClient) > n {
				t.Errorf("%d addresses, %d clients", n, len(p.byClient))
			}
		})
	}
}

// RFC 2131, 4.1: where an answer goes.
func TestDestination(t *testing.T) {
	relay := func(m *Message) { m.RelayAddr = netip.MustParseAddr("192.0.2.9") }
	broadcast := func(m *Message) { m.Broadcast = true }
	for _, tt := range []struct {
		name string
		m    *Message
		want string
	}{
		{"relay", says(1, Discover, "", relay, broadcast), "192.0.2.9:67"},
		{"broadcast", says(1, Discover, "", broadcast), "255.255.255.255:68"},
		{"to the hardware address", says(1, Discover, ""), "invalid AddrPort"},
		{"ciaddr", says(1, Inform, "192.0.2.7", has, broadcast), "192.0.2.7:68"},
		{"NAK", says(1, Request, "198.51.100.1", has), "255.255.255.255:68"},
		{"NAK by a relay", says(1, Request, "198.51.100.1", relay), "192.0.2.9:67"},
	} {
		a, ok := newPool(t, nil).Arrive(0, tt.m.Append(nil))
		if !ok || a.To.String() != tt.want {
			t.Errorf("%s: %v, %v", tt.name, a.To, ok)
		}
		if strings.Contains(tt.name, "relay") && !a.Message.Broadcast {
			t.Errorf("%s: without the broadcast bit", tt.name)
		}
	}
}

// What a client is told follows from what it asks for, and comes to it as it was meant.
func TestPoolParameters(t *testing.T) {
	give := Lease{Duration: 2 * time.Hour, T1: 10 * time.Minute, Routes: []Route{{netip.MustParsePrefix("0.0.0.0/0"), server1}}, MTU: 1400,
		NameServers: []netip.Addr{server2}, Domain: "example.org", Search: []string{"a.example", "b.example"}, NTPServers: []netip.Addr{server1}}
	reply := func(change func(l *Lease), f ...func(m *Message)) *Message {
		p := newPool(t, func(c *PoolConfig) {
			c.Parameters = give
			if change != nil {
				change(&c.Parameters)
			}
		})
		a, _ := p.Arrive(0, says(1, Discover, "", f...).Append(nil))
		m, err := Parse(a.Message.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	l, bad, err := newLease(reply(nil))
	if err != nil || bad != 0 || l.Duration != give.Duration || l.T1 != give.T1 || l.T2 != 105*time.Minute || l.MTU != 1400 || l.Domain != "example.org" ||
		fmt.Sprint(l.Routes, l.NameServers, l.Search, l.NTPServers) != fmt.Sprint(give.Routes, give.NameServers, give.Search, give.NTPServers) {
		t.Errorf("%+v, %d, %v", l, bad, err)
	}
	codes := func(m *Message) (s string) {
		for _, o := range m.Options {
			s += fmt.Sprint(o.Code, " ")
		}
		return s
	}
	asks := func(list ...byte) func(m *Message) { return func(m *Message) { m.Options.Set(OptParameters, list...) } }
	if got := codes(reply(nil, asks(OptNameServers, OptClasslessRoutes, OptRouters))); got != "53 54 51 58 59 1 3 6 " {
		t.Error(got)
	}
	more := func(l *Lease) { l.Routes = append(l.Routes[:1:1], Route{Prefix: netip.MustParsePrefix("10.0.0.0/8")}) }
	if got := codes(reply(more, asks(OptNameServers, OptClasslessRoutes, OptRouters))); got != "53 54 51 58 59 1 121 6 " {
		t.Error(got)
	}
	if got := codes(reply(more, asks(OptNameServers, OptRouters))); got != "53 54 51 58 59 1 3 6 " {
		t.Error(got)
	}
	// RFC 6842: the client's identifier comes back.
	m := reply(nil, func(m *Message) { m.Options.Set(OptClientID, 1, 2, 3) })
	if id, _ := m.Options.Get(OptClientID); string(id) != "\x01\x02\x03" {
		t.Errorf("%x", id)
	}
	// RFC 2131, 4.3.1: a client may ask for less.
	l, _, _ = newLease(reply(nil, func(m *Message) { m.Options.SetSeconds(OptLeaseTime, 10*time.Minute) }))
	if l.Duration != 10*time.Minute || l.T1 != 5*time.Minute {
		t.Errorf("%+v", l)
	}
	l, _, _ = newLease(reply(nil, func(m *Message) { m.Options.SetSeconds(OptLeaseTime, Forever) }))
	if l.Duration != 2*time.Hour {
		t.Errorf("%+v", l)
	}
	l, _, _ = newLease(reply(func(l *Lease) { l.Duration = Forever }))
	if l.Duration != Forever {
		t.Errorf("%+v", l)
	}
}

// A configuration that makes no sense is refused, by the name of its field.
func TestPoolConfigErrors(t *testing.T) {
	a, p := netip.MustParseAddr, netip.MustParsePrefix
	own := p("192.0.2.1/24")
	for want, cfgs := range map[string][]PoolConfig{
		"Server":   {{}, {Server: p("::1/64")}},
		"First":    {{Server: own}, {Server: own, First: a("192.0.3.1"), Last: a("192.0.3.2")}, {Server: own, First: a("192.0.2.1"), Last: a("192.0.2.9")}},
		"Last":     {{Server: own, First: a("192.0.2.9"), Last: a("192.0.2.8")}, {Server: own, First: a("192.0.2.9"), Last: a("192.0.2.255")}},
		"Reserved": {{Server: own, Reserved: map[wire.MAC]netip.Addr{{}: a("10.0.0.1")}}},
		"Duration": {{Server: own, First: a("192.0.2.8"), Last: a("192.0.2.9"), Parameters: Lease{Duration: 1}}},
	} {
		for _, cfg := range cfgs {
			if _, err := NewPool(cfg); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", want, err)
			}
		}
	}
}

// Whatever comes, the server goes on, and what it keeps is bounded.
func FuzzPool(f *testing.F) {
	f.Add(says(1, Discover, "192.0.2.50").Append(nil), byte(3))
	f.Add(says(1, Request, "192.0.2.50", to(server1)).Append(nil), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, n byte) {
		p := newPool(t, nil)
		for i := range n {
			p.Arrive(0, says(i, Discover, "").Append(nil))
		}
		if a, ok := p.Arrive(0, b); ok {
			if _, err := Parse(a.Message.Append(nil)); err != nil {
				t.Error(err)
			}
		}
		if len(p.byAddr) > 3 || len(p.byClient) > 3 {
			t.Errorf("%d, %d", len(p.byAddr), len(p.byClient))
		}
	})
}
