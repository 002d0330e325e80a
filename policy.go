package onlink

import (
	"fmt"
	"net/netip"

	"github.com/onlink-go/onlink/internal/addrsel"
)

// PolicyEntry is a line of the policy table that addresses are chosen by (RFC 6724, 2.1): what holds for the addresses of a
// prefix that no longer one covers. IPv4 prefixes are those of IPv4-mapped addresses: ::ffff:10.0.0.0/104.
type PolicyEntry struct {
	Prefix     netip.Prefix
	Precedence int // of destinations: the greater is preferred
	Label      int // a source with the label of the destination is preferred
}

// DefaultPolicy returns the table of RFC 6724, 2.1.
func DefaultPolicy() []PolicyEntry { return policyEntries(addrsel.DefaultPolicy) }

// Policy returns the stack's policy table, the longest prefixes first.
func (s *Stack) Policy() []PolicyEntry { return policyEntries(s.ip.Policy()) }

// SetPolicy replaces the policy table, for connections to come. An empty table knows no preferences; DefaultPolicy is what a
// stack begins with. The error names an entry whose prefix is none of IPv6, or is there twice; nothing has changed then.
func (s *Stack) SetPolicy(entries []PolicyEntry) error {
	list := make([]addrsel.Entry, len(entries))
	for i, e := range entries {
		list[i] = addrsel.Entry(e)
	}
	p, err := addrsel.NewPolicy(list)
	if err != nil {
		return fmt.Errorf("onlink: policy table: %w", err)
	}
	s.ip.SetPolicy(p)
	return nil
}

func policyEntries(p *addrsel.Policy) (all []PolicyEntry) {
	for _, e := range p.Entries() {
		all = append(all, PolicyEntry(e))
	}
	return all
}
