package sim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/wire"
)

// A connection waits while an interface is down, and goes on after.
func TestConnectionSurvivesDown(t *testing.T) {
	for _, to := range []string{"192.0.2.2:80", "[2001:db8::2]:80"} {
		n := sim.New(1)
		a, b := n.Host("a"), n.Host("b")
		n.Wire(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"), b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64"),
			sim.Line{Delay: 5 * time.Millisecond, Rate: 10_000_000})
		n.RunFor(5 * time.Second)
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		var got []byte
		ln := listen(t, b, ":80")
		b.Go("server", func() {
			c := accept(t, ln)
			got, _ = io.ReadAll(c)
			c.Close()
		})
		a.Go("client", func() {
			c := dial(t, a, to)
			if _, err := c.Write(sent); err != nil {
				t.Error(err)
			}
			c.CloseWrite()
			io.Copy(io.Discard, c)
			c.Close()
		})
		a.Go("operator", func() {
			a.Sleep(200 * time.Millisecond)
			if err := a.Interface("eth0").SetUp(false); err != nil {
				t.Error(err)
			}
			if i := a.Interface("eth0").State(); i.Up || !i.Down {
				t.Errorf("%+v", i)
			}
			a.Sleep(3 * time.Second)
			if len(got) > 0 {
				t.Error("all was over before")
			}
			if err := a.Interface("eth0").SetUp(true); err != nil {
				t.Error(err)
			}
		})
		run(t, n)
		if !bytes.Equal(got, sent) {
			t.Errorf("%s: %d octets of %d arrived", to, len(got), len(sent))
		}
		n.Stop()
	}
}

// What stays and what goes when an interface is taken down, and what programs are told.
func TestDownAndUp(t *testing.T) {
	n := sim.New(2)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	cable := n.Wire(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64").Gateway("192.0.2.2"), b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64"),
		sim.Line{Delay: time.Millisecond})
	i := a.Interface("eth0")
	tell := func() {
		cable.Inject(a, advertisement(ghostMAC, ghost, wire.RouterAdvertisement{RouterLifetime: 1800, SourceLink: ghostMAC,
			Prefixes: []wire.PrefixInformation{prefix("2001:db8:7::/64", time.Hour, time.Hour)}}))
	}
	n.RunFor(5 * time.Second)
	tell()
	n.RunFor(5 * time.Second)
	a.Go("operator", func() {
		pc, err := a.ListenPacket(context.Background(), "udp", "192.0.2.1:0")
		if err != nil {
			t.Error(err)
			return
		}
		if err := i.SetNeighbor(netip.MustParseAddr("192.0.2.77"), wire.MAC{2, 0, 0, 0, 0, 0x77}); err != nil {
			t.Error(err)
		}
		if err := i.SetUp(false); err != nil {
			t.Error(err)
		}
		if err := i.SetUp(false); err != nil {
			t.Error("twice:", err)
		}
		s := a.Snapshot()
		var addrs []string
		for _, x := range s.Interfaces[1].Addresses {
			addrs = append(addrs, x.Prefix.String())
		}
		if fmt.Sprint(addrs) != "[192.0.2.1/24 2001:db8::1/64]" {
			t.Errorf("it keeps %v", addrs)
		}
		if len(s.Neighbors) != 0 || len(s.Interfaces[1].Learned.Routers) != 0 {
			t.Errorf("it remembers %v, %v", s.Neighbors, s.Interfaces[1].Learned.Routers)
		}
		for _, r := range s.Routes {
			if r.Interface == "eth0" {
				t.Errorf("a route in use: %v", r)
			}
		}
		for _, to := range []string{"192.0.2.2", "198.51.100.1"} {
			if _, err := pc.WriteTo([]byte("x"), &net.UDPAddr{IP: net.ParseIP(to), Port: 9}); !errors.Is(err, syscall.ENETUNREACH) {
				t.Errorf("to %s: %v", to, err)
			}
		}
		if _, err := a.DialContext(context.Background(), "udp", "[fe80::9%eth0]:9"); !errors.Is(err, syscall.ENETDOWN) {
			t.Error("to a neighbor on it:", err)
		}
		if err := i.SetNeighbor(netip.MustParseAddr("192.0.2.77"), wire.MAC{2}); !errors.Is(err, syscall.ENETDOWN) {
			t.Error("a neighbor:", err)
		}
		tell() // is not heard
		a.Sleep(time.Second)
		if got := len(i.Addresses()); got != 2 {
			t.Errorf("%d addresses", got)
		}
		if err := i.SetUp(true); err != nil {
			t.Error(err)
		}
		tentative := 0
		for _, x := range i.State().Addresses {
			if x.State == "tentative" {
				tentative++
			}
		}
		if tentative != 2 {
			t.Errorf("%d addresses are verified anew, want the link-local and the configured one: %v", tentative, i.State())
		}
		if err := i.WaitReady(context.Background()); err != nil {
			t.Error(err)
		}
		for _, to := range []string{"192.0.2.2", "2001:db8::2"} {
			if _, err := ping(a, to, onlink.PingConfig{}); err != nil {
				t.Error(err)
			}
		}
		if err := a.Stack.Interface("lo").SetUp(false); !errors.Is(err, syscall.EINVAL) {
			t.Error("lo:", err)
		}
	})
	run(t, n)
	tell()
	n.RunFor(5 * time.Second)
	if got := slaac(a); len(got) != 1 {
		t.Errorf("afterwards %v", i.State())
	}
}

// What goes out when an interface comes up: RFC 4862, 5.4, has its addresses verified, RFC 4861, 6.3.7, routers asked for, and
// RFC 3810, 6.1, groups reported.
func TestUpSends(t *testing.T) {
	n := sim.New(3)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	cable := n.Wire(a.Port("eth0", "2001:db8::1/64"), b.Port("eth0"), sim.Line{})
	sent := make(map[uint8]int) // by ICMPv6 type
	cable.Filter(func(from *sim.Node, f []byte) bool {
		if from == a {
			next, at := f[20], 54
			if next == 0 { // Hop-by-Hop Options, of MLD
				next, at = f[54], 62
			}
			if next == wire.ProtoICMPv6 {
				sent[f[at]]++
			}
		}
		return true
	})
	n.RunFor(20 * time.Second)
	i := a.Interface("eth0")
	i.SetUp(false)
	clear(sent)
	n.RunFor(20 * time.Second)
	if len(sent) != 0 {
		t.Errorf("while down it sent %v", sent)
	}
	i.SetUp(true)
	n.RunFor(20 * time.Second)
	const mldv2 = 143
	if sent[wire.ICMPv6NeighborSolicitation] != 2 || sent[wire.ICMPv6RouterSolicitation] == 0 || sent[mldv2] == 0 {
		t.Errorf("by type: %v", sent)
	}
}

// SetMTU changes what is sent at once; below 1280 octets there is no IPv6 (RFC 8200, 5).
func TestSetMTU(t *testing.T) {
	n := sim.New(4)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{})
	n.RunFor(5 * time.Second)
	i := a.Interface("eth0")
	if err := i.SetMTU(1279); err != nil {
		t.Fatal(err)
	}
	if s := i.State(); s.MTU != 1279 || len(s.Addresses) != 1 || !s.NoIPv6 {
		t.Errorf("%v", s)
	}
	if err := i.SetMTU(0); err != nil {
		t.Fatal(err)
	}
	n.RunFor(5 * time.Second)
	if s := i.State(); s.MTU != 1500 || len(s.Addresses) != 2 || !strings.Contains(s.String(), "inet6 fe80::") {
		t.Errorf("%v", s)
	}
	for _, bad := range []int{-1, 67, 1501} {
		if err := i.SetMTU(bad); !errors.Is(err, syscall.EINVAL) {
			t.Error(bad, err)
		}
	}
}
