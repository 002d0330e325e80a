package addrsel

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/internal/netif"
	"github.com/onlink-go/onlink/wire"
)

func addr(s string) wire.Addr {
	if s == "" {
		return wire.Addr{}
	}
	return wire.AddrFrom(netip.MustParseAddr(s))
}

// iface makes an interface; an address may be marked: "!" tentative, "-" deprecated, "x" duplicate, "~" temporary, "?"
// optimistic, "*" anycast.
func iface(index int32, addrs ...string) *netif.Interface {
	i := &netif.Interface{Index: index}
	for _, s := range addrs {
		a := netif.Address{State: netif.Preferred}
		switch s[0] {
		case '!':
			a.State = netif.Tentative
		case '-':
			a.State = netif.Deprecated
		case 'x':
			a.State = netif.Duplicate
		case '~':
			a.Temporary = true
		case '?':
			a.Optimistic = true
		case '*':
			a.Anycast = true
		}
		p := netip.MustParsePrefix(strings.TrimLeft(s, "!-x~?*"))
		a.Addr, a.Bits = wire.AddrFrom(p.Addr()), p.Bits()
		i.Addrs = append(i.Addrs, a)
	}
	return i
}

func TestSource(t *testing.T) {
	for _, c := range []struct {
		name, dst string
		addrs     []string
		other     []string // of another interface
		want      string
		tentative bool
	}{
		// The examples of RFC 6724, 10.1, as far as the rules are here.
		{"10.1: prefer appropriate scope", "2001:db8:1::1", []string{"2001:db8:3::1/64", "fe80::1/64"}, nil, "2001:db8:3::1", false},
		{"10.1: prefer appropriate scope, unicast to link-local group", "ff05::1", []string{"2001:db8:3::1/64", "fe80::1/64"}, nil, "2001:db8:3::1", false},
		{"10.1: prefer same address", "2001:db8:1::1", []string{"-2001:db8:1::1/64", "2001:db8:2::1/64"}, nil, "2001:db8:1::1", false},
		{"10.1: prefer appropriate scope over deprecated", "fe80::1", []string{"-fe80::2/64", "2001:db8:1::1/64"}, nil, "fe80::2", false},
		{"10.1: longest matching prefix", "2001:db8:1::1", []string{"2001:db8:1::2/64", "2001:db8:3::2/64"}, nil, "2001:db8:1::2", false},
		{"order does not matter", "2001:db8:1::1", []string{"2001:db8:3::2/64", "2001:db8:1::2/64"}, nil, "2001:db8:1::2", false},
		{"rule 3", "2001:db8:1::1", []string{"-2001:db8:1::2/64", "2001:db8:3::2/64"}, nil, "2001:db8:3::2", false},
		{"rule 2, link-local destination", "fe80::9", []string{"2001:db8::1/64", "fe80::1/64"}, nil, "fe80::1", false},
		{"all nodes", "ff02::1", []string{"2001:db8::1/64", "fe80::1/64"}, nil, "fe80::1", false},
		// 2.2: "up to the length of S's prefix": behind it, the one that was first.
		{"equal", "2001:db8::9", []string{"2001:db8::1/64", "2001:db8::8/64"}, nil, "2001:db8::1", false},
		{"IPv4 by prefix", "10.1.2.3", []string{"192.0.2.1/24", "10.9.9.9/8"}, nil, "10.9.9.9", false},
		{"IPv4 primary", "8.8.8.8", []string{"192.0.2.1/24", "192.0.2.2/24"}, nil, "192.0.2.1", false},
		{"IPv4 broadcast", "255.255.255.255", []string{"192.0.2.1/24", "169.254.1.1/16"}, nil, "169.254.1.1", false},
		{"only the other family", "8.8.8.8", []string{"2001:db8::1/64"}, nil, "", false},
		// RFC 6724, 4: the other interface only if the outgoing one has none, and never its link-local ones.
		{"outgoing first", "2001:db8:5::1", []string{"2001:db8:1::1/64"}, []string{"2001:db8:5::2/64"}, "2001:db8:1::1", false},
		{"unnumbered", "8.8.8.8", nil, []string{"192.0.2.1/24"}, "192.0.2.1", false},
		{"another's link-local", "2001:db8::1", nil, []string{"fe80::1/64"}, "", false},
		// RFC 7084, 4.2, WAA-9: and if those of the outgoing one are of too small a scope.
		{"too small a scope", "2001:db8:5::1", []string{"fe80::1/64"}, []string{"2001:db8:7::2/64", "fe80::2/64"}, "2001:db8:7::2", false},
		{"as the destination's", "fe80::9", []string{"fe80::1/64"}, []string{"2001:db8:7::2/64"}, "fe80::1", false},
		{"to a group", "ff0e::9", []string{"fe80::1/64"}, []string{"2001:db8:7::2/64"}, "fe80::1", false},
		{"too small, others no better", "2001:db8:5::1", []string{"fe80::1/64"}, []string{"fe80::2/64"}, "fe80::1", false},
		{"another's deprecated", "2001:db8:5::1", []string{"fe80::1/64"}, []string{"-2001:db8:7::2/64"}, "2001:db8:7::2", false},
		{"loopback is no source", "8.8.8.8", nil, []string{"127.0.0.1/8"}, "", false},
		// RFC 4862, 2: tentative addresses are not assigned.
		{"tentative", "2001:db8::1", []string{"!2001:db8::2/64"}, nil, "", true},
		{"tentative does not send us elsewhere", "2001:db8::1", []string{"!2001:db8::2/64"}, []string{"2001:db8:9::2/64"}, "", true},
		{"link-local now, global soon", "2001:db8::1", []string{"fe80::2/64", "!2001:db8::2/64"}, nil, "fe80::2", true},
		{"global soon, link-local now", "2001:db8::1", []string{"!2001:db8::2/64", "fe80::2/64"}, nil, "fe80::2", true},
		{"good enough", "fe80::1", []string{"fe80::2/64", "!2001:db8::2/64"}, nil, "fe80::2", false},
		{"link-local tentative does not matter", "2001:db8::1", []string{"!fe80::2/64", "2001:db8::2/64"}, nil, "2001:db8::2", false},
		{"duplicate", "2001:db8::1", []string{"x2001:db8::2/64"}, nil, "", false},
	} {
		out, other := iface(1, c.addrs...), iface(2, c.other...)
		s := netif.NewSnapshot([]*netif.Interface{out, other})
		if r := Source(s, &Query{Dst: addr(c.dst), Out: out, Policy: DefaultPolicy}); r.Addr != addr(c.want) || r.Tentative != c.tentative {
			t.Errorf("%s: %v, tentative %v", c.name, r.Addr, r.Tentative)
		}
	}
}

// What is in another VRF is no candidate.
func TestSourceOfVRF(t *testing.T) {
	out, other := iface(1, "fe80::1/64"), iface(2, "2001:db8:7::2/64")
	for vrf, want := range map[uint32]string{0: "2001:db8:7::2", 10: "fe80::1"} {
		other.VRF = vrf
		s := netif.NewSnapshot([]*netif.Interface{out, other})
		if r := Source(s, &Query{Dst: addr("2001:db8:5::1"), Out: out, Policy: DefaultPolicy}); r.Addr != addr(want) {
			t.Errorf("in VRF %d: %v, want %s", vrf, r.Addr, want)
		}
	}
}

// RFC 6724, 3.1, 3.2.
func TestScopeOf(t *testing.T) {
	for s, want := range map[string]Scope{
		"2001:db8::1": Global, "fe80::1": LinkLocal, "::1": LinkLocal, "fec0::1": SiteLocal, "fd00::1": Global, "::": Global,
		"ff01::1": InterfaceLocal, "ff02::1": LinkLocal, "ff04::1": AdminLocal, "ff05::1": SiteLocal, "ff08::1": Organization, "ff0e::1": Global, "ff10::": 0,
		"192.0.2.1": Global, "10.0.0.1": Global, "169.254.1.1": LinkLocal, "127.0.0.1": LinkLocal, "224.0.0.1": LinkLocal, "239.1.1.1": Global,
		"255.255.255.255": LinkLocal,
	} {
		if got := ScopeOf(addr(s)); got != want {
			t.Errorf("%s: %d, want %d", s, got, want)
		}
	}
}
