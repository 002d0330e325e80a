package tcp

import "github.com/onlink-go/onlink/wire"

// takeSACK marks what the SACK blocks cover. SND.UNA has been moved; the records before it are still there. RFC 2018, 3:
// blocks are of data received and queued, so they lie between SND.UNA and SND.NXT; others are of no use, but for the
// first, which may be a DSACK.
func (c *TCB) takeSACK(a *ackEvent, seg *Segment) {
	given := seg.Options.SACK[:min(seg.Options.SACKCount, wire.MaxSACKBlocks)]
	dup := span{}
	if c.isDSACK(given, seg.Ack) {
		dup = span{Seq(given[0].Left), Seq(given[0].Right)}
		n := c.takeDSACK(a, dup)
		if n == 0 {
			dup = span{}
		} else if dup.to.LessEq(a.una) {
			c.recovery.undo.duplicated(n, dup.to) // of what is acknowledged and forgotten
		}
	}
	if c.board.empty() {
		return
	}
	var blocks [wire.MaxSACKBlocks]span
	for _, s := range sorted(&blocks, given) {
		again := s == dup && s != span{}
		if !s.from.Less(s.to) || c.snd.nxt.Less(s.to) || s.from.LessEq(c.snd.una) && !again {
			continue
		}
		if again {
			c.superfluous(a, s)
		}
		c.sack(a, s)
		if again {
			c.unsend(s)
		}
	}
	if a.hasReord {
		c.noteReordering(a.now, a.reord)
	}
}

// sorted returns the blocks in sequence order, so that those of one ACK do not look reordered among themselves.
func sorted(into *[wire.MaxSACKBlocks]span, blocks []wire.SACKBlock) []span {
	n := 0
	for _, b := range blocks {
		s := span{Seq(b.Left), Seq(b.Right)}
		i := n
		for ; i > 0 && s.from.Less(into[i-1].from); i-- {
			into[i] = into[i-1]
		}
		into[i] = s
		n++
	}
	return into[:n]
}

// isDSACK is RFC 2883, 5: "If the SACK sequence space is less than this cumulative ACK, it is an indication that the
// segment identified by the SACK block has been received more than once by the receiver." Else "the sender next compares
// the sequence space in the first SACK block with the sequence space in the second SACK block": whether it lies within.
func (c *TCB) isDSACK(blocks []wire.SACKBlock, ack Seq) bool {
	if len(blocks) == 0 {
		return false
	}
	l, r := Seq(blocks[0].Left), Seq(blocks[0].Right)
	if l.Less(ack) {
		return true
	}
	return len(blocks) > 1 && r.LessEq(Seq(blocks[1].Right)) && Seq(blocks[1].Left).LessEq(l)
}

// takeDSACK takes a report of a duplicate in and returns how many segments it is of; 0: it is not to be believed.
func (c *TCB) takeDSACK(a *ackEvent, s span) int {
	n := s.to.Sub(s.from)
	if n <= 0 || n > c.snd.maxWnd {
		return 0
	}
	dups := 1
	if n > c.snd.mss {
		dups = (n + c.snd.mss - 1) / c.snd.mss
	} else if t := &c.recovery.tlp; t.on && t.end == s.to {
		a.flags |= ackDSACKProbe
	}
	r := &c.recovery
	r.dsacks += uint64(dups)
	// RFC 2883, 5.1: "If a packet is replicated in the network": more duplicates than retransmissions tell of nothing else.
	if r.dsacks > c.stats.segsAgain {
		return 0
	}
	if r.reordSeen > 0 && a.flags&ackDSACKProbe == 0 {
		r.rack.dsack = true
	}
	a.flags |= ackDSACK
	a.sackDelivered += dups
	return dups
}

// superfluous takes in that the segments in s arrived twice: those that were retransmitted need not have been.
func (c *TCB) superfluous(a *ackEvent, s span) {
	b := &c.board
	for id := b.search(s.from); id != b.tail && b.record(id).end.LessEq(s.to); id++ {
		r := b.record(id)
		if r.flags&sentTwice == 0 {
			continue
		}
		c.recovery.undo.duplicated(1, r.end)
		if r.flags&sentSacked != 0 {
			a.late(r.seq)
		}
	}
}

// unsend takes the retransmissions of the segments in s out of what is in flight: they have arrived.
func (c *TCB) unsend(s span) {
	b := &c.board
	for id := b.search(s.from); id != b.tail && b.record(id).end.LessEq(s.to); id++ {
		if b.record(id).flags&(sentSacked|sentAgain) == sentSacked|sentAgain {
			b.clear(id, sentAgain)
		}
	}
}

// sack marks the records that lie wholly within s.
func (c *TCB) sack(a *ackEvent, s span) {
	b := &c.board
	for id := b.unsacked(b.search(s.from)); id != b.tail; id = b.unsacked(id + 1) {
		r := b.record(id)
		if s.to.Less(r.end) {
			break
		}
		if r.end.LessEq(c.snd.una) {
			continue // it is acknowledged
		}
		c.sackOne(a, id, r)
	}
}

// sackOne takes in that a record has arrived.
func (c *TCB) sackOne(a *ackEvent, id uint32, r *sent) {
	b := &c.board
	c.recovery.rack.arrived(a.now, r.at, r.end, r.flags&sentTwice != 0, c.rtt.least())
	if r.flags&sentAgain != 0 {
		// A retransmission that was not deemed lost before may still be in flight.
		if r.flags&sentLost != 0 {
			b.clear(id, sentLost|sentAgain)
		}
	} else {
		if r.flags&sentTwice == 0 {
			if r.seq.Less(c.fack()) {
				a.late(r.seq) // "below RACK.fack"
			}
			if r.end.LessEq(c.recovery.high) {
				a.flags |= ackOrigin
			}
			if !a.timedSack {
				a.timedSack, a.firstSacked = true, r.at
			}
			a.lastSacked = r.at
		}
		b.clear(id, sentLost)
	}
	a.flags |= ackSacked
	a.sackDelivered++
	c.rate.arrived(&a.rate, r)
	r.flags |= sentRated
	b.markSacked(id)
}
