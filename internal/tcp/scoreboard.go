package tcp

import (
	"sync"

	"github.com/onlink-go/onlink/clock"
)

// sentFlags say what is known of a sent segment.
type sentFlags uint8

const (
	sentSacked sentFlags = 1 << iota // the peer reported to hold it (RFC 2018)
	sentLost                         // deemed lost (RFC 6675, 4, IsLost, or a timeout)
	sentAgain                        // retransmitted since it was deemed lost, or as RFC 6675's rules 3 and 4 have it
	sentTwice                        // retransmitted at any time: no use for round-trip times (Karn's algorithm)
	sentFIN                          // its last number is the FIN's
	sentProbe                        // sent into a zero window
)

// sent is one segment in flight: [seq, end) of sequence space.
type sent struct {
	seq, end Seq
	at       clock.Instant // of its last transmission
	skip     uint32        // if sacked: id of a later record with only sacked ones between
	flags    sentFlags
}

func (r *sent) len() int { return r.end.Sub(r.seq) }

// ring is the scoreboard's memory; records lie at id modulo its length, a power of two.
type ring struct{ records []sent }

const minRing = 64

var rings = sync.Pool{New: func() any { return &ring{make([]sent, minRing)} }}

// scoreboard knows the segments in flight in sequence order, which is the order of their first transmission (RFC 6675,
// 3). Each has an id: ids count up, and stay the same while segments before are acknowledged. An ACK touches the
// records it acknowledges, those its SACK blocks newly cover, and those that become lost by it: each record once. The
// zero scoreboard is empty, and an empty one holds no memory.
type scoreboard struct {
	ring       *ring
	head, tail uint32 // ids of the first record, and after the last

	// Octets of the records, by flag; each counts records that are not sacked, but for out and sacked.
	out     int // all of them
	sacked  int
	lost    int
	again   int
	pending int // lost and not sent again
	reno    int // without SACK: octets that duplicate ACKs say have left the network

	top      [3]uint32 // ids of the last three records sacked, the last first
	topCount int
	lostNext uint32 // records before were looked at by markLost
	rxtNext  uint32 // records before have nothing pending (RFC 6675's HighRxt)
}

func (b *scoreboard) empty() bool { return b.head == b.tail }

// count returns how many records there are.
func (b *scoreboard) count() int { return int(b.tail - b.head) }

func (b *scoreboard) record(id uint32) *sent {
	s := b.ring.records
	return &s[id&uint32(len(s)-1)]
}

// pipe returns how many octets are in the network as far as is known: RFC 6675, 4, SetPipe.
func (b *scoreboard) pipe() int { return b.out - b.sacked - b.reno - b.lost + b.again }

// push appends a record.
func (b *scoreboard) push(r sent) {
	if b.ring == nil {
		b.ring = rings.Get().(*ring)
		b.head, b.tail, b.lostNext, b.rxtNext, b.topCount = 0, 0, 0, 0, 0
	}
	if s := b.ring.records; b.count() == len(s) {
		next := make([]sent, 2*len(s))
		for id := b.head; id != b.tail; id++ {
			next[id&uint32(len(next)-1)] = *b.record(id)
		}
		b.ring.records = next
	}
	*b.record(b.tail) = r
	b.tail++
	b.out += r.len()
}

// reset forgets everything.
func (b *scoreboard) reset() {
	if b.ring != nil {
		rings.Put(b.ring)
	}
	*b = scoreboard{}
}

// forget takes n octets with the given flags out of the counts.
func (b *scoreboard) forget(n int, f sentFlags) {
	b.out -= n
	if f&sentSacked != 0 {
		b.sacked -= n
		return
	}
	if f&sentLost != 0 {
		b.lost -= n
	}
	switch f & (sentLost | sentAgain) {
	case sentLost:
		b.pending -= n
	case sentAgain, sentLost | sentAgain:
		b.again -= n
	}
}

// acked is what a cumulative acknowledgment told.
type acked struct {
	at    clock.Instant // when the first of the records was sent that serve to measure the round-trip time
	timed bool          // there is one
	fin   bool          // the FIN is acknowledged
}

// ackTo removes what lies before ack. It tells the time of the first record that was neither sacked before nor sent
// twice, unless one of them was sent twice: its acknowledgment is what the others may have waited for.
func (b *scoreboard) ackTo(ack Seq) (a acked) {
	twice := false
	for b.head != b.tail {
		r := b.record(b.head)
		if ack.Less(r.end) {
			if n := ack.Sub(r.seq); n > 0 {
				b.forget(n, r.flags)
				r.seq = ack
				twice = twice || r.flags&sentTwice != 0
			}
			break
		}
		b.forget(r.len(), r.flags)
		twice = twice || r.flags&sentTwice != 0
		a.fin = a.fin || r.flags&sentFIN != 0
		if !a.timed && r.flags&(sentSacked|sentTwice) == 0 {
			a.timed, a.at = true, r.at
		}
		b.head++
	}
	a.timed = a.timed && !twice
	if b.head == b.tail && b.ring != nil {
		b.reset()
		return a
	}
	if int32(b.lostNext-b.head) < 0 {
		b.lostNext = b.head
	}
	if int32(b.rxtNext-b.head) < 0 {
		b.rxtNext = b.head
	}
	return a
}

// search returns the id of the first record that begins at or after s.
func (b *scoreboard) search(s Seq) uint32 {
	lo, hi := uint32(0), b.tail-b.head
	for lo < hi {
		if m := (lo + hi) / 2; b.record(b.head + m).seq.Less(s) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return b.head + lo
}

// unsacked returns the first id at or after id that is not sacked, or tail. It shortens the way for the next time.
func (b *scoreboard) unsacked(id uint32) uint32 {
	for id != b.tail {
		r := b.record(id)
		if r.flags&sentSacked == 0 {
			break
		}
		if r.skip != b.tail {
			if next := b.record(r.skip); next.flags&sentSacked != 0 {
				r.skip = next.skip
			}
		}
		id = r.skip
	}
	return id
}

// sack marks the records that lie wholly within [left, right) and returns how many octets were newly marked.
func (b *scoreboard) sack(left, right Seq) int {
	n := 0
	for id := b.unsacked(b.search(left)); id != b.tail; id = b.unsacked(id + 1) {
		r := b.record(id)
		if right.Less(r.end) {
			break
		}
		n += r.len()
		b.forget(r.len(), r.flags)
		r.flags = r.flags&^(sentLost|sentAgain) | sentSacked
		r.skip = id + 1
		b.out += r.len()
		b.sacked += r.len()
		b.noteSacked(id)
	}
	return n
}

// noteSacked keeps the last three ids sacked.
func (b *scoreboard) noteSacked(id uint32) {
	i := 0
	for i < b.topCount && int32(b.top[i]-id) > 0 {
		i++
	}
	if i == len(b.top) {
		return
	}
	copy(b.top[i+1:], b.top[i:])
	b.top[i] = id
	b.topCount = min(b.topCount+1, len(b.top))
}

// dupThresh is RFC 6675's DupThresh.
const dupThresh = 3

// markLost marks what the sacked segments show to be lost: those that dupThresh sacked ones follow.
//
// RFC 6675, 4: "IsLost (SeqNum): … The routine returns true when either DupThresh discontiguous SACKed sequences have
// arrived above 'SeqNum' or more than (DupThresh - 1) * SMSS bytes with sequence numbers greater than 'SeqNum' have
// been SACKed." For segments of full size three of them are both; smaller ones count alike.
func (b *scoreboard) markLost() {
	if b.topCount < dupThresh {
		return
	}
	bound := b.top[dupThresh-1]
	for id := b.lostNext; int32(id-bound) < 0; id++ {
		if id = b.unsacked(id); int32(id-bound) >= 0 {
			break
		}
		b.lose(id)
	}
	if int32(bound-b.lostNext) > 0 {
		b.lostNext = bound
	}
}

// lose marks one record lost.
func (b *scoreboard) lose(id uint32) {
	r := b.record(id)
	if r.flags&(sentSacked|sentLost) != 0 {
		return
	}
	r.flags |= sentLost
	b.lost += r.len()
	if r.flags&sentAgain == 0 {
		b.pending += r.len()
		if int32(id-b.rxtNext) < 0 {
			b.rxtNext = id
		}
	}
}

// loseFirst marks the first record lost, once more if it was already sent again.
func (b *scoreboard) loseFirst() {
	r := b.record(b.head)
	if r.flags&sentSacked != 0 {
		return
	}
	if r.flags&sentAgain != 0 {
		b.again -= r.len()
		r.flags &^= sentAgain
		if r.flags&sentLost != 0 {
			b.pending += r.len()
		}
	}
	b.lose(b.head)
	b.rxtNext = b.head
}

// reneged reports whether the first segment is sacked and yet was not acknowledged.
func (b *scoreboard) reneged() bool {
	return !b.empty() && b.record(b.head).flags&sentSacked != 0
}

// loseAll marks everything lost that is not sacked: a timeout.
//
// RFC 6675, 5.1, has the SACK information survive a timeout, unless the receiver turns out to have reneged: RFC 2018,
// 8. That shows in the first segment being sacked but not acknowledged.
func (b *scoreboard) loseAll() {
	if b.empty() {
		return
	}
	reneged := b.reneged()
	b.lost, b.again, b.pending, b.reno = 0, 0, 0, 0
	if reneged {
		b.sacked, b.topCount = 0, 0
	}
	for id := b.head; id != b.tail; id++ {
		r := b.record(id)
		if reneged {
			r.flags &^= sentSacked
		}
		if r.flags&sentSacked == 0 {
			r.flags = r.flags&^sentAgain | sentLost
			b.lost += r.len()
		}
	}
	b.pending = b.lost
	b.lostNext, b.rxtNext = b.tail, b.head
}

// nextPending returns the first record that is lost and not sent again. There is one if pending is not 0.
func (b *scoreboard) nextPending() (uint32, *sent) {
	for ; b.rxtNext != b.tail; b.rxtNext++ {
		if b.rxtNext = b.unsacked(b.rxtNext); b.rxtNext == b.tail {
			break
		}
		if r := b.record(b.rxtNext); r.flags&(sentLost|sentAgain) == sentLost {
			return b.rxtNext, r
		}
	}
	return 0, nil
}

// nextUncertain returns the first record after those sent again that a sacked one follows: RFC 6675, 4, NextSeg rule 3.
func (b *scoreboard) nextUncertain() *sent {
	if b.topCount == 0 {
		return nil
	}
	for ; int32(b.rxtNext-b.top[0]) < 0; b.rxtNext++ {
		if b.rxtNext = b.unsacked(b.rxtNext); int32(b.rxtNext-b.top[0]) >= 0 {
			break
		}
		if r := b.record(b.rxtNext); r.flags&sentAgain == 0 {
			return r
		}
	}
	return nil
}

// last returns the last record if it is not sacked.
func (b *scoreboard) last() *sent {
	if b.empty() {
		return nil
	}
	if r := b.record(b.tail - 1); r.flags&(sentSacked|sentAgain) == 0 {
		return r
	}
	return nil
}

// sentOnceMore notes that r was transmitted again.
func (b *scoreboard) sentOnceMore(r *sent, now clock.Instant) {
	if r.flags&sentAgain == 0 {
		if r.flags&sentLost != 0 {
			b.pending -= r.len()
		}
		b.again += r.len()
	}
	r.flags |= sentAgain | sentTwice
	r.at = now
}

// resegment cuts records larger than size octets into pieces of that size, which are lost: the path does not carry
// them.
func (b *scoreboard) resegment(size int) {
	old := *b
	*b = scoreboard{}
	for id := old.head; id != old.tail; id++ {
		r := *old.record(id)
		tooLong := r.len() > size && r.flags&sentSacked == 0
		for r.len() > size {
			piece := r
			piece.end = r.seq.Add(size)
			piece.flags &^= sentFIN
			b.restore(piece, tooLong)
			r.seq = piece.end
		}
		b.restore(r, tooLong)
	}
	if old.ring != nil {
		rings.Put(old.ring)
	}
	b.reno = min(old.reno, b.out)
}

// restore is push for a record with flags.
func (b *scoreboard) restore(r sent, lose bool) {
	flags := r.flags
	r.flags &= sentTwice | sentFIN | sentProbe
	b.push(r)
	n, p := r.len(), b.record(b.tail-1)
	switch {
	case lose:
		b.lose(b.tail - 1)
	case flags&sentSacked != 0:
		p.flags |= sentSacked
		p.skip = b.tail
		b.sacked += n
		b.noteSacked(b.tail - 1)
	default:
		if flags&sentAgain != 0 {
			p.flags |= sentAgain
			b.again += n
		}
		if flags&sentLost != 0 {
			b.lose(b.tail - 1)
		}
	}
}

// segments are counts of records.
type segments struct{ out, sacked, lost, again int }

// segments counts the records by what is known of them.
func (b *scoreboard) segments() (n segments) {
	for id := b.head; id != b.tail; id++ {
		f := b.record(id).flags
		n.out++
		switch {
		case f&sentSacked != 0:
			n.sacked++
			continue
		case f&sentLost != 0:
			n.lost++
		}
		if f&sentAgain != 0 {
			n.again++
		}
	}
	return n
}
