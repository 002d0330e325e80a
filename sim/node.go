package sim

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
)

// Node is a host or router of a simulated network: a Stack, and applications on it.
type Node struct {
	*onlink.Stack
	Name    string
	network *Network
	running int

	interfaces []*onlink.Interface // that wires and switches made
}

// Interface returns the interface of the given name that a wire or a switch made, or nil.
func (n *Node) Interface(name string) *onlink.Interface {
	for _, i := range n.interfaces {
		if i.Name() == name {
			return i
		}
	}
	return nil
}

// Go starts an application: app runs from the present instant on, as a coroutine. The name is for reports.
func (n *Node) Go(name string, app func()) {
	n.running++
	n.network.sim.Start(n.Name+": "+name, func() {
		defer func() { n.running-- }()
		app()
	})
}

// Sleep lets the calling application wait.
func (n *Node) Sleep(d time.Duration) { n.network.sim.Sleep(d) }

// Now returns the virtual time since the network began.
func (n *Node) Now() clock.Instant { return n.network.Now() }

// Wall returns the virtual time of day, which deadlines are counted from: conn.SetDeadline(node.Wall().Add(d)).
func (n *Node) Wall() time.Time { return n.network.Wall() }

// WithTimeout is context.WithTimeout in virtual time.
func (n *Node) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return n.network.sim.WithTimeout(parent, d)
}

// WithCancel is context.WithCancel for the simulation's thread.
func (n *Node) WithCancel(parent context.Context) (context.Context, context.CancelFunc) {
	return n.network.sim.WithCancel(parent)
}

// Port is an interface-to-be of a node: where an end of a wire goes.
type Port struct {
	Node   *Node
	Name   string
	Config onlink.InterfaceConfig
}

// Port describes an interface of the node with the given addresses ("192.0.2.1/24", "2001:db8::1/64"). It panics
// if one cannot be read.
func (n *Node) Port(name string, addresses ...string) Port {
	p := Port{Node: n, Name: name}
	for _, text := range addresses {
		a, err := netip.ParsePrefix(text)
		if err != nil {
			panic(fmt.Sprintf("sim: %s %s: %v", n.Name, name, err))
		}
		p.Config.Addresses = append(p.Config.Addresses, a)
	}
	return p
}

// Gateway returns p with default routes through the given routers. It panics if an address cannot be read.
func (p Port) Gateway(routers ...string) Port {
	for _, text := range routers {
		a, err := netip.ParseAddr(text)
		if err != nil {
			panic(fmt.Sprintf("sim: %s %s: %v", p.Node.Name, p.Name, err))
		}
		p.Config.Gateways = append(p.Config.Gateways, a)
	}
	return p
}
