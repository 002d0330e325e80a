package tcpsock

import (
	"context"

	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
)

// Close ends all of TCP: listeners first, then every connection in an orderly way. It waits until the peers have
// acknowledged what was written and the FIN behind it, or until ctx is done; what is left then is reset. New
// connections fail from the beginning of Close on. It returns how many connections it had to reset.
func (t *Layer) Close(ctx context.Context, shards []*shard.Shard) (reset int) {
	t.closing.Store(true)
	for _, l := range t.listen.Shut() {
		l.Close() // fails only if its user closed it at the same time
	}
	for _, sh := range shards {
		for _, c := range t.conns(sh) {
			c.Close() // likewise
		}
	}
	for _, sh := range shards {
		t.settle(ctx, sh)
	}
	for _, sh := range shards {
		for _, c := range t.conns(sh) {
			if c.Abort() {
				reset++
			}
		}
		sh.Lock()
		t.dropAll(sh, t.rt.Now())
		sh.Unlock()
	}
	return reset
}

// settle waits until no connection of sh needs its peer any more, or ctx is done.
func (t *Layer) settle(ctx context.Context, sh *shard.Shard) {
	tab := &t.tables[sh.Index]
	defer t.rt.AfterDone(ctx, func() {
		sh.Lock()
		defer sh.Unlock()
		tab.changed.wake()
	})()
	sh.Lock()
	defer sh.Unlock()
	for ctx.Err() == nil && tab.busy() {
		tab.changed.wait(sh, tab)
	}
}

// busy reports whether a connection still has something to get across. sh locked.
func (t *table) busy() bool {
	for c := t.first; c != nil; c = c.next {
		if c.busy() {
			return true
		}
	}
	return false
}

// busy reports whether c still has something to get across: in FIN-WAIT-2 and TIME-WAIT all is acknowledged.
// sh locked.
func (c *Conn) busy() bool {
	switch c.state() {
	case tcp.FinWait2, tcp.TimeWait, tcp.Closed:
		return false
	}
	return true
}

// conns returns the connections of sh.
func (t *Layer) conns(sh *shard.Shard) []*Conn {
	sh.Lock()
	defer sh.Unlock()
	var s []*Conn
	for c := t.tables[sh.Index].first; c != nil; c = c.next {
		s = append(s, c)
	}
	return s
}
