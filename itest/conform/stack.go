package conform

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// Stack is onlink as a node, in virtual time.
type Stack struct {
	*onlink.Stack
	sim   *clock.Sim
	ports []*port
}

// port is a link whose far end is the tester.
type port struct {
	index int
	mtu   int
	r     link.Receiver
	sent  []Sent
}

func (p *port) Info() link.Info {
	return link.Info{MTU: p.mtu, Addr: NodeMAC[p.index], Queues: 1, Up: true}
}

func (p *port) Attach(r link.Receiver) error {
	if r != nil && p.r != nil {
		return link.ErrAttached
	}
	p.r = r
	return nil
}

func (p *port) Send(_ int, b *packet.Batch) error {
	for q := b.Pop(); q != nil; q = b.Pop() {
		p.sent = append(p.sent, Sent{p.index, append([]byte(nil), q.Bytes()...)})
		q.Free()
	}
	return nil
}

func (p *port) Close() error { return nil }

// NewStack makes a node of onlink.
func NewStack(k Kind) (*Stack, error) {
	s := &Stack{sim: clock.NewSim(1)}
	var err error
	s.Stack, err = onlink.New(onlink.Config{Runtime: s.sim.Runtime(7), Forwarding: k != HostNode})
	if err != nil {
		return nil, err
	}
	// Limits would make what one case sends depend on those before. They have tests of their own.
	if err := s.SetSysctl("net.ipv4.icmp_msgs_per_sec", "0"); err != nil {
		return nil, err
	}
	for i := range prefixes {
		if i == 1 && k == HostNode {
			break
		}
		p := &port{index: i, mtu: 1500}
		if i == 1 && k == SmallRouter {
			p.mtu = wire.IPv6MinMTU
		}
		cfg := onlink.InterfaceConfig{DisableDAD: true}
		for _, a := range prefixes[i] {
			cfg.Addresses = append(cfg.Addresses, netip.MustParsePrefix(a))
		}
		if i == 0 {
			cfg.Gateways = []netip.Addr{Peer4[0].Netip(), Peer6[0].Netip()}
		}
		s.ports = append(s.ports, p)
		if _, err := s.AddLink([]string{"tap0", "tap1"}[i], p, cfg); err != nil {
			return nil, err
		}
	}
	s.pass(5 * time.Second) // what it sends when it comes up
	s.take()
	return s, nil
}

// Close closes the stack.
func (s *Stack) Close() {
	var err error
	s.sim.Start("close", func() { err = s.Stack.Close(context.Background()) })
	s.sim.Run(s.sim.Now().Add(time.Minute))
	s.sim.Stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		panic(err) // there is nobody connected
	}
}

// Ask implements Host.
func (s *Stack) Ask(steps []Step) []Sent {
	var all []Sent
	for i := range steps {
		s.deliver(steps[i].Port, steps[i].Frame)
		s.pass(steps[i].Then)
		all = append(all, s.take()...)
	}
	return all
}

func (s *Stack) deliver(port int, frame []byte) {
	var b packet.Batch
	b.Push(packet.From(frame))
	s.ports[port].r.Deliver(0, &b)
	s.answer()
}

// answer answers what the node asks its neighbors, until it asks no more.
func (s *Stack) answer() {
	seen := make([]int, len(s.ports))
	for again := true; again; {
		again = false
		s.sim.Run(s.sim.Now())
		for i, p := range s.ports {
			for ; seen[i] < len(p.sent); seen[i]++ {
				if r := neighbor(p.sent[seen[i]]); r != nil {
					var b packet.Batch
					b.Push(packet.From(r))
					p.r.Deliver(0, &b)
					again = true
				}
			}
		}
	}
}

// pass lets time pass, and answers what the node asks its neighbors meanwhile.
func (s *Stack) pass(d time.Duration) {
	const slice = 100 * time.Millisecond
	for end := s.sim.Now().Add(d); s.sim.Now() < end; {
		s.sim.Run(min(end, s.sim.Now().Add(slice)))
		s.answer()
	}
}

// take returns what was sent since the last call.
func (s *Stack) take() (all []Sent) {
	for _, p := range s.ports {
		all = append(all, p.sent...)
		p.sent = nil
	}
	return all
}
