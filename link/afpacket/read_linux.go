package afpacket

import (
	"encoding/binary"
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/internal/vnet"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

const (
	maxBatch    = 64        // how many frames are read before they are delivered
	batchOctets = 128 << 10 // and how many octets: what was read is to be used while the cache has it

	// smallFrame is up to how many octets a frame is copied to a block of its size, so that the large one can be read into again.
	smallFrame = 4 << 10
)

// read delivers what comes until the device is closed or gone.
func (d *Device) read() {
	r := reader{d: d}
	r.init()
	fill := r.fill // made once
	var err error
	for err == nil {
		err = d.raw.Read(fill)
		if !r.batch.Empty() {
			d.slot.Deliver(0, &r.batch)
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
	d     *Device
	batch packet.Batch
	spare *packet.Buffer // to read into
	err   error

	msg unix.Msghdr
	iov unix.Iovec
	aux struct { // what comes beside a frame: one control message
		unix.Cmsghdr
		data unix.TpacketAuxdata
		_    [4]byte // padding
	}
}

// init makes what recvmsg is given.
func (r *reader) init() {
	r.msg.Iov = &r.iov
	r.msg.SetIovlen(1)
	r.msg.Control = (*byte)(unsafe.Pointer(&r.aux))
}

// fill reads what is there, at most a batch. It returns false if there is nothing: so the poller waits for more.
func (r *reader) fill(fd uintptr) bool {
	for octets := 0; r.batch.Len() < maxBatch && octets < batchOctets; {
		if r.spare == nil {
			r.spare = packet.New(vnet.LongestRead)
		}
		n, err := r.receive(fd)
		switch err {
		case 0:
			octets += n
			r.take(n)
		case unix.EINTR, unix.ENETDOWN: // the interface went down, as the kernel tells elsewhere
		case unix.EINVAL:
			r.d.inDrops.Add(1) // a super-packet of a protocol that the header has no word for
		case unix.EAGAIN:
			return !r.batch.Empty()
		default:
			r.err = err
			return true
		}
	}
	return true
}

// receive reads one frame into the spare packet and returns how many octets it has.
func (r *reader) receive(fd uintptr) (int, unix.Errno) {
	b := r.spare.Bytes()
	r.iov.Base = &b[0]
	r.iov.SetLen(len(b))
	r.msg.SetControllen(int(unsafe.Sizeof(r.aux)))
	// The package's own Recvmsg makes garbage of the sender's address.
	n, _, err := unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.msg)), 0)
	return int(n), err
}

// take puts the frame of n octets that was read into the batch.
func (r *reader) take(n int) {
	d, p := r.d, r.spare
	if r.msg.Flags&unix.MSG_TRUNC != 0 {
		d.inDrops.Add(1) // longer than IPv4 can say
		return
	}
	if n <= smallFrame {
		p = packet.From(p.Bytes()[:n])
	} else {
		r.spare = nil
		p.Truncate(n)
	}
	if !vnet.Take(p) || p.Len() < wire.EthernetLen || !vnet.Land(link.Ethernet, p) {
		d.inDrops.Add(1)
		p.Free()
		return
	}
	header := wire.EthernetLen + r.retag(p)
	if d.noOffload {
		r.split(p, header)
		return
	}
	r.push(p)
}

// split puts the segments of p into the batch, or p if it is one itself, with all checksums made.
func (r *reader) split(p *packet.Buffer, header int) {
	var parts packet.Batch
	offload.Split(p, header, &parts)
	for p := parts.Pop(); p != nil; p = parts.Pop() {
		r.push(p)
	}
}

func (r *reader) push(p *packet.Buffer) {
	r.d.inFrames.Add(1)
	r.d.inOctets.Add(uint64(p.Len()))
	r.batch.Push(p)
}

// retag puts the VLAN tag back into p that the kernel took off, if it did, and returns how many octets that are.
func (r *reader) retag(p *packet.Buffer) int {
	a := &r.aux
	if r.msg.Controllen == 0 || a.Level != unix.SOL_PACKET || a.Type != unix.PACKET_AUXDATA ||
		a.data.Status&unix.TP_STATUS_VLAN_VALID == 0 {
		return 0
	}
	tpid := uint16(wire.EtherTypeVLAN)
	if a.data.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = a.data.Vlan_tpid
	}
	p.Prepend(wire.VLANLen)
	b := p.Bytes()
	const addresses = 12 // the octets of both
	copy(b, b[wire.VLANLen:wire.VLANLen+addresses])
	binary.BigEndian.PutUint16(b[addresses:], tpid)
	binary.BigEndian.PutUint16(b[addresses+2:], a.data.Vlan_tci)
	return wire.VLANLen
}
