package dhcp4

import (
	"context"
	"errors"
	"fmt"
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
	n.again(cfg)
	return n
}

// again makes another client, after the one there was has ended.
func (n *net4) again(cfg Config) {
	n.t.Helper()
	n.events, n.cancel = nil, nil
	cfg.OnEvent = func(e Event) { n.events = append(n.events, e.String()) }
	var err error
	if n.client, err = New(n.host.Stack, n.host.Interface("eth0"), cfg); err != nil {
		n.t.Fatal(err)
	}
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
