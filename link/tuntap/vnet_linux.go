package tuntap

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// The header in front of each frame with IFF_VNET_HDR (virtio 1.2, 5.1.6; linux/virtio_net.h), in the machine's byte order:
//
//	octet 0  flags: the checksum is to be made, or is known to be good
//	      1  what segments the frame is to be cut into
//	      2  octets of headers
//	      4  octets of data in each segment
//	      6  where the checksum begins; the field holds the sum of the pseudo header
//	      8  where it goes, from there
const vnetLen = 10

const (
	vnetNeedsSum = 1 // VIRTIO_NET_HDR_F_NEEDS_CSUM
	vnetGoodSum  = 2 // VIRTIO_NET_HDR_F_DATA_VALID

	vnetTCP4 = 1    // VIRTIO_NET_HDR_GSO_TCPV4
	vnetTCP6 = 4    // VIRTIO_NET_HDR_GSO_TCPV6
	vnetECN  = 0x80 // VIRTIO_NET_HDR_GSO_ECN: CWR is in the first segment alone
)

// offloads is what a device with these headers takes.
const offloads = link.Checksums | link.TCP4 | link.TCP6

// accept has the kernel send us super-packets of TCP, and frames whose checksum is yet to be made.
func accept(fd int) error {
	return unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, unix.TUN_F_CSUM|unix.TUN_F_TSO4|unix.TUN_F_TSO6|unix.TUN_F_TSO_ECN)
}

// putVnet puts the header in front of p, whose frame has header octets of link header.
func putVnet(p *packet.Buffer, header int) {
	var flags, gso uint8
	var w offload.Work
	if p.GSOSize != 0 || p.Flags&packet.ChecksumLater != 0 {
		var ok bool
		if w, ok = offload.Leave(p, header); ok {
			flags = vnetNeedsSum
		}
		if ok && p.GSOSize != 0 {
			gso = vnetTCP6
			if w.Four {
				gso = vnetTCP4
			}
			if w.CWR {
				gso |= vnetECN
			}
		}
	}
	size := p.GSOSize
	b := p.Prepend(vnetLen)
	ne := binary.NativeEndian
	b[0], b[1] = flags, gso
	ne.PutUint16(b[2:], uint16(w.Data))
	ne.PutUint16(b[4:], size)
	ne.PutUint16(b[6:], uint16(w.SumFrom))
	ne.PutUint16(b[8:], uint16(w.SumAt))
}

// takeVnet takes the header off p and notes what it says. It returns false if it says what was not asked for.
func takeVnet(p *packet.Buffer) bool {
	if p.Len() < vnetLen {
		return false
	}
	b := p.TrimFront(vnetLen)
	if b[0]&vnetNeedsSum != 0 {
		p.Flags |= packet.ChecksumLater | packet.ChecksumGood
	} else if b[0]&vnetGoodSum != 0 {
		p.Flags |= packet.ChecksumGood
	}
	switch b[1] &^ vnetECN {
	case 0:
	case vnetTCP4, vnetTCP6:
		p.GSOSize = binary.NativeEndian.Uint16(b[4:])
		return p.GSOSize != 0
	default:
		return false
	}
	return true
}

// longestRead is the most octets that one read can bring: a super-packet, its link header and what goes before that.
const longestRead = vnetLen + wire.EthernetLen + vlanTag + offload.MaxLen

const vlanTag = 4
