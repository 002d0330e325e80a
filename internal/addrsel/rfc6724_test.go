package addrsel

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/internal/netif"
)

// The examples of RFC 6724, 10.1: which source, and the rule that decides. Prefixes are of 64 bits.
func TestSourceExamples(t *testing.T) {
	for _, c := range []struct {
		dst, candidates, want string
		rule                  Rule
	}{
		{"2001:db8:1::1", "2001:db8:3::1 fe80::1", "2001:db8:3::1", AppropriateScope},
		{"ff05::1", "2001:db8:3::1 fe80::1", "2001:db8:3::1", AppropriateScope},
		{"2001:db8:1::1", "-2001:db8:1::1 2001:db8:2::1", "2001:db8:1::1", SameAddress},
		{"fe80::1", "-fe80::2 2001:db8:1::1", "fe80::2", AppropriateScope},
		{"2001:db8:1::1", "2001:db8:1::2 2001:db8:3::2", "2001:db8:1::2", LongestPrefix},
		// The sixth is about a home address.
		{"2002:c633:6401::1", "~2002:c633:6401::d5e3:7953:13eb:22e8 2001:db8:1::2", "2002:c633:6401::d5e3:7953:13eb:22e8", MatchingLabel},
		{"2001:db8:1::d5e3:0:0:1", "2001:db8:1::2 ~2001:db8:1:0:d5e3:7953:13eb:22e8", "2001:db8:1:0:d5e3:7953:13eb:22e8", TemporaryAddress},
		// 10.6: "source address selection does not choose a ULA purely based on longest match".
		{"ff0e::1", "2001:db8:1::1 fd11:1111:1111:1::1", "2001:db8:1::1", MatchingLabel},
	} {
		candidates := strings.Fields(c.candidates)
		for range 2 { // in either order
			s := hostWith(candidates)
			q := Query{Dst: addr(c.dst), Out: s.Interfaces[0], Policy: DefaultPolicy}
			r := Source(s, &q)
			if r.Addr != addr(c.want) || r.Rule != c.rule {
				t.Errorf("%s from %v: %v by %v, want %s by %v", c.dst, candidates, r.Addr, r.Rule, c.want, c.rule)
			}
			for _, k := range Candidates(s, &q) {
				if want := c.rule; k.Addr.Addr == r.Addr && k.Rule != NoRule || k.Addr.Addr != r.Addr && k.Rule != want {
					t.Errorf("%s: candidate %v: %v", c.dst, k.Addr.Addr, k.Rule)
				}
			}
			candidates[0], candidates[1] = candidates[1], candidates[0]
		}
	}
}

// hostWith makes a host with one interface; addresses have the marks of iface.
func hostWith(addrs []string) *netif.Snapshot {
	var with []string
	for _, a := range addrs {
		bits := "/64"
		if strings.Contains(a, ".") {
			bits = "/24"
		}
		with = append(with, a+bits)
	}
	return netif.NewSnapshot([]*netif.Interface{iface(1, with...)})
}

// policyWith returns the default policy with other or more rows, written as RFC 6724 writes them.
func policyWith(t *testing.T, rows ...string) *Policy {
	t.Helper()
	all := DefaultPolicy.Entries()
	for _, r := range rows {
		var prefix string
		var e Entry
		if _, err := fmt.Sscan(r, &prefix, &e.Precedence, &e.Label); err != nil {
			t.Fatal(err)
		}
		e.Prefix = netip.MustParsePrefix(prefix)
		var kept []Entry
		for _, o := range all {
			if o.Prefix != e.Prefix {
				kept = append(kept, o)
			}
		}
		all = append(kept, e)
	}
	p, err := NewPolicy(all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The examples of RFC 6724, 10.2 to 10.7: in which order, from which sources, and the rule that decides.
func TestDestinationExamples(t *testing.T) {
	preferIPv4 := policyWith(t, "::ffff:0:0/96 100 4")
	linkLocal := policyWith(t, "fe80::/10 33 1")
	multihomed := policyWith(t, "2001:db8:1aaa::/48 43 6", "2001:db8:1bbb::/48 43 6")
	ula := policyWith(t, "fd11:1111:1111::/48 45 14")
	sixToFour := policyWith(t, "2002:c633:6401::/48 45 14")
	for _, c := range []struct {
		name    string
		policy  *Policy
		sources string
		list    string
		want    string // "destination<source" in order
		rule    Rule
	}{
		{"10.2", DefaultPolicy, "2001:db8:1::2 fe80::1 169.254.13.78", "2001:db8:1::1 198.51.100.121",
			"2001:db8:1::1<2001:db8:1::2 198.51.100.121<169.254.13.78", DestScope},
		{"10.2", DefaultPolicy, "fe80::1 198.51.100.117", "2001:db8:1::1 198.51.100.121",
			"198.51.100.121<198.51.100.117 2001:db8:1::1<fe80::1", DestScope},
		{"10.2", DefaultPolicy, "2001:db8:1::2 fe80::1 10.1.2.4", "2001:db8:1::1 10.1.2.3",
			"2001:db8:1::1<2001:db8:1::2 10.1.2.3<10.1.2.4", DestPrecedence},
		{"10.2", DefaultPolicy, "2001:db8:1::2 fe80::2", "2001:db8:1::1 fe80::1",
			"fe80::1<fe80::2 2001:db8:1::1<2001:db8:1::2", DestSmaller},
		// The fifth is about a home address.
		{"10.2", DefaultPolicy, "2001:db8:1::2 -fe80::2", "2001:db8:1::1 fe80::1",
			"2001:db8:1::1<2001:db8:1::2 fe80::1<fe80::2", DestDeprecated},
		{"10.2", DefaultPolicy, "2001:db8:1::2 2001:db8:3f44::2 fe80::2", "2001:db8:1::1 2001:db8:3ffe::1",
			"2001:db8:1::1<2001:db8:1::2 2001:db8:3ffe::1<2001:db8:3f44::2", DestLongest},
		{"10.2", DefaultPolicy, "2002:c633:6401::2 fe80::2", "2002:c633:6401::1 2001:db8:1::1",
			"2002:c633:6401::1<2002:c633:6401::2 2001:db8:1::1<2002:c633:6401::2", DestLabel},
		{"10.2", DefaultPolicy, "2002:c633:6401::2 2001:db8:1::2 fe80::2", "2002:c633:6401::1 2001:db8:1::1",
			"2001:db8:1::1<2001:db8:1::2 2002:c633:6401::1<2002:c633:6401::2", DestPrecedence},
		{"10.3", preferIPv4, "2001:db8::2 fe80::1 169.254.13.78", "2001:db8::1 198.51.100.121",
			"2001:db8::1<2001:db8::2 198.51.100.121<169.254.13.78", DestScope},
		{"10.3", preferIPv4, "fe80::1 198.51.100.117", "2001:db8::1 198.51.100.121",
			"198.51.100.121<198.51.100.117 2001:db8::1<fe80::1", DestScope},
		{"10.3", preferIPv4, "2001:db8::2 fe80::1 10.1.2.4", "2001:db8::1 10.1.2.3",
			"10.1.2.3<10.1.2.4 2001:db8::1<2001:db8::2", DestPrecedence},
		{"10.4", linkLocal, "2001:db8::2 fe80::2", "2001:db8::1 fe80::1",
			"2001:db8::1<2001:db8::2 fe80::1<fe80::2", DestPrecedence},
		{"10.4", linkLocal, "-2001:db8::2 fe80::2", "2001:db8::1 fe80::1",
			"fe80::1<fe80::2 2001:db8::1<2001:db8::2", DestDeprecated},
		{"10.5", DefaultPolicy, "2001:db8:1aaa::a 2001:db8:70aa::a fe80::a", "2001:db8:1bbb::b 2001:db8:70bb::b",
			"2001:db8:70bb::b<2001:db8:70aa::a 2001:db8:1bbb::b<2001:db8:1aaa::a", DestLongest},
		{"10.5", DefaultPolicy, "2001:db8:1aaa::a 2001:db8:70aa::a fe80::a", "2001:db8:1ccc::c 2001:db8:6ccc::c",
			"2001:db8:1ccc::c<2001:db8:1aaa::a 2001:db8:6ccc::c<2001:db8:70aa::a", DestLongest},
		{"10.5", multihomed, "2001:db8:1aaa::a 2001:db8:70aa::a fe80::a", "2001:db8:1bbb::b 2001:db8:70bb::b",
			"2001:db8:1bbb::b<2001:db8:1aaa::a 2001:db8:70bb::b<2001:db8:70aa::a", DestPrecedence},
		{"10.5", multihomed, "2001:db8:1aaa::a 2001:db8:70aa::a fe80::a", "2001:db8:1ccc::c 2001:db8:6ccc::c",
			"2001:db8:6ccc::c<2001:db8:70aa::a 2001:db8:1ccc::c<2001:db8:70aa::a", DestLongest},
		{"10.6", DefaultPolicy, "2001:db8:1::1 fd11:1111:1111:1::1", "2001:db8:2::2 fd22:2222:2222:2::2",
			"2001:db8:2::2<2001:db8:1::1 fd22:2222:2222:2::2<fd11:1111:1111:1::1", DestPrecedence},
		// The RFC names rule 6, but rule 5 has decided before: the new row gives the source the label 14, the destination has 13.
		{"10.6", ula, "2001:db8:1::1 fd11:1111:1111:1::1", "2001:db8:2::2 fd22:2222:2222:2::2",
			"2001:db8:2::2<2001:db8:1::1 fd22:2222:2222:2::2<fd11:1111:1111:1::1", DestLabel},
		{"10.6", ula, "2001:db8:1::1 fd11:1111:1111:1::1", "2001:db8:2::2 fd11:1111:1111:2::2",
			"fd11:1111:1111:2::2<fd11:1111:1111:1::1 2001:db8:2::2<2001:db8:1::1", DestPrecedence},
		{"10.7", DefaultPolicy, "2002:c633:6401::2 10.1.2.3", "2001:db8:1::1 203.0.113.1",
			"203.0.113.1<10.1.2.3 2001:db8:1::1<2002:c633:6401::2", DestLabel},
		{"10.7", sixToFour, "2002:c633:6401:1::1 10.1.2.3", "2002:c633:6401:2::2 203.0.113.1",
			"2002:c633:6401:2::2<2002:c633:6401:1::1 203.0.113.1<10.1.2.3", DestPrecedence},
	} {
		s := hostWith(strings.Fields(c.sources))
		list := strings.Fields(c.list)
		for range 2 { // in either order
			var ds []Destination
			for i, d := range list {
				r := Source(s, &Query{Dst: addr(d), Out: s.Interfaces[0], Policy: c.policy})
				ds = append(ds, Destination{Addr: addr(d), Source: s.Interfaces[0].Address(r.Addr), Index: i})
			}
			Sort(c.policy, ds)
			var got []string
			for _, d := range ds {
				got = append(got, d.Addr.String()+"<"+d.Source.Addr.String())
			}
			if strings.Join(got, " ") != c.want || ds[1].Rule != c.rule {
				t.Errorf("%s, %v: %v by %v, want %v by %v", c.name, list, got, ds[1].Rule, c.want, c.rule)
			}
			list[0], list[1] = list[1], list[0]
		}
	}
}

// What the examples leave out.
func TestRules(t *testing.T) {
	out, other := iface(1, "2001:db8:a::1/64", "2001:db8:b::1/64"), iface(2, "2001:db8:c::1/64")
	s := netif.NewSnapshot([]*netif.Interface{out, other})
	q := Query{Dst: addr("2001:db8:a::9"), Out: out, Policy: DefaultPolicy, NextHop: addr("fe80::1")}

	out.Advertised = []netif.Advertised{{Prefix: netip.MustParsePrefix("2001:db8:a::/64"), Router: addr("fe80::2")},
		{Prefix: netip.MustParsePrefix("2001:db8:b::/64"), Router: addr("fe80::1")}}
	if r := Source(s, &q); r.Addr != addr("2001:db8:b::1") || r.Rule != NextHopPrefix {
		t.Error("5.5:", r)
	}
	q.NextHop = q.Dst
	if r := Source(s, &q); r.Addr != addr("2001:db8:a::1") || r.Rule != LongestPrefix {
		t.Error("on-link:", r)
	}

	// IPv4: the subnet of the gateway.
	four := iface(1, "10.0.0.2/24", "192.168.1.2/24")
	if r := Source(netif.NewSnapshot([]*netif.Interface{four}), &Query{Dst: addr("10.5.5.5"), Out: four, NextHop: addr("192.168.1.1"),
		Policy: DefaultPolicy}); r.Addr != addr("192.168.1.2") {
		t.Error("gateway's subnet:", r)
	}

	// Rule 7 the other way round, by socket and by interface.
	priv := iface(1, "2001:db8::1/64", "~2001:db8::2/64")
	ps := netif.NewSnapshot([]*netif.Interface{priv})
	for _, c := range []struct {
		iface  bool
		prefer Preferences
		want   string
	}{{false, 0, "2001:db8::2"}, {true, 0, "2001:db8::1"}, {false, PreferPublic, "2001:db8::1"}, {true, PreferTemporary, "2001:db8::2"}} {
		priv.PreferPublic = c.iface
		if r := Source(ps, &Query{Dst: addr("2001:db8:9::1"), Out: priv, Policy: DefaultPolicy, Prefer: c.prefer}); r.Addr != addr(c.want) {
			t.Errorf("rule 7, %+v: %v", c, r)
		}
	}

	// RFC 4429, 3.1: optimistic addresses are treated like deprecated ones; RFC 4291, 2.6: anycast addresses are none.
	odd := iface(1, "?2001:db8::1/64", "*2001:db8::2/64", "2001:db8:9::3/64")
	if r := Source(netif.NewSnapshot([]*netif.Interface{odd}), &Query{Dst: addr("2001:db8::9"), Out: odd, Policy: DefaultPolicy}); r.Addr != addr("2001:db8:9::3") {
		t.Error("optimistic, anycast:", r)
	}

	// Destination rule 1, and rule 10 among several.
	src := &out.Addrs[0]
	ds := []Destination{{Addr: addr("2001:db8::5"), Index: 0}, {Addr: addr("2001:db8::6"), Source: src, Index: 1},
		{Addr: addr("2001:db8::7"), Index: 2}, {Addr: addr("2001:db8::6"), Source: src, Index: 3}}
	Sort(DefaultPolicy, ds)
	for i, want := range []int{1, 3, 0, 2} {
		if ds[i].Index != want || ds[i].Rule != [...]Rule{NoRule, DestOrder, DestUsable, DestOrder}[i] {
			t.Errorf("place %d: %+v", i, ds[i])
		}
	}
}

// RFC 6724, 2.1.
func TestPolicy(t *testing.T) {
	for a, want := range map[string][2]int{"::1": {50, 0}, "2001:db8::1": {40, 1}, "192.0.2.1": {35, 4}, "2002:c633:6401::1": {30, 2},
		"2001::1": {5, 5}, "2001:1::": {40, 1}, "fd00::1": {3, 13}, "::c000:201": {1, 3}, "fec0::1": {1, 11}, "3ffe::1": {1, 12}, "ff0e::1": {40, 1}} {
		if p, l := DefaultPolicy.Of(addr(a)); p != want[0] || l != want[1] {
			t.Errorf("%s: %d %d", a, p, l)
		}
	}
	if p, l := (*Policy)(nil).Of(addr("::1")); p != 0 || l != -1 || (*Policy)(nil).Entries() != nil {
		t.Error("no policy:", p, l)
	}
	for _, bad := range [][]Entry{{{}}, {{Prefix: netip.MustParsePrefix("10.0.0.0/8")}},
		{{Prefix: netip.MustParsePrefix("2001:db8::/32")}, {Prefix: netip.MustParsePrefix("2001:db8::1/32")}}} {
		if _, err := NewPolicy(bad); err == nil {
			t.Error("taken:", bad)
		}
	}
	if got := DefaultPolicy.Entries()[0].String(); got != "::1/128 50 0" {
		t.Error(got)
	}
}
