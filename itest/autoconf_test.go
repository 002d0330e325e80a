package itest

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/tuntap"
)

// newAutoconfRig makes a stack without an address on a TAP whose other end, the kernel, is a router.
func newAutoconfRig(t *testing.T, cfg onlink.IPv6Config) *rig {
	t.Helper()
	r := &rig{namespace: newNamespace(t), name: "tap0"}
	writeSysctl(r.namespace, "net/ipv6/conf/all/forwarding", "1")
	var err error
	r.do(func() { r.device, err = tuntap.Open(r.name, tuntap.Config{}) })
	if err != nil {
		t.Fatal(err)
	}
	r.bringUp(r.name, []family{{digit: "6", kernel: "2001:db8:5::1", bits: "/64"}})
	if r.Stack, err = onlink.New(onlink.Config{}); err != nil {
		t.Fatal(err)
	}
	if r.iface, err = r.AddLink(r.name, r.device, onlink.InterfaceConfig{IPv6: cfg}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStack(t, r.Stack) })
	return r
}

// state returns what the stack's interface is and has learned.
func (r *rig) state() onlink.InterfaceState {
	for _, i := range r.Snapshot().Interfaces {
		if i.Name == r.name {
			return i
		}
	}
	r.t.Fatal("no interface")
	return onlink.InterfaceState{}
}

// preferredIn returns the stack's addresses in prefix that are in use and preferred.
func (r *rig) preferredIn(p string) (found []onlink.AddressState) {
	for _, a := range r.state().Addresses {
		if a.State == "preferred" && netip.MustParsePrefix(p).Contains(a.Prefix.Addr()) {
			found = append(found, a)
		}
	}
	return found
}

const radvdConfig = `interface tap0 {
	AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;
	AdvLinkMTU 1400; AdvCurHopLimit 77; AdvDefaultPreference high; AdvDefaultLifetime 1000;
	AdvReachableTime 20000; AdvRetransTimer 1500; AdvOtherConfigFlag on;
	prefix 2001:db8:5::/64 { AdvOnLink on; AdvAutonomous on; AdvValidLifetime 3600; AdvPreferredLifetime 1800; };
	prefix 2001:db8:6::/64 { AdvOnLink off; AdvAutonomous on; AdvValidLifetime infinity; AdvPreferredLifetime infinity; };
	prefix 2001:db8:7::/64 { AdvOnLink on; AdvAutonomous off; };
	route 2001:db8:8::/48 { AdvRoutePreference low; AdvRouteLifetime 300; };
	RDNSS 2001:db8:5::53 2001:db8:5::54 { AdvRDNSSLifetime 300; };
	DNSSL corp.example lab.example { AdvDNSSLLifetime 300; };
};
`

// What radvd advertises is what the stack makes of it, field by field.
func TestRadvd(t *testing.T) {
	need(t, "radvd")
	r := newAutoconfRig(t, onlink.IPv6Config{Temporary: onlink.PreferTemporary})
	dir := t.TempDir()
	conf := filepath.Join(dir, "radvd.conf")
	if err := os.WriteFile(conf, []byte(radvdConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	p := r.start(nil, "radvd", "-n", "-C", conf, "-p", filepath.Join(dir, "pid"), "-m", "stderr")
	eventually(t, "four addresses of the two prefixes", func() bool {
		if strings.Contains(p.stderr.String(), "error") {
			t.Fatal(p.stderr.String())
		}
		return len(r.preferredIn("2001:db8:5::/64")) == 2 && len(r.preferredIn("2001:db8:6::/64")) == 2
	})
	s := r.state()
	l := s.Learned
	within := func(what string, got, most time.Duration) {
		t.Helper()
		if got > most || got < most-patience {
			t.Errorf("%s is %v, want at most %v", what, got, most)
		}
	}
	if len(l.Routers) != 1 || !l.Routers[0].Addr.IsLinkLocalUnicast() || l.Routers[0].Preference != 1 {
		t.Fatalf("routers %+v", l.Routers)
	}
	within("the router's lifetime", l.Routers[0].Lifetime, 1000*time.Second)
	if l.MTU != 1400 || l.HopLimit != 77 || l.ReachableTime != 20*time.Second || l.RetransTimer != 1500*time.Millisecond || !l.Other || l.Managed {
		t.Errorf("parameters %+v", l)
	}
	var prefixes []string
	for _, p := range l.Prefixes {
		prefixes = append(prefixes, p.Prefix.String())
	}
	slices.Sort(prefixes)
	if want := []string{"2001:db8:5::/64", "2001:db8:7::/64"}; !slices.Equal(prefixes, want) {
		t.Errorf("on-link prefixes %v, want %v", prefixes, want)
	}
	if want := []netip.Addr{netip.MustParseAddr("2001:db8:5::53"), netip.MustParseAddr("2001:db8:5::54")}; !slices.Equal(l.NameServers, want) {
		t.Errorf("name servers %v", l.NameServers)
	}
	if want := []string{"corp.example", "lab.example"}; !slices.Equal(l.SearchDomains, want) {
		t.Errorf("search domains %v", l.SearchDomains)
	}
	for _, a := range r.preferredIn("2001:db8:5::/64") {
		within("valid", a.Valid, 3600*time.Second)
		within("preferred", a.Preferred, 1800*time.Second)
	}
	for _, a := range r.preferredIn("2001:db8:6::/64") {
		if a.Temporary == (a.Valid == onlink.Forever) {
			t.Errorf("%+v", a)
		}
	}
	if len(r.preferredIn("2001:db8:7::/64")) != 0 {
		t.Error("an address of a prefix that is not autonomous")
	}
	// The addresses work, and are used: the temporary one by preference, through the router to another network.
	r.ip("address add 2001:db8:99::1/128 dev lo nodad")
	r.ip("route add 2001:db8:6::/64 dev tap0")
	eventually(t, "an answer from behind the router", func() bool { // which the kernel lets its addresses be a moment after they are added
		_, err := r.Ping(t.Context(), netip.MustParseAddr("2001:db8:99::1"), onlink.PingConfig{Timeout: patience})
		return err == nil
	})
	conn, err := r.DialContext(t.Context(), "udp", "[2001:db8:5::1]:9")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	from := netip.MustParseAddrPort(conn.LocalAddr().String()).Addr()
	if !slices.ContainsFunc(r.preferredIn("2001:db8:5::/64"), func(a onlink.AddressState) bool { return a.Temporary && a.Prefix.Addr() == from }) {
		t.Errorf("sends from %v", from)
	}
	// ndisc6 finds the host, by each of its addresses.
	for _, a := range s.Addresses {
		if found, err := r.try("ndisc6", "-q", "-m", a.Prefix.Addr().String(), r.name); err != nil ||
			!strings.EqualFold(strings.TrimSpace(found.stdout.String()), r.device.Info().Addr.String()) {
			t.Errorf("ndisc6 %v: %q, %v", a.Prefix.Addr(), found.stdout.String(), err)
		}
	}
	// Told to stop, radvd says that it is a router no more: RFC 4861, 6.2.5.
	p.Process.Signal(os.Interrupt)
	eventually(t, "the router is gone", func() bool { return len(r.state().Learned.Routers) == 0 })
}

// A host learns its address and its name server from dnsmasq, and asks that for a name.
func TestDnsmasq(t *testing.T) {
	need(t, "dnsmasq")
	r := newAutoconfRig(t, onlink.IPv6Config{Secret: [16]byte{1, 2, 3}})
	p := r.start(nil, "dnsmasq", "--no-daemon", "--user=root", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--interface=tap0",
		"--bind-interfaces", "--enable-ra", "--ra-param=tap0,4,600", "--dhcp-range=2001:db8:5::,ra-only,64,600", "--leasefile-ro",
		"--address=/host.example/2001:db8::77")
	eventually(t, "an address and a name server", func() bool {
		return len(r.preferredIn("2001:db8:5::/64")) == 1 && len(r.state().Learned.NameServers) > 0
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := r.Resolver().LookupNetIP(ctx, "ip6", "host.example")
	if err != nil || len(got) != 1 || got[0] != netip.MustParseAddr("2001:db8::77") {
		t.Errorf("%v, %v\n%s", got, err, p.stderr.String())
	}
	// Neither address tells of the hardware (RFC 7217).
	for _, a := range r.state().Addresses {
		if b := a.Prefix.Addr().As16(); b[11] == 0xff && b[12] == 0xfe {
			t.Errorf("%v is made of the hardware address", a.Prefix)
		}
	}
}
