package sim_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
	"github.com/onlink-go/onlink/trace"
)

// nameServers writes whom a node asks, as "192.0.2.53:53 config", and where it looks names up.
func nameServers(n *sim.Node) (all []string) {
	snap := n.Snapshot()
	for _, s := range snap.NameServers {
		all = append(all, strings.TrimSpace(fmt.Sprint(s.Addr, " ", s.Origin, " ", s.Interface)))
	}
	for _, d := range snap.SearchDomains {
		all = append(all, strings.TrimSpace(fmt.Sprint(d.Domain, " ", d.Origin, " ", d.Interface)))
	}
	return all
}

// kinds counts events.
type kinds [256]int

func (k *kinds) Trace(e *trace.Event) { k[e.Kind]++ }

// Name servers come from the configuration, from programs and from routers, in this order (RFC 8106, 5.3.1), each once.
func TestNameServers(t *testing.T) {
	n := sim.New(1)
	defer n.Stop()
	host := n.Node("host", onlink.Config{DNS: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:5353")}})
	router := n.Router("router")
	n.Wire(host.Port("eth0"), router.Port("eth0", "2001:db8::1/64"), sim.Line{Delay: time.Millisecond})
	var events kinds
	host.Tracer().Add(&events)
	err := router.Interface("eth0").Advertise(&onlink.RouterAdvertisement{SearchDomains: []string{"ra.example", "Corp.Example"},
		NameServers: []netip.Addr{netip.MustParseAddr("2001:db8::53"), netip.MustParseAddr("fe80::53")}})
	if err != nil {
		t.Fatal(err)
	}
	n.RunFor(10 * time.Second)
	eth0 := host.Interface("eth0")
	set := func(origin string, servers []string, search ...string) {
		t.Helper()
		var all []netip.AddrPort
		for _, s := range servers {
			all = append(all, netip.AddrPortFrom(netip.MustParseAddr(s), 0))
		}
		before := events[trace.NameServersChanged]
		if err := eth0.SetNameServersOf(origin, all, search); err != nil {
			t.Fatal(err)
		}
		if events[trace.NameServersChanged] != before+1 {
			t.Errorf("%s: %d events", origin, events[trace.NameServersChanged]-before)
		}
	}
	want := func(all ...string) {
		t.Helper()
		if got := nameServers(host); !slices.Equal(got, all) {
			t.Errorf("got %q, want %q", got, all)
		}
	}
	ra := []string{"[2001:db8::53]:53 ra eth0", "[fe80::53%eth0]:53 ra eth0"}
	want("192.0.2.53:5353 config", ra[0], ra[1], "ra.example ra eth0", "Corp.Example ra eth0")

	set("dhcp6", []string{"fe80::53", "2001:db8::54", "2001:db8::54"}, "corp.example.")
	set("dhcp4", []string{"192.0.2.54"}, "four.example", "corp.example")
	want("192.0.2.53:5353 config", "[fe80::53%eth0]:53 dhcp6 eth0", "[2001:db8::54]:53 dhcp6 eth0", "192.0.2.54:53 dhcp4 eth0", ra[0],
		"corp.example dhcp6 eth0", "four.example dhcp4 eth0", "ra.example ra eth0")
	set("dhcp6", nil)
	want("192.0.2.53:5353 config", "192.0.2.54:53 dhcp4 eth0", ra[0], ra[1], "four.example dhcp4 eth0", "corp.example dhcp4 eth0", "ra.example ra eth0")

	// What cannot be is refused by name, and changes nothing; what is as it was is no change.
	before := events[trace.NameServersChanged]
	for _, c := range []struct {
		origin, server, domain, says string
	}{
		{"dhcp4", "224.0.0.251", "", "224.0.0.251"},
		{"dhcp4", "255.255.255.255", "", "255.255.255.255"},
		{"dhcp4", "0.0.0.0", "", "0.0.0.0"},
		{"dhcp4", "ff02::fb", "", "ff02::fb"},
		{"dhcp4", "fe80::1%eth1", "", "another interface"},
		{"dhcp4", "192.0.2.1", "a..b", `"a..b"`},
		{"dhcp4", "192.0.2.1", "", `""`},
		{"dhcp4", "192.0.2.1", strings.Repeat("a", 64), "aaaa"},
		{"dhcp4", "192.0.2.1", strings.Repeat("a.", 128), "a.a."},
		{onlink.OriginRA, "192.0.2.1", "x", `"ra"`},
		{"", "192.0.2.1", "x", `""`},
	} {
		err := eth0.SetNameServersOf(c.origin, []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(c.server), 53)}, []string{c.domain})
		if !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if err := eth0.SetNameServersOf("dhcp4", []netip.AddrPort{netip.MustParseAddrPort("192.0.2.54:53")}, []string{"four.example", "corp.example"}); err != nil {
		t.Error(err)
	}
	if got := events[trace.NameServersChanged]; got != before {
		t.Errorf("%d events, want %d", got, before)
	}

	if err := eth0.Remove(); err != nil {
		t.Fatal(err)
	}
	want("192.0.2.53:5353 config")
	if got := events[trace.NameServersChanged]; got != before+1 {
		t.Errorf("%d events after the interface was removed, want %d", got, before+1)
	}
	if err := eth0.SetNameServers([]netip.AddrPort{netip.MustParseAddrPort("192.0.2.54:53")}, nil); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("on a removed interface: %v", err)
	}
}
