package script

import (
	"encoding/hex"
	"testing"
)

// TestOptionsOnTheWire holds options to their bytes and back.
func TestOptionsOnTheWire(t *testing.T) {
	for _, row := range []struct{ text, wire string }{
		{"eol,nop,nop,nop", "00010101"},
		{"mss 1460", "020405b4"},       // RFC 9293, 3.2
		{"sackOK,nop,nop", "04020101"}, // RFC 2018, section 2
		{"nop,wscale 7", "01030307"},   // RFC 7323, 2.2
		{"nop,nop,sack 1:2 3:4", "01010512" + "00000001" + "00000002" + "00000003" + "00000004"}, // RFC 2018, section 3
		{"nop,nop,TS val 1 ecr 4294967295", "0101080a" + "00000001" + "ffffffff"},                // RFC 7323, 3.2
		{"FO,nop,nop", "22020101"}, // RFC 7413, 4.1.1
		{"FO 0123456789abcdef,nop,nop", "220a0123456789abcdef0101"},
		{"FOEXP", "fe04f989"}, // RFC 6994, section 3; the experiment's identifier is RFC 7413's, appendix
		{"FOEXP 01020304", "fe08f98901020304"},
		{"md5 00112233445566778899aabbccddeeff,nop,nop", "131200112233445566778899aabbccddeeff0101"}, // RFC 2385, 3.0
		{"AccECN0,nop,nop", "ac020101"}, // RFC 9768, 3.2.3
		{"AccECN0 ee0b 1 eceb 2 ee1b 3,nop", "ac0b000001000002000003" + "01"},
		{"AccECN1 ee1b 16777215,nop,nop,nop", "ae05ffffff010101"},
		{"exp-AccECN0 ee0b 1,nop", "fe07acc000000101"},
		{"exp-tarr", "fe0400ac"},
		{"exp-tarr 5,nop,nop", "fe0600ac00a00101"},
		{"kind 99 data 0x0102", "63040102"},
		{"kind 99,nop,nop", "63020101"},
		{"kind 2 data 0x05,nop", "02030501"},
	} {
		s := parse(t, "0 > . 1:1(0) <"+row.text+">")
		var wire []byte
		var text string
		for _, o := range s.Events[0].Action.(*Packet).TCP.Options {
			before := len(wire)
			if wire = o.Append(wire); len(wire)-before != o.Size() {
				t.Errorf("%s has size %d, %d bytes are written", o.String(), o.Size(), len(wire)-before)
			}
		}
		if got := hex.EncodeToString(wire); got != row.wire {
			t.Errorf("%s\n  got %s\n want %s", row.text, got, row.wire)
		}
		for i, o := range DecodeOptions(wire) {
			if i > 0 {
				text += ","
			}
			text += o.String()
		}
		if text != row.text {
			t.Errorf("%s is read as\n  %s\n  want %s", row.wire, text, row.text)
		}
	}
}

// TestDamagedOptions is for segments seen whose options have no form: nothing is lost of their bytes.
func TestDamagedOptions(t *testing.T) {
	for _, row := range []struct{ wire, text string }{
		{"02", "kind 2"},
		{"0200", "kind 2"},
		{"0201aabb", "kind 2 data 0xaabb"},
		{"0209aa", "kind 2 data 0xaa"},
		{"0505aabbcc", "kind 5 data 0xaabbcc"},
		{"0502", "kind 5"},
		{"fe03f9", "kind 254 data 0xf9"},
		{"fe05acc001", "kind 254 data 0xacc001"},
	} {
		wire, err := hex.DecodeString(row.wire)
		if err != nil {
			t.Fatal(err)
		}
		list := DecodeOptions(wire)
		if len(list) != 1 || list[0].String() != row.text {
			t.Errorf("%s is read as %v, want %s", row.wire, list, row.text)
		}
	}
}

func TestICMPNumbers(t *testing.T) {
	for _, row := range []struct {
		typ, code string
		v6        bool
		t, c      uint8
		ok        bool
	}{
		{"unreachable", "frag_needed", false, 3, 4, true},
		{"unreachable", "", false, 3, 0, true},
		{"unreachable", "port_unreachable", true, 1, 4, true},
		{"unreachable", "net_unreachable", true, 1, 0, true},
		{"unreachable", "frag_needed", true, 0, 0, false},
		{"packet_too_big", "", true, 2, 0, true},
		{"packet_too_big", "", false, 0, 0, false},
		{"type_200", "code_7", false, 200, 7, true},
		{"type_256", "", false, 0, 0, false},
		{"echo_request", "", true, 128, 0, true},
		{"echo_request", "code_1", false, 8, 1, true},
	} {
		m := ICMP{Type: row.typ, Code: row.code}
		typ, code, err := m.Numbers(row.v6)
		if typ != row.t || code != row.c || (err == nil) != row.ok {
			t.Errorf("%s %s, v6 %v: %d, %d, %v", row.typ, row.code, row.v6, typ, code, err)
		}
	}
	if typ, code := ICMPNames(false, 3, 4); typ != "unreachable" || code != "frag_needed" {
		t.Error(typ, code)
	}
	if typ, code := ICMPNames(true, 77, 1); typ != "type_77" || code != "code_1" {
		t.Error(typ, code)
	}
	if typ, code := ICMPNames(true, 2, 0); typ != "packet_too_big" || code != "" {
		t.Error(typ, code)
	}
}
