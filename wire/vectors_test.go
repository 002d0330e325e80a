package wire

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// octets reads hexadecimal digits; white space does not count.
func octets(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

var (
	macA = MAC{0x02, 0, 0, 0, 0, 0x0a}
	macB = MAC{0x02, 0, 0, 0, 0, 0x0b}

	doc1  = Addr{0x2001_0db8 << 32, 1} // 2001:db8::1
	doc2  = Addr{0x2001_0db8 << 32, 2}
	link1 = Addr{0xfe80 << 48, 1} // fe80::1
	link2 = Addr{0xfe80 << 48, 2}

	test1 = Addr4(192, 0, 2, 1)
	test2 = Addr4(192, 0, 2, 2)
)

// The vectors: what the RFCs' diagrams give with the values the tests look for. All were read by tshark as
// what they are here.
const (
	hexEthernet = `3333 0000 0001 0200 0000 000a 86dd`

	hexARP = `0001 0800 06 04 0001  02000000000a c0000201  000000000000 c0000202`

	// A UDP datagram of 115 octets from 192.168.0.1 to 192.168.0.199.
	hexIPv4 = `45 00 0073 0000 4000 40 11 b861 c0a80001 c0a800c7`
	// With a Router Alert option, and 4 octets of IGMP behind it.
	hexIPv4Options = `46 c0 001c 1234 2003 01 02 4fcd c0000201 e0000016 94040000 11111111`

	hexIPv6 = `6ab12345 0004 3b 40 20010db8000000000000000000000001 20010db8000000000000000000000002 01020304`

	// Hop-by-Hop Options with Router Alert; Routing; Fragment, first; Authentication Header; Destination Options of 16
	// octets; UDP.
	hexExtensions = `2b 00 0502 0000 0100
		2c 00 03 00 00000000
		33 00 0001 01020304
		3c 01 0000 00000001
		00000002
		11 01 c904 01020304 01 04 00000000 0000
		1388 0035 0008 0000`

	hexFragment = `11 ff 0b59 89abcdef`

	hexUDP = `1388 0035 000c c0de 01020304`

	// A SYN as Linux sends it.
	hexSYN = `c350 0050 00000001 00000000 a0 02 faf0 0000 0000
		020405b4 0402080a 00000063 00000000 01030307`
	// An ACK with two SACK blocks.
	hexSACK = `0050 c350 0000ffff 00000002 d0 10 01f6 0000 0000
		0101080a 00000064 00000063 01010512 00000010 00000020 00000030 00000040`

	hexICMP = `08 00 0000 1234 0001 61626364`

	hexRouterSolicitation = `85 00 0000 00000000  01 01 02000000000a`

	hexRouterAdvertisement = `86 00 0000 40 c8 0708 00007530 000003e8
		01 01 02000000000a
		05 01 0000 000005dc
		03 04 40 c0 00278d00 00093a80 00000000 20010db8000000000000000000000000
		18 02 30 18 00000e10 20010db800010000
		19 03 0000 00000e10 20010db8000000000000000000000001
		1f 05 0000 ffffffff 04636f7270 076578616d706c65 00 036c6162 076578616d706c65 00 0000000000`

	hexNeighborSolicitation = `87 00 0000 00000000 20010db8000000000000000000000001
		01 01 02000000000a
		0e 01 010203040506`

	hexNeighborAdvertisement = `88 00 0000 60000000 20010db8000000000000000000000001
		02 01 02000000000a`

	hexRedirect = `89 00 0000 00000000 fe800000000000000000000000000002 20010db8000000000000000000000002
		02 01 02000000000b
		04 06 0000 00000000 60000000 0000 3b 40 20010db8000000000000000000000001 20010db8000000000000000000000002`
)

// parsed makes a parser one that only tells of errors.
func parsed[T any](parse func([]byte) (T, error)) func([]byte) error {
	return func(b []byte) error { _, err := parse(b); return err }
}

func parseOptionsOnly(b []byte) error { return ParseTCPOptions(b, new(TCPOptions)) }

func parseExtensions(b []byte) error {
	it := WalkExt(ProtoHopByHop, b)
	for it.Next() {
	}
	return it.Err()
}

func parseIPv4Options(b []byte) error {
	it := WalkIPv4Options(b)
	for it.Next() {
	}
	return it.Err()
}

func parseIPv6Options(b []byte) error {
	it := WalkIPv6Options(b)
	for it.Next() {
	}
	return it.Err()
}

// vectors is every parser with something to parse. A vector cut to one of the lengths in whole is a message too: that
// of a list which ends earlier, of a header whose payload is somebody else's to count.
var vectors = []struct {
	name  string
	b     []byte
	parse func([]byte) error
	whole []int
}{
	{"Ethernet", octets(hexEthernet), parsed(CheckEthernet), nil},
	{"ARP", octets(hexARP), parsed(ParseARP), nil},
	{"IPv4", append(octets(hexIPv4), make([]byte, 95)...), parsed(CheckIPv4), nil},
	{"IPv4 with options", octets(hexIPv4Options), parsed(CheckIPv4), nil},
	{"IPv4 quoted", octets(hexIPv4), parsed(CheckIPv4Quoted), nil},
	{"IPv4 options", octets(`94040000 01 07 07 04 00000000 00`), parseIPv4Options, []int{0, 4, 5, 12}},
	{"IPv6", octets(hexIPv6), parsed(CheckIPv6), nil},
	{"IPv6 quoted", octets(hexIPv6)[:IPv6Len], parsed(CheckIPv6Quoted), nil},
	{"extension headers", octets(hexExtensions)[:52], parseExtensions, nil},
	{"IPv6 options", octets(`1101 c904 01020304 01 04 00000000 00 00`), parseIPv6Options, []int{0, 1, 2, 8, 14, 15}},
	{"Fragment", octets(hexFragment), parsed(ParseFragment), nil},
	{"UDP", octets(hexUDP), parsed(CheckUDP), nil},
	{"TCP SYN", octets(hexSYN), parsed(CheckTCP), nil},
	{"TCP SACK", octets(hexSACK), parsed(CheckTCP), nil},
	{"TCP options of a SYN", octets(hexSYN)[TCPMinLen:], parseOptionsOnly, []int{0, 4, 6, 16, 17}},
	{"TCP options with SACK", octets(hexSACK)[TCPMinLen:], parseOptionsOnly, []int{0, 1, 2, 12, 13, 14}},
	{"ICMP", octets(hexICMP)[:ICMPLen], parsed(CheckICMP), nil},
	{"Router Solicitation", octets(hexRouterSolicitation), parsed(ParseRouterSolicitation), []int{8}},
	{"Router Advertisement", octets(hexRouterAdvertisement), parsed(ParseRouterAdvertisement), []int{16, 24, 32, 64, 80, 104}},
	{"Neighbor Solicitation", octets(hexNeighborSolicitation), parsed(ParseNeighborSolicitation), []int{24, 32}},
	{"Neighbor Advertisement", octets(hexNeighborAdvertisement), parsed(ParseNeighborAdvertisement), []int{24}},
	{"Redirect", octets(hexRedirect), parsed(ParseRedirect), []int{40, 48}},
}

func TestTruncated(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			if err := v.parse(v.b); err != nil {
				t.Fatalf("the whole vector: %v", err)
			}
			for n := range v.b {
				err := v.parse(slices.Clip(v.b[:n]))
				if whole := slices.Contains(v.whole, n); (err == nil) != whole {
					t.Errorf("%d of %d octets: error %v", n, len(v.b), err)
				}
			}
		})
	}
}

// TestGarbled changes each bit of each vector: nothing may panic, whatever it is then.
func TestGarbled(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			for i := range v.b {
				for bit := range 8 {
					b := slices.Clone(v.b)
					b[i] ^= 1 << bit
					_ = v.parse(b)
				}
			}
		})
	}
}

// addSeeds gives a fuzz target the vectors that begin with name.
func addSeeds(f *testing.F, name string) {
	n := 0
	for _, v := range vectors {
		if strings.HasPrefix(v.name, name) {
			f.Add(v.b)
			n++
		}
	}
	if n == 0 {
		f.Fatalf("no vector is named %q", name)
	}
}
