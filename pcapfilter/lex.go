package pcapfilter

import (
	"net/netip"
	"strconv"
	"strings"
)

// kind is what a token is.
type kind uint8

const (
	tokEnd    kind = iota
	tokWord        // a keyword
	tokName        // any other word, or one behind a backslash
	tokNumber      // decimal, 0x hexadecimal, 0 octal
	tokPart        // two to four decimal numbers with dots: an IPv4 address, or its beginning
	tokIPv6
	tokMAC
	tokSign // an operator or parenthesis
)

// token is a word of the expression.
type token struct {
	kind kind
	text string
	at   int    // offset in the expression
	num  uint32 // of tokNumber
	addr netip.Addr
	mac  [6]byte
}

// is reports whether t is the keyword or sign s.
func (t *token) is(s string) bool { return (t.kind == tokWord || t.kind == tokSign) && t.text == s }

// signs are the operators, the longer before their beginnings.
var signs = []string{"<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "(", ")", "[", "]", ":", "/", "!", "&", "|", "^", "+", "-", "*", "%",
	"<", ">", "="}

// lex takes the expression apart. As in tcpdump the longest word wins, so that a minus needs a blank between numbers: 1-2 is a
// range.
func (p *parser) lex() error {
	for i := 0; i < len(p.expr); {
		if strings.IndexByte(" \t\r\n", p.expr[i]) >= 0 {
			i++
			continue
		}
		t, err := p.token(i)
		if err != nil {
			return err
		}
		p.tokens = append(p.tokens, t)
		i = t.at + len(t.text)
		if t.kind == tokName && p.expr[t.at] == '\\' {
			t := &p.tokens[len(p.tokens)-1]
			t.text, t.at = t.text[1:], t.at+1
		}
	}
	p.tokens = append(p.tokens, token{kind: tokEnd, at: len(p.expr)})
	return nil
}

// token returns the token at i.
func (p *parser) token(i int) (token, error) {
	rest := p.expr[i:]
	if c := rest[0]; c == '\\' {
		n := 1
		for n < len(rest) && strings.IndexByte(" !()\t\r\n", rest[n]) < 0 {
			n++
		}
		t := token{kind: tokName, text: rest[:n], at: i}
		if n == 1 {
			return t, p.errorAt(&t, "a backslash stands before a name, to take it as a name and not as a keyword")
		}
		return t, nil
	}
	if t, ok := address(rest, i); ok {
		return t, nil
	}
	if n := wordLen(rest); n > 0 {
		return p.word(rest[:n], i)
	}
	for _, s := range signs {
		if strings.HasPrefix(rest, s) {
			return token{kind: tokSign, text: s, at: i}, nil
		}
	}
	t := token{text: firstRune(rest), at: i}
	return t, p.errorAt(&t, "is not part of the language")
}

func firstRune(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}

// address returns the IPv6 or MAC address at the beginning of s. What follows must not continue the word.
func address(s string, at int) (token, bool) {
	n := 0
	for n < min(len(s), 64) && (isHex(s[n]) || s[n] == ':' || s[n] == '.' || s[n] == '-') {
		n++
	}
	run := strings.TrimRight(s[:n], ".-")
	n = len(run)
	if n < len(s) && isWord(s[n]) || n > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
		return token{}, false
	}
	if m, ok := parseMAC(run); ok {
		return token{kind: tokMAC, text: run, at: at, mac: m}, true
	}
	if strings.Count(run, ":") >= 2 {
		if a, err := netip.ParseAddr(run); err == nil {
			return token{kind: tokIPv6, text: run, at: at, addr: a}, true
		}
	}
	return token{}, false
}

// parseMAC reads six groups of one or two hexadecimal digits with colons, dashes or dots between them, three of four with dots, or
// twelve digits.
func parseMAC(s string) (m [6]byte, ok bool) {
	var groups []string
	for _, sep := range []string{":", "-", "."} {
		if groups = strings.Split(s, sep); len(groups) > 1 {
			break
		}
	}
	switch {
	case len(groups) == 6:
	case len(groups) == 3 && strings.Contains(s, "."), len(groups) == 1 && len(s) == 12 && strings.Trim(s, "0123456789") != "":
		digits := strings.Join(groups, "")
		if len(digits) != 12 {
			return m, false
		}
		groups = groups[:0]
		for i := 0; i < 12; i += 2 {
			groups = append(groups, digits[i:i+2])
		}
	default:
		return m, false
	}
	for i, g := range groups {
		v, err := strconv.ParseUint(g, 16, 8)
		if err != nil || len(g) > 2 {
			return m, false
		}
		m[i] = byte(v)
	}
	return m, true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

// wordLen returns the length of the word at the beginning of s: letters and digits, within them also dashes, dots and
// underscores.
func wordLen(s string) int {
	n := 0
	for n < len(s) && (isWord(s[n]) || n > 0 && (s[n] == '-' || s[n] == '.')) {
		n++
	}
	return len(strings.TrimRight(s[:n], "-_"))
}

// word tells what kind of word s is.
func (p *parser) word(s string, at int) (token, error) {
	t := token{kind: tokName, text: s, at: at}
	switch {
	case isDigits(s), strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		if !isDigits(s) && strings.Trim(s[2:], "0123456789abcdefABCDEF") != "" {
			return t, nil // as 0x1-0x5
		}
		n, err := strconv.ParseUint(s, 0, 32)
		if err != nil {
			return t, p.errorAt(&t, "is not a number of 32 bits")
		}
		t.kind, t.num = tokNumber, uint32(n)
	case isDotted(s):
		t.kind = tokPart
	case keywords[s]:
		t.kind = tokWord
	default:
		if n, ok := constants[s]; ok {
			t.kind, t.num = tokNumber, n
		}
	}
	return t, nil
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isDotted reports whether s is two to four numbers with dots between them.
func isDotted(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 4 {
		return false
	}
	for _, part := range parts {
		if !isDigits(part) || len(part) > 3 {
			return false
		}
	}
	return true
}
