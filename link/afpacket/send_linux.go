package afpacket

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/vnet"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// sender is a way out of a device: one batch at a time. The kernel takes batches from several at once, each on its caller's processor.
type sender struct {
	d     *Device
	queue int
	write func(fd uintptr) // flush, made once

	mu      sync.Mutex
	batch   *packet.Batch // being sent
	err     error         // of sending it
	waiting bool          // a goroutine waits for room in the socket

	// Of one system call. They are here so that they are not made for each.
	frames [sendBatch]message
	parts  [sendBatch]unix.Iovec
	octets [sendBatch]int
}

// sendBatch is how many frames are given to the kernel at once, at most.
const sendBatch = 64

// mostSenders is how many send queues a device has at most.
const mostSenders = 16

// message is what sendmmsg(2) is given of each frame: struct mmsghdr.
type message struct {
	header unix.Msghdr
	_      uint32 // how many octets were sent
}

func (s *sender) init(d *Device, queue int) {
	s.d, s.queue = d, queue
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
	s := &d.out[max(q, 0)%len(d.out)]
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

// flush writes the frames of s.batch, as many as go with each system call. s.mu held.
func (s *sender) flush(fd uintptr) {
	d := s.d
	for !s.batch.Empty() {
		n := s.gather()
		sent, err := s.sendmmsg(fd, n)
		for i := range sent {
			d.outFrames.Add(1)
			d.outOctets.Add(uint64(s.octets[i]))
			s.batch.Pop().Free()
		}
		p := s.batch.Front()
		for range n - sent {
			p.TrimFront(vnet.HeaderLen)
			p = p.Next()
		}
		switch err {
		case 0, unix.EINTR: // the reason why it did not send them all comes first next time
		case unix.EAGAIN:
			s.wait()
			return
		case unix.ENXIO, unix.ENODEV:
			s.err = err
			return
		default:
			// ENETDOWN: the interface is down. EMSGSIZE: the frame is over its MTU. EINVAL: it is none. ENOBUFS: its queue is full.
			d.outDrops.Add(1)
			s.batch.Pop().Free()
		}
	}
}

// gather puts the headers in front of the first frames of s.batch, and has s.frames be them. It returns how many.
func (s *sender) gather() (n int) {
	for p := s.batch.Front(); p != nil && n < sendBatch; p = p.Next() {
		s.octets[n] = p.Len()
		vnet.Put(p, link.Ethernet.HeaderLen())
		b := p.Bytes()
		s.parts[n].Base = &b[0]
		s.parts[n].SetLen(len(b))
		s.frames[n].header.Iov = &s.parts[n]
		s.frames[n].header.SetIovlen(1)
		n++
	}
	return n
}

// sendmmsg sends the first n of s.frames, and returns how many went; the error is that of the first one, if none did.
func (s *sender) sendmmsg(fd uintptr, n int) (int, unix.Errno) {
	sent, _, err := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.frames)), uintptr(n), 0, 0, 0)
	for i := range n {
		s.parts[i].Base = nil
	}
	if err != 0 {
		return 0, err
	}
	return int(sent), 0
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
		s.d.slot.Ready(s.queue)
	}
}

// writable reports whether the socket has room, or an error to tell of. The poller tells only of room that came since it was
// asked.
func writable(fd uintptr) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(p, 0)
	return n > 0 || err != nil && err != unix.EINTR
}
