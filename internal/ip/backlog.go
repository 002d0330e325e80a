package ip

import (
	"math/bits"
	"sync/atomic"

	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/qdisc"
)

// backlog tells transports how much waits for a device's link, so that what they have beyond that waits with them: there it
// takes the memory of its buffers alone, cannot be dropped, and one connection does not stand behind megabytes of others.
// Linux's TCP Small Queues are for the same. It counts what is in the queue; what the goroutine that sends has in hand was
// there before, and is no more.
type backlog struct {
	octets  atomic.Int64
	packets atomic.Int64
	limit   int64           // packets in the queue from which not even those send who have nothing under way
	awaited atomic.Bool     // some shard is to be told when there is room
	shards  []atomic.Uint64 // which: a bit for each
}

// Octets in the queue of a device above which transports hold back what may wait, and below which they go on: as much as the link
// takes in one go while they are woken, and little enough that the processor's cache still has it when its turn comes.
const (
	backlogHigh = 256 << 10
	backlogLow  = backlogHigh / 2
)

// init prepares b for some shards and a queue of so many packets; 0: qdisc.DefaultLimit.
func (b *backlog) init(shards, limit int) {
	if limit == 0 {
		limit = qdisc.DefaultLimit
	}
	b.limit = int64(limit) * 3 / 4
	b.shards = make([]atomic.Uint64, (shards+63)/64)
}

// add counts packets into the queue, or out of it. egress.mu held.
func (b *backlog) add(packets, octets int) {
	b.packets.Store(b.packets.Load() + int64(packets))
	b.octets.Store(b.octets.Load() + int64(octets))
}

// crowded reports whether those who have held something back should not go on yet.
func (b *backlog) crowded() bool { return b.octets.Load() > backlogLow || b.packets.Load() >= b.limit }

// Room returns how many octets may be sent by p now; what is more should wait until the function given to OnRoom is called. While
// the queue is full nobody should send anything. sh locked.
func (l *Layer) Room(sh *shard.Shard, p *Path) (n int, full bool) {
	d := l.snap.Load().device(p.If.Index)
	if p.Local || d == nil {
		return backlogHigh, false
	}
	b := &d.egressOf(sh.Index).backlog
	return backlogHigh - int(b.octets.Load()) - sh.Staged(), b.packets.Load() >= b.limit
}

// AwaitRoom has the function given to OnRoom called for sh when there is room on p's way. It returns false if there is some now.
// sh locked.
func (l *Layer) AwaitRoom(sh *shard.Shard, p *Path) bool {
	d := l.snap.Load().device(p.If.Index)
	if d == nil {
		return false
	}
	b := &d.egressOf(sh.Index).backlog
	b.shards[sh.Index/64].Or(1 << (sh.Index % 64))
	b.awaited.Store(true)
	return sh.Staged() > 0 || b.crowded()
}

// OnRoom sets what is called, without a lock held, for a shard that awaits room. It must be called before the first interface is
// added.
func (l *Layer) OnRoom(f func(sh *shard.Shard)) { l.onRoom = f }

// tellRoom tells those who await room, if there is some. No lock may be held.
func (e *egress) tellRoom() {
	b := &e.backlog
	if !b.awaited.Load() || b.crowded() || !b.awaited.Swap(false) {
		return
	}
	for i := range b.shards {
		for set := b.shards[i].Swap(0); set != 0; set &= set - 1 {
			e.d.l.onRoom(e.d.l.shards[64*i+bits.TrailingZeros64(set)])
		}
	}
}
