package framesock

import "github.com/onlink-go/onlink/packet"

// entry is a frame that waits for its reader.
type entry struct {
	Info
	p *packet.Buffer
}

// queue is first in, first out, in a ring that grows as it must.
type queue struct {
	ring   []entry
	first  int
	n      int
	octets int // of packet blocks
}

func (q *queue) push(e entry) {
	if q.n == len(q.ring) {
		grown := make([]entry, max(16, 2*len(q.ring)))
		k := copy(grown, q.ring[q.first:])
		copy(grown[k:], q.ring[:q.first])
		q.ring, q.first = grown, 0
	}
	q.ring[(q.first+q.n)%len(q.ring)] = e
	q.n++
	q.octets += e.p.Cap()
}

func (q *queue) pop() (entry, bool) {
	if q.n == 0 {
		return entry{}, false
	}
	e := q.ring[q.first]
	q.ring[q.first] = entry{}
	q.first = (q.first + 1) % len(q.ring)
	q.n--
	q.octets -= e.p.Cap()
	return e, true
}

// free frees all that waits.
func (q *queue) free() {
	for e, ok := q.pop(); ok; e, ok = q.pop() {
		e.p.Free()
	}
	q.ring = nil
}
