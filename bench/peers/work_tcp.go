package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// chunk is how much is written and read at once.
const chunk = 64 << 10

// bulk sends over some connections and counts what arrives.
func bulk(connections int) work {
	return func(p *pair, m *meter) error {
		stream, err := startStream(p, connections)
		if err != nil {
			return err
		}
		m.begin()
		before := stream.total.Load()
		time.Sleep(m.time)
		m.end(stream.total.Load() - before)
		stream.stop()
		return nil
	}
}

// stream is data that flows over some connections at once.
type stream struct {
	total   atomic.Int64 // octets that have arrived
	stopped atomic.Bool
	work    sync.WaitGroup
}

func startStream(p *pair, connections int) (*stream, error) {
	l, err := p.listen(0)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	st := new(stream)
	for range connections {
		c, s, err := p.open(l, 0)
		if err != nil {
			st.stop()
			return nil, err
		}
		st.work.Go(func() {
			defer c.Close()
			b := make([]byte, chunk)
			for !st.stopped.Load() {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		})
		st.work.Go(func() {
			defer s.Close()
			b := make([]byte, chunk)
			for {
				n, err := s.Read(b)
				st.total.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
	}
	return st, nil
}

func (st *stream) stop() {
	st.stopped.Store(true)
	st.work.Wait()
}

// roundTrips sends an octet there and back, over and over.
func roundTrips(p *pair, m *meter) error {
	mouse, err := newMouse(p, 0)
	if err != nil {
		return err
	}
	took := stopwatch()
	m.begin()
	n, took, err := mouse.run(m, took)
	m.end(n)
	m.latencies(took)
	mouse.close()
	return err
}

// besideBulk sends an octet there and back while a connection of the same hosts carries as much as it can. The rate is that
// of the bulk.
func besideBulk(p *pair, m *meter) error {
	elephant, err := startStream(p, 1)
	if err != nil {
		return err
	}
	defer elephant.stop()
	mouse, err := newMouse(p, 1)
	if err != nil {
		return err
	}
	defer mouse.close()
	took := stopwatch()
	m.begin()
	before := elephant.total.Load()
	_, took, err = mouse.run(m, took)
	m.end(elephant.total.Load() - before)
	m.latencies(took)
	return err
}

// mouse is a connection over which an octet goes there and back.
type mouse struct {
	asker
	work sync.WaitGroup
}

func newMouse(p *pair, port int) (*mouse, error) {
	l, err := p.listen(port)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	c, s, err := p.open(l, port)
	if err != nil {
		return nil, err
	}
	m := &mouse{asker: asker{c: c, message: make([]byte, 1)}}
	m.work.Go(func() {
		defer s.Close()
		answer(s, len(m.message))
	})
	return m, nil
}

func (mo *mouse) close() {
	mo.c.Close()
	mo.work.Wait()
}

// asker sends messages over a connection, each of which is answered with an octet.
type asker struct {
	c       net.Conn
	message []byte
	answer  [1]byte
}

// ask sends a message and waits for the answer.
func (a *asker) ask() error {
	if _, err := a.c.Write(a.message); err != nil {
		return err
	}
	_, err := io.ReadFull(a.c, a.answer[:])
	return err
}

// run asks as long as the meter runs, and notes how long each has taken.
func (a *asker) run(m *meter, took []time.Duration) (n int64, _ []time.Duration, err error) {
	for last := time.Now(); err == nil && last.Sub(m.began) < m.time; n++ {
		err = a.ask()
		now := time.Now()
		took = note(took, now.Sub(last))
		last = now
	}
	return n, took, err
}

// answer reads messages of so many octets and sends an octet for each.
func answer(c net.Conn, octets int) {
	b := make([]byte, octets)
	for {
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		if _, err := c.Write(b[:1]); err != nil {
			return
		}
	}
}

// connects opens connections, sends an octet over each and closes it.
func connects(clients int) work {
	return func(p *pair, m *meter) error {
		l, err := p.listen(0)
		if err != nil {
			return err
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
		m.begin()
		for i := range clients {
			work.Go(func() {
				b := make([]byte, 1)
				for m.running() {
					c, err := p.dial(0)
					if err == nil {
						_, err = c.Write(b)
					}
					if err != nil {
						errs[i] = err
						return
					}
					c.Read(b) // the server's FIN: it closes first
					c.Close()
					n.Add(1)
				}
			})
		}
		work.Wait()
		m.end(n.Load())
		l.Close()
		server.Wait()
		return errors.Join(errs...)
	}
}
