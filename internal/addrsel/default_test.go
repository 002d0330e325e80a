package addrsel

import (
	"net/netip"
	"slices"
	"testing"
)

// The default table is what its entries make, as RFC 6724, 2.1, lists them.
func TestDefaultPolicy(t *testing.T) {
	p, err := NewPolicy([]Entry{
		{netip.MustParsePrefix("::1/128"), 50, 0},
		{netip.MustParsePrefix("::/0"), 40, 1},
		{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4},
		{netip.MustParsePrefix("2002::/16"), 30, 2},
		{netip.MustParsePrefix("2001::/32"), 5, 5},
		{netip.MustParsePrefix("fc00::/7"), 3, 13},
		{netip.MustParsePrefix("::/96"), 1, 3},
		{netip.MustParsePrefix("fec0::/10"), 1, 11},
		{netip.MustParsePrefix("3ffe::/16"), 1, 12},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.rows, DefaultPolicy.rows) {
		t.Errorf("%v, want %v", DefaultPolicy.Entries(), p.Entries())
	}
	if all, err := NewPolicy(p.Entries()); err != nil || !slices.Equal(all.rows, p.rows) {
		t.Errorf("the entries make %v, %v", all.Entries(), err)
	}
}
