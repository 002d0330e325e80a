package itest

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onlink up --dhcp is a host with what a server gave; commands see it; the lease is given back at the end.
func TestUpDHCP(t *testing.T) {
	t.Parallel()
	need(t, "dnsmasq")
	n := newNamespace(t)
	socket := filepath.Join(t.TempDir(), "control")
	n.ip("tuntap add dev tap0 mode tap") // it outlives up, so that the server hears its last word
	up := n.onlink("up", "--tap", "tap0", "--dhcp", "--hostname", "toaster", "--control", socket)
	n.appears("tap0", kernel4)
	server := dhcpServers[0].start(n, t.TempDir(), dhcpPool{from: 50, to: 50, lease: 120, t1: 60, t2: 90, rich: true})
	up.says(t, "DHCP: 192.0.2.50/24 of 192.0.2.1 for 2m0s, router 192.0.2.1, route 198.51.100.0/24 via 192.0.2.2, "+
		"route 203.0.113.0/24 on the link, name server 192.0.2.53, search eng.example.org, search example.org, MTU 1400")
	n.ping("192.0.2.50", 56)
	for args, want := range map[string]string{"addr": "192.0.2.50/24", "route": "default via 192.0.2.1 dev tap0 proto dhcp"} {
		p := n.onlink(args, "--socket", socket)
		if code := p.exitCode(t); code != 0 || !strings.Contains(p.stdout.String(), want) {
			t.Errorf("onlink %s: %d, %s%s", args, code, &p.stdout, &p.stderr)
		}
	}
	up.interrupt(t)
	eventually(t, "the address is released, of a client with a name", func() bool {
		said := server.stdout.String() + server.stderr.String()
		return strings.Contains(said, "DHCPRELEASE(tap0) 192.0.2.50") && strings.Contains(said, "client provides name: toaster")
	})
}

// onlink fetch --dhcp is a host only for that long.
func TestFetchDHCP(t *testing.T) {
	t.Parallel()
	need(t, "dnsmasq")
	n := newNamespace(t)
	path := filepath.Join(t.TempDir(), "got")
	n.ip("tuntap add dev tap0 mode tap") // it outlives fetch, so that the server hears its last word
	fetch := n.onlink("fetch", "--tap", "tap0", "--dhcp", "-o", path, "http://192.0.2.1/1000")
	n.appears("tap0", kernel4)
	var l net.Listener
	var err error
	n.do(func() { l, err = net.Listen("tcp", "192.0.2.1:80") })
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l)
	server := dhcpServers[0].start(n, t.TempDir(), dhcpPool{from: 50, to: 50, lease: 120, t1: 60, t2: 90})
	if code := fetch.exitCode(t); code != 0 {
		t.Errorf("exit code %d: %s", code, &fetch.stderr)
	}
	if b, err := os.ReadFile(path); err != nil || len(b) != 1000 {
		t.Errorf("%d octets, %v", len(b), err)
	}
	eventually(t, "the address is released", func() bool {
		return strings.Contains(server.stdout.String()+server.stderr.String(), "DHCPRELEASE(tap0) 192.0.2.50")
	})
}

// What makes no sense is said in one line, and nothing is begun.
func TestDHCPUsage(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	for args, want := range map[string]string{
		"--tap tap0 --dhcp=tap1":                     "--dhcp=tap1: no --tap or --dev is called tap1",
		"--tun tun0 --addr 192.0.2.2/24 --dhcp=tun0": "--dhcp=tun0: DHCP needs Ethernet, and tun0 is a TUN device",
		"--tap tap0 --dhcp=tap0 --dhcp=tap0":         "--dhcp=tap0 is there twice",
		"--tap tap0 --addr 192.0.2.2/24 --dhcp":      "--dhcp: no Ethernet device is without an IPv4 --addr",
		"--tap tap0 --hostname toaster":              "--hostname needs --dhcp",
		"--tap tap0 --dhcp --hostname a_b!":          `--hostname "a_b!" is not a name`,
	} {
		p := n.onlink(append([]string{"up", "--no-control"}, strings.Fields(args)...)...)
		if code := p.exitCode(t); code == 0 || !strings.Contains(p.stderr.String(), want) || strings.Count(p.stderr.String(), "\n") != 1 {
			t.Errorf("%s: %d, %q, want %q", args, code, p.stderr.String(), want)
		}
	}
}
