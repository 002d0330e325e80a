package wire

import (
	"bytes"
	"errors"
	"testing"
)

func TestIPv6(t *testing.T) {
	b := append(octets(hexIPv6), 0xee) // with an octet of padding behind the packet
	v, err := CheckIPv6(b)
	if err != nil {
		t.Fatal(err)
	}
	if v.TrafficClass() != 0xab || v.FlowLabel() != 0x12345 || v.PayloadLen() != 4 || v.NextHeader() != ProtoNoNext ||
		v.HopLimit() != 64 || v.Src() != doc1 || v.Dst() != doc2 || !bytes.Equal(v.Payload(), []byte{1, 2, 3, 4}) {
		t.Errorf("%x", []byte(v))
	}
	h := IPv6Header{v.TrafficClass(), v.FlowLabel(), v.PayloadLen(), v.NextHeader(), v.HopLimit(), v.Src(), v.Dst()}
	got := bytes.Repeat([]byte{0xee}, IPv6Len)
	h.Put(got)
	if !bytes.Equal(got, b[:IPv6Len]) {
		t.Errorf("Put wrote %x, want %x", got, b[:IPv6Len])
	}
	// The label has 20 bits; what is above them must not reach the Traffic Class.
	h.TrafficClass, h.FlowLabel = 0, 0xfff1_2345
	if h.Put(got); IPv6(got).TrafficClass() != 0 || IPv6(got).FlowLabel() != 0x1_2345 || got[0] != 0x60 {
		t.Errorf("a flow label of more than 20 bits: %x", got[:4])
	}
	v.SetHopLimit(9)
	if v.HopLimit() != 9 || v.NextHeader() != ProtoNoNext || v.Src() != doc1 {
		t.Errorf("after SetHopLimit: %x", []byte(v))
	}
}

func TestCheckIPv6(t *testing.T) {
	mapped := Addr4(10, 0, 0, 1)
	for _, tt := range []struct {
		name   string
		change func(b []byte)
		want   error
		quoted error
	}{
		{"version 4", func(b []byte) { b[0] = 0x45 }, ErrVersion, ErrVersion},
		{"Payload Length past the end", func(b []byte) { b[5] = 5 }, ErrShort, nil},
		{"Payload Length 0", func(b []byte) { b[5] = 0 }, nil, nil},
		{"IPv4-mapped source", func(b []byte) { mapped.Put16(b[8:]) }, ErrAddress, ErrAddress},
		{"IPv4-mapped destination", func(b []byte) { mapped.Put16(b[24:]) }, ErrAddress, ErrAddress},
		{"unspecified source", func(b []byte) { clear(b[8:24]) }, nil, nil},
	} {
		b := octets(hexIPv6)
		tt.change(b)
		if _, err := CheckIPv6(b); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
		v, err := CheckIPv6Quoted(b)
		if !errors.Is(err, tt.quoted) {
			t.Errorf("%s, quoted: error %v, want %v", tt.name, err, tt.quoted)
		}
		if err == nil && len(v.Payload()) > 4 {
			t.Errorf("%s, quoted: %d octets of payload", tt.name, len(v.Payload()))
		}
	}
}

func TestWalkExt(t *testing.T) {
	payload := octets(hexExtensions)
	it := WalkExt(ProtoHopByHop, payload)
	for _, want := range []struct {
		proto, next uint8
		offset, n   int
	}{
		{ProtoHopByHop, ProtoRouting, 0, 8},
		{ProtoRouting, ProtoFragment, 8, 8},
		{ProtoFragment, ProtoAH, 16, 8},
		{ProtoAH, ProtoDestOpts, 24, 12},
		{ProtoDestOpts, ProtoUDP, 36, 16},
	} {
		if !it.Next() {
			t.Fatalf("the chain ends before %d: %v", want.proto, it.Err())
		}
		h := it.Header()
		if h.Proto != want.proto || h.Next != want.next || h.Offset != want.offset || len(h.Data) != want.n ||
			!bytes.Equal(h.Data, payload[want.offset:want.offset+want.n]) {
			t.Errorf("header %+v, want %+v", h, want)
		}
		if h.Proto == ProtoRouting && (h.RoutingType() != 3 || h.SegmentsLeft() != 0) {
			t.Errorf("Routing header type %d, %d segments left", h.RoutingType(), h.SegmentsLeft())
		}
	}
	for range 2 { // it stays at the end
		if it.Next() || it.Err() != nil {
			t.Errorf("behind the last header: %+v, %v", it.Header(), it.Err())
		}
	}
	if proto, offset := it.Upper(); proto != ProtoUDP || offset != 52 || it.Pointer() != IPv6Len+36 {
		t.Errorf("Upper = %d at %d, named at %d", proto, offset, it.Pointer())
	}
}

func TestWalkExtEnds(t *testing.T) {
	for _, tt := range []struct {
		name            string
		next            uint8
		payload         string
		headers         int
		proto           uint8
		offset, pointer int
		err             error
	}{
		{"no extension header", ProtoTCP, ``, 0, ProtoTCP, 0, 6, nil},
		{"No Next Header", ProtoNoNext, `2900000000000000`, 0, ProtoNoNext, 0, 6, nil},
		{"an unknown number", 253, `2900000000000000`, 0, 253, 0, 6, nil},
		// RFC 8200, 4.5: for fragmentation "the Encapsulating Security Payload (ESP) is not considered an extension
		// header"; what it hides cannot be walked.
		{"ESP", ProtoDestOpts, `3200010400000000 0000000000000000`, 1, ProtoESP, 8, 40, nil},
		{"unknown behind a header", ProtoDestOpts, `fd00010400000000`, 1, 253, 8, 40, nil},
		// RFC 8200, 4.1: Hop-by-Hop Options "is restricted to appear immediately after an IPv6 header only".
		{"Hop-by-Hop Options second", ProtoDestOpts, `0000010400000000 3b00010400000000`, 1, ProtoHopByHop, 8, 40, ErrOrder},
		{"a later fragment", ProtoFragment, `3c00 0008 00000001 ffffffffffffffff`, 1, ProtoDestOpts, 8, 40, nil},
		{"the first fragment, cut inside the chain", ProtoFragment, `3c00 0001 00000001 1101010400000000`, 1, ProtoDestOpts, 8, 40, ErrShort},
		{"an atomic fragment", ProtoFragment, `3c00 0000 00000001 1100010400000000`, 2, ProtoUDP, 16, 48, nil},
		{"a header of 7 octets", ProtoRouting, `3b000000000000`, 0, ProtoRouting, 0, 6, ErrShort},
		{"nothing where a header should be", ProtoRouting, ``, 0, ProtoRouting, 0, 6, ErrShort},
	} {
		it := WalkExt(tt.next, octets(tt.payload))
		n := 0
		for it.Next() {
			n++
		}
		proto, offset := it.Upper()
		if n != tt.headers || proto != tt.proto || offset != tt.offset || it.Pointer() != tt.pointer || !errors.Is(it.Err(), tt.err) {
			t.Errorf("%s: %d headers, then %d at %d, named at %d: error %v", tt.name, n, proto, offset, it.Pointer(), it.Err())
		}
	}
}

func TestFragment(t *testing.T) {
	b := octets(hexFragment)
	got, err := ParseFragment(b)
	want := Fragment{Next: ProtoUDP, Offset: 0x0b58, More: true, ID: 0x89abcdef}
	if err != nil || got != want {
		t.Errorf("ParseFragment = %+v, %v, want %+v", got, err, want)
	}
	// RFC 8200, 4.5, Reserved: "Initialized to zero for transmission; ignored on reception."
	b[1] = 0
	put := bytes.Repeat([]byte{0xee}, FragmentLen)
	if want.Put(put); !bytes.Equal(put, b) {
		t.Errorf("Put wrote %x, want %x", put, b)
	}
}

func TestIPv6Options(t *testing.T) {
	it := WalkIPv6Options(octets(`1102 00 05020000 01 03 000000 c9 00 3e04 01020304 0000`))
	for _, want := range []struct {
		typ    uint8
		offset int
		n      int
		action OptionAction
	}{
		{IPv6RouterAlert, 3, 2, OptionSkip},
		{IPv6HomeAddress, 12, 0, OptionReportUnicast},
		{0x3e, 14, 4, OptionSkip},
	} {
		if !it.Next() {
			t.Fatalf("the list ends before type %02x: %v", want.typ, it.Err())
		}
		o := it.Option()
		if o.Type != want.typ || o.Offset != want.offset || len(o.Data) != want.n || o.Action() != want.action {
			t.Errorf("option %+v, action %d, want %+v", o, o.Action(), want)
		}
	}
	if it.Next() || it.Err() != nil {
		t.Errorf("after the last: %+v, %v", it.Option(), it.Err())
	}
	for typ, want := range map[uint8]OptionAction{0x05: OptionSkip, 0x45: OptionDiscard, 0x85: OptionReport, 0xc5: OptionReportUnicast} {
		if o := (IPv6Option{Type: typ}); o.Action() != want {
			t.Errorf("type %02x: action %d, want %d", typ, o.Action(), want)
		}
	}
	for _, s := range []string{`3b00 000000000005`, `3b00 01 05 00000000`, `3b00 0000 c9 03 0000`} {
		it := WalkIPv6Options(octets(s))
		if it.Next() || !errors.Is(it.Err(), ErrOption) || it.Next() {
			t.Errorf("%s: %+v, %v", s, it.Option(), it.Err())
		}
	}
}

func FuzzIPv6(f *testing.F) {
	addSeeds(f, "IPv6")
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := CheckIPv6Quoted(b); err == nil {
			_ = v.Payload()
		}
		v, err := CheckIPv6(b)
		if err != nil {
			return
		}
		h := IPv6Header{v.TrafficClass(), v.FlowLabel(), v.PayloadLen(), v.NextHeader(), v.HopLimit(), v.Src(), v.Dst()}
		got := make([]byte, IPv6Len)
		h.Put(got)
		if !bytes.Equal(got, b[:IPv6Len]) || len(v.Payload()) != v.PayloadLen() {
			t.Errorf("%x became %x", b[:IPv6Len], got)
		}
	})
}

func FuzzWalkExt(f *testing.F) {
	f.Add(uint8(ProtoHopByHop), octets(hexExtensions))
	f.Add(uint8(ProtoFragment), octets(hexFragment))
	f.Fuzz(func(t *testing.T, next uint8, payload []byte) {
		it := WalkExt(next, payload)
		end := 0
		for it.Next() {
			h := it.Header()
			if h.Offset != end || len(h.Data) < 8 || h.Data[0] != h.Next || int(payload[it.Pointer()-IPv6Len]) != int(h.Next) {
				t.Fatalf("header %+v behind %d octets", h, end)
			}
			end += len(h.Data)
			if h.Proto == ProtoHopByHop || h.Proto == ProtoDestOpts {
				for it := WalkIPv6Options(h.Data); it.Next(); {
					if o := it.Option(); o.Offset+2+len(o.Data) > len(h.Data) {
						t.Errorf("option %+v in a header of %d octets", o, len(h.Data))
					}
				}
			}
		}
		if _, offset := it.Upper(); offset != end || end > len(payload) {
			t.Errorf("upper layer at %d behind %d octets of %d", offset, end, len(payload))
		}
	})
}

func FuzzIPv6Options(f *testing.F) {
	addSeeds(f, "IPv6 options")
	f.Fuzz(func(t *testing.T, b []byte) {
		it := WalkIPv6Options(b)
		end := extOptions
		for it.Next() {
			o := it.Option()
			if o.Offset < end || o.Type != b[o.Offset] || len(o.Data) != int(b[o.Offset+1]) {
				t.Fatalf("option %+v behind %d octets", o, end)
			}
			end = o.Offset + 2 + len(o.Data)
		}
		if end > max(len(b), extOptions) {
			t.Errorf("the options end at %d of %d octets", end, len(b))
		}
	})
}

func FuzzFragment(f *testing.F) {
	addSeeds(f, "Fragment")
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := ParseFragment(b)
		if err != nil {
			return
		}
		put := make([]byte, FragmentLen)
		want.Put(put)
		if got, err := ParseFragment(put); err != nil || got != want {
			t.Errorf("%+v became %+v, %v", want, got, err)
		}
	})
}
