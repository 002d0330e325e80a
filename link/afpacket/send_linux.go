package afpacket

import (
	"sync"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/vnet"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// sender is the way out of a device: one batch at a time.
type sender struct {
	d     *Device
	write func(fd uintptr) // flush, made once

	mu      sync.Mutex
	batch   *packet.Batch // being sent
	err     error         // of sending it
	waiting bool          // a goroutine waits for room in the socket
}

func (s *sender) init(d *Device) {
	s.d = d
	s.write = s.flush
}

// finish waits until no batch is being sent.
func (s *sender) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

// Send sends the frames of b on the interface. What does not fit into the socket's queue it leaves; Ready is called when there
// is room. A frame that the kernel refuses, because the interface is down or the frame makes no sense, is dropped and counted.
// The error is link.ErrClosed, or says that the interface is gone.
func (d *Device) Send(q int, b *packet.Batch) error {
	d.mu.Lock()
	err := d.err
	d.mu.Unlock()
	if err != nil {
		return err
	}
	s := &d.out
	s.mu.Lock()
	s.batch, s.err = b, nil
	closed := d.raw.Control(s.write) != nil
	err = s.err
	s.batch = nil
	s.mu.Unlock()
	switch {
	case closed:
		return link.ErrClosed
	case err != nil:
		return d.die(err)
	}
	return nil
}

// flush writes the frames of s.batch. s.mu held.
func (s *sender) flush(fd uintptr) {
	d := s.d
	for p := s.batch.Front(); p != nil; p = s.batch.Front() {
		n := p.Len()
		vnet.Put(p, link.Ethernet.HeaderLen())
		_, err := unix.Write(int(fd), p.Bytes())
		for err == unix.EINTR {
			_, err = unix.Write(int(fd), p.Bytes())
		}
		switch err {
		case nil:
			d.outFrames.Add(1)
			d.outOctets.Add(uint64(n))
		case unix.EAGAIN:
			p.TrimFront(vnet.HeaderLen)
			s.wait()
			return
		case unix.ENXIO, unix.ENODEV:
			p.TrimFront(vnet.HeaderLen)
			s.err = err
			return
		default:
			// ENETDOWN: the interface is down. EMSGSIZE: the frame is over its MTU. EINVAL: it is none. ENOBUFS: its queue is full.
			d.outDrops.Add(1)
		}
		s.batch.Pop().Free()
	}
}

// wait has Ready be called when there is room. s.mu held.
func (s *sender) wait() {
	if !s.waiting {
		s.waiting = true
		s.d.all.Go(s.awaitRoom)
	}
}

// awaitRoom waits for room and tells the receiver.
func (s *sender) awaitRoom() {
	err := s.d.raw.Write(writable)
	s.mu.Lock()
	s.waiting = false // what is left in a batch from now on is told of anew
	s.mu.Unlock()
	if err == nil {
		s.d.slot.Ready(0)
	}
}

// writable reports whether the socket has room, or an error to tell of. The poller tells only of room that came since it was
// asked.
func writable(fd uintptr) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(p, 0)
	return n > 0 || err != nil && err != unix.EINTR
}
