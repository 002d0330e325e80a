package wire

import (
	"bytes"
	"errors"
	"testing"
)

func TestUDP(t *testing.T) {
	u, err := CheckUDP(append(octets(hexUDP), 0xee, 0xee)) // with what the Length does not count behind it
	if err != nil {
		t.Fatal(err)
	}
	if u.SrcPort() != 5000 || u.DstPort() != 53 || u.Length() != 12 || u.Checksum() != 0xc0de ||
		!bytes.Equal(u.Payload(), []byte{1, 2, 3, 4}) || len(u) != 12 {
		t.Errorf("%x", []byte(u))
	}
	got := bytes.Repeat([]byte{0xee}, UDPLen)
	PutUDP(got, 5000, 53, 12)
	if want := octets(`1388 0035 000c 0000`); !bytes.Equal(got, want) {
		t.Errorf("PutUDP wrote %x, want %x", got, want)
	}
	// RFC 768: "the minimum value of the length is eight".
	for length, want := range map[byte]error{0: ErrLength, 7: ErrLength, 8: nil, 12: nil, 13: ErrShort} {
		b := octets(hexUDP)
		b[5] = length
		if _, err := CheckUDP(b); !errors.Is(err, want) {
			t.Errorf("Length %d: error %v, want %v", length, err, want)
		}
	}
}

func TestTCP(t *testing.T) {
	b := append(octets(hexSYN), 'h', 'i')
	b[14], b[15], b[16], b[17], b[18], b[19] = 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc
	s, err := CheckTCP(b)
	if err != nil {
		t.Fatal(err)
	}
	if s.SrcPort() != 50000 || s.DstPort() != 80 || s.Seq() != 1 || s.Ack() != 0 || s.HeaderLen() != 40 || s.Flags() != SYN ||
		s.Window() != 0x1234 || s.Checksum() != 0x5678 || s.Urgent() != 0x9abc || len(s.Options()) != 20 || string(s.Payload()) != "hi" {
		t.Errorf("%x", []byte(s))
	}
	for offset, want := range map[byte]error{0: ErrLength, 4: ErrLength, 5: nil, 10: nil, 11: ErrShort, 15: ErrShort} {
		b[12] = offset << 4
		if _, err := CheckTCP(b); !errors.Is(err, want) {
			t.Errorf("Data Offset %d: error %v, want %v", offset, err, want)
		}
	}
}

func TestTCPFlagsString(t *testing.T) {
	for f, want := range map[TCPFlags]string{0: "-", SYN: "SYN", SYN | ACK: "SYN,ACK", 0x1ff: "FIN,SYN,RST,PSH,ACK,URG,ECE,CWR,AE"} {
		if got := f.String(); got != want {
			t.Errorf("%09b = %q, want %q", uint16(f), got, want)
		}
	}
}

var optionsOf = []struct {
	name string
	b    []byte
	o    TCPOptions
}{
	{"none", nil, TCPOptions{}},
	{"a SYN as Linux sends it", octets(hexSYN)[TCPMinLen:], TCPOptions{
		MSS: 1460, SACKPermitted: true, HasTimestamps: true, TSVal: 99, HasWindowScale: true, WindowScale: 7,
	}},
	{"a SYN without timestamps", octets(`020405b4 01010402 01030300`), TCPOptions{
		MSS: 1460, SACKPermitted: true, HasWindowScale: true,
	}},
	{"a SYN with an MSS", octets(`020405b4`), TCPOptions{MSS: 1460}},
	// RFC 7323, appendix A.
	{"timestamps", octets(`0101080a 00000001 fffffffe`), TCPOptions{HasTimestamps: true, TSVal: 1, TSEcr: 0xffff_fffe}},
	{"SACK and timestamps", octets(hexSACK)[TCPMinLen:], TCPOptions{
		HasTimestamps: true, TSVal: 100, TSEcr: 99, SACKCount: 2, SACK: [4]SACKBlock{{0x10, 0x20}, {0x30, 0x40}},
	}},
	{"three blocks and timestamps", octets(`0101080a 00000001 00000002
		0101051a 00000001 00000002 00000003 00000004 00000005 00000006`), TCPOptions{
		HasTimestamps: true, TSVal: 1, TSEcr: 2, SACKCount: 3, SACK: [4]SACKBlock{{1, 2}, {3, 4}, {5, 6}},
	}},
	{"four blocks", octets(`01010522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008`), TCPOptions{
		SACKCount: 4, SACK: [4]SACKBlock{{1, 2}, {3, 4}, {5, 6}, {7, 8}},
	}},
	// RFC 7413, 4.1.1.
	{"a request for a cookie", octets(`020405b4 2202 0101`), TCPOptions{MSS: 1460, FastOpen: FastOpenOption{Present: true}}},
	{"a cookie", octets(`2206 01020304 0101`), TCPOptions{FastOpen: FastOpenOption{
		Present: true, Len: 4, Cookie: [16]byte{1, 2, 3, 4}}}},
	{"a SYN with a cookie", octets(`020405b4 0402080a 00000001 00000000 01030307 220a 0102030405060708 0101`), TCPOptions{
		MSS: 1460, SACKPermitted: true, HasTimestamps: true, TSVal: 1, HasWindowScale: true, WindowScale: 7,
		FastOpen: FastOpenOption{Present: true, Len: 8, Cookie: [16]byte{1, 2, 3, 4, 5, 6, 7, 8}}}},
	{"the longest cookie", octets(`2212 0102030405060708090a0b0c0d0e0f10 0101`), TCPOptions{FastOpen: FastOpenOption{
		Present: true, Len: 16, Cookie: [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}}},
	{"the experimental request", octets(`fe04f989`), TCPOptions{FastOpen: FastOpenOption{Present: true, Experimental: true}}},
	{"the experimental cookie", octets(`fe08f989 01020304`), TCPOptions{FastOpen: FastOpenOption{
		Present: true, Experimental: true, Len: 4, Cookie: [16]byte{1, 2, 3, 4}}}},
}

// RFC 7413, 4.2.2: "If the SYN packet does not have enough option space for the Fast Open option, abort TFO".
func TestFastOpenWithoutRoom(t *testing.T) {
	o := optionsOf[len(optionsOf)-3].o // the longest cookie: 20 octets with padding
	if o.FastOpen.Len != 16 {
		t.Fatalf("%+v", o)
	}
	o.MSS, o.HasTimestamps, o.HasWindowScale = 1460, true, true // 20 octets
	if n := o.Len(); n != 40 {
		t.Errorf("Len = %d, want 40", n)
	}
	o.SACKCount, o.HasWindowScale = 1, false
	b := bytes.Repeat([]byte{0xee}, 41)
	if n := o.Len(); n != 28 {
		t.Errorf("Len = %d, want 28: the cookie is left out", n)
	}
	if o.Put(b); b[28] != 0xee {
		t.Errorf("Put wrote %x", b)
	}
}

func TestTCPOptions(t *testing.T) {
	for _, tt := range optionsOf {
		got := TCPOptions{MSS: 9, SACKCount: 3, HasTimestamps: true} // what is there before must not stay
		if err := ParseTCPOptions(tt.b, &got); err != nil || got != tt.o {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, tt.o)
		}
		put := bytes.Repeat([]byte{0xee}, tcpMaxOptionsLen+1)
		if n := tt.o.Len(); n != len(tt.b) {
			t.Errorf("%s: Len = %d, want %d", tt.name, n, len(tt.b))
		}
		tt.o.Put(put)
		if n := len(tt.b); !bytes.Equal(put[:n], tt.b) || put[n] != 0xee {
			t.Errorf("%s: Put wrote %x, want %x", tt.name, put, tt.b)
		}
	}
}

func TestParseTCPOptions(t *testing.T) {
	mss := TCPOptions{MSS: 1460}
	for _, tt := range []struct {
		name string
		b    string
		o    TCPOptions
		err  error
	}{
		// RFC 9293, 3.1: "receivers MUST be prepared to process options even if they do not begin on a word boundary"
		// (MUST-64).
		{"not aligned", `01 020405b4`, mss, nil},
		// "A TCP implementation MUST (MUST-6) ignore without error any TCP Option it does not implement".
		{"an unknown option", `fd06 01020304 020405b4`, mss, nil},
		{"the shortest unknown option", `fd02 020405b4`, mss, nil},
		{"End of Option List", `020405b4 00 05 ff`, mss, nil},
		// RFC 7413, 4.1.1: "Options with invalid Length values or without the SYN flag set MUST be ignored."
		{"a cookie of odd length", `2207 0102030405 020405b4`, mss, nil},
		{"a cookie too short", `2204 0102 020405b4`, mss, nil},
		{"a cookie too long", `2214 010203040506070801020304050607080102 020405b4`, mss, nil},
		{"another experiment", `fe061234 0102 020405b4`, mss, nil},
		{"an experiment without identifier", `fe03f9 020405b4`, mss, nil},
		{"five blocks, which no header holds", `052a` + `0000000100000002` + `0000000100000002` + `0000000100000002` +
			`0000000100000002` + `0000000300000004`, TCPOptions{SACKCount: 4, SACK: [4]SACKBlock{{1, 2}, {1, 2}, {1, 2}, {1, 2}}}, nil},
		// "TCP implementations MUST be prepared to handle an illegal option length (e.g., zero)" (MUST-7).
		{"length 0", `020405b4 fd00`, mss, ErrOption},
		{"length 1", `020405b4 fd01`, mss, ErrOption},
		{"no length", `020405b4 fd`, mss, ErrOption},
		{"length past the end", `020405b4 fd03`, mss, ErrOption},
		{"MSS of 3 octets", `020305 00`, TCPOptions{}, ErrOption},
		{"Window Scale of 2 octets", `0302`, TCPOptions{}, ErrOption},
		{"SACK-Permitted of 3 octets", `040300`, TCPOptions{}, ErrOption},
		{"SACK without a block", `0502`, TCPOptions{}, ErrOption},
		{"SACK with half a block", `0506 00000001`, TCPOptions{}, ErrOption},
		{"Timestamps of 6 octets", `0806 00000001`, TCPOptions{}, ErrOption},
	} {
		var got TCPOptions
		if err := ParseTCPOptions(octets(tt.b), &got); !errors.Is(err, tt.err) || got != tt.o {
			t.Errorf("%s: %+v, %v, want %+v, %v", tt.name, got, err, tt.o, tt.err)
		}
	}
}

func TestTCPOptionsFit(t *testing.T) {
	// RFC 2018, 3: "a maximum of 3 SACK blocks will be allowed" beside timestamps. Whatever is asked for, a header
	// never gets longer than its Data Offset can say.
	for bits := range 16 {
		for n := range 7 {
			o := TCPOptions{HasTimestamps: bits&1 != 0, SACKPermitted: bits&2 != 0, HasWindowScale: bits&4 != 0, SACKCount: uint8(n)}
			if bits&8 != 0 {
				o.MSS = 1460
			}
			length := o.Len()
			if length > 40 || length%4 != 0 {
				t.Errorf("%+v: Len = %d", o, length)
			}
			b := make([]byte, length)
			o.Put(b)
			var got TCPOptions
			if err := ParseTCPOptions(b, &got); err != nil {
				t.Errorf("%+v became %x: %v", o, b, err)
			}
			want := o
			want.SACKCount = min(want.SACKCount, 4)
			if o.HasTimestamps {
				want.SACKCount = min(want.SACKCount, 3)
			}
			for 4+8*int(want.SACKCount) > 40-o.withoutSACK() && want.SACKCount > 0 {
				want.SACKCount--
			}
			if got != want {
				t.Errorf("%+v became %+v", o, got)
			}
		}
	}
}

func TestTCPHeaderPut(t *testing.T) {
	for name, want := range map[string][]byte{"SYN": octets(hexSYN), "SACK": octets(hexSACK)} {
		s := TCP(want)
		h := TCPHeader{s.SrcPort(), s.DstPort(), s.Seq(), s.Ack(), s.Flags(), s.Window(), s.Urgent(), TCPOptions{}}
		if err := ParseTCPOptions(s.Options(), &h.Options); err != nil {
			t.Fatal(err)
		}
		got := bytes.Repeat([]byte{0xee}, h.Len())
		h.Put(got)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: Put wrote %x, want %x", name, got, want)
		}
	}
}

func FuzzUDP(f *testing.F) {
	addSeeds(f, "UDP")
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := CheckUDP(b)
		if err != nil {
			return
		}
		got := make([]byte, UDPLen)
		PutUDP(got, u.SrcPort(), u.DstPort(), u.Length())
		copy(got[UDPChecksumOffset:], u[UDPChecksumOffset:])
		if !bytes.Equal(append(got, u.Payload()...), b[:u.Length()]) {
			t.Errorf("%x became %x", b, got)
		}
	})
}

func FuzzTCP(f *testing.F) {
	addSeeds(f, "TCP S")
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := CheckTCP(b)
		if err != nil {
			return
		}
		h := TCPHeader{s.SrcPort(), s.DstPort(), s.Seq(), s.Ack(), s.Flags(), s.Window(), s.Urgent(), TCPOptions{}}
		if ParseTCPOptions(s.Options(), &h.Options) != nil {
			return
		}
		got := make([]byte, h.Len(), TCPMaxLen)
		h.Put(got)
		put, err := CheckTCP(append(got, s.Payload()...))
		if err != nil || put.SrcPort() != s.SrcPort() || put.DstPort() != s.DstPort() || put.Seq() != s.Seq() ||
			put.Ack() != s.Ack() || put.Flags() != s.Flags() || put.Window() != s.Window() ||
			put.Urgent() != s.Urgent() || !bytes.Equal(put.Payload(), s.Payload()) {
			t.Errorf("%x became %x, %v", b, []byte(put), err)
		}
	})
}

func FuzzTCPOptions(f *testing.F) {
	addSeeds(f, "TCP options")
	for _, tt := range optionsOf {
		f.Add(tt.b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var o, got TCPOptions
		if ParseTCPOptions(b, &o) != nil {
			return
		}
		put := make([]byte, o.Len())
		o.Put(put)
		if err := ParseTCPOptions(put, &got); err != nil {
			t.Fatalf("%+v became %x: %v", o, put, err)
		}
		// The blocks that did not fit beside the others are not there; a parsed array has stale blocks behind its count
		// if the option came twice.
		o.SACKCount = min(o.SACKCount, got.SACKCount)
		clear(o.SACK[o.SACKCount:])
		if n := o.withoutSACK(); o.FastOpen.len(n) == 0 || o.SACKCount > 0 && !got.FastOpen.Present {
			o.FastOpen = FastOpenOption{} // nor is the cookie
		}
		o.MD5 = false // a signature is the caller's to write
		if o != got || (len(b) <= 40 && len(put) > 40) {
			t.Errorf("%+v became %+v", o, got)
		}
	})
}
