package itest

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/tuntap"
)

// newAdvertisingRig makes a stack that is a router on a TAP, and a kernel that has no address on the other end.
func newAdvertisingRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{namespace: newNamespace(t), name: "tap0"}
	var err error
	r.do(func() { r.device, err = tuntap.Open(r.name, tuntap.Config{}) })
	if err != nil {
		t.Fatal(err)
	}
	if r.Stack, err = onlink.New(onlink.Config{Forwarding: true}); err != nil {
		t.Fatal(err)
	}
	cfg := onlink.InterfaceConfig{Addresses: []netip.Prefix{prefix("2001:db8:5::1/64")}, DisableDAD: true}
	if r.iface, err = r.AddLink(r.name, r.device, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStack(t, r.Stack) })
	r.ip("link set tap0 up")
	return r
}

// The kernel configures itself from what the stack advertises, rdisc6 reads it field by field, and tcpdump finds nothing wrong
// with it. When the stack ceases, the kernel has no router any more.
func TestKernelFollowsAdvertisements(t *testing.T) {
	t.Parallel()
	need(t, "rdisc6")
	need(t, "tcpdump")
	r := newAdvertisingRig(t)
	pcap := filepath.Join(t.TempDir(), "ra.pcap")
	dump := r.start(nil, "tcpdump", "-i", "tap0", "-U", "--immediate-mode", "-w", pcap, "-Z", "root")
	dump.says(t, "listening")
	err := r.iface.Advertise(&onlink.RouterAdvertisement{Preference: 1, MTU: 1400, HopLimit: 77, Other: true, MaxInterval: 4 * time.Second,
		Lifetime: 1000 * time.Second, ReachableTime: 20 * time.Second, RetransTimer: 1500 * time.Millisecond,
		Prefixes: []onlink.AdvertisedPrefix{
			{Prefix: prefix("2001:db8:5::/64"), Valid: time.Hour, Preferred: 30 * time.Minute},
			{Prefix: prefix("2001:db8:6::/64"), NotOnLink: true, Valid: onlink.Forever, Preferred: onlink.Forever},
			{Prefix: prefix("2001:db8:7::/64"), NoAutoconf: true}},
		Routes:      []onlink.AdvertisedRoute{{Prefix: prefix("2001:db8:8::/48"), Preference: -1, Lifetime: 300 * time.Second}},
		NameServers: []netip.Addr{netip.MustParseAddr("2001:db8:5::53"), netip.MustParseAddr("2001:db8:5::54")},
		DNSLifetime: 300 * time.Second, SearchDomains: []string{"corp.example", "lab.example"}})
	if err != nil {
		t.Fatal(err)
	}
	ll := r.linkLocal().String()
	eventually(t, "the kernel has two addresses and a router", func() bool {
		out := r.ip("-6 address show dev tap0 scope global")
		return strings.Contains(out, "2001:db8:5:") && strings.Contains(out, "2001:db8:6:") && strings.Contains(r.ip("-6 route show default"), ll)
	})
	if out := r.ip("-6 address show dev tap0 scope global"); strings.Contains(out, "2001:db8:7:") || !strings.Contains(out, "valid_lft forever") {
		t.Errorf("addresses:\n%s", out)
	}
	out := r.ip("-6 route show default")
	for _, want := range []string{"via " + ll, "proto ra", "mtu 1400", "hoplimit 77", "pref high"} {
		if !strings.Contains(out, want) {
			t.Errorf("the kernel's default route lacks %q:\n%s", want, out)
		}
	}
	if out := r.ip("-6 route"); !strings.Contains(out, "2001:db8:7::/64 dev tap0") || strings.Contains(out, "2001:db8:6::/64 dev tap0") {
		t.Errorf("on-link prefixes:\n%s", out)
	}
	r.ping("2001:db8:5::1", 56)

	out = strings.Join(strings.Fields(r.run("rdisc6", "-1", "tap0")), " ")
	for _, want := range []string{"Hop limit : 77", "Stateful address conf. : No", "Stateful other conf. : Yes", "Router preference : high",
		"Router lifetime : 1000 (", "Reachable time : 20000 (", "Retransmit time : 1500 (", "MTU : 1400 bytes (valid)",
		"Prefix : 2001:db8:5::/64 On-link : Yes Autonomous address conf.: Yes Valid time : 3600 (0x00000e10) seconds Pref. time : 1800 (",
		"Prefix : 2001:db8:6::/64 On-link : No Autonomous address conf.: Yes Valid time : infinite",
		"Prefix : 2001:db8:7::/64 On-link : Yes Autonomous address conf.: No",
		"Route : 2001:db8:8::/48 Route preference : low Route lifetime : 300 (",
		"Recursive DNS server : 2001:db8:5::53 Recursive DNS server : 2001:db8:5::54 DNS servers lifetime : 300 (",
		"DNS search list : corp.example", "from " + ll} {
		if !strings.Contains(out, want) {
			t.Errorf("rdisc6 does not show %q:\n%s", want, out)
		}
	}

	if err := r.iface.Advertise(nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the kernel has no router any more", func() bool { return strings.TrimSpace(r.ip("-6 route show default")) == "" })
	dump.interrupt(t)
	text := r.run("tcpdump", "-vvv", "-n", "-r", pcap)
	if strings.Count(text, "router advertisement") < 3 || !strings.Contains(text, "router lifetime 0s") {
		t.Errorf("tcpdump did not see them:\n%s", text)
	}
	for _, complaint := range []string{"bad", "invalid", "[|", "truncated", "unknown option (5)", "wrong"} {
		for line := range strings.Lines(text) {
			if strings.Contains(line, complaint) {
				t.Errorf("tcpdump complains: %s", line)
			}
		}
	}
}

// The kernel follows the redirects of a stack that is its router, of both families, to another stack on its link.
func TestKernelFollowsRedirects(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	n := newNamespace(t)
	n.ip("link add br0 type bridge mcast_snooping 0")
	n.bringUp("br0", families)
	var stacks [2]*onlink.Stack
	var at [2]netip.Addr // link-local
	for i, addresses := range [...][]string{
		{"192.0.2.2/24", "2001:db8::2/64"},
		{"192.0.2.3/24", "2001:db8::3/64", "198.51.100.9/32", "2001:db8:9::9/128"},
	} {
		name := "tap" + itoa(i)
		var d *tuntap.Device
		var err error
		n.do(func() { d, err = tuntap.Open(name, tuntap.Config{}) })
		if err != nil {
			t.Fatal(err)
		}
		writeSysctl(n, "net/ipv6/conf/"+name+"/disable_ipv6", "1")
		n.ip("link set " + name + " master br0 up")
		s, err := onlink.New(onlink.Config{Forwarding: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeStack(t, s) })
		cfg := onlink.InterfaceConfig{DisableDAD: true}
		for _, a := range addresses {
			cfg.Addresses = append(cfg.Addresses, prefix(a))
		}
		iface, err := s.AddLink(name, d, cfg)
		if err != nil {
			t.Fatal(err)
		}
		stacks[i] = s
		at[i] = (&rig{namespace: n, iface: iface}).linkLocal()
	}
	for _, r := range []onlink.Route{{Prefix: prefix("198.51.100.0/24"), Gateway: netip.MustParseAddr("192.0.2.3")},
		{Prefix: prefix("2001:db8:9::/64"), Gateway: at[1], Interface: "tap0"}} {
		if err := stacks[0].AddRoute(r); err != nil {
			t.Fatal(err)
		}
	}
	n.ip("route add default via 192.0.2.2")
	n.ip("-6 route add default via " + at[0].String() + " dev br0")
	for _, v := range []struct{ flag, far, better string }{{"-4", "198.51.100.9", "192.0.2.3"}, {"-6", "2001:db8:9::9", at[1].String()}} {
		eventually(t, v.far+" is reached by the better router", func() bool {
			n.ping(v.far, 56)
			return strings.Contains(n.ip(v.flag+" route get "+v.far), "via "+v.better+" ")
		})
	}
}

// The command is a router between two kernels that know nothing: they configure themselves from it and reach each other, and
// when it ends they have no router any more.
func TestUpForwards(t *testing.T) {
	t.Parallel()
	need(t, "ping")
	near, far := newNamespace(t), newNamespace(t)
	up := near.onlink("up", "--tap", "tap1", "--tap", "tap2", "--forward", "--addr", "tap1=2001:db8:1::1/64", "--addr", "tap2=2001:db8:2::1/64",
		"--advertise", "tap1=2001:db8:1::/64", "--advertise", "tap2=2001:db8:2::/64", "--advertise-preference", "high")
	up.says(t, "up on tap1")
	near.ip("link set tap2 netns " + far.Path())
	near.ip("link set tap1 up")
	far.ip("link set tap2 up")
	address := func(n *namespace, device, of string) (found string) {
		eventually(t, device+" has an address of "+of, func() bool {
			for _, word := range strings.Fields(n.ip("-6 address show dev " + device + " scope global")) {
				if p, err := netip.ParsePrefix(word); err == nil && prefix(of).Contains(p.Addr()) {
					found = p.Addr().String()
				}
			}
			return found != "" && strings.Contains(n.ip("-6 route show default"), "pref high")
		})
		return found
	}
	a, b := address(near, "tap1", "2001:db8:1::/64"), address(far, "tap2", "2001:db8:2::/64")
	if out := near.ping(b, 1400); !strings.Contains(out, "ttl=63") {
		t.Errorf("from %s to %s:\n%s", a, b, out)
	}
	up.interrupt(t)
	for _, line := range []string{"tap1 (", "tap2 ("} {
		if !strings.Contains(up.stderr.String(), line) {
			t.Errorf("it did not say %q:\n%s", line, &up.stderr)
		}
	}
}
