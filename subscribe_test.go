package onlink_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// Next waits in real time as synctest counts it, and ends by its context, by Close and with the stack.
func TestSubscriptionInSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := onlink.New(onlink.Config{})
		if err != nil {
			t.Fatal(err)
		}
		sub, other := s.Subscribe(), s.Subscribe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if c, err := sub.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", c, err)
		}
		got := make(chan string, 1)
		go func() {
			c, err := sub.Next(t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- c.String()
		}()
		ended := make(chan error, 1)
		go func() {
			for {
				if _, err := other.Next(context.Background()); err != nil {
					ended <- err
					return
				}
			}
		}()
		synctest.Wait()
		if err := s.AddRoute(onlink.Route{Prefix: netip.MustParsePrefix("198.51.100.0/24"), Type: onlink.BlackholeRoute, Metric: 7}); err != nil {
			t.Fatal(err)
		}
		if c := <-got; c != "blackhole 198.51.100.0/24 proto static metric 7" {
			t.Error(c)
		}
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
		if _, err := sub.Next(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Error("after Close:", err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error("when the stack closed:", err)
		}
	})
}

// The lines of a Snapshot are those that users of iproute2 know.
func TestStateStrings(t *testing.T) {
	mac := wire.MAC{2, 0, 0, 0, 0, 1}
	p, a := netip.MustParsePrefix, netip.MustParseAddr
	for _, x := range []struct {
		is   interface{ String() string }
		want string
	}{
		{onlink.InterfaceState{Name: "eth0", Index: 2, Up: true, MTU: 1500, LinkAddr: mac, Addresses: []onlink.AddressState{
			{Prefix: p("192.0.2.1/24"), State: "preferred", Origin: "static", Valid: onlink.Forever, Preferred: onlink.Forever}}},
			"2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP link/ether 02:00:00:00:00:01\n" +
				"    inet 192.0.2.1/24 scope global valid_lft forever preferred_lft forever"},
		{onlink.InterfaceState{Name: "eth0", Index: 2, Down: true, MTU: 1500, LinkAddr: mac},
			"2: eth0: <BROADCAST,MULTICAST> mtu 1500 state DOWN link/ether 02:00:00:00:00:01"},
		{onlink.InterfaceState{Name: "lo", Index: 1, Up: true, MTU: 65535, Loopback: true}, "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65535 state UNKNOWN link/loopback"},
		{onlink.AddressState{Prefix: p("fe80::1/64"), State: "tentative", Origin: "link-local", Valid: onlink.Forever, Preferred: onlink.Forever},
			"inet6 fe80::1/64 scope link tentative valid_lft forever preferred_lft forever"},
		{onlink.AddressState{Prefix: p("2001:db8::1/64"), State: "deprecated", Origin: "slaac", Temporary: true, Valid: time.Hour},
			"inet6 2001:db8::1/64 scope global deprecated temporary dynamic valid_lft 3600sec preferred_lft 0sec"},
		{onlink.Route{Prefix: p("::/0"), Gateway: a("fe80::1"), Interface: "eth0", Metric: 1024, Origin: "ra", Expires: time.Minute},
			"default via fe80::1 dev eth0 proto ra metric 1024 expires 60sec pref medium"},
		{onlink.Route{Prefix: p("10.0.0.0/8"), Interface: "eth0", Table: 7, Source: a("192.0.2.1"), MTU: 1400}, "10.0.0.0/8 dev eth0 table 7 scope link src 192.0.2.1 mtu 1400"},
		{onlink.Rule{Priority: 100, From: p("10.0.0.0/8"), Mark: 1, Table: 7}, "100: from 10.0.0.0/8 fwmark 0x1 lookup 7"},
		{onlink.Rule{Priority: 32766, Table: onlink.MainTable}, "32766: from all lookup main"},
		{onlink.Rule{Priority: 1, Not: true, In: "eth0", Action: onlink.RuleProhibit}, "1: not from all iif eth0 prohibit"},
		{onlink.Neighbor{Addr: a("192.0.2.2"), Interface: "eth0", LinkAddr: mac, State: "REACHABLE"}, "192.0.2.2 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE"},
		{onlink.Neighbor{Addr: a("fe80::1"), Interface: "eth0", Router: true, State: "FAILED"}, "fe80::1 dev eth0 router FAILED"},
		{onlink.PolicyEntry{Prefix: p("::/0"), Precedence: 40, Label: 1}, "prefix ::/0 precedence 40 label 1"},
		{onlink.RouterState{Addr: a("fe80::1%eth0"), Preference: 1, Lifetime: time.Minute}, "fe80::1%eth0 pref high lifetime 60sec"},
	} {
		if got := x.is.String(); got != x.want {
			t.Errorf("got  %s\nwant %s", got, x.want)
		}
	}
}
