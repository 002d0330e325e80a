// Package sim is a network in virtual time: hosts and routers that are whole onlink stacks, wires and switches
// between them that delay, lose and reorder, and applications that run on the hosts as coroutines. Everything in it
// follows from a seed: run it again and every frame is the same at the same nanosecond, which the trace hash shows.
//
// Build a [Network], its nodes and wires; give the nodes applications with [Node.Go]; let time pass with
// [Network.Run] or [Network.RunFor]:
//
//	n := sim.New(1)
//	a, b := n.Host("a"), n.Host("b")
//	n.Wire(a.Port("eth0", "192.0.2.1/24"), b.Port("eth0", "192.0.2.2/24"), sim.Line{Delay: 20 * time.Millisecond, Loss: 0.01})
//	b.Go("server", func() { … b.Listen … })
//	a.Go("client", func() { … a.DialContext … })
//	err := n.Run()
//
// All of it belongs to one goroutine. Calls that may block (Dial, Accept, Read, Ping, Sleep, …) belong into the
// applications. Code that starts goroutines of its own (net/http, a [net.Resolver]) cannot run here: it runs on the
// real Runtime inside testing/synctest.
package sim

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link/capture"
)

// Network is a simulated network.
type Network struct {
	sim     *clock.Sim
	seed    uint64
	rt      clock.Runtime // of the wires
	nodes   []*Node
	hash    hash.Hash
	capture *capture.Writer // nil: none
	observe func(Impairment)
	macs    uint32 // addresses given out
	wires   uint32 // interfaces recorded
	frames  uint64 // in the hash
}

// New returns an empty network whose randomness follows from seed.
func New(seed uint64) *Network {
	s := clock.NewSim(seed)
	return &Network{sim: s, seed: seed, rt: s.Runtime(0), hash: sha256.New()}
}

// Capture makes every interface of every node write its frames to w, which the caller closes after Stop. It must be
// called before the first wire is laid.
func (n *Network) Capture(w *capture.Writer) { n.capture = w }

// Observe makes f see each frame that a wire loses, delays out of order, duplicates or corrupts. It must be called
// before the first wire is laid.
func (n *Network) Observe(f func(Impairment)) { n.observe = f }

// Seed returns what the network's randomness follows from.
func (n *Network) Seed() uint64 { return n.seed }

// Now returns the virtual time since the network began.
func (n *Network) Now() clock.Instant { return n.sim.Now() }

// Wall returns the virtual time of day, which begins at midnight UTC on 2000-01-01.
func (n *Network) Wall() time.Time { return n.sim.Wall() }

// ErrDeadlock is what Run returns when applications wait for something that can no longer happen.
var ErrDeadlock = errors.New("sim: deadlock")

// Run lets time pass until every application has returned. Errors: ErrDeadlock, naming the applications that wait
// though nothing is left to happen. A panic in an application goes through Run.
func (n *Network) Run() error {
	for n.running() > 0 {
		if !n.sim.Step() {
			return fmt.Errorf("%w: %s wait for ever", ErrDeadlock, strings.Join(n.sim.Waiting(), ", "))
		}
	}
	return nil
}

// RunFor lets d of virtual time pass.
func (n *Network) RunFor(d time.Duration) { n.sim.Run(n.sim.Now().Add(d)) }

// RunUntil lets time pass until done reports true, which it is asked after each event, but no longer than d. It
// reports whether done did.
func (n *Network) RunUntil(d time.Duration, done func() bool) bool {
	end := n.sim.Now().Add(d)
	for !done() {
		if n.sim.Next() > end {
			n.sim.Run(end)
			return false
		}
		n.sim.Step()
	}
	return true
}

// running returns how many applications have not returned.
func (n *Network) running() int {
	sum := 0
	for _, node := range n.nodes {
		sum += node.running
	}
	return sum
}

// Close closes every node's stack in virtual time: connections close in an orderly way for at most the given
// time, then are reset. After it, Stop.
func (n *Network) Close(patience time.Duration) error {
	errs := make([]error, len(n.nodes))
	for i, node := range n.nodes {
		node.Go("close", func() {
			ctx, cancel := node.WithTimeout(context.Background(), patience)
			defer cancel()
			errs[i] = node.Stack.Close(ctx)
		})
	}
	return errors.Join(append(errs, n.Run())...)
}

// Stop ends the simulation: applications still running are unwound where they wait. No goroutine is left.
func (n *Network) Stop() { n.sim.Stop() }

// Hash returns the trace hash: SHA-256 over every frame that an interface has sent or received so far, with its
// instant, interface and direction. Two runs that agree in it did the same on the wire.
func (n *Network) Hash() string { return fmt.Sprintf("%x", n.hash.Sum(nil)) }

// Frames returns how many frames the hash is over: each sent or received by an interface.
func (n *Network) Frames() uint64 { return n.frames }

// Host adds a host.
func (n *Network) Host(name string) *Node { return n.Node(name, onlink.Config{}) }

// Router adds a node that forwards.
func (n *Network) Router(name string) *Node { return n.Node(name, onlink.Config{Forwarding: true}) }

// Node adds a node with settings of its own; cfg.Runtime is set by Node. It panics if cfg is not one that
// onlink.New takes.
func (n *Network) Node(name string, cfg onlink.Config) *Node {
	cfg.Runtime = n.sim.Runtime(uint64(len(n.nodes)) + 1)
	s, err := onlink.New(cfg)
	if err != nil {
		panic(fmt.Sprintf("sim: node %q: %v", name, err))
	}
	node := &Node{Stack: s, Name: name, network: n}
	n.nodes = append(n.nodes, node)
	return node
}

// Nodes returns the nodes in the order they were added.
func (n *Network) Nodes() []*Node { return n.nodes }
