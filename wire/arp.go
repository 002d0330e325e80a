package wire

import "encoding/binary"

// An ARP packet for IPv4 over Ethernet (RFC 826, "Packet format"):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|          ar$hrd = 1           |        ar$pro = 0800          |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  ar$hln = 6   |  ar$pln = 4   |            ar$op              |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                          ar$sha                               |
//	+                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                               |            ar$spa             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                               |                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+           ar$tha              +
//	|                                                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                          ar$tpa                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
const (
	arpOp  = 6
	arpSHA = 8
	arpSPA = 14
	arpTHA = 18
	arpTPA = 24

	// arpEthernetIPv4 is the first eight octets but ar$op: hardware space, protocol space and the two lengths.
	arpEthernetIPv4 = 1<<32 | EtherTypeIPv4<<16 | 6<<8 | 4
	// arp802IPv4 is the same of IEEE 802 networks (RFC 1042): the same addresses, and some bridges let them through.
	arp802IPv4 = 6<<32 | EtherTypeIPv4<<16 | 6<<8 | 4
)

// ARPLen is the length of an ARP packet for IPv4 over Ethernet.
const ARPLen = 28

// The values of ar$op.
const (
	ARPRequest = 1
	ARPReply   = 2
)

// ARP is an ARP packet for IPv4 over Ethernet.
type ARP struct {
	Op        uint16 // ar$op: ARPRequest, ARPReply
	SenderMAC MAC    // ar$sha
	SenderIP  Addr   // ar$spa; 0.0.0.0 in a probe (RFC 5227, 1.1)
	TargetMAC MAC    // ar$tha
	TargetIP  Addr   // ar$tpa
}

// ParseARP reads the packet at the beginning of b, which may have padding behind it. It returns ErrShort, or
// ErrHardware for another hardware or protocol. Any ar$op is accepted: RFC 826 merges the sender into the
// table before "NOW look at the opcode".
func ParseARP(b []byte) (ARP, error) {
	if len(b) < ARPLen {
		return ARP{}, ErrShort
	}
	w := binary.BigEndian.Uint64(b)
	if w>>16 != arpEthernetIPv4 && w>>16 != arp802IPv4 {
		return ARP{}, ErrHardware
	}
	return ARP{
		Op:        uint16(w),
		SenderMAC: MAC(b[arpSHA:]),
		SenderIP:  AddrFrom4(b[arpSPA:]),
		TargetMAC: MAC(b[arpTHA:]),
		TargetIP:  AddrFrom4(b[arpTPA:]),
	}, nil
}

// Put writes a to the first ARPLen octets of b.
func (a *ARP) Put(b []byte) {
	_ = b[ARPLen-1]
	binary.BigEndian.PutUint64(b, arpEthernetIPv4<<16|uint64(a.Op))
	copy(b[arpSHA:], a.SenderMAC[:])
	a.SenderIP.Put4(b[arpSPA:])
	copy(b[arpTHA:], a.TargetMAC[:])
	a.TargetIP.Put4(b[arpTPA:])
}
