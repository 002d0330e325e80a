package main

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// pair is a client and a server, with what joins them.
type pair struct {
	dial   func() (net.Conn, error)              // to the server's port of listen
	listen func() (net.Listener, error)          // at the server
	udp    func() (from, to net.Conn, err error) // from sends to to, which reads
	close  func()
}

// system is a stack, or a kernel, in one of its configurations.
type system struct {
	name string
	open func() (*pair, error)
}

// benchmark is some work, and the systems that do it: ours first.
type benchmark struct {
	name, unit         string
	cpuUnit, allocUnit string
	scale              float64 // of n a second to unit
	large, small       float64 // of n to what processor time and allocations are for
	on                 []system
	work               func(p *pair, d time.Duration) (n int64, err error) // for about d
}

var (
	plain = []system{{"onlink", onlinkPlain}, {"gVisor, queue", gvisorQueue(0)}, {"gVisor, queue, its software GSO", gvisorQueue(softwareGSO)},
		{"Linux, veth, offloads off", kernelPlain}}
	super = []system{{"onlink", onlinkSuper}, {"gVisor, queue, GSO", gvisorQueue(hostGSO)}, {"Linux, veth", kernelVeth}}
	// On a wire to the kernel; over veth the kernel talks to itself.
	wireTo   = []system{{"onlink, TAP", onlinkTap(toKernel, false, false)}, {"onlink, TUN", onlinkTap(toKernel, true, false)}, {"onlink, plain TAP", onlinkTap(toKernel, false, true)}, {"Linux, veth", kernelVeth}}
	wireFrom = []system{{"onlink, TAP", onlinkTap(fromKernel, false, false)}, {"onlink, TUN", onlinkTap(fromKernel, true, false)}, {"onlink, plain TAP", onlinkTap(fromKernel, false, true)}, {"Linux, veth", kernelVeth}}
	alone    = []system{{"onlink", onlinkPlain}, {"gVisor, queue", gvisorQueue(0)}, {"Linux, veth", kernelVeth}}
)

var cases = []benchmark{
	bulk("TCP bulk, segments of 1500 octets, 1 connection", 1, plain),
	bulk("TCP bulk, segments of 1500 octets, 8 connections", 8, plain),
	bulk("TCP bulk, super-packets, 1 connection", 1, super),
	bulk("TCP bulk, super-packets, 8 connections", 8, super),
	bulk("TCP bulk to the kernel, 1 connection", 1, wireTo),
	bulk("TCP bulk from the kernel, 1 connection", 1, wireFrom),
	bulk("TCP bulk to the kernel, 8 connections", 8, wireTo),
	bulk("TCP bulk from the kernel, 8 connections", 8, wireFrom),
	{name: "TCP, one octet there and back", unit: "round trips/s", cpuUnit: "CPU s a million", allocUnit: "allocations", scale: 1, large: 1e6, small: 1,
		on: alone, work: roundTrips},
	{name: "TCP, one octet to the kernel and back", unit: "round trips/s", cpuUnit: "CPU s a million", allocUnit: "allocations", scale: 1, large: 1e6,
		small: 1, on: wireTo, work: roundTrips},
	connects("TCP connect, one octet, close, 1 client", 1),
	connects("TCP connect, one octet, close, 8 clients", 8),
	datagrams("UDP, 64 octets", 64),
	datagrams("UDP, 1400 octets", 1400),
}

func bulk(name string, connections int, on []system) benchmark {
	return benchmark{name: name, unit: "Gbit/s", cpuUnit: "CPU s a GB", allocUnit: "allocations a MB", scale: 8e-9, large: 1e9, small: 1e6, on: on,
		work: func(p *pair, d time.Duration) (int64, error) { return transfer(p, d, connections) }}
}

func connects(name string, clients int) benchmark {
	return benchmark{name: name, unit: "connections/s", cpuUnit: "CPU s a million", allocUnit: "allocations", scale: 1, large: 1e6, small: 1, on: alone,
		work: func(p *pair, d time.Duration) (int64, error) { return connect(p, d, clients) }}
}

func datagrams(name string, size int) benchmark {
	return benchmark{name: name, unit: "received/s", cpuUnit: "CPU s a million", allocUnit: "allocations", scale: 1, large: 1e6, small: 1, on: alone,
		work: func(p *pair, d time.Duration) (int64, error) { return exchange(p, d, size) }}
}

// chunk is how much is written and read at once.
const chunk = 64 << 10

// transfer sends over some connections and counts what arrives.
func transfer(p *pair, d time.Duration, connections int) (int64, error) {
	l, err := p.listen()
	if err != nil {
		return 0, err
	}
	defer l.Close()
	var total atomic.Int64
	var work sync.WaitGroup
	var stop atomic.Bool
	for range connections {
		c, s, err := open(p, l)
		if err != nil {
			return 0, err
		}
		work.Go(func() {
			defer c.Close()
			b := make([]byte, chunk)
			for !stop.Load() {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		})
		work.Go(func() {
			defer s.Close()
			b := make([]byte, chunk)
			for {
				n, err := s.Read(b)
				total.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
	}
	time.Sleep(d)
	n := total.Load()
	stop.Store(true)
	work.Wait()
	return n, nil
}

// open makes a connection and returns both its ends.
func open(p *pair, l net.Listener) (c, s net.Conn, err error) {
	if c, err = p.dial(); err != nil {
		return nil, nil, err
	}
	s, err = l.Accept()
	return c, s, err
}

// roundTrips sends an octet there and back, over and over.
func roundTrips(p *pair, d time.Duration) (n int64, err error) {
	l, err := p.listen()
	if err != nil {
		return 0, err
	}
	defer l.Close()
	c, s, err := open(p, l)
	if err != nil {
		return 0, err
	}
	var work sync.WaitGroup
	work.Go(func() {
		defer s.Close()
		b := make([]byte, 1)
		for {
			if _, err := s.Read(b); err != nil {
				return
			}
			if _, err := s.Write(b); err != nil {
				return
			}
		}
	})
	b := make([]byte, 1)
	for end := time.Now().Add(d); time.Now().Before(end) && err == nil; n++ {
		if _, err = c.Write(b); err == nil {
			_, err = io.ReadFull(c, b)
		}
	}
	c.Close()
	work.Wait()
	return n, err
}

// connect opens connections, sends an octet over each and closes it.
func connect(p *pair, d time.Duration, clients int) (int64, error) {
	l, err := p.listen()
	if err != nil {
		return 0, err
	}
	var server, work sync.WaitGroup
	server.Go(func() {
		for {
			s, err := l.Accept()
			if err != nil {
				return
			}
			server.Go(func() {
				b := make([]byte, 1)
				s.Read(b)
				s.Close()
			})
		}
	})
	var n atomic.Int64
	errs := make([]error, clients)
	for i := range clients {
		work.Go(func() {
			b := make([]byte, 1)
			for end := time.Now().Add(d); time.Now().Before(end); n.Add(1) {
				c, err := p.dial()
				if err == nil {
					_, err = c.Write(b)
				}
				if err != nil {
					errs[i] = err
					return
				}
				c.Read(b) // the server's FIN: it closes first
				c.Close()
			}
		})
	}
	work.Wait()
	l.Close()
	server.Wait()
	return n.Load(), errors.Join(errs...)
}

// exchange sends datagrams as fast as it can and counts those that arrive.
func exchange(p *pair, d time.Duration, size int) (n int64, err error) {
	from, to, err := p.udp()
	if err != nil {
		return 0, err
	}
	var work sync.WaitGroup
	var stop atomic.Bool
	work.Go(func() {
		b := make([]byte, size)
		for !stop.Load() {
			if _, err := from.Write(b); err != nil && errors.Is(err, net.ErrClosed) {
				return
			}
		}
	})
	b := make([]byte, 2048)
	to.SetReadDeadline(time.Now().Add(d))
	for {
		if _, err := to.Read(b); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) && !timeout(err) {
				return n, err
			}
			break
		}
		n++
	}
	stop.Store(true)
	work.Wait()
	return n, errors.Join(from.Close(), to.Close())
}

// timeout reports whether err is one in the eyes of those whose errors are not Go's.
func timeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
