package onlink_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/wire"
)

// newLinked returns a stack with the interface "eth0", whose other end nobody listens to.
func newLinked(t *testing.T, cfg onlink.InterfaceConfig) (*onlink.Stack, *onlink.Interface) {
	t.Helper()
	s := newSysctlStack(t)
	a, b := mem.Pair(mem.Config{Runtime: s.Runtime(), Addr: []wire.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})
	t.Cleanup(func() { b.Close() })
	i, err := s.AddLink("eth0", a, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s, i
}

// Settings of one interface, of all, and of those to come.
func TestSysctlOfInterfaces(t *testing.T) {
	s, _ := newLinked(t, onlink.InterfaceConfig{DisableDAD: true, IPv6: onlink.IPv6Config{Temporary: onlink.UseTemporary, MaxAddresses: 5}})
	get := func(name, want string) {
		t.Helper()
		if got, err := s.Sysctl(name); got != want || err != nil {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
	set := func(name, value string) {
		t.Helper()
		if err := s.SetSysctl(name, value); err != nil {
			t.Error(err)
		}
	}
	get("net.ipv6.conf.eth0.use_tempaddr", "1")
	get("net.ipv6.conf.eth0.max_addresses", "5")
	get("net.ipv6.conf.eth0.dad_transmits", "0")
	get("net.ipv6.conf.default.use_tempaddr", "0")
	get("net.ipv6.conf.all.dad_transmits", "1")
	set("/proc/sys/net/ipv6/conf/eth0/accept_ra", "2")
	get("net.ipv6.conf.eth0.accept_ra", "2")
	get("net.ipv6.conf.default.accept_ra", "1")
	set("net.ipv6.conf.all.accept_ra", "0")
	get("net.ipv6.conf.eth0.accept_ra", "0")
	get("net.ipv6.conf.default.accept_ra", "0")
	get("net.ipv6.conf.eth0.hop_limit", "64")
	get("net.ipv6.conf.eth0.mtu", "1500")
	set("net.ipv6.conf.eth0.hop_limit", "99")
	get("net.ipv6.conf.eth0.hop_limit", "99")
	get("net.ipv6.conf.all.hop_limit", "64")
	set("net.ipv6.conf.eth0.stable_secret", "2001:db8::1")
	get("net.ipv6.conf.eth0.stable_secret", "2001:0db8:0000:0000:0000:0000:0000:0001")
	get("net.ipv6.conf.eth0.addr_gen_mode", "2")
	set("net.ipv6.conf.eth0.disable_ipv6", "1")
	if i := s.Snapshot().Interfaces[1]; len(i.Addresses) != 0 {
		t.Errorf("%+v", i.Addresses)
	}
	set("net.ipv6.conf.eth0.disable_ipv6", "0")
	i := s.Snapshot().Interfaces[1]
	if len(i.Addresses) != 1 || i.Addresses[0].Origin != "link-local" || strings.Contains(i.Addresses[0].Prefix.String(), "ff:fe") {
		t.Errorf("with a secret: %+v", i.Addresses)
	}
	if _, err := s.Sysctl("net.ipv6.conf.nosuch.accept_ra"); !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
	if err := s.SetSysctl("net.ipv6.conf.eth0.mtu", "1279"); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	if err := s.SetSysctl("net.ipv6.conf.default.addr_gen_mode", "2"); !errors.Is(err, syscall.EINVAL) {
		t.Error("stable without a secret:", err)
	}
}

// A configuration that makes no sense is refused, by the name of its field.
func TestIPv6ConfigErrors(t *testing.T) {
	for want, c := range map[string]onlink.IPv6Config{
		"RouterAdvertisements": {RouterAdvertisements: 3}, "Temporary": {Temporary: -1}, "TemporaryValid": {TemporaryValid: -1},
		"TemporaryPreferred": {TemporaryPreferred: 49 * time.Hour}, "MaxAddresses": {MaxAddresses: -1}, "DADTransmits": {DADTransmits: -1},
	} {
		s := newSysctlStack(t)
		a, b := mem.Pair(mem.Config{Runtime: s.Runtime(), Addr: []wire.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})
		defer b.Close()
		if _, err := s.AddLink("eth0", a, onlink.InterfaceConfig{IPv6: c}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// AddAddressWith gives an address lifetimes and kinds.
func TestAddAddressWith(t *testing.T) {
	s, i := newLinked(t, onlink.InterfaceConfig{IPv6: onlink.IPv6Config{RouterAdvertisements: onlink.RANever}})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for p, opt := range map[string]onlink.AddressOptions{
		"2001:db8:1::1/64": {Valid: time.Hour, Preferred: -1, NoDAD: true},
		"2001:db8:2::1/64": {Anycast: true},
		"2001:db8:3::1/64": {NoPrefixRoute: true, NoDAD: true, Temporary: true},
		"2001:db8::4/128":  {NoDAD: true, Leased: true},
	} {
		if err := i.AddAddressWith(netip.MustParsePrefix(p), opt); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	for _, a := range s.Snapshot().Interfaces[1].Addresses {
		ok := false
		switch a.Prefix.String() {
		case "2001:db8:1::1/64":
			ok = a.State == "deprecated" && a.Valid > 0 && a.Valid <= time.Hour && a.Preferred == 0
		case "2001:db8:2::1/64":
			ok = a.State == "preferred" && a.Anycast && a.Valid == onlink.Forever
		case "2001:db8:3::1/64":
			ok = a.State == "preferred" && a.Temporary && a.Preferred == onlink.Forever
		case "2001:db8::4/128":
			ok = a.State == "preferred" && a.Origin == "dhcp"
		default:
			ok = a.Origin == "link-local"
		}
		if !ok {
			t.Errorf("%+v", a)
		}
	}
}
