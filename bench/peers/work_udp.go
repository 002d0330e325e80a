package main

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// datagrams sends datagrams as fast as it can and counts those that arrive.
func datagrams(size int) work {
	return func(p *pair, m *meter) error {
		from, to, err := p.udp()
		if err != nil {
			return err
		}
		var sender sync.WaitGroup
		var stop atomic.Bool
		sender.Go(func() {
			b := make([]byte, size)
			for !stop.Load() {
				if _, err := from.Write(b); errors.Is(err, net.ErrClosed) {
					return
				}
			}
		})
		m.begin()
		n, err := receive(to, m.time)
		m.end(n)
		stop.Store(true)
		sender.Wait()
		return errors.Join(err, from.Close(), to.Close())
	}
}

// receive counts datagrams.
func receive(c net.Conn, d time.Duration) (n int64, err error) {
	b := make([]byte, 2048)
	c.SetReadDeadline(time.Now().Add(d))
	for {
		switch _, err := c.Read(b); {
		case err == nil:
			n++
		case errors.Is(err, os.ErrDeadlineExceeded) || timeout(err):
			return n, nil
		default:
			return n, err
		}
	}
}

// timeout reports whether err is one in the eyes of those whose errors are not Go's.
func timeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
