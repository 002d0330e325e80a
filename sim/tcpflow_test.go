package sim_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/sim"
)

// A reader that stalls closes the window; the writer probes it (RFC 9293, 3.8.6.1), more and more rarely, and goes on
// when the reader does.
func TestReaderStalls(t *testing.T) {
	eachFamily(t, func(t *testing.T, n *sim.Network, address string) {
		a, b := lan(n, sim.Line{Delay: 10 * time.Millisecond, Rate: 100e6})
		const size = 8 << 20
		got := 0
		var resumed clock.Instant
		serve(t, b, func(c *onlink.TCPConn) {
			b.Sleep(5 * time.Minute)
			resumed = b.Now()
			got = discard(t, c)
		})
		var idle uint64
		a.Go("client", func() { send(t, dial(t, a, address), size) })
		a.Go("watch", func() {
			a.Sleep(time.Minute)
			before := n.Frames()
			a.Sleep(3 * time.Minute)
			idle = n.Frames() - before
		})
		run(t, n)
		if took := n.Now().Sub(resumed); got != size || took > 2*time.Second {
			t.Errorf("%d octets arrived, %v after the reader went on", got, took)
		}
		// A probe and its answer, each sent and received: 4 frames for at most every few seconds.
		if idle == 0 || idle > 4*40 {
			t.Errorf("%d frames in three minutes of a closed window", idle)
		}
	})
}

// Keep-alive finds out about a peer that is gone without a word: after idle time plus count intervals.
func TestKeepAliveFindsDeadPeer(t *testing.T) {
	eachFamily(t, func(t *testing.T, n *sim.Network, address string) {
		a, b := n.Host("a"), n.Host("b")
		cable := n.Wire(a.Port("eth0", "192.0.2.1/24", "2001:db8::1/64"), b.Port("eth0", "192.0.2.2/24", "2001:db8::2/64"), sim.Line{})
		serve(t, b, func(c *onlink.TCPConn) { b.Sleep(20 * time.Minute) })
		a.Go("client", func() {
			c := dial(t, a, address)
			err := c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 5})
			if err != nil {
				t.Error(err)
			}
			a.Sleep(10 * time.Minute) // it answers as long as it lives
			if c.Info().State != "ESTABLISHED" {
				t.Error(c.Info().State)
			}
			cable.Filter(func(*sim.Node, []byte) bool { return false })
			began := a.Now()
			_, err = c.Read(make([]byte, 1))
			took := a.Now().Sub(began)
			if !errors.Is(err, syscall.ETIMEDOUT) && !errors.Is(err, syscall.EHOSTUNREACH) || took < 50*time.Second || took > 2*time.Minute {
				t.Errorf("Read after %v: %v", took, err)
			}
			c.Close()
		})
		run(t, n)
	})
}

// Lines at the edge of what there is: a satellite, the least MTU of IPv6, delays that vary as much as they last. The
// transfer takes about as long as slow start and the rate demand, and nothing is sent twice where nothing was lost, but
// SYNs whose answer takes longer than the first time-out (RFC 6298, 2.1: one second).
func TestStrangeLines(t *testing.T) {
	for name, row := range map[string]struct {
		line  sim.Line
		size  int
		limit time.Duration
		again uint64 // retransmissions
	}{
		"one second each way": {sim.Line{Delay: time.Second, Rate: 10e6}, 1 << 20, 27 * time.Second, 2},
		"MTU 1280":            {sim.Line{Delay: 10 * time.Millisecond, MTU: 1280, Rate: 10e6, Queue: 1000}, 1 << 20, 2 * time.Second, 0},
		"MTU 9000":            {sim.Line{Delay: 10 * time.Millisecond, MTU: 9000, Rate: 1e9}, 1 << 20, time.Second / 4, 0},
		"jitter":              {sim.Line{Delay: 300 * time.Millisecond, Jitter: 300 * time.Millisecond, Rate: 10e6}, 1 << 20, 13 * time.Second, 1},
		"reordering":          {sim.Line{Delay: 50 * time.Millisecond, Reorder: 0.3, Rate: 10e6}, 1 << 20, 15 * time.Second, 300},
		"full queue":          {sim.Line{Delay: 10 * time.Millisecond, Rate: 10e6, Queue: 100}, 1 << 20, 2 * time.Second, 300},
		"modem":               {sim.Line{Delay: 100 * time.Millisecond, Rate: 64e3, Queue: 10}, 100_000, 20 * time.Second, 20},
	} {
		t.Run(name, func(t *testing.T) {
			eachFamily(t, func(t *testing.T, n *sim.Network, address string) {
				a, b := lan(n, row.line)
				got := 0
				serve(t, b, func(c *onlink.TCPConn) { got = discard(t, c) })
				var info onlink.TCPInfo
				n.RunFor(10 * time.Second)
				began := n.Now()
				a.Go("client", func() {
					c := dial(t, a, address)
					c.Write(make([]byte, row.size))
					c.CloseWrite()
					io.Copy(io.Discard, c)
					info = c.Info()
					c.Close()
				})
				run(t, n)
				took := n.Now().Sub(began)
				if got != row.size || took > row.limit || info.Retransmits > row.again {
					t.Errorf("%d octets arrived in %v: %+v", got, took, info)
				}
			})
		})
	}
}
