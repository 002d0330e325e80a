package wire

import (
	"bytes"
	"testing"
)

// RFC 9768, 3.2.3, figure 4 and table 5: the option in both orders, of each length.
func TestAccECNOption(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    string
		o    AccECNOption
	}{
		{"empty, order 0", `ac02 0101`, AccECNOption{Present: true}},
		{"empty, order 1", `ae02 0101`, AccECNOption{Present: true, Order: 1}},
		{"EE0B", `ac05 000001 010101`, AccECNOption{Present: true, Fields: 1, Counter: [3]uint32{1}}},
		{"EE1B, ECEB", `ae08 000001 ffffff`, AccECNOption{Present: true, Order: 1, Fields: 2, Counter: [3]uint32{1, 1<<24 - 1}}},
		{"EE0B, ECEB, EE1B", `ac0b 010203 040506 070809 01`, AccECNOption{Present: true, Fields: 3, Counter: [3]uint32{0x010203, 0x040506, 0x070809}}},
		{"EE1B, ECEB, EE0B", `ae0b 000001 000000 0005b5 01`, AccECNOption{Present: true, Order: 1, Fields: 3, Counter: [3]uint32{1, 0, 1461}}},
	} {
		b := octets(tt.b)
		var got TCPOptions
		if err := ParseTCPOptions(b, &got); err != nil || got != (TCPOptions{AccECN: tt.o}) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
		put := bytes.Repeat([]byte{0xee}, len(b)+1)
		if n := got.Len(); n != len(b) {
			t.Errorf("%s: Len = %d, want %d", tt.name, n, len(b))
			continue
		}
		if got.Put(put); !bytes.Equal(put[:len(b)], b) || put[len(b)] != 0xee {
			t.Errorf("%s: Put wrote %x", tt.name, put)
		}
	}
}

// RFC 9768, 3.2.3: "if the AccECN Option is of any other length, implementations MUST use those whole 3-octet fields that fit
// within the length and ignore the remainder of the option, treating it as padding."
func TestAccECNOptionOfOtherLength(t *testing.T) {
	for _, tt := range []struct {
		b      string
		fields uint8
		first  uint32
	}{{`ac03ff`, 0, 0}, {`ac04ffff`, 0, 0}, {`ae06 000007 ff`, 1, 7}, {`ac0a 000007 000000 ffff`, 2, 7}, {`ae0e 000007 000000 000001 ffffff`, 3, 7}} {
		var o TCPOptions
		err := ParseTCPOptions(octets(tt.b), &o)
		if a := o.AccECN; err != nil || !a.Present || a.Fields != tt.fields || a.Counter[0] != tt.first {
			t.Errorf("%s: %+v, %v", tt.b, a, err)
		}
	}
}

// The option goes with the others, in front of SACK as Linux has it, and never makes the header longer than it may be.
func TestAccECNOptionBesideOthers(t *testing.T) {
	o := TCPOptions{HasTimestamps: true, TSVal: 1, TSEcr: 2, SACKCount: 1, SACK: [4]SACKBlock{{3, 4}},
		AccECN: AccECNOption{Present: true, Order: 1, Fields: 3, Counter: [3]uint32{1, 0, 1}}}
	want := octets(`0101080a 00000001 00000002 ae0b 000001 000000 000001 01 0101050a 00000003 00000004`)
	put := make([]byte, o.Len())
	if o.Put(put); !bytes.Equal(put, want) {
		t.Errorf("Put wrote %x, want %x", put, want)
	}
	o.SACKCount = 3
	if n := o.Len(); n != 12+12+12 {
		t.Errorf("with three blocks: %d octets", n)
	}
}

// RFC 9768, figure 3: the ACE field is AE, CWR and ECE, its least significant bit at bit offset 9 of the 16.
func TestACE(t *testing.T) {
	for n := range uint8(8) {
		h := TCPHeader{Flags: (ACK | PSH).WithACE(n)}
		b := make([]byte, h.Len())
		h.Put(b)
		s, err := CheckTCP(b)
		if err != nil {
			t.Fatal(err)
		}
		if f := s.Flags(); f.ACE() != n || f&^ACE != ACK|PSH {
			t.Errorf("%d became %v", n, f)
		}
		if word := uint16(b[12])<<8 | uint16(b[13]); word>>6&7 != uint16(n) {
			t.Errorf("%d is %016b", n, word)
		}
	}
}
