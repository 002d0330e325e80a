package dhcp4

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink/sim"
)

// Forty hosts are switched on at once, on lines that lose frames, where three addresses are other stations': each has an address of its
// own, for hours; then they go, and all is free.
func TestServerManyClients(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	s := n.Host("server")
	ports := []sim.Port{port(s, "192.0.2.1/24"), port(n.Host("static"), "192.0.2.60/24", "192.0.2.61/24", "192.0.2.62/24")}
	var hosts []*sim.Node
	for i := range 40 {
		h := n.Host(fmt.Sprint("h", i))
		hosts = append(hosts, h)
		ports = append(ports, port(h))
	}
	n.Switch(sim.Line{Delay: time.Millisecond, Loss: 0.05}, ports...)
	a := netip.MustParseAddr
	server, err := NewServer(s.Stack, s.Interface("eth0"), PoolConfig{First: a("192.0.2.50"), Last: a("192.0.2.99"), Parameters: Lease{Duration: 20 * time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := s.WithCancel(context.Background())
	s.Go("server", func() {
		if err := server.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	var clients []*Client
	leave, goAway := s.WithCancel(context.Background())
	for _, h := range hosts {
		c, err := New(h.Stack, h.Interface("eth0"), Config{MachineConfig: MachineConfig{HostName: h.Name, StartDelay: 10 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
		h.Go("dhcp", func() {
			if err := c.Run(leave); err != nil {
				t.Error(err)
			}
		})
	}
	for range 4 {
		n.RunFor(time.Hour)
		has := map[netip.Addr]string{a("192.0.2.60"): "static", a("192.0.2.61"): "static", a("192.0.2.62"): "static"}
		for i, c := range clients {
			l := c.Status().Lease
			if l == nil {
				t.Errorf("%s has no address: %+v", hosts[i].Name, c.Status())
				continue
			}
			if other := has[l.Address.Addr()]; other != "" {
				t.Errorf("%s has %v, which %s has", hosts[i].Name, l.Address, other)
			}
			has[l.Address.Addr()] = hosts[i].Name
		}
		for _, l := range server.Lent() {
			if l.State == Leased && l.Until > n.Now() && has[l.Address] != l.HostName {
				t.Errorf("%v is lent to %s, and %s has it", l.Address, l.HostName, has[l.Address])
			}
		}
	}
	goAway()
	n.RunFor(time.Second)
	released := 0
	for _, l := range server.Lent() {
		if l.State == Released {
			released++
		}
	}
	if released < 30 { // some are lost
		t.Errorf("%d of 40 were released", released)
	}
	cancel()
	if err := n.Run(); err != nil { // all have ended
		t.Error(err)
	}
	if u := server.Unsent(); u != 0 {
		t.Errorf("%d answers were not sent", u)
	}
}

// What cannot have a server, and a port that is in use.
func TestServerErrors(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	h, o := n.Host("h"), n.Host("o")
	n.Wire(port(h, "192.0.2.1/24"), port(o), quick)
	a := netip.MustParseAddr
	good := PoolConfig{First: a("192.0.2.50"), Last: a("192.0.2.99")}
	if _, err := NewServer(o.Stack, o.Interface("eth0"), good); err == nil || !strings.Contains(err.Error(), "not an address of interface eth0") {
		t.Error(err)
	}
	other := good
	other.Server = netip.MustParsePrefix("192.0.2.2/24")
	if _, err := NewServer(h.Stack, h.Interface("eth0"), other); err == nil || !strings.Contains(err.Error(), "192.0.2.2/24") {
		t.Error(err)
	}
	var servers [2]*Server
	for i := range servers {
		var err error
		if servers[i], err = NewServer(h.Stack, h.Interface("eth0"), good); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := h.WithCancel(context.Background())
	h.Go("first", func() {
		if err := servers[0].Run(ctx); err != nil {
			t.Error(err)
		}
	})
	n.RunFor(0)
	h.Go("second", func() {
		if err := servers[1].Run(ctx); !errors.Is(err, syscall.EADDRINUSE) {
			t.Error(err)
		}
		cancel()
	})
	if err := n.Run(); err != nil {
		t.Error(err)
	}
}
