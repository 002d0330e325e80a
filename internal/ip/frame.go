package ip

import "github.com/onlink-go/onlink/wire"

// Frame is the headers of what Output makes of a packet. Nothing is sent to find out.
type Frame struct {
	Ethernet         bool // the link has addresses
	LinkSrc, LinkDst wire.MAC
	EtherType        uint16
	Src, Dst         wire.Addr
	Proto            uint8
	HopLimit         uint8
	TrafficClass     uint8
	FlowLabel        uint32
	DontFragment     bool
	Parts            int // packets that it is cut into; 1: it is whole
}

// FrameOf returns the headers of a packet along path with pr, whose transport header and payload are n octets. linkDst is
// the next hop's link-layer address, as far as it is known.
func (l *Layer) FrameOf(path *Path, pr *Params, n int, linkDst wire.MAC) Frame {
	f := Frame{Ethernet: !path.Local && path.known != nil, Src: path.Src, Dst: path.Dst, Proto: pr.Proto, HopLimit: l.hopOf(path, pr),
		TrafficClass: pr.TrafficClass, EtherType: wire.EtherTypeIPv6, Parts: 1}
	if f.Ethernet {
		f.LinkSrc, f.LinkDst = path.If.LinkAddr, linkDst
	}
	mtu, header := path.MTU, wire.IPv6Len
	if pr.MTU != 0 {
		mtu = int(pr.MTU)
	}
	if path.Dst.Is4() {
		f.EtherType, header = wire.EtherTypeIPv4, wire.IPv4MinLen
		f.DontFragment = pr.DontFragment && !path.fragment
	} else {
		f.FlowLabel = pr.FlowLabel
	}
	if !path.Local && header+n > mtu {
		f.Parts = parts(path.Dst.Is4(), n, mtu)
	}
	return f
}

// parts returns how many fragments of at most mtu octets n octets behind an internet header make: as fragment4 and fragment6
// cut them.
func parts(four bool, n, mtu int) int {
	room := (mtu - wire.IPv6Len - wire.FragmentLen) &^ 7
	last := room
	if four {
		last = mtu - wire.IPv4MinLen
		room = last &^ 7
	}
	all := 1
	for ; n > last && room > 0; n -= room {
		all++
	}
	return all
}
