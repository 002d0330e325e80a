package onlink_test

import (
	"io"
	"sync/atomic"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
)

// gate is a link that accepts nothing while it is shut.
type gate struct {
	link.Link
	receiver link.Receiver
	shut     atomic.Bool
}

func (g *gate) Attach(r link.Receiver) error {
	if r != nil {
		g.receiver = r
	}
	return g.Link.Attach(r)
}

func (g *gate) Send(q int, b *packet.Batch) error {
	if g.shut.Load() {
		return nil
	}
	return g.Link.Send(q, b)
}

func (g *gate) open() {
	g.shut.Store(false)
	g.receiver.Ready(0)
}

// However many connections send at once, TCP does not overflow the queue of its own link: what has no room there stays with the
// connections, and none is forgotten when there is room.
func TestQueueOfLinkDoesNotOverflow(t *testing.T) {
	const connections, octets = 40, 80_000
	g := &gate{}
	var cfg onlink.Config
	cfg.TCP.InitialWindow = 60
	client, server := newStack(t, cfg), newStack(t, cfg)
	a, b := mem.Pair(mem.Config{Queues: 1})
	g.Link = a
	// Each segment by itself takes a place in the queue, of which there are 1000.
	for stack, l := range map[*onlink.Stack]link.Link{client: g, server: b} {
		of := onlink.InterfaceConfig{Addresses: clientAddrs, DisableDAD: true, NoOffload: true}
		if stack == server {
			of.Addresses = serverAddrs
		}
		if _, err := stack.AddLink("eth0", l, of); err != nil {
			t.Fatal(err)
		}
	}
	var to, from [connections]*onlink.TCPConn
	for i := range to {
		to[i], from[i] = connect(t, client, server, server4)
	}
	g.shut.Store(true)
	for _, c := range to {
		if err := c.SetWriteBuffer(octets); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(make([]byte, octets)); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	g.open()
	for _, s := range from {
		if n, err := io.Copy(io.Discard, s); n != octets || err != nil {
			t.Errorf("received %d octets, %v", n, err)
		}
	}
	if n := client.Snapshot().Counters.Dropped(mib.LinkQueueFull); n != 0 {
		t.Errorf("%d packets found no room in the queue", n)
	}
}
