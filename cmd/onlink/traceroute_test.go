package main

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// traceroute prints as Linux's does, whichever way it probes.
func TestTraceroutePrints(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"-4 server.lab", `traceroute to server.lab (198.51.100.2), 30 hops max, 60 byte packets
 1  router.lab (192.0.2.1)  0.002 ms  0.003 ms  0.004 ms
 2  server.lab (198.51.100.2)  80.025 ms  80.033 ms  80.041 ms
`},
		{"-I -n -q 1 server.lab", `traceroute to server.lab (2001:db8:2::2), 30 hops max, 80 byte packets
 1  2001:db8:1::1  0.002 ms
 2  2001:db8:2::2  40.017 ms
`},
		{"-T -p 7 -n server.lab", `traceroute to server.lab (2001:db8:2::2), 30 hops max, 80 byte packets
 1  2001:db8:1::1  0.002 ms  0.002 ms  0.002 ms
 2  2001:db8:2::2  40.017 ms  40.022 ms  40.022 ms
`},
		{"-n 203.0.113.9", `traceroute to 203.0.113.9 (203.0.113.9), 30 hops max, 60 byte packets
 1  192.0.2.1  0.002 ms !N  0.003 ms !N  0.004 ms !N
`},
		{"-n -q 1 192.0.2.77", `traceroute to 192.0.2.77 (192.0.2.77), 30 hops max, 60 byte packets
 1  192.0.2.2  3000.000 ms !H
`},
		{"-n -m 2 -w 1 ff02::77%eth0", `traceroute to ff02::77%eth0 (ff02::77%eth0), 2 hops max, 80 byte packets
 1  * * *
 2  * * *
`},
		{"-f 2 -q 1 -n -F 198.51.100.2 3000", `traceroute to 198.51.100.2 (198.51.100.2), 30 hops max, 3000 byte packets
 2  192.0.2.2  0.000 ms !F-1500
`},
	} {
		code, out, errs := called(t, "traceroute --node client "+row.line)
		if code != 0 || out != row.want || errs != "" {
			t.Errorf("%s: exit code %d, %s\nprinted %s\nwant %s", row.line, code, errs, out, row.want)
		}
	}
}

// Every way finds the hops, in one flow or not, with open and closed ports.
func TestTracerouteWays(t *testing.T) {
	for _, line := range []string{"", "-p 7", "-I", "-T", "-T -p 7", "-T -p 7 -N 4 --no-paris", "--no-paris", "-I --no-paris", "-N 1", "-U -q 5 --size=0"} {
		for _, f := range []struct{ flag, router, server string }{{"-4 ", "192.0.2.1", "198.51.100.2"}, {"-6 ", "2001:db8:1::1", "2001:db8:2::2"}} {
			line := f.flag + strings.ReplaceAll(line, " --size=0", "")
			code, out, errs := called(t, "traceroute --node client -n server.lab "+line)
			lines := strings.Split(out, "\n")
			if code != 0 || errs != "" || len(lines) != 4 || !strings.HasPrefix(lines[1], " 1  "+f.router+"  ") || !strings.HasPrefix(lines[2], " 2  "+f.server+"  ") ||
				strings.Contains(out, "*") || strings.Contains(out, "!") {
				t.Errorf("%s: exit code %d, %s, printed %s", line, code, errs, out)
			}
		}
	}
}

func TestTracerouteRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"-q 0 ::1": "-q 0", "-m 256 ::1": "-m 256", "-f 0 ::1": "-f 0", "-f 9 -m 8 ::1": "-f 9", "-w 0 ::1": "-w 0", "-t 256 ::1": "-t 256",
		"-p 65536 ::1": "-p 65536", "-N 2000 ::1": "-N 2000", "::1 65001": "SIZE", "-I -T ::1": "can't be used together", "-4 ::1": "family",
		"nobody.lab": "no such host", "": "host",
	} {
		code, out, errs := called(t, "traceroute --node client "+line)
		if code != 2 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, printed %q, %q", line, code, out, errs)
		}
	}
}

// What a router says of a probe is noted as by traceroute.
func TestTraceNote(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for _, row := range []struct {
		from      netip.Addr
		typ, code uint8
		mtu       int
		note      string
		final     bool
	}{
		{four, wire.ICMPv4TimeExceeded, 0, 0, "", false}, {four, wire.ICMPv4DestUnreachable, 0, 0, "!N", true}, {four, wire.ICMPv4DestUnreachable, 1, 0, "!H", true},
		{four, wire.ICMPv4DestUnreachable, 3, 0, "", true}, {four, wire.ICMPv4DestUnreachable, 4, 1300, "!F-1300", true},
		{four, wire.ICMPv4DestUnreachable, 13, 0, "!X", true}, {four, wire.ICMPv4DestUnreachable, 7, 0, "!<7>", true}, {four, wire.ICMPv4ParamProblem, 0, 0, "!<12-0>", true},
		{six, wire.ICMPv6TimeExceeded, 0, 0, "", false}, {six, wire.ICMPv6DestUnreachable, 0, 0, "!N", true}, {six, wire.ICMPv6DestUnreachable, 1, 0, "!X", true},
		{six, wire.ICMPv6DestUnreachable, 4, 0, "", true}, {six, wire.ICMPv6PacketTooBig, 0, 1280, "!F-1280", true}, {six, wire.ICMPv6ParamProblem, 1, 0, "!P", true},
	} {
		note, final := traceNote(&onlink.ICMPError{From: row.from, Type: row.typ, Code: row.code, MTU: row.mtu})
		if note != row.note || final != row.final {
			t.Errorf("%v, type %d, code %d: %q, %v", row.from, row.typ, row.code, note, final)
		}
	}
}

// A quotation belongs to a probe only if all that it shows of it is the probe's.
func TestTracerouteQuotes(t *testing.T) {
	c := &tracerouteCmd{Paris: true, Queries: 3, First: 1}
	tr := &tracer{cmd: c, size: 40, probes: make([]probe, 90), src: netip.MustParseAddr("192.0.2.2"), dst: netip.MustParseAddr("198.51.100.2")}
	w := &udpWay{t: tr, local: 40000, port: 33434, payload: make([]byte, 32)}
	q := []byte{40000 >> 8, 40000 & 0xff, 33434 >> 8, 33434 & 0xff, 0, 40, 0, 0}
	whole := append(append([]byte{}, q...), make([]byte, 32)...)
	whole[9] = 17
	wire.FinishChecksum(whole, 6, wire.ProtoUDP, wire.AddrFrom(tr.src), wire.AddrFrom(tr.dst))
	for _, n := range []int{40, 8} { // the latter: by its checksum
		if got, ok := w.quoted(whole[:n]); !ok || got != 17 {
			t.Errorf("%d octets: %d, %v", n, got, ok)
		}
	}
	for _, at := range []int{0, 1, 2, 3, 4, 5, 6} {
		b := append([]byte{}, whole[:8]...)
		b[at] ^= 0x40
		if n, ok := w.quoted(b); ok {
			t.Errorf("octet %d differs, and it is taken for probe %d", at, n)
		}
	}
	if _, ok := w.quoted(whole[:7]); ok {
		t.Error("seven octets tell nothing")
	}
}
