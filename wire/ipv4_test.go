package wire

import (
	"bytes"
	"errors"
	"testing"
)

func TestIPv4(t *testing.T) {
	b := append(octets(hexIPv4), make([]byte, 95+3)...) // with three octets of padding behind the datagram
	v, err := CheckIPv4(b)
	if err != nil {
		t.Fatal(err)
	}
	if v.HeaderLen() != 20 || v.TotalLen() != 115 || v.TrafficClass() != 0 || v.ID() != 0 || v.TTL() != 64 ||
		v.Protocol() != ProtoUDP || len(v.Options()) != 0 || len(v.Payload()) != 95 {
		t.Errorf("%+v", v)
	}
	if !v.DontFragment() || v.MoreFragments() || v.FragmentOffset() != 0 || v.IsFragment() {
		t.Errorf("DF %v MF %v offset %d", v.DontFragment(), v.MoreFragments(), v.FragmentOffset())
	}
	if v.Src() != Addr4(192, 168, 0, 1) || v.Dst() != Addr4(192, 168, 0, 199) {
		t.Errorf("from %v to %v", v.Src(), v.Dst())
	}
	if !v.ChecksumOK() {
		t.Error("the checksum is wrong")
	}
	v[4]++
	if v.ChecksumOK() {
		t.Error("a wrong checksum is right")
	}
}

func TestIPv4Fragment(t *testing.T) {
	v, err := CheckIPv4(octets(hexIPv4Options))
	if err != nil {
		t.Fatal(err)
	}
	if v.DontFragment() || !v.MoreFragments() || v.FragmentOffset() != 24 || !v.IsFragment() {
		t.Errorf("DF %v MF %v offset %d", v.DontFragment(), v.MoreFragments(), v.FragmentOffset())
	}
	if v.HeaderLen() != 24 || !bytes.Equal(v.Options(), []byte{0x94, 4, 0, 0}) || len(v.Payload()) != 4 {
		t.Errorf("%d octets of header, options %x, payload %x", v.HeaderLen(), v.Options(), v.Payload())
	}
	if v.TrafficClass() != 0xc0 || v.ID() != 0x1234 || v.TTL() != 1 || v.Protocol() != 2 || !v.ChecksumOK() {
		t.Errorf("%x", []byte(v))
	}
}

func TestCheckIPv4(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(b []byte) []byte
		want   error
		quoted error
	}{
		{"version 6", func(b []byte) []byte { b[0] = 0x65; return b }, ErrVersion, ErrVersion},
		// RFC 791, 3.1: "Note that the minimum value for a correct header is 5."
		{"IHL 4", func(b []byte) []byte { b[0] = 0x44; return b }, ErrLength, ErrLength},
		{"IHL past the end", func(b []byte) []byte { b[0] = 0x4f; return b }, ErrLength, ErrLength},
		{"Total Length 23", func(b []byte) []byte { b[3] = 23; return b }, ErrLength, ErrLength},
		{"Total Length 24", func(b []byte) []byte { b[3] = 24; return b }, nil, nil},
		{"Total Length past the end", func(b []byte) []byte { b[3] = 29; return b }, ErrShort, nil},
		{"options cut off", func(b []byte) []byte { return b[:23] }, ErrShort, ErrShort},
		{"nothing", func(b []byte) []byte { return nil }, ErrShort, ErrShort},
	} {
		if _, err := CheckIPv4(tt.change(octets(hexIPv4Options))); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
		v, err := CheckIPv4Quoted(tt.change(octets(hexIPv4Options)))
		if !errors.Is(err, tt.quoted) {
			t.Errorf("%s, quoted: error %v, want %v", tt.name, err, tt.quoted)
		}
		if err == nil && len(v.Payload()) > 4 {
			t.Errorf("%s, quoted: %d octets of payload", tt.name, len(v.Payload()))
		}
	}
}

func TestIPv4DecrementTTL(t *testing.T) {
	v := IPv4(octets(hexIPv4))
	for ttl := 64; ttl > 0; ttl-- {
		if int(v.TTL()) != ttl || !v.ChecksumOK() {
			t.Fatalf("TTL %d, want %d; checksum right: %v", v.TTL(), ttl, v.ChecksumOK())
		}
		v.DecrementTTL()
	}
}

func TestIPv4HeaderPut(t *testing.T) {
	for _, tt := range []struct {
		h    IPv4Header
		want []byte
	}{
		{IPv4Header{TotalLen: 115, DontFragment: true, TTL: 64, Protocol: ProtoUDP,
			Src: Addr4(192, 168, 0, 1), Dst: Addr4(192, 168, 0, 199)}, octets(hexIPv4)},
		{IPv4Header{TrafficClass: 0xc0, TotalLen: 28, ID: 0x1234, MoreFragments: true, FragmentOffset: 24, TTL: 1,
			Protocol: 2, Src: test1, Dst: Addr4(224, 0, 0, 22), Options: []byte{0x94, 4, 0, 0}}, octets(hexIPv4Options)[:24]},
	} {
		got := bytes.Repeat([]byte{0xee}, tt.h.Len())
		tt.h.Put(got)
		if !bytes.Equal(got, tt.want) {
			t.Errorf("Put wrote %x, want %x", got, tt.want)
		}
	}
	// Options are padded with zeros.
	h := IPv4Header{TotalLen: 100, Options: []byte{7, 5, 4, 1, 2}, Src: test1, Dst: test2}
	got := bytes.Repeat([]byte{0xee}, 30)
	h.Put(got)
	if h.Len() != 28 || !bytes.Equal(got[20:], []byte{7, 5, 4, 1, 2, 0, 0, 0, 0xee, 0xee}) || !IPv4(got).ChecksumOK() {
		t.Errorf("Put wrote %x", got)
	}
}

func TestIPv4Options(t *testing.T) {
	it := WalkIPv4Options(octets(`01 83 07 04 c0000202 94 04 0000 00 ff`))
	for _, want := range []struct {
		typ    uint8
		offset int
		n      int
		copied bool
	}{{IPv4LooseSource, 21, 7, true}, {IPv4RouterAlert, 28, 4, true}} {
		if !it.Next() {
			t.Fatalf("the list ends before type %d: %v", want.typ, it.Err())
		}
		o := it.Option()
		if o.Type != want.typ || o.Offset != want.offset || len(o.Data) != want.n || o.Copied() != want.copied {
			t.Errorf("option %+v, copied %v, want %+v", o, o.Copied(), want)
		}
	}
	if it.Next() || it.Err() != nil {
		t.Errorf("after End of Option List: %+v, %v", it.Option(), it.Err())
	}
	for _, s := range []string{`07`, `07 00`, `07 01`, `07 04 00`} {
		it := WalkIPv4Options(octets("0101" + s))
		if it.Next() || !errors.Is(it.Err(), ErrOption) || it.Option().Offset != 22 {
			t.Errorf("%s: %+v, %v", s, it.Option(), it.Err())
		}
	}
}

func FuzzIPv4(f *testing.F) {
	addSeeds(f, "IPv4")
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := CheckIPv4Quoted(b); err == nil {
			_, _ = v.Payload(), v.Options()
		}
		v, err := CheckIPv4(b)
		if err != nil {
			return
		}
		if v.HeaderLen()+len(v.Payload()) != v.TotalLen() {
			t.Errorf("header %d + payload %d != total %d", v.HeaderLen(), len(v.Payload()), v.TotalLen())
		}
		h := IPv4Header{v.TrafficClass(), v.TotalLen(), v.ID(), v.DontFragment(), v.MoreFragments(),
			v.FragmentOffset(), v.TTL(), v.Protocol(), v.Src(), v.Dst(), v.Options()}
		got := make([]byte, h.Len())
		h.Put(got)
		if !IPv4(got).ChecksumOK() {
			t.Errorf("Put wrote a wrong checksum: %x", got)
		}
		want := bytes.Clone(b[:v.HeaderLen()])
		want[ipv4Fragment] &^= 0x80 // the reserved flag "must be zero"
		copy(want[ipv4Checksum:], got[ipv4Checksum:ipv4Checksum+2])
		if !bytes.Equal(got, want) {
			t.Errorf("%x became %x", want, got)
		}
		if v.ChecksumOK() && v.TTL() > 0 {
			if v.DecrementTTL(); !v.ChecksumOK() {
				t.Errorf("DecrementTTL made the checksum wrong: %x", []byte(v))
			}
		}
		for it := WalkIPv4Options(v.Options()); it.Next(); {
			if o := it.Option(); len(o.Data) < 2 || o.Offset+len(o.Data) > v.HeaderLen() {
				t.Errorf("option %+v in a header of %d octets", o, v.HeaderLen())
			}
		}
	})
}

func FuzzIPv4Options(f *testing.F) {
	addSeeds(f, "IPv4 options")
	f.Fuzz(func(t *testing.T, b []byte) {
		it := WalkIPv4Options(b)
		end := IPv4MinLen
		for it.Next() {
			o := it.Option()
			if o.Offset < end || o.Type != o.Data[0] || len(o.Data) != int(o.Data[1]) {
				t.Fatalf("option %+v behind %d octets", o, end)
			}
			end = o.Offset + len(o.Data)
		}
		if end-IPv4MinLen > len(b) {
			t.Errorf("the options end at %d of %d octets", end-IPv4MinLen, len(b))
		}
	})
}
