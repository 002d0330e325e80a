package onlink_test

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
)

// The addresses of the two hosts of a pair.
var (
	clientAddrs = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")}
	serverAddrs = []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8::2/64")}
)

const (
	server4 = "192.0.2.2"
	server6 = "2001:db8::2"
)

// newPair returns two hosts on one in-memory Ethernet, which are closed when the test ends. wrap, if not nil, is
// put around the client's link.
func newPair(t testing.TB, wrap func(clock.Runtime, link.Link) link.Link) (client, server *onlink.Stack) {
	t.Helper()
	return newPairOn(t, mem.Config{}, wrap)
}

// newPairOn is newPair on a cable of its own kind.
func newPairOn(t testing.TB, cable mem.Config, wrap func(clock.Runtime, link.Link) link.Link) (client, server *onlink.Stack) {
	t.Helper()
	a, b := mem.Pair(cable)
	client, server = newStack(t, onlink.Config{}), newStack(t, onlink.Config{})
	var l link.Link = a
	if wrap != nil {
		l = wrap(client.Runtime(), a)
	}
	addLink(t, client, l, clientAddrs)
	addLink(t, server, b, serverAddrs)
	return client, server
}

func newStack(t testing.TB, cfg onlink.Config) *onlink.Stack {
	t.Helper()
	s, err := onlink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Close(ctx) // what a test leaves open is reset; the tests of Close look at its error
	})
	return s
}

func addLink(t testing.TB, s *onlink.Stack, l link.Link, addrs []netip.Prefix) *onlink.Interface {
	t.Helper()
	i, err := s.AddLink("eth0", l, onlink.InterfaceConfig{Addresses: addrs, DisableDAD: true})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// connect returns the two ends of a TCP connection to the address host of server.
func connect(t testing.TB, client, server *onlink.Stack, host string) (c, s *onlink.TCPConn) {
	t.Helper()
	ln, err := server.Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialed, err := client.DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return dialed.(*onlink.TCPConn), accepted.(*onlink.TCPConn)
}
