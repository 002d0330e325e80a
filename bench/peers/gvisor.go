package main

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// The kinds of offload of a queue.
const (
	softwareGSO = stack.GVisorGSOSupported // super-packets are cut by gVisor before the link
	hostGSO     = stack.HostGSOSupported   // the link takes them, and checksums on trust
)

// gvisorQueue is two of gVisor's stacks on a link that hands over all packets that wait at once, from one goroutine for
// each direction: the fastest one in memory that was found for it.
func gvisorQueue(gso stack.SupportedGSO) func() (*pair, error) {
	return func() (*pair, error) {
		a, b := newQueue(gso, "\x02\x00\x00\x00\x00\x01"), newQueue(gso, "\x02\x00\x00\x00\x00\x02")
		a.to, b.to = b, a
		client, err := gvisorHost(a, clientPrefix.Addr().As4())
		if err != nil {
			return nil, err
		}
		server, err := gvisorHost(b, serverPrefix.Addr().As4())
		if err != nil {
			return nil, err
		}
		var running sync.WaitGroup
		running.Go(a.run)
		running.Go(b.run)
		addr := tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFrom4(serverPrefix.Addr().As4())}
		return &pair{
			dial: func() (net.Conn, error) {
				to := addr
				to.Port = tcpPort
				return gonet.DialTCP(client, to, ipv4.ProtocolNumber)
			},
			listen: func() (net.Listener, error) {
				to := addr
				to.Port = tcpPort
				return gonet.ListenTCP(server, to, ipv4.ProtocolNumber)
			},
			udp: func() (from, to net.Conn, err error) {
				at := addr
				at.Port = udpPort
				receiver, err := gonet.DialUDP(server, &at, nil, ipv4.ProtocolNumber)
				if err != nil {
					return nil, nil, err
				}
				sender, err := gonet.DialUDP(client, nil, &at, ipv4.ProtocolNumber)
				return sender, receiver, err
			},
			close: func() {
				a.stop()
				b.stop()
				running.Wait()
				client.Destroy()
				server.Destroy()
			},
		}, nil
	}
}

// gvisorHost is a stack with CUBIC, SACK and RACK, and buffers as large as ours grow.
func gvisorHost(l stack.LinkEndpoint, a [4]byte) (*stack.Stack, error) {
	s := stack.New(stack.Options{NetworkProtocols: []stack.NetworkProtocolFactory{ipv4.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol}})
	sack, cubic, rack := tcpip.TCPSACKEnabled(true), tcpip.CongestionControlOption("cubic"), tcpip.TCPRecovery(tcpip.TCPRACKLossDetection)
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: 4 << 20, Max: 6 << 20}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: 4 << 20, Max: 6 << 20}
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &cubic, &rack, &send, &receive} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			return nil, fmt.Errorf("%T: %s", o, err)
		}
	}
	if err := s.CreateNIC(1, l); err != nil {
		return nil, errors.New(err.String())
	}
	address := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.AddressWithPrefix{Address: tcpip.AddrFrom4(a), PrefixLen: 24}}
	if err := s.AddProtocolAddress(1, address, stack.AddressProperties{}); err != nil {
		return nil, errors.New(err.String())
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	return s, nil
}

// queue is one end of the link: packets that the other end has sent wait in it. What of gVisor's channel it does not
// redefine says what kind of link it is.
type queue struct {
	*channel.Endpoint
	to         *queue
	trusted    bool // checksums need not be verified
	dispatcher stack.NetworkDispatcher

	mu      sync.Mutex
	more    sync.Cond
	waiting []*stack.PacketBuffer
	stopped bool
}

// queueLimit is how many packets wait at most; those beyond are dropped, as on our cable.
const queueLimit = 1024

func newQueue(gso stack.SupportedGSO, addr tcpip.LinkAddress) *queue {
	q := &queue{Endpoint: channel.New(1, 1500, addr), trusted: gso == hostGSO}
	q.SupportedGSOKind = gso
	if q.trusted {
		q.LinkEPCapabilities = stack.CapabilityTXChecksumOffload | stack.CapabilityRXChecksumOffload
	}
	q.more.L = &q.mu
	return q
}

// Attach implements stack.LinkEndpoint.
func (q *queue) Attach(d stack.NetworkDispatcher) {
	q.Endpoint.Attach(d)
	q.dispatcher = d
}

// WritePackets implements stack.LinkEndpoint.
func (q *queue) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	t := q.to
	n := 0
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range pkts.AsSlice() {
		if len(t.waiting) >= queueLimit || t.stopped {
			break
		}
		t.waiting = append(t.waiting, stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: p.ToBuffer()}))
		n++
	}
	t.more.Signal()
	if n == 0 {
		return 0, &tcpip.ErrNoBufferSpace{}
	}
	return n, nil
}

// run delivers what waits, all at once.
func (q *queue) run() {
	var batch []*stack.PacketBuffer
	for {
		q.mu.Lock()
		for len(q.waiting) == 0 && !q.stopped {
			q.more.Wait()
		}
		if q.stopped {
			q.mu.Unlock()
			return
		}
		batch, q.waiting = q.waiting, batch[:0]
		q.mu.Unlock()
		for _, p := range batch {
			p.RXChecksumValidated = q.trusted
			q.dispatcher.DeliverNetworkPacket(ipv4.ProtocolNumber, p)
			p.DecRef()
		}
	}
}

func (q *queue) stop() {
	q.mu.Lock()
	q.stopped = true
	q.more.Broadcast()
	q.mu.Unlock()
}
