package onlink_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
)

// What is advertised can be seen, with its defaults in place, and as long as the stack forwards it is told.
func TestAdvertise(t *testing.T) {
	s, i := newLinked(t, onlink.InterfaceConfig{DisableDAD: true})
	state := func() *onlink.AdvertisingState { return s.Snapshot().Interfaces[1].Advertising }
	if state() != nil {
		t.Error("it advertises by default")
	}
	prefix := netip.MustParsePrefix("2001:db8::/64")
	ra := &onlink.RouterAdvertisement{Preference: -1, Prefixes: []onlink.AdvertisedPrefix{{Prefix: prefix}}, NameServers: []netip.Addr{netip.MustParseAddr("2001:db8::53")}}
	if err := i.Advertise(ra); err != nil {
		t.Fatal(err)
	}
	if a := state(); a == nil || a.From.IsValid() || a.Next != onlink.Forever {
		t.Errorf("a host: %+v", a)
	}
	if err := s.SetSysctl("net.ipv6.conf.all.forwarding", "1"); err != nil {
		t.Fatal(err)
	}
	a := state()
	if a == nil || a.From.Zone() != "eth0" || !a.From.IsLinkLocalUnicast() || a.Next <= 0 || a.Next > 16*time.Second {
		t.Fatalf("a router: %+v", a)
	}
	if a.MaxInterval != 10*time.Minute || a.Lifetime != 30*time.Minute || a.HopLimit != 64 || a.Preference != -1 || a.DNSLifetime != 30*time.Minute ||
		!slices.Equal(a.Prefixes, []onlink.AdvertisedPrefix{{Prefix: prefix, Valid: 30 * 24 * time.Hour, Preferred: 7 * 24 * time.Hour}}) ||
		!slices.Equal(a.NameServers, ra.NameServers) {
		t.Errorf("%+v", a)
	}
	err := i.Advertise(&onlink.RouterAdvertisement{Lifetime: time.Second})
	if !errors.Is(err, syscall.EINVAL) || !strings.HasPrefix(err.Error(), "onlink: RouterAdvertisement: ") || !strings.Contains(err.Error(), "Lifetime is 1s") {
		t.Error(err)
	}
	if err := i.Advertise(nil); err != nil || state() != nil {
		t.Error(err, state())
	}
}

// Proxies, by the API and by the settings that Linux has for them.
func TestProxies(t *testing.T) {
	s, i := newLinked(t, onlink.InterfaceConfig{DisableDAD: true})
	get := func(name, want string) {
		t.Helper()
		if got, err := s.Sysctl(name); got != want || err != nil {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
	get("net.ipv6.conf.eth0.proxy_ndp", "0")
	get("net.ipv4.conf.eth0.send_redirects", "1")
	get("net.ipv4.conf.default.proxy_arp", "0")
	for _, name := range []string{"net.ipv4.conf.eth0.send_redirects", "net.ipv4.conf.all.proxy_arp"} {
		value := "0"
		if strings.HasSuffix(name, "arp") {
			value = "1"
		}
		if err := s.SetSysctl(name, value); err != nil {
			t.Error(err)
		}
	}
	get("net.ipv4.conf.eth0.send_redirects", "0")
	get("net.ipv4.conf.eth0.proxy_arp", "1")
	a := netip.MustParseAddr("2001:db8::77")
	if err := i.AddProxy(a); err != nil {
		t.Fatal(err)
	}
	get("net.ipv6.conf.eth0.proxy_ndp", "1")
	if got := s.Snapshot().Interfaces[1].Proxies; !slices.Equal(got, []netip.Addr{a}) {
		t.Errorf("proxies %v", got)
	}
	if err := i.AddProxy(a); !errors.Is(err, syscall.EEXIST) {
		t.Error(err)
	}
	if err := i.RemoveProxy(a); err != nil || len(s.Snapshot().Interfaces[1].Proxies) != 0 {
		t.Error(err)
	}
	if err := i.RemoveProxy(a); !errors.Is(err, syscall.ESRCH) {
		t.Error(err)
	}
}
