package main

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/wire"
)

// words are the words of a command in the grammar of ip(8): keywords, and values behind them. The first fault is kept, and
// nothing is read after it.
type words struct {
	rest  []string
	last  string   // the keyword that was taken last
	known []string // those that were asked for in vain since, for suggestions
	fault error
}

// fail keeps a fault of the command line.
func (w *words) fail(format string, args ...any) {
	if w.fault == nil {
		w.fault = usagef(format, args...)
	}
	w.rest = nil
}

// next takes the next word; false: there is none.
func (w *words) next() (word string, ok bool) {
	if len(w.rest) == 0 {
		return "", false
	}
	word, w.rest = w.rest[0], w.rest[1:]
	return word, true
}

// peek returns the next word; empty: there is none.
func (w *words) peek() string {
	if len(w.rest) == 0 {
		return ""
	}
	return w.rest[0]
}

// is takes the next word if it is one of names.
func (w *words) is(names ...string) bool {
	for _, n := range names {
		if w.peek() == n {
			w.next()
			w.last, w.known = n, nil
			return true
		}
	}
	w.known = append(w.known, names...)
	return false
}

// value takes the word behind the keyword what.
func (w *words) value(what string) string { return w.valueOf(what, "value") }

// valueOf takes a word of the given kind, behind the keyword what if that is not empty.
func (w *words) valueOf(what, kind string) string {
	v, ok := w.next()
	switch {
	case ok:
	case what == "":
		w.fail("the %s is missing at the end", kind)
	default:
		w.fail("%s: its %s is missing", what, kind)
	}
	return v
}

// end fails if there is another word.
func (w *words) end() error {
	if len(w.rest) > 0 {
		w.unknown()
	}
	return w.fault
}

// unknown fails for the next word.
func (w *words) unknown() {
	w.fail("%q makes no sense here%s", w.peek(), didYouMean(w.peek(), w.known))
}

// didYouMean suggests the word of known that is most like word, if one is.
func didYouMean(word string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := distance(word, k); d < least && d < len(k) {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is how many letters must be inserted, left out or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// number takes a number behind the keyword what; it may be hexadecimal.
func (w *words) number(what string, least, most int64) int {
	v := w.value(what)
	if w.fault != nil {
		return 0
	}
	n, err := strconv.ParseInt(v, 0, 64)
	if err != nil || n < least || n > most {
		w.fail("%s %s: not a number from %d to %d", what, v, least, most)
	}
	return int(n)
}

// address takes an address behind the keyword what, of the family that is asked for.
func (w *words) address(what string, f family) netip.Addr {
	v := w.valueOf(what, "address")
	if w.fault != nil {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(v)
	switch {
	case err != nil:
		w.fail("%s%s: not an address, like 192.0.2.1 or 2001:db8::1", keyword(what), v)
	case !f.has(a):
		w.fail("%s%s: not an %v address", keyword(what), v, f)
	}
	return a
}

// keyword is what an error message has in front of the value of a keyword, which may be left out.
func keyword(what string) string {
	if what == "" {
		return ""
	}
	return what + " "
}

// prefix takes a prefix: "default" and "any", an address with a length, or an address alone, which stands for itself. Bits behind the
// length are left as they are.
func (w *words) prefix(what string, f family) netip.Prefix {
	v := w.valueOf(what, "prefix")
	if w.fault != nil {
		return netip.Prefix{}
	}
	switch v {
	case "default", "any", "all":
		if f == only6 {
			return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	p, err := netip.ParsePrefix(v)
	if err != nil {
		a, aerr := netip.ParseAddr(v)
		if aerr != nil || strings.Contains(v, "/") || a.Zone() != "" {
			w.fail("%s%s: not a prefix, like 198.51.100.0/24 or 2001:db8::/32", keyword(what), v)
			return p
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if !f.has(p.Addr()) {
		w.fail("%s%s: not an %v prefix", keyword(what), v, f)
	}
	return p
}

// network is prefix for what must have no bits behind its length.
func (w *words) network(what string, f family) netip.Prefix {
	p := w.prefix(what, f)
	if w.fault == nil && p != p.Masked() {
		w.fail("%s%v: bits are set behind the prefix's length; the prefix is %v", keyword(what), p, p.Masked())
	}
	return p
}

// lifetime takes a number of seconds, or "forever", behind the keyword what.
func (w *words) lifetime(what string) time.Duration {
	if w.is("forever") {
		return onlink.Forever
	}
	return time.Duration(w.number(what, 0, math.MaxUint32)) * time.Second
}

// linkAddress takes a link-layer address behind the keyword what.
func (w *words) linkAddress(what string) (mac wire.MAC) {
	v := w.value(what)
	if w.fault != nil {
		return mac
	}
	b, err := net.ParseMAC(v)
	if err != nil || len(b) != len(mac) {
		w.fail("%s %s: not a link-layer address, like 02:00:00:00:00:01", what, v)
		return mac
	}
	return wire.MAC(b)
}

// device takes the name of an interface of s behind the keyword what.
func (w *words) device(what string, s *onlink.Stack) string {
	name := w.valueOf(what, "device")
	if w.fault == nil && s.Interface(name) == nil {
		var names []string
		for _, i := range s.Interfaces() {
			names = append(names, i.Name())
		}
		w.fault = fmt.Errorf("there is no interface %q, but %s", name, strings.Join(names, ", "))
		w.rest = nil
	}
	return name
}

// family is which addresses a command is about.
type family int

// The families.
const (
	both family = iota
	only4
	only6
)

func (f family) has(a netip.Addr) bool { return f == both || (f == only4) == a.Unmap().Is4() }

// String returns the family's name.
func (f family) String() string { return [...]string{"IP", "IPv4", "IPv6"}[f] }

// familyOf returns the family of a; both, if a is invalid.
func familyOf(a netip.Addr) family {
	switch {
	case !a.IsValid():
		return both
	case a.Unmap().Is4():
		return only4
	}
	return only6
}

// duration takes a time behind the keyword what, with its unit: 200ms, 1s; a number alone is in milliseconds.
func (w *words) duration(what string) time.Duration {
	v := w.value(what)
	if w.fault != nil {
		return 0
	}
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(n) * time.Millisecond
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		w.fail("%s %s: not a time, like 200ms", what, v)
	}
	return d
}
