package route

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/onlink-go/onlink/wire"
)

// Action is what a rule does with the packets it is for.
type Action uint8

// The actions, as Linux has them. All but ToTable end the search: senders here get the errno.
const (
	ToTable         Action = iota // look into Table; if it has no answer, ask the next rule
	RuleBlackhole                 // EINVAL
	RuleUnreachable               // ENETUNREACH
	RuleProhibit                  // EACCES
)

// String returns the action's name.
func (a Action) String() string {
	return [...]string{"lookup", "blackhole", "unreachable", "prohibit"}[a]
}

// Errno returns what a sender gets by the action; 0 for ToTable.
func (a Action) Errno() syscall.Errno {
	return [...]syscall.Errno{0, syscall.EINVAL, syscall.ENETUNREACH, syscall.EACCES}[a]
}

// drops returns the type of route that an action is like.
func (a Action) drops() Type {
	return [...]Type{Unicast, Blackhole, Unreachable, Prohibit}[a]
}

// Rule says in which table packets are looked up that meet all its conditions. A zero condition is none.
type Rule struct {
	Priority     int // rules are asked in ascending order; those of one priority as they were added
	IPv6         bool
	Not          bool // it is for packets that do not meet the conditions
	From, To     netip.Prefix
	In, Out      int32 // interface: that a packet came in by (1: packets of our own), that it must leave by
	Mark, Mask   uint32
	TrafficClass uint8 // of the DSCP bits
	Action       Action
	Table        uint32
}

// Priorities that have a meaning.
const (
	VRFPriority     = 1000 // where packets of a VRF are looked up in its table, and nowhere after
	MainPriority    = 32766
	DefaultPriority = 32767
)

// initialRules are those of a family at the beginning, as Linux has them. Its rule of priority 0 is not here: what is
// ours is known before a table is asked.
func initialRules(six bool) []Rule {
	rs := []Rule{{Priority: MainPriority, IPv6: six, Table: MainTable}}
	if !six {
		rs = append(rs, Rule{Priority: DefaultPriority, Table: DefaultTable})
	}
	return rs
}

// Check returns r with its prefixes masked, or an error.
func (r Rule) Check() (Rule, error) {
	for _, p := range [...]*netip.Prefix{&r.From, &r.To} {
		if *p == (netip.Prefix{}) {
			continue
		}
		if !p.IsValid() || p.Addr().Is4In6() {
			return r, ErrPrefix
		}
		if p.Addr().Is4() == r.IPv6 {
			return r, ErrFamily
		}
		*p = p.Masked()
	}
	if r.Mark != 0 && r.Mask == 0 {
		r.Mask = ^uint32(0)
	}
	if r.Priority < 0 || r.Action > RuleProhibit || r.TrafficClass&3 != 0 || r.Mark&^r.Mask != 0 {
		return r, ErrValue
	}
	if (r.Action == ToTable) != (r.Table != 0) {
		return r, ErrValue
	}
	return r, nil
}

// String writes the rule as ip(8) does: "100: from 10.0.0.0/8 fwmark 0x1 lookup 7".
func (r Rule) String() string {
	s := fmt.Sprintf("%d:", r.Priority)
	if r.Not {
		s += " not"
	}
	s += " from "
	if r.From.IsValid() {
		s += r.From.String()
	} else {
		s += "all"
	}
	if r.To.IsValid() {
		s += " to " + r.To.String()
	}
	if r.TrafficClass != 0 {
		s += fmt.Sprintf(" tos %#x", r.TrafficClass)
	}
	if r.Mask != 0 {
		s += fmt.Sprintf(" fwmark %#x", r.Mark)
		if r.Mask != ^uint32(0) {
			s += fmt.Sprintf("/%#x", r.Mask)
		}
	}
	if r.In != 0 {
		s += fmt.Sprintf(" iif %d", r.In)
	}
	if r.Out != 0 {
		s += fmt.Sprintf(" oif %d", r.Out)
	}
	s += " " + r.Action.String()
	if r.Action == ToTable {
		s += fmt.Sprintf(" %d", r.Table)
	}
	return s
}

// compiled is a Rule as a lookup applies it.
type compiled struct {
	Rule
	from, to match
}

// match is a prefix to compare with; the zero match fits all.
type match struct{ hi, lo, maskHi, maskLo uint64 }

func matchOf(p netip.Prefix) (m match) {
	if !p.IsValid() {
		return m
	}
	a, bits := wire.AddrFrom(p.Addr()), p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	m.maskHi = ^uint64(0) << max(0, 64-bits)
	if bits > 64 {
		m.maskLo = ^uint64(0) << (128 - bits)
	}
	m.hi, m.lo = a.Hi&m.maskHi, a.Lo&m.maskLo
	return m
}

func (m *match) fits(a wire.Addr) bool { return a.Hi&m.maskHi == m.hi && a.Lo&m.maskLo == m.lo }

// applies reports whether the rule is for q's packets.
func (c *compiled) applies(q *Query) bool {
	in := q.In
	if in == 0 {
		in = ownPackets
	}
	met := c.from.fits(q.Src) && c.to.fits(q.Dst) && (c.In == 0 || c.In == in) && (c.Rule.Out == 0 || c.Rule.Out == q.Out) &&
		q.Mark&c.Mask == c.Mark && (c.TrafficClass == 0 || c.TrafficClass == q.TrafficClass&^3)
	return met != c.Not
}

// ownPackets is the interface that packets of our own seem to come in by, as in Linux: the loopback interface.
const ownPackets = 1

// selectors are the fields of a Query besides addresses and interfaces that answers depend on.
type selectors struct{ mark, class, flow bool }

func (r *Rule) selectors() selectors { return selectors{mark: r.Mask != 0, class: r.TrafficClass != 0} }

// insertRule returns a copy of rs with r in its place: by priority, then as added.
func insertRule(rs []Rule, r Rule) []Rule {
	i, _ := slices.BinarySearchFunc(rs, r.Priority+1, func(o Rule, p int) int { return o.Priority - p })
	return slices.Insert(slices.Clone(rs), i, r)
}
