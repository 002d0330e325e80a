package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/wire"
)

// call runs the program and returns its exit code and what it printed.
func runCapture(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = (&invocation{append([]string{"capture"}, args...), strings.NewReader(""), &o, &e}).run(t.Context())
	return code, o.String(), e.String()
}

// In the lab something happens, which is captured as lines and as pcapng; a filter and a count choose.
func TestCaptureInLab(t *testing.T) {
	code, all, errs := runCapture(t, "--node", "client")
	lines := strings.Split(strings.TrimSuffix(all, "\n"), "\n")
	for _, want := range []string{"ARP, Request who-has 192.0.2.1 tell 192.0.2.2, length 28", "IP 192.0.2.2 > 198.51.100.2: ICMP echo request",
		".7: Flags [S], seq ", "IP6 2001:db8:2::2 > 2001:db8:1::2: ICMP6, echo reply, id", ".7: UDP, length 1000"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	if code != 0 || !strings.HasPrefix(errs, "listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n") ||
		!strings.HasSuffix(errs, "\n"+counted(uint64(len(lines)))+" captured\n"+counted(uint64(len(lines)))+" received by filter\n0 packets dropped\n") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	count := func(want func(string) bool) (n int) {
		for _, l := range lines {
			if want(l) {
				n++
			}
		}
		return n
	}
	for _, row := range []struct {
		args []string
		want int
	}{
		{[]string{"icmp"}, 2},
		{[]string{"tcp", "port", "7", "and", "ip6"}, count(func(l string) bool { return strings.Contains(l, "IP6") && strings.Contains(l, "Flags") })},
		{[]string{"-Q", "out", "arp or icmp"}, 2},
		{[]string{"-Q", "in", "arp or icmp"}, 2},
		{[]string{"inbound and icmp"}, 1},
		{[]string{"-i", "any", "outbound and icmp"}, 1},
		{[]string{"-i", "any", "-c", "3"}, 3},
		{[]string{"-c3", "-e", "-tttt", "udp"}, 3},
		{[]string{"-i", "lo"}, 0},
		{[]string{"ip broadcast"}, 0},
		{[]string{"-nni", "eth0", "-s", "0", "icmp"}, 2},
		{[]string{"-i", "any", "ether", "src", "02:00:00:00:00:01", "and", "icmp"}, 1},
	} {
		code, out, errs := runCapture(t, append([]string{"--node", "client"}, row.args...)...)
		if n := strings.Count(out, "\n"); code != 0 || n != row.want || !strings.Contains(errs, counted(uint64(row.want))+" captured\n") {
			t.Errorf("%q: exit code %d, %d lines, want %d\n%s%s", row.args, code, n, row.want, out, errs)
		}
	}
	for _, row := range []struct {
		want string
		args []string
	}{
		{`onlink: filter "tcp prt 7": "prt" at 5: and, or, or the end is expected`, []string{"tcp", "prt", "7"}},
		{"onlink: -i eth9: there is no such interface", []string{"-i", "eth9"}},
		{`onlink: filter "ether host 02:00:00:00:00:01": "02:00:00:00:00:01" at 12: frames of this link have no link addresses`,
			[]string{"-i", "lo", "ether", "host", "02:00:00:00:00:01"}},
		{"onlink: -c -1: must not be negative", []string{"--count=-1"}},
	} {
		if code, out, errs := runCapture(t, append([]string{"--node", "client"}, row.args...)...); code != exitUsage || out != "" || errs != row.want+"\n" {
			t.Errorf("%q: exit code %d\n%s%s", row.args, code, out, errs)
		}
	}
	file := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := runCapture(t, "--node", "client", "-i", "eth9", "-w", file); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	if b, err := os.ReadFile(file); string(b) != "kept" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if code, _, errs := runCapture(t, "--node", "client", "-w", filepath.Join(file, "x")); code != exitFailed || !strings.Contains(errs, "not a directory") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if code, out, _ := runCapture(t, "-d", "ip6"); code != 0 || out != "(000) ldh [12]\n(001) jneq #34525,1\n(002) ret #262144\n(003) ret #0\n" {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// tcpdumpLines has the real tcpdump print a file; without one the test is skipped.
func tcpdumpLines(t *testing.T, file string, options ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump is not installed: there is nothing to compare with")
	}
	c := exec.Command("tcpdump", append(options, "-n", "-r", file)...)
	c.Env = append(os.Environ(), "TZ=UTC")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// What the lab shows as lines, tcpdump shows of the file.
func TestCapturePrintsAsTcpdump(t *testing.T) {
	for _, options := range [][]string{nil, {"-e"}, {"-S"}, {"-tt"}, {"-ttt"}, {"-tttt"}, {"-ttttt"}, {"-t"}} {
		file := filepath.Join(t.TempDir(), "lab.pcapng")
		if code, out, errs := runCapture(t, "--node", "router", "-w", file); code != 0 || out != "" {
			t.Fatal(code, out, errs)
		}
		_, out, _ := runCapture(t, append([]string{"--node", "router"}, options...)...)
		sameLines(t, strings.Split(strings.TrimSuffix(out, "\n"), "\n"), tcpdumpLines(t, file, options...))
	}
}

// sameLines compares lines, but for the blanks that tcpdump has twice in some of them.
func sameLines(t *testing.T, got, want []string) {
	t.Helper()
	for _, list := range [][]string{got, want} {
		for i := range list {
			list[i] = strings.ReplaceAll(list[i], "  ", " ")
		}
	}
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("line %d\n    ours %s\n tcpdump %s", i, g, w)
		}
	}
}

// ip4 and ip6 are headers in hexadecimal, for n octets of payload.
func ip4(proto byte, fragment uint16, n int) string {
	h := wire.IPv4Header{TotalLen: 20 + n, TTL: 64, Protocol: proto, Src: wire.AddrFrom4([]byte{192, 0, 2, 1}), Dst: wire.AddrFrom4([]byte{192, 0, 2, 2}),
		FragmentOffset: int(fragment&0x1fff) * 8, MoreFragments: fragment&0x2000 != 0}
	b := make([]byte, 20)
	h.Put(b)
	return string(b)
}

func ip6(next byte, n int) string {
	b := append([]byte{0x60, 0, 0, 0, byte(n >> 8), byte(n), next, 255}, make([]byte, 32)...)
	copy(b[8:], "\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")
	copy(b[24:], "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02")
	return string(b)
}

// printSamples are frames of all that is printed.
func printSamples() (frames [][]byte) {
	add := func(typ uint16, b string) {
		f := append([]byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01"), byte(typ>>8), byte(typ))
		frames = append(frames, append(f, b...))
	}
	four := func(proto byte, b string) { add(0x0800, ip4(proto, 0, len(b))+b) }
	six := func(next byte, b string) { add(0x86dd, ip6(next, len(b))+b) }
	finish4 := func(b string) string { m := []byte(b); wire.FinishICMPv4(m); return string(m) }
	finish6 := func(b string) string {
		m, h := []byte(b), wire.IPv6(ip6(58, len(b)))
		wire.FinishICMPv6(m, h.Src(), h.Dst())
		return string(m)
	}
	udp := "\x9c\x40\x00\x07\x00\x0c\x00\x00data"
	quote4, quote6 := ip4(17, 0, len(udp))+udp, ip6(17, len(udp))+udp
	for _, code := range []string{"\x00", "\x01", "\x02", "\x03", "\x04", "\x05", "\x06", "\x07", "\x09", "\x0a", "\x0d"} {
		four(1, finish4("\x03"+code+"\x00\x00\x00\x00\x05\x78"+quote4))
	}
	four(1, finish4("\x05\x01\x00\x00\xc0\x00\x02\xfe"+quote4))
	four(1, finish4("\x05\x00\x00\x00\xc0\x00\x02\xfe"+quote4))
	four(1, finish4("\x0b\x00\x00\x00\x00\x00\x00\x00"+quote4))
	four(1, finish4("\x0b\x01\x00\x00\x00\x00\x00\x00"+quote4))
	four(1, finish4("\x08\x00\x00\x00\x01\x02\x00\x03data"))
	four(1, finish4("\x03\x03\x00\x00\x00\x00\x00\x00"+ip4(6, 0, 20)+"\x00\x50\x01\xbb\x00\x00\x00\x00"))
	for _, b := range []string{"\x01\x00\x00\x00\x00\x00\x00\x00", "\x01\x01\x00\x00\x00\x00\x00\x00", "\x01\x02\x00\x00\x00\x00\x00\x00", "\x01\x03\x00\x00\x00\x00\x00\x00",
		"\x01\x04\x00\x00\x00\x00\x00\x00", "\x02\x00\x00\x00\x00\x00\x05\x00", "\x03\x00\x00\x00\x00\x00\x00\x00", "\x03\x01\x00\x00\x00\x00\x00\x00",
		"\x04\x01\x00\x00\x00\x00\x00\x06"} {
		six(58, finish6(b+quote6))
	}
	target := ip6(0, 0)[24:]
	for _, b := range []string{"\x80\x00\x00\x00\x01\x02\x00\x03", "\x81\x00\x00\x00\x01\x02\x00\x03", "\x85\x00\x00\x00\x00\x00\x00\x00", "\x86\x00\x00\x00\x40\x00\x07\x08\x00\x00\x00\x00\x00\x00\x00\x00",
		"\x87\x00\x00\x00\x00\x00\x00\x00" + target, "\x88\x00\x00\x00\x60\x00\x00\x00" + target, "\x89\x00\x00\x00\x00\x00\x00\x00" + target + target,
		"\x83\x00\x00\x00\x00\x00\x00\x00" + target, "\x84\x00\x00\x00\x00\x00\x00\x00" + target, "\x82\x00\x00\x00\x03\xe8\x00\x00" + target,
		"\x8f\x00\x00\x00\x00\x00\x00\x01\x04\x00\x00\x00" + target} {
		six(58, finish6(b))
	}
	for _, b := range []string{"\x11\x00\xee\xff\x00\x00\x00\x00", "\x11\x64\x00\x00\x00\x00\x00\x00", "\x16\x00\x00\x00\xe0\x00\x00\x05", "\x17\x00\x00\x00\xe0\x00\x00\x05", "\x12\x00\x00\x00\xe0\x00\x00\x05"} {
		m := []byte(b)
		wire.FinishIGMP(m)
		four(2, string(m))
	}
	four(17, udp)
	six(17, udp)
	add(0x0800, ip4(17, 0x2000, len(udp))+udp)
	add(0x0800, ip4(17, 0x0005, len(udp))+udp)
	add(0x0800, ip4(6, 0x2005, len(udp))+udp)
	six(44, "\x11\x00\x00\x01\x00\x00\x00\x07"+udp)
	six(44, "\x11\x00\x05\xa8\x00\x00\x00\x07"+udp)
	six(0, "\x11\x00\x01\x04\x00\x00\x00\x00"+udp)
	six(60, "\x11\x00\x01\x04\x00\x00\x00\x00"+udp)
	four(200, "12345678")
	six(59, "")
	segment := func(flags byte, options, data string) string {
		b := []byte("\x9c\x40\x13\x88\x00\x00\x10\x00\x00\x00\x20\x00\x50\x00\x01\xf6\x00\x00\x00\x07")
		b[12], b[13] = byte(20+len(options))/4<<4, flags
		return string(b) + options + data
	}
	four(6, segment(0x02, "\x02\x04\x05\xb4\x04\x02\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x00\x01\x03\x03\x07", ""))
	four(6, segment(0x10, "\x01\x01\x05\x0a\x00\x00\x20\x10\x00\x00\x20\x20", ""))
	four(6, segment(0x18, "", "data"))
	four(6, segment(0x38, "", "data"))
	four(6, segment(0x04, "", ""))
	four(6, segment(0x00, "", ""))
	four(6, segment(0xd1, "\x22\x02\x01\x00", ""))
	four(6, segment(0x02, "\x22\x06abcd\x01\x01", ""))
	four(6, segment(0x10, "\xfd\x06abcd\x01\x01", "")[:27])
	add(0x8100, "\x00\x05\x08\x00"+ip4(17, 0, len(udp))+udp)
	add(0x8100, "\xe0\x07\x86\xdd"+ip6(17, len(udp))+udp)
	arp := "\x00\x01\x08\x00\x06\x04\x00\x01\x02\x00\x00\x00\x00\x01\xc0\x00\x02\x01\x00\x00\x00\x00\x00\x00\xc0\x00\x02\x02"
	add(0x0806, arp)
	add(0x0806, arp[:7]+"\x02"+arp[8:])
	add(0x0806, arp[:18]+"\x02\x00\x00\x00\x00\x02"+arp[24:])
	add(0x0806, arp[:24]+"\xc0\x00\x02\x01")
	return frames
}

// Frames of all kinds are printed as tcpdump prints them.
func TestFramePrinter(t *testing.T) {
	frames := printSamples()
	le := binary.LittleEndian
	var b []byte
	for _, v := range []uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 65535, 1} {
		b = le.AppendUint32(b, v)
	}
	for _, f := range frames {
		for _, v := range []int{0, 0, len(f), len(f)} {
			b = le.AppendUint32(b, uint32(v))
		}
		b = append(b, f...)
	}
	file := filepath.Join(t.TempDir(), "frames.pcap")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []captureCmd{{}, {LinkHeader: true}, {Absolute: true}} {
		var out bytes.Buffer
		p := newFramePrinter(&out, &c, false)
		for _, f := range frames {
			if err := p.packet(f, &onlink.FrameInfo{Wall: time.Unix(0, 0).UTC(), Len: len(f)}); err != nil {
				t.Fatal(err)
			}
		}
		p.flush()
		var options []string
		if c.LinkHeader {
			options = append(options, "-e")
		}
		if c.Absolute {
			options = append(options, "-S")
		}
		sameLines(t, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"), tcpdumpLines(t, file, options...))
	}
}

// What is cut off is printed without a fault.
func FuzzFramePrinter(f *testing.F) {
	for _, b := range printSamples() {
		f.Add(b, false)
		f.Add(b[wire.EthernetLen:], true)
		f.Add(b[:len(b)-3], false)
	}
	f.Fuzz(func(t *testing.T, b []byte, ip bool) {
		var out bytes.Buffer
		p := newFramePrinter(&out, &captureCmd{LinkHeader: len(b)%2 == 0}, ip)
		i := onlink.FrameInfo{Interface: "eth0", Len: len(b), EtherType: wire.EtherTypeIPv4}
		if ip {
			i.Medium = link.IP
			if len(b) > 0 && b[0]>>4 == 6 {
				i.EtherType = wire.EtherTypeIPv6
			}
		}
		for range 2 { // within a connection, too
			p.packet(b, &i)
		}
		p.flush()
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != 2 {
			t.Errorf("%d lines: %s", n, &out)
		}
	})
}
