package addrsel

// Rule is what decided between two addresses: a rule of RFC 6724, of section 5 if they are sources, of section 6 if they are
// destinations.
type Rule uint8

// What decides. The rules are those of RFC 6724; Dest… are of section 6, the others of section 5.
const (
	NoRule           Rule = iota // nothing had to be decided
	SameAddress                  // 1
	AppropriateScope             // 2
	AvoidDeprecated              // 3
	OutgoingIf                   // 5
	NextHopPrefix                // 5.5
	MatchingLabel                // 6
	TemporaryAddress             // 7
	LongestPrefix                // 8
	FirstSource                  // the tie-breaker: what was configured first

	DestUsable     // 1
	DestScope      // 2
	DestDeprecated // 3
	DestLabel      // 5
	DestPrecedence // 6
	DestSmaller    // 8
	DestLongest    // 9
	DestOrder      // 10
)

// String returns the rule's number and name in RFC 6724.
func (r Rule) String() string {
	return [...]string{
		"the only candidate",
		"rule 1: prefer same address",
		"rule 2: prefer appropriate scope",
		"rule 3: avoid deprecated addresses",
		"rule 5: prefer outgoing interface",
		"rule 5.5: prefer addresses in a prefix advertised by the next-hop",
		"rule 6: prefer matching label",
		"rule 7: prefer temporary addresses",
		"rule 8: use longest matching prefix",
		"tie-breaker: the address that was there first",
		"rule 1: avoid unusable destinations",
		"rule 2: prefer matching scope",
		"rule 3: avoid deprecated addresses",
		"rule 5: prefer matching label",
		"rule 6: prefer higher precedence",
		"rule 8: prefer smaller scope",
		"rule 9: use longest matching prefix",
		"rule 10: leave the order unchanged",
	}[r]
}
