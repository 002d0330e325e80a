package vnet

import (
	"encoding/binary"
	"testing"

	"github.com/onlink-go/onlink/packet"
)

// header returns a frame of four octets behind a header.
func header(flags, gso uint8, size uint16) *packet.Buffer {
	b := make([]byte, HeaderLen+4)
	b[0], b[1] = flags, gso
	binary.NativeEndian.PutUint16(b[4:], size)
	return packet.From(b)
}

func TestTake(t *testing.T) {
	const later = packet.ChecksumLater | packet.ChecksumGood
	for _, tt := range []struct {
		name       string
		flags, gso uint8
		size       uint16
		want       Kind
		meta       packet.Meta
	}{
		{"a frame", 0, 0, 0, Plain, packet.Meta{}},
		{"a size that means nothing", 0, 0, 1460, Plain, packet.Meta{}},
		{"a good checksum", goodSum, 0, 0, Plain, packet.Meta{Flags: packet.ChecksumGood}},
		{"an unfinished checksum", needsSum, 0, 0, Plain, packet.Meta{Flags: later}},
		{"TCP over IPv4", needsSum, gsoTCP4, 1460, TCP, packet.Meta{Flags: later, GSOSize: 1460}},
		{"TCP over IPv6 with CWR", needsSum, gsoTCP6 | gsoECN, 1440, TCP, packet.Meta{Flags: later, GSOSize: 1440}},
		{"UDP", needsSum, gsoUDP, 1000, UDP, packet.Meta{Flags: later, GSOSize: 1000}},
		{"TCP without a size", needsSum, gsoTCP4, 0, Bad, packet.Meta{Flags: later}},
		{"fragments of UDP", needsSum, 3, 1000, Bad, packet.Meta{Flags: later}},
	} {
		p := header(tt.flags, tt.gso, tt.size)
		if got := Take(p); got != tt.want || p.Meta != tt.meta || p.Len() != 4 {
			t.Errorf("%s: %v, %+v and %d octets; want %v, %+v", tt.name, got, p.Meta, p.Len(), tt.want, tt.meta)
		}
		p.Free()
	}
	for n := range HeaderLen {
		p := packet.From(make([]byte, n))
		if got := Take(p); got != Bad {
			t.Errorf("%d octets: %v", n, got)
		}
		p.Free()
	}
}
