package sim_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/trace"
)

// port4 is a port of a host that speaks IPv4 only.
func port4(n *sim.Node, cfg onlink.InterfaceConfig, addrs ...string) sim.Port {
	p := n.Port("eth0", addrs...)
	cfg.Addresses = p.Config.Addresses
	cfg.IPv6.Disable = true
	p.Config = cfg
	return p
}

// told counts the events of a kind at a node.
func told(n *sim.Node, k trace.Kind) *int {
	count := new(int)
	n.Tracer().Add(sinkFunc(func(e *trace.Event) {
		if e.Kind == k {
			*count++
		}
	}))
	return count
}

// address4 returns the first IPv4 address of a node that begins with prefix.
func address4(n *sim.Node, prefix string) (a netip.Addr) {
	for _, p := range n.Interface("eth0").Addresses() {
		if p.Addr().Is4() && strings.HasPrefix(p.Addr().String(), prefix) {
			return p.Addr()
		}
	}
	return a
}

// Hosts without any configuration find addresses and talk (RFC 3927): on a link with loss and delay, all distinct.
func TestLinkLocal4Hosts(t *testing.T) {
	n := sim.New(3)
	defer n.Stop()
	var nodes []*sim.Node
	var ports []sim.Port
	for i := range 30 {
		node := n.Host("h" + string(rune('a'+i)))
		nodes = append(nodes, node)
		ports = append(ports, port4(node, onlink.InterfaceConfig{LinkLocal4: true}))
	}
	n.Switch(sim.Line{Delay: time.Millisecond, Loss: 0.05}, ports...)
	n.RunFor(time.Minute)
	has := map[netip.Addr]string{}
	for _, node := range nodes {
		a := address4(node, "169.254.")
		if other, taken := has[a]; !a.IsValid() || taken {
			t.Errorf("%s: %v, which %s has", node.Name, a, other)
		}
		has[a] = node.Name
	}
	serve(t, nodes[0], func(c *onlink.TCPConn) { discard(t, c) })
	nodes[1].Go("client", func() {
		send(t, dial(t, nodes[1], address4(nodes[0], "169.254.").String()+":80"), 100_000)
	})
	run(t, n)
}

// Two hosts are given the same address while a bridge between their links is down: RFC 3927, 4, and RFC 5227, 2.6: the conflict
// is found when one of them asks for something. Of those that defend once, one or both give up; who defends always keeps it.
func TestConflictAfterBridging(t *testing.T) {
	for name, tt := range map[string]struct{ a, b onlink.ConflictMode }{
		"once, once":     {onlink.DefendOnce, onlink.DefendOnce},
		"always, once":   {onlink.DefendAlways, onlink.DefendOnce},
		"always, never":  {onlink.DefendAlways, onlink.DefendNever},
		"always, always": {onlink.DefendAlways, onlink.DefendAlways},
	} {
		t.Run(name, func(t *testing.T) {
			n := sim.New(1)
			defer n.Stop()
			a, b, c := n.Host("a"), n.Host("b"), n.Host("c")
			cables := n.Switch(sim.Line{Delay: time.Millisecond}, port4(a, onlink.InterfaceConfig{Conflicts: tt.a}, "192.0.2.1/24"),
				port4(b, onlink.InterfaceConfig{Conflicts: tt.b}, "192.0.2.1/24"), port4(c, onlink.InterfaceConfig{}, "192.0.2.3/24"))
			apart := func(_ *sim.Node, _ []byte) bool { return false }
			lostA, lostB, defended := told(a, trace.AddressDuplicate), told(b, trace.AddressDuplicate), told(a, trace.AddressDefended)
			cables[0].Filter(apart)
			cables[1].Filter(apart)
			n.RunFor(20 * time.Second)
			if *lostA+*lostB != 0 {
				t.Fatal("a conflict over a bridge that is down")
			}
			cables[0].Filter(nil)
			cables[1].Filter(nil)
			began := n.Frames()
			b.Go("ping", func() { ping(b, "192.0.2.3", onlink.PingConfig{}) })
			a.Go("ping", func() {
				a.Sleep(2 * time.Second)
				ping(a, "192.0.2.4", onlink.PingConfig{}) // nobody has it: asked for by broadcast
			})
			n.RunFor(time.Minute)
			switch {
			case tt.a == onlink.DefendAlways && *lostA != 0:
				t.Error("a gave up")
			case tt.b != onlink.DefendAlways && *lostA+*lostB == 0:
				t.Error("nobody gave up")
			case tt.a == onlink.DefendAlways && tt.b == onlink.DefendAlways && *defended == 0:
				t.Error("not defended")
			}
			// RFC 5227, 2.4: "to ensure that two hosts do not get stuck in an endless loop with both hosts trying to defend the
			// same address."
			if frames := n.Frames() - began; frames > 150 {
				t.Errorf("%d frames", frames)
			}
		})
	}
}

// A host that is switched on where another has its address does not disturb it: the connection of the other goes on.
func TestConflictDisturbsNobody(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b, c := n.Host("a"), n.Host("b"), n.Host("c")
	cables := n.Switch(sim.Line{Delay: time.Millisecond}, port4(a, onlink.InterfaceConfig{}, "192.0.2.1/24"),
		port4(b, onlink.InterfaceConfig{Conflicts: onlink.DefendOnce}, "192.0.2.1/24"), port4(c, onlink.InterfaceConfig{}, "192.0.2.3/24"))
	cables[1].SetUp(false)
	lost := told(b, trace.AddressDuplicate)
	serve(t, a, func(conn *onlink.TCPConn) { discard(t, conn) })
	c.Go("client", func() {
		conn := dial(t, c, "192.0.2.1:80")
		for range 30 {
			conn.Write(make([]byte, 1000))
			c.Sleep(time.Second)
			if c.Now() > 0 && *lost == 0 {
				cables[1].SetUp(true)
			}
		}
		send(t, conn, 1000)
	})
	run(t, n)
	if *lost != 1 {
		t.Errorf("b lost its address %d times", *lost)
	}
}

// A hostile neighbor claims every address that anybody probes or has: RFC 3927, 2.2.1. Nobody who defends always loses what he
// had, and those who look for an address do so at a bounded rate.
func TestHostileClaims(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, ll, evil := n.Host("a"), n.Host("ll"), n.Host("evil")
	n.Switch(sim.Line{Delay: time.Millisecond}, port4(a, onlink.InterfaceConfig{Conflicts: onlink.DefendAlways}, "192.0.2.1/24"),
		port4(ll, onlink.InterfaceConfig{LinkLocal4: true}), port4(evil, onlink.InterfaceConfig{}, "192.0.2.66/24"))
	n.RunFor(15 * time.Second) // both have their addresses
	lostA, lostLL, defended := told(a, trace.AddressDuplicate), told(ll, trace.AddressDuplicate), told(a, trace.AddressDefended)
	evil.Go("claims", func() {
		for range 1200 {
			evil.Sleep(500 * time.Millisecond)
			for _, x := range []netip.Addr{netip.MustParseAddr("192.0.2.1"), address4(ll, "169.254.")} {
				if !x.IsValid() {
					continue
				}
				// To claim an address is to have it: the announcement goes out, and then it is taken away again.
				evil.Interface("eth0").AddAddress(netip.PrefixFrom(x, 24))
				evil.Interface("eth0").RemoveAddress(x)
			}
		}
	})
	run(t, n)
	if *lostA != 0 || *defended < 50 || *defended > 62 {
		t.Errorf("lost %d times, defended %d times in ten minutes", *lostA, *defended)
	}
	if *lostLL < 12 || *lostLL > 25 {
		t.Errorf("%d link-local addresses tried in ten minutes", *lostLL)
	}
}
