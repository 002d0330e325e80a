package main

import (
	"context"
	"net"
	"net/netip"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
)

// onlinkMemory is two of our stacks on a cable in memory that carries frames of Ethernet.
func onlinkMemory(cable mem.Config, cfg onlink.Config) opener {
	return func(f family) (*pair, error) {
		a, b := mem.Pair(cable)
		client, err := onlinkHost(a, clientAddrs, cfg)
		if err != nil {
			return nil, err
		}
		server, err := onlinkHost(b, serverAddrs, cfg)
		if err != nil {
			client.close()
			return nil, err
		}
		return &pair{client: client, server: server, addr: serverAddrs.of(f), close: func() {
			client.close()
			server.close()
		}}, nil
	}
}

// The cables.
var (
	plainCable = mem.Config{}                                                           // frames of 1500 octets, all checksums made and verified
	superCable = mem.Config{Offload: link.Checksums | link.TCP4 | link.TCP6 | link.UDP} // and super-packets
	wideCable  = mem.Config{Offload: superCable.Offload, Limit: wide}
	jumboCable = mem.Config{MTU: jumboMTU, Offload: link.Checksums} // packets as large as the internet protocol has them
)

// jumboMTU is the largest that all systems have.
const jumboMTU = 65535

// onlinkHost is one of our stacks on a link.
func onlinkHost(l link.Link, a addresses, cfg onlink.Config) (host, error) {
	s, err := onlink.New(cfg)
	if err != nil {
		return host{}, err
	}
	if _, err = s.AddLink("eth0", l, onlink.InterfaceConfig{Addresses: a.all(), DisableDAD: true}); err != nil {
		closeNow(s)
		return host{}, err
	}
	ctx := context.Background()
	return host{
		dial:    func(to netip.AddrPort) (net.Conn, error) { return s.Dial("tcp", to.String()) },
		listen:  func(at netip.AddrPort) (net.Listener, error) { return s.Listen(ctx, "tcp", at.String()) },
		dialUDP: func(to netip.AddrPort) (net.Conn, error) { return s.Dial("udp", to.String()) },
		listenUDP: func(at netip.AddrPort) (net.Conn, error) {
			pc, err := s.ListenPacket(ctx, "udp", at.String())
			if err != nil {
				return nil, err
			}
			return pc.(net.Conn), nil
		},
		close: func() { closeNow(s) },
	}, nil
}

// closeNow resets what is still open: the measurement is over.
func closeNow(s *onlink.Stack) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	s.Close(done)
}
