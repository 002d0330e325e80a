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
		out, err := p.mode.calls(from, size, size)
		if err != nil {
			return err
		}
		in, err := p.mode.calls(to, size, 2048)
		if err != nil {
			return err
		}
		var sender sync.WaitGroup
		var stop atomic.Bool
		sender.Go(func() {
			for !stop.Load() {
				if _, err := out.write(); errors.Is(err, net.ErrClosed) {
					return
				}
			}
		})
		m.begin()
		n, err := receive(to, in, m.time)
		m.end(n)
		stop.Store(true)
		sender.Wait()
		return errors.Join(err, from.Close(), to.Close())
	}
}

// receive counts datagrams.
func receive(c net.Conn, in calls, d time.Duration) (total int64, err error) {
	c.SetReadDeadline(time.Now().Add(d))
	for {
		switch n, err := in.read(); {
		case err == nil:
			total += int64(n)
		case errors.Is(err, os.ErrDeadlineExceeded) || timeout(err):
			return total, nil
		default:
			return total, err
		}
	}
}

// timeout reports whether err is one in the eyes of those whose errors are not Go's.
func timeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
