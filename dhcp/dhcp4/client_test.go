package dhcp4

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/sim"
)

// net4 is a client and servers on one link, in simulation.
type net4 struct {
	*sim.Network
	t      *testing.T
	host   *sim.Node
	client *Client
	events []string
	cables []*sim.Cable
	cancel context.CancelFunc
	ended  error
}

// newNet returns a host with a client, "h", that begins at once, and nodes with the given addresses, "s0", "s1", ….
func newNet(t *testing.T, line sim.Line, cfg Config, servers ...string) *net4 {
	t.Helper()
	n := &net4{Network: sim.New(1), t: t}
	t.Cleanup(n.Stop)
	n.host = n.Host("h")
	ports := []sim.Port{port(n.host)}
	for i, a := range servers {
		ports = append(ports, port(n.Host(fmt.Sprint("s", i)), a))
	}
	n.cables = n.Switch(line, ports...)
	cfg.OnEvent = func(e Event) { n.events = append(n.events, e.String()) }
	var err error
	if n.client, err = New(n.host.Stack, n.host.Interface("eth0"), cfg); err != nil {
		t.Fatal(err)
	}
	return n
}

func port(n *sim.Node, addrs ...string) sim.Port {
	p := n.Port("eth0", addrs...)
	p.Config.IPv6.Disable = true
	return p
}

// run runs the client for the given time, from its beginning if it has not begun.
func (n *net4) run(d time.Duration) {
	n.t.Helper()
	if n.cancel == nil {
		var ctx context.Context
		ctx, n.cancel = n.host.WithCancel(context.Background())
		n.ended = errRunning
		n.host.Go("dhcp", func() { n.ended = n.client.Run(ctx) })
	}
	n.RunFor(d)
}

var errRunning = errors.New("running")

// end tells the client to end, and lets it.
func (n *net4) end() {
	n.t.Helper()
	n.cancel()
	n.RunFor(time.Second)
	if n.ended != nil {
		n.t.Error(n.ended)
	}
	if a := n.host.Interface("eth0").Addresses(); len(a) != 0 {
		n.t.Errorf("addresses %v are left", a)
	}
	for _, r := range n.host.Routes() {
		if r.Origin == "dhcp" {
			n.t.Errorf("route %v is left", r)
		}
	}
	if s := n.host.NameServers(); len(s) != 0 {
		n.t.Errorf("name servers %v are left", s)
	}
}

func (n *net4) wantEvents(want ...string) {
	n.t.Helper()
	if !slices.Equal(n.events, want) {
		n.t.Errorf("events:\n%s\nwant:\n%s", strings.Join(n.events, "\n"), strings.Join(want, "\n"))
	}
}

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
