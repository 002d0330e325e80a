package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// gvisorStack is one of gVisor's stacks on some links, with CUBIC, SACK and RACK, and buffers as large as ours grow.
func gvisorStack(links ...stack.LinkEndpoint) (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol6},
	})
	sack, cubic, rack := tcpip.TCPSACKEnabled(true), tcpip.CongestionControlOption("cubic"), tcpip.TCPRecovery(tcpip.TCPRACKLossDetection)
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: 4 << 20, Max: 6 << 20}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: 4 << 20, Max: 6 << 20}
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &cubic, &rack, &send, &receive} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			return nil, fmt.Errorf("%T: %s", o, err)
		}
	}
	for _, o := range []any{tcpip.SendBufferSizeOption{Min: 4 << 10, Default: datagramBuffer, Max: 4 << 20},
		tcpip.ReceiveBufferSizeOption{Min: 4 << 10, Default: datagramBuffer, Max: 4 << 20}} {
		if err := s.SetOption(o); err != nil {
			return nil, fmt.Errorf("%T: %s", o, err)
		}
	}
	for i, l := range links {
		if err := s.CreateNIC(tcpip.NICID(i+1), l); err != nil {
			return nil, errors.New(err.String())
		}
	}
	return s, nil
}

// datagramBuffer is how many octets of datagrams wait for their reader: 32 KiB, gVisor's own choice, are 20 datagrams.
const datagramBuffer = 1 << 20

// gvisorAddress gives an interface an address.
func gvisorAddress(s *stack.Stack, nic tcpip.NICID, p netip.Prefix) error {
	a := tcpip.ProtocolAddress{Protocol: protocolOf(p.Addr()), AddressWithPrefix: tcpip.AddressWithPrefix{
		Address: tcpip.AddrFromSlice(p.Addr().AsSlice()), PrefixLen: p.Bits()}}
	if err := s.AddProtocolAddress(nic, a, stack.AddressProperties{}); err != nil {
		return errors.New(err.String())
	}
	return nil
}

func protocolOf(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}

// gvisorLink is what is the same of all links that are made for gVisor here: what comes in goes to the dispatcher. What of
// gVisor's channel a link does not redefine says what kind of link it is.
type gvisorLink struct {
	*channel.Endpoint
	dispatcher stack.NetworkDispatcher
}

func newGVisorLink(mtu uint32, addr tcpip.LinkAddress) gvisorLink {
	return gvisorLink{Endpoint: channel.New(1, mtu, addr)}
}

// Attach implements stack.LinkEndpoint.
func (l *gvisorLink) Attach(d stack.NetworkDispatcher) {
	l.Endpoint.Attach(d)
	l.dispatcher = d
}

// GSOMaxSize implements stack.GSOEndpoint.
func (*gvisorLink) GSOMaxSize() uint32 { return 1 << 16 }

// gvisorHost is a host of gVisor's on a link.
func gvisorHost(l stack.LinkEndpoint, a addresses) (host, error) {
	s, err := gvisorStack(l)
	if err != nil {
		return host{}, err
	}
	for _, p := range a.all() {
		if err := gvisorAddress(s, 1, p); err != nil {
			s.Destroy()
			return host{}, err
		}
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}, {Destination: header.IPv6EmptySubnet, NIC: 1}})
	full := func(a netip.AddrPort) (*tcpip.FullAddress, tcpip.NetworkProtocolNumber) {
		return &tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFromSlice(a.Addr().AsSlice()), Port: a.Port()}, protocolOf(a.Addr())
	}
	return host{
		dial: func(to netip.AddrPort) (net.Conn, error) {
			a, protocol := full(to)
			return gonet.DialTCP(s, *a, protocol)
		},
		listen: func(at netip.AddrPort) (net.Listener, error) {
			a, protocol := full(at)
			return gonet.ListenTCP(s, *a, protocol)
		},
		dialUDP: func(to netip.AddrPort) (net.Conn, error) {
			a, protocol := full(to)
			return gonet.DialUDP(s, nil, a, protocol)
		},
		listenUDP: func(at netip.AddrPort) (net.Conn, error) {
			a, protocol := full(at)
			return gonet.DialUDP(s, a, nil, protocol)
		},
		close: s.Destroy,
	}, nil
}
