package wire

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A message is any of the five.
type message interface {
	Len() int
	Put(b []byte)
	Validate(src, dst Addr, hopLimit uint8) error
}

func parseMessage(b []byte) (message, error) {
	switch ICMP(b).Type() {
	case ICMPv6RouterSolicitation:
		m, err := ParseRouterSolicitation(b)
		return &m, err
	case ICMPv6RouterAdvertisement:
		m, err := ParseRouterAdvertisement(b)
		return &m, err
	case ICMPv6NeighborSolicitation:
		m, err := ParseNeighborSolicitation(b)
		return &m, err
	case ICMPv6NeighborAdvertisement:
		m, err := ParseNeighborAdvertisement(b)
		return &m, err
	case ICMPv6Redirect:
		m, err := ParseRedirect(b)
		return &m, err
	}
	return nil, ErrCode
}

var messages = []struct {
	name string
	b    []byte
	m    message
}{
	{"Router Solicitation", octets(hexRouterSolicitation), &RouterSolicitation{SourceLink: macA}},
	{"Router Advertisement", octets(hexRouterAdvertisement), &RouterAdvertisement{
		CurHopLimit: 64, Managed: true, OtherConfig: true, Preference: PreferenceHigh,
		RouterLifetime: 1800, ReachableTime: 30_000, RetransTimer: 1000, SourceLink: macA, MTU: 1500,
		Prefixes: []PrefixInformation{{Prefix: Addr{Hi: 0x2001_0db8 << 32}, PrefixLen: 64, OnLink: true, Autonomous: true,
			Valid: 2_592_000, Preferred: 604_800}},
		Routes: []RouteInformation{{Prefix: Addr{Hi: 0x2001_0db8_0001 << 16}, PrefixLen: 48, Preference: PreferenceLow,
			Lifetime: 3600}},
		DNSServers: []RDNSS{{3600, []Addr{doc1}}},
		DNSSearch:  []DNSSL{{InfiniteLifetime, []string{"corp.example", "lab.example"}}},
	}},
	{"Neighbor Solicitation", octets(hexNeighborSolicitation), &NeighborSolicitation{
		Target: doc1, SourceLink: macA, Nonce: Nonce{1, 2, 3, 4, 5, 6}, HasNonce: true,
	}},
	{"Neighbor Advertisement", octets(hexNeighborAdvertisement), &NeighborAdvertisement{
		Solicited: true, Override: true, Target: doc1, TargetLink: macA,
	}},
	{"Redirect", octets(hexRedirect), &Redirect{
		Target: link2, Destination: doc2, TargetLink: macB, Packet: octets(hexRedirect)[56:],
	}},
}

func TestMessages(t *testing.T) {
	for _, tt := range messages {
		got, err := parseMessage(tt.b)
		if err != nil || !reflect.DeepEqual(got, tt.m) {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, tt.m)
		}
		put := bytes.Repeat([]byte{0xee}, tt.m.Len())
		tt.m.Put(put)
		if !bytes.Equal(put, tt.b) {
			t.Errorf("%s: Put wrote\n%x, want\n%x", tt.name, put, tt.b)
		}

		// RFC 4861, 6.1.1 and the others: "ICMP Code is 0."
		b := slices.Clone(tt.b)
		b[1] = 1
		if _, err := parseMessage(b); !errors.Is(err, ErrCode) {
			t.Errorf("%s, code 1: error %v", tt.name, err)
		}
		// "The contents of the Reserved field, and of any unrecognized options, MUST be ignored."
		b = append(slices.Clone(tt.b), 200, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
		if got, err := parseMessage(b); err != nil || !reflect.DeepEqual(got, tt.m) {
			t.Errorf("%s, an unknown option: %+v, %v", tt.name, got, err)
		}
		// "All included options have a length that is greater than zero."
		b = append(slices.Clone(tt.b), 200, 0, 0, 0, 0, 0, 0, 0)
		if _, err := parseMessage(b); !errors.Is(err, ErrOption) {
			t.Errorf("%s, an option of length zero: error %v", tt.name, err)
		}
	}
}

func TestMessageWithoutOptions(t *testing.T) {
	for _, m := range []message{
		&RouterSolicitation{}, &RouterAdvertisement{RouterLifetime: 1}, &NeighborSolicitation{Target: doc1},
		&NeighborAdvertisement{Target: doc1, Router: true}, &Redirect{Target: doc2, Destination: doc2},
	} {
		b := bytes.Repeat([]byte{0xee}, m.Len())
		m.Put(b)
		if got, err := parseMessage(b); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%T: %+v, %v, want %+v", m, got, err, m)
		}
	}
}

func TestMessageAddresses(t *testing.T) {
	for _, tt := range []struct {
		m    message
		want error
	}{
		// RFC 4861, 7.1.1, 7.1.2: "Target Address is not a multicast address."
		{&NeighborSolicitation{Target: AllNodes6}, ErrAddress},
		{&NeighborAdvertisement{Target: AllNodes6}, ErrAddress},
		{&NeighborSolicitation{Target: test1}, ErrAddress},
		{&NeighborAdvertisement{Target: test1}, ErrAddress},
		// RFC 4861, 8.1: "The ICMP Destination Address field in the redirect message does not contain a multicast
		// address."
		{&Redirect{Target: AllNodes6, Destination: AllNodes6}, ErrAddress},
		{&Redirect{Target: test1, Destination: test1}, ErrAddress},
		// "The ICMP Target Address is either a link-local address (when redirected to a router) or the same as the ICMP
		// Destination Address".
		{&Redirect{Target: doc1, Destination: doc2}, ErrAddress},
		{&Redirect{Target: Addr4(169, 254, 0, 1), Destination: doc2}, ErrAddress},
		{&Redirect{Target: link1, Destination: doc2}, nil},
		{&Redirect{Target: doc2, Destination: doc2}, nil},
	} {
		b := make([]byte, tt.m.Len())
		tt.m.Put(b)
		if _, err := parseMessage(b); !errors.Is(err, tt.want) {
			t.Errorf("%+v: error %v, want %v", tt.m, err, tt.want)
		}
	}
}

func TestValidate(t *testing.T) {
	none := Addr{}
	for _, tt := range []struct {
		name     string
		m        message
		src, dst Addr
		hopLimit uint8
		want     error
	}{
		{"RS", &RouterSolicitation{SourceLink: macA}, link1, AllRouters6, 255, nil},
		{"RS forwarded", &RouterSolicitation{}, link1, AllRouters6, 254, ErrHopLimit},
		{"RS from ::", &RouterSolicitation{}, none, AllRouters6, 255, nil},
		{"RS from :: with an address", &RouterSolicitation{SourceLink: macA}, none, AllRouters6, 255, ErrOption},
		{"RA", &RouterAdvertisement{}, link1, AllNodes6, 255, nil},
		{"RA forwarded", &RouterAdvertisement{}, link1, AllNodes6, 1, ErrHopLimit},
		{"RA not from a link-local address", &RouterAdvertisement{}, doc1, AllNodes6, 255, ErrAddress},
		{"RA from ::", &RouterAdvertisement{}, none, AllNodes6, 255, ErrAddress},
		{"RA from IPv4 link-local", &RouterAdvertisement{}, Addr4(169, 254, 0, 1), AllNodes6, 255, ErrAddress},
		{"NS", &NeighborSolicitation{Target: doc1, SourceLink: macA}, doc2, doc1.SolicitedNode(), 255, nil},
		{"NS forwarded", &NeighborSolicitation{Target: doc1}, doc2, doc1, 0, ErrHopLimit},
		{"NS for DAD", &NeighborSolicitation{Target: doc1}, none, doc1.SolicitedNode(), 255, nil},
		{"NS from :: to unicast", &NeighborSolicitation{Target: doc1}, none, doc1, 255, ErrAddress},
		{"NS from :: to all nodes", &NeighborSolicitation{Target: doc1}, none, AllNodes6, 255, ErrAddress},
		{"NS from :: with an address", &NeighborSolicitation{Target: doc1, SourceLink: macA}, none, doc1.SolicitedNode(), 255, ErrOption},
		{"NA", &NeighborAdvertisement{Target: doc1, Solicited: true}, doc1, doc2, 255, nil},
		{"NA forwarded", &NeighborAdvertisement{Target: doc1}, doc1, doc2, 64, ErrHopLimit},
		{"NA unsolicited", &NeighborAdvertisement{Target: doc1}, doc1, AllNodes6, 255, nil},
		{"NA solicited to all nodes", &NeighborAdvertisement{Target: doc1, Solicited: true}, doc1, AllNodes6, 255, ErrAddress},
		{"Redirect", &Redirect{}, link1, doc1, 255, nil},
		{"Redirect forwarded", &Redirect{}, link1, doc1, 3, ErrHopLimit},
		{"Redirect not from a link-local address", &Redirect{}, doc2, doc1, 255, ErrAddress},
	} {
		if err := tt.m.Validate(tt.src, tt.dst, tt.hopLimit); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestNeighborSolicitationNonce(t *testing.T) {
	// RFC 3971, 5.3.2: the nonce is "at least 6 bytes"; a longer one is there, and is none of ours.
	b := append(octets(hexNeighborSolicitation)[:24], octets(`0e 02 0102030405060708090a0b0c0d0e`)...)
	if m, err := ParseNeighborSolicitation(b); err != nil || !m.HasNonce || m.Nonce != (Nonce{}) {
		t.Errorf("a nonce of 14 octets: %+v, %v", m, err)
	}
}

func TestOptionOfAnotherLength(t *testing.T) {
	// A link-layer address that is not an Ethernet address is one we do not know.
	b := append(octets(hexNeighborAdvertisement)[:24], octets(`02 02 02000000000a 0000000000000000`)...)
	if m, err := ParseNeighborAdvertisement(b); err != nil || m.TargetLink != (MAC{}) {
		t.Errorf("%+v, %v", m, err)
	}
	// The option of the other kind of message does not count (RFC 4861, 4.6.1).
	b = append(octets(hexNeighborAdvertisement)[:24], octets(`01 01 02000000000a`)...)
	if m, err := ParseNeighborAdvertisement(b); err != nil || m.TargetLink != (MAC{}) {
		t.Errorf("%+v, %v", m, err)
	}
	// The first counts.
	b = append(octets(hexNeighborAdvertisement), octets(`02 01 02000000000b`)...)
	if m, err := ParseNeighborAdvertisement(b); err != nil || m.TargetLink != macA {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestRouterAdvertisementOptions(t *testing.T) {
	const prefix64 = `20010db800000001`
	for _, tt := range []struct {
		name   string
		option string
		want   RouterAdvertisement
	}{
		{"MTU of 16 octets", `0502 0000 000005dc 0000000000000000`, RouterAdvertisement{}},
		{"Prefix Information of 24 octets", `0303 40c0 00000001 00000001 00000000` + prefix64, RouterAdvertisement{}},
		// RFC 4861, 4.6.2: "The value ranges from 0 to 128."
		{"a prefix of 129 bits", `0304 81c0 00000001 00000001 00000000` + prefix64 + prefix64, RouterAdvertisement{}},
		// "The bits in the prefix after the prefix length are [...] ignored by the receiver."
		{"bits behind the prefix", `0304 3080 00000001 00000002 00000000` + prefix64 + prefix64, RouterAdvertisement{
			Prefixes: []PrefixInformation{{Prefix: Addr{Hi: 0x2001_0db8 << 32}, PrefixLen: 48, OnLink: true, Valid: 1, Preferred: 2}},
		}},
		// RFC 4191, 2.3: "If Prefix Length is zero, then Length must be 1, 2, or 3."
		{"a default route", `1801 0008 00000001`, RouterAdvertisement{Routes: []RouteInformation{{Preference: PreferenceHigh, Lifetime: 1}}}},
		{"a default route of 24 octets", `1803 0000 00000001` + prefix64 + prefix64, RouterAdvertisement{Routes: []RouteInformation{{Lifetime: 1}}}},
		{"a route of 32 octets", `1804 0000 00000001` + prefix64 + prefix64 + prefix64, RouterAdvertisement{}},
		// "If Prefix Length is greater than 0, then Length must be 2 or 3."
		{"a route of 1 bit in 8 octets", `1801 0100 00000001`, RouterAdvertisement{}},
		// "If Prefix Length is greater than 64, then Length must be 3."
		{"a route of 65 bits in 16 octets", `1802 4100 00000001` + prefix64, RouterAdvertisement{}},
		{"a route of 128 bits", `1803 8018 00000001` + prefix64 + prefix64, RouterAdvertisement{
			Routes: []RouteInformation{{Prefix: Addr{0x2001_0db8_0000_0001, 0x2001_0db8_0000_0001}, PrefixLen: 128, Preference: PreferenceLow, Lifetime: 1}},
		}},
		{"a route of 129 bits", `1803 8100 00000001` + prefix64 + prefix64, RouterAdvertisement{}},
		// "If the Reserved (10) value is received, the Route Information Option MUST be ignored."
		{"a route of reserved preference", `1801 0010 00000001`, RouterAdvertisement{}},
		// RFC 8106, 5.1: "The minimum value is 3 [...] Every additional RDNSS address increases the length by 2."
		{"no server", `1901 0000 00000001`, RouterAdvertisement{}},
		{"a server and a half", `1904 0000 00000001` + prefix64 + prefix64 + prefix64, RouterAdvertisement{}},
		{"two servers", `1905 0000 00000001` + prefix64 + prefix64 + `0000000000000000 0000000000000001`, RouterAdvertisement{
			DNSServers: []RDNSS{{1, []Addr{{0x2001_0db8_0000_0001, 0x2001_0db8_0000_0001}, Loopback6}}},
		}},
		{"no domain", `1f02 0000 00000001 0000000000000000`, RouterAdvertisement{}},
		{"a compressed name", `1f02 0000 00000001 01 61 c008 00000000`, RouterAdvertisement{}},
		{"a name past the end", `1f02 0000 00000001 0161 0a62000000 00`, RouterAdvertisement{}},
		{"a name without an end", `1f02 0000 00000001 07 61626364656667`, RouterAdvertisement{}},
		{"a dot in a label", `1f02 0000 00000001 03 612e62 00 000000`, RouterAdvertisement{}},
		{"a line feed in a label", `1f02 0000 00000001 03 610a62 00 000000`, RouterAdvertisement{}},
		{"a name", `1f02 0000 00000001 03 612d62 00 000000`, RouterAdvertisement{DNSSearch: []DNSSL{{1, []string{"a-b"}}}}},
	} {
		b := append(octets(`86 00 0000 00 00 0000 00000000 00000000`), octets(tt.option)...)
		if got, err := ParseRouterAdvertisement(b); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestRouterPreference(t *testing.T) {
	// RFC 4191, 2.2: "If the Router Lifetime is zero, the preference value MUST be set to (00) by the sender and MUST be
	// ignored by the receiver. If the Reserved (10) value is received, the receiver MUST treat the value as if it were
	// (00)."
	for _, tt := range []struct {
		flags, lifetime byte
		want            Preference
	}{
		{0x00, 1, PreferenceMedium}, {0x08, 1, PreferenceHigh}, {0x18, 1, PreferenceLow}, {0x10, 1, PreferenceMedium},
		{0x08, 0, PreferenceMedium}, {0xff, 1, PreferenceLow},
	} {
		b := octets(`86 00 0000 00 00 0000 00000000 00000000`)
		b[5], b[7] = tt.flags, tt.lifetime
		if m, err := ParseRouterAdvertisement(b); err != nil || m.Preference != tt.want {
			t.Errorf("flags %02x, lifetime %d: %+v, %v", tt.flags, tt.lifetime, m, err)
		}
	}
	m := RouterAdvertisement{Preference: PreferenceHigh}
	b := make([]byte, m.Len())
	if m.Put(b); b[5] != 0 {
		t.Errorf("with a lifetime of zero, the flags are %02x", b[5])
	}
}

func TestRedirectQuote(t *testing.T) {
	// RFC 4861, 4.5: "As much as possible of the IP packet that triggered the sending of the Redirect without making the
	// redirect packet exceed the minimum MTU".
	m := Redirect{Target: link1, Destination: doc1, TargetLink: macA, Packet: bytes.Repeat([]byte{7}, 1500)}
	if n := m.Len(); n != IPv6MinMTU-IPv6Len {
		t.Errorf("Len = %d, want %d", n, IPv6MinMTU-IPv6Len)
	}
	b := make([]byte, m.Len())
	m.Put(b)
	got, err := ParseRedirect(b)
	if err != nil || !bytes.Equal(got.Packet, m.Packet[:1184]) {
		t.Errorf("%d octets of the packet are quoted, %v", len(got.Packet), err)
	}
	m.Packet = m.Packet[:63] // whole units of 8 octets
	b = make([]byte, m.Len())
	m.Put(b)
	if got, err := ParseRedirect(b); err != nil || len(got.Packet) != 56 {
		t.Errorf("%d octets of 63 are quoted, %v", len(got.Packet), err)
	}
}

func TestMasked(t *testing.T) {
	all := Addr{^uint64(0), ^uint64(0)}
	for n := range 129 {
		prefix := all.Netip()
		want, err := prefix.Prefix(n)
		if err != nil {
			t.Fatal(err)
		}
		if got := all.masked(uint8(n)); got != AddrFrom(want.Addr()) {
			t.Errorf("masked(%d) = %v, want %v", n, got, want.Addr())
		}
	}
}

func fuzzMessage(f *testing.F, name string, parse func([]byte) (message, error)) {
	addSeeds(f, name)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b)
		if err != nil {
			return
		}
		_ = m.Validate(link1, AllNodes6, NDHopLimit)
		put := make([]byte, m.Len())
		m.Put(put)
		got, err := parse(put)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%+v became %+v, %v", m, got, err)
		}
	})
}

func FuzzRouterSolicitation(f *testing.F) {
	fuzzMessage(f, "Router Solicitation", func(b []byte) (message, error) { m, err := ParseRouterSolicitation(b); return &m, err })
}

func FuzzRouterAdvertisement(f *testing.F) {
	fuzzMessage(f, "Router Advertisement", func(b []byte) (message, error) { m, err := ParseRouterAdvertisement(b); return &m, err })
}

func FuzzNeighborSolicitation(f *testing.F) {
	fuzzMessage(f, "Neighbor Solicitation", func(b []byte) (message, error) { m, err := ParseNeighborSolicitation(b); return &m, err })
}

func FuzzNeighborAdvertisement(f *testing.F) {
	fuzzMessage(f, "Neighbor Advertisement", func(b []byte) (message, error) { m, err := ParseNeighborAdvertisement(b); return &m, err })
}

func FuzzRedirect(f *testing.F) {
	addSeeds(f, "Redirect")
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseRedirect(b)
		if err != nil {
			return
		}
		put := make([]byte, m.Len())
		m.Put(put)
		got, err := ParseRedirect(put)
		// A longer packet than fits is quoted as far as it does.
		if err != nil || !bytes.HasPrefix(m.Packet, got.Packet) || len(put) > IPv6MinMTU-IPv6Len {
			t.Fatalf("%+v became %+v, %v", m, got, err)
		}
		m.Packet, got.Packet = nil, nil
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%+v became %+v", m, got)
		}
	})
}

func TestDNSNameLength(t *testing.T) {
	// RFC 1035, 2.3.4: names are "255 octets or less".
	label := append([]byte{63}, bytes.Repeat([]byte{'a'}, 63)...)
	fits := slices.Concat(label, label, label, label[:1], bytes.Repeat([]byte{'b'}, 61), []byte{0})
	fits[192] = 61
	if name, n := parseName(fits); n != 255 || len(name) != 253 || strings.Count(name, ".") != 3 {
		t.Errorf("a name of 255 octets: %q, %d", name, n)
	}
	// RFC 1035, 2.3.4: labels are "63 octets or less".
	if name, n := parseName(slices.Concat([]byte{64}, bytes.Repeat([]byte{'a'}, 64), []byte{0})); n != 0 {
		t.Errorf("a label of 64 octets: %q, %d", name, n)
	}
	long := slices.Concat(label, label, label, label, []byte{0})
	if name, n := parseName(long); n != 0 {
		t.Errorf("a name of 257 octets: %q, %d", name, n)
	}
}
