package addrsel

import (
	"testing"

	"github.com/onlink-go/onlink/internal/netif"
)

// Each candidate that loses says by what: what it has, and what the chosen one has instead.
func TestCandidateValues(t *testing.T) {
	for _, c := range []struct{ dst, loser, winner, has, chosen string }{
		{"2001:db8::9", "2001:db8::1", "2001:db8::9", "it is not the destination", "it is the destination"},
		{"2001:db8:9::9", "fe80::1", "2001:db8::1", "link-local", "global"},
		{"2001:db8:9::9", "-2001:db8::1", "2001:db8::2", "deprecated", "preferred"},
		{"2001:db8:9::9", "?2001:db8::1", "2001:db8::2", "optimistic", "preferred"},
		{"2002:c633:6401::9", "2001:db8::1", "2002:c633:6401::1", "label 1", "label 2"},
		{"2001:db8:9::9", "2001:db8::1", "~2001:db8::2", "public", "temporary"},
		{"2001:db8:1::9", "2001:db8:3::1", "2001:db8:1::1", "46 bits in common", "64 bits in common"},
		{"198.51.100.9", "192.0.2.1", "198.51.100.1", "5 bits in common", "24 bits in common"},
		{"2001:db8:9::9", "2001:db8::2", "2001:db8::1", "later", "first"},
	} {
		s := hostWith([]string{c.winner, c.loser})
		all := Candidates(s, &Query{Dst: addr(c.dst), Out: s.Interfaces[0], Policy: DefaultPolicy})
		if len(all) != 2 || all[0].Rule != NoRule || all[1].Has != c.has || all[1].Chosen != c.chosen {
			t.Errorf("to %s from %s rather than from %s: %+v", c.dst, c.winner, c.loser, all)
		}
	}
	s := hostWith([]string{"*2001:db8::1", "2001:db8::2", "2001:db8::3"})
	s.Interfaces[0].Addrs[2].State = netif.Tentative
	all := Candidates(s, &Query{Dst: addr("2001:db8:9::9"), Out: s.Interfaces[0], Policy: DefaultPolicy})
	if len(all) != 3 || all[0].Barred == "" || all[1].Barred != "" || all[2].Barred == "" {
		t.Errorf("%+v", all)
	}
}
