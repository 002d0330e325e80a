package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
)

// extension returns an extension structure with the given objects and its checksum.
func extension(objects ...[]byte) []byte {
	b := append([]byte{icmpExtVersion << 4, 0, 0, 0}, bytes.Join(objects, nil)...)
	binary.BigEndian.PutUint16(b[2:], ^Checksum(b, 0))
	return b
}

// object returns an extension object.
func object(class, typ uint8, data ...byte) []byte {
	return append([]byte{0, byte(4 + len(data)), class, typ}, data...)
}

// extended returns an ICMP error of the given type, its quoted packet of n octets, an extension structure behind it, and the
// length attribute where its family has it.
func extended(four bool, typ uint8, n int, ext []byte) ICMP {
	m := make([]byte, ICMPLen+n, ICMPLen+n+len(ext))
	m[0] = typ
	if four {
		m[5] = byte(n / 4)
	} else {
		m[4] = byte(n / 8)
	}
	return append(m, ext...)
}

func TestICMPExtensions(t *testing.T) {
	labels := object(ICMPClassMPLS, 1, 0x00, 0x01, 0x0a, 0x01, 0xff, 0xff, 0xf1, 0xfe)
	good := extension(labels, object(200, 7))
	unsummed := bytes.Clone(good)
	unsummed[2], unsummed[3] = 0, 0
	wrong := bytes.Clone(good)
	wrong[3]++
	version := bytes.Clone(unsummed)
	version[0] = 0x10
	tests := []struct {
		name    string
		m       ICMP
		four    bool
		quoted  int
		objects int
		err     error
	}{
		{"time exceeded", extended(true, ICMPv4TimeExceeded, 128, good), true, 128, 2, nil},
		{"unreachable", extended(true, ICMPv4DestUnreachable, 132, good), true, 132, 2, nil},
		{"parameter problem", extended(true, ICMPv4ParamProblem, 128, good), true, 128, 2, nil},
		{"v6 time exceeded", extended(false, ICMPv6TimeExceeded, 128, good), false, 128, 2, nil},
		{"v6 unreachable", extended(false, ICMPv6DestUnreachable, 1016, good), false, 1016, 2, nil},
		{"no checksum", extended(true, ICMPv4TimeExceeded, 128, unsummed), true, 128, 2, nil},
		// RFC 4884, 4.6: the structure "MUST NOT be appended to any of the other ICMP messages".
		{"v6 too big has none", extended(false, ICMPv6PacketTooBig, 128, good), false, 128 + len(good), 0, nil},
		{"v6 parameter problem has none", extended(false, ICMPv6ParamProblem, 128, good), false, 128 + len(good), 0, nil},
		{"redirect has none", extended(true, ICMPv4Redirect, 128, good), true, 128 + len(good), 0, nil},
		// 5.4: "If the length attribute is zero, the compliant application MUST determine that the message contains no extensions."
		{"no length", append(ICMP{ICMPv4TimeExceeded, 7: 0}, make([]byte, 128)...), true, 128, 0, nil},
		{"length under 128", extended(true, ICMPv4TimeExceeded, 124, good), true, 124 + len(good), 0, nil},
		{"length over the message", append(ICMP{ICMPv4TimeExceeded, 5: 40, 7: 0}, make([]byte, 128)...), true, 128, 0, nil},
		{"wrong checksum", extended(true, ICMPv4TimeExceeded, 128, wrong), true, 128, 0, ErrChecksum},
		{"wrong version", extended(true, ICMPv4TimeExceeded, 128, version), true, 128, 0, ErrVersion},
		{"nothing there", extended(true, ICMPv4TimeExceeded, 128, nil), true, 128, 0, ErrShort},
		{"object too short", extended(true, ICMPv4TimeExceeded, 128, extension([]byte{0, 3, 1, 1})), true, 128, 0, ErrLength},
		{"object beyond the end", extended(true, ICMPv4TimeExceeded, 128, extension([]byte{0, 8, 1, 1})), true, 128, 0, ErrShort},
		{"object header cut", extended(true, ICMPv4TimeExceeded, 128, extension([]byte{0, 8})), true, 128, 0, ErrShort},
	}
	for _, tt := range tests {
		quoted, objects, err := tt.m.Extensions(tt.four)
		n := 0
		for _, ok := objects.Next(); ok; _, ok = objects.Next() {
			n++
		}
		if len(quoted) != tt.quoted || n != tt.objects || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d octets quoted, %d objects, %v; want %d, %d, %v", tt.name, len(quoted), n, err, tt.quoted, tt.objects, tt.err)
		}
	}
}

func TestICMPObjects(t *testing.T) {
	// RFC 4950: label, EXP, S, TTL.
	o := ICMPObject{ICMPClassMPLS, 1, []byte{0x00, 0x01, 0x0a, 0x01, 0xff, 0xff, 0xf1, 0xfe}}
	want := []MPLSLabel{{Label: 16, Class: 5, TTL: 1}, {Label: 0xfffff, Last: true, TTL: 254}}
	if got := o.MPLSLabels(); !reflect.DeepEqual(got, want) {
		t.Errorf("labels %v, want %v", got, want)
	}
	name := []byte("\x08eth0\x00\x00\x00")
	six := doc1.Netip().As16()
	all := append([]byte{0, 0, 0, 3, 0, 2, 0, 0}, six[:]...)
	all = append(append(all, name...), 0, 0, 5, 0xdc)
	infos := []struct {
		name string
		typ  uint8
		data []byte
		ok   bool
		want InterfaceInfo
	}{
		{"all", 2<<6 | 15, all, true, InterfaceInfo{RoleOutgoing, 3, doc1, []byte("eth0"), 1500}},
		{"index", 8, []byte{0, 0, 0, 9}, true, InterfaceInfo{Index: 9}},
		{"address", 3<<6 | 4, []byte{0, 1, 0, 0, 192, 0, 2, 1}, true, InterfaceInfo{Role: RoleNextHop, Addr: AddrFrom4([]byte{192, 0, 2, 1})}},
		{"nothing", 1 << 6, nil, true, InterfaceInfo{Role: RoleSubArrived}},
		{"index cut", 8, []byte{0, 0, 9}, false, InterfaceInfo{}},
		{"family unknown", 4, []byte{0, 9, 0, 0, 192, 0, 2, 1}, false, InterfaceInfo{}},
		{"name of no length", 2, []byte{0, 0, 0, 0}, false, InterfaceInfo{}},
		{"name too long", 2, append([]byte{65}, make([]byte, 70)...), false, InterfaceInfo{}},
		{"name cut", 2, []byte{8, 'e'}, false, InterfaceInfo{}},
		{"MTU cut", 1, []byte{5, 0xdc}, false, InterfaceInfo{}},
	}
	for _, tt := range infos {
		o := ICMPObject{ICMPClassInterface, tt.typ, tt.data}
		got, ok := o.Interface()
		if ok != tt.ok || ok && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v; want %+v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

// FuzzICMPExtensions: objects lie within the structure one behind the other, and no octets make a parser panic.
func FuzzICMPExtensions(f *testing.F) {
	f.Add(true, []byte(extended(true, ICMPv4TimeExceeded, 128, extension(object(ICMPClassMPLS, 1, 0, 1, 10, 1)))))
	f.Add(false, []byte(extended(false, ICMPv6TimeExceeded, 128, extension(object(ICMPClassInterface, 10, 0, 0, 0, 3, 4, 'e', 't', 'h')))))
	f.Fuzz(func(t *testing.T, four bool, b []byte) {
		m, err := CheckICMP(b)
		if err != nil {
			return
		}
		quoted, objects, err := m.Extensions(four)
		n := len(quoted)
		if len(objects) > 0 || err == nil && n < len(m.Body()) {
			n += icmpExtHeaderLen
		}
		for o, ok := objects.Next(); ok; o, ok = objects.Next() {
			n += icmpObjectLen + len(o.Data)
			o.MPLSLabels()
			o.Interface()
		}
		if err == nil && n != len(m.Body()) {
			t.Errorf("%d octets of %d are told of", n, len(m.Body()))
		}
	})
}
