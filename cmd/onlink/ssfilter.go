package main

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/onlink-go/onlink"
)

// The filters of ss(8): states, and expressions over ports and addresses.

// socketTest is an expression.
type socketTest func(*onlink.SocketState) bool

// stateNames are the states and sets of them that filters name.
var stateNames = map[string][]string{
	"established": {"ESTAB"}, "syn-sent": {"SYN-SENT"}, "syn-recv": {"SYN-RECV"}, "fin-wait-1": {"FIN-WAIT-1"},
	"fin-wait-2": {"FIN-WAIT-2"}, "time-wait": {"TIME-WAIT"}, "closed": {"UNCONN"}, "unconnected": {"UNCONN"}, "close-wait": {"CLOSE-WAIT"},
	"last-ack": {"LAST-ACK"}, "listening": {"LISTEN"}, "listen": {"LISTEN"}, "closing": {"CLOSING"},
	"all": socketStates, "connected": append([]string{"SYN-RECV", "TIME-WAIT"}, connectedStates...),
	"synchronized": {"ESTAB", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSE-WAIT", "LAST-ACK", "CLOSING"},
	"bucket":       {"SYN-RECV", "TIME-WAIT"},
	"big":          append([]string{"LISTEN", "UNCONN"}, connectedStates...),
}

// readSocketFilter reads a filter; nil states, or a nil expression: nothing is said of them.
func readSocketFilter(args []string) (states []string, expr socketTest, err error) {
	e := expression{words: words{rest: tokens(strings.Join(args, " "))}}
	for e.peek() == "state" || e.peek() == "exclude" {
		verb, _ := e.next()
		set := e.states(verb)
		switch {
		case verb == "state":
			states = append(states, set...)
		case states == nil:
			states = slices.Clone(socketStates)
			fallthrough
		default:
			states = slices.DeleteFunc(states, func(s string) bool { return slices.Contains(set, s) })
		}
	}
	if len(e.rest) > 0 {
		expr = e.or()
	}
	return states, expr, e.end()
}

// states takes the name of a state, or of several.
func (e *expression) states(verb string) []string {
	name := e.value(verb)
	if set, ok := stateNames[strings.ToLower(name)]; ok || e.fault != nil {
		return set
	}
	var all []string
	for n := range stateNames {
		all = append(all, n)
	}
	slices.Sort(all)
	e.fail("%s %s: there is no such state%s", verb, name, didYouMean(name, all))
	return nil
}

// tokens takes a filter apart: parentheses and comparisons are words of their own.
func tokens(text string) (all []string) {
	for _, field := range strings.Fields(text) {
		for field != "" {
			n := operatorLength(field)
			if n == 0 {
				n = len(field)
				for i := range field {
					if operatorLength(field[i:]) > 0 {
						n = i
						break
					}
				}
			}
			all, field = append(all, field[:n]), field[n:]
		}
	}
	return all
}

// operatorLength returns how many octets of the operator text begins with.
func operatorLength(text string) int {
	for _, op := range [...]string{"==", "!=", ">=", "<=", "&&", "||", "(", ")", "=", "<", ">", "!", "&", "|"} {
		if strings.HasPrefix(text, op) {
			return len(op)
		}
	}
	return 0
}

// expression is a filter being read.
type expression struct {
	words
	depth int // of parentheses and negations
}

// or reads terms that are joined by "or".
func (e *expression) or() socketTest {
	test := e.and()
	for e.fault == nil && e.is("or", "|", "||") {
		a, b := test, e.and()
		test = func(k *onlink.SocketState) bool { return a(k) || b(k) }
	}
	return test
}

// and reads factors that are joined by "and", or follow each other.
func (e *expression) and() socketTest {
	test := e.factor()
	for e.fault == nil {
		joined := e.is("and", "&", "&&")
		if next := e.peek(); !joined && (next == "" || next == ")" || next == "or" || next == "|" || next == "||") {
			break
		}
		a, b := test, e.factor()
		test = func(k *onlink.SocketState) bool { return a(k) && b(k) }
	}
	return test
}

// maxDepth is how deep parentheses and negations may be.
const maxDepth = 100

func (e *expression) factor() socketTest {
	never := func(*onlink.SocketState) bool { return false }
	if e.depth++; e.depth > maxDepth {
		e.fail("filter: more than %d parentheses and negations within each other", maxDepth)
		return never
	}
	defer func() { e.depth-- }()
	switch {
	case e.is("not", "!"):
		test := e.factor()
		return func(k *onlink.SocketState) bool { return !test(k) }
	case e.is("("):
		test := e.or()
		if e.fault == nil && !e.is(")") {
			e.fail("filter: a parenthesis is not closed")
		}
		return test
	case e.is("sport"):
		return e.port(func(k *onlink.SocketState) netip.AddrPort { return k.Local })
	case e.is("dport"):
		return e.port(func(k *onlink.SocketState) netip.AddrPort { return k.Remote })
	case e.is("src"):
		return e.host("src", func(k *onlink.SocketState) netip.AddrPort { return k.Local })
	case e.is("dst"):
		return e.host("dst", func(k *onlink.SocketState) netip.AddrPort { return k.Remote })
	case e.is("dev"):
		e.is("=", "==")
		name := e.value("dev")
		return func(k *onlink.SocketState) bool { return k.Interface == name }
	case e.peek() == "":
		e.fail("filter: it ends where a condition is due, like dport = :443 or dst 2001:db8::/32")
		return never
	}
	e.unknown()
	return never
}

// compare takes a comparison; that of equality may be left out.
func (e *expression) compare() func(a, b int) bool {
	switch {
	case e.is("!=", "ne", "neq"):
		return func(a, b int) bool { return a != b }
	case e.is(">", "gt"):
		return func(a, b int) bool { return a > b }
	case e.is(">=", "ge", "geq"):
		return func(a, b int) bool { return a >= b }
	case e.is("<", "lt"):
		return func(a, b int) bool { return a < b }
	case e.is("<=", "le", "leq"):
		return func(a, b int) bool { return a <= b }
	}
	e.is("=", "==", "eq")
	return func(a, b int) bool { return a == b }
}

// port takes a comparison and a port.
func (e *expression) port(of func(*onlink.SocketState) netip.AddrPort) socketTest {
	compare := e.compare()
	text := e.value("port")
	n, err := strconv.ParseUint(strings.TrimPrefix(text, ":"), 10, 16)
	if err != nil && e.fault == nil {
		e.fail("filter: %s: not a port, like :443", text)
	}
	return func(k *onlink.SocketState) bool { return compare(int(of(k).Port()), int(n)) }
}

// host takes an address or prefix, with a port behind it or not.
func (e *expression) host(what string, of func(*onlink.SocketState) netip.AddrPort) socketTest {
	equal := true
	if e.is("!=", "ne", "neq") {
		equal = false
	} else {
		e.is("=", "==", "eq")
	}
	text := e.value(what)
	p, port, ok := parseSocketHost(text)
	if !ok && e.fault == nil {
		e.fail("filter: %s %s: not an address or prefix, like 192.0.2.1, 2001:db8::/32 or [2001:db8::1]:443", what, text)
	}
	return func(k *onlink.SocketState) bool {
		a := of(k)
		in := !p.IsValid() || p.Contains(a.Addr().Unmap().WithZone(""))
		return (in && (port == 0 || a.Port() == port)) == equal
	}
}

// parseSocketHost reads "ADDR", "ADDR/LEN", "ADDR:PORT", "[ADDR]:PORT", "*:PORT" or ":PORT"; p is not valid where there is no address.
func parseSocketHost(text string) (p netip.Prefix, port uint16, ok bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, 0, true
	}
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen()), 0, true
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		a := ap.Addr().Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), ap.Port(), true
	}
	number, found := strings.CutPrefix(strings.TrimPrefix(text, "*"), ":")
	if n, err := strconv.ParseUint(number, 10, 16); found && err == nil {
		return p, uint16(n), true
	}
	return p, 0, text == "*"
}
