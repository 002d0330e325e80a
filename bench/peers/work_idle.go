package main

import (
	"fmt"
	"net"
	"runtime"
	"sync"
)

// idle opens connections, several at once, and tells what memory one takes with both its ends while nothing happens.
func idle(connections int) work {
	return func(p *pair, m *meter) error {
		var ends crowd
		if p.kernel { // a stack takes its connections with it
			defer ends.close()
		}
		if err := ends.open(p, 1); err != nil { // what is made once is made, and the neighbor known
			return err
		}
		kernel := slab()
		before := memory()
		m.begin()
		if err := ends.open(p, connections); err != nil {
			return err
		}
		m.end(int64(connections))
		took := memory() - before
		if p.kernel {
			took += slab() - kernel
		}
		m.values[idleTotal], m.values[idleOctets] = took, took/float64(connections)
		runtime.KeepAlive(&ends)
		return nil
	}
}

// The columns of memory: of one connection, and of all, which is for a series alone.
const idleOctets, idleTotal = "octets each", "octets"

// memory returns how many octets the heap and the stacks of goroutines take when all garbage is gone.
func memory() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // frees what sync.Pool has held over the first
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// crowd is many connections with both their ends.
type crowd struct {
	mu   sync.Mutex
	ends []net.Conn
	port int // the next to listen at
}

// perPort is how many connections are made to one port: a client has so many numbers for its own everywhere.
const perPort = 10_000

// openers is how many connections are being opened at once.
const openers = 8

// open opens connections to as many ports as it takes. At each, one is opened after the other.
func (c *crowd) open(p *pair, connections int) error {
	ports := max(min(openers, connections), (connections+perPort-1)/perPort)
	errs := make([]error, ports)
	c.ends = append(make([]net.Conn, 0, len(c.ends)+2*connections), c.ends...)
	turn := make(chan struct{}, openers)
	var work sync.WaitGroup
	for i := range ports {
		n := connections/ports + map[bool]int{true: 1}[i < connections%ports]
		at := c.port + i
		turn <- struct{}{}
		work.Go(func() {
			errs[i] = c.openAt(p, at, n)
			<-turn
		})
	}
	work.Wait()
	c.port += ports
	return first(errs)
}

// first returns the first error: those of many connections are the same.
func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) openAt(p *pair, port, connections int) error {
	l, err := p.listen(port)
	if err != nil {
		return err
	}
	defer l.Close()
	for n := range connections {
		a, b, err := p.open(l, port)
		if err != nil {
			return fmt.Errorf("connection %d to port %d: %w", n+1, port, err)
		}
		c.mu.Lock()
		c.ends = append(c.ends, a, b)
		c.mu.Unlock()
	}
	return nil
}

// close closes all, with resets where there are such.
func (c *crowd) close() {
	for _, e := range c.ends {
		if l, ok := e.(interface{ SetLinger(int) error }); ok {
			l.SetLinger(0)
		}
		e.Close()
	}
}
