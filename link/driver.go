package link

import (
	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// DefaultMTU is the MTU of a link that was not told one: that of Ethernet (RFC 894).
const DefaultMTU = 1500

// HeaderLen returns the length of the link header on medium m, in octets, without VLAN tags.
func (m Medium) HeaderLen() int {
	if m == IP {
		return 0
	}
	return wire.EthernetLen
}

// MaxFrame returns the length of the largest frame that a link with this MTU carries, in octets. On Ethernet a
// VLAN tag has its place.
func (i Info) MaxFrame() int {
	if i.Medium == IP {
		return i.MTU
	}
	return i.MTU + wire.EthernetLen + wire.VLANLen
}

// Land prepares a frame that came in on medium m for Deliver: what the sender noted about the packet stays with the sender,
// but for what it left to the link, a checksum or the cutting into segments; that was not done, and so need not be verified.
// Without an Ethernet header to say it, EtherType is told from the version in the packet's first four bits (RFC 791, 3.1;
// RFC 8200, 3). It reports whether the frame can be delivered: on a medium of IP, an empty frame or one of another version
// cannot.
func (m Medium) Land(p *packet.Buffer) bool {
	meta := packet.Meta{GSOSize: p.GSOSize, Flags: p.Flags & (packet.ChecksumLater | packet.KeepCWR)}
	if meta.GSOSize != 0 {
		meta.Flags |= packet.ChecksumLater
	}
	if meta.Flags&packet.ChecksumLater != 0 {
		meta.Flags |= packet.ChecksumGood
	}
	p.Meta = meta
	if m == Ethernet {
		return true
	}
	b := p.Bytes()
	if len(b) == 0 {
		return false
	}
	switch b[0] >> 4 {
	case 4:
		p.EtherType = wire.EtherTypeIPv4
	case 6:
		p.EtherType = wire.EtherTypeIPv6
	default:
		return false
	}
	return true
}

// RandomMAC returns an Ethernet address for a link that has none: a unicast one from the locally administered
// space (IEEE 802, 8.2), chosen by rt.
func RandomMAC(rt clock.Runtime) wire.MAC {
	var m wire.MAC
	rt.Entropy(m[:])
	m[0] = m[0]&^1 | 2
	return m
}

// Stats counts the frames of a driver. "In" is what came from the network.
type Stats struct {
	InFrames, InOctets   uint64 // delivered
	InDrops              uint64 // came, but could not be delivered
	OutFrames, OutOctets uint64 // sent
	OutDrops             uint64 // taken over by Send, but not sent
}
