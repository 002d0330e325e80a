package vnet

import (
	"syscall"

	"github.com/onlink-go/onlink/packet"
)

// Source is a descriptor that frames come from, and what becomes of them.
type Source interface {
	// Begin is called before frames are read that are to be delivered together. It returns how many octets are to be read of each
	// at most.
	Begin() int

	// Read reads a frame into b and returns how many octets it has. After EINTR it is called again, after EAGAIN when there is
	// something to read; other errors are the last.
	Read(fd uintptr, b []byte) (int, error)

	// Take puts the frame p into b, or frees it; full says that it took all the room it had. It returns whether more may be read
	// before b is delivered.
	Take(p *packet.Buffer, full bool, b *packet.Batch) bool

	// Deliver delivers b, which may be empty, and leaves it empty.
	Deliver(b *packet.Batch)
}

const (
	maxBatch    = 64        // how many frames are read before they are delivered
	batchOctets = 128 << 10 // and after how many octets: what was read is to be used while the cache has it

	// smallFrame is up to how many octets a frame is copied out of a larger block, so that the large one can be read into again.
	smallFrame = 4 << 10
)

// Read delivers what comes until raw is closed or s fails, and returns that error.
func Read(raw syscall.RawConn, s Source) error {
	r := reader{source: s}
	fill := r.fill // made once
	var err error
	for err == nil {
		err = raw.Read(fill)
		s.Deliver(&r.batch)
		if err == nil {
			err = r.err
		}
	}
	if r.spare != nil {
		r.spare.Free()
	}
	return err
}

// reader reads frames into a batch.
type reader struct {
	source Source
	batch  packet.Batch
	spare  *packet.Buffer // to read into
	err    error
}

// fill reads what is there, at most a batch. It returns false if there is nothing: so the poller waits for more.
func (r *reader) fill(fd uintptr) bool {
	room := r.source.Begin()
	for octets := 0; r.batch.Len() < maxBatch && octets < batchOctets; {
		if r.spare == nil {
			r.spare = packet.New(room)
		}
		full := r.spare.Len()
		n, err := r.source.Read(fd, r.spare.Bytes())
		switch err {
		case nil:
			octets += n
			if !r.source.Take(r.claim(n), n == full, &r.batch) {
				return true
			}
		case syscall.EINTR:
		case syscall.EAGAIN:
			return !r.batch.Empty()
		default:
			r.err = err
			return true
		}
	}
	return true
}

// claim returns the frame of n octets that was read.
func (r *reader) claim(n int) *packet.Buffer {
	p := r.spare
	if n <= smallFrame && p.Len() > smallFrame {
		return packet.From(p.Bytes()[:n])
	}
	r.spare = nil
	p.Truncate(n)
	return p
}
