package flow

import (
	"encoding/binary"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/onlink-go/onlink/clock"
)

// The range ephemeral ports come from, unless Configure sets another: Linux's. RFC 6056, 3.2, asks for as much of
// 1024-65535 as can be had; this leaves the lower half to servers.
const (
	FirstEphemeral = 32768
	LastEphemeral  = 60999
)

// PortRange is a range of ports, both ends included.
type PortRange struct{ First, Last uint16 }

// Ephemeral chooses ephemeral ports. Its methods may be called at once from several goroutines.
//
// For connections it is the double-hash algorithm of RFC 6056, 3.3.4: what offset a destination has is a secret, and each
// group of destinations counts on its own, so that nobody learns from the ports towards one what those towards another
// are. The counters move by random steps, as in 3.3.5. Connections try even ports first and bound sockets odd ones, so
// that the one kind does not run out for the other.
type Ephemeral struct {
	rt   clock.Runtime
	once sync.Once
	seed [2]uint64 // of F and G

	ports atomic.Pointer[portSet]
	count [256]atomic.Uint32 // RFC 6056, 3.3.4: "table[index]"
}

// portSet is what may be chosen. It does not change.
type portSet struct {
	PortRange
	reserved []PortRange
}

// NewEphemeral returns an Ephemeral of the default range.
func NewEphemeral(rt clock.Runtime) *Ephemeral {
	e := &Ephemeral{rt: rt}
	e.ports.Store(&portSet{PortRange: PortRange{FirstEphemeral, LastEphemeral}})
	return e
}

// Configure sets the range, and which of its ports are never chosen.
func (e *Ephemeral) Configure(r PortRange, reserved []PortRange) {
	if r.First > r.Last || r.First == 0 {
		r = PortRange{FirstEphemeral, LastEphemeral}
	}
	e.ports.Store(&portSet{r, reserved})
}

// has reports whether port may be chosen.
func (s *portSet) has(port uint16) bool {
	for _, r := range s.reserved {
		if r.First <= port && port <= r.Last {
			return false
		}
	}
	return true
}

// walk yields the ports once, from the start'th on, every second one first, and returns how many it yielded.
func (s *portSet) walk(start uint32, yield func(uint16) bool) (n uint32) {
	size := uint32(s.Last-s.First) + 1
	start %= size
	for _, parity := range [2]uint32{0, 1} {
		for i := parity; i < size; i += 2 {
			port := s.First + uint16((start+i)%size)
			if !s.has(port) {
				continue
			}
			n++
			if !yield(port) {
				return n
			}
		}
	}
	return n
}

// random returns 32 unpredictable bits.
func (e *Ephemeral) random() uint32 {
	var b [4]byte
	e.rt.Entropy(b[:])
	return binary.BigEndian.Uint32(b[:])
}

// Connect yields the local ports for a connection with the ends of k, whose local port does not count, in the order they
// are to be tried: until one is taken, each once.
func (e *Ephemeral) Connect(k Key) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		e.once.Do(func() {
			var b [16]byte
			e.rt.Entropy(b[:])
			e.seed = [2]uint64{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
		})
		k.Ports &= 0xffff
		s := e.ports.Load()
		counter := &e.count[k.Hash(e.seed[1])%uint32(len(e.count))]
		start := (k.Hash(e.seed[0])&^1 + counter.Load()) &^ 1
		n := s.walk(start+uint32(s.First&1), yield)
		// "table[index]++", by 2 to 16, so that what others of the group do cannot be counted.
		counter.Add(2*n + e.random()&7*2)
	}
}

// Bind yields the ports for a socket that is bound without a remote end: from a random one on (RFC 6056, 3.3.1).
func (e *Ephemeral) Bind() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		s := e.ports.Load()
		s.walk(e.random()&^1+uint32(^s.First&1), yield)
	}
}
