package ip

import (
	"testing"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// parallel is a cable with two send queues, the second of which may be jammed.
type parallel struct {
	*cable
	jammed bool
	by     []int // the queue of each frame sent
}

func (c *parallel) Send(q int, b *packet.Batch) error {
	if c.jammed && q == 1 {
		return nil
	}
	before := len(c.sent)
	err := c.cable.Send(q, b)
	for range len(c.sent) - before {
		c.by = append(c.by, q)
	}
	return err
}

// Shards send by different queues of a link, each in order, and one does not wait for another.
func TestEgressQueues(t *testing.T) {
	b := newBed(t, setup{shards: 4})
	c := &parallel{cable: newCable(us1MAC)}
	c.info.SendQueues = 2
	c.info.Medium, c.info.Addr = link.IP, wire.MAC{}
	i, err := b.l.AddInterface("parallel", c, netif.Config{DupAddrDetectTransmits: -1})
	if err != nil {
		t.Fatal(err)
	}
	path, err := b.l.Route(0, Query{Dst: wire.AllNodes6, Scope: uint32(i.Index)})
	if err != nil {
		t.Fatal(err)
	}
	c.take()
	c.by = nil
	put := func(shard int, name byte) {
		p := packet.From([]byte{name})
		b.l.Output(path, &Params{Proto: 17}, p)
		sh := b.l.shards[shard]
		sh.Lock()
		sh.Stage(p)
		sh.Unlock()
	}
	room := func(shard int) int {
		sh := b.l.shards[shard]
		sh.Lock()
		defer sh.Unlock()
		n, _ := b.l.Room(sh, path)
		return n
	}
	c.jammed = true
	for i := range 8 {
		put(i%4, "aAbBcCdD"[i])
	}
	const waiting = 4 * (wire.IPv6Len + 1)
	for shard, want := range []int{backlogHigh, backlogHigh - waiting, backlogHigh, backlogHigh - waiting} {
		if got := room(shard); got != want {
			t.Errorf("shard %d has room for %d octets, want %d", shard, got, want)
		}
	}
	c.r.Ready(0) // nothing of it waits
	c.jammed = false
	put(1, 'E')
	c.r.Ready(1)
	var names []byte
	for _, f := range c.take() {
		names = append(names, f[len(f)-1])
	}
	if got, want := string(names), "abcdABCDE"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	for i, q := range c.by {
		if want := i / 4 % 2; i < 8 && q != want {
			t.Errorf("frame %d by queue %d", i, q)
		}
	}
	_, out, err := b.l.LinkStats(i.Index)
	if err != nil || out.Frames < 9 {
		t.Errorf("%d frames counted, %v", out.Frames, err)
	}
	c.jammed = true
	put(3, 'x')
	if err := b.l.SetUp(i.Index, false); err != nil || room(3) != backlogHigh {
		t.Errorf("%v, room for %d octets on an interface that is down", err, room(3))
	}
}
