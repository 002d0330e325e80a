package onlink

import (
	"fmt"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink/internal/route"
)

// Rule says in which table packets are looked up that meet all its conditions; a zero condition is none. Rules are asked by
// ascending Priority; one whose table has no route for a packet leaves it to the next. A stack begins with the main
// table at 32766 and, for IPv4, the default table at 32767.
type Rule struct {
	Priority     int
	IPv6         bool // whose packets it is about; a From or To of IPv6 says so too
	Not          bool // it is for packets that do not meet the conditions
	From, To     netip.Prefix
	In           string // interface that packets came in by; "lo": packets of our own
	Out          string // interface that packets must leave by, because their socket says so
	Mark, Mask   uint32 // of the packet's mark the bits in Mask; Mask 0 with a Mark: all bits
	TrafficClass int    // TOS or traffic class, without the two bits of ECN
	Action       RuleAction
	Table        int // with LookupTable
}

// RuleAction is what a rule does with packets.
type RuleAction uint8

// The actions, with what senders get where they end the search.
const (
	LookupTable     = RuleAction(route.ToTable)
	RuleBlackhole   = RuleAction(route.RuleBlackhole)   // EINVAL
	RuleUnreachable = RuleAction(route.RuleUnreachable) // ENETUNREACH
	RuleProhibit    = RuleAction(route.RuleProhibit)    // EACCES
)

// String returns the action's name as ip-rule(8) has it.
func (a RuleAction) String() string { return route.Action(a).String() }

// AddRule adds a rule. Errors name what is wrong; errors.Is finds EINVAL, EEXIST.
func (s *Stack) AddRule(r Rule) error {
	c, err := s.rule(r)
	if err != nil {
		return err
	}
	return s.ip.AddRule(c)
}

// RemoveRule removes the rule that equals r. Errors: ENOENT if there is none.
func (s *Stack) RemoveRule(r Rule) error {
	c, err := s.rule(r)
	if err != nil {
		return err
	}
	return s.ip.RemoveRule(c)
}

// Rules lists the rules of IPv4, and then those of IPv6, in the order they are asked.
func (s *Stack) Rules() (all []Rule) {
	four, six := s.ip.Rules()
	for _, rs := range [...][]route.Rule{four, six} {
		for _, r := range rs {
			all = append(all, newRule(&r, s.interfaceName(r.In), s.interfaceName(r.Out)))
		}
	}
	return all
}

// newRule converts r; in and out are the names of its interfaces.
func newRule(r *route.Rule, in, out string) Rule {
	return Rule{Priority: r.Priority, IPv6: r.IPv6, Not: r.Not, From: r.From, To: r.To, In: in, Out: out, Mark: r.Mark, Mask: r.Mask,
		TrafficClass: int(r.TrafficClass), Action: RuleAction(r.Action), Table: int(r.Table)}
}

func (s *Stack) rule(r Rule) (c route.Rule, err error) {
	if r.Table < 0 || int64(r.Table) > 1<<32-1 || r.TrafficClass < 0 || r.TrafficClass > 255 {
		return c, fmt.Errorf("onlink: rule %d: a number is out of range: %w", r.Priority, syscall.EINVAL)
	}
	c = route.Rule{Priority: r.Priority, IPv6: r.IPv6 || r.From.Addr().Is6() || r.To.Addr().Is6(), Not: r.Not, From: r.From, To: r.To,
		Mark: r.Mark, Mask: r.Mask, TrafficClass: uint8(r.TrafficClass), Action: route.Action(r.Action), Table: uint32(r.Table)}
	for _, i := range [...]struct {
		name  string
		index *int32
	}{{r.In, &c.In}, {r.Out, &c.Out}} {
		if i.name == "" {
			continue
		}
		if *i.index, err = s.zone(i.name); err != nil {
			return c, fmt.Errorf("onlink: rule %d: %w", r.Priority, err)
		}
	}
	return c, nil
}
