package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// ping prints as ping(8) does; the times are the lab's.
func TestPingPrints(t *testing.T) {
	for _, row := range []struct {
		line string
		code int
		want string
	}{
		{"-4 -c 2 server.lab", 0, `PING server.lab (198.51.100.2) 56(84) bytes of data.
64 bytes from server.lab (198.51.100.2): icmp_seq=1 ttl=63 time=80.0 ms
64 bytes from server.lab (198.51.100.2): icmp_seq=2 ttl=63 time=40.0 ms

--- server.lab ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 1000ms
rtt min/avg/max/mdev = 40.017/60.020/80.024/20.005 ms
`},
		{"-n -c 1 -t 1 server.lab", 1, `PING server.lab(2001:db8:2::2) 56 data bytes
From 2001:db8:1::1 icmp_seq=1 Time exceeded: Hop limit

--- server.lab ping statistics ---
1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms

`},
		{"-c 1 -t 1 198.51.100.2", 1, `PING 198.51.100.2 (198.51.100.2) 56(84) bytes of data.
From 192.0.2.1 icmp_seq=1 Time to live exceeded

--- 198.51.100.2 ping statistics ---
1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms

`},
		{"-c 3 -O -i 0.3 192.0.2.77", 1, `PING 192.0.2.77 (192.0.2.77) 56(84) bytes of data.
no answer yet for icmp_seq=1
no answer yet for icmp_seq=2
From 192.0.2.2 icmp_seq=1 Destination Host Unreachable
From 192.0.2.2 icmp_seq=2 Destination Host Unreachable
From 192.0.2.2 icmp_seq=3 Destination Host Unreachable

--- 192.0.2.77 ping statistics ---
3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 600ms
pipe 3
`},
		{"-c 1 -I eth0 -p ff00 -s 10 192.0.2.1", 0, `PATTERN: 0xff00
PING 192.0.2.1 (192.0.2.1) from 192.0.2.2 eth0: 10(38) bytes of data.
18 bytes from 192.0.2.1: icmp_seq=1 ttl=64

--- 192.0.2.1 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 0ms

`},
		{"-q -c 9 -w 2 127.0.0.1", 1, `PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.

--- 127.0.0.1 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 1000ms
rtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms
`},
		{"-D -c 1 ::1", 0, `PING ::1(::1) 56 data bytes
[946684802.100000] 64 bytes from ::1: icmp_seq=1 ttl=64 time=0.000 ms

--- ::1 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 0ms
rtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms
`},
	} {
		code, out, errs := called(t, "ping --node client "+row.line)
		if stamp := regexp.MustCompile(`\[\d+\.\d{6}\]`); stamp.MatchString(out) {
			out = stamp.ReplaceAllString(out, "[946684802.100000]")
		}
		if code != row.code || out != row.want || errs != "" {
			t.Errorf("%s: exit code %d, %s\nprinted %s\nwant %s", row.line, code, errs, out, row.want)
		}
	}
	code, out, errs := called(t, "ping --node client -M do -s 3000 -c 1 192.0.2.1")
	if code != 1 || errs != "ping: local error: message too long, mtu=1500\n" || !strings.Contains(out, "+1 errors") {
		t.Errorf("too long: exit code %d, %s, %s", code, out, errs)
	}
}

// What makes no sense is told in one line, before anything is sent.
func TestPingRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"-f ::1":            "floods are not sent",
		"-c 0 ::1":          "-c 0",
		"-i 0 ::1":          "-i 0",
		"-i NaN ::1":        "-i NaN",
		"-s 65508 ::1":      "-s 65508",
		"-t 256 ::1":        "-t 256",
		"-Q 256 ::1":        "-Q 256",
		"-p xyz ::1":        "-p xyz",
		"-W-1 ::1":          "-W -1",
		"-w 1e9 ::1":        "-w 1e+09",
		"-4 -6 ::1":         "one of them",
		"-4 ::1":            "family",
		"-I eth9 ::1":       "-I eth9",
		"-I ::1 127.0.0.1":  "not of the family",
		"-I 192.0.2.9 ::1":  "not of the family",
		"-I 192.0.2.9 10.1": "10.1",
		"-M all ::1":        "do",
		"nobody.lab":        "no such host",
		"":                  "host",
	} {
		code, out, errs := called(t, "ping --node client "+line)
		if code != 2 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, printed %q, %q", line, code, out, errs)
		}
	}
}

func TestMilliseconds(t *testing.T) {
	for us, want := range map[int]string{0: "0.000", 45: "0.045", 999: "0.999", 1000: "1.00", 1234: "1.23", 9994: "9.99", 9995: "10.0", 12345: "12.3",
		99_949: "99.9", 99_950: "100", 123_456: "123", 1_000_000: "1000"} {
		if got := milliseconds(time.Duration(us) * time.Microsecond); got != want {
			t.Errorf("%d µs: %s, want %s", us, got, want)
		}
	}
}
