package socket

import (
	"encoding/binary"
	"syscall"

	"github.com/onlink-go/onlink/internal/dgram"
	"github.com/onlink-go/onlink/internal/ip"
	"github.com/onlink-go/onlink/wire"
)

// The control messages of datagrams: what they say of one that came, and of one that is to go.

// flowLabelMask is the flow label in an IPV6_FLOWINFO, above which are eight bits of traffic class.
const flowLabelMask = 1<<20 - 1

// PutControl writes into b, as Recvmsg does with all options set, what there is to say of d: packet info, hop limit, traffic class,
// flow label, and of what size the datagrams are if there are several. It returns how many octets it wrote, and MSG_CTRUNC if there was not room for all.
func PutControl(b []byte, d *dgram.Datagram) (n, flags int) {
	w := controlWriter{room: b}
	if d.To.Addr.Is4() {
		w.putPktinfo4(d)
		w.putInt(IPPROTO_IP, IP_TTL, int(d.HopLimit))
		w.put(IPPROTO_IP, IP_TOS, []byte{d.TrafficClass})
	} else {
		w.putPktinfo6(d)
		w.putInt(IPPROTO_IPV6, IPV6_HOPLIMIT, int(d.HopLimit))
		w.putInt(IPPROTO_IPV6, IPV6_TCLASS, int(d.TrafficClass))
		w.putFlowinfo(d)
	}
	w.putSegment(d)
	return w.n, w.flags
}

// ParseControl has o say what control messages of Sendmsg to dst say. Errors: EINVAL.
func ParseControl(b []byte, dst wire.Addr, o *dgram.SendOptions) error {
	return eachControl(b, func(level, typ int, data []byte) error {
		switch {
		case level == IPPROTO_IP && dst.Is4():
			return control4(o, typ, data)
		case level == IPPROTO_IPV6 && !dst.Is4():
			return control6(o, typ, data)
		case level == SOL_UDP:
			return controlUDP(o, typ, data)
		}
		return socketControl(level, typ)
	})
}

func (w *controlWriter) putPktinfo4(d *dgram.Datagram) {
	var b [sizeofPktinfo4]byte
	local := d.To.Addr
	if local.IsMulticast() || local == wire.Broadcast4 {
		local = wire.Unspecified4
	}
	putPktinfo4(b[:], d.Interface, local, d.To.Addr)
	w.put(IPPROTO_IP, IP_PKTINFO, b[:])
}

func (w *controlWriter) putPktinfo6(d *dgram.Datagram) {
	var b [sizeofPktinfo6]byte
	putPktinfo6(b[:], d.Interface, d.To.Addr)
	w.put(IPPROTO_IPV6, IPV6_PKTINFO, b[:])
}

// putFlowinfo writes the second to 32nd bit of the IPv6 header, if they are not zero.
func (w *controlWriter) putFlowinfo(d *dgram.Datagram) {
	var b [sizeofInt]byte
	info := uint32(d.TrafficClass)<<20 | d.FlowLabel
	if info == 0 {
		return
	}
	binary.BigEndian.PutUint32(b[:], info)
	w.put(IPPROTO_IPV6, IPV6_FLOWINFO, b[:])
}

// sticky has o say what IPV6_PKTINFO says of all datagrams to single hosts. mu locked.
func (s *datagram) sticky(dst wire.Addr, o *dgram.SendOptions) {
	if s.opt.sticky == (pktinfo6{}) || dst.IsMulticast() {
		return
	}
	o.Source, o.Interface = s.opt.sticky.addr, s.opt.sticky.index
}

// pktinfo6 is a struct in6_pktinfo.
type pktinfo6 struct {
	addr  wire.Addr
	index int32
}

// set takes the option IPV6_PKTINFO. Errors: EINVAL.
func (p *pktinfo6) set(b []byte) error {
	if len(b) < sizeofPktinfo6 {
		return syscall.EINVAL
	}
	p.addr, p.index = wire.AddrFrom16(b), int32At(b[16:])
	return nil
}

func control4(o *dgram.SendOptions, typ int, data []byte) error {
	switch typ {
	case IP_TTL:
		if len(data) != sizeofInt || int32At(data) < 1 || int32At(data) > 255 {
			return syscall.EINVAL
		}
		o.HopLimit = uint8(int32At(data))
	case IP_TOS:
		v := byteValue(data)
		if len(data) != sizeofInt && len(data) != 1 || v < 0 || v > 255 {
			return syscall.EINVAL
		}
		o.TrafficClass = uint8(v)
	case IP_PKTINFO:
		if len(data) != sizeofPktinfo4 {
			return syscall.EINVAL
		}
		o.Interface, o.Source = int32At(data), wire.AddrFrom4(data[4:])
	default:
		return syscall.EINVAL
	}
	return nil
}

func control6(o *dgram.SendOptions, typ int, data []byte) error {
	switch typ {
	case IPV6_HOPLIMIT:
		if len(data) != sizeofInt || int32At(data) < -1 || int32At(data) > 255 {
			return syscall.EINVAL
		}
		o.HopLimit = uint8(max(int32At(data), 0))
	case IPV6_TCLASS:
		if len(data) != sizeofInt || int32At(data) < -1 || int32At(data) > 255 {
			return syscall.EINVAL
		}
		o.TrafficClass = uint8(max(int32At(data), 0))
	case IPV6_PKTINFO:
		if len(data) < sizeofPktinfo6 {
			return syscall.EINVAL
		}
		o.Source, o.Interface = wire.AddrFrom16(data), int32At(data[16:])
	case IPV6_FLOWINFO:
		if len(data) < sizeofInt {
			return syscall.EINVAL
		}
		// The traffic class above it counts for nothing, as with Linux: that is IPV6_TCLASS's.
		if label := binary.BigEndian.Uint32(data) & flowLabelMask; label != 0 {
			o.FlowLabel = ip.FlowLabel(label)
		}
	default:
		return syscall.EINVAL
	}
	return nil
}
