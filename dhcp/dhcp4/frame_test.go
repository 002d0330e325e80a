package dhcp4

import (
	"bytes"
	"reflect"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink/wire"
)

func testDatagram() *datagram {
	return &datagram{srcMAC: testMAC, dstMAC: wire.BroadcastMAC, src: server1, dst: broadcastAddr, srcPort: ServerPort, dstPort: ClientPort,
		payload: []byte("an odd payload.")}
}

// What is made is read; of what is not a whole and good datagram, nothing is.
func TestDatagram(t *testing.T) {
	d := testDatagram()
	b := d.append(nil)
	var got datagram
	if !got.parse(b) || !reflect.DeepEqual(&got, d) {
		t.Fatalf("%+v", got)
	}
	if !got.parse(append(bytes.Clone(b), 0, 0, 0)) || string(got.payload) != "an odd payload." { // Ethernet pads
		t.Errorf("%q", got.payload)
	}
	for n := range b {
		if got.parse(b[:n]) {
			t.Errorf("%d of %d octets are enough", n, len(b))
		}
	}
	const ip = wire.EthernetLen
	for name, change := range map[string]func(b []byte){
		"EtherType":       func(b []byte) { b[12]++ },
		"IP version":      func(b []byte) { b[ip] = 0x65 },
		"header checksum": func(b []byte) { b[ip+10]++ },
		"TTL, unnoticed":  func(b []byte) { b[ip+8]++ },
		"UDP checksum":    func(b []byte) { b[ip+26]++ },
		"payload":         func(b []byte) { b[len(b)-1]++ },
		"fragment": func(b []byte) {
			h := wire.IPv4Header{TotalLen: len(b) - ip, TTL: ttl, Protocol: wire.ProtoUDP, Src: wireAddr(server1), Dst: wireAddr(broadcastAddr), MoreFragments: true}
			h.Put(b[ip:])
		},
		"protocol": func(b []byte) {
			h := wire.IPv4Header{TotalLen: len(b) - ip, TTL: ttl, Protocol: wire.ProtoTCP, Src: wireAddr(server1), Dst: wireAddr(broadcastAddr)}
			h.Put(b[ip:])
		},
	} {
		c := bytes.Clone(b)
		change(c)
		if got.parse(c) {
			t.Errorf("read in spite of a wrong %s", name)
		}
	}
	// RFC 768: "An all zero transmitted checksum value means that the transmitter generated no checksum".
	b[ip+26], b[ip+27] = 0, 0
	if !got.parse(b) {
		t.Error("not read without a UDP checksum")
	}
}

// The filter has what is for the port, in packets with options in front of it too, and first fragments, but not what cannot be.
func TestPortFilter(t *testing.T) {
	raw := portFilter(ClientPort)
	program, all := bpf.Disassemble(raw)
	if !all {
		t.Fatal("not a program")
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	const ip = wire.EthernetLen
	for name, tt := range map[string]struct {
		change func(b []byte) []byte
		want   bool
	}{
		"as it is":       {func(b []byte) []byte { return b }, true},
		"other port":     {func(b []byte) []byte { b[ip+23]++; return b }, false},
		"other protocol": {func(b []byte) []byte { b[ip+9] = wire.ProtoTCP; return b }, false},
		"first fragment": {func(b []byte) []byte { b[ip+6] |= 0x20; return b }, true},
		"later fragment": {func(b []byte) []byte { b[ip+7] = 1; return b }, false},
		"options": {func(b []byte) []byte {
			b[ip] = 0x46
			return append(b[:ip+20:ip+20], append([]byte{1, 1, 1, 1}, b[ip+20:]...)...)
		}, true},
		"too short": {func(b []byte) []byte { return b[:ip+22] }, false},
	} {
		n, err := vm.Run(tt.change(testDatagram().append(nil)))
		if err != nil || (n > 0) != tt.want {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

// Whatever comes, nothing panics.
func FuzzDatagram(f *testing.F) {
	f.Add(testDatagram().append(nil))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var d datagram
		if d.parse(b) {
			d.append(nil)
		}
	})
}
