package addrsel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/onlink-go/onlink/wire"
)

// Entry is a line of the policy table: what holds for the addresses of a prefix that no longer one covers. IPv4
// prefixes are those of IPv4-mapped addresses: ::ffff:10.0.0.0/104.
type Entry struct {
	Prefix     netip.Prefix
	Precedence int // of destinations: the greater is preferred
	Label      int // a source with the label of the destination is preferred
}

// String writes the entry as RFC 6724 does: prefix, precedence, label.
func (e Entry) String() string { return fmt.Sprintf("%v %d %d", e.Prefix, e.Precedence, e.Label) }

// Policy is a policy table (RFC 6724, 2.1). It is immutable. The nil Policy is an empty one.
type Policy struct{ rows []row } // by descending length of prefix

// row is an Entry made ready for comparing.
type row struct {
	prefix            wire.Addr
	bits              int
	precedence, label int
}

func (r *row) entry() Entry {
	var b [16]byte
	r.prefix.Put16(b[:])
	return Entry{netip.PrefixFrom(netip.AddrFrom16(b), r.bits), r.precedence, r.label}
}

// DefaultPolicy is the table of RFC 6724, 2.1: "If an implementation is not configurable or has not been configured, then
// it SHOULD operate according to the algorithms specified here in conjunction with the following default policy table".
var DefaultPolicy = &Policy{[]row{
	{wire.Addr{Lo: 1}, 128, 50, 0},               // ::1/128
	{wire.Addr{Lo: 0xffff << 32}, 96, 35, 4},     // ::ffff:0:0/96
	{wire.Addr{}, 96, 1, 3},                      // ::/96
	{wire.Addr{Hi: 0x2001_0000 << 32}, 32, 5, 5}, // 2001::/32
	{wire.Addr{Hi: 0x2002 << 48}, 16, 30, 2},     // 2002::/16
	{wire.Addr{Hi: 0x3ffe << 48}, 16, 1, 12},     // 3ffe::/16
	{wire.Addr{Hi: 0xfec0 << 48}, 10, 1, 11},     // fec0::/10
	{wire.Addr{Hi: 0xfc00 << 48}, 7, 3, 13},      // fc00::/7
	{wire.Addr{}, 0, 40, 1},                      // ::/0
}}

// ErrPolicy is what is wrong with an entry whose prefix is none of IPv6, or comes twice.
var ErrPolicy = errors.New("addrsel: not a table of IPv6 prefixes, each once")

// NewPolicy makes a table of the entries, whose order does not matter.
func NewPolicy(entries []Entry) (*Policy, error) {
	p := &Policy{}
	for _, e := range entries {
		if !e.Prefix.IsValid() || e.Prefix.Addr().Is4() {
			return nil, fmt.Errorf("%w: %v", ErrPolicy, e.Prefix)
		}
		e.Prefix = e.Prefix.Masked()
		n := row{wire.AddrFrom(e.Prefix.Addr()), e.Prefix.Bits(), e.Precedence, e.Label}
		if slices.ContainsFunc(p.rows, func(r row) bool { return r.prefix == n.prefix && r.bits == n.bits }) {
			return nil, fmt.Errorf("%w: %v", ErrPolicy, e.Prefix)
		}
		i := 0
		for i < len(p.rows) && p.rows[i].bits >= n.bits {
			i++
		}
		p.rows = slices.Insert(p.rows, i, n)
	}
	return p, nil
}

// mask returns an address whose first n bits are ones.
func mask(n int) wire.Addr {
	return wire.Addr{Hi: ^(^uint64(0) >> min(n, 64)), Lo: ^(^uint64(0) >> max(n-64, 0))}
}

// Entries returns the table, the longest prefixes first.
func (p *Policy) Entries() []Entry {
	if p == nil {
		return nil
	}
	var all []Entry
	for i := range p.rows {
		all = append(all, p.rows[i].entry())
	}
	return all
}

// Of returns the precedence and the label of a.
//
// RFC 6724, 2.1: "The policy table is a longest-matching-prefix lookup table". Of an address that no entry covers it says
// nothing: its precedence is 0 and its label -1, which no entry has by default.
func (p *Policy) Of(a wire.Addr) (precedence, label int) {
	if r := p.row(a); r != nil {
		return r.precedence, r.label
	}
	return 0, -1
}

// Entry returns the entry that covers a; ok is false if none does.
func (p *Policy) Entry(a wire.Addr) (e Entry, ok bool) {
	r := p.row(a)
	if r == nil {
		return Entry{}, false
	}
	return r.entry(), true
}

func (p *Policy) row(a wire.Addr) *row {
	if p == nil {
		return nil
	}
	for i := range p.rows {
		r := &p.rows[i]
		if m := mask(r.bits); a.Hi&m.Hi == r.prefix.Hi && a.Lo&m.Lo == r.prefix.Lo {
			return r
		}
	}
	return nil
}

// label returns the label of a.
func (p *Policy) label(a wire.Addr) int {
	_, l := p.Of(a)
	return l
}
