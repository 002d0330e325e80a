package main

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"syscall"

	"github.com/onlink-go/onlink"
)

var policyObject = object{"policy", `onlink policy [show]
onlink policy {add | change | replace} [prefix] PREFIX precedence NUMBER label NUMBER
onlink policy del [prefix] PREFIX
onlink policy {flush | default}
onlink policy monitor
The table of RFC 6724, 2.1, that addresses are chosen by. An IPv4 prefix stands for that of the mapped addresses. "default"
brings the RFC's table back.`,
	[]objectVerb{
		{"show list lst ls", false, showPolicy},
		{"add", true, func(c *call) error { return c.setPolicy(false, true) }},
		{"change chg", true, func(c *call) error { return c.setPolicy(true, false) }},
		{"replace", true, func(c *call) error { return c.setPolicy(true, true) }},
		{"delete", true, deletePolicy},
		{"flush", true, func(c *call) error { return c.replacePolicy(nil) }},
		{"default", true, func(c *call) error { return c.replacePolicy(onlink.DefaultPolicy()) }},
		{"monitor", false, monitorOf("policy")},
	}}

// policyJSON is a line of the table as ip -j addrlabel has it, with its precedence.
type policyJSON struct {
	Addr       string `json:"address"`
	Bits       int    `json:"prefixlen"`
	Precedence int    `json:"precedence"`
	Label      int    `json:"label"`
}

func newPolicyJSON(e *onlink.PolicyEntry) policyJSON {
	return policyJSON{e.Prefix.Addr().String(), e.Prefix.Bits(), e.Precedence, e.Label}
}

func showPolicy(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	list := []policyJSON{}
	entries := c.stack.Policy()
	for k := range entries {
		list = append(list, newPolicyJSON(&entries[k]))
	}
	return c.print(list, func(b *bytes.Buffer) {
		for _, e := range entries {
			c.line(b, e.String())
		}
	})
}

// policyPrefix takes the prefix of a line.
func (c *call) policyPrefix() netip.Prefix {
	c.is("prefix", "to")
	p := c.network("prefix", both)
	if c.fault == nil && p.Addr().Is4() {
		b := p.Addr().As4()
		return netip.PrefixFrom(netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}), 96+p.Bits())
	}
	return p
}

// setPolicy puts a line in, if it is allowed to be there already, or not to be there.
func (c *call) setPolicy(old, new bool) error {
	e := onlink.PolicyEntry{Prefix: c.policyPrefix(), Precedence: -1, Label: -1}
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("precedence"):
			e.Precedence = c.number("precedence", 0, math.MaxInt32)
		case c.is("label"):
			e.Label = c.number("label", 0, math.MaxInt32)
		default:
			c.unknown()
		}
	}
	if c.fault == nil && (e.Precedence < 0 || e.Label < 0) {
		c.fail("policy for %v: say its precedence NUMBER and its label NUMBER", e.Prefix)
	}
	if c.fault != nil {
		return c.fault
	}
	entries := c.stack.Policy()
	at := find(entries, e.Prefix)
	switch {
	case at >= 0 && !old:
		return fmt.Errorf("policy for %v: it is there already: %v: %w", e.Prefix, entries[at], syscall.EEXIST)
	case at < 0 && !new:
		return fmt.Errorf("policy for %v: there is none to change: %w", e.Prefix, syscall.ENOENT)
	case at >= 0:
		entries[at] = e
	default:
		entries = append(entries, e)
	}
	return c.stack.SetPolicy(entries)
}

// find returns the index of the line for p, or -1.
func find(entries []onlink.PolicyEntry, p netip.Prefix) int {
	for i, e := range entries {
		if e.Prefix == p {
			return i
		}
	}
	return -1
}

func deletePolicy(c *call) error {
	p := c.policyPrefix()
	if err := c.end(); err != nil {
		return err
	}
	entries := c.stack.Policy()
	at := find(entries, p)
	if at < 0 {
		return fmt.Errorf("policy for %v: there is none: %w", p, syscall.ENOENT)
	}
	return c.stack.SetPolicy(append(entries[:at], entries[at+1:]...))
}

func (c *call) replacePolicy(entries []onlink.PolicyEntry) error {
	if err := c.end(); err != nil {
		return err
	}
	return c.stack.SetPolicy(entries)
}
