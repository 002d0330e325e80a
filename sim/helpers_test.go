package sim_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// The addresses of lan's second host, with a port, by family.
var servers = map[string]string{"IPv4": "192.0.2.2:80", "IPv6": "[2001:db8::2]:80"}

// eachFamily runs f as a subtest for each family, with a network of its own and the address to dial on it.
func eachFamily(t *testing.T, f func(t *testing.T, n *sim.Network, address string)) {
	for _, name := range []string{"IPv4", "IPv6"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := sim.New(1)
			defer n.Stop()
			f(t, n, servers[name])
		})
	}
}

// run lets time pass until all applications have returned.
func run(t testing.TB, n *sim.Network) {
	t.Helper()
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
}

// listen listens on address of node.
func listen(t testing.TB, node *sim.Node, address string) *onlink.TCPListener {
	t.Helper()
	ln, err := node.Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return ln.(*onlink.TCPListener)
}

// accept accepts a connection.
func accept(t testing.TB, ln *onlink.TCPListener) *onlink.TCPConn {
	t.Helper()
	c, err := ln.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dial connects from node.
func dial(t testing.TB, node *sim.Node, address string) *onlink.TCPConn {
	t.Helper()
	c, err := node.DialContext(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*onlink.TCPConn)
}

// dialUDP makes a connected UDP socket on node.
func dialUDP(t testing.TB, node *sim.Node, address string) *onlink.UDPConn {
	t.Helper()
	c, err := node.DialContext(context.Background(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*onlink.UDPConn)
}

// serve makes node listen on port 80 and gives each connection to an application of its own.
func serve(t testing.TB, node *sim.Node, f func(c *onlink.TCPConn)) {
	t.Helper()
	ln := listen(t, node, ":80")
	node.Go("server", func() {
		c := accept(t, ln)
		ln.Close()
		f(c)
	})
}

// discard reads to the end and closes; it returns how much came.
func discard(t testing.TB, c *onlink.TCPConn) int {
	t.Helper()
	n, err := io.Copy(io.Discard, c)
	if err != nil {
		t.Errorf("read %d octets, then: %v", n, err)
	}
	c.Close()
	return int(n)
}

// send writes n octets and closes.
func send(t testing.TB, c *onlink.TCPConn, n int) {
	t.Helper()
	if k, err := c.Write(make([]byte, n)); err != nil {
		t.Errorf("wrote %d octets, then: %v", k, err)
	}
	c.Close()
}

// wantErr fails the test unless err is a *net.OpError that unwraps to want.
func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want %v", what, err, want)
		return
	}
	if _, ok := errors.AsType[*net.OpError](err); !ok && want != io.EOF {
		t.Errorf("%s: error %v is a %T, want a *net.OpError", what, err, err)
	}
}
