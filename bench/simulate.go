package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// flow is one connection of a simulation, that sends as much as it may.
type flow struct {
	Control  string
	Start    time.Duration // when it begins to connect
	Port     int
	Received int64 // octets, so far
	Began    bool
	conn     *onlink.TCPConn
	err      error
}

// world is a host that sends over a line to another.
type world struct {
	*sim.Network
	client, server *sim.Node
	flows          []*flow
}

// The addresses in a world.
const (
	worldClient = "198.51.100.1"
	worldServer = "198.51.100.2"
)

// newWorld makes two hosts and the line between them, with settings for both.
func newWorld(seed uint64, line sim.Line, cfg onlink.TCPConfig) *world {
	n := sim.New(seed)
	cfg.Algorithms = append(cfg.Algorithms, onlink.BBR())
	w := &world{Network: n, client: n.Node("client", onlink.Config{TCP: cfg}), server: n.Node("server", onlink.Config{TCP: cfg})}
	n.Wire(w.client.Port("eth0", worldClient+"/24"), w.server.Port("eth0", worldServer+"/24"), line)
	return w
}

// send adds a flow.
func (w *world) send(f *flow) {
	f.Port = 5000 + len(w.flows)
	w.flows = append(w.flows, f)
	w.server.Go("receive", func() { f.fail(w.receive(f)) })
	w.client.Go("send", func() {
		w.client.Sleep(f.Start)
		f.fail(w.transmit(f))
	})
}

// fail notes an error.
func (f *flow) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// receive reads what comes until the simulation ends.
func (w *world) receive(f *flow) error {
	ln, err := w.server.Listen(context.Background(), "tcp", fmt.Sprintf(":%d", f.Port))
	if err != nil {
		return err
	}
	c, err := ln.Accept()
	if err != nil {
		return err
	}
	b := make([]byte, 256<<10)
	for {
		n, err := c.Read(b)
		if err != nil {
			return err
		}
		f.Received += int64(n)
	}
}

// transmit connects and writes until the simulation ends.
func (w *world) transmit(f *flow) error {
	d := onlink.Dialer{Stack: w.client.Stack, TCP: onlink.TCPOptions{CongestionControl: f.Control}}
	c, err := d.DialContext(context.Background(), "tcp", net.JoinHostPort(worldServer, fmt.Sprint(f.Port)))
	if err != nil {
		return err
	}
	f.conn, f.Began = c.(*onlink.TCPConn), true
	b := make([]byte, 256<<10)
	for {
		if _, err := c.Write(b); err != nil {
			return err
		}
	}
}

// begun lets time pass until all flows are connected.
func (w *world) begun() error {
	all := func() bool {
		for _, f := range w.flows {
			if !f.Began && f.err == nil {
				return false
			}
		}
		return true
	}
	if !w.RunUntil(10*time.Minute, all) {
		return fmt.Errorf("a flow does not begin")
	}
	return w.fault()
}

// fault returns what went wrong with a flow.
func (w *world) fault() error {
	for _, f := range w.flows {
		if f.err != nil {
			return fmt.Errorf("%s: %w", f.Control, f.err)
		}
	}
	return nil
}

// simulate sends on the path of j for d, counted from the end of the handshake.
func simulate(j job, seed uint64, d time.Duration) (run, error) {
	w := newWorld(seed, j.Line, onlink.TCPConfig{})
	defer w.Stop()
	w.RunFor(5 * time.Second) // duplicate address detection
	f := &flow{Control: j.Control}
	w.send(f)
	if err := w.begun(); err != nil {
		return run{}, err
	}
	before := f.conn.Info()
	w.RunFor(d)
	if err := w.fault(); err != nil {
		return run{}, err
	}
	i := f.conn.Info()
	return run{Seed: seed, Goodput: mbits(f.Received, d), Segments: i.DataSegmentsOut, Resent: i.Retransmits - before.Retransmits,
		Timeouts: i.Timeouts - before.Timeouts}, nil
}

// mbits returns octets in d as Mbit/s.
func mbits(octets int64, d time.Duration) float64 { return float64(octets) * 8 / 1e6 / d.Seconds() }

// each calls f for each number below n, some at once, until one fails or ctx is done.
func each(ctx context.Context, n, atOnce int, f func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				if err := f(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}
