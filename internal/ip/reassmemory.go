package ip

import (
	"github.com/onlink-go/onlink/clock"
)

// fragMemory bounds the memory of datagrams that are not complete, and shares it so that a flood of fragments does not
// push out those of others:
//
//   - It is counted by source: an IPv4 address, or an IPv6 prefix of 64 bits, which is what a host may have many
//     addresses of. (Sources share counts by a secret hash.) What is over the limit is taken from the source that has
//     most, the datagram begun first. So one who floods pushes out fragments of its own.
//   - Sources of which a datagram became complete within the last minutes are counted apart and may have half of the
//     memory, or what nobody else wants. So forged sources, however many, do not push out those of somebody with whom
//     there is an exchange of datagrams, unless his address is forged too.
//
// A new source under a flood of forged ones is left the time that it takes to fill the other half.
type fragMemory struct {
	limit  int // octets
	used   int
	secret uint64
	shares [2][shares]share // of sources not known to complete datagrams, and of those known to
	class  [2]int           // octets used, likewise
	proven [proofs][proofWays]proof
}

const (
	shares    = 128
	proofs    = 64 // sets
	proofWays = 4
	// proofTime is how long a source counts as one that completes datagrams.
	proofTime = 5 * 60 * 1e9
	// datagramCost is the memory that a datagram takes itself, roughly; without it the refused ones would be free.
	datagramCost = 512
)

// share is what the sources of one hash have: octets, and datagrams, begun first at the head.
type share struct {
	used       int
	head, tail *datagram
}

// proof is that a source completed a datagram.
type proof struct {
	source uint64 // hashed; 0: none
	until  clock.Instant
}

// owner is how the memory of a datagram is counted.
type owner struct {
	source         uint64 // hashed
	known          uint8  // index of the class
	bytes          int
	older, younger *datagram // of the share
}

// hash hashes the source of k.
func (m *fragMemory) hash(k *fragKey) uint64 {
	hi, lo := k.src.Hi, uint64(0)
	if k.src.Is4() || k.src.NeedsScope() {
		lo = k.src.Lo
	}
	h := m.secret
	for _, v := range [...]uint64{hi, lo} {
		h = (h ^ v) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return (h*0xbf58476d1ce4e5b9)>>1 | 1
}

func (m *fragMemory) share(d *datagram) *share { return &m.shares[d.known][d.source>>8%shares] }

// open begins to count d.
func (m *fragMemory) open(now clock.Instant, d *datagram) {
	d.owner = owner{source: m.hash(&d.key)}
	for _, p := range m.proven[d.source>>32%proofs] {
		if p.source == d.source && now < p.until {
			d.known = 1
		}
	}
	s := m.share(d)
	if d.older = s.tail; s.tail != nil {
		s.tail.younger = d
	} else {
		s.head = d
	}
	s.tail = d
	m.take(d, datagramCost)
}

// take counts n octets more for d.
func (m *fragMemory) take(d *datagram, n int) {
	d.bytes += n
	m.used += n
	m.class[d.known] += n
	m.share(d).used += n
}

// close ends to count d.
func (m *fragMemory) close(d *datagram) {
	m.take(d, -d.bytes)
	s := m.share(d)
	if d.older != nil {
		d.older.younger = d.younger
	} else {
		s.head = d.younger
	}
	if d.younger != nil {
		d.younger.older = d.older
	} else {
		s.tail = d.older
	}
	d.older, d.younger = nil, nil
}

// prove notes that the source of d completed it, in place of the one that did so longest ago.
func (m *fragMemory) prove(now clock.Instant, d *datagram) {
	set := &m.proven[d.source>>32%proofs]
	oldest := 0
	for i := range set {
		if set[i].source == d.source {
			oldest = i
			break
		}
		if set[i].until < set[oldest].until {
			oldest = i
		}
	}
	set[oldest] = proof{d.source, now.Add(proofTime)}
}

// heaviest returns the datagram to be given up; nil: there is room.
func (m *fragMemory) heaviest() *datagram {
	if m.used <= m.limit {
		return nil
	}
	known := 0
	if m.class[0] <= m.limit/2 {
		known = 1
	}
	most := &m.shares[known][0]
	for i := range m.shares[known] {
		if s := &m.shares[known][i]; s.used > most.used {
			most = s
		}
	}
	return most.head
}
