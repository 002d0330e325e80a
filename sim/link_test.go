package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/simtest"
)

// The wire fails for five seconds in the middle of a transfer, with the carrier going or without anybody noticing.
// The transfer completes soon after it is back: at the next retransmission, which is at most as far away as the time
// that has passed without answers (RFC 6298, 5.5: the time-out is doubled each time).
func TestWireFailsDuringTransfer(t *testing.T) {
	for name, fail := range map[string]func(c *sim.Cable, broken bool){
		"unplugged": func(c *sim.Cable, broken bool) { c.SetUp(!broken) },
		"silently": func(c *sim.Cable, broken bool) {
			c.Filter(func(*sim.Node, []byte) bool { return !broken })
		},
	} {
		for family, address := range servers {
			t.Run(name+", "+family, func(t *testing.T) {
				t.Parallel()
				simtest.Replay(t, 1, func(t testing.TB, n *sim.Network) {
					const size = 4 << 20
					a, b := n.Host("a"), n.Host("b")
					cable := n.Wire(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"), b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64"),
						sim.Line{Delay: 10 * time.Millisecond, Rate: 20e6})
					got := 0
					serve(t, b, func(c *onlink.TCPConn) { got = discard(t, c) })
					n.RunFor(5 * time.Second)
					began := n.Now()
					a.Go("client", func() { send(t, dial(t, a, address), size) })
					a.Go("trouble", func() {
						a.Sleep(500 * time.Millisecond)
						fail(cable, true)
						a.Sleep(5 * time.Second)
						fail(cable, false)
					})
					run(t, n)
					if took := n.Now().Sub(began); got != size || took < 6*time.Second || took > 14*time.Second {
						t.Errorf("%d octets arrived, in %v", got, took)
					}
				})
			})
		}
	}
}

// The interface is removed under a connection: what is written then is in vain, which the writer learns in the end, and
// everybody else at once.
func TestInterfaceRemovedUnderConnection(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := lan(n, sim.Line{Delay: time.Millisecond})
	var server error
	serve(t, b, func(c *onlink.TCPConn) {
		c.SetKeepAlive(true)
		_, server = c.Read(make([]byte, 1))
		c.Close()
	})
	a.Go("client", func() {
		c := dial(t, a, "192.0.2.2:80")
		a.Sleep(time.Second)
		if err := a.Interface("eth0").Remove(); err != nil {
			t.Error(err)
		}
		if _, err := a.DialContext(t.Context(), "tcp", "192.0.2.2:80"); true {
			wantErr(t, "another Dial", err, syscall.ENETUNREACH)
		}
		began := a.Now()
		c.Write([]byte("anybody there?"))
		_, err := c.Read(make([]byte, 1))
		if !errors.Is(err, syscall.ETIMEDOUT) && !errors.Is(err, syscall.ENETUNREACH) && !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("Read: %v", err)
		}
		if took := a.Now().Sub(began); took > 20*time.Minute {
			t.Errorf("Read took %v", took)
		}
		c.Close()
	})
	run(t, n)
	if !errors.Is(server, syscall.ETIMEDOUT) && !errors.Is(server, syscall.EHOSTUNREACH) {
		t.Errorf("the server's Read: %v", server)
	}
}

// Stacks are closed while connections between them are open and data is on its way: it arrives.
func TestCloseStacksWithOpenConnections(t *testing.T) {
	simtest.Replay(t, 1, func(t testing.TB, n *sim.Network) {
		a, b := lan(n, sim.Line{Delay: 10 * time.Millisecond, Rate: 10e6})
		const size = 500_000
		got := 0
		var server error
		serve(t, b, func(c *onlink.TCPConn) {
			b := make([]byte, 4096)
			for server == nil {
				var k int
				k, server = c.Read(b)
				got += k
			}
		})
		a.Go("client", func() {
			c := dial(t, a, "192.0.2.2:80")
			c.Write(make([]byte, size))
			if err := a.Close(context.Background()); err != nil {
				t.Errorf("Close: %v", err)
			}
			_, err := c.Write([]byte("x"))
			wantErr(t, "Write after Stack.Close", err, net.ErrClosed)
			_, err = a.DialContext(context.Background(), "tcp", "192.0.2.2:80")
			wantErr(t, "Dial after Stack.Close", err, net.ErrClosed)
		})
		run(t, n)
		if got != size || server != io.EOF {
			t.Errorf("%d octets arrived, then %v", got, server)
		}
	})
}

// Both ends close at the same time, with idle connections, a listener and a UDP socket: nobody waits for anybody.
func TestCloseBothStacksAtOnce(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := lan(n, sim.Line{Delay: 10 * time.Millisecond})
	ln := listen(t, b, ":80")
	for i := range 20 {
		b.Go("server", func() {
			c := accept(t, ln)
			if i%2 == 0 {
				c.Read(make([]byte, 1))
			}
		})
	}
	b.Go("accept", func() {
		_, err := ln.Accept()
		for err == nil {
			_, err = ln.Accept()
		}
		wantErr(t, "Accept", err, net.ErrClosed)
	})
	u := dialUDP(t, b, "192.0.2.1:9")
	b.Go("UDP", func() {
		_, err := u.Read(make([]byte, 1))
		wantErr(t, "UDP Read", err, net.ErrClosed)
	})
	a.Go("client", func() {
		for i := range 20 {
			dial(t, a, []string{"192.0.2.2:80", "[2001:db8::2]:80"}[i%2])
		}
	})
	n.RunFor(10 * time.Second)
	began := n.Now()
	if err := n.Close(time.Minute); err != nil {
		t.Error(err)
	}
	if took := n.Now().Sub(began); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// A peer that is dead keeps Close waiting until its context is done, and no longer.
func TestCloseStackWithDeadPeer(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	a, b := n.Host("a"), n.Host("b")
	cable := n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: time.Millisecond})
	serve(t, b, func(c *onlink.TCPConn) { b.Sleep(time.Hour) })
	a.Go("client", func() {
		c := dial(t, a, "192.0.2.2:80")
		cable.Filter(func(*sim.Node, []byte) bool { return false })
		c.Write([]byte("last words"))
		ctx, cancel := a.WithTimeout(context.Background(), 7*time.Second)
		defer cancel()
		began := a.Now()
		err := a.Close(ctx)
		wantErr(t, "Close", err, context.DeadlineExceeded)
		if took := a.Now().Sub(began); took != 7*time.Second {
			t.Errorf("Close took %v", took)
		}
		if err := a.Close(ctx); err != nil {
			t.Errorf("the second Close: %v", err)
		}
	})
	run(t, n)
}

// Ten hosts at a switch, each in conversation with each over both families.
func TestTenHostsAtASwitch(t *testing.T) {
	simtest.Replay(t, 1, func(t testing.TB, n *sim.Network) {
		const hosts, size = 10, 20_000
		var nodes []*sim.Node
		var ports []sim.Port
		for i := range hosts {
			node := n.Host(fmt.Sprint("host ", i))
			nodes = append(nodes, node)
			ports = append(ports, node.Port("eth0", fmt.Sprintf("192.0.2.%d/24", i+1), fmt.Sprintf("2001:db8::%d/64", i+1)))
		}
		n.Switch(sim.Line{Delay: time.Millisecond, Rate: 100e6, Loss: 0.005}, ports...)
		n.RunFor(5 * time.Second)
		got := 0
		for i, node := range nodes {
			ln := listen(t, node, ":80")
			node.Go("server", func() {
				for range 2 * (hosts - 1) {
					c := accept(t, ln)
					node.Go("receive", func() { got += discard(t, c) })
				}
				ln.Close()
			})
			for j := range nodes {
				if i == j {
					continue
				}
				for _, address := range []string{fmt.Sprintf("192.0.2.%d:80", j+1), fmt.Sprintf("[2001:db8::%d]:80", j+1)} {
					node.Go("client", func() { send(t, dial(t, node, address), size) })
				}
			}
		}
		run(t, n)
		if want := 2 * hosts * (hosts - 1) * size; got != want {
			t.Errorf("%d octets arrived of %d", got, want)
		}
	})
}

// A thousand connections at once between two hosts.
func TestThousandConnections(t *testing.T) {
	simtest.Replay(t, 1, func(t testing.TB, n *sim.Network) {
		const conns, size = 1000, 3000
		a, b := lan(n, sim.Line{Delay: 5 * time.Millisecond, Rate: 1e9, Queue: 5000})
		n.RunFor(5 * time.Second)
		ln := listen(t, b, ":80")
		open, most, got := 0, 0, 0
		b.Go("server", func() {
			for range conns {
				c := accept(t, ln)
				open++
				most = max(most, open)
				b.Go("echo", func() {
					io.Copy(c, c)
					c.Close()
					open--
				})
			}
			ln.Close()
		})
		for i := range conns {
			a.Go("client", func() {
				c := dial(t, a, []string{"192.0.2.2:80", "[2001:db8::2]:80"}[i%2])
				a.Sleep(time.Second)
				c.Write(make([]byte, size))
				c.CloseWrite()
				got += discard(t, c)
			})
		}
		run(t, n)
		if got != conns*size || most != conns {
			t.Errorf("%d octets came back of %d; %d connections at once", got, conns*size, most)
		}
	})
}
