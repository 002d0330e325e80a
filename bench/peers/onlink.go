package main

import (
	"context"
	"net"
	"net/netip"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
)

// The server's address, and the client's.
var (
	clientPrefix = netip.MustParsePrefix("198.51.100.1/24")
	serverPrefix = netip.MustParsePrefix("198.51.100.2/24")
)

const tcpPort, udpPort = 8000, 9000

var serverTCP = netip.AddrPortFrom(serverPrefix.Addr(), tcpPort).String()

// onlinkPlain is two of our stacks on a cable of Ethernet frames of 1500 octets, all checksums made and verified.
func onlinkPlain() (*pair, error) { return onlinkOn(mem.Config{}) }

// onlinkSuper is them on a cable that carries super-packets.
func onlinkSuper() (*pair, error) {
	return onlinkOn(mem.Config{Offload: link.Checksums | link.TCP4 | link.TCP6})
}

func onlinkOn(cable mem.Config) (*pair, error) {
	a, b := mem.Pair(cable)
	client, err := onlinkHost(a, clientPrefix)
	if err != nil {
		return nil, err
	}
	server, err := onlinkHost(b, serverPrefix)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	return &pair{
		dial:   func() (net.Conn, error) { return client.Dial("tcp", serverTCP) },
		listen: func() (net.Listener, error) { return server.Listen(ctx, "tcp", serverTCP) },
		udp: func() (from, to net.Conn, err error) {
			addr := netip.AddrPortFrom(serverPrefix.Addr(), udpPort).String()
			pc, err := server.ListenPacket(ctx, "udp", addr)
			if err != nil {
				return nil, nil, err
			}
			from, err = client.Dial("udp", addr)
			return from, pc.(net.Conn), err
		},
		close: func() {
			done, cancel := context.WithCancel(ctx)
			cancel()
			client.Close(done) // what is still open is reset: the measurement is over
			server.Close(done)
		},
	}, nil
}

func onlinkHost(l link.Link, p netip.Prefix) (*onlink.Stack, error) {
	s, err := onlink.New(onlink.Config{})
	if err != nil {
		return nil, err
	}
	_, err = s.AddLink("eth0", l, onlink.InterfaceConfig{Addresses: []netip.Prefix{p}, DisableDAD: true})
	return s, err
}
