package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/onlink-go/onlink/sim"
)

// testbed is the lab's network: client ──── lan ──── router ──── wan ──── server.
type testbed struct {
	*sim.Network
	client, router, server *sim.Node
}

// newTestbed makes the nodes of the lab in n.
func newTestbed(n *sim.Network) *testbed {
	host := testbedNames()
	router := host
	router.Forwarding = true
	return &testbed{n, n.Node("client", host), n.Node("router", router), n.Node("server", host)}
}

// wire lays the wires; long is the one between router and server.
func (t *testbed) wire(long sim.Line) {
	t.Wire(t.client.Port("eth0", labClient4+"/24", labClient6+"/64").Gateway(labRouter4, labRouter6),
		t.router.Port("lan", labRouter4+"/24", labRouter6+"/64"), sim.Line{Rate: 1e9})
	t.Wire(t.router.Port("wan", "198.51.100.1/24", "2001:db8:2::1/64"),
		t.server.Port("eth0", labServer4+"/24", labServer6+"/64").Gateway("198.51.100.1", "2001:db8:2::1"), long)
}

// node returns the node of the given name.
func (t *testbed) node(name string) (*sim.Node, error) {
	var names []string
	for _, n := range t.Nodes() {
		if n.Name == name {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return nil, usagef("--node %s: the lab has no such node, but %s", name, strings.Join(names, ", "))
}

// The lab that commands with --node work in: a long link that loses nothing, and services on every node.
const testbedSeed = 1

var testbedLine = sim.Line{Delay: 20 * time.Millisecond, Rate: 100e6}

// inLab runs v on a node of a lab of its own, after all addresses there are verified.
func inLab(ctx context.Context, name string, v verb, i *invocation) (err error) {
	t := newTestbed(sim.New(testbedSeed))
	defer t.Stop()
	node, err := t.node(name)
	if err != nil {
		return err
	}
	t.wire(testbedLine)
	t.serve()
	settled := t.RunUntil(labPatience, func() bool { return allReady(t.Network) })
	if !settled {
		return fmt.Errorf("the lab has not settled in %v of virtual time", labPatience)
	}
	if err := t.serveNames(); err != nil {
		return err
	}
	vctx, cancel := node.WithCancel(ctx)
	defer cancel()
	if p, ok := v.(player); ok {
		p.play(t)
	}
	done := false
	node.Go("command", func() {
		defer func() { done = true }()
		err = v.run(labSession(vctx, node, i))
	})
	t.RunUntil(labPatience, func() bool { return done || ctx.Err() != nil })
	cancel() // if nothing ever comes, or no end of it, that is as good as an interrupt
	t.RunUntil(patience, func() bool { return done })
	if !done {
		return errors.New("interrupted")
	}
	return err
}

// labSession returns a session on a node of the lab, for a coroutine of the node.
func labSession(ctx context.Context, node *sim.Node, i *invocation) *session {
	return &session{ctx: ctx, stack: node.Stack, in: i.in, out: i.out, err: i.err, withTimeout: node.WithTimeout,
		sleep: func(d time.Duration) error {
			if ctx.Err() == nil {
				node.Sleep(d)
			}
			return ctx.Err()
		},
		spawn: func(f func()) { node.Go("part", f) }}
}

// serve has every node echo what comes by TCP and UDP to port 7.
func (t *testbed) serve() {
	for _, n := range t.Nodes() {
		n.Go("echo", func() { serveEchoTCP(n) })
		n.Go("echo", func() { serveEchoUDP(n) })
	}
}

// serveEchoTCP ends with the node.
func serveEchoTCP(n *sim.Node) {
	ln, err := n.Listen(context.Background(), "tcp", ":7")
	if err != nil {
		panic(err) // nothing else is on the node
	}
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		n.Go("echo", func() {
			io.Copy(conn, conn) // ends with the peer's FIN, or with an error the peer has caused
			conn.Close()
		})
	}
}

func serveEchoUDP(n *sim.Node) {
	pc, err := n.ListenPacket(context.Background(), "udp", ":7")
	if err != nil {
		panic(err)
	}
	echoUDP(pc) // until the node ends
}
