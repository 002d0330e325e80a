package wire

import (
	"bytes"
	"testing"
)

func TestICMP(t *testing.T) {
	m, err := CheckICMP(octets(hexICMP))
	if err != nil {
		t.Fatal(err)
	}
	if m.Type() != ICMPv4EchoRequest || m.Code() != 0 || m.ID() != 0x1234 || m.Seq() != 1 || m.Rest() != 0x12340001 || string(m.Body()) != "abcd" {
		t.Errorf("%x", []byte(m))
	}
	got := bytes.Repeat([]byte{0xee}, len(m))
	PutICMP(got, m.Type(), m.Code(), m.Rest())
	copy(got[ICMPLen:], m.Body())
	if !bytes.Equal(got, m) {
		t.Errorf("PutICMP wrote %x, want %x", got, []byte(m))
	}
}

func TestICMPChecksum(t *testing.T) {
	for n := 8; n < 20; n++ {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i * 91)
		}
		FinishICMPv4(b)
		if !ICMPv4ChecksumOK(b) || sumByWords(b, 0) != 0xffff {
			t.Errorf("ICMP, %d octets: the checksum set is not right", n)
		}
		FinishICMPv6(b, doc1, doc2)
		if !ICMPv6ChecksumOK(b, doc1, doc2) || ICMPv4ChecksumOK(b) || ICMPv6ChecksumOK(b, doc1, AllNodes6) {
			t.Errorf("ICMPv6, %d octets: the checksum set is not right", n)
		}
	}
}

func TestICMPIsError(t *testing.T) {
	// RFC 1122, 3.2.2: "ICMP messages are grouped into two classes": five types of error messages.
	for typ := range 256 {
		want := typ == 3 || typ == 4 || typ == 5 || typ == 11 || typ == 12
		if got := ICMPv4IsError(uint8(typ)); got != want {
			t.Errorf("ICMPv4IsError(%d) = %v", typ, got)
		}
		if got := ICMPv6IsError(uint8(typ)); got != (typ <= 127) {
			t.Errorf("ICMPv6IsError(%d) = %v", typ, got)
		}
	}
}

func FuzzICMP(f *testing.F) {
	addSeeds(f, "ICMP")
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := CheckICMP(b)
		if err != nil {
			return
		}
		got := make([]byte, ICMPLen)
		PutICMP(got, m.Type(), m.Code(), uint32(m.ID())<<16|uint32(m.Seq()))
		got = append(got, m.Body()...)
		FinishICMPv4(got)
		if !ICMPv4ChecksumOK(got) {
			t.Errorf("%x: the checksum set is not right", got)
		}
		copy(got[icmpChecksum:], m[icmpChecksum:icmpRest])
		if !bytes.Equal(got, b) {
			t.Errorf("%x became %x", b, got)
		}
	})
}
