package pcapfilter

import (
	"fmt"

	"github.com/onlink-go/onlink/link"
)

// The EtherTypes of protocols that the language has words for.
const (
	typeIPv4  = 0x0800
	typeARP   = 0x0806
	typeRARP  = 0x8035
	typeIPv6  = 0x86dd
	typeVLAN  = 0x8100 // IEEE 802.1Q
	typeQinQ  = 0x88a8 // IEEE 802.1ad
	typeQinQ9 = 0x9100 // the same before it was standardized

	maxLength = 1500 // EtherTypes up to it are the length of an IEEE 802.3 frame, with an LLC header behind
)

// frame knows where the headers are in frames of a medium.
type frame struct {
	ethernet  bool
	etherType uint32 // offset of the EtherType
	network   uint32 // offset of what it stands for
}

func newFrame(medium link.Medium) frame {
	if medium == link.Ethernet {
		return frame{true, 12, 14}
	}
	return frame{}
}

// at returns the place off octets into the frame, net into the network header, and behind4 behind an IPv4 header.
func (f *frame) at(off uint32, size int) place { return place{off: off, size: size} }

func (f *frame) net(off uint32, size int) place { return place{off: f.network + off, size: size} }

func (f *frame) behind4(off uint32, size int) place {
	return place{from: behindIPv4, off: off, size: size, base: f.network}
}

// name distinguishes cases behind a VLAN tag from those without.
func (f *frame) name(of string) string { return fmt.Sprint(of, "@", f.etherType) }

// carries is the test that the frame carries the protocol of the given EtherType, or, up to 1500, LLC service access point.
func (f *frame) carries(etherType uint32) node {
	if !f.ethernet {
		switch etherType {
		case typeIPv4:
			return masked(f.net(0, 1), 0x40, 0xf0)
		case typeIPv6:
			return masked(f.net(0, 1), 0x60, 0xf0)
		}
		return always(false)
	}
	if etherType > maxLength {
		return is(f.at(f.etherType, 2), etherType)
	}
	llc := is(f.net(0, 1), etherType)
	switch etherType {
	case 0x06, 0xf0, 0xfe: // IP, NetBEUI and ISO's are the same on both sides
		llc = is(f.net(0, 2), etherType<<8|etherType)
	}
	return all(not{&test{f.at(f.etherType, 2), ^uint32(0), greater, maxLength}}, llc)
}

// ip4 and ip6 are the tests that the frame carries IP with the given protocol inside. An IPv6 packet's may stand behind a
// Fragment header.
func (f *frame) ip4(proto uint32) node { return all(f.carries(typeIPv4), is(f.net(9, 1), proto)) }

func (f *frame) ip6(proto uint32) node {
	const fragment = 44
	next := f.net(6, 1)
	return all(f.carries(typeIPv6), either(is(next, proto), all(is(next, fragment), is(f.net(40, 1), proto))))
}

// first is the test that an IPv4 packet is whole or the first fragment.
func (f *frame) first() node { return masked(f.net(6, 2), 0, 0x1fff) }

// tagged is the test that a VLAN tag follows.
func (f *frame) tagged() node {
	at := f.at(f.etherType, 2)
	return either(is(at, typeVLAN), is(at, typeQinQ), is(at, typeQinQ9))
}

// untag makes the headers those behind the tag.
func (f *frame) untag() { f.etherType, f.network = f.etherType+4, f.network+4 }
