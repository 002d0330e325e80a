package sim_test

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/simtest"
)

// lan joins two hosts by a line.
func lan(n *sim.Network, line sim.Line) (a, b *sim.Node) { return lanOf(n, line, onlink.Config{}) }

// lanOf is lan of hosts with cfg.
func lanOf(n *sim.Network, line sim.Line, cfg onlink.Config) (a, b *sim.Node) {
	a, b = n.Node("a", cfg), n.Node("b", cfg)
	n.Wire(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"), b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64"), line)
	return a, b
}

func TestPingTakesTheLinesDelay(t *testing.T) {
	simtest.Replay(t, 1, func(t testing.TB, n *sim.Network) {
		a, _ := lan(n, sim.Line{Delay: 20 * time.Millisecond})
		a.Go("ping", func() {
			a.Sleep(5 * time.Second) // duplicate address detection is over
			for _, host := range []string{"192.0.2.2", "2001:db8::2"} {
				// The first one waits for the neighbor's address too.
				for seq, want := range []time.Duration{80 * time.Millisecond, 40 * time.Millisecond} {
					r, err := a.Ping(t.Context(), netip.MustParseAddr(host), onlink.PingConfig{Seq: uint16(seq), ID: 7})
					if err != nil || r.RTT != want {
						t.Errorf("ping %s seq %d: %v, %v; want %v", host, seq, r.RTT, err, want)
					}
				}
			}
		})
		if err := n.Run(); err != nil {
			t.Error(err)
		}
	})
}

func TestTransferOverLossyLine(t *testing.T) {
	simtest.Replay(t, 2, func(t testing.TB, n *sim.Network) {
		a, b := lan(n, sim.Line{Delay: 20 * time.Millisecond, Rate: 100e6, Loss: 0.01})
		b.Go("server", func() {
			ln, err := b.Listen(t.Context(), "tcp", ":80")
			if err != nil {
				t.Error(err)
				return
			}
			c, err := ln.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := c.Write(make([]byte, 1<<20)); err != nil {
				t.Error(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		a.Go("client", func() {
			c, err := a.DialContext(t.Context(), "tcp", "[2001:db8::2]:80")
			if err != nil {
				t.Error(err)
				return
			}
			if n, err := io.Copy(io.Discard, c); n != 1<<20 || err != nil {
				t.Errorf("read %d octets, %v", n, err)
			}
			c.Close()
		})
		if err := n.Run(); err != nil {
			t.Error(err)
		}
	})
}

func TestOtherSeedOtherHash(t *testing.T) {
	hash := func(seed uint64) string {
		n := sim.New(seed)
		defer n.Stop()
		a, _ := lan(n, sim.Line{Delay: time.Millisecond, Loss: 0.5})
		a.Go("ping", func() {
			for seq := range 20 {
				a.Ping(t.Context(), netip.MustParseAddr("192.0.2.2"), onlink.PingConfig{Seq: uint16(seq), Timeout: time.Second})
			}
		})
		if err := n.Run(); err != nil {
			t.Fatal(err)
		}
		return n.Hash()
	}
	if hash(1) == hash(2) {
		t.Error("two seeds, one hash")
	}
}

func TestDeadlockNamesWhoWaits(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a := n.Host("a")
	a.Go("accept", func() {
		ln, err := a.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Error(err)
			return
		}
		ln.Accept()
	})
	err := n.Run()
	if !errors.Is(err, sim.ErrDeadlock) || !strings.Contains(err.Error(), "a: accept") {
		t.Errorf("Run: %v", err)
	}
}

// Ten virtual minutes of a network where nothing happens are hardly any work: a few dozen events, most of them duplicate
// address detection at the beginning.
func TestIdleNetworkSteps(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := lan(n, sim.Line{Delay: time.Millisecond})
	serve(t, b, func(c *onlink.TCPConn) { c.Read(make([]byte, 1)) })
	a.Go("client", func() { dial(t, a, "192.0.2.2:80") })
	steps := 0
	count := func() bool {
		steps++
		return false
	}
	n.RunUntil(10*time.Minute, count)
	if n.Now().Duration() != 10*time.Minute {
		t.Errorf("now is %v", n.Now())
	}
	if steps > 250 || n.Frames() > 100 {
		t.Errorf("%d steps and %d frames", steps, n.Frames())
	}
	steps = 0
	before := n.Frames()
	n.RunUntil(24*time.Hour, count)
	// What was known of the neighbors is forgotten.
	if steps > 10 || n.Frames() != before {
		t.Errorf("%d steps and %d frames on the idle day after", steps, n.Frames()-before)
	}
}
