package ip

import (
	"sync/atomic"

	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
)

// LinkStats counts the frames of an interface, as RFC 2863's ifTable does: octets with the link header.
type LinkStats struct {
	Frames, Octets    uint64
	Multicast         uint64 // received for a group or for all
	Errors, Discarded uint64
}

// frameCount counts the frames of one direction. Whoever counts adds a batch at a time.
type frameCount struct{ frames, octets, multicast atomic.Uint64 }

func (c *frameCount) add(frames, octets uint64) {
	c.frames.Add(frames)
	c.octets.Add(octets)
}

func (c *frameCount) addTo(s *LinkStats) {
	s.Frames += c.frames.Load()
	s.Octets += c.octets.Load()
	s.Multicast += c.multicast.Load()
}

// octetsOf returns how many octets the packets of b have.
func octetsOf(b *packet.Batch) (n uint64) {
	for p := b.Front(); p != nil; p = p.Next() {
		n += uint64(p.Len())
	}
	return n
}

// LinkStats returns what the interface with the given index received and sent. Errors: ENODEV.
func (l *Layer) LinkStats(index int32) (in, out LinkStats, err error) {
	l.control.Lock()
	defer l.control.Unlock()
	d, err := l.find(index)
	if err != nil {
		return in, out, err
	}
	for i := range d.queues {
		q := &d.queues[i]
		q.received.addTo(&in)
		in.Errors += q.counters.Dropped(mib.FrameShort)
		in.Discarded += q.counters.Dropped(mib.FrameNotForUs) + q.counters.Dropped(mib.FrameUnknownType) + q.counters.Dropped(mib.LinkDown)
	}
	for i := range d.egresses {
		d.egresses[i].sent.addTo(&out)
	}
	out.Errors = d.counters.Dropped(mib.LinkError)
	out.Discarded = d.counters.Dropped(mib.LinkQueueFull) + d.counters.Dropped(mib.LinkDown)
	if d.lk == nil { // what the loopback interface receives, it has sent
		out.Frames, out.Octets = in.Frames, in.Octets
	}
	return in, out, nil
}
