package sim_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// An address with Detect goes through address conflict detection where the others of its interface do not (RFC 5227, 2.1.1), and
// what became of it is heard by who is notified.
func TestDetectOneAddress(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	h, other := n.Host("h"), n.Host("other")
	n.Wire(port4(h, onlink.InterfaceConfig{}, "192.0.2.1/24"), port4(other, onlink.InterfaceConfig{}, "192.0.2.2/24"), sim.Line{})
	i := h.Interface("eth0")
	sub := h.Subscribe()
	calls, heard := 0, map[string]string{}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	sub.Notify(func() {
		calls++
		for {
			c, err := sub.Next(done)
			if err != nil {
				return
			}
			if c.Address != nil {
				heard[c.Address.Prefix.String()] = c.Address.State
			}
		}
	})
	for _, p := range []string{"192.0.2.2/24", "192.0.2.3/24"} {
		if err := i.AddAddressWith(netip.MustParsePrefix(p), onlink.AddressOptions{Detect: true, Leased: true}); err != nil {
			t.Fatal(err)
		}
	}
	n.RunFor(0)
	if calls == 0 || heard["192.0.2.2/24"] != "tentative" || heard["192.0.2.3/24"] != "tentative" {
		t.Errorf("at first: %d calls, %v", calls, heard)
	}
	before := calls
	n.RunFor(10 * time.Second)
	if calls == before || heard["192.0.2.2/24"] != "duplicate" || heard["192.0.2.3/24"] != "preferred" {
		t.Errorf("in the end: %d calls, %v", calls, heard)
	}
	before = calls
	sub.Close()
	n.RunFor(0)
	if calls != before+1 {
		t.Error("not told of the end")
	}
}

// Routes of a DHCP server are told from others, and are replaced and removed as others are.
func TestRoutesOfDHCP(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	h, other := n.Host("h"), n.Host("other")
	n.Wire(port4(h, onlink.InterfaceConfig{}, "192.0.2.1/24"), port4(other, onlink.InterfaceConfig{}, "192.0.2.2/24"), sim.Line{})
	all := func() (s string) {
		for _, r := range h.Routes() {
			if r.Gateway.IsValid() {
				s += r.String() + "; "
			}
		}
		return s
	}
	r := onlink.Route{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.0.2.2"), Interface: "eth0", Origin: "dhcp"}
	must := func(err error, want string) {
		t.Helper()
		if got := all(); err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	must(h.AddRoute(r), "default via 192.0.2.2 dev eth0 proto dhcp; ")
	r.MTU = 1400
	must(h.ReplaceRoute(r), "default via 192.0.2.2 dev eth0 proto dhcp mtu 1400; ")
	must(h.RemoveRoute(r), "")
	r.Origin = "ra" // of a Snapshot: whoever adds it configures it
	must(h.AddRoute(r), "default via 192.0.2.2 dev eth0 proto static mtu 1400; ")
}
