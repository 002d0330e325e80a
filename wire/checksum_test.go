package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// sumByWords is the sum as RFC 1071, 4.1 writes it in C: word by word, the carries folded in at the end.
func sumByWords(b []byte, sum uint16) uint16 {
	s := uint64(sum)
	for ; len(b) > 1; b = b[2:] {
		s += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) > 0 {
		s += uint64(b[0]) << 8
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

func TestChecksumExample(t *testing.T) {
	// RFC 1071, 3.
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if got := Checksum(b, 0); got != 0xddf2 {
		t.Errorf("Checksum = %04x, want ddf2", got)
	}
	// Its "example of breaking the sum into two groups", at an even boundary and with an odd end.
	if got := Checksum(b[4:], Checksum(b[:4], 0)); got != 0xddf2 {
		t.Errorf("Checksum in two parts = %04x, want ddf2", got)
	}
	if got := Checksum(b[:3], 0); got != 0xf201 {
		t.Errorf("Checksum of three octets = %04x, want f201", got)
	}
}

// TestChecksumLengths sums all lengths at all places of a cache line, between octets that do not count. All ones make each
// addition carry; all zeros make none, and are the one case in which the sum is 0 and not ffff.
func TestChecksumLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const longest, offsets = 300, 64
	random, ones, zeros := make([]byte, longest+offsets), make([]byte, longest+offsets), make([]byte, longest+offsets)
	for i := range random {
		random[i], ones[i] = byte(r.Uint32()), 0xff
	}
	// around is what is before and behind the octets summed.
	for _, tt := range []struct {
		name   string
		octets []byte
		around byte
	}{{"random", random, 0x5a}, {"all ones", ones, 0x5a}, {"all zeros", zeros, 0xff}} {
		for offset := range offsets {
			for n := range longest + 1 {
				b := bytes.Repeat([]byte{tt.around}, offset+n+64)[offset : offset+n]
				copy(b, tt.octets)
				for _, sum := range []uint16{0, 1, 0x8000, 0xfffe, 0xffff} {
					if got, want := Checksum(b, sum), sumByWords(b, sum); got != want {
						t.Fatalf("%s: Checksum of %d octets at %d after %04x = %04x, want %04x", tt.name, n, offset, sum, got, want)
					}
				}
			}
		}
	}
}

// TestChecksumLong sums what is longer than a packet can be, among it what carries most.
func TestChecksumLong(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, 1<<20)
	for _, fill := range []func() byte{func() byte { return byte(r.Uint32()) }, func() byte { return 0xff }} {
		for i := range b {
			b[i] = fill()
		}
		for range 200 {
			from := r.IntN(len(b))
			b, sum := b[from:from+r.IntN(len(b)-from+1)], uint16(r.Uint32())
			if got, want := Checksum(b, sum), sumByWords(b, sum); got != want {
				t.Fatalf("Checksum of %d octets at %d after %04x = %04x, want %04x", len(b), from, sum, got, want)
			}
		}
	}
}

func TestPseudoHeader(t *testing.T) {
	for _, tt := range []struct {
		src, dst Addr
		proto    uint8
		n        int
		octets   []byte
	}{
		{
			Addr4(192, 0, 2, 1), Addr4(198, 51, 100, 255), ProtoTCP, 0x1234,
			[]byte{192, 0, 2, 1, 198, 51, 100, 255, 0, 6, 0x12, 0x34},
		},
		{
			Addr4(255, 255, 255, 255), Addr4(255, 255, 255, 254), ProtoUDP, 0xffff,
			[]byte{255, 255, 255, 255, 255, 255, 255, 254, 0, 17, 0xff, 0xff},
		},
		{
			Addr{0x2001_0db8_0000_0001, 0xffff_ffff_ffff_fffe}, Addr{0xff02_0000_0000_0000, 1}, ProtoICMPv6, 0x1_2345,
			[]byte{
				0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
				0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
				0, 1, 0x23, 0x45, 0, 0, 0, 58,
			},
		},
	} {
		if got, want := PseudoHeader(tt.src, tt.dst, tt.proto, tt.n), sumByWords(tt.octets, 0); got != want {
			t.Errorf("PseudoHeader(%v, %v, %d, %d) = %04x, want %04x", tt.src, tt.dst, tt.proto, tt.n, got, want)
		}
	}
}

func TestUpdateChecksum(t *testing.T) {
	// RFC 1624, 4: "a 16-bit field m = 0x5555 changes to m' = 0x3285 [...] the one's complement sum of all other header
	// octets is 0xCD7A": from DD2F to 0000, where RFC 1141 would have given FFFF.
	if got := UpdateChecksum(0xdd2f, 0x5555, 0x3285); got != 0 {
		t.Errorf("UpdateChecksum = %04x, want 0000", got)
	}
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 20)
	for range 10_000 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		old, new := binary.BigEndian.Uint16(b[4:]), uint16(r.Uint32())
		before := ^Checksum(b, 0)
		binary.BigEndian.PutUint16(b[4:], new)
		if got, want := UpdateChecksum(before, old, new), ^Checksum(b, 0); got != want {
			t.Fatalf("UpdateChecksum(%04x, %04x, %04x) = %04x, want %04x", before, old, new, got, want)
		}
	}
}

func TestFinishChecksum(t *testing.T) {
	src4, dst4 := Addr4(192, 0, 2, 1), Addr4(192, 0, 2, 2)
	src6, dst6 := Addr{0x2001_0db8 << 32, 1}, Addr{0x2001_0db8 << 32, 2}
	for _, proto := range []uint8{ProtoTCP, ProtoUDP, ProtoICMPv6} {
		for _, a := range [][2]Addr{{src4, dst4}, {src6, dst6}} {
			for n := 8; n < 40; n++ {
				b := make([]byte, n)
				for i := range b {
					b[i] = byte(i * 37)
				}
				FinishChecksum(b, 6, proto, a[0], a[1])
				if !TransportChecksumOK(b, proto, a[0], a[1]) {
					t.Fatalf("protocol %d, %d octets, %v: the checksum set is not right", proto, n, a)
				}
				b[n-1] ^= 4
				if TransportChecksumOK(b, proto, a[0], a[1]) {
					t.Fatalf("protocol %d, %d octets, %v: a wrong checksum is right", proto, n, a)
				}
			}
		}
	}
}

func TestUDPChecksumZero(t *testing.T) {
	// RFC 768: "If the computed checksum is zero, it is transmitted as all ones". Choose ports for which it is.
	src, dst := Addr4(192, 0, 2, 1), Addr4(192, 0, 2, 2)
	b := make([]byte, UDPLen)
	PutUDP(b, 0, 53, UDPLen)
	port := ^Checksum(b, PseudoHeader(src, dst, ProtoUDP, UDPLen))
	PutUDP(b, port, 53, UDPLen)
	if sum := ^Checksum(b, PseudoHeader(src, dst, ProtoUDP, UDPLen)); sum != 0 {
		t.Fatalf("the sum to test with is %04x, want 0", sum)
	}
	FinishChecksum(b, UDPChecksumOffset, ProtoUDP, src, dst)
	if got := UDP(b).Checksum(); got != 0xffff {
		t.Errorf("Checksum = %04x, want ffff", got)
	}
	if !TransportChecksumOK(b, ProtoUDP, src, dst) {
		t.Error("a checksum of ffff is wrong")
	}
	// TCP has no such rule: a checksum of zero is a checksum of zero.
	c := make([]byte, TCPMinLen)
	c[0], c[1] = 0, 0
	sum := ^Checksum(c, PseudoHeader(src, dst, ProtoTCP, len(c)))
	binary.BigEndian.PutUint16(c, sum)
	c[TCPChecksumOffset] = 9
	FinishChecksum(c, TCPChecksumOffset, ProtoTCP, src, dst)
	if got := TCP(c).Checksum(); got != 0 {
		t.Errorf("TCP: Checksum = %04x, want 0", got)
	}

	// No checksum at all.
	PutUDP(b, 1, 2, UDPLen)
	if !TransportChecksumOK(b, ProtoUDP, src, dst) {
		t.Error("IPv4: a datagram without a checksum is wrong")
	}
	// RFC 8200, 8.1: "IPv6 receivers must discard UDP packets containing a zero checksum".
	if TransportChecksumOK(b, ProtoUDP, Loopback6, Loopback6) {
		t.Error("IPv6: a datagram without a checksum is right")
	}
}

func FuzzChecksum(f *testing.F) {
	f.Add([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}, uint16(0))
	f.Add(make([]byte, 200), uint16(0xffff))
	f.Add(bytes.Repeat([]byte{0xff}, 333), uint16(0xffff))
	f.Fuzz(func(t *testing.T, b []byte, sum uint16) {
		if got, want := Checksum(b, sum), sumByWords(b, sum); got != want {
			t.Errorf("Checksum = %04x, want %04x", got, want)
		}
	})
}

var sink uint16

func BenchmarkChecksum(b *testing.B) {
	for _, n := range []int{20, 64, 576, 1460, 9000, 65536} {
		buf := make([]byte, n)
		for i := range buf {
			buf[i] = byte(i)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				sink = Checksum(buf, sink)
			}
		})
	}
	// For comparison, RFC 1071 word by word.
	b.Run("1460-by-words", func(b *testing.B) {
		buf := make([]byte, 1460)
		b.SetBytes(1460)
		for b.Loop() {
			sink = sumByWords(buf, sink)
		}
	})
}

func BenchmarkPseudoHeader(b *testing.B) {
	src, dst := Addr{0x2001_0db8 << 32, 1}, Addr{0x2001_0db8 << 32, 2}
	for b.Loop() {
		sink = PseudoHeader(src, dst, ProtoTCP, 1480)
	}
}
