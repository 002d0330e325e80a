package pcapfilter

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/onlink-go/onlink/link"
)

// compile returns the program of expr.
func compile(t testing.TB, expr string, medium link.Medium, opt Options) []bpf.RawInstruction {
	t.Helper()
	raw, err := Compile(expr, medium, opt)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func listing(raw []bpf.RawInstruction) (lines []string) {
	program, _ := bpf.Disassemble(raw)
	for _, i := range program {
		lines = append(lines, fmt.Sprint(i))
	}
	return lines
}

// Programs ask nothing twice, and load nothing twice.
func TestPrograms(t *testing.T) {
	for _, row := range []struct {
		expr   string
		medium link.Medium
		want   []string
	}{
		{"", link.Ethernet, []string{"ret #262144"}},
		{"len < 0", link.Ethernet, []string{"ld #len", "jge #0,1", "ret #262144", "ret #0"}},
		{"arp", link.IP, []string{"ret #0"}},
		{"ip", link.IP, []string{"ldb [0]", "and #240", "jneq #64,1", "ret #262144", "ret #0"}},
		{"ip and tcp and not ip6", link.Ethernet, []string{"ldh [12]", "jneq #2048,3", "ldb [23]", "jneq #6,1", "ret #262144", "ret #0"}},
		{"tcp[tcpflags] & tcp-syn != 0", link.Ethernet, []string{"ldh [12]", "jneq #2048,8", "ldb [23]", "jneq #6,6", "ldh [20]", "jset #8191,4",
			"ldx 4*([14]&0xf)", "ldb [x + 27]", "jset #2,0,1", "ret #262144", "ret #0"}},
		{"vlan 5 and ip", link.Ethernet, []string{"ldh [12]", "jeq #33024,2", "jeq #34984,1", "jneq #37120,6", "ldh [14]", "and #4095", "jneq #5,3",
			"ldh [16]", "jneq #2048,1", "ret #262144", "ret #0"}},
	} {
		if got := listing(compile(t, row.expr, row.medium, Options{})); !slices.Equal(got, row.want) {
			t.Errorf("%q\n got %q\nwant %q", row.expr, got, row.want)
		}
	}
	// A second port costs two tests each of IPv4 and IPv6.
	one, two := len(compile(t, "port 80", link.Ethernet, Options{})), len(compile(t, "port 80 or 443", link.Ethernet, Options{}))
	if two-one > 8 {
		t.Errorf("port 80: %d instructions, port 80 or 443: %d", one, two)
	}
}

func TestOptions(t *testing.T) {
	run := func(expr string, opt Options, frame []byte) int {
		n, err := newVM(t, expr, compile(t, expr, link.Ethernet, opt)).Run(frame)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	frame := ethernet(2, 0, typeIPv4, packet4("192.0.2.1", "198.51.100.7", udp, 0, nil, transport(udp, 1)))
	if n := run("udp", Options{SnapLen: 64}, frame); n != 64 {
		t.Errorf("%d octets", n)
	}
	for _, row := range []struct {
		expr string
		opt  Options
		want bool
	}{
		{"ip broadcast", Options{}, false},
		{"ip broadcast", Options{Netmask: [4]byte{255, 255, 255, 248}}, true}, // 7 of 0 to 7
		{"ip broadcast", Options{Netmask: [4]byte{255, 255, 255, 240}}, false},
		{"inbound", Options{Direction: Inbound}, true},
		{"inbound", Options{Direction: Outbound}, false},
		{"outbound and udp", Options{Direction: Outbound}, true},
		{"not outbound and udp", Options{Direction: Outbound}, false},
	} {
		if got := run(row.expr, row.opt, frame) > 0; got != row.want {
			t.Errorf("%q, %+v: %v", row.expr, row.opt, got)
		}
	}
}

// Tests that must jump over more than 255 instructions do: every one of the ends is reached.
func TestLongJumps(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "tcp[4:4] = %d or ", i)
	}
	expr := "(" + b.String() + "tcp[4:4] = 1000) and tcp[8:4] = 7 or arp or ip6"
	raw := compile(t, expr, link.Ethernet, Options{})
	if !slices.ContainsFunc(raw, func(i bpf.RawInstruction) bool { return i.Op == 5 && i.K > 255 }) {
		t.Fatal("there is no long jump")
	}
	vm := newVM(t, expr, raw)
	segment := func(seq, ack uint32) []byte {
		b := transport(tcp, 0)
		be.PutUint32(b[4:], seq)
		be.PutUint32(b[8:], ack)
		return ethernet(0, 1, typeIPv4, packet4("192.0.2.1", "192.0.2.2", tcp, 0, nil, b))
	}
	for _, row := range []struct {
		frame []byte
		want  bool
	}{
		{segment(0, 7), true}, {segment(299, 7), true}, {segment(150, 7), true}, {segment(1000, 7), true}, {segment(300, 7), false}, {segment(0, 8), false},
		{ethernet(0, 1, typeIPv6, nil), true}, {ethernet(0, 1, typeARP, nil), true}, {ethernet(0, 1, 0x9999, nil), false},
	} {
		if n, err := vm.Run(row.frame); err != nil || n > 0 != row.want {
			t.Errorf("%x: %d, %v", row.frame, n, err)
		}
	}
}

// What Compile takes makes a program that can be run, and what it refuses has a place.
func FuzzCompile(f *testing.F) {
	for _, expr := range expressions {
		f.Add(expr)
	}
	for _, row := range wrong {
		f.Add(row.expr)
	}
	frames := sampleFrames(link.Ethernet)
	f.Fuzz(func(t *testing.T, expr string) {
		for _, medium := range []link.Medium{link.Ethernet, link.IP} {
			raw, err := Compile(expr, medium, Options{Direction: Inbound})
			if err != nil {
				if e, ok := err.(*Error); !ok || e.Offset > len(expr) || !strings.HasPrefix(expr[e.Offset:], e.Word) {
					t.Fatalf("%q: %#v", expr, err)
				}
				continue
			}
			vm := newVM(t, expr, raw)
			for i := 0; i < len(frames); i += 37 {
				if n, err := vm.Run(frames[i]); err != nil || n != 0 && n != DefaultSnapLen {
					t.Fatalf("%q: %d, %v", expr, n, err)
				}
			}
		}
	})
}

func ExampleCompile() {
	program, err := Compile("udp port 53", link.IP, Options{})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(program), "instructions")
	_, err = Compile("udp prot 53", link.IP, Options{})
	fmt.Println(err)
	// Output:
	// 23 instructions
	// filter "udp prot 53": "prot" at 5: and, or, or the end is expected
}
