package onlink

import (
	"context"
	"net"
	"net/netip"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/tcpsock"
	"github.com/onlink-go/onlink/internal/udp"
	"github.com/onlink-go/onlink/wire"
)

// Listen listens for TCP connections on address, "host:port", of network "tcp", "tcp4" or "tcp6". An empty host
// listens on all addresses, of both families with "tcp"; port 0 chooses one. The listener is a *TCPListener; it is
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
}

// Listen is Stack.Listen with c's options.
func (c *ListenConfig) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	s := c.Stack
	if err := c.TCP.check(s.tcp.Settings().TCP.Controls()); err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	bound, addr, err := s.bind(ctx, "tcp", network, address, c.Interface)
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
	keys, _ := tcpKeys(options.Keys) // checked above
	l, err := s.tcp.Listen(tcpsock.ListenConfig{Bound: bound, Backlog: backlog, Change: options.change,
		Headers: headers, Keys: keys})
	if err != nil {
		return nil, opError("listen", network, nil, net.TCPAddrFromAddrPort(addr), err)
	}
	return &TCPListener{stack: s, l: l, addr: s.tcpAddr(l.Local())}, nil
}

// ListenPacket makes a UDP socket on address, "host:port", of network "udp", "udp4" or "udp6", in the manner of
// Listen. The socket is a *UDPConn.
func (s *Stack) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	l := ListenConfig{Stack: s}
	return l.ListenPacket(ctx, network, address)
}

// ListenPacket is Stack.ListenPacket with c's Interface.
func (c *ListenConfig) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	s := c.Stack
	bound, addr, err := s.bind(ctx, "udp", network, address, c.Interface)
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	u, err := s.udp.Open(udp.Config{Config: dgram.Config{Bound: bound}})
	if err != nil {
		return nil, opError("listen", network, nil, net.UDPAddrFromAddrPort(addr), err)
	}
	return s.newUDPConn(u), nil
}

// bind works out what a socket of the given transport is to be bound to.
func (s *Stack) bind(ctx context.Context, transport, name, address, device string) (flow.Bound, netip.AddrPort, error) {
	n, err := parseNetwork(name)
	if err == nil && n.transport != transport {
		err = net.UnknownNetworkError(name)
	}
	if err != nil {
		return flow.Bound{}, netip.AddrPort{}, err
	}
	addrs, err := s.resolve(ctx, n, address)
	if err != nil {
		return flow.Bound{}, netip.AddrPort{}, err
	}
	a := addrs[0]
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
