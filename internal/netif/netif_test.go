package netif

import (
	"net/netip"
	"testing"

	"github.com/onlink-go/onlink/internal/mcast"
	"github.com/onlink-go/onlink/wire"
)

func addr(s string) wire.Addr { return wire.AddrFrom(netip.MustParseAddr(s)) }

func iface(index int32, addrs ...string) *Interface {
	i := &Interface{Index: index, Name: string(rune('a' + index)), Groups: []Membership{{wire.AllNodes6, mcast.All}}}
	for _, s := range addrs {
		p := netip.MustParsePrefix(s)
		i.Addrs = append(i.Addrs, Address{Addr: wire.AddrFrom(p.Addr()), Bits: p.Bits(), State: Preferred})
	}
	return i
}

func TestLookup(t *testing.T) {
	lo := iface(1, "127.0.0.1/8", "::1/128")
	lo.Loopback = true
	a := iface(2, "192.0.2.2/24", "2001:db8::2/64", "fe80::2/64")
	b := iface(4, "198.51.100.2/24", "fe80::2/64", "10.0.0.0/31", "2001:db8::9/64")
	b.Addrs[3].State = Tentative
	s := NewSnapshot([]*Interface{lo, a, b})
	for _, c := range []struct {
		a     string
		index int32
		kind  Kind
		on    *Interface
	}{
		{"192.0.2.2", 2, Unicast, a},
		{"192.0.2.2", 4, Unicast, a}, // RFC 1122, 3.3.4.2: the weak end system model
		{"192.0.2.2", 0, Unicast, a},
		{"2001:db8::2", 4, Unicast, a},
		{"fe80::2", 2, Unicast, a},
		{"fe80::2", 4, Unicast, b},
		{"fe80::2", 0, NotOurs, nil},
		{"fe80::2", 1, NotOurs, nil},
		{"2001:db8::9", 4, NotOurs, nil}, // tentative
		{"127.0.0.1", 1, Unicast, lo},
		{"127.9.9.9", 0, Unicast, lo},
		{"::1", 0, Unicast, lo},
		{"192.0.2.255", 2, Broadcast, a},
		{"192.0.2.0", 2, Broadcast, a},
		{"192.0.2.255", 4, NotOurs, nil}, // of another link
		{"192.0.2.255", 0, NotOurs, nil},
		{"255.255.255.255", 4, Broadcast, b},
		{"127.255.255.255", 2, Unicast, lo},
		{"10.0.0.0", 4, Unicast, b}, // RFC 3021: a /31 has no broadcast address
		{"10.0.0.1", 4, NotOurs, nil},
		{"ff02::1", 2, Group, a},
		{"ff02::1", 3, NotOurs, nil},
		{"ff02::5", 2, NotOurs, nil},
		{"203.0.113.1", 2, NotOurs, nil},
		{"::", 2, NotOurs, nil},
	} {
		if l := s.Lookup(addr(c.a), c.index); l.Kind != c.kind || l.If != c.on {
			t.Errorf("%s on %d: %+v", c.a, c.index, l)
		}
	}
	if s.Interface(3) != nil || s.Interface(4) != b || s.Interface(99) != nil || s.Interface(-1) != nil || s.Interface(0) != nil {
		t.Error("Interface")
	}
}

// A unicast address of ours wins over the broadcast address of another subnet, whichever came first.
func TestUnicastBeforeBroadcast(t *testing.T) {
	for _, order := range [][2]string{{"10.0.0.1/24", "10.0.0.255/8"}, {"10.0.0.255/8", "10.0.0.1/24"}} {
		s := NewSnapshot([]*Interface{iface(1, order[0]), iface(2, order[1])})
		if l := s.Lookup(addr("10.0.0.255"), 1); l.Kind != Unicast {
			t.Errorf("%v: %+v", order, l)
		}
		for a, want := range map[string]bool{"10.0.0.255": false, "10.255.255.255": true, "10.0.0.0": true, "255.255.255.255": true, "10.0.0.1": false, "10.1.255.255": false} {
			if s.AnyBroadcast(addr(a)) != want {
				t.Errorf("%v: %s is a broadcast address: %v", order, a, !want)
			}
		}
	}
}

// With so many addresses that the sieve lets half of all others pass, each is found, and no other.
func TestManyAddresses(t *testing.T) {
	i := iface(1)
	for n := range 700 {
		i.Addrs = append(i.Addrs, Address{Addr: wire.Addr4(10, 0, byte(n>>8), byte(n)), Bits: 32, State: Preferred})
	}
	s := NewSnapshot([]*Interface{i})
	for n := range 700 {
		if l := s.Lookup(wire.Addr4(10, 0, byte(n>>8), byte(n)), 1); l.Kind != Unicast || l.If != i {
			t.Fatalf("%d: %+v", n, l)
		}
		if l := s.Lookup(wire.Addr4(10, 1, byte(n>>8), byte(n)), 1); l.Kind != NotOurs {
			t.Fatalf("not %d: %+v", n, l)
		}
	}
}

func TestAddress(t *testing.T) {
	i := iface(1, "192.0.2.2/24")
	if a := i.Address(addr("192.0.2.2")); a == nil || a.Prefix().String() != "192.0.2.2/24" || !a.Assigned() {
		t.Error(a)
	}
	if i.Address(addr("192.0.2.3")) != nil || !i.Has4() || iface(1, "::1/128").Has4() || !i.Member(wire.AllNodes6) || i.Member(wire.AllRouters6) {
		t.Error("members")
	}
	for s, want := range map[State]string{Tentative: "tentative", Preferred: "preferred", Deprecated: "deprecated", Duplicate: "duplicate"} {
		if s.String() != want {
			t.Error(s)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	s := NewSnapshot([]*Interface{iface(1, "192.0.2.2/24", "2001:db8::2/64")})
	ours, not := addr("2001:db8::2"), addr("2001:db8::3")
	for b.Loop() {
		s.Lookup(ours, 1)
		s.Lookup(not, 1)
	}
}
