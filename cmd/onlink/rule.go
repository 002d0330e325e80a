package main

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"github.com/onlink-go/onlink"
)

var ruleObject = object{"rule", `onlink rule [show] [priority NUMBER] [table TABLE]
onlink rule {add | del} [not] [from PREFIX] [to PREFIX] [iif DEVICE] [oif DEVICE] [fwmark MARK[/MASK]] [tos NUMBER]
            [priority NUMBER] {table TABLE | blackhole | unreachable | prohibit}
onlink rule flush
onlink rule monitor
Rules are asked by ascending priority. Without an address, a rule is one of IPv4, or with -6 of IPv6.`,
	[]objectVerb{
		{"show list lst ls", false, showRules},
		{"add", true, addRule},
		{"delete", true, deleteRule},
		{"flush", true, flushRules},
		{"monitor", false, monitorOf("rule")},
	}}

// ruleJSON is a rule as ip -j rule has it.
type ruleJSON struct {
	Priority int     `json:"priority"`
	Not      *string `json:"not,omitempty"` // null, where it is there
	From     string  `json:"src"`
	FromBits int     `json:"srclen,omitempty"`
	To       string  `json:"dst,omitempty"`
	ToBits   int     `json:"dstlen,omitempty"`
	TOS      string  `json:"tos,omitempty"`
	Mark     string  `json:"fwmark,omitempty"`
	Mask     string  `json:"fwmask,omitempty"`
	In       string  `json:"iif,omitempty"`
	Out      string  `json:"oif,omitempty"`
	Table    string  `json:"table,omitempty"`
	Action   string  `json:"action,omitempty"`
}

func newRuleJSON(r *onlink.Rule) ruleJSON {
	j := ruleJSON{Priority: r.Priority, From: "all", In: r.In, Out: r.Out}
	if r.Not {
		j.Not = new(string)
	}
	if r.From.IsValid() {
		j.From, j.FromBits = r.From.Addr().String(), hostBits(r.From)
	}
	if r.To.IsValid() {
		j.To, j.ToBits = r.To.Addr().String(), hostBits(r.To)
	}
	if r.TrafficClass != 0 {
		j.TOS = fmt.Sprintf("%#x", r.TrafficClass)
	}
	if r.Mark != 0 {
		j.Mark = fmt.Sprintf("%#x", r.Mark)
	}
	if r.Mask != 0 && r.Mask != ^uint32(0) {
		j.Mask = fmt.Sprintf("%#x", r.Mask)
	}
	if r.Action == onlink.LookupTable {
		j.Table = tableName(r.Table)
	} else {
		j.Action = r.Action.String()
	}
	return j
}

// hostBits returns the length of a prefix, 0 where ip leaves it out.
func hostBits(p netip.Prefix) int {
	if p.IsSingleIP() {
		return 0
	}
	return p.Bits()
}

// ruleLine writes a rule as ip does, with a tab behind its priority.
func ruleLine(r *onlink.Rule) string { return strings.Replace(r.String(), ": ", ":\t", 1) }

// ruleSpec reads a rule, and which of its parts were said.
type ruleSpec struct {
	onlink.Rule
	priority, action bool
	said             int
}

func (c *call) ruleSpec() (r ruleSpec) {
	r.IPv6 = c.family == only6
	for len(c.rest) > 0 && c.fault == nil {
		r.said++
		switch {
		case c.is("not"):
			r.Not = true
		case c.is("from"):
			r.From = everything(c.network("from", c.family))
		case c.is("to"):
			r.To = everything(c.network("to", c.family))
		case c.is("iif", "dev"):
			r.In = c.device(c.last, c.stack)
		case c.is("oif"):
			r.Out = c.device("oif", c.stack)
		case c.is("fwmark"):
			r.Mark, r.Mask = c.mark()
		case c.is("tos", "dsfield"):
			r.TrafficClass = c.number(c.last, 0, 255)
		case c.is("priority", "pref", "preference", "order"):
			r.Priority, r.priority = c.number(c.last, 0, math.MaxUint32), true
		case c.is("table", "lookup"):
			r.Table, r.action = c.table(c.last), true
		case c.is("blackhole", "unreachable", "prohibit"):
			r.Action, r.action = ruleAction(c.last), true
		default:
			c.unknown()
		}
	}
	four, six := familyOf(r.From.Addr()) == only4 || familyOf(r.To.Addr()) == only4, familyOf(r.From.Addr()) == only6 || familyOf(r.To.Addr()) == only6
	if four && six {
		c.fail("rule: from %v to %v: not of one family", r.From, r.To)
	}
	r.IPv6 = r.IPv6 || six
	return r
}

// everything returns p; a prefix of no length is no condition.
func everything(p netip.Prefix) netip.Prefix {
	if p.Bits() == 0 {
		return netip.Prefix{}
	}
	return p
}

func ruleAction(name string) onlink.RuleAction {
	for _, a := range [...]onlink.RuleAction{onlink.RuleBlackhole, onlink.RuleUnreachable, onlink.RuleProhibit} {
		if a.String() == name {
			return a
		}
	}
	return onlink.LookupTable
}

// mark takes MARK or MARK/MASK.
func (c *call) mark() (mark, mask uint32) {
	v := c.value("fwmark")
	text, maskText, masked := strings.Cut(v, "/")
	m, err := strconv.ParseUint(text, 0, 32)
	k, maskErr := uint64(math.MaxUint32), error(nil)
	if masked {
		k, maskErr = strconv.ParseUint(maskText, 0, 32)
	}
	if c.fault == nil && (err != nil || maskErr != nil) {
		c.fail("fwmark %s: not a mark, like 1, 0x10 or 0x10/0xf0", v)
	}
	return uint32(m), uint32(k)
}

func showRules(c *call) error {
	want := ruleSpec{}
	table := 0
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("priority", "pref", "preference"):
			want.Priority, want.priority = c.number(c.last, 0, math.MaxUint32), true
		case c.is("table", "lookup"):
			table = c.table(c.last)
		default:
			c.unknown()
		}
	}
	if c.fault != nil {
		return c.fault
	}
	var all []onlink.Rule
	for _, r := range c.stack.Rules() {
		if c.hasRule(&r) && (!want.priority || r.Priority == want.Priority) && (table == 0 || r.Action == onlink.LookupTable && r.Table == table) {
			all = append(all, r)
		}
	}
	list := make([]ruleJSON, len(all))
	for k := range all {
		list[k] = newRuleJSON(&all[k])
	}
	return c.print(list, func(b *bytes.Buffer) {
		for k := range all {
			c.line(b, ruleLine(&all[k]))
		}
	})
}

// hasRule reports whether r is of the family that is asked for.
func (c *call) hasRule(r *onlink.Rule) bool {
	return c.family == both || r.IPv6 == (c.family == only6)
}

func addRule(c *call) error {
	r := c.ruleSpec()
	if c.fault == nil && !r.action {
		r.Table = onlink.MainTable // as ip has it
	}
	if c.fault == nil && r.said == 0 {
		c.fail("rule add: what is missing: for which packets, and table TABLE")
	}
	if c.fault != nil {
		return c.fault
	}
	if !r.priority {
		r.Priority = c.nextPriority(r.IPv6)
	}
	return c.stack.AddRule(r.Rule)
}

// nextPriority returns the priority of a rule that is to be asked before all others.
func (c *call) nextPriority(six bool) int {
	first := onlink.Rule{Priority: 32766}
	for _, r := range c.stack.Rules() {
		if r.IPv6 == six {
			first = r
			break
		}
	}
	return max(0, first.Priority-1)
}

// deleteRule deletes the first rule that has all that is said.
func deleteRule(c *call) error {
	r := c.ruleSpec()
	if c.fault == nil && r.said == 0 {
		c.fail("rule del: say which rule, as in rule del priority NUMBER")
	}
	if c.fault != nil {
		return c.fault
	}
	for _, o := range c.stack.Rules() {
		if o.IPv6 == r.IPv6 && o.Not == r.Not && o.From == r.From && o.To == r.To && o.In == r.In && o.Out == r.Out &&
			o.Mark == r.Mark && (r.Mark == 0 || o.Mask == r.Mask) && o.TrafficClass == r.TrafficClass &&
			(!r.priority || o.Priority == r.Priority) && (!r.action || o.Action == r.Action && o.Table == r.Table) || onlyPriority(&r, &o) {
			return c.stack.RemoveRule(o)
		}
	}
	return fmt.Errorf("rule: there is none like this: %w", syscall.ENOENT)
}

// onlyPriority reports whether nothing but o's priority is said.
func onlyPriority(r *ruleSpec, o *onlink.Rule) bool {
	return r.said == 1 && r.priority && r.IPv6 == o.IPv6 && o.Priority == r.Priority
}

func flushRules(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	for _, r := range c.stack.Rules() {
		if !c.hasRule(&r) {
			continue
		}
		if err := c.stack.RemoveRule(r); err != nil {
			return err
		}
	}
	return nil
}
