package code

import (
	"fmt"
	"strconv"
	"strings"
)

// tokenKind is the kind of a token.
type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokNewline
	tokIndent
	tokDedent
	tokName
	tokInt
	tokFloat
	tokString
	tokOp // operators, brackets and keywords too
)

// token is a word of the program.
type token struct {
	kind     tokenKind
	off, end int
	text     string // of a string: its value
	prefix   string // of a string: f and r, in small letters
}

// Error says what went wrong in code, and where in the script.
type Error struct {
	File      string
	Line, Col int // from 1, Col in bytes
	Msg       string
}

// Error returns the error as file:line:column: message.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg) }

// source is a piece of code and where in the script it stands.
type source struct {
	text      string
	file      string
	line, col int // of the text's first byte
}

// fail ends whatever is under way: Run recovers it.
func (s *source) fail(off int, format string, args ...any) {
	e := s.pos(off)
	e.Msg = fmt.Sprintf(format, args...)
	panic(e)
}

// pos is the position of an offset, as an error without a message.
func (s *source) pos(off int) *Error {
	off = min(off, len(s.text))
	e := &Error{File: s.file, Line: s.line, Col: s.col + off}
	if head := s.text[:off]; strings.Contains(head, "\n") {
		e.Line += strings.Count(head, "\n")
		e.Col = off - strings.LastIndexByte(head, '\n')
	}
	return e
}

// keywords are the names that are not for variables. Some are there to say that they are left out.
var keywords = map[string]bool{
	"and": true, "or": true, "not": true, "in": true, "is": true, "if": true, "elif": true, "else": true, "for": true,
	"while": true, "break": true, "continue": true, "def": true, "return": true, "lambda": true, "pass": true,
	"assert": true, "import": true, "from": true, "as": true, "global": true, "del": true, "raise": true, "try": true,
	"except": true, "finally": true, "with": true, "class": true, "yield": true, "nonlocal": true, "async": true,
	"await": true, "True": true, "False": true, "None": true,
}

// operators are the marks, longer ones before their beginnings.
var operators = []string{"**=", "//=", ">>=", "<<=", "==", "!=", "<>", "<=", ">=", "->", "**", "//", "<<", ">>", "+=", "-=",
	"*=", "/=", "%=", "&=", "|=", "^=", ":=", "+", "-", "*", "/", "%", "&", "|", "^", "~", "<", ">", "(", ")", "[", "]",
	"{", "}", ",", ":", ".", ";", "=", "@"}

// scanner cuts code into tokens, indentation among them.
type scanner struct {
	*source
	off      int
	brackets int   // how many are open: lines go on inside them
	indents  []int // of the blocks open, the first that of the code as a whole
	known    bool  // the first indent is known
	list     []token
}

// scan returns all tokens of a source.
func scan(s *source) []token {
	c := &scanner{source: s, indents: []int{0}}
	for c.line() {
	}
	for range c.indents[1:] {
		c.add(tokDedent, c.off, "")
	}
	c.add(tokEnd, c.off, "")
	return c.list
}

func (c *scanner) add(kind tokenKind, from int, text string) {
	c.list = append(c.list, token{kind: kind, off: from, end: c.off, text: text})
}

// line scans a line with what it goes on with; it returns false at the end of the code.
func (c *scanner) line() bool {
	first := c.off == 0
	indent := c.blanks()
	switch {
	case c.off >= len(c.text):
		return false
	case c.text[c.off] == '\n':
		c.off++
		return true
	case c.text[c.off] == '#':
		c.comment()
		return true
	}
	c.indent(indent, first)
	for c.off < len(c.text) {
		switch b := c.text[c.off]; {
		case b == '\n':
			c.off++
			if c.brackets == 0 {
				c.add(tokNewline, c.off-1, "")
				return true
			}
		case b == ' ' || b == '\t' || b == '\r' || b == '\f':
			c.off++
		case b == '#':
			c.comment()
		case b == '\\' && strings.HasPrefix(strings.TrimLeft(c.text[c.off+1:], "\r"), "\n"):
			c.off += 1 + strings.IndexByte(c.text[c.off+1:], '\n') + 1
		default:
			c.token()
		}
	}
	c.add(tokNewline, c.off, "")
	return false
}

// blanks takes the blanks at the beginning of a line and returns the column behind them.
func (c *scanner) blanks() int {
	column := 0
	for ; c.off < len(c.text); c.off++ {
		switch c.text[c.off] {
		case ' ':
			column++
		case '\t':
			column += 8 - column%8
		case '\r', '\f':
		default:
			return column
		}
	}
	return column
}

func (c *scanner) comment() {
	for c.off < len(c.text) && c.text[c.off] != '\n' {
		c.off++
	}
}

// indent opens and closes blocks. All code of a script may be indented as a whole; and as the first line may stand
// right behind %{, where its indentation is unknown, it is the second then that says how far.
func (c *scanner) indent(column int, first bool) {
	block := len(c.list) > 1 && c.list[len(c.list)-2].text == ":"
	if !c.known && !block {
		c.known = !first
		c.indents[0] = column
		return
	}
	c.known = true
	if top := c.indents[len(c.indents)-1]; column > top {
		c.indents = append(c.indents, column)
		c.add(tokIndent, c.off, "")
	}
	for column < c.indents[len(c.indents)-1] {
		if len(c.indents) == 1 {
			c.fail(c.off, "the line is indented less than the code before it")
		}
		c.indents = c.indents[:len(c.indents)-1]
		c.add(tokDedent, c.off, "")
	}
	if column != c.indents[len(c.indents)-1] {
		c.fail(c.off, "the indentation matches none of the lines before")
	}
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

func nameByte(b byte) bool {
	return b == '_' || digit(b) || 'a' <= b|0x20 && b|0x20 <= 'z' || b >= 0x80
}

// peek returns the byte n places on, 0 behind the end.
func (c *scanner) peek(n int) byte {
	if c.off+n < len(c.text) {
		return c.text[c.off+n]
	}
	return 0
}

func (c *scanner) token() {
	from := c.off
	switch b := c.text[c.off]; {
	case b == '"' || b == '\'':
		c.str("")
	case digit(b) || b == '.' && digit(c.peek(1)):
		c.number()
	case nameByte(b):
		for c.off < len(c.text) && nameByte(c.text[c.off]) {
			c.off++
		}
		name := c.text[from:c.off]
		if q := c.peek(0); (q == '"' || q == '\'') && strings.Trim(strings.ToLower(name), "rfbu") == "" && len(name) < 3 {
			c.str(strings.ToLower(name))
			return
		}
		kind := tokName
		if keywords[name] {
			kind = tokOp
		}
		c.add(kind, from, name)
	default:
		c.operator()
	}
}

func (c *scanner) operator() {
	from := c.off
	for _, op := range operators {
		if !strings.HasPrefix(c.text[from:], op) {
			continue
		}
		switch op {
		case "(", "[", "{":
			c.brackets++
		case ")", "]", "}":
			c.brackets = max(c.brackets-1, 0)
		case "<>":
			op = "!="
		}
		c.off += len(op)
		c.add(tokOp, from, op)
		return
	}
	c.fail(from, "found %q, which begins nothing", c.text[from])
}

// number takes 10, 0x10, 1_000, 1.5, 1e3; and Python 2's 10L.
func (c *scanner) number() {
	from := c.off
	for nameByte(c.peek(0)) {
		c.off++
	}
	text := c.text[from:c.off]
	if len(text) < 2 || text[1]|0x20 != 'x' {
		if c.peek(0) == '.' {
			for c.off++; nameByte(c.peek(0)); c.off++ {
			}
		}
		if last := c.text[c.off-1]; last|0x20 == 'e' && (c.peek(0) == '-' || c.peek(0) == '+') {
			for c.off++; digit(c.peek(0)); c.off++ {
			}
		}
	}
	text = strings.ToLower(strings.ReplaceAll(c.text[from:c.off], "_", ""))
	kind := tokInt
	if !strings.HasPrefix(text, "0x") && strings.ContainsAny(text, ".e") {
		kind = tokFloat
	}
	c.add(kind, from, strings.TrimSuffix(text, "l"))
}

// str takes a string with quotes of either kind, one or three.
func (c *scanner) str(prefix string) {
	from, quote := c.off-len(prefix), c.text[c.off:c.off+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(c.text[c.off:], triple) {
		quote = triple
	}
	c.off += len(quote)
	var value []byte
	for !strings.HasPrefix(c.text[c.off:], quote) {
		switch b := c.peek(0); {
		case c.off >= len(c.text) || b == '\n' && len(quote) == 1:
			c.fail(from, "a string that begins here has no end")
		case b == '\\' && c.off+1 < len(c.text):
			value = c.escape(value, strings.Contains(prefix, "r"))
		default:
			value = append(value, b)
			c.off++
		}
	}
	c.off += len(quote)
	c.add(tokString, from, string(value))
	c.list[len(c.list)-1].prefix = prefix
}

// escape takes a backslash and what it changes.
func (c *scanner) escape(value []byte, raw bool) []byte {
	const letters, values = "abfnrtv0\\'\"", "\a\b\f\n\r\t\v\x00\\'\""
	b := c.text[c.off+1]
	c.off += 2
	if n := strings.IndexByte(letters, b); n >= 0 && !raw {
		return append(value, values[n])
	}
	if b == '\n' && !raw {
		return value
	}
	if b == 'x' && !raw && len(c.text)-c.off > 2 {
		if n, err := strconv.ParseUint(c.text[c.off:c.off+2], 16, 8); err == nil {
			c.off += 2
			return append(value, byte(n))
		}
	}
	return append(value, '\\', b)
}
