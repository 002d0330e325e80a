package script

import (
	"fmt"
	"net/netip"
	"sort"
	"strconv"
	"strings"
)

// tokenKind is the kind of a token; a punctuation mark's kind is the mark itself.
type tokenKind int

const (
	tokEOF tokenKind = -1 - iota
	tokInt
	tokHex
	tokFloat
	tokWord
	tokString
	tokCommand
	tokCode
	tokAddr
	tokEllipsis
	tokOption
)

// token is a word of the language.
type token struct {
	kind     tokenKind
	off, end int    // where it stands in the source
	text     string // without quotes and brackets; for numbers and words as written
}

// lexer cuts a source into tokens, one at a time: what a text means depends on where it stands, so that the parser takes
// some parts (notes, values of options) as they are. It is a value: a copy of it is a place to come back to.
type lexer struct {
	file    string
	src     string
	starts  []int             // offsets of the lines
	defines map[string]string // words that stand for other text
	off     int
	open    int // #ifdefs not ended yet
}

// fail ends the parsing: ParseWith recovers it.
func (l *lexer) fail(off int, format string, args ...any) {
	panic(&SyntaxError{Pos: l.pos(off), Msg: fmt.Sprintf(format, args...)})
}

// pos is the position of an offset.
func (l *lexer) pos(off int) Pos {
	off = min(off, len(l.src)) // the text of a defined word stands elsewhere
	line := sort.SearchInts(l.starts, off+1) - 1
	return Pos{File: l.file, Line: line + 1, Col: off - l.starts[line] + 1}
}

// next returns the token at the lexer's place and moves behind it.
func (l *lexer) next() token {
	l.skip()
	t := token{kind: tokEOF, off: l.off, end: l.off}
	if l.off >= len(l.src) {
		if l.open > 0 {
			l.fail(len(l.src), "found the end of the script, expected #endif")
		}
		return t
	}
	switch c := l.src[l.off]; {
	case l.has("..."):
		l.off += 3
		t.kind = tokEllipsis
	case l.has("--") && wordByte(l.at(2)):
		l.off += 2
		t.kind = tokOption
		t.text = l.run(wordByte)
	case l.address(&t):
	case digit(c) || c == '.' && digit(l.at(1)):
		l.number(&t)
	case wordByte(c):
		t.kind = tokWord
		t.text = l.run(wordByte)
		if t.text == "sequence" && l.has("#") { // GRE's "sequence# present"
			l.off++
		}
		l.define(&t)
	case c == '"':
		t.kind = tokString
		t.text = l.quoted('"', "a string")
	case c == '`':
		t.kind = tokCommand
		t.text = l.quoted('`', "a command")
	case l.has("%{"):
		t.kind = tokCode
		size := strings.Index(l.src[l.off:], "}%")
		if size < 0 {
			l.fail(l.off, "code that begins here has no end: expected }%%")
		}
		t.text = l.src[l.off+2 : l.off+size]
		l.off += size + 2
	default:
		t.kind = tokenKind(c)
		l.off++
	}
	t.end = l.off
	return t
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func hexDigit(c byte) bool { return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func wordByte(c byte) bool { return c == '_' || digit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }

// has reports whether the source goes on with s.
func (l *lexer) has(s string) bool { return strings.HasPrefix(l.src[l.off:], s) }

// at returns the byte n places on, 0 behind the end.
func (l *lexer) at(n int) byte {
	if l.off+n < len(l.src) {
		return l.src[l.off+n]
	}
	return 0
}

// run takes the bytes that belong.
func (l *lexer) run(belongs func(byte) bool) string {
	from := l.off
	for l.off < len(l.src) && belongs(l.src[l.off]) {
		l.off++
	}
	return l.src[from:l.off]
}

// skip moves to the next token: over blanks, comments, and what #ifdef leaves out.
func (l *lexer) skip() {
	for l.off < len(l.src) {
		switch c := l.src[l.off]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			l.off++
		case l.has("//"):
			l.line()
		case l.has("/*"):
			size := strings.Index(l.src[l.off+2:], "*/")
			if size < 0 {
				l.fail(l.off, "the comment that begins here has no end: expected */")
			}
			l.off += 2 + size + 2
		case c == '#':
			l.hash()
		default:
			return
		}
	}
}

// line takes the rest of the line, without its end.
func (l *lexer) line() string {
	return l.run(func(c byte) bool { return c != '\n' })
}

// hash takes a line that begins with #: a comment, or one of #ifdef, #ifndef, #else and #endif, by which a script says
// which systems its lines are for. The system here is Linux.
func (l *lexer) hash() {
	from := l.off
	word, name := directive(l.line())
	linux := strings.EqualFold(name, "linux")
	switch word {
	case "#ifdef", "#ifndef":
		l.open++
		if linux != (word == "#ifdef") {
			l.leaveOut(from, true)
		}
	case "#else":
		if l.open == 0 {
			l.fail(from, "#else without #ifdef")
		}
		l.leaveOut(from, false)
	case "#endif":
		if l.open == 0 {
			l.fail(from, "#endif without #ifdef")
		}
		l.open--
	}
}

// directive returns the first two words of a line.
func directive(line string) (word, name string) {
	words := append(strings.Fields(line), "", "")
	return words[0], words[1]
}

// leaveOut moves behind the #endif, or the #else if that counts, that belongs to the line at from.
func (l *lexer) leaveOut(from int, orElse bool) {
	depth := 0
	for l.off < len(l.src) {
		l.off++ // the line's end
		word, _ := directive(l.line())
		switch {
		case word == "#ifdef" || word == "#ifndef":
			depth++
		case word == "#endif" && depth > 0:
			depth--
		case word == "#endif":
			l.open--
			return
		case word == "#else" && depth == 0 && orElse:
			return
		}
	}
	l.off = len(l.src)
	l.fail(from, "what begins here has no #endif")
}

// number takes 10, 0x10, 0.5 or .5; and, as it looks like a number first, a word that begins with a digit.
// It returns where that ends.
func (l *lexer) number(t *token) int {
	from := l.off
	t.kind = tokInt
	t.text = l.run(wordByte)
	switch {
	case strings.Trim(t.text, "0123456789") == "":
		if l.at(0) == '.' && digit(l.at(1)) {
			l.off++
			l.run(digit)
			t.kind = tokFloat
			t.text = l.src[from:l.off]
		}
	case len(t.text) > 2 && t.text[0] == '0' && t.text[1] == 'x' && strings.IndexFunc(t.text[2:], notHex) < 0:
		t.kind = tokHex
	default:
		t.kind = tokWord
	}
	return l.off
}

func notHex(r rune) bool { return r >= 0x80 || !hexDigit(byte(r)) }

// maxAddr is more than the longest text of an address has bytes.
const maxAddr = 64

// address takes an address of IPv4 or IPv6 if one stands here. What looks like one but is not is left to others:
// 1:1001(1000) is a range of sequence numbers.
func (l *lexer) address(t *token) bool {
	from, colons, dots := l.off, 0, 0
	end := from
	for ; end < len(l.src) && end < from+maxAddr; end++ {
		switch c := l.src[end]; {
		case c == ':':
			colons++
			continue
		case c == '.':
			dots++
			continue
		case hexDigit(c):
			continue
		}
		break
	}
	if colons < 2 && dots < 3 {
		return false
	}
	text := l.src[from:end]
	// A colon may follow an address: "ipv4 1.1.1.1 > 2.2.2.2: gre: …", and a port behind the colon.
	if head, _, ok := strings.Cut(text, ":"); ok && strings.Count(head, ".") == 3 {
		text = head
	} else if strings.HasSuffix(text, ":") && !strings.HasSuffix(text, "::") {
		text = text[:len(text)-1]
	} else if at := strings.Index(text, "..."); at >= 0 {
		text = text[:at]
	}
	if _, err := netip.ParseAddr(text); err != nil || text == "" {
		return false
	}
	if from+len(text) < len(l.src) && wordByte(l.src[from+len(text)]) {
		return false
	}
	l.off = from + len(text)
	t.kind, t.text = tokAddr, text
	return true
}

// quoted takes what stands between two marks, in which a backslash guards the byte behind it.
func (l *lexer) quoted(mark byte, what string) string {
	from := l.off
	for l.off++; l.off < len(l.src); l.off++ {
		switch l.src[l.off] {
		case '\\':
			l.off++
		case mark:
			l.off++
			return l.src[from+1 : l.off-1]
		}
	}
	l.fail(from, "%s that begins here has no end: expected %c", what, mark)
	return ""
}

// define puts in the place of a defined word what it stands for.
func (l *lexer) define(t *token) {
	value, ok := l.defines[t.text]
	if !ok || value == "" {
		return
	}
	t.text = value
	switch {
	case len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"':
		t.kind, t.text = tokString, value[1:len(value)-1]
	case len(value) > 1 && value[0] == '`' && value[len(value)-1] == '`':
		t.kind, t.text = tokCommand, value[1:len(value)-1]
	case digit(value[0]):
		var n token
		if sub := (lexer{src: value}); sub.number(&n) == len(value) {
			t.kind = n.kind
		}
	}
}

// unescape resolves the escapes of a string that begins at off.
func (l *lexer) unescape(off int, s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	const letters, values = `abfnrtv0\"'`, "\a\b\f\n\r\t\v\x00\\\"'"
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		if i++; i == len(s) {
			l.fail(off+i, "found nothing behind \\ in a string")
		}
		switch n := strings.IndexByte(letters, s[i]); {
		case n >= 0:
			b = append(b, values[n])
		case s[i] == 'x':
			if i+2 >= len(s) || !hexDigit(s[i+1]) || !hexDigit(s[i+2]) {
				l.fail(off+i, "expected two hexadecimal digits behind \\x")
			}
			n, _ := strconv.ParseUint(s[i+1:i+3], 16, 8)
			b = append(b, byte(n))
			i += 2
		default:
			l.fail(off+i, "found the escape \\%c, which the language does not have", s[i])
		}
	}
	return string(b)
}
