package tcp

import (
	"sync"

	"github.com/onlink-go/onlink/clock"
)

// sentFlags say what is known of a sent segment.
type sentFlags uint16

const (
	sentSacked  sentFlags = 1 << iota // the peer reported to hold it (RFC 2018)
	sentLost                          // deemed lost, and neither acknowledged nor sacked since
	sentAgain                         // retransmitted, and the retransmission counts as in flight
	sentTwice                         // transmitted more than once, at any time (Karn's algorithm)
	sentFIN                           // its last number is the FIN's
	sentPush                          // a write ends in it: with PSH
	sentListed                        // in the list by time of transmission
	sentLimited                       // the application had nothing more to send (delivery rate)
	sentRated                         // it has served to measure the delivery rate
	sentJoined                        // of the same burst as the one before
)

// sent is one segment in flight: [seq, end) of sequence space.
type sent struct {
	seq, end  Seq
	at        clock.Instant // of its last transmission
	round     clock.Instant // for the delivery rate: when the segment delivered last before was sent,
	delivered clock.Instant // and when it was delivered,
	count     uint64        // as the so many-th
	older     uint32        // neighbors in the list by time of transmission; itself at the ends
	newer     uint32
	skip      uint32 // if sacked: id of a later record with only sacked ones between
	inFlight  uint32 // segments in flight when it was last sent, it included (P.tx_in_flight)
	losses    uint32 // segments deemed lost before that (P.lost)
	flags     sentFlags
}

func (r *sent) len() int { return r.end.Sub(r.seq) }

// ring is the scoreboard's memory; records lie at id modulo its length, a power of two.
type ring struct{ records []sent }

const minRing = 64

var rings = sync.Pool{New: func() any { return &ring{make([]sent, minRing)} }}

// scoreboard knows the segments in flight in sequence order, which is the order of their first transmission (RFC 6675,
// 3), and by the time of their last one (RFC 8985). Each has an id: ids count up, and stay the same while segments before
// are acknowledged. An ACK touches the records it acknowledges, those its SACK blocks newly cover, and those that become
// lost by it: each record once. The zero scoreboard is empty, and an empty one holds no memory.
//
// What it counts are segments, as congestion windows do.
type scoreboard struct {
	ring       *ring
	head, tail uint32 // ids of the first record, and after the last

	out     int // records
	sacked  int // of these; without SACK: how many have left the network, as duplicate ACKs say
	lost    int // with sentLost
	again   int // with sentAgain
	pending int // lost and not sent again

	high     Seq    // end of the highest segment sacked, if sacked is not 0 and SACK is in use
	rxtNext  uint32 // records before have nothing pending (RFC 6675's HighRxt)
	lostNext uint32 // records before were looked at by markBelow,
	before   int    // and so many of these are sacked
	byTime   timeList
	losses   uint32    // segments ever deemed lost (C.lost)
	taker    lossTaker // is told of them; nil: nobody
}

// lossTaker is told of each segment that is deemed lost.
type lossTaker interface{ segmentLost(r *sent) }

// fresh returns an empty scoreboard that goes on from this one.
func (b *scoreboard) fresh() scoreboard { return scoreboard{losses: b.losses, taker: b.taker} }

func (b *scoreboard) empty() bool { return b.head == b.tail }

func (b *scoreboard) record(id uint32) *sent {
	s := b.ring.records
	return &s[id&uint32(len(s)-1)]
}

// first returns the first record; there must be one.
func (b *scoreboard) first() *sent { return b.record(b.head) }

// pipe returns how many segments are in the network as far as is known: RFC 6675, 4, SetPipe.
func (b *scoreboard) pipe() int { return b.out - b.sacked - b.lost + b.again }

// push appends a record that is sent just now.
func (b *scoreboard) push(r sent) {
	id := b.add()
	*b.record(id) = r
	b.listLast(id)
}

// begin is push for a segment that is sent for the first time, at now; what else there is to say of it is set in the record.
func (b *scoreboard) begin(seq, end Seq, now clock.Instant) *sent {
	id := b.add()
	r := b.record(id)
	*r = sent{}
	r.seq, r.end, r.at = seq, end, now
	b.listLast(id)
	return r
}

// add makes room for a record, and returns its id.
func (b *scoreboard) add() uint32 {
	if b.ring == nil {
		*b = b.fresh()
		b.ring = rings.Get().(*ring)
	}
	if s := b.ring.records; b.out == len(s) {
		next := make([]sent, 2*len(s))
		for id := b.head; id != b.tail; id++ {
			next[id&uint32(len(next)-1)] = *b.record(id)
		}
		b.ring.records = next
	}
	b.tail++
	b.out++
	return b.tail - 1
}

// reset forgets everything.
func (b *scoreboard) reset() {
	if b.ring != nil {
		rings.Put(b.ring)
	}
	*b = b.fresh()
}

// drop removes the first record.
func (b *scoreboard) drop() {
	id := b.head
	known := b.record(id).flags & (sentSacked | sentLost | sentAgain)
	b.unlist(id)
	if known != 0 {
		b.clear(id, known)
	}
	if int32(b.lostNext-id) > 0 {
		if known&sentSacked != 0 {
			b.before--
		}
	} else {
		b.lostNext = id + 1
	}
	if b.rxtNext == id {
		b.rxtNext = id + 1
	}
	b.out--
	b.head++
}

// set adds flags to a record, which changes the counts.
func (b *scoreboard) set(id uint32, f sentFlags) { b.change(id, b.record(id).flags|f) }

// clear removes flags.
func (b *scoreboard) clear(id uint32, f sentFlags) { b.change(id, b.record(id).flags&^f) }

// change gives a record other flags.
func (b *scoreboard) change(id uint32, to sentFlags) {
	r := b.record(id)
	from := r.flags
	r.flags = to
	b.sacked += bit(to&sentSacked) - bit(from&sentSacked)
	b.lost += bit(to&sentLost) - bit(from&sentLost)
	b.again += bit(to&sentAgain) - bit(from&sentAgain)
	if b.pending += isPending(to) - isPending(from); isPending(to) > isPending(from) && int32(id-b.rxtNext) < 0 {
		b.rxtNext = id
	}
}

func bit(f sentFlags) int {
	if f != 0 {
		return 1
	}
	return 0
}

func isPending(f sentFlags) int {
	if f&(sentLost|sentAgain|sentSacked) == sentLost {
		return 1
	}
	return 0
}

// search returns the id of the first record that begins at or after s. Most segments are of one size, so that it is found
// near where it would be if all were.
func (b *scoreboard) search(s Seq) uint32 {
	n := b.tail - b.head
	if n == 0 || !b.first().seq.Less(s) {
		return b.head
	}
	start := b.first().seq
	guess := uint32(uint64(s.Sub(start)) * uint64(n) / uint64(b.record(b.tail-1).end.Sub(start)))
	lo, hi := uint32(1), n // s is at lo or later, and at hi or earlier
	if guess = min(guess, n-1); b.record(b.head + guess).seq.Less(s) {
		lo = guess + 1
		for step := uint32(1); lo+step < n; step *= 2 {
			if !b.record(b.head + lo + step).seq.Less(s) {
				hi = lo + step
				break
			}
			lo += step
		}
	} else {
		hi = guess
		for step := uint32(1); hi > lo+step; step *= 2 {
			if b.record(b.head + hi - step).seq.Less(s) {
				lo = hi - step
				break
			}
			hi -= step
		}
	}
	for lo < hi {
		if m := lo + (hi-lo)/2; b.record(b.head + m).seq.Less(s) {
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

// markSacked notes that the peer holds a record.
func (b *scoreboard) markSacked(id uint32) {
	r := b.record(id)
	r.skip = id + 1
	b.set(id, sentSacked)
	b.unlist(id)
	if int32(b.lostNext-id) > 0 {
		b.before++
	}
	if b.sacked == 1 || b.high.Less(r.end) {
		b.high = r.end
	}
}

// lose deems a record lost: again, if it was sent again since. It reports whether that is news.
func (b *scoreboard) lose(id uint32) bool {
	switch f := b.record(id).flags; {
	case f&sentSacked != 0:
		return false
	case f&sentLost == 0:
		b.set(id, sentLost)
	case f&sentAgain != 0:
		b.clear(id, sentAgain)
	default:
		return false
	}
	b.losses++
	if b.taker != nil {
		b.taker.segmentLost(b.record(id))
	}
	return true
}

// markBelow deems lost what is followed by more than sacked-n sacked segments, with n of them counted from the front:
// RFC 6675, 4, IsLost, with n = the number sacked less DupThresh. It returns how many were not lost before.
func (b *scoreboard) markBelow(n int) (lost int) {
	for ; b.lostNext != b.tail; b.lostNext++ {
		id := b.lostNext
		if b.record(id).flags&sentSacked != 0 {
			if b.before+1 > n {
				break
			}
			b.before++
			continue
		}
		if b.record(id).flags&sentLost == 0 && b.lose(id) {
			lost++
		}
	}
	return lost
}

// forgive takes the marks of loss back.
func (b *scoreboard) forgive() {
	at, ok := b.byTime.oldest, b.byTime.n > 0
	for id := b.head; id != b.tail; id++ {
		r := b.record(id)
		if r.flags&sentLost == 0 {
			continue
		}
		b.clear(id, sentLost)
		if r.flags&sentListed == 0 {
			for ok && b.record(at).at <= r.at {
				at, ok = b.after(at)
			}
			b.listBefore(id, at, ok)
		}
	}
	b.lostNext, b.before, b.rxtNext = b.head, 0, b.head
}

// nextPending returns the first record that is lost and not sent again. There is one if pending is not 0.
func (b *scoreboard) nextPending() (uint32, *sent) {
	for ; b.rxtNext != b.tail; b.rxtNext++ {
		if b.rxtNext = b.unsacked(b.rxtNext); b.rxtNext == b.tail {
			break
		}
		if r := b.record(b.rxtNext); isPending(r.flags) != 0 {
			return b.rxtNext, r
		}
	}
	return 0, nil
}

// sentOnceMore notes that a record was transmitted again; counted: as one that fills a hole, not as a probe.
func (b *scoreboard) sentOnceMore(id uint32, now clock.Instant, counted bool) {
	r := b.record(id)
	r.at = now
	r.flags |= sentTwice
	if counted {
		b.set(id, sentAgain)
	}
	if b.unlist(id); r.flags&sentSacked == 0 {
		b.listLast(id)
	}
}

// reneged reports whether the first segment is sacked and yet was not acknowledged.
func (b *scoreboard) reneged() bool { return !b.empty() && b.first().flags&sentSacked != 0 }

// resegment cuts records larger than size octets into pieces of that size, which are lost: the path does not carry them.
func (b *scoreboard) resegment(size int, reno bool) {
	old := *b
	*b = b.fresh()
	b.taker = nil // it is not for congestion that these are lost
	for id := old.head; id != old.tail; id++ {
		r := *old.record(id)
		tooLong := r.len() > size && r.flags&sentSacked == 0
		for r.len() > size {
			piece := r
			piece.end = r.seq.Add(size)
			piece.flags &^= sentFIN | sentPush
			b.restore(piece, tooLong)
			r.seq = piece.end
		}
		b.restore(r, tooLong)
	}
	if b.taker = old.taker; old.ring != nil {
		rings.Put(old.ring)
	}
	if reno {
		b.sacked = max(min(old.sacked, b.out-b.lost), 0)
	}
}

// restore is push for a record with flags. Those by time are in sequence order afterwards.
func (b *scoreboard) restore(r sent, lose bool) {
	flags := r.flags
	r.flags &= sentTwice | sentFIN | sentPush | sentLimited
	b.push(r)
	id := b.tail - 1
	switch {
	case lose:
		b.lose(id)
	case flags&sentSacked != 0:
		b.markSacked(id)
	default:
		b.set(id, flags&(sentLost|sentAgain))
	}
}
