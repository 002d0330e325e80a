package flow

import (
	"testing"

	"github.com/onlink-go/onlink/wire"
)

var (
	host4, other4 = wire.Addr4(192, 0, 2, 1), wire.Addr4(192, 0, 2, 2)
	host6         = wire.Addr{Hi: 0x20010db8 << 32, Lo: 1}
	link6         = wire.Addr{Hi: 0xfe80 << 48, Lo: 1}
)

func bound(a wire.Addr, scope uint32, f Family) *Bound {
	return &Bound{Local: Endpoint{Addr: a, Scope: scope}, Family: f}
}

func TestBoundMatch(t *testing.T) {
	for _, row := range []struct {
		name  string
		b     *Bound
		local wire.Addr
		scope uint32
		want  int
	}{
		{"the address", bound(host4, 0, Only4), host4, 0, 1},
		{"another address", bound(other4, 0, Only4), host4, 0, -1},
		{"dual wildcard, IPv4", bound(wire.Addr{}, 0, Dual), host4, 0, 0},
		{"dual wildcard, IPv6", bound(wire.Addr{}, 0, Dual), host6, 0, 0},
		{"IPv4 wildcard, IPv4", bound(wire.Unspecified4, 0, Only4), host4, 0, 0},
		{"IPv4 wildcard, IPv6", bound(wire.Unspecified4, 0, Only4), host6, 0, -1},
		{"IPv6 wildcard, IPv4", bound(wire.Addr{}, 0, Only6), host4, 0, -1},
		{"IPv6 wildcard, link-local", bound(wire.Addr{}, 0, Only6), link6, 3, 0},
		{"link-local on its link", bound(link6, 3, Only6), link6, 3, 1},
		{"link-local on another link", bound(link6, 3, Only6), link6, 4, -1},
		{"link-local on any link", bound(link6, 0, Only6), link6, 4, 1},
		{"a scope that means nothing", bound(host6, 3, Only6), host6, 4, 1},
	} {
		if got := row.b.Match(row.local, row.scope); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
}

func TestBoundOverlaps(t *testing.T) {
	dual, any4, any6 := bound(wire.Addr{}, 0, Dual), bound(wire.Unspecified4, 0, Only4), bound(wire.Addr{}, 0, Only6)
	for _, row := range []struct {
		name string
		a, b *Bound
		want bool
	}{
		{"dual, dual", dual, dual, true},
		{"dual, IPv4 wildcard", dual, any4, true},
		{"IPv4 wildcard, IPv6 wildcard", any4, any6, false},
		{"IPv6 wildcard twice", any6, any6, true},
		{"dual, IPv4 address", dual, bound(host4, 0, Only4), true},
		{"IPv6 wildcard, IPv4 address", any6, bound(host4, 0, Only4), false},
		{"IPv6 wildcard, IPv6 address", any6, bound(host6, 0, Only6), true},
		{"two addresses", bound(host4, 0, Only4), bound(other4, 0, Only4), false},
		{"one address", bound(host4, 0, Only4), bound(host4, 0, Only4), true},
		{"link-local on two links", bound(link6, 3, Only6), bound(link6, 4, Only6), false},
		{"link-local on one link", bound(link6, 3, Only6), bound(link6, 3, Only6), true},
		{"link-local on any link and on one", bound(link6, 0, Only6), bound(link6, 3, Only6), true},
	} {
		if row.a.Overlaps(row.b) != row.want || row.b.Overlaps(row.a) != row.want {
			t.Errorf("%s: %v and %v, want %v", row.name, row.a.Overlaps(row.b), row.b.Overlaps(row.a), row.want)
		}
		// Two bindings overlap exactly if some packet matches both.
		both := false
		for _, a := range []wire.Addr{host4, other4, host6, link6} {
			for scope := uint32(1); scope < 6; scope++ {
				both = both || row.a.Match(a, scope) >= 0 && row.b.Match(a, scope) >= 0
			}
		}
		if both != row.want {
			t.Errorf("%s: a packet matches both: %v, want %v", row.name, both, row.want)
		}
	}
}

func TestScopeOf(t *testing.T) {
	for a, want := range map[wire.Addr]uint32{host4: 0, host6: 0, link6: 5, wire.AllNodes6: 5, wire.Addr4(169, 254, 1, 1): 0} {
		if got := ScopeOf(a, 5); got != want {
			t.Errorf("ScopeOf(%v) = %d, want %d", a, got, want)
		}
	}
}

func TestHears(t *testing.T) {
	for _, row := range []struct {
		name       string
		device, in int32
		apart      bool
		want       int
	}{
		{"bound to none", 0, 2, false, 0},
		{"bound to none, and a VRF", 0, 2, true, -1},
		{"its own", 2, 2, false, 1},
		{"its own, in a VRF", 2, 2, true, 1},
		{"another", 2, 3, false, -1},
		{"another, in a VRF", 2, 3, true, -1},
		{"not known", 2, 0, false, 0},
	} {
		if got := Hears(row.device, row.in, row.apart); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
	a, b := bound(host4, 0, Only4), bound(host4, 0, Only4)
	if a.Device, b.Device = 2, 3; a.Overlaps(b) {
		t.Error("on two interfaces")
	}
	if b.Device = 0; !a.Overlaps(b) || !b.Overlaps(a) {
		t.Error("on one, and on all")
	}
}
