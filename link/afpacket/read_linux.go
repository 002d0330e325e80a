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

// read delivers what comes until the device is closed or gone.
func (d *Device) read() {
	r := reader{d: d}
	r.init()
	if err := vnet.Read(d.raw, &r); !errors.Is(err, os.ErrClosed) {
		d.die(err)
	}
}

// reader reads the frames of a device.
type reader struct {
	d *Device

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

// Begin implements vnet.Source.
func (r *reader) Begin() int { return vnet.LongestRead }

// Read implements vnet.Source.
func (r *reader) Read(fd uintptr, b []byte) (int, error) {
	r.iov.Base = &b[0]
	r.iov.SetLen(len(b))
	r.msg.SetControllen(int(unsafe.Sizeof(r.aux)))
	// The package's own Recvmsg makes garbage of the sender's address.
	n, _, err := unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.msg)), 0)
	switch err {
	case 0:
		return int(n), nil
	case unix.EINVAL:
		r.d.inDrops.Add(1) // a super-packet of a protocol that the header has no word for
		return 0, unix.EINTR
	case unix.ENETDOWN: // the interface went down, as the kernel tells elsewhere
		return 0, unix.EINTR
	}
	return 0, err
}

// Take implements vnet.Source.
func (r *reader) Take(p *packet.Buffer, _ bool, b *packet.Batch) bool {
	d := r.d
	cut := r.msg.Flags&unix.MSG_TRUNC != 0 // longer than IPv4 can say
	if cut || !vnet.Take(p) || p.Len() < wire.EthernetLen || !vnet.Land(link.Ethernet, p) {
		d.inDrops.Add(1)
		p.Free()
		return true
	}
	header := wire.EthernetLen + r.retag(p)
	if d.noOffload {
		r.split(p, header, b)
	} else {
		r.push(p, b)
	}
	return true
}

// Deliver implements vnet.Source.
func (r *reader) Deliver(b *packet.Batch) {
	if !b.Empty() {
		r.d.slot.Deliver(0, b)
	}
}

// split puts the segments of p into b, or p if it is one itself, with all checksums made.
func (r *reader) split(p *packet.Buffer, header int, b *packet.Batch) {
	var parts packet.Batch
	offload.Split(p, header, &parts)
	for p := parts.Pop(); p != nil; p = parts.Pop() {
		r.push(p, b)
	}
}

func (r *reader) push(p *packet.Buffer, b *packet.Batch) {
	r.d.inFrames.Add(1)
	r.d.inOctets.Add(uint64(p.Len()))
	b.Push(p)
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
