package vnet

import (
	"encoding/binary"
	"testing"

	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/wire"
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
		want       bool
		meta       packet.Meta
	}{
		{"a frame", 0, 0, 0, true, packet.Meta{}},
		{"a size that means nothing", 0, 0, 1460, true, packet.Meta{}},
		{"a good checksum", goodSum, 0, 0, true, packet.Meta{Flags: packet.ChecksumGood}},
		{"an unfinished checksum", needsSum, 0, 0, true, packet.Meta{Flags: later}},
		{"TCP over IPv4", needsSum, gsoTCP4, 1460, true, packet.Meta{Flags: later, GSOSize: 1460}},
		{"TCP over IPv6 with CWR", needsSum, gsoTCP6 | gsoECN, 1440, true, packet.Meta{Flags: later, GSOSize: 1440}},
		{"UDP", needsSum, gsoUDP, 1000, true, packet.Meta{Flags: later, GSOSize: 1000}},
		{"TCP without a size", needsSum, gsoTCP4, 0, false, packet.Meta{Flags: later}},
		{"fragments of UDP", needsSum, 3, 1000, false, packet.Meta{Flags: later}},
	} {
		p := header(tt.flags, tt.gso, tt.size)
		if got := Take(p); got != tt.want || p.Meta != tt.meta || p.Len() != 4 {
			t.Errorf("%s: %v, %+v and %d octets; want %v, %+v", tt.name, got, p.Meta, p.Len(), tt.want, tt.meta)
		}
		p.Free()
	}
	for n := range HeaderLen {
		p := packet.From(make([]byte, n))
		if got := Take(p); got {
			t.Errorf("%d octets: %v", n, got)
		}
		p.Free()
	}
}

// What Put writes in front of a super-packet Take reads, and the checksum field has the sum of the pseudo header.
func TestPutSegments(t *testing.T) {
	src, dst := wire.Addr4(192, 0, 2, 1), wire.Addr4(192, 0, 2, 2)
	src6, dst6 := wire.Addr{Hi: 0x20010db8 << 32, Lo: 1}, wire.Addr{Hi: 0x20010db8 << 32, Lo: 2}
	for _, tt := range []struct {
		name  string
		proto uint8
		four  bool
		want  uint8
	}{
		{"TCP over IPv4", wire.ProtoTCP, true, gsoTCP4},
		{"TCP over IPv6", wire.ProtoTCP, false, gsoTCP6},
		{"UDP over IPv4", wire.ProtoUDP, true, gsoUDP},
		{"UDP over IPv6", wire.ProtoUDP, false, gsoUDP},
	} {
		head := wire.UDPLen
		if tt.proto == wire.ProtoTCP {
			head = wire.TCPMinLen
		}
		p := packet.New(head + 1000)
		b := p.Bytes()
		if tt.proto == wire.ProtoTCP {
			(&wire.TCPHeader{SrcPort: 1, DstPort: 2, Flags: wire.ACK}).Put(b)
		} else {
			wire.PutUDP(b, 1, 2, len(b))
		}
		network, from, to := wire.IPv6Len, src6, dst6
		if tt.four {
			network, from, to = wire.IPv4MinLen, src, dst
			(&wire.IPv4Header{TotalLen: network + len(b), TTL: 64, Protocol: tt.proto, Src: src, Dst: dst}).Put(p.Prepend(network))
		} else {
			(&wire.IPv6Header{PayloadLen: len(b), NextHeader: tt.proto, HopLimit: 64, Src: src6, Dst: dst6}).Put(p.Prepend(network))
		}
		p.GSOSize, p.Flags = 300, packet.ChecksumLater
		Put(p, 0)
		h := p.Bytes()
		ne := binary.NativeEndian
		if h[0] != needsSum || h[1] != tt.want || int(ne.Uint16(h[2:])) != network+head || ne.Uint16(h[4:]) != 300 || int(ne.Uint16(h[6:])) != network {
			t.Errorf("%s: % x", tt.name, h[:HeaderLen])
		}
		at := HeaderLen + network + int(ne.Uint16(h[8:]))
		if sum := binary.BigEndian.Uint16(h[at:]); sum != wire.PseudoHeader(from, to, tt.proto, head+1000) {
			t.Errorf("%s: %#x where the sum of the pseudo header is to be", tt.name, sum)
		}
		p.GSOSize, p.Flags = 0, 0
		if !Take(p) || p.GSOSize != 300 || p.Flags != packet.ChecksumLater|packet.ChecksumGood {
			t.Errorf("%s: taken as %+v", tt.name, p.Meta)
		}
		p.Free()
	}
}
