package itest

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/dhcp/dhcp4"
)

// A client that is not ours, in a script of nmap, is offered what our server has.
func TestDHCPServerNmap(t *testing.T) {
	t.Parallel()
	need(t, "nmap")
	r := newRig(t, setup{at: []family{v4}})
	a := netip.MustParseAddr
	s, err := dhcp4.NewServer(r.Stack, r.iface, dhcp4.PoolConfig{First: a("192.0.2.50"), Last: a("192.0.2.50"), Parameters: dhcp4.Lease{
		Duration: 2 * time.Hour, Routes: []dhcp4.Route{{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Gateway: a("192.0.2.254")}},
		NameServers: []netip.Addr{a("192.0.2.53")}, Domain: "example.org", MTU: 1400}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	out := r.run("nmap", "-n", "-e", r.name, "--script", "broadcast-dhcp-discover", "--script-args", "broadcast-dhcp-discover.timeout=3")
	for _, want := range []string{"DHCP Message Type: DHCPOFFER", "IP Offered: 192.0.2.50", "Server Identifier: 192.0.2.2", "Subnet Mask: 255.255.255.0",
		"IP Address Lease Time: 2h00m00s", "Renewal Time Value: 1h00m00s", "Rebinding Time Value: 1h45m00s", "Router: 192.0.2.254",
		"Domain Name Server: 192.0.2.53", "Domain Name: example.org"} {
		if !strings.Contains(out, want) {
			t.Errorf("nmap does not say %q:\n%s", want, out)
		}
	}
	if l := s.Lent(); len(l) != 1 || l[0].State != dhcp4.Offered || l[0].Address != a("192.0.2.50") {
		t.Errorf("%+v", l)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
