package onlink

import (
	"context"
	"net"
	"net/netip"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/icmp"
	"github.com/onlink-go/onlink/internal/tcpsock"
	"github.com/onlink-go/onlink/internal/udp"
	"github.com/onlink-go/onlink/wire"
)

// Listen listens for TCP connections on address, "host:port", of network "tcp", "tcp4" or "tcp6". An empty host
// listens on all addresses, of both families with "tcp"; port 0 chooses one. A host name is one of Config.Hosts, or localhost: no
// server is asked. The listener is a *TCPListener; it is
// made to be served by [http.Server]. Errors are *net.OpError around EADDRINUSE, EADDRNOTAVAIL or what was wrong
// with the arguments.
func (s *Stack) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	l := ListenConfig{Stack: s}
	return l.Listen(ctx, network, address)
}

// ListenConfig is a way to listen with options, like [net.ListenConfig].
type ListenConfig struct {
	Stack   *Stack
	Backlog int        // connections that may wait to be accepted; 0: Config.TCP.Backlog
	TCP     TCPOptions // of the connections to come

	// Interface is the one that the socket hears by and sends by alone (SO_BINDTODEVICE), in its VRF; empty: by all that are
	// in no VRF.
	Interface string

	// Mark is what rules choose a routing table by for what is sent (SO_MARK); TCP.Mark goes before it.
	Mark uint32

	// ReusePort lets several UDP sockets have one address and port, if all of them are opened with it (SO_REUSEPORT). Each gets a
	// part of the flows: what comes from one sender's port goes to the same one, as long as they stay the same. So each can have
	// a goroutine of its own, with a queue and a lock of its own.
	ReusePort bool
}

// Listen is Stack.Listen with c's options.
func (c *ListenConfig) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	s := c.Stack
	if err := c.TCP.check(&s.tcp.Settings().TCP); err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	n, err := parseNetwork(network)
	if err == nil && n.transport != "tcp" {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	bound, addr, err := s.bind(ctx, n, address, c.Interface)
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	backlog := c.Backlog
	if backlog == 0 {
		backlog = s.cfg.TCP.Backlog
	}
	options := c.TCP
	headers := options.headers(s.tcp.Settings())
	headers.V4.Interface, headers.V6.Interface = bound.Device, bound.Device
	if options.Mark == 0 {
		headers.V4.Mark, headers.V6.Mark = c.Mark, c.Mark
	}
	keys, _ := tcpKeys(options.Keys) // checked above
	l, err := s.tcp.Listen(tcpsock.ListenConfig{Bound: bound, Backlog: backlog, Change: options.change,
		Headers: headers, Keys: keys})
	if err != nil {
		return nil, opError("listen", network, nil, net.TCPAddrFromAddrPort(addr), err)
	}
	return &TCPListener{stack: s, l: l, addr: s.tcpAddr(l.Local())}, nil
}

// ListenPacket makes a UDP socket on address, "host:port", of network "udp", "udp4" or "udp6", in the manner of
// Listen; a raw socket on address, "host", of a network as "ip4:icmp", "ip6:58" or "ip:ospf"; or a ping socket of network
// "ping4" or "ping6". The socket is a *UDPConn, *IPConn or *PingConn.
func (s *Stack) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	l := ListenConfig{Stack: s}
	return l.ListenPacket(ctx, network, address)
}

// ListenPacket is Stack.ListenPacket with c's Interface, Mark and ReusePort.
func (c *ListenConfig) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	s := c.Stack
	n, err := parseAnyNetwork(network)
	if err == nil && n.transport == "tcp" {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	bound, addr, err := s.bind(ctx, n, address, c.Interface)
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	var sharing udp.Sharing
	if c.ReusePort {
		sharing = udp.ReusePort
	}
	p, err := s.openDatagrams(n, dgram.Config{Bound: bound, Mark: c.Mark}, sharing)
	if err != nil {
		return nil, opError("listen", network, nil, addrOf(n, addr), err)
	}
	return p, nil
}

// datagramSocket is a socket that is made to listen and to dial.
type datagramSocket interface {
	net.Conn
	net.PacketConn
}

// openDatagrams makes a socket of n, which is not TCP's. Only those of UDP share ports.
func (s *Stack) openDatagrams(n network, cfg dgram.Config, sharing udp.Sharing) (datagramSocket, error) {
	switch n.transport {
	case "udp":
		u, err := s.udp().Open(udp.Config{Config: cfg, Sharing: sharing})
		if err != nil {
			return nil, err
		}
		return s.newUDPConn(u), nil
	case "ping":
		p, err := s.icmp().Open(icmp.Config{Config: cfg})
		if err != nil {
			return nil, err
		}
		return s.newPingConn(n, p), nil
	default:
		r, err := s.raw().Open(n.proto, cfg)
		if err != nil {
			return nil, err
		}
		return s.newIPConn(n, r), nil
	}
}

// bind works out what a socket of n is to be bound to.
func (s *Stack) bind(ctx context.Context, n network, address, device string) (flow.Bound, netip.AddrPort, error) {
	a, err := s.ours(ctx, n, address)
	if err != nil {
		return flow.Bound{}, netip.AddrPort{}, err
	}
	local, err := s.endpoint(a)
	b := flow.Bound{Local: local}
	if device != "" && err == nil {
		b.Device, err = s.zone(device)
	}
	switch {
	case !n.v6 || a.Addr().Is4():
		b.Family = flow.Only4
		if local.Addr == (wire.Addr{}) {
			b.Local.Addr = wire.Unspecified4
		}
	case !n.v4:
		b.Family = flow.Only6
	}
	return b, a, err
}
