package tcpsock

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/internal/tcp"
)

// stalled are the connections of a shard that have data to send for which there is no room on the link, in the order in which
// they take their turns.
type stalled struct {
	conns []*Conn
	taken int // of conns, from the first on
}

// push appends c.
func (s *stalled) push(c *Conn) {
	if s.taken > len(s.conns)/2 {
		n := copy(s.conns, s.conns[s.taken:])
		clear(s.conns[n:])
		s.conns, s.taken = s.conns[:n], 0
	}
	s.conns = append(s.conns, c)
}

// pop removes and returns the connection whose turn it is. There must be one.
func (s *stalled) pop() *Conn {
	c := s.conns[s.taken]
	s.conns[s.taken] = nil
	s.taken++
	return c
}

// len returns how many there are.
func (s *stalled) len() int { return len(s.conns) - s.taken }

// stall has c take its turn when there is room. It returns false if there is some now. sh locked.
func (c *Conn) stall() bool {
	if !c.layer.ip.AwaitRoom(c.sh, c.path) {
		return false
	}
	if !c.stalled {
		c.stalled = true
		c.table().stalled.push(c)
	}
	return true
}

// nextAfterAll is Next for a TCB that has just been stalled, if there is room after all; if not, c takes its turn. sh locked.
func (c *Conn) nextAfterAll(now clock.Instant, seg *tcp.Segment) bool {
	for c.tcb.Stalled() && !c.stall() {
		c.tcb.SetRoom(c.layer.ip.Room(c.sh, c.path))
		if c.tcb.Next(now, seg) {
			return true
		}
	}
	return false
}

// goOn lets the connections of sh send that have waited for room, each once: who has more to send waits again.
func (t *Layer) goOn(sh *shard.Shard) {
	sh.Lock()
	defer sh.Unlock()
	now := t.rt.Now()
	s := &t.tables[sh.Index].stalled
	for n := s.len(); n > 0; n-- {
		c := s.pop()
		if c.stalled = false; c.gone {
			continue
		}
		c.pump(now)
		if room, _ := t.ip.Room(sh, c.path); room <= 0 && s.len() > 0 && t.ip.AwaitRoom(sh, c.path) {
			return
		}
	}
}
