package tuntap

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/vnet"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
)

// queue is a descriptor of a device: frames come and go by it in their order.
type queue struct {
	d     *Device
	index int
	fd    int
	file  *os.File      // fd for reading
	done  chan struct{} // closed when nothing is read any more
}

// newQueue returns the queue that fd is. The descriptor is non-blocking and its device attached already: so the runtime's
// poller takes it.
func newQueue(d *Device, index, fd int, path string) *queue {
	return &queue{d: d, index: index, fd: fd, file: os.NewFile(uintptr(fd), path), done: make(chan struct{})}
}

// write writes a frame. The device's mu is held for reading.
func (q *queue) write(frame []byte) error {
	for {
		if _, err := unix.Write(q.fd, frame); err != unix.EINTR {
			return err
		}
	}
}

// read delivers what comes until the queue is closed or the device gone.
func (q *queue) read() {
	defer close(q.done)
	d := q.d
	raw, err := q.file.SyscallConn()
	if err != nil {
		return // closed already
	}
	err = vnet.Read(raw, &reader{d: d, queue: q.index})
	if !errors.Is(err, os.ErrClosed) {
		d.die(err)
	}
}

// reader reads the frames of a queue.
type reader struct {
	d         *Device
	queue     int
	info      link.Info // when the batch was begun
	truncated bool      // a frame was longer than the MTU promised
}

// Begin implements vnet.Source. Without a header in front of frames it asks for one octet more than the longest frame has, to notice
// a longer one.
func (r *reader) Begin() int {
	r.info = r.d.Info()
	if r.d.vnet {
		return vnet.LongestRead
	}
	return min(r.info.MaxFrame()+1, packet.MaxLen)
}

// Read implements vnet.Source.
func (r *reader) Read(fd uintptr, b []byte) (int, error) { return unix.Read(int(fd), b) }

// Take implements vnet.Source.
func (r *reader) Take(p *packet.Buffer, full bool, b *packet.Batch) bool {
	d := r.d
	r.truncated = full
	ok := p.Len() > 0
	if ok && !full && d.vnet {
		ok = vnet.Take(p)
		r.truncated = p.GSOSize == 0 && p.Len() > r.info.MaxFrame()
	}
	if !ok || r.truncated || !vnet.Land(r.info.Medium, p) {
		d.inDrops.Add(1)
		p.Free()
		return !r.truncated
	}
	if d.steer != nil {
		d.steer.came(p.Bytes(), r.queue)
	}
	d.inFrames.Add(1)
	d.inOctets.Add(uint64(p.Len()))
	b.Push(p)
	return true
}

// Deliver implements vnet.Source.
func (r *reader) Deliver(b *packet.Batch) {
	if !b.Empty() {
		r.d.slot.Deliver(r.queue, b)
	}
	if r.truncated {
		r.truncated = false
		r.d.refresh()
	}
}
