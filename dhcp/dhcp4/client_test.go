package dhcp4

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/sim"
)

const millisecond = time.Millisecond

var quick = sim.Line{Delay: millisecond}

// From nothing to a lease with all that it can have, and back.
func TestClientLease(t *testing.T) {
	n := newNet(t, sim.Line{Delay: time.Millisecond}, Config{MachineConfig: MachineConfig{HostName: "toaster"}}, "192.0.2.1/24")
	s := serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", time.Hour, func(r *Message) {
		r.Options.SetAddrs(OptRouters, netip.MustParseAddr("192.0.2.1"))
		r.Options.SetAddrs(OptNameServers, netip.MustParseAddr("192.0.2.53"))
		r.Options.Set(OptDomainName, []byte("example.org")...)
		r.Options.Set(OptInterfaceMTU, 1400>>8, 1400&0xff)
		r.Options.SetAddrs(OptNTPServers, netip.MustParseAddr("192.0.2.123"))
	}))
	n.run(time.Second)
	if st := n.client.Status(); st.State != Bound || st.Lease != nil {
		t.Errorf("while the address is probed: %+v", st)
	}
	n.run(10 * time.Second)
	n.wantEvents("acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s")
	i := n.host.Interface("eth0").State()
	if len(i.Addresses) != 1 || i.Addresses[0].Prefix.String() != "192.0.2.7/24" || i.Addresses[0].Origin != "dhcp" ||
		i.Addresses[0].Valid < time.Hour-12*time.Second || i.Addresses[0].Valid > time.Hour-10*time.Second {
		t.Errorf("%+v", i.Addresses)
	}
	if i.MTU != 1400 {
		t.Errorf("MTU %d", i.MTU)
	}
	if r := fmt.Sprint(n.host.Routes()); !strings.Contains(r, "default via 192.0.2.1 dev eth0 proto dhcp") {
		t.Error(r)
	}
	if s := n.host.NameServers(); len(s) != 1 || s[0].Addr.String() != "192.0.2.53:53" {
		t.Errorf("%v", s)
	}
	l := n.client.Status().Lease
	if l == nil || l.Domain != "example.org" || len(l.NTPServers) != 1 || l.Server.String() != "192.0.2.1" {
		t.Errorf("%+v", l)
	}
	if v, _ := s.heard[0].Options.Get(OptHostName); string(v) != "toaster" {
		t.Errorf("host name %q", v)
	}
	n.end()
	if got := fmt.Sprint(types(s.heard)); got != "[DHCPDISCOVER DHCPREQUEST DHCPRELEASE]" {
		t.Error(got)
	}
	if i := n.host.Interface("eth0").State(); i.MTU != 1500 {
		t.Errorf("MTU %d in the end", i.MTU)
	}
	if _, err := n.client.Wait(context.Background()); !errors.Is(err, errEnded) {
		t.Error(err)
	}
	n.wantEvents("acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s", "lost 192.0.2.7/24: released")
}

// On lines that lose a tenth of the frames each, a host gets its address nevertheless, and keeps it for many renewals.
func TestClientLoss(t *testing.T) {
	n := newNet(t, sim.Line{Delay: 5 * millisecond, Loss: 0.1}, Config{}, "192.0.2.1/24")
	serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", time.Hour, nil))
	n.run(24 * time.Hour)
	if len(n.events) < 30 || n.client.Status().Lease == nil {
		t.Errorf("%d events: %v", len(n.events), n.events)
	}
	for _, e := range n.events[1:] {
		if e != "renewed 192.0.2.7/24 of 192.0.2.1 for 1h0m0s" {
			t.Error(e)
		}
	}
	n.end()
}

// Everything about it follows from the seed.
func TestClientDeterministic(t *testing.T) {
	run := func() string {
		n := newNet(t, sim.Line{Delay: 5 * millisecond, Loss: 0.3, Jitter: millisecond}, Config{}, "192.0.2.1/24")
		serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", 5*time.Minute, nil))
		n.run(time.Hour)
		n.end()
		return n.Hash()
	}
	if a, b := run(), run(); a != b {
		t.Errorf("%s, then %s", a, b)
	}
}

// A station has the address that the server gives: it is declined (RFC 2131, 4.4.1), and another is leased ten seconds later.
func TestClientDecline(t *testing.T) {
	n := newNet(t, quick, Config{}, "192.0.2.1/24", "192.0.2.7/24")
	next := 7
	s := serve(t, n.Nodes()[1], "192.0.2.1", func(s *script, m *Message) []*Message {
		if m.Type() == Decline {
			next++
		}
		return normal(fmt.Sprintf("192.0.2.%d/24", next), time.Hour, nil)(s, m)
	})
	n.run(30 * time.Second)
	n.wantEvents("lost 192.0.2.7/24: another station has the address", "acquired 192.0.2.8/24 of 192.0.2.1 for 1h0m0s")
	if got := fmt.Sprint(types(s.heard)); got != "[DHCPDISCOVER DHCPREQUEST DHCPDECLINE DHCPDISCOVER DHCPREQUEST]" {
		t.Fatal(got)
	}
	if d := s.when[3] - s.when[2]; d < 10*time.Second {
		t.Errorf("asks again after %v", d)
	}
	if a, _ := s.heard[2].Options.Addr(OptRequestedAddr); a.String() != "192.0.2.7" {
		t.Errorf("declined %v", a)
	}
	n.end()
}

// A conflict that comes later costs the lease too: RFC 5227, 2.4, has the address given up when it is not the first.
func TestClientDeclinesLater(t *testing.T) {
	n := newNet(t, quick, Config{}, "192.0.2.1/24", "192.0.2.9/24")
	other := n.Nodes()[2]
	s := serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", time.Hour, nil))
	n.run(time.Minute)
	for range 2 {
		if err := other.Interface("eth0").AddAddress(netip.MustParsePrefix("192.0.2.7/24")); err != nil { // announces it
			t.Fatal(err)
		}
		n.run(3 * time.Second)
		if err := other.Interface("eth0").RemoveAddress(netip.MustParseAddr("192.0.2.7")); err != nil {
			t.Fatal(err)
		}
	}
	if got := types(s.heard); !slices.Contains(got, Decline) {
		t.Error(got)
	}
	n.run(time.Minute)
	a := "acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s"
	n.wantEvents(a, "lost 192.0.2.7/24: another station has the address", a)
	n.end()
}

// RFC 2131, 4.4.5: "If the lease expires before the client receives a DHCPACK, the client moves to INIT state, MUST immediately stop any
// other network processing". Then another server gives another address.
func TestClientServerGone(t *testing.T) {
	n := newNet(t, quick, Config{}, "192.0.2.1/24", "192.0.2.2/24")
	first := serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", 10*time.Minute, func(r *Message) {
		r.Options.SetAddrs(OptRouters, server1)
		r.Options.SetAddrs(OptNameServers, server1)
	}))
	n.run(time.Minute)
	first.reply = func(*Message) []*Message { return nil }
	n.run(8 * time.Minute)
	if st := n.client.Status(); st.State != Rebinding || st.Lease == nil {
		t.Errorf("after nine minutes: %+v", st)
	}
	n.run(time.Minute + time.Second)
	a := "acquired 192.0.2.7/24 of 192.0.2.1 for 10m0s"
	n.wantEvents(a, "lost 192.0.2.7/24: the lease has ended")
	h := n.host
	if len(h.Interface("eth0").Addresses())+len(h.NameServers()) != 0 || strings.Contains(fmt.Sprint(h.Routes()), "dhcp") || n.client.Status().Lease != nil {
		t.Errorf("left: %v, %v, %v", h.Interface("eth0").Addresses(), h.NameServers(), h.Routes())
	}
	serve(t, n.Nodes()[2], "192.0.2.2", normal("192.0.2.8/24", time.Hour, nil))
	n.run(2 * time.Minute)
	if last := n.events[len(n.events)-1]; last != "acquired 192.0.2.8/24 of 192.0.2.2 for 1h0m0s" {
		t.Error(last)
	}
	n.end()
}

// A server that forgot the lease refuses it: the client leaves the address at once and asks for another.
func TestClientNAK(t *testing.T) {
	n := newNet(t, quick, Config{}, "192.0.2.1/24")
	s := serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", 10*time.Minute, nil))
	n.run(time.Minute)
	s.reply = func(m *Message) []*Message {
		if m.Type() == Request && m.ClientAddr.IsValid() {
			r := s.answer(m, NAK)
			r.Options.Set(OptMessage, []byte("never\x1b[2J heard of it")...)
			return []*Message{r}
		}
		return normal("192.0.2.8/24", 10*time.Minute, nil)(s, m)
	}
	n.run(5 * time.Minute)
	n.wantEvents("acquired 192.0.2.7/24 of 192.0.2.1 for 10m0s", "lost 192.0.2.7/24: refused by 192.0.2.1: never[2J heard of it",
		"acquired 192.0.2.8/24 of 192.0.2.1 for 10m0s")
	n.end()
}

// Two servers offer: one is chosen, and the other hears that it was not. The one that is asked for renewal is the one chosen.
func TestClientTwoServers(t *testing.T) {
	n := newNet(t, quick, Config{MachineConfig: MachineConfig{OfferWait: time.Second}}, "192.0.2.1/24", "192.0.2.2/24")
	s1 := serve(t, n.Nodes()[1], "192.0.2.1", only(normal("192.0.2.7/24", 10*time.Minute, nil)))
	s2 := serve(t, n.Nodes()[2], "192.0.2.2", only(normal("192.0.2.8/24", 10*time.Minute, nil)))
	n.run(6 * time.Minute)
	chosen, other, lease := s1, s2, "192.0.2.7/24 of 192.0.2.1 for 10m0s"
	if n.client.Status().Lease.Server == server2 { // whose offer came first
		chosen, other, lease = s2, s1, "192.0.2.8/24 of 192.0.2.2 for 10m0s"
	}
	if got := fmt.Sprint(types(chosen.heard), types(other.heard)); got != "[DHCPDISCOVER DHCPREQUEST DHCPREQUEST] [DHCPDISCOVER DHCPREQUEST]" {
		t.Error(got)
	}
	n.wantEvents("acquired "+lease, "renewed "+lease)
	n.end()
}

// only makes a server leave requests alone that name another.
func only(f func(s *script, m *Message) []*Message) func(s *script, m *Message) []*Message {
	return func(s *script, m *Message) []*Message {
		if id, found := m.ServerID(); found && id != s.addr {
			return nil
		}
		return f(s, m)
	}
}

// The cable is pulled and put back: the address is asked for again, without being lost; after another link's server has refused, it is.
func TestClientLinkDown(t *testing.T) {
	n := newNet(t, quick, Config{}, "192.0.2.1/24")
	s := serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", time.Hour, nil))
	n.run(time.Minute)
	n.cables[0].SetUp(false)
	n.run(time.Minute)
	if st := n.client.Status(); st.State != Halted {
		t.Errorf("%+v", st)
	}
	n.cables[0].SetUp(true)
	n.run(20 * time.Second)
	a, r := "acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s", "renewed 192.0.2.7/24 of 192.0.2.1 for 1h0m0s"
	n.wantEvents(a, r)
	// RFC 2131, 4.3.2: in INIT-REBOOT "'requested IP address' option MUST be filled in", "'ciaddr' MUST be zero."
	last := s.heard[len(s.heard)-1]
	if got, _ := last.Options.Addr(OptRequestedAddr); last.Type() != Request || got != address1 || last.ClientAddr.IsValid() {
		t.Errorf("%+v", last)
	}
	n.cables[0].SetUp(false)
	n.run(time.Second)
	s.reply = func(m *Message) []*Message {
		if asked, _ := m.Options.Addr(OptRequestedAddr); m.Type() == Request && asked == address1 {
			return []*Message{s.answer(m, NAK)}
		}
		return normal("198.51.100.9/24", time.Hour, nil)(s, m)
	}
	n.cables[0].SetUp(true)
	n.run(20 * time.Second)
	n.wantEvents(a, r, "lost 192.0.2.7/24: refused by 192.0.2.1", "acquired 198.51.100.9/24 of 192.0.2.1 for 1h0m0s")
	n.end()
}

// A link that is down at first.
func TestClientBeginsDown(t *testing.T) {
	n := newNet(t, quick, Config{}, "192.0.2.1/24")
	s := serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", time.Hour, nil))
	n.cables[0].SetUp(false)
	n.run(time.Hour)
	if len(s.heard) > 0 || n.client.Status().Stats.Sent[Discover] > 0 {
		t.Error("something was sent")
	}
	n.cables[0].SetUp(true)
	n.run(20 * time.Second)
	n.wantEvents("acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s")
	n.end()
}

// A lease that was kept as JSON is asked for again by the next client, for as long as it lasts.
func TestClientRestoresLease(t *testing.T) {
	for name, after := range map[string]time.Duration{"still good": 10 * time.Minute, "ended": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			n := newNet(t, quick, Config{KeepLease: true}, "192.0.2.1/24")
			s := serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", time.Hour, nil))
			n.run(time.Minute)
			kept, err := json.Marshal(n.client.Status().Lease)
			if err != nil {
				t.Fatal(err)
			}
			n.end()
			if got := types(s.heard); slices.Contains(got, Release) {
				t.Error("the lease was given back")
			}
			n.RunFor(after)
			s.heard = nil

			l := new(Lease)
			if err := json.Unmarshal(kept, l); err != nil {
				t.Fatal(err)
			}
			if d := l.Acquired.Sub(n.Wall().Add(-time.Minute - time.Second - after)); d < 0 || d > time.Second {
				t.Errorf("acquired at %v", l.Acquired)
			}
			n.again(Config{Lease: l})
			n.run(20 * time.Second)
			want := map[string]string{"still good": "[DHCPREQUEST]", "ended": "[DHCPDISCOVER DHCPREQUEST]"}[name]
			if got := fmt.Sprint(types(s.heard)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if a, _ := s.heard[0].Options.Addr(OptRequestedAddr); a != address1 {
				t.Errorf("asks for %v", a)
			}
			n.wantEvents("acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s")
			n.end()
		})
	}
}

// A lease that nobody confirms was of another network, perhaps: the address is not used.
func TestClientRestoredUnanswered(t *testing.T) {
	l := &Lease{Address: netip.MustParsePrefix("192.0.2.7/24"), Server: server1, Duration: time.Hour,
		Acquired: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	n := newNet(t, quick, Config{Lease: l}, "192.0.2.1/24")
	n.run(2 * time.Minute)
	if st := n.client.Status(); st.State != Selecting || len(n.host.Interface("eth0").Addresses()) != 0 {
		t.Errorf("%+v", st)
	}
	n.end()
}

// RFC 2131, 4.4.3: a host with an address of its own asks for information alone.
func TestClientInform(t *testing.T) {
	n := newNet(t, quick, Config{Inform: netip.MustParseAddr("192.0.2.5")}, "192.0.2.1/24")
	if err := n.host.Interface("eth0").AddAddress(netip.MustParsePrefix("192.0.2.5/24")); err != nil {
		t.Fatal(err)
	}
	s := serve(t, n.Nodes()[1], "192.0.2.1", func(s *script, m *Message) []*Message {
		r := s.answer(m, ACK)
		r.Options.SetAddrs(OptNameServers, server2)
		return []*Message{r}
	})
	n.run(10 * time.Second)
	n.wantEvents("learned of 192.0.2.1")
	if m := s.heard[0]; len(s.heard) != 1 || m.Type() != Inform || m.ClientAddr.String() != "192.0.2.5" {
		t.Errorf("%+v", s.heard)
	}
	if ns := n.host.NameServers(); len(ns) != 1 || ns[0].Addr.Addr() != server2 {
		t.Errorf("%v", ns)
	}
	n.cancel()
	n.run(time.Second)
	if ns := n.host.NameServers(); n.ended != nil || len(ns) != 0 || len(n.host.Interface("eth0").Addresses()) != 1 {
		t.Errorf("%v, %v", n.ended, ns)
	}
}

// RFC 3442: routes of option 121, some on the link; a router that is not on the subnet; an MTU that IPv6 cannot have.
func TestClientRoutes(t *testing.T) {
	n := newNet(t, quick, Config{Metric: 100}, "192.0.2.1/24")
	routes := []Route{{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("198.51.100.1")},
		{netip.MustParsePrefix("203.0.113.0/24"), netip.Addr{}}, {netip.MustParsePrefix("10.0.0.0/8"), netip.MustParseAddr("203.0.113.9")}}
	serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/32", 10*time.Minute, func(r *Message) {
		r.Options.SetRoutes(routes...)
		r.Options.SetAddrs(OptRouters, server1)
	}))
	n.run(10 * time.Second)
	dhcp := func() (s string) {
		for _, r := range n.host.Routes() {
			if r.Origin == "dhcp" {
				s += r.String() + "\n"
			}
		}
		return s
	}
	want := "default via 198.51.100.1 dev eth0 proto dhcp metric 100\n10.0.0.0/8 via 203.0.113.9 dev eth0 proto dhcp metric 100\n" +
		"198.51.100.1/32 dev eth0 proto dhcp scope link metric 100\n203.0.113.0/24 dev eth0 proto dhcp scope link metric 100\n"
	if got := dhcp(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	routes = routes[:1]
	n.run(9 * time.Minute) // nobody is at the router's address: the server is reached by broadcast only
	if got := dhcp(); got != "default via 198.51.100.1 dev eth0 proto dhcp metric 100\n198.51.100.1/32 dev eth0 proto dhcp scope link metric 100\n" {
		t.Errorf("after the renewal:\n%s", got)
	}
	n.end()
}

// With an MTU below IPv6's least the interface would lose IPv6: the routes have it.
func TestClientSmallMTU(t *testing.T) {
	for _, ipv6 := range []bool{false, true} {
		n := newNet(t, quick, Config{}, "192.0.2.1/24")
		if ipv6 {
			if err := n.host.SetSysctl("net.ipv6.conf.eth0.disable_ipv6", "0"); err != nil {
				t.Fatal(err)
			}
		}
		mtu := 576
		serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", 10*time.Minute, func(r *Message) {
			r.Options.SetAddrs(OptRouters, server1)
			r.Options.Set(OptInterfaceMTU, byte(mtu>>8), byte(mtu))
		}))
		n.run(10 * time.Second)
		i := n.host.Interface("eth0").State()
		routed := strings.Contains(fmt.Sprint(n.host.Routes()), "proto dhcp mtu 576")
		if ipv6 && (i.MTU != 1500 || !routed) || !ipv6 && (i.MTU != 576 || routed) {
			t.Errorf("IPv6 %v: MTU %d, %v", ipv6, i.MTU, n.host.Routes())
		}
		mtu = 9000 // more than the link takes
		n.run(6 * time.Minute)
		if i := n.host.Interface("eth0").State(); i.MTU != 1500 {
			t.Errorf("MTU %d", i.MTU)
		}
		if last := n.events[len(n.events)-2]; !strings.Contains(last, "MTU 9000 of the server is more than 1500") {
			t.Error(n.events)
		}
	}
}

// An address that somebody has configured already is not taken away.
func TestClientFindsAddress(t *testing.T) {
	n := newNet(t, quick, Config{}, "192.0.2.1/24")
	if err := n.host.Interface("eth0").AddAddress(netip.MustParsePrefix("192.0.2.7/24")); err != nil {
		t.Fatal(err)
	}
	serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", 10*time.Minute, nil))
	n.run(11 * time.Minute)
	n.cancel()
	n.run(time.Second)
	if a := n.host.Interface("eth0").Addresses(); n.ended != nil || len(a) != 1 {
		t.Errorf("%v, %v", n.ended, a)
	}
}

// Renew asks at once; the ends of an interface and of a stack end the client with an error that says so.
func TestClientRenewAndEnd(t *testing.T) {
	n := newNet(t, quick, Config{NoProbe: true}, "192.0.2.1/24")
	s := serve(t, n.Nodes()[1], "192.0.2.1", normal("192.0.2.7/24", time.Hour, nil))
	n.run(time.Second)
	n.wantEvents("acquired 192.0.2.7/24 of 192.0.2.1 for 1h0m0s") // without a probe
	n.client.Renew()
	n.run(time.Second)
	if got := len(s.heard); got != 3 || !s.heard[2].ClientAddr.IsValid() {
		t.Errorf("%v", types(s.heard))
	}
	if err := n.host.Interface("eth0").Remove(); err != nil {
		t.Fatal(err)
	}
	n.run(time.Second)
	if n.ended == nil || errors.Is(n.ended, errRunning) {
		t.Error(n.ended)
	}
	if _, err := n.client.Wait(context.Background()); err == nil || !errors.Is(err, n.ended) {
		t.Error(err)
	}
}

// What cannot have a client.
func TestNewErrors(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	h := n.Host("h")
	if _, err := New(h.Stack, h.Stack.Interface("lo"), Config{}); err == nil || !strings.Contains(err.Error(), "interface lo has no hardware address") {
		t.Error(err)
	}
	n.Wire(port(h), port(n.Host("o")), quick)
	for want, cfg := range map[string]Config{
		"Inform is ::1": {Inform: netip.IPv6Loopback()}, "HostName": {MachineConfig: MachineConfig{HostName: " "}},
	} {
		if _, err := New(h.Stack, h.Interface("eth0"), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
