package core6

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/itest/conform"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// Case is one requirement and how it is tried.
type Case struct {
	Name string
	Rule string // the sentence, with where it stands
	Node Node
	Run  func(b *Bench)
}

// Node is what a node under test is. The zero Node is a host that knows nothing, as `onlink up --tap` makes one.
type Node struct {
	Router    bool              // two interfaces, and it forwards
	Addresses []string          // of the first interface of a host
	DAD       int               // transmits; 0: one; negative: none
	Sysctl    map[string]string // set before the interface is there
	SmallMTU  bool              // 1280 on the router's second interface
	Routes    map[string]string // prefixes, and through which router they are reached
	Advertise *onlink.RouterAdvertisement
}

// Wire is all links of a node, whose far ends are the tester.
type Wire interface {
	// Send sends a frame to the node.
	Send(port int, frame []byte)
	// Next returns the next frame that the node sends, after at most wait; ok is false if none came.
	Next(wait time.Duration) (port int, frame []byte, ok bool)
	// Now is the time since some instant.
	Now() time.Duration
}

// Bench is a node under test and a tester.
type Bench struct {
	testing.TB
	Wire
	answers []*peer       // who answer Neighbor Solicitations by themselves
	slack   time.Duration // more patience with what must come, where time is real
	shared  bool          // the node is the same for all cases: it is made ready once
	booted  bool
	taught  bool
}

// simulated is the Wire to a stack in virtual time.
type simulated struct {
	sim   *clock.Sim
	stack *onlink.Stack
	ports []*port
	sent  []frame
}

type frame struct {
	port int
	data []byte
}

// port is a link whose far end is the tester.
type port struct {
	w     *simulated
	index int
	mtu   int
	r     link.Receiver
}

func (p *port) Info() link.Info {
	return link.Info{MTU: p.mtu, Addr: conform.NodeMAC[p.index], Queues: 1, Up: true}
}

func (p *port) Attach(r link.Receiver) error {
	p.r = r
	return nil
}

func (p *port) Send(_ int, b *packet.Batch) error {
	for q := b.Pop(); q != nil; q = b.Pop() {
		p.w.sent = append(p.w.sent, frame{p.index, append([]byte(nil), q.Bytes()...)})
		q.Free()
	}
	return nil
}

func (p *port) Close() error { return nil }

// NewBench makes a node in virtual time.
func NewBench(t testing.TB, n Node) *Bench {
	t.Helper()
	w := &simulated{sim: clock.NewSim(1)}
	var err error
	if w.stack, err = onlink.New(onlink.Config{Runtime: w.sim.Runtime(7), Forwarding: n.Router}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.close(t) })
	for name, value := range n.Sysctl {
		if err := w.stack.SetSysctl(name, value); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"tap0", "tap1"} {
		if i == 1 && !n.Router {
			break
		}
		p := &port{w: w, index: i, mtu: 1500}
		if i == 1 && n.SmallMTU {
			p.mtu = 1280
		}
		cfg := onlink.InterfaceConfig{DisableDAD: n.DAD < 0 || n.Router}
		cfg.IPv6.DADTransmits = max(0, n.DAD)
		addresses := n.Addresses
		if n.Router {
			addresses = []string{routerAddresses[i]}
		}
		for _, a := range addresses {
			cfg.Addresses = append(cfg.Addresses, prefix(a))
		}
		w.ports = append(w.ports, p)
		iface, err := w.stack.AddLink(name, p, cfg)
		if err == nil && i == 0 && n.Advertise != nil {
			err = iface.Advertise(n.Advertise)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for to, through := range n.Routes {
		gateway := netip.MustParseAddr(through)
		if err := w.stack.AddRoute(onlink.Route{Prefix: prefix(to), Gateway: gateway.WithZone(""), Interface: "tap0"}); err != nil {
			t.Fatal(err)
		}
	}
	return &Bench{TB: t, Wire: w}
}

func (w *simulated) close(t testing.TB) {
	if w.sim.Broken() {
		return
	}
	var err error
	w.sim.Start("close", func() { err = w.stack.Close(context.Background()) })
	w.sim.Run(w.sim.Now().Add(time.Minute))
	w.sim.Stop()
	if err != nil {
		t.Errorf("Close: %v", err)
	}
}

func (w *simulated) Send(port int, data []byte) {
	var b packet.Batch
	b.Push(packet.From(data))
	w.ports[port].r.Deliver(0, &b)
}

func (w *simulated) Now() time.Duration { return time.Duration(w.sim.Now()) }

func (w *simulated) Next(wait time.Duration) (int, []byte, bool) {
	end := w.sim.Now().Add(wait)
	w.sim.Run(w.sim.Now())
	for len(w.sent) == 0 {
		if w.sim.Next() > end {
			w.sim.Run(end)
			break
		}
		w.sim.Step()
	}
	if len(w.sent) == 0 {
		return 0, nil, false
	}
	f := w.sent[0]
	w.sent = w.sent[1:]
	return f.port, f.data, true
}
