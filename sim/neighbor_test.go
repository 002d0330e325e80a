package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/simtest"
	"github.com/onlink-go/onlink/trace"
)

// sinkFunc is a trace.Sink.
type sinkFunc func(e *trace.Event)

func (f sinkFunc) Trace(e *trace.Event) { f(e) }

// neighborStates returns where the states that a neighbor of node goes through are noted.
func neighborStates(node *sim.Node, neighbor string) *[]string {
	states := new([]string)
	node.Tracer().Add(sinkFunc(func(e *trace.Event) {
		if e.Kind == trace.NeighborChanged && e.Dst.String() == neighbor {
			*states = append(*states, e.To)
		}
	}))
	return states
}

// RFC 4861, 7.2.2: "If no Neighbor Advertisement is received after MAX_MULTICAST_SOLICIT solicitations, address
// resolution has failed." Each call that sent something is told after these three seconds, and no later.
func TestUnreachableNeighbor(t *testing.T) {
	simtest.Replay(t, 1, func(t testing.TB, n *sim.Network) {
		a, _ := lan(n, sim.Line{Delay: time.Millisecond})
		n.RunFor(5 * time.Second)
		for _, row := range []struct{ host, dial string }{
			{"192.0.2.77", "192.0.2.77:80"}, {"192.0.2.78", "192.0.2.78:80"}, {"192.0.2.79", "192.0.2.79:80"},
			{"2001:db8::77", "[2001:db8::77]:80"}, {"fe80::77%eth0", "[fe80::77%eth0]:80"},
		} {
			timed := func(what string, f func() error) {
				a.Go(what, func() {
					began := a.Now()
					wantErr(t, what+" "+row.host, f(), syscall.EHOSTUNREACH)
					if took := a.Now().Sub(began); took != 3*time.Second {
						t.Errorf("%s %s took %v", what, row.host, took)
					}
				})
			}
			timed("Dial", func() error {
				_, err := a.DialContext(context.Background(), "tcp", row.dial)
				return err
			})
			timed("Ping", func() error {
				_, err := a.Ping(context.Background(), netip.MustParseAddr(row.host), onlink.PingConfig{})
				return err
			})
			timed("UDP", func() error {
				u := dialUDP(t, a, row.dial)
				defer u.Close()
				u.Write([]byte("x"))
				_, err := u.Read(make([]byte, 1))
				return err
			})
		}
		run(t, n)
	})
}

// An idle connection's neighbor becomes STALE without a frame, and when the connection goes on, it is confirmed by
// the acknowledgments: RFC 4861, 7.3.1: "receipt of a (new) acknowledgment indicates that previously sent data
// reached the peer". No solicitation is ever sent again.
func TestIdleNeighborGoesStaleSilently(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := lan(n, sim.Line{Delay: time.Millisecond})
	states := neighborStates(a, "2001:db8::2")
	serve(t, b, func(c *onlink.TCPConn) {
		io.Copy(c, c)
		c.Close()
	})
	n.RunFor(20 * time.Second) // routers have been asked for
	a.Go("client", func() {
		c := dial(t, a, "[2001:db8::2]:80")
		defer c.Close()
		echo := func() {
			if _, err := c.Write([]byte("hello")); err != nil {
				t.Error(err)
			}
			if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
				t.Error(err)
			}
		}
		echo()
		a.Sleep(time.Second)
		before := n.Frames()
		a.Sleep(5 * time.Minute)
		if n.Frames() != before {
			t.Errorf("%d frames while idle", n.Frames()-before)
		}
		echo()
		a.Sleep(time.Minute)
		echo()
		a.Sleep(10 * time.Second) // what the acknowledgment confirmed is taken note of
	})
	run(t, n)
	want := []string{"INCOMPLETE", "REACHABLE", "STALE", "DELAY", "REACHABLE", "STALE", "DELAY", "REACHABLE"}
	if !slices.Equal(*states, want) {
		t.Errorf("states %v, want %v", *states, want)
	}
}

// A neighbor is replaced by another station with the same address, whose announcement is lost. NUD finds out by itself
// that the old one is gone: RFC 4861, 7.3.3, after ReachableTime (at most 45 s), DELAY_FIRST_PROBE_TIME (5 s) and three
// probes (3 s) at the latest.
func TestNeighborChangesItsMAC(t *testing.T) {
	for _, row := range []struct{ family, addr, dial, neighbor string }{
		{"IPv4", "192.0.2.2/24", "192.0.2.2:80", "192.0.2.2"},
		{"IPv6", "2001:db8::2/64", "[2001:db8::2]:80", "2001:db8::2"},
	} {
		for _, announced := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, announced %v", row.family, announced), func(t *testing.T) {
				n := sim.New(1)
				defer n.Stop()
				a, old, young := n.Host("a"), n.Host("old"), n.Host("young")
				cables := n.Switch(sim.Line{Delay: time.Millisecond}, a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"),
					old.Port("eth0", row.addr), young.Port("eth0"))
				states := neighborStates(a, row.neighbor)
				servers := []*onlink.TCPListener{tellName(t, old), tellName(t, young)}
				a.Go("client", func() {
					a.Sleep(5 * time.Second)
					if who := askName(a, row.dial); who != "old" {
						t.Errorf("at first: %q", who)
					}
					old.Interface("eth0").Remove()
					cables[2].Filter(func(_ *sim.Node, frame []byte) bool { return announced })
					young.Interface("eth0").AddAddress(netip.MustParsePrefix(row.addr))
					young.Interface("eth0").WaitReady(t.Context())
					a.Sleep(time.Second)
					cables[2].Filter(nil)
					changed := a.Now()
					for askName(a, row.dial) != "young" && a.Now().Sub(changed) < 10*time.Minute {
					}
					took := a.Now().Sub(changed)
					if announced && took > time.Second || !announced && (took < 5*time.Second || took > 65*time.Second) {
						t.Errorf("recovered after %v", took)
					}
					for _, ln := range servers {
						ln.Close()
					}
				})
				run(t, n)
				if probed := slices.Contains(*states, "FAILED"); probed == announced {
					t.Errorf("the neighbor's states were %v", *states)
				}
			})
		}
	}
}

// tellName makes node send its name to whoever connects to port 80, until the listener is closed.
func tellName(t *testing.T, node *sim.Node) *onlink.TCPListener {
	ln := listen(t, node, ":80")
	var serve func()
	serve = func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		node.Go("server", serve)
		c.Write([]byte(node.Name))
		c.Close()
	}
	node.Go("server", serve)
	return ln
}

// askName asks address for its name. It waits for half a minute.
func askName(node *sim.Node, address string) string {
	ctx, cancel := node.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := node.DialContext(ctx, "tcp", address)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	b, _ := io.ReadAll(c)
	return string(b)
}

// Nobody but we ourselves says that a neighbor does not answer: that is no ICMP error.
func TestUnreachableNeighborIsNoICMPError(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, _ := lan(n, sim.Line{})
	a.Go("ping", func() {
		_, err := a.Ping(context.Background(), netip.MustParseAddr("192.0.2.77"), onlink.PingConfig{})
		wantErr(t, "ping", err, syscall.EHOSTUNREACH)
		if e, ok := errors.AsType[*onlink.ICMPError](err); ok {
			t.Errorf("%+v", e)
		}
	})
	run(t, n)
}
