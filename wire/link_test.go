package wire

import (
	"bytes"
	"errors"
	"testing"
)

func TestEthernet(t *testing.T) {
	b := append(octets(hexEthernet), 1, 2, 3)
	e, err := CheckEthernet(b)
	if err != nil {
		t.Fatal(err)
	}
	if e.Dst() != AllNodes6.MulticastMAC() || e.Src() != macA || e.EtherType() != EtherTypeIPv6 {
		t.Errorf("%v from %v, type %04x", e.Dst(), e.Src(), e.EtherType())
	}
	if !bytes.Equal(e.Payload(), []byte{1, 2, 3}) {
		t.Errorf("Payload = %x", e.Payload())
	}
	got := make([]byte, EthernetLen)
	PutEthernet(got, e.Dst(), e.Src(), e.EtherType())
	if !bytes.Equal(got, b[:EthernetLen]) {
		t.Errorf("PutEthernet wrote %x, want %x", got, b[:EthernetLen])
	}
}

func TestARP(t *testing.T) {
	b := octets(hexARP)
	a, err := ParseARP(append(b, make([]byte, 18)...)) // padded to the shortest frame
	if err != nil {
		t.Fatal(err)
	}
	want := ARP{Op: ARPRequest, SenderMAC: macA, SenderIP: test1, TargetIP: test2}
	if a != want {
		t.Errorf("ParseARP = %+v, want %+v", a, want)
	}
	got := bytes.Repeat([]byte{0xee}, ARPLen)
	a.Put(got)
	if !bytes.Equal(got, b) {
		t.Errorf("Put wrote %x, want %x", got, b)
	}

	// A probe, RFC 5227, 1.1: "The 'sender IP address' field MUST be set to all zeroes".
	for _, zero := range []Addr{{}, Unspecified4} {
		a.SenderIP = zero
		a.Put(got)
		if p, err := ParseARP(got); err != nil || p.SenderIP != Unspecified4 {
			t.Errorf("probe: %+v, %v", p, err)
		}
	}
}

func TestARPOtherHardware(t *testing.T) {
	// IEEE 802 networks have a number of their own (RFC 1042), and the same addresses.
	b := octets(hexARP)
	b[1] = 6
	if m, err := ParseARP(b); err != nil || m.Op == 0 {
		t.Errorf("hardware type 6: %+v, %v", m, err)
	}
	for i := range 6 { // ar$hrd, ar$pro, ar$hln, ar$pln
		b := octets(hexARP)
		b[i] ^= 1
		if _, err := ParseARP(b); !errors.Is(err, ErrHardware) {
			t.Errorf("octet %d changed: error %v, want %v", i, err, ErrHardware)
		}
	}
}

func FuzzEthernet(f *testing.F) {
	addSeeds(f, "Ethernet")
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := CheckEthernet(b)
		if err != nil {
			return
		}
		got := make([]byte, EthernetLen)
		PutEthernet(got, e.Dst(), e.Src(), e.EtherType())
		if !bytes.Equal(append(got, e.Payload()...), b) {
			t.Errorf("%x became %x", b, got)
		}
	})
}

func FuzzARP(f *testing.F) {
	addSeeds(f, "ARP")
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseARP(b)
		if err != nil {
			return
		}
		got := make([]byte, ARPLen)
		a.Put(got)
		got[1] = b[1] // of IEEE 802 networks is taken too, but not made
		if !bytes.Equal(got, b[:ARPLen]) || b[1] != 1 && b[1] != 6 {
			t.Errorf("%x became %x", b[:ARPLen], got)
		}
	})
}
