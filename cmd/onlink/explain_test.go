package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
)

// Without any host that is asked for, it explains in the lab.
func TestExplain(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"explain server:80", "   → a TCP connection to [2001:db8:2::2]:80\n     It is the best of 2 addresses."},
		{"explain tcp4 server:80", "   → a TCP connection to 198.51.100.2:80\n"},
		{"explain -q --from router client", "So it leaves from 2001:db8:1::1 by lan, straight to the destination."},
		{"explain -q --node server 192.0.2.2", "So it leaves from 198.51.100.2 by eth0, to the router 198.51.100.1, as soon as that has answered the ARP request."},
		{"explain -q --from 192.0.2.2:7 server:80", "1 socket call   a TCP connection to 198.51.100.2:80, from 192.0.2.2:7\n"},
		{"explain -q udp 192.0.2.77:53", "first a question, an ARP request to all on eth0: who has 192.0.2.77?"},
		{"explain -q ip6:58 ff02::1%eth0", "9 send          the ICMPv6 message, on eth0\n"},
		{"explain --ttl 3 --tos 32 -s 4000 udp4 server:9", "TTL 3, DF not set, protocol 17 (UDP), traffic class 0x20"},
	} {
		if code, out, errs := called(t, row.line); code != 0 || errs != "" || !strings.Contains(out, row.want) {
			t.Errorf("%s: %d, %s\n%s\nwant %s", row.line, code, errs, out, row.want)
		}
	}
	code, out, _ := called(t, "explain --json udp server:53")
	var e onlink.Explanation
	if err := json.Unmarshal([]byte(out), &e); err != nil || code != 0 || len(e.Steps) != 9 || e.First == nil || e.Frame.DestinationPort != 53 {
		t.Errorf("%d, %v\n%s", code, err, out)
	}
}

// What makes no sense is told in a line.
func TestExplainRefuses(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"explain", "expected"}, {"explain tcp", "no destination"},
		{"explain nobody", `"nobody" is neither an address nor a node of the lab`},
		{"explain tcp6 192.0.2.1", "not an address of network tcp6"},
		{"explain server:99999", "the port is not a number"},
		{"explain --from x server", "address x: neither an address"},
		{"explain --device eth9 server", "address eth9: no interface of this name"},
		{"explain --node nobody server", "the lab has no such node"},
		{"explain --from client --tap tap0 server", "--from client: that is a node of the lab"},
		{"explain --addr 192.0.2.9/24 server", "needs --tap NAME, --tun NAME or --dev NAME"},
		{"explain --mark x server", "--mark: "},
		{"explain -s 70000 udp server:9", "a payload has 0 to 65507 octets"},
	} {
		code, out, errs := called(t, row.line)
		if code != exitUsage || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, row.want) {
			t.Errorf("%s: %d, %q, %q, want %q", row.line, code, out, errs, row.want)
		}
	}
}

// Of a host that is up, it explains what that would do.
func TestExplainRunning(t *testing.T) {
	_, path := newControlled(t)
	if code, out, errs := called(t, "explain -q --socket "+path+" 127.0.0.1:80"); code != 0 || !strings.Contains(out, "So it stays here.") {
		t.Errorf("%d, %s%s", code, out, errs)
	}
	if code, out, errs := called(t, "explain -q --socket "+path+" 192.0.2.1"); code != 0 || !strings.Contains(out, "network is unreachable") {
		t.Errorf("%d, %s%s", code, out, errs)
	}
}
