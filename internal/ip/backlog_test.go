package ip

import (
	"testing"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/packet"
)

// What waits for a link takes the room there is, and who awaits some is told when half of it is free again.
func TestBacklog(t *testing.T) {
	b := newBed(t, setup{cfg: netif.Config{TxQueue: 400}})
	path, _ := b.l.Route(0, Query{Dst: peer4})
	sh := b.l.shards[0]
	told := 0
	b.l.OnRoom(func(which *shard.Shard) {
		if which != sh {
			t.Error("another shard is told")
		}
		told++
	})
	room := func() (int, bool) {
		sh.Lock()
		defer sh.Unlock()
		return b.l.Room(sh, path)
	}
	await := func() bool {
		sh.Lock()
		defer sh.Unlock()
		return b.l.AwaitRoom(sh, path)
	}
	put := func(n, size int) {
		for range n {
			b.send(path, Params{Proto: 17}, make([]byte, size))
		}
	}
	if n, full := room(); n != backlogHigh || full {
		t.Errorf("room for %d at first, full: %t", n, full)
	}
	if await() {
		t.Error("there is room, and yet it is awaited")
	}
	b.eth0.room = 0
	put(100, 1000)
	const frame = 1000 + 20 + 14
	if n, full := room(); n != backlogHigh-100*frame || full {
		t.Errorf("room for %d, full: %t", n, full)
	}
	put(100, 1400)
	if n, _ := room(); n != backlogHigh-100*frame-100*(frame+400) || !await() {
		t.Errorf("room for %d, or not awaited", n)
	}
	told = 0
	b.eth0.room = 10
	b.eth0.r.Ready(0)
	if told != 0 {
		t.Error("told when a tenth had left")
	}
	b.eth0.room = 150
	b.eth0.r.Ready(0)
	if told != 1 {
		t.Errorf("told %d times when most had left", told)
	}
	put(260, 10) // of little, but many
	if n, full := room(); n < backlogHigh/2 || !full {
		t.Errorf("room for %d, full: %t", n, full)
	}
	if sh.Lock(); !b.l.AwaitRoom(sh, path) {
		t.Error("a full queue is not awaited")
	}
	sh.Unlock()
	told = 0
	b.eth0.room = -1
	b.eth0.r.Ready(0)
	if n, full := room(); n != backlogHigh || full || told != 1 {
		t.Errorf("room for %d at last, full: %t, told %d times", n, full, told)
	}
}

// What is staged and has not come to the queue yet takes room too.
func TestBacklogStaged(t *testing.T) {
	b := newBed(t, setup{})
	path, _ := b.l.Route(0, Query{Dst: peer4})
	sh := b.l.shards[0]
	sh.Lock()
	defer sh.Unlock()
	p := packet.New(500)
	b.l.Output(path, &Params{Proto: 17}, p)
	sh.Stage(p)
	if n, _ := b.l.Room(sh, path); n != backlogHigh-520 {
		t.Errorf("room for %d", n)
	}
}
