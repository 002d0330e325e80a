package ip

import (
	"syscall"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
)

// OutputIncluded is Output for a packet of a raw socket that begins with the internet header its user made. Of IPv4 the
// total length and the checksum are set, and the identification and the source if they are zero, as Linux does; of IPv6
// nothing. The packet goes along path, whatever destination it names. Errors: EINVAL for one that is no internet header, or
// not of path's family.
func (l *Layer) OutputIncluded(path *Path, pr *Params, p *packet.Buffer) error {
	b := p.Bytes()
	if path.Dst.Is4() {
		if !l.completeHeader4(path, b) {
			return syscall.EINVAL
		}
		h := wire.IPv4(b)
		p.Src, p.Dst, p.Proto = h.Src(), h.Dst(), h.Protocol()
		p.HopLimit, p.TrafficClass = h.TTL(), h.TrafficClass()
		p.EtherType = wire.EtherTypeIPv4
	} else {
		if len(b) < wire.IPv6Len || b[0]>>4 != 6 {
			return syscall.EINVAL
		}
		h := wire.IPv6(b)
		p.Src, p.Dst, p.Proto = h.Src(), h.Dst(), h.NextHeader()
		p.HopLimit, p.TrafficClass = h.HopLimit(), h.TrafficClass()
		p.EtherType = wire.EtherTypeIPv6
	}
	// It fits into what the link takes, and is not cut to what the path behind it does.
	p.Flags |= packet.DontFragment | packet.Foreign
	p.SetNetwork()
	p.In, p.Mark = 0, path.Flow.Mark
	path.direct(p, pr)
	p.PathMTU = uint16(min(path.LinkMTU(), maxPathMTU))
	return nil
}

// completeHeader4 fills in what the user left to us of the header of the IPv4 datagram b. It returns false if it has none.
func (l *Layer) completeHeader4(path *Path, b []byte) bool {
	if len(b) < wire.IPv4MinLen || len(b) > 65535 || b[0]>>4 != 4 {
		return false
	}
	h := wire.IPv4(b)
	if n := h.HeaderLen(); n < wire.IPv4MinLen || n > len(b) {
		return false
	}
	id, src := h.ID(), h.Src()
	if src.IsUnspecified() {
		src = path.Src
	}
	if id == 0 {
		id = uint16(l.ids.next(src, h.Dst(), h.Protocol()))
	}
	h.Complete(len(b), id, src)
	return true
}
