package sim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/simtest"
)

// bad is a line that does everything to frames that a line can.
var bad = sim.Line{Delay: 5 * time.Millisecond, Jitter: 3 * time.Millisecond, Rate: 50e6,
	Loss: 0.05, Reorder: 0.05, Duplicate: 0.05, Corrupt: 0.05}

// What arrives over a bad line is what was sent, or both sides have an error: 200 connections with random amounts
// both ways at once, random sizes of writes and reads, and some that are aborted on the way.
func TestIntegrityOverBadLine(t *testing.T) {
	const seeds, replayed = 200, 20
	for part := range 4 {
		t.Run(fmt.Sprint("part ", part), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(part); seed < seeds; seed += 4 {
				if seed < replayed {
					simtest.Replay(t, seed, talkOverBadLine)
					continue
				}
				n := sim.New(seed)
				talkOverBadLine(t, n)
				n.Stop()
			}
		})
	}
}

// talkOverBadLine is one connection over a bad line.
func talkOverBadLine(t testing.TB, n *sim.Network) {
	seed := n.Seed()
	r := rand.New(rand.NewPCG(seed, 1))
	line := bad
	if r.IntN(3) == 0 {
		line.Rate, line.Jitter = 0, 0
	}
	a, b := lanOf(n, line, onlink.Config{TCP: onlink.TCPConfig{Algorithms: []onlink.CongestionAlgorithm{onlink.BBR()}}})
	for _, node := range []*sim.Node{a, b} {
		if err := node.SetSysctl("net.ipv4.tcp_congestion_control", []string{"cubic", "bbr", "reno"}[seed%3]); err != nil {
			t.Fatal(err)
		}
	}
	client := newTalker(a, seed, 0)
	server := newTalker(b, seed, 1)
	if r.IntN(5) == 0 { // one of them aborts
		who := []*talker{client, server}[r.IntN(2)]
		who.abortAfter = time.Duration(1+r.IntN(2000)) * time.Millisecond
	}
	ln := listen(t, b, ":80")
	b.Go("server", func() {
		c, err := ln.AcceptTCP()
		ln.Close()
		if err != nil {
			server.err = err
			return
		}
		server.talk(c)
	})
	a.Go("client", func() {
		host := []string{"192.0.2.2", "2001:db8::2"}[seed%2]
		var c net.Conn
		var err error
		for range 5 { // where three solicitations in a row are lost, there is no route to the host
			c, err = a.DialContext(context.Background(), "tcp", net.JoinHostPort(host, "80"))
			if !errors.Is(err, syscall.EHOSTUNREACH) {
				break
			}
			a.Sleep(2 * time.Second)
		}
		if err != nil {
			client.err = err
			ln.Close()
			return
		}
		client.talk(c.(*onlink.TCPConn))
		if client.abortAfter > 0 { // perhaps the server has not heard of it at all
			a.Sleep(time.Hour)
			ln.Close()
		}
	})
	if err := n.Run(); err != nil {
		t.Errorf("seed %d: %v", seed, err)
		return
	}
	client.check(t, server)
	server.check(t, client)
}

// talker is one end of a connection: what it has to say, and what came of it.
type talker struct {
	node       *sim.Node
	r          *rand.Rand
	name       string
	say        []byte
	abortAfter time.Duration // 0: it does not

	heard    []byte
	ended    bool // heard the end of it
	said     int
	finished bool  // said it all
	err      error // its first
	aborted  bool
}

func newTalker(node *sim.Node, seed, end uint64) *talker {
	k := &talker{node: node, r: rand.New(rand.NewPCG(seed, 2+end)), name: fmt.Sprintf("seed %d, %s", seed, node.Name)}
	k.say = make([]byte, k.r.IntN(1<<uint(1+k.r.IntN(20))))
	for i := range k.say {
		k.say[i] = byte(k.r.Uint32())
	}
	return k
}

func (k *talker) fail(err error) {
	if k.err == nil {
		k.err = err
	}
}

// talk says and hears everything, and closes.
func (k *talker) talk(c *onlink.TCPConn) {
	// Who only listens would never hear of a peer whose last word, a RST, was lost.
	c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 20 * time.Second, Interval: 5 * time.Second, Count: 8})
	c.SetNoDelay(k.r.IntN(2) == 0)
	left := 2
	done := func() {
		if left--; left == 0 {
			c.Close()
		}
	}
	k.node.Go("say", func() {
		defer done()
		k.write(c)
	})
	k.node.Go("hear", func() {
		defer done()
		k.read(c)
	})
	if k.abortAfter > 0 {
		k.node.Go("abort", func() {
			k.node.Sleep(k.abortAfter)
			if left > 0 {
				k.aborted = true
				c.SetLinger(0)
				c.Close()
			}
		})
	}
}

func (k *talker) write(c *onlink.TCPConn) {
	biggest := 1 << uint(k.r.IntN(17))
	for k.said < len(k.say) {
		n, err := c.Write(k.say[k.said:min(len(k.say), k.said+1+k.r.IntN(biggest))])
		k.said += n
		if err != nil {
			k.fail(err)
			return
		}
		if k.r.IntN(8) == 0 {
			k.node.Sleep(time.Duration(k.r.IntN(20)) * time.Millisecond)
		}
	}
	if err := c.CloseWrite(); err != nil {
		k.fail(err)
		return
	}
	k.finished = true
}

func (k *talker) read(c *onlink.TCPConn) {
	b := make([]byte, 1<<uint(k.r.IntN(17)))
	for {
		n, err := c.Read(b[:1+k.r.IntN(len(b))])
		k.heard = append(k.heard, b[:n]...)
		switch {
		case err == io.EOF:
			k.ended = true
			return
		case err != nil:
			k.fail(err)
			return
		}
		if k.r.IntN(8) == 0 {
			k.node.Sleep(time.Duration(k.r.IntN(50)) * time.Millisecond)
		}
	}
}

// check holds what k heard against what peer said.
func (k *talker) check(t testing.TB, peer *talker) {
	if !bytes.HasPrefix(peer.say, k.heard) || len(k.heard) > peer.said {
		t.Errorf("%s: heard %d octets that are not the first of the %d that were said", k.name, len(k.heard), peer.said)
	}
	if k.ended && len(k.heard) != len(peer.say) {
		t.Errorf("%s: heard the end after %d octets of %d", k.name, len(k.heard), len(peer.say))
	}
	if k.aborted || peer.aborted {
		// Who has heard the end and said everything may not learn that its last words were thrown away.
		if !k.aborted && k.err == nil && !(k.ended && k.finished) {
			t.Errorf("%s: no error, though the peer aborted", k.name)
		}
		return
	}
	if k.err != nil || !k.ended || !k.finished {
		t.Errorf("%s: heard %d of %d octets, said %d of %d, %v", k.name, len(k.heard), len(peer.say), k.said, len(k.say), k.err)
	}
}
