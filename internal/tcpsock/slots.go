package tcpsock

import "github.com/onlink-go/onlink/internal/flow"

// slots is a hash table of places with linear probing: each lies in the first free slot from the one its hash says. There is always a
// free one.
type slots struct {
	hashes []uint32 // of the places, or 0: free, or left; a power of two of them
	places []*place
}

const (
	taken uint32 = 1 // a bit that the hashes of all keys have
	left  uint32 = 2 // here was one, and behind may be more that belong before
)

func newSlots(n int) slots { return slots{make([]uint32, n), make([]*place, n)} }

// home returns where one looks first for what has the hash h.
func (s *slots) home(h uint32) int { return int(h>>1) & (len(s.hashes) - 1) }

// next returns the slot behind i.
func (s *slots) next(i int) int { return (i + 1) & (len(s.hashes) - 1) }

// find adds to f what there is of k, whose hash is h.
func (s *slots) find(h uint32, k *flow.Key, f *found) {
	for i := s.home(h); s.hashes[i] != 0; i = s.next(i) {
		if s.hashes[i] != h {
			continue
		}
		p := s.places[i]
		if p.key != *k {
			continue
		}
		switch o := p.node.Owner.(type) {
		case *Conn:
			f.conn = o
		case *embryo:
			f.embryo = o
		case *remnant:
			f.remnant = o
		}
	}
}

// at returns the slot that p is in, whose hash is h; -1: none.
func (s *slots) at(h uint32, p *place) int {
	if len(s.hashes) == 0 {
		return -1
	}
	for i := s.home(h); s.hashes[i] != 0; i = s.next(i) {
		if s.places[i] == p {
			return i
		}
	}
	return -1
}

func (s *slots) put(h uint32, p *place) {
	i := s.home(h)
	for s.hashes[i] != 0 {
		i = s.next(i)
	}
	s.hashes[i], s.places[i] = h, p
}

// leave takes out what is in the slot i, and nothing is put in any more.
func (s *slots) leave(i int) { s.hashes[i], s.places[i] = left, nil }

// free takes out what is in the slot i, of slots that nobody has left: what is behind and may lie further in front does then.
func (s *slots) free(i int) {
	mask := len(s.hashes) - 1
	for j := s.next(i); s.hashes[j] != 0; j = s.next(j) {
		if home := s.home(s.hashes[j]); (j-home)&mask >= (j-i)&mask {
			s.hashes[i], s.places[i] = s.hashes[j], s.places[j]
			i = j
		}
	}
	s.hashes[i], s.places[i] = 0, nil
}
