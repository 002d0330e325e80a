package main

import (
	"errors"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// gvisorRouter is gVisor's stack as a router with one route to everywhere for each family, between two links.
func gvisorRouter(destinations int) opener {
	return func(f family) (*pair, error) {
		in, out := &gvisorSink{gvisorLink: newGVisorLink(1500, "")}, &gvisorSink{gvisorLink: newGVisorLink(1500, "")}
		s, err := gvisorStack(in, out)
		if err != nil {
			return nil, err
		}
		protocol := protocolOf(nextHop.of(f))
		err = errors.Join(gvisorAddress(s, 1, inside.v4), gvisorAddress(s, 1, inside.v6), gvisorAddress(s, 2, outside.v4), gvisorAddress(s, 2, outside.v6))
		if fault := s.SetForwardingDefaultAndAllNICs(protocol, true); fault != nil {
			err = errors.Join(err, errors.New(fault.String()))
		}
		if err != nil {
			s.Destroy()
			return nil, err
		}
		gateway := func(f family) tcpip.Address { return tcpip.AddrFromSlice(nextHop.of(f).AsSlice()) }
		s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, Gateway: gateway(v4), NIC: 2},
			{Destination: header.IPv6EmptySubnet, Gateway: gateway(v6), NIC: 2}})
		packets := make([][]byte, destinations)
		for i := range packets {
			packets[i] = shortPacket(destination(i, destinations, f), f)
		}
		return &pair{close: s.Destroy, router: router{destinations: destinations, arrived: func() int64 { return out.n }, push: func(from, n int) error {
			for i := range n {
				p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packets[from+i])})
				in.dispatcher.DeliverNetworkPacket(protocol, p)
				p.DecRef()
			}
			return nil
		}}}, nil
	}
}

// gvisorSink is a link that counts what is sent, and is a way in.
type gvisorSink struct {
	gvisorLink
	n int64
}

// WritePackets implements stack.LinkEndpoint.
func (l *gvisorSink) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	l.n += int64(pkts.Len())
	return pkts.Len(), nil
}
