package dhcp6_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dhcp/dhcp6"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/wire"
)

// The client runs on goroutines as in the simulator, waits as testing/synctest counts it, and leaves none behind.
func TestInSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, router := newStack(t, onlink.Config{}), newStack(t, onlink.Config{Forwarding: true})
		a, b := mem.Pair(mem.Config{Runtime: host.Runtime(), Addr: []wire.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})
		eth0, err := host.AddLink("eth0", a, onlink.InterfaceConfig{})
		if err != nil {
			t.Fatal(err)
		}
		lan, err := router.AddLink("lan", b, onlink.InterfaceConfig{})
		if err != nil {
			t.Fatal(err)
		}
		go serveStack(t, router, lan)
		client, err := dhcp6.New(host, eth0, dhcp6.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- client.Run(ctx) }()
		if err := lan.Advertise(&onlink.RouterAdvertisement{Managed: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute) // it is renewed five times
		if s := client.State(); s.State != dhcp6.Bound || len(s.Leases) != 1 {
			t.Errorf("%+v", s)
		}
		if err := client.Run(ctx); err == nil {
			t.Error("it runs twice")
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
		// And again.
		ctx, end = context.WithCancel(t.Context())
		go func() { done <- client.Run(ctx) }()
		time.Sleep(time.Minute)
		if s := client.State(); s.State != dhcp6.Bound {
			t.Errorf("the second time: %+v", s)
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
		// Somebody has the port.
		l := onlink.ListenConfig{Stack: host, Interface: "eth0"}
		c, err := l.ListenPacket(t.Context(), "udp6", "[::]:546")
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Run(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("with the port taken: %v", err)
		}
		c.Close()
		// The interface goes, and the stack.
		go func() { done <- client.Run(t.Context()) }()
		time.Sleep(time.Minute)
		if err := eth0.Remove(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, syscall.ENODEV) {
			t.Errorf("when the interface was removed: %v", err)
		}
		a, _ = mem.Pair(mem.Config{Runtime: host.Runtime(), Addr: []wire.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})
		if eth0, err = host.AddLink("eth1", a, onlink.InterfaceConfig{}); err != nil {
			t.Fatal(err)
		}
		if client, err = dhcp6.New(host, eth0, dhcp6.Config{}); err != nil {
			t.Fatal(err)
		}
		go func() { done <- client.Run(t.Context()) }()
		time.Sleep(time.Minute)
		for _, s := range []*onlink.Stack{host, router} {
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("when the stack was closed: %v", err)
		}
	})
}

func newStack(t *testing.T, cfg onlink.Config) *onlink.Stack {
	t.Helper()
	s, err := onlink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serveStack is a server until its stack is closed.
func serveStack(t *testing.T, s *onlink.Stack, lan *onlink.Interface) {
	c, err := s.ListenPacket(t.Context(), "udp6", "[::]:547")
	if err != nil {
		t.Error(err)
		return
	}
	conn := c.(*onlink.UDPConn)
	if err := conn.JoinGroup(lan, dhcp6.Servers); err != nil {
		t.Error(err)
		return
	}
	o := &office{lifetime: 400, address: "2001:db8:1::5", prefix: "2001:db8:500::/56", servers: []netip.Addr{netip.MustParseAddr("2001:db8::53")}}
	b := make([]byte, 2000)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		m, err := dhcp6.ParseMessage(b[:n])
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := conn.WriteToUDPAddrPort(o.answer(m).Append(nil), from); err != nil {
			t.Error(err)
		}
	}
}

// What makes no sense is refused, by the name of the field.
func TestConfigErrors(t *testing.T) {
	s := newStack(t, onlink.Config{})
	defer s.Close(t.Context())
	a, b := mem.Pair(mem.Config{Runtime: s.Runtime(), Addr: []wire.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})
	defer b.Close()
	i, err := s.AddLink("eth0", a, onlink.InterfaceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a", 64)
	for want, cfg := range map[string]dhcp6.Config{
		"dhcp6: ClientID: a DUID of 2 octets":                   {ClientID: dhcp6.DUID{0, 1}},
		"dhcp6: PrefixLength 129 is not from 0 to 128":          {PrefixLength: 129},
		"dhcp6: Mode 3 is none":                                 {Mode: 3},
		"dhcp6: more than 16 associations":                      {Addresses: 17},
		`dhcp6: Hostname "` + long + `" is no domain name`:      {Hostname: long},
		`dhcp6: Hostname "a..b" is no domain name`:              {Hostname: "a..b"},
		`dhcp6: Hostname "a b" is no domain name`:               {Hostname: "a b"},
		"dhcp6: Downstream: an Interface is nil":                {Downstream: []dhcp6.Downstream{{}}},
		"dhcp6: Downstream: Length 128 is not from 1 to 127":    {Downstream: []dhcp6.Downstream{{Interface: i, Length: 128}}},
		"dhcp6: Downstream: eth0 and eth0 have the same Subnet": {Downstream: []dhcp6.Downstream{{Interface: i, Subnet: 1}, {Interface: i, Subnet: 1}}},
	} {
		if _, err := dhcp6.New(s, i, cfg); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := dhcp6.New(s, s.Interface("lo"), dhcp6.Config{}); err == nil || err.Error() != "dhcp6: ClientID: lo has no link-layer address to make one of" {
		t.Error(err)
	}
}

// Parts of a delegated prefix.
func TestPart(t *testing.T) {
	for _, row := range []struct {
		delegated string
		subnet    uint64
		length    int
		want      string // empty: there is none
	}{
		{"2001:db8:500::/56", 0, 0, "2001:db8:500::/64"},
		{"2001:db8:500::/56", 0xff, 0, "2001:db8:500:ff::/64"},
		{"2001:db8:500::/56", 0x100, 0, ""},
		{"2001:db8::/48", 0x1234, 0, "2001:db8:0:1234::/64"},
		{"2001:db8::/64", 0, 0, "2001:db8::/64"},
		{"2001:db8::/64", 1, 0, ""},
		{"2001:db8::/65", 0, 0, ""},
		{"2001:db8::/62", 3, 0, "2001:db8:0:3::/64"},
		{"2001:db8::/32", 1 << 31, 0, "2001:db8:8000::/64"},
		{"2001:db8::/60", 5, 72, "2001:db8:0:0:500::/72"},
		{"::/1", 1<<64 - 1, 127, "0:0:0:1:ffff:ffff:ffff:fffe/127"},
	} {
		d := dhcp6.Downstream{Subnet: row.subnet, Length: row.length}
		p, ok := d.Part(netip.MustParsePrefix(row.delegated))
		if ok != (row.want != "") || ok && p != netip.MustParsePrefix(row.want) {
			t.Errorf("part %d of %s: %v, %v, want %s", row.subnet, row.delegated, p, ok, row.want)
		}
	}
}
