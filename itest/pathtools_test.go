package itest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// The programs that look at paths find a router of ours, and what its narrower link takes: one that forwards between two
// hosts that are the kernel's.
func TestPathTools(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"ping", "traceroute", "mtr"} {
		need(t, program)
	}
	near, far := newNamespace(t), newNamespace(t)
	near.ip("tuntap add dev tap2 mode tap")
	near.ip("link set tap2 mtu 1300")
	up := near.onlink("up", "--tap", "tap1", "--tap", "tap2", "--forward", "--addr", "tap1=2001:db8:1::1/64", "--addr", "tap2=2001:db8:2::1/64",
		"--addr", "tap1=192.0.2.1/24", "--addr", "tap2=198.51.100.1/24")
	up.says(t, "up on tap1")
	near.ip("link set tap2 netns " + far.Path())
	for _, h := range []struct {
		*namespace
		device, four, six, gateway4, gateway6 string
	}{{near, "tap1", "192.0.2.2/24", "2001:db8:1::2/64", "192.0.2.1", "2001:db8:1::1"},
		{far, "tap2", "198.51.100.2/24", "2001:db8:2::2/64", "198.51.100.1", "2001:db8:2::1"}} {
		h.ip("link set " + h.device + " up")
		h.ip("address add " + h.four + " dev " + h.device)
		h.ip("address add " + h.six + " dev " + h.device + " nodad")
		h.ip("route add default via " + h.gateway4)
		h.ip("-6 route add default via " + h.gateway6)
	}
	for _, f := range []struct {
		router, host string
		header       int    // octets of IP's and ICMP's
		tooBig       string // ping's word for what the router says
	}{{"192.0.2.1", "198.51.100.2", 28, "Frag needed and DF set"}, {"2001:db8:1::1", "2001:db8:2::2", 48, "Packet too big"}} {
		near.ping(f.host, 1000)
		for _, method := range []string{"", "-I", "-T"} {
			args := strings.Fields("-n -q 1 -w 3 " + method + " " + f.host)
			out := near.run("traceroute", args...)
			if !regexp.MustCompile(`(?m)^ 1  ` + regexp.QuoteMeta(f.router) + ` .*\n 2  ` + regexp.QuoteMeta(f.host) + ` `).MatchString(out) {
				t.Errorf("traceroute %v:\n%s", args, out)
			}
		}
		out := near.run("mtr", "-n", "-r", "-c", "1", f.host)
		if !regexp.MustCompile(`(?s) 1\.\|-- ` + regexp.QuoteMeta(f.router) + ` +0\.0%.* 2\.\|-- ` + regexp.QuoteMeta(f.host) + ` +0\.0%`).MatchString(out) {
			t.Errorf("mtr:\n%s", out)
		}
		// What fits passes; what does not is told of by the router, and then known.
		size := func(n int) []string {
			return []string{"-n", "-M", "do", "-c", "1", "-W", "3", "-s", fmt.Sprint(n - f.header), f.host}
		}
		for _, try := range []struct {
			octets int
			want   string
		}{{1300, " 0% packet loss"}, {1301, f.tooBig}, {1301, "message too long"}, {1300, " 0% packet loss"}} {
			p, _ := near.try("ping", size(try.octets)...)
			if said := p.stdout.String() + p.stderr.String(); !strings.Contains(strings.ToLower(said), strings.ToLower(try.want)) {
				t.Errorf("ping of %d octets did not say %q:\n%s", try.octets, try.want, said)
			}
		}
	}
	up.interrupt(t)
}
