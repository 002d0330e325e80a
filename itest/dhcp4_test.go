package itest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/dhcp/dhcp4"
)

// dhcpHost is a stack on a TAP whose kernel has a DHCP server, with a client on it.
type dhcpHost struct {
	*rig
	client *dhcp4.Client
	stop   func() // ends the client, and waits for it

	mu   sync.Mutex
	seen []string
}

// kernel4 is the kernel's end of the link; the stack has no address.
var kernel4 = []family{{"IPv4", "4", "192.0.2.1", "", "/24", 20}}

// newDHCPHost makes the stack and the link. Nothing is started.
func newDHCPHost(t *testing.T) *dhcpHost {
	t.Helper()
	h := &dhcpHost{rig: newRig(t, setup{at: []family{}})}
	h.bringUp(h.name, kernel4)
	return h
}

// begin starts the client.
func (h *dhcpHost) begin(cfg dhcp4.Config) {
	h.t.Helper()
	cfg.OnEvent = func(e dhcp4.Event) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.seen = append(h.seen, e.String())
	}
	var err error
	if h.client, err = dhcp4.New(h.Stack, h.iface, cfg); err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.client.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(func() {
		h.stop()
		if h.t.Failed() {
			h.t.Logf("events: %s; %+v", h.events(), h.client.Status())
		}
	})
}

func (h *dhcpHost) events() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.seen, "; ")
}

// happens waits until an event says that.
func (h *dhcpHost) happens(text string) {
	h.t.Helper()
	eventually(h.t, text, func() bool { return strings.Contains(h.events(), text) })
}

// lease waits for a lease.
func (h *dhcpHost) lease() *dhcp4.Lease {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := h.client.Wait(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

// eachDHCPServer runs f with each of the servers that are installed.
func eachDHCPServer(t *testing.T, f func(t *testing.T, s dhcpServer)) {
	for _, s := range dhcpServers {
		t.Run(s.program, func(t *testing.T) {
			t.Parallel()
			need(t, s.program)
			f(t, s)
		})
	}
}

// From DHCPDISCOVER to DHCPRELEASE, with all that a lease can bring, and a renewal in between.
func TestDHCPLease(t *testing.T) {
	eachDHCPServer(t, func(t *testing.T, s dhcpServer) {
		h := newDHCPHost(t)
		server := s.start(h.namespace, t.TempDir(), dhcpPool{from: 50, to: 60, lease: 60, t1: 8, t2: 40, rich: true})
		h.begin(dhcp4.Config{MachineConfig: dhcp4.MachineConfig{HostName: "toaster"}})
		l := h.lease()
		if a := l.Address; a.Bits() != 24 || a.Addr().Less(netip.MustParseAddr("192.0.2.50")) || !a.Addr().Less(netip.MustParseAddr("192.0.2.61")) {
			t.Errorf("address %v", a)
		}
		if l.Server.String() != "192.0.2.1" || l.T1 != 8*time.Second || l.T2 != 40*time.Second || l.MTU != 1400 || l.Domain != "example.org" ||
			fmt.Sprint(l.NameServers, l.Search, l.NTPServers) != "[192.0.2.53] [eng.example.org example.org] [192.0.2.123]" ||
			fmt.Sprint(l.Routes) != "[{0.0.0.0/0 192.0.2.1} {198.51.100.0/24 192.0.2.2} {203.0.113.0/24 invalid IP}]" {
			t.Errorf("%+v", l)
		}
		// What the stack has made of it.
		var routes []string
		for _, r := range h.Routes() {
			if r.Origin == "dhcp" {
				routes = append(routes, r.String())
			}
		}
		if want := []string{"default via 192.0.2.1 dev tap0 proto dhcp", "198.51.100.0/24 via 192.0.2.2 dev tap0 proto dhcp",
			"203.0.113.0/24 dev tap0 proto dhcp scope link"}; !slices.Equal(routes, want) {
			t.Errorf("%q", routes)
		}
		if m := h.iface.State().MTU; m != 1400 {
			t.Errorf("MTU %d", m)
		}
		if ns := h.NameServers(); len(ns) != 1 || ns[0].Addr.String() != "192.0.2.53:53" {
			t.Errorf("%+v", ns)
		}
		h.ping(l.Address.Addr().String(), 56)
		h.happens("renewed")
		if got := h.client.Status().Stats; got.Sent[dhcp4.Request] != 2 || got.Arrived[dhcp4.Malformed] != 0 {
			t.Errorf("%+v", got)
		}
		h.stop()
		eventually(t, "the server hears of the end", func() bool {
			said := server.stdout.String() + server.stderr.String()
			return strings.Contains(said, "DHCPRELEASE") || strings.Contains(said, "DHCP4_RELEASE")
		})
		if a := slices.DeleteFunc(h.iface.Addresses(), func(p netip.Prefix) bool { return p.Addr().Is6() }); len(a) != 0 {
			t.Errorf("%v is left", a)
		}
	})
}

// The server goes away: the lease is kept to its end, and not longer; the server that comes then gives the same address again.
func TestDHCPServerGone(t *testing.T) {
	if raceEnabled {
		t.Skip("its leases run out in two minutes; the clients are under the race detector in their own module")
	}
	eachDHCPServer(t, func(t *testing.T, s dhcpServer) {
		if s.leastTime > 60 {
			t.Skipf("%s has no leases shorter than %d seconds", s.program, s.leastTime)
		}
		h := newDHCPHost(t)
		dir, pool := t.TempDir(), dhcpPool{from: 50, to: 60, lease: 8, t1: 2, t2: 4}
		server := s.start(h.namespace, dir, pool)
		h.begin(dhcp4.Config{NoProbe: true})
		h.happens("renewed")
		l := h.lease()
		server.kill(t)
		h.happens("the lease has ended")
		if d := time.Since(l.Acquired); d < l.Duration {
			t.Errorf("ended after %v", d)
		}
		if st := h.client.Status(); st.Lease != nil || st.Stats.Sent[dhcp4.Request] < 4 { // one each to begin, renew, renew in vain, rebind in vain
			t.Errorf("%+v", st)
		}
		s.start(h.namespace, dir, pool)
		if again := h.lease(); again.Address != l.Address {
			t.Errorf("%v, then %v", l.Address, again.Address)
		}
	})
}

// A host that comes back with its lease is on another network now, whose server refuses it, by DHCPNAK (INIT-REBOOT; RFC 2131, 3.2).
func TestDHCPNAK(t *testing.T) {
	eachDHCPServer(t, func(t *testing.T, s dhcpServer) {
		h := newDHCPHost(t)
		pool := dhcpPool{from: 50, to: 60, lease: 60, t1: 30, t2: 40}
		server := s.start(h.namespace, t.TempDir(), pool)
		h.begin(dhcp4.Config{NoProbe: true, KeepLease: true})
		l := h.lease()
		h.stop()
		server.kill(t)
		h.ip("address flush dev tap0")
		h.ip("address add 198.51.100.1/24 dev tap0")
		pool.subnet = "198.51.100."
		s.start(h.namespace, t.TempDir(), pool)
		h.begin(dhcp4.Config{NoProbe: true, Lease: l})
		if again := h.lease(); !strings.HasPrefix(again.Address.String(), "198.51.100.") {
			t.Errorf("%v", again.Address)
		}
		if st := h.client.Status().Stats; st.Taken[dhcp4.NAK] != 1 || st.Sent[dhcp4.Request] != 2 {
			t.Errorf("%+v", st)
		}
	})
}

// Another station has the address that the server gives: it is declined, and the next one taken.
func TestDHCPDecline(t *testing.T) {
	eachDHCPServer(t, func(t *testing.T, s dhcpServer) {
		h := newDHCPHost(t)
		server := s.start(h.namespace, t.TempDir(), dhcpPool{from: 59, to: 60, lease: 60, t1: 30, t2: 40})
		h.begin(dhcp4.Config{NoProbe: true, KeepLease: true})
		first := h.lease().Address
		h.stop()
		h.ip("address add " + first.Addr().String() + "/32 dev lo") // the kernel answers for it on all its devices
		h.begin(dhcp4.Config{})
		h.happens("lost " + first.String() + ": another station has the address")
		if l := h.lease(); l.Address == first {
			t.Errorf("%v again", l.Address)
		}
		if n := h.client.Status().Stats.Sent[dhcp4.Decline]; n != 1 {
			t.Errorf("%d DHCPDECLINEs", n)
		}
		if said := server.stdout.String() + server.stderr.String(); !strings.Contains(said, "DHCPDECLINE") && !strings.Contains(said, "DHCP4_DECLINE") {
			t.Error("the server did not hear of it")
		}
	})
}

// RFC 2131, 4.4.3: a host that has an address asks for the rest.
func TestDHCPInform(t *testing.T) {
	eachDHCPServer(t, func(t *testing.T, s dhcpServer) {
		h := newDHCPHost(t)
		s.start(h.namespace, t.TempDir(), dhcpPool{from: 50, to: 60, lease: 60, t1: 30, t2: 40, rich: true})
		own := netip.MustParsePrefix("192.0.2.7/24")
		if err := h.iface.AddAddressWith(own, onlink.AddressOptions{}); err != nil {
			t.Fatal(err)
		}
		h.begin(dhcp4.Config{Inform: own.Addr()})
		l := h.lease()
		if l.Address.IsValid() || fmt.Sprint(l.NameServers) != "[192.0.2.53]" {
			t.Errorf("%+v", l)
		}
	})
}
