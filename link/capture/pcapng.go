package capture

import (
	"encoding/binary"
	"time"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// The parts of the PCAP Next Generation file format (draft-ietf-opsawg-pcapng) that are written here, little
// endian. A block is
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                          Block Type                           |
//	+---------------------------------------------------------------+
//	|                      Block Total Length                       |
//	+---------------------------------------------------------------+
//	/                          Block Body                           /
//	/              variable length, padded to 32 bits               /
//	+---------------------------------------------------------------+
//	|                      Block Total Length                       |
//	+---------------------------------------------------------------+
//
// and ends, where it has options, with a list of them: code and length of 16 bits each, the value padded to 32.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6 // enhanced packet block

	byteOrderMagic = 0x1a2b3c4d

	optEnd      = 0
	optComment  = 1
	optUserAppl = 4 // of a section
	optIfName   = 2 // of an interface
	optIfMAC    = 6
	optTSResol  = 9
	optFlags    = 2 // of a packet

	linkTypeEthernet = 1
	linkTypeRaw      = 101 // begins with an IPv4 or IPv6 header

	flagInbound   = 1
	flagOutbound  = 2
	flagUnicast   = 1 << 2
	flagMulticast = 2 << 2
	flagBroadcast = 3 << 2
)

var le = binary.LittleEndian

// begin appends the head of a block, whose length end fills in.
func begin(b []byte, blockType uint32) []byte {
	b = le.AppendUint32(b, blockType)
	return le.AppendUint32(b, 0)
}

// end finishes the block that began at b[at:].
func end(b []byte, at int) []byte {
	n := uint32(len(b) - at + 4)
	le.PutUint32(b[at+4:], n)
	return le.AppendUint32(b, n)
}

// pad fills up to 32 bits; blocks begin at multiples of them.
func pad(b []byte, n int) []byte {
	return append(b, "\x00\x00\x00"[:-n&3]...)
}

func option[T string | []byte](b []byte, code uint16, value T) []byte {
	b = le.AppendUint16(b, code)
	b = le.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	return pad(b, len(value))
}

// appendSection appends a Section Header Block. It names no host and no time, so that equal input gives equal
// files.
func appendSection(b []byte) []byte {
	at := len(b)
	b = begin(b, blockSection)
	b = le.AppendUint32(b, byteOrderMagic)
	b = le.AppendUint16(b, 1) // version 1.0
	b = le.AppendUint16(b, 0)
	b = le.AppendUint64(b, ^uint64(0)) // section length: not given
	b = option(b, optUserAppl, "onlink")
	b = option(b, optEnd, "")
	return end(b, at)
}

// appendInterface appends an Interface Description Block.
func appendInterface(b []byte, name string, info link.Info, snapLen int) []byte {
	at := len(b)
	b = begin(b, blockInterface)
	linkType := uint16(linkTypeEthernet)
	if info.Medium == link.IP {
		linkType = linkTypeRaw
	}
	b = le.AppendUint16(b, linkType)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint32(b, uint32(snapLen))
	b = option(b, optIfName, name[:min(len(name), maxText)])
	if info.Addr != (wire.MAC{}) {
		b = option(b, optIfMAC, info.Addr[:])
	}
	b = option(b, optTSResol, "\x09") // 10^-9 s
	b = option(b, optEnd, "")
	return end(b, at)
}

// maxText is the longest name or comment that is written; an option's length has 16 bits.
const maxText = 1 << 15

// appendPacket appends an Enhanced Packet Block.
func appendPacket(b []byte, iface uint32, at time.Time, data []byte, length int, flags uint32, comment string) []byte {
	start := len(b)
	b = begin(b, blockPacket)
	b = le.AppendUint32(b, iface)
	ns := uint64(at.UnixNano())
	b = le.AppendUint32(b, uint32(ns>>32))
	b = le.AppendUint32(b, uint32(ns))
	b = le.AppendUint32(b, uint32(len(data)))
	b = le.AppendUint32(b, uint32(length))
	b = append(b, data...)
	b = pad(b, len(data))
	b = le.AppendUint16(b, optFlags)
	b = le.AppendUint16(b, 4)
	b = le.AppendUint32(b, flags)
	if comment != "" {
		b = option(b, optComment, comment[:min(len(comment), maxText)])
	}
	b = option(b, optEnd, "")
	return end(b, start)
}

// reception returns the flags that say to whom an Ethernet frame is addressed.
func reception(medium link.Medium, frame []byte) uint32 {
	switch {
	case medium != link.Ethernet || len(frame) < 6:
		return 0
	case wire.MAC(frame[:6]) == wire.BroadcastMAC:
		return flagBroadcast
	case wire.MAC(frame[:6]).IsMulticast():
		return flagMulticast
	}
	return flagUnicast
}
