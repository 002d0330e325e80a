package dgram

import (
	"syscall"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/internal/ready"
	"github.com/onlink-go/onlink/mib"
	"github.com/onlink-go/onlink/packet"
)

// DefaultReceiveBuffer is how many octets of packet blocks a socket queues for its reader.
const DefaultReceiveBuffer = 1 << 20

// Take gives p to the socket, or drops and counts it in c.
func (s *Socket) Take(c *mib.Set, now clock.Instant, p *packet.Buffer) bool {
	if p.Trace != 0 {
		return s.takeTold(c, now, p)
	}
	r, ok := s.enqueue(p)
	if !ok {
		c.Drop(now, p, r)
	}
	return ok
}

// enqueue gives p to the socket. If it cannot take it, p stays the caller's and the reason is returned.
func (s *Socket) enqueue(p *packet.Buffer) (mib.Reason, bool) {
	size := p.Cap()
	s.in.Lock()
	defer s.in.Unlock()
	if s.in.Closed() {
		return mib.SocketClosed, false
	}
	if s.queued+size > s.limit {
		return s.kind.Full(), false
	}
	s.queued += size
	n := Datagrams(p)
	s.waiting += n
	s.queue.Push(p)
	if n == 1 {
		s.in.WakeOne()
	} else {
		s.in.Wake() // there is one for several
	}
	if s.watcher != nil {
		s.watcher.Notify(ready.Read)
	}
	return 0, true
}

// Receive copies the payload of the next datagram into b and says who sent it and how long it was: a longer
// one than b is cut off. It waits for one. Errors: net.ErrClosed, os.ErrDeadlineExceeded, and what was
// reported about a datagram of a connected socket, once: an *ip.Report of what ICMP said, or a syscall.Errno.
func (s *Socket) Receive(b []byte) (n, full int, from flow.Endpoint, err error) {
	var d Datagram
	n, err = s.ReceiveMessage(b, &d)
	return n, d.Len, d.From, err
}

// ReceiveMessage is Receive that tells in d all there is to say.
func (s *Socket) ReceiveMessage(b []byte, d *Datagram) (n int, err error) {
	p, n, err := s.takeFirst(b, d)
	if p != nil {
		n = copy(b, d.describe(s.kind, p))
		p.Free()
	}
	return n, err
}

// takeFirst waits for a datagram and returns its packet, to be copied without the lock. If others follow in the packet it stays
// where it is, and the datagram is copied into b.
func (s *Socket) takeFirst(b []byte, d *Datagram) (p *packet.Buffer, n int, err error) {
	s.in.Lock()
	defer s.in.Unlock() // also where the wait is the end of its goroutine, as in a simulation that stops
	p, err = s.await(true)
	switch {
	case err != nil:
		return nil, 0, err
	case s.cuts(p):
		n = copy(b, d.describeFirst(s.kind, p))
		s.dropFirst(p)
		return nil, n, nil
	}
	s.pop()
	return p, 0, nil
}

// await returns the packet at the queue's front, which stays there. It waits for one, or else fails with EAGAIN. s.in locked.
func (s *Socket) await(wait bool) (*packet.Buffer, error) {
	for {
		if err := s.in.Refused(); err != nil {
			return nil, err
		}
		if err := s.takeError(); err != nil {
			return nil, err
		}
		if r := s.takeReport(); r != nil {
			return nil, r
		}
		if p := s.queue.Front(); p != nil {
			return p, nil
		}
		if !wait {
			return nil, syscall.EAGAIN
		}
		s.in.Wait()
	}
}

// pop takes the packet at the queue's front off it, which is the caller's now. s.in locked.
func (s *Socket) pop() *packet.Buffer {
	p := s.queue.Pop()
	s.queued -= p.Cap()
	s.waiting -= Datagrams(p)
	return p
}

// dropFirst forgets the first datagram of p, the super-packet at the queue's front. s.in locked.
func (s *Socket) dropFirst(p *packet.Buffer) {
	cutFirst(p)
	s.waiting--
}

// Queued returns how many datagrams wait to be received, and how long the payload of the first is.
func (s *Socket) Queued() (n, first int) {
	s.in.Lock()
	defer s.in.Unlock()
	if p := s.queue.Front(); p != nil {
		b, _, _ := s.kind.Payload(p)
		if first = len(b); s.cuts(p) {
			first = int(p.GSOSize)
		}
	}
	return s.waiting, first
}

// Unread returns how many octets of buffers wait to be read.
func (s *Socket) Unread() int {
	s.in.Lock()
	defer s.in.Unlock()
	return s.queued
}
