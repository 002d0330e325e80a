// Package vnet reads and writes the header that the Linux kernel has in front of frames on devices and sockets that pass on
// super-packets and unfinished checksums: TAP and TUN devices with IFF_VNET_HDR, packet sockets with PACKET_VNET_HDR. And it reads
// such devices and sockets, batch by batch.
package vnet

import (
	"encoding/binary"

	"github.com/onlink-go/onlink/internal/offload"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// HeaderLen is how many octets the header has (virtio 1.2, 5.1.6; linux/virtio_net.h), in the machine's byte order:
//
//	octet 0  flags: the checksum is to be made, or is known to be good
//	      1  what segments the frame is to be cut into
//	      2  octets of headers
//	      4  octets of data in each segment
//	      6  where the checksum begins; the field holds the sum of the pseudo header
//	      8  where it goes, from there
const HeaderLen = 10

const (
	needsSum = 1 // VIRTIO_NET_HDR_F_NEEDS_CSUM
	goodSum  = 2 // VIRTIO_NET_HDR_F_DATA_VALID

	gsoTCP4 = 1    // VIRTIO_NET_HDR_GSO_TCPV4
	gsoTCP6 = 4    // VIRTIO_NET_HDR_GSO_TCPV6
	gsoUDP  = 5    // VIRTIO_NET_HDR_GSO_UDP_L4
	gsoECN  = 0x80 // VIRTIO_NET_HDR_GSO_ECN: CWR is in the first segment alone
)

// Offloads is what the kernel takes with these headers, and WithUDP what it takes since Linux 6.2.
const (
	Offloads = link.Checksums | link.TCP4 | link.TCP6
	WithUDP  = Offloads | link.UDP
)

// Put puts the header in front of p, whose frame has header octets of link header.
func Put(p *packet.Buffer, header int) {
	var flags, gso uint8
	var w offload.Work
	if p.GSOSize != 0 || p.Flags&packet.ChecksumLater != 0 {
		var ok bool
		if w, ok = offload.Leave(p, header); ok {
			flags = needsSum
		}
		if ok && p.GSOSize != 0 {
			gso = segments(&w)
		}
	}
	size := p.GSOSize
	b := p.Prepend(HeaderLen)
	ne := binary.NativeEndian
	b[0], b[1] = flags, gso
	ne.PutUint16(b[2:], uint16(w.Data))
	ne.PutUint16(b[4:], size)
	ne.PutUint16(b[6:], uint16(w.SumFrom))
	ne.PutUint16(b[8:], uint16(w.SumAt))
}

// segments returns what says into what a super-packet is to be cut.
func segments(w *offload.Work) uint8 {
	switch {
	case !w.TCP:
		return gsoUDP
	case w.Four && w.CWR:
		return gsoTCP4 | gsoECN
	case w.Four:
		return gsoTCP4
	case w.CWR:
		return gsoTCP6 | gsoECN
	}
	return gsoTCP6
}

// Take takes the header off p, and notes in p what it says. It returns false if there is no whole one, or it says what
// nobody here knows.
func Take(p *packet.Buffer) bool {
	if p.Len() < HeaderLen {
		return false
	}
	b := p.TrimFront(HeaderLen)
	if b[0]&needsSum != 0 {
		p.Flags |= packet.ChecksumLater | packet.ChecksumGood
	} else if b[0]&goodSum != 0 {
		p.Flags |= packet.ChecksumGood
	}
	switch b[1] &^ gsoECN {
	case 0:
		return true
	case gsoTCP4, gsoTCP6, gsoUDP:
		p.GSOSize = binary.NativeEndian.Uint16(b[4:])
		return p.GSOSize != 0
	}
	return false
}

// Land is [link.Medium.Land] of a frame that came with a header, which Take took off: it keeps what that said of the checksum.
func Land(m link.Medium, p *packet.Buffer) bool {
	good := p.Flags & packet.ChecksumGood
	ok := m.Land(p)
	p.Flags |= good
	return ok
}

// LongestRead is the most octets that one read can bring: a super-packet, its link header and what goes before that.
const LongestRead = HeaderLen + wire.EthernetLen + wire.VLANLen + offload.MaxLen
