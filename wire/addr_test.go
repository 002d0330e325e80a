package wire

import (
	"net"
	"net/netip"
	"testing"
)

func addr(s string) Addr { return AddrFrom(netip.MustParseAddr(s)) }

func TestAddr(t *testing.T) {
	for _, s := range []string{"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2", "ff02::1", "::192.0.2.1",
		"::fffe:c000:201", "0:0:0:1:0:ffff:c000:201"} {
		want := netip.MustParseAddr(s)
		a := AddrFrom(want)
		if a.Netip() != want || a.String() != want.String() {
			t.Errorf("%s became %v", want, a)
		}
		if a.Is4() != want.Is4() || a.IsUnspecified() != want.IsUnspecified() || a.IsLoopback() != want.IsLoopback() ||
			a.IsMulticast() != want.IsMulticast() || a.IsLinkLocal() != want.IsLinkLocalUnicast() {
			t.Errorf("%s: 4 %v unspecified %v loopback %v multicast %v link-local %v", s,
				a.Is4(), a.IsUnspecified(), a.IsLoopback(), a.IsMulticast(), a.IsLinkLocal())
		}
		var b [16]byte
		if a.Put16(b[:]); AddrFrom16(b[:]) != a {
			t.Errorf("%s: Put16 wrote %x", s, b)
		}
		if a.Is4() {
			if a.Put4(b[:]); AddrFrom4(b[:]) != a || netip.AddrFrom4([4]byte(b[:])) != want {
				t.Errorf("%s: Put4 wrote %x", s, b[:4])
			}
		}
	}
	if a := addr("fe80::1%eth0"); a != link1 {
		t.Errorf("with a zone: %v", a)
	}
	if (AddrFrom(netip.Addr{}) != Addr{}) {
		t.Error("the zero netip.Addr is not the zero Addr")
	}
	if addr("192.0.2.1") != test1 || addr("::ffff:192.0.2.1") != test1 || addr("::1") != Loopback6 || addr("127.0.0.1") != Loopback4 {
		t.Error("an address with a name is another")
	}
}

func TestAddrKinds(t *testing.T) {
	for _, tt := range []struct {
		s                                         string
		linkLocal, linkLocalMulticast, needsScope bool
	}{
		{"169.254.0.1", true, false, false},
		{"169.253.255.255", false, false, false},
		{"224.0.0.251", false, true, false},
		{"224.0.1.1", false, false, false},
		{"fe80::1", true, false, true},
		{"febf:ffff::1", true, false, true},
		{"fec0::1", false, false, false},
		{"ff01::1", false, true, true},
		{"ff02::2", false, true, true},
		{"ff12::2", false, true, true},
		{"ff05::2", false, false, false},
		{"2001:db8::1", false, false, false},
	} {
		a := addr(tt.s)
		if a.IsLinkLocal() != tt.linkLocal || a.IsLinkLocalMulticast() != tt.linkLocalMulticast || a.NeedsScope() != tt.needsScope {
			t.Errorf("%s: link-local %v, multicast %v, needs a scope %v", tt.s, a.IsLinkLocal(), a.IsLinkLocalMulticast(), a.NeedsScope())
		}
	}
}

func TestGroups(t *testing.T) {
	// RFC 4291, 2.7.1: "the Solicited-Node multicast address corresponding to the IPv6 address 4037::01:800:200E:8C6C is FF02::1:FF0E:8C6C."
	if got := addr("4037::01:800:200e:8c6c").SolicitedNode(); got != addr("ff02::1:ff0e:8c6c") {
		t.Errorf("SolicitedNode = %v", got)
	}
	for s, want := range map[string]MAC{
		"ff02::1:ff0e:8c6c": {0x33, 0x33, 0xff, 0x0e, 0x8c, 0x6c}, // RFC 2464, 7
		"ff02::1":           {0x33, 0x33, 0, 0, 0, 1},
		"224.0.0.251":       {1, 0, 0x5e, 0, 0, 0xfb}, // RFC 1112, 6.4
		"239.255.1.2":       {1, 0, 0x5e, 0x7f, 1, 2},
	} {
		if got := addr(s).MulticastMAC(); got != want {
			t.Errorf("MulticastMAC of %s = %v, want %v", s, got, want)
		}
	}
}

func TestMAC(t *testing.T) {
	m := MAC{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}
	// RFC 2464, 4: "the Interface Identifier for an Ethernet interface whose built-in address is, in hexadecimal,
	// 34-56-78-9A-BC-DE would be 36-56-78-FF-FE-9A-BC-DE."
	if got := m.InterfaceID(); got != 0x3656_78ff_fe9a_bcde {
		t.Errorf("InterfaceID = %x", got)
	}
	if got := MACFromUint64(m.Uint64()); got != m || m.Uint64() != 0x3456_789a_bcde {
		t.Errorf("Uint64 = %x, and back %v", m.Uint64(), got)
	}
	if got, want := m.String(), net.HardwareAddr(m[:]).String(); got != want {
		t.Errorf("String = %s, want %s", got, want)
	}
	if m.IsMulticast() || !BroadcastMAC.IsMulticast() || !AllNodes6.MulticastMAC().IsMulticast() {
		t.Error("IsMulticast does not look at the I/G bit")
	}
}

// In JSON, and whatever else is written as text, a MAC is read as it was written.
func TestMACText(t *testing.T) {
	for _, m := range []MAC{{}, {2, 0, 0, 0, 0, 0xfe}, BroadcastMAC} {
		b, err := m.MarshalText()
		var got MAC
		if err != nil || got.UnmarshalText(b) != nil || got != m || m != (MAC{}) && string(b) != m.String() {
			t.Errorf("%v: %q, %v: %v", m, b, err, got)
		}
	}
	for _, bad := range []string{"02:00:00:00:00", "02:00:00:00:00:0g", "x", "02:00:00:00:00:00:01"} {
		if m := (MAC{1}); m.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is read as %v", bad, m)
		}
	}
}
