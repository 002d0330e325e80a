package onlink

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// DialContext connects to address, "host:port", on network "tcp", "tcp4", "tcp6", "udp", "udp4" or "udp6", or to address,
// "host", on a network of raw sockets, as "ip4:icmp" or "ip6:89", or of ping sockets, "ping", "ping4" or "ping6". The
// connection is a *TCPConn, *UDPConn, *IPConn or *PingConn. A host name is looked up with Resolver; TCP tries its addresses as RFC 8305
// ("Happy Eyeballs") says, UDP uses the first that can be sent to in the order of RFC 6724. It is made to be an [http.Transport]'s DialContext. While the only fitting source addresses are still
// in duplicate address detection, it waits.
//
// Errors are *net.OpError around the errno (ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, …), the context's
// error, or what was wrong with the arguments.
func (s *Stack) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return s.dial(ctx, network, address, &anyDialer)
}

// anyDialer is the Dialer of who has no wishes.
var anyDialer Dialer

// Dial is DialContext without a context.
func (s *Stack) Dial(network, address string) (net.Conn, error) {
	return s.DialContext(context.Background(), network, address)
}

// Dialer is a way to connect that chooses the local end and the connection's options, like [net.Dialer].
type Dialer struct {
	Stack     *Stack
	LocalAddr string     // "host:port"; an empty host or port 0 is chosen
	TCP       TCPOptions // of a TCP connection, from its SYN on
	Interface string     // the socket hears by and sends by it alone (SO_BINDTODEVICE), in its VRF; empty: by all
	Mark      uint32     // what rules choose a routing table by (SO_MARK); TCP.Mark goes before it

	// Source is which IPv6 addresses are preferred to connect from, where LocalAddr names none.
	Source SourcePreference

	// AttemptDelay is how long an attempt to connect to one address of a name is waited for before the next begins
	// beside it (RFC 8305, 5); 0: 250 ms, negative: until it fails.
	AttemptDelay time.Duration
}

// DialContext is Stack.DialContext from d.LocalAddr with d's options.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.Stack.dial(ctx, network, address, d)
}

// one connects to one address.
func (d *Dialer) one(ctx context.Context, s *Stack, n network, name string, from []netip.AddrPort, device int32, a netip.AddrPort) (net.Conn, error) {
	a = localIfUnspecified(n, a)
	l, ok := localFor(from, a)
	if !ok {
		return nil, opError("dial", name, nil, addrOf(n, a), &net.AddrError{Err: "no address of its family", Addr: d.LocalAddr})
	}
	c, err := s.dialOne(ctx, n, l, a, device, d)
	if err != nil {
		return nil, opError("dial", name, nil, addrOf(n, a), err)
	}
	return c, nil
}

func (s *Stack) dial(ctx context.Context, name, address string, d *Dialer) (net.Conn, error) {
	n, err := parseAnyNetwork(name)
	if err == nil {
		err = d.TCP.check(&s.tcp.Settings().TCP)
	}
	var from []netip.AddrPort
	if err == nil && d.LocalAddr != "" {
		from, err = s.resolve(ctx, n, d.LocalAddr)
	}
	var device int32
	if err == nil && d.Interface != "" {
		device, err = s.zone(d.Interface)
	}
	var to destination
	if err == nil {
		to, err = n.parse(ctx, address)
	}
	if err != nil {
		return nil, opError("dial", name, nil, nil, err)
	}
	if to.name == "" {
		return d.one(ctx, s, n, name, from, device, netip.AddrPortFrom(to.addr, to.port))
	}
	one := func(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
		return d.one(ctx, s, n, name, from, device, a)
	}
	switch {
	case n.transport != "tcp":
		return s.dialFirst(ctx, n, to, one)
	}
	c, err := s.dialName(ctx, n, to, d.AttemptDelay, one)
	if _, told := errors.AsType[*net.OpError](err); err != nil && !told {
		err = opError("dial", name, nil, nil, err)
	}
	return c, err
}

// localIfUnspecified returns the loopback address in place of an unspecified one, as net.Dial documents: "the
// local system is assumed".
func localIfUnspecified(n network, a netip.AddrPort) netip.AddrPort {
	switch {
	case !a.Addr().IsValid() && n.v4, a.Addr() == netip.IPv4Unspecified():
		return netip.AddrPortFrom(wire.Loopback4.Netip(), a.Port())
	case !a.Addr().IsValid() || a.Addr().IsUnspecified():
		return netip.AddrPortFrom(netip.IPv6Loopback(), a.Port())
	}
	return a
}

// localFor returns the local end to use towards to: the first of from that is of its family.
func localFor(from []netip.AddrPort, to netip.AddrPort) (netip.AddrPort, bool) {
	for _, l := range from {
		if !l.Addr().IsValid() || l.Addr().Is4() == to.Addr().Is4() {
			return l, true
		}
	}
	return netip.AddrPort{}, from == nil
}

// addrOf returns a as the address type of n's transport.
func addrOf(n network, a netip.AddrPort) net.Addr {
	switch n.transport {
	case "tcp":
		return net.TCPAddrFromAddrPort(a)
	case "ip":
		return ipAddr(a.Addr())
	}
	return net.UDPAddrFromAddrPort(a)
}

func (s *Stack) dialOne(ctx context.Context, n network, from, to netip.AddrPort, device int32, d *Dialer) (net.Conn, error) {
	local, err := s.endpoint(from)
	if err != nil {
		return nil, err
	}
	remote, err := s.endpoint(to)
	if err != nil {
		return nil, err
	}
	var c net.Conn
	err = s.settled(ctx, local.Addr, remote, device, func() (err error) {
		if n.transport == "tcp" {
			c, err = s.dialTCP(ctx, local, remote, device, d)
			return err
		}
		c, err = s.openDatagrams(n, dgram.Config{Bound: flow.Bound{Local: local, Family: onlyFamily(remote.Addr), Device: device},
			Remote: remote, SourcePrefs: d.Source.preferences(), Mark: d.Mark}, 0)
		return err
	})
	return c, err
}

// settled calls send, and while it finds that the addresses to send from to the given end are still in duplicate
// address detection, waits for the end of that and calls it again.
func (s *Stack) settled(ctx context.Context, src wire.Addr, to flow.Endpoint, device int32, send func() error) error {
	if src.IsUnspecified() {
		src = wire.Addr{}
	}
	for {
		err := send()
		if !errors.Is(err, ip.ErrTentative) {
			return err
		}
		if _, err := s.ip.WaitSettled(ctx, ip.Query{Src: src, Dst: to.Addr, Scope: to.Scope, Out: device}); err != nil {
			return err
		}
	}
}

func (s *Stack) dialTCP(ctx context.Context, local, remote flow.Endpoint, device int32, d *Dialer) (net.Conn, error) {
	cfg := d.TCP.open(s.tcp.Settings(), remote.Addr)
	cfg.Local, cfg.Remote, cfg.SourcePrefs, cfg.Header.Interface = local, remote, d.Source.preferences(), device
	if cfg.Header.Mark == 0 {
		cfg.Header.Mark = d.Mark
	}
	c, err := s.tcp.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return s.newTCPConn(c), nil
}
