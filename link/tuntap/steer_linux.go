package tuntap

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/onlink-go/onlink/internal/flow"
	"github.com/onlink-go/onlink/wire"
)

// steering says by which of several queues a frame goes. The kernel sends the frames of a flow by the queue that the flow's
// frames came to it by last (tun_flow_update); until some came, by one that a hash chooses. So frames that go by the queue that
// those of their flow came by leave the kernel no reason to move it, and neither direction is ever reordered.
type steering struct {
	queues uint32
	header int                          // octets of link header
	by     [steeringSlots]atomic.Uint32 // for flows by their hash: the queue, from 1; 0: none of their frames came yet
}

// steeringSlots is how many flows are told apart. Flows that share a slot may be moved, as the kernel's own may.
const steeringSlots = 4096

func newSteering(queues, header int) *steering {
	return &steering{queues: uint32(queues), header: header}
}

// came notes that a frame came by queue q.
func (s *steering) came(frame []byte, q int) {
	slot := &s.by[s.hash(frame)%steeringSlots]
	if n := uint32(q) + 1; slot.Load() != n { // rarely: or the queues' goroutines would take the line from each other
		slot.Store(n)
	}
}

// out returns the queue that a frame is to go by.
func (s *steering) out(frame []byte) uint32 {
	h := s.hash(frame)
	if n := s.by[h%steeringSlots].Load(); n != 0 {
		return n - 1
	}
	return uint32(uint64(h) * uint64(s.queues) >> 32)
}

// hash returns a number of the flow that the frame belongs to, the same in both directions; 0 if it is not of IP.
func (s *steering) hash(frame []byte) uint32 {
	b := frame[min(s.header, len(frame)):]
	if s.header > 0 {
		var ip bool
		if b, ip = untagged(frame, b); !ip {
			return 0
		}
	}
	var x uint64
	var ports []byte
	const fragment = 0x3fff // the offset, and whether more follow
	switch {
	case len(b) >= wire.IPv4MinLen && b[0]>>4 == 4:
		x = uint64(binary.BigEndian.Uint32(b[12:])^binary.BigEndian.Uint32(b[16:])) ^ uint64(b[9])<<32
		if n := int(b[0]&15) * 4; hasPorts(b[9]) && len(b) >= n+4 && binary.BigEndian.Uint16(b[6:])&fragment == 0 {
			ports = b[n:]
		}
	case len(b) >= wire.IPv6Len && b[0]>>4 == 6:
		for i := 8; i < wire.IPv6Len; i += 8 {
			x ^= binary.BigEndian.Uint64(b[i:])
		}
		x = flow.Mix(x) ^ uint64(b[6])
		if hasPorts(b[6]) && len(b) >= wire.IPv6Len+4 {
			ports = b[wire.IPv6Len:]
		}
	default:
		return 0
	}
	if ports != nil {
		x ^= uint64(binary.BigEndian.Uint16(ports)^binary.BigEndian.Uint16(ports[2:])) << 40
	}
	return uint32(flow.Mix(x) >> 32)
}

// hasPorts reports whether a header of the protocol begins with two ports.
func hasPorts(proto uint8) bool { return proto == wire.ProtoTCP || proto == wire.ProtoUDP }

// untagged returns what is behind the VLAN tag of an Ethernet frame, or b, which is behind its header, if it has none; and
// whether that is a packet of IP.
func untagged(frame, b []byte) (rest []byte, ip bool) {
	if len(frame) < wire.EthernetLen {
		return nil, false
	}
	kind := binary.BigEndian.Uint16(frame[wire.EthernetLen-2:])
	if kind == wire.EtherTypeVLAN && len(b) >= wire.VLANLen {
		kind, b = binary.BigEndian.Uint16(b[2:]), b[wire.VLANLen:]
	}
	return b, kind == wire.EtherTypeIPv4 || kind == wire.EtherTypeIPv6
}
