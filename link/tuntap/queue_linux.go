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
	file  *os.File
	done  chan struct{} // closed when nothing is read any more
}

// newQueue returns the queue that fd is. The descriptor is non-blocking and its device attached already: so the runtime's
// poller takes it.
func newQueue(d *Device, index, fd int, path string) *queue {
	return &queue{d: d, index: index, file: os.NewFile(uintptr(fd), path), done: make(chan struct{})}
}

// read delivers what comes until the queue is closed or the device gone.
func (q *queue) read() {
	defer close(q.done)
	d := q.d
	raw, err := q.file.SyscallConn()
	if err != nil {
		return // closed already
	}
	r := reader{d: d, steer: d.steer, queue: q.index}
	fill := r.fill // made once
	for err == nil {
		err = raw.Read(fill)
		if !r.batch.Empty() {
			d.slot.Deliver(q.index, &r.batch)
		}
		if r.truncated {
			r.truncated = false
			d.refresh()
		}
		if err == nil {
			err = r.err
		}
	}
	if r.spare != nil {
		r.spare.Free()
	}
	if !errors.Is(err, os.ErrClosed) {
		d.die(err)
	}
}

// reader reads frames into a batch.
type reader struct {
	d         *Device
	steer     *steering // that is told of frames; nil: nobody
	queue     int
	batch     packet.Batch
	spare     *packet.Buffer // to read into
	truncated bool           // a frame was longer than the MTU promised
	err       error
}

// maxBatch is how many frames are read before they are delivered.
const maxBatch = 64

// batchOctets is after how many octets a batch is delivered: what was read is to be used while the cache has it.
const batchOctets = 128 << 10

// smallFrame is up to how many octets a frame is copied to a block of its size, so that the large one can be read into again.
const smallFrame = 4 << 10

// fill reads what is there, at most a batch. It returns false if there is nothing: so the poller waits for more.
func (r *reader) fill(fd uintptr) bool {
	info := r.d.Info()
	octets := 0
	for r.batch.Len() < maxBatch && octets < batchOctets && !r.truncated {
		if r.spare == nil {
			r.spare = packet.New(r.longest(&info))
		}
		n, err := unix.Read(int(fd), r.spare.Bytes())
		switch err {
		case nil:
			octets += n
			r.take(n, &info)
		case unix.EINTR:
		case unix.EAGAIN:
			return !r.batch.Empty() || r.truncated
		default:
			r.err = err
			return true
		}
	}
	return true
}

// longest returns how many octets to read at once: one more than the longest frame has, to notice a longer one.
func (r *reader) longest(info *link.Info) int {
	if r.d.vnet {
		return vnet.LongestRead
	}
	return min(info.MaxFrame()+1, packet.MaxLen)
}

// take puts the frame of n octets that was read into the batch.
func (r *reader) take(n int, info *link.Info) {
	d, p := r.d, r.spare
	if r.d.vnet && n <= smallFrame {
		p = packet.From(r.spare.Bytes()[:n])
	} else {
		r.truncated = n == p.Len()
		r.spare = nil
		p.Truncate(n)
	}
	ok := !r.truncated && n > 0
	if ok && d.vnet {
		ok = vnet.Take(p)
		n = p.Len()
		r.truncated = p.GSOSize == 0 && n > info.MaxFrame()
	}
	if !ok || r.truncated || !vnet.Land(info.Medium, p) {
		d.inDrops.Add(1)
		p.Free()
		return
	}
	if r.steer != nil {
		r.steer.came(p.Bytes(), r.queue)
	}
	d.inFrames.Add(1)
	d.inOctets.Add(uint64(n))
	r.batch.Push(p)
}
