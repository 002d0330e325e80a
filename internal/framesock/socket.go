package framesock

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/internal/shard"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// DefaultReceiveBuffer is how many octets of packet blocks a socket queues for its reader: as many as tcpdump asks the
// kernel for.
const DefaultReceiveBuffer = 2 << 20

// Direction is a set of the ways frames go.
type Direction uint8

// The directions.
const (
	In Direction = 1 << iota
	Out
)

// Config is what a socket is made of.
type Config struct {
	Index         int32  // of the interface; 0: all
	EtherType     uint16 // of the frames it reads; 0: any
	Directions    Direction
	Network       bool // filter and read what is behind the link header
	Filters       Filters
	ReceiveBuffer int            // octets of packet blocks; 0: DefaultReceiveBuffer
	Watcher       ready.Notifier // nil: nobody
}

// Socket is a packet socket. All methods may be called at once from several goroutines.
type Socket struct {
	layer   *Layer
	cfg     Config
	filters atomic.Pointer[Filters]
	untap   func()

	in        shard.Leaf // guards all below; its deadline is the read deadline
	queue     queue
	limit     int
	stats     Stats
	gone      bool          // its interface was removed
	writeable clock.Instant // write deadline
}

// Stats counts the frames that a socket wanted.
type Stats struct {
	Received uint64 // passed the filter, the dropped ones included
	Dropped  uint64 // found no room in the receive buffer
}

// Info says of a frame what its octets do not.
type Info struct {
	ip.Sight
	EtherType uint16
	Src, Dst  wire.MAC // of the link header; zero where there is none
	Len       int      // octets of the frame; more than were read if the filter or the reader cut it off
}

// Open makes a socket. Errors: ENODEV, ESHUTDOWN.
func (f *Layer) Open(cfg Config) (*Socket, error) {
	if cfg.ReceiveBuffer == 0 {
		cfg.ReceiveBuffer = DefaultReceiveBuffer
	}
	s := &Socket{layer: f, cfg: cfg, limit: cfg.ReceiveBuffer, writeable: clock.Never}
	s.filters.Store(&cfg.Filters)
	if err := f.add(s); err != nil {
		return nil, err
	}
	untap, err := f.ip.AddTap(cfg.Index, tap{s})
	if err != nil {
		f.remove(s)
		return nil, err
	}
	s.in.Lock()
	s.untap = untap
	closed := s.in.Closed()
	s.in.Unlock()
	if closed { // with the stack, before it knew how to end the tapping
		untap()
		return nil, syscall.ESHUTDOWN
	}
	return s, nil
}

// Config returns what the socket was made of, with the Filters and the ReceiveBuffer it has now.
func (s *Socket) Config() Config {
	c := s.cfg
	c.Filters = *s.filters.Load()
	s.in.Lock()
	defer s.in.Unlock()
	c.ReceiveBuffer = s.limit
	return c
}

// SetFilters makes f choose the frames that come from now on. What waits to be read was chosen by those before.
func (s *Socket) SetFilters(f Filters) { s.filters.Store(&f) }

// Stats returns what the socket counted so far.
func (s *Socket) Stats() Stats {
	s.in.Lock()
	defer s.in.Unlock()
	return s.stats
}

// Unread returns how many octets of packet blocks wait to be read, Waiting how many frames.
func (s *Socket) Unread() int {
	s.in.Lock()
	defer s.in.Unlock()
	return s.queue.octets
}

func (s *Socket) Waiting() int {
	s.in.Lock()
	defer s.in.Unlock()
	return s.queue.n
}

// tap is the Socket as an ip.Tap.
type tap struct{ *Socket }

// Frame implements ip.Tap.
func (t tap) Frame(sight ip.Sight, p *packet.Buffer) {
	s := t.Socket
	if d := direction(sight.Outgoing); s.cfg.Directions&d == 0 {
		return
	}
	b := p.Bytes()
	i := Info{Sight: sight, EtherType: p.EtherType}
	if sight.Medium == link.Ethernet {
		h, err := wire.CheckEthernet(b)
		if err != nil {
			return // no frame: input counts it
		}
		i.EtherType, i.Src, i.Dst = h.EtherType(), h.Src(), h.Dst()
		if s.cfg.Network {
			b = h.Payload()
		}
	}
	if s.cfg.EtherType != 0 && s.cfg.EtherType != i.EtherType {
		return
	}
	i.Len = len(b)
	if keep := s.filters.Load().For(sight.Medium, sight.Outgoing).Keep(b); keep > 0 {
		s.enqueue(i, b[:keep])
	}
}

func direction(outgoing bool) Direction {
	if outgoing {
		return Out
	}
	return In
}

// Gone implements ip.Tap.
func (t tap) Gone(index int32) {
	if t.cfg.Index != index {
		return
	}
	t.in.Lock()
	defer t.in.Unlock()
	t.gone = true
	t.wake(ready.All)
}

// wake wakes who waits for something of the socket. in locked.
func (s *Socket) wake(ev ready.Events) {
	s.in.Wake()
	if s.cfg.Watcher != nil {
		s.cfg.Watcher.Notify(ev)
	}
}

// enqueue gives a copy of b to the reader.
func (s *Socket) enqueue(i Info, b []byte) {
	s.in.Lock()
	defer s.in.Unlock()
	if s.in.Closed() {
		return
	}
	s.stats.Received++
	if s.queue.octets >= s.limit {
		s.stats.Dropped++
		return
	}
	s.queue.push(entry{i, packet.From(b)})
	s.wake(ready.Read)
}

// Receive copies the next frame into b and tells about it; what does not fit is lost. It waits for one. Errors:
// net.ErrClosed, os.ErrDeadlineExceeded, ENETDOWN if the socket's interface was removed.
func (s *Socket) Receive(b []byte) (n int, i Info, err error) {
	e, err := s.next()
	if err != nil {
		return 0, i, err
	}
	n = copy(b, e.p.Bytes())
	e.p.Free()
	return n, e.Info, nil
}

// Try returns the next frame, whose packet is the caller's, if there is one; peek leaves it there, and the packet is a copy.
// Errors: those of Receive, and EAGAIN.
func (s *Socket) Try(peek bool) (*packet.Buffer, Info, error) {
	s.in.Lock()
	defer s.in.Unlock()
	switch {
	case s.in.Closed():
		return nil, Info{}, net.ErrClosed
	case s.queue.n > 0 && peek:
		e := s.queue.ring[s.queue.first]
		return packet.From(e.p.Bytes()), e.Info, nil
	case s.queue.n == 0 && s.gone:
		return nil, Info{}, syscall.ENETDOWN
	}
	e, ok := s.queue.pop()
	if !ok {
		return nil, Info{}, syscall.EAGAIN
	}
	return e.p, e.Info, nil
}

// next waits for a frame.
func (s *Socket) next() (entry, error) {
	s.in.Lock()
	defer s.in.Unlock()
	for {
		if err := s.in.Refused(); err != nil {
			return entry{}, err
		}
		if e, ok := s.queue.pop(); ok {
			return e, nil
		}
		if s.gone {
			return entry{}, syscall.ENETDOWN
		}
		s.in.Wait()
	}
}

// Send sends a frame, from its link header on, by the interface with the given index; 0: by the socket's. Errors:
// net.ErrClosed, os.ErrDeadlineExceeded, those of ip.SendFrame.
func (s *Socket) Send(index int32, frame []byte) error {
	if index == 0 {
		index = s.cfg.Index
	}
	now := s.layer.rt.Now()
	s.in.Lock()
	closed, late := s.in.Closed(), now >= s.writeable
	s.in.Unlock()
	switch {
	case closed:
		return net.ErrClosed
	case late:
		return os.ErrDeadlineExceeded
	case len(frame) > packet.MaxLen:
		return syscall.EMSGSIZE
	}
	return s.layer.ip.SendFrame(index, packet.From(frame))
}

// SetReadDeadline sets the instant after which Receive fails; clock.Never for none. Errors: net.ErrClosed.
func (s *Socket) SetReadDeadline(at clock.Instant) error { return s.in.SetDeadline(at) }

// SetWriteDeadline sets the instant after which Send fails; clock.Never for none. Send does not wait, so that no timer
// is needed. Errors: net.ErrClosed.
func (s *Socket) SetWriteDeadline(at clock.Instant) error {
	s.in.Lock()
	defer s.in.Unlock()
	if s.in.Closed() {
		return net.ErrClosed
	}
	s.writeable = at
	return nil
}

// SetReceiveBuffer sets how many octets of packet blocks the socket queues.
func (s *Socket) SetReceiveBuffer(n int) {
	s.in.Lock()
	defer s.in.Unlock()
	s.limit = n
}

// Close closes the socket and wakes its readers. A second Close returns net.ErrClosed.
func (s *Socket) Close() error {
	var untap func()
	if err := s.in.Close(func() { s.queue.free(); untap = s.untap }); err != nil {
		return err
	}
	if untap != nil {
		untap()
	}
	s.layer.remove(s)
	if s.cfg.Watcher != nil {
		s.cfg.Watcher.Notify(ready.All)
	}
	return nil
}
